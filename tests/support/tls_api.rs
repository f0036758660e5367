//! TLS before an API that has none, with certificates of the tests' own authority.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslMethod, SslStream, SslVerifyMode, SslVersion};

use super::certificates::{Shown, Signed};

/// How the server behaves beside its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    Usual,
    /// Offers nothing later than TLS 1.1.
    Old,
    /// Wants a client certificate, and says so within the handshake (TLS 1.2).
    WantsCertificate,
    /// Wants a client certificate, and says so after the handshake (TLS 1.3).
    WantsCertificateLater,
}

/// Listens until the test's process ends.
pub struct TlsApi {
    pub url: String,
    /// The certificate of the authority that signed, as PEM.
    pub authority: String,
}

impl TlsApi {
    /// Before the API at this address, `HOST:PORT`.
    pub fn before(api: &str, shown: Shown) -> Self {
        Self::with_habit(api, shown, Habit::Usual)
    }

    pub fn with_habit(api: &str, shown: Shown, habit: Habit) -> Self {
        let authority = Signed::authority();
        let acceptor = Arc::new(acceptor(&authority, shown, habit));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let api = api.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (acceptor, api) = (Arc::clone(&acceptor), api.clone());
                // Whoever goes away, or speaks no TLS, ends only its own connection.
                std::thread::spawn(move || {
                    let inside = acceptor.accept(stream).ok()?;
                    pass_on(inside, TcpStream::connect(api).ok()?)
                });
            }
        });
        Self { url, authority: authority.certificate_pem() }
    }
}

fn acceptor(authority: &Signed, shown: Shown, habit: Habit) -> SslAcceptor {
    let certificate =
        if shown == Shown::SelfSigned { Signed::by_itself() } else { authority.sign(shown) };
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    builder.set_private_key(&certificate.key).unwrap();
    builder.set_certificate(&certificate.certificate).unwrap();
    match habit {
        Habit::Usual => {}
        Habit::Old => {
            builder.set_min_proto_version(Some(SslVersion::TLS1)).unwrap();
            builder.set_max_proto_version(Some(SslVersion::TLS1_1)).unwrap();
            builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
        }
        Habit::WantsCertificate | Habit::WantsCertificateLater => {
            let mode = SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT;
            builder.set_verify(mode);
            if habit == Habit::WantsCertificate {
                builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
            }
        }
    }
    builder.build()
}

/// Copies both ways until either side ends.
fn pass_on(mut inside: SslStream<TcpStream>, mut outside: TcpStream) -> Option<()> {
    let pause = Some(Duration::from_millis(1));
    inside.get_ref().set_read_timeout(pause).ok()?;
    outside.set_read_timeout(pause).ok()?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        if let Some(count) = read_some(&mut inside, &mut buffer)? {
            outside.write_all(&buffer[..count]).ok()?;
        }
        if let Some(count) = read_some(&mut outside, &mut buffer)? {
            inside.write_all(&buffer[..count]).ok()?;
        }
    }
}

/// `Some(None)` when nothing has come yet, `None` at the end.
fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> Option<Option<usize>> {
    match from.read(buffer) {
        Ok(0) => None,
        Ok(count) => Some(Some(count)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Some(None)
        }
        Err(_) => None,
    }
}
