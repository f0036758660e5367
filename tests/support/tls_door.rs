//! A door with TLS before a broker that has none, and the certificates that it shows.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

/// What is wrong with the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Good,
    Expired,
    OtherName,
}

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
        let authority = String::from_utf8(authority.certificate.to_pem().unwrap()).unwrap();
        Self { address, authority }
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

/// A certificate and its key.
struct Signed {
    certificate: X509,
    key: PKey<Private>,
}

impl Signed {
    fn authority() -> Self {
        Self::make("the tests' authority", None, Shown::Good)
    }

    fn sign(&self, shown: Shown) -> Self {
        Self::make("a broker of the tests", Some(self), shown)
    }

    fn make(name: &str, signer: Option<&Self>, shown: Shown) -> Self {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut subject = X509Name::builder().unwrap();
        subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
        let subject = subject.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(if signer.is_some() { 2 } else { 1 }).unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&subject).unwrap();
        let issuer = signer.map_or(&*subject, |signer| signer.certificate.subject_name());
        builder.set_issuer_name(issuer).unwrap();
        builder.set_pubkey(&key).unwrap();
        let (from, to) = match shown {
            Shown::Expired => (1_500_000_000, 1_600_000_000),
            Shown::Good | Shown::OtherName => (1_500_000_000, 4_000_000_000),
        };
        builder.set_not_before(&Asn1Time::from_unix(from).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(to).unwrap()).unwrap();
        if signer.is_none() {
            builder
                .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
                .unwrap();
        } else {
            let mut names = SubjectAlternativeName::new();
            match shown {
                Shown::OtherName => names.dns("elsewhere.invalid"),
                Shown::Good | Shown::Expired => names.ip("127.0.0.1").dns("localhost"),
            };
            let names = names.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(names).unwrap();
        }
        builder.sign(signer.map_or(&key, |signer| &signer.key), MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }
}
