//! A server's certificate: who it is made out for, and what is wrong with it. Client libraries have
//! one sentence for all of it.

use std::net::IpAddr;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::ssl::SslRef;
use openssl::x509::{X509, X509NameRef, X509VerifyResult};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The names and addresses that it is made out for.
    pub names: Vec<String>,
    pub issuer: String,
    /// The beginning of its validity, as OpenSSL writes times.
    pub from: String,
    /// The end of its validity, as OpenSSL writes times.
    pub until: String,
    /// Whole days until then, negative where it has passed; `None` where the clock cannot tell.
    pub days_left: Option<i32>,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    Expired,
    NotYetValid,
    /// It is made out for another host.
    OtherName,
    /// It is signed by itself, and is not trusted itself.
    SelfSigned,
    /// It is signed by an authority that is not trusted.
    UnknownAuthority,
    Revoked,
    /// Its key, or the signature of it or of its authority, is too weak.
    TooWeak,
    /// It is not made for a server, or its signer is not an authority.
    OtherPurpose,
    /// OpenSSL's words for anything else.
    Other(&'static str),
}

impl CertificateFault {
    fn of(result: X509VerifyResult) -> Option<Self> {
        // The numbers are OpenSSL's own (`X509_V_ERR_…`).
        match result.as_raw() {
            0 => None,
            9 => Some(Self::NotYetValid),
            10 => Some(Self::Expired),
            18 => Some(Self::SelfSigned),
            23 => Some(Self::Revoked),
            24 | 26 | 28 | 79 => Some(Self::OtherPurpose),
            62 | 64 => Some(Self::OtherName),
            66..=68 => Some(Self::TooWeak),
            // 7: by somebody of the same name as one who is trusted.
            2 | 7 | 19..=21 | 27 => Some(Self::UnknownAuthority),
            _ => Some(Self::Other(result.error_string())),
        }
    }

    /// Returns the sentence for it; `host` is the name that was connected to.
    #[must_use]
    pub fn describe(self, certificate: &Certificate, host: &str) -> String {
        let Certificate { names, issuer, from, until, .. } = certificate;
        match self {
            Self::Expired => format!("the certificate expired at {until}"),
            Self::NotYetValid => format!("the certificate is not valid before {from}"),
            Self::OtherName if names.is_empty() => {
                format!("the certificate is made out for no name, and not for {host}")
            }
            Self::OtherName => {
                format!("the certificate is made out for {}, not for {host}", names.join(", "))
            }
            Self::SelfSigned => {
                "the certificate is signed by itself, and is not trusted here".to_owned()
            }
            Self::UnknownAuthority => {
                format!(
                    "the certificate is signed by {issuer}, an authority that is not trusted here"
                )
            }
            Self::Revoked => "the certificate is revoked".to_owned(),
            Self::TooWeak => "the key or the signature of the certificate is too weak".to_owned(),
            Self::OtherPurpose => {
                "the certificate, or the one that signed it, is not made for this purpose"
                    .to_owned()
            }
            Self::Other(words) => {
                format!("the certificate cannot be verified: {}", words.to_ascii_lowercase())
            }
        }
    }
}

/// Returns the certificate of a connection after its handshake, and what is wrong with it.
#[must_use]
pub fn inspect_certificate(ssl: &SslRef) -> (Option<Certificate>, Option<CertificateFault>) {
    let certificate = ssl.peer_certificate().map(|shown| describe(&shown));
    (certificate, CertificateFault::of(ssl.verify_result()))
}

fn describe(shown: &X509) -> Certificate {
    let mut names: Vec<String> = shown
        .subject_alt_names()
        .into_iter()
        .flatten()
        .filter_map(|name| {
            let address = |bytes: &[u8]| match bytes.len() {
                4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
                _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
            };
            let ip = || name.ipaddress().and_then(address).map(|ip| ip.to_string());
            name.dnsname().map(str::to_owned).or_else(ip)
        })
        .collect();
    if names.is_empty() {
        names.extend(common_name(shown.subject_name()));
    }
    Certificate {
        names,
        issuer: common_name(shown.issuer_name())
            .unwrap_or_else(|| "an unnamed authority".to_owned()),
        from: shown.not_before().to_string(),
        until: shown.not_after().to_string(),
        days_left: days_until(shown.not_after()),
    }
}

fn common_name(name: &X509NameRef) -> Option<String> {
    let entry = name.entries_by_nid(Nid::COMMONNAME).next()?;
    entry.data().to_string().ok()
}

fn days_until(end: &Asn1TimeRef) -> Option<i32> {
    Asn1Time::days_from_now(0).ok()?.diff(end).ok().map(|left| left.days)
}
