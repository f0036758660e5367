//! Certificates as a broker shows them: good ones and bad ones.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

/// What is wrong with the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Good,
    Expired,
    NotYetValid,
    OtherName,
    /// Signed by itself, and no authority.
    SelfSigned,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Signed {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl Signed {
    /// Signed by itself.
    pub fn authority() -> Self {
        Self::make("the tests' authority", None, Shown::Good)
    }

    /// That of a broker on this machine.
    pub fn sign(&self, shown: Shown) -> Self {
        Self::make("a broker of the tests", Some(self), shown)
    }

    /// That of a server which nobody signed.
    pub fn by_itself() -> Self {
        Self::make("a server of the tests", None, Shown::SelfSigned)
    }

    pub fn certificate_pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    /// In the only form that Java reads (PKCS #8).
    pub fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
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
            Shown::NotYetValid => (3_900_000_000, 4_000_000_000),
            Shown::Good | Shown::OtherName | Shown::SelfSigned => (1_500_000_000, 4_000_000_000),
        };
        builder.set_not_before(&Asn1Time::from_unix(from).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(to).unwrap()).unwrap();
        if signer.is_none() && shown != Shown::SelfSigned {
            builder
                .append_extension(BasicConstraints::new().critical().ca().build().unwrap())
                .unwrap();
        } else {
            let mut names = SubjectAlternativeName::new();
            match shown {
                Shown::OtherName => names.dns("elsewhere.invalid"),
                _ => names.ip("127.0.0.1").dns("localhost"),
            };
            let names = names.build(&builder.x509v3_context(None, None)).unwrap();
            builder.append_extension(names).unwrap();
        }
        builder.sign(signer.map_or(&key, |signer| &signer.key), MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }
}
