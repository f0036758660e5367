//! What to change about the way in: the same hints in errors and in what `doctor` finds.

use crate::tls::CertificateFault;

/// What to do about a broker's certificate; `host` is the name that was connected to.
#[must_use]
pub fn certificate_hint(fault: CertificateFault, host: &str) -> String {
    match fault {
        CertificateFault::Expired | CertificateFault::Revoked | CertificateFault::TooWeak => {
            "renew the broker's certificate".to_owned()
        }
        CertificateFault::NotYetValid => {
            "compare the clocks of this machine and of the one that made the certificate".to_owned()
        }
        CertificateFault::OtherName => format!(
            "connect by a name that stands in it, or have one made out with {host}; \
             -X ssl.endpoint.identification.algorithm=none gives up that check"
        ),
        CertificateFault::SelfSigned | CertificateFault::UnknownAuthority => {
            "name the authority's certificate: -X ssl.ca.location=FILE (or SSL_CERT_FILE)"
                .to_owned()
        }
        CertificateFault::OtherPurpose | CertificateFault::Other(_) => {
            "look at it: openssl s_client -connect HOST:PORT".to_owned()
        }
    }
}

/// Which mechanism to set, of those that a broker offers.
#[must_use]
pub fn mechanism_hint(offered: &[String]) -> String {
    offered.first().map_or_else(
        || "set -X sasl.mechanism to one that the broker has".to_owned(),
        |one| format!("set -X sasl.mechanism={one}"),
    )
}
