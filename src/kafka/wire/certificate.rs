//! A broker's certificate: who it is made out for, and what is wrong with it. The client library
//! has one sentence for all of it.

use std::net::IpAddr;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::ssl::SslRef;
use openssl::x509::{X509, X509NameRef, X509VerifyResult};

use super::security::Tls;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The names and addresses that it is made out for.
    pub names: Vec<String>,
    pub issuer: String,
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
    /// Nobody who is trusted has signed it.
    UnknownAuthority,
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
            62 | 64 => Some(Self::OtherName),
            // 7: by somebody of the same name as one who is trusted.
            2 | 7 | 18..=21 | 24 | 27 => Some(Self::UnknownAuthority),
            _ => Some(Self::Other(result.error_string())),
        }
    }
}

/// Judges the certificate of a connection whose handshake is over.
pub(super) fn judge(ssl: &SslRef, tls: &Tls) -> (Option<Certificate>, Option<CertificateFault>) {
    let certificate = ssl.peer_certificate().map(|shown| describe(&shown));
    let fault = if tls.is_verified { CertificateFault::of(ssl.verify_result()) } else { None };
    (certificate, fault)
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
        issuer: common_name(shown.issuer_name()).unwrap_or_else(|| "nobody".to_owned()),
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
