//! Why a connection with TLS does not come about, or one without it: a second connection that is
//! judged step by step, because the HTTP libraries say no more than OpenSSL's codes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use openssl::ssl::{HandshakeError, SslConnector, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::X509;

use crate::tls::{Certificate, CertificateFault, inspect_certificate, plain_reason, trust_system};
use crate::warehouse::ApiAddress;

/// Maximum time for a step of the second connection.
const STEP: Duration = Duration::from_secs(3);
/// The same to find out whether a port speaks TLS at all.
const GLANCE: Duration = Duration::from_secs(1);

/// What is wrong between here and the API, as far as TLS goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFault {
    Certificate {
        fault: CertificateFault,
        certificate: Box<Certificate>,
        host: String,
    },
    /// The address begins with `https://`, and the port answers without TLS.
    SpeaksNoTls,
    /// The address begins with `http://`, and the port speaks TLS.
    WantsTls,
    /// The server offers only versions before TLS 1.2.
    TooOld,
    /// The server wants a client certificate.
    WantsCertificate,
    /// In plain words.
    Handshake(String),
}

impl std::fmt::Display for TlsFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Certificate { fault, certificate, host } => {
                f.write_str(&fault.describe(certificate, host))
            }
            Self::SpeaksNoTls => f.write_str("it speaks no TLS: it answers without it"),
            Self::WantsTls => f.write_str("it speaks TLS, and was spoken to without it"),
            Self::TooOld => f.write_str("it offers only versions of TLS before 1.2"),
            Self::WantsCertificate => f.write_str("it wants a client certificate"),
            Self::Handshake(words) => write!(f, "the TLS handshake failed: {words}"),
        }
    }
}

impl TlsFault {
    /// What to do about it; `address` is that of the API.
    #[must_use]
    pub fn hint(&self, address: &str) -> String {
        let swapped = |from: &str, to: &str| address.replacen(from, to, 1);
        match self {
            Self::Certificate { fault, certificate, .. } => certificate_hint(*fault, certificate),
            Self::SpeaksNoTls => {
                format!("name it without TLS: --api-url {}", swapped("https://", "http://"))
            }
            Self::WantsTls => {
                format!("name it with TLS: --api-url {}", swapped("http://", "https://"))
            }
            Self::TooOld => "have the server, or the proxy before it, offer TLS 1.2 or 1.3".to_owned(),
            Self::WantsCertificate => {
                "dwctl has no client certificate for an API: name an address that asks for none, such as a proxy that has one".to_owned()
            }
            Self::Handshake(_) => {
                "compare TLS versions and ciphers: openssl s_client -connect HOST:PORT".to_owned()
            }
        }
    }
}

fn certificate_hint(fault: CertificateFault, certificate: &Certificate) -> String {
    match fault {
        CertificateFault::Expired | CertificateFault::Revoked | CertificateFault::TooWeak => {
            "renew the API's certificate".to_owned()
        }
        CertificateFault::NotYetValid => {
            "compare the clocks of this machine and of the one that made the certificate".to_owned()
        }
        CertificateFault::OtherName => match certificate.names.first() {
            Some(name) => {
                format!("name the API by a name that stands in it: --api-url https://{name}")
            }
            None => "have one made out with the name of --api-url".to_owned(),
        },
        CertificateFault::SelfSigned | CertificateFault::UnknownAuthority => {
            "name the authority's certificate: --cacert FILE (or api-ca, or SSL_CERT_FILE)"
                .to_owned()
        }
        CertificateFault::OtherPurpose | CertificateFault::Other(_) => {
            "look at it: openssl s_client -connect HOST:PORT".to_owned()
        }
    }
}

/// Finds out why TLS with an address fails; `None` if nothing is wrong now, or there is no
/// connection. Blocks.
pub(super) fn examine_tls(address: &ApiAddress, trusted: Option<&[X509]>) -> Option<TlsFault> {
    let stream = connect(address, STEP)?;
    let mut wanted = connector(trusted)?.configure().ok()?;
    wanted.set_verify_hostname(true);
    match wanted.connect(address.host(), stream) {
        Ok(stream) => examine_stream(address, stream),
        Err(HandshakeError::SetupFailure(errors)) => {
            Some(TlsFault::Handshake(plain_reason(&errors)))
        }
        Err(HandshakeError::Failure(broken) | HandshakeError::WouldBlock(broken)) => {
            // A server that has shown its certificate has agreed on a version and a cipher.
            let has_agreed = broken.ssl().peer_certificate().is_some();
            Some(examine_handshake(address, broken.error(), has_agreed))
        }
    }
}

/// Whether a port that was spoken to without TLS speaks it. Blocks.
pub(super) fn speaks_tls(address: &ApiAddress) -> bool {
    let handshake = || {
        let stream = connect(address, GLANCE)?;
        let mut wanted = connector(Some(&[]))?.configure().ok()?;
        wanted.set_verify_hostname(false);
        wanted.connect(address.host(), stream).ok()
    };
    handshake().is_some()
}

/// A connector that takes any certificate, so that its fault can be named.
fn connector(trusted: Option<&[X509]>) -> Option<SslConnector> {
    let mut builder = SslConnector::builder(SslMethod::tls()).ok()?;
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_min_proto_version(Some(SslVersion::TLS1_2)).ok()?;
    match trusted {
        None => trust_system(&mut builder).ok()?,
        Some(trusted) => {
            for authority in trusted {
                builder.cert_store_mut().add_cert(authority.clone()).ok()?;
            }
        }
    }
    Some(builder.build())
}

fn connect(address: &ApiAddress, step: Duration) -> Option<TcpStream> {
    let sockets = (address.host(), address.port()).to_socket_addrs().ok()?;
    let stream = sockets.into_iter().find_map(|at| TcpStream::connect_timeout(&at, step).ok())?;
    stream.set_read_timeout(Some(step)).ok()?;
    stream.set_write_timeout(Some(step)).ok()?;
    Some(stream)
}

/// A handshake that went well: the certificate, and whether the server then wants one of ours.
fn examine_stream(address: &ApiAddress, mut stream: SslStream<TcpStream>) -> Option<TlsFault> {
    if let (Some(certificate), Some(fault)) = inspect_certificate(stream.ssl()) {
        let (certificate, host) = (Box::new(certificate), address.host().to_owned());
        return Some(TlsFault::Certificate { fault, certificate, host });
    }
    // With TLS 1.3 a server says only after the handshake that it wants a certificate.
    let asked = ask(&mut stream, address);
    let refused = asked.err().filter(|error| is_certificate_alert(&error.to_string()));
    refused.map(|_| TlsFault::WantsCertificate)
}

fn ask(stream: &mut (impl Read + Write), address: &ApiAddress) -> io::Result<[u8; 4]> {
    let host = address.authority();
    let request = format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    Ok(head)
}

/// Whether OpenSSL's error is the server's alert about the client's certificate.
pub(super) fn is_certificate_alert(error: &str) -> bool {
    error.contains("alert") && error.contains("certificate")
}

fn examine_handshake(
    address: &ApiAddress,
    error: &openssl::ssl::Error,
    has_agreed: bool,
) -> TlsFault {
    let answers_plainly = || {
        let mut stream = connect(address, STEP)?;
        ask(&mut stream, address).ok().filter(|head| head == b"HTTP")
    };
    if answers_plainly().is_some() {
        return TlsFault::SpeaksNoTls;
    }
    let Some(errors) = error.ssl_error() else {
        let is_late = error.io_error().is_some_and(|error| {
            matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        });
        let words = if is_late { "it does not answer" } else { "the connection was closed" };
        return TlsFault::Handshake(words.to_owned());
    };
    let has = |part: &str| {
        errors
            .errors()
            .iter()
            .filter_map(openssl::error::Error::reason)
            .any(|why| why.contains(part))
    };
    if has("unsupported protocol") || has("protocol version") || has("version too low") {
        TlsFault::TooOld
    } else if has("certificate required")
        || has("alert bad certificate")
        || (has_agreed && has("alert handshake failure"))
    {
        TlsFault::WantsCertificate
    } else {
        TlsFault::Handshake(plain_reason(errors))
    }
}
