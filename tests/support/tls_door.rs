//! A door with TLS before a broker that has none.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use openssl::ssl::{SslAcceptor, SslMethod};

use super::certificates::{Shown, Signed};

/// Listens until the test's process ends.
pub struct TlsDoor {
    pub address: String,
    /// The certificate of whoever signed the one that is shown, as PEM.
    pub authority: String,
}

impl TlsDoor {
    /// Before the broker at this address. Requests and replies go through one after the other.
    pub fn before(broker: &str, shown: Shown) -> Self {
        let authority = Signed::authority();
        let certificate = authority.sign(shown);
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        builder.set_private_key(&certificate.key).unwrap();
        builder.set_certificate(&certificate.certificate).unwrap();
        let acceptor = Arc::new(builder.build());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let broker = broker.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (acceptor, broker) = (Arc::clone(&acceptor), broker.clone());
                // Whoever goes away, or speaks no TLS, ends only its own connection.
                std::thread::spawn(move || pass_on(&acceptor, stream, &broker));
            }
        });
        Self { address, authority: authority.certificate_pem() }
    }
}

fn pass_on(acceptor: &SslAcceptor, stream: TcpStream, broker: &str) -> Option<()> {
    let mut inside = acceptor.accept(stream).ok()?;
    let mut outside = TcpStream::connect(broker).ok()?;
    loop {
        let request = message(&mut inside)?;
        outside.write_all(&request).ok()?;
        let reply = message(&mut outside)?;
        inside.write_all(&reply).ok()?;
    }
}

/// A message of Kafka's protocol with its length before it.
fn message(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut message = length.to_vec();
    message.resize(4 + usize::try_from(u32::from_be_bytes(length)).ok()?, 0);
    stream.read_exact(&mut message[4..]).ok()?;
    Some(message)
}
