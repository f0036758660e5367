//! TLS as both clients meet it: whose signatures are trusted, what is wrong with a certificate, and
//! plain words for OpenSSL's errors. The sentences are made here once, for the API and for Kafka.

mod authorities;
mod certificate;
mod words;

pub use authorities::{Authorities, AuthoritiesError, trust_system};
pub use certificate::{Certificate, CertificateFault, inspect_certificate};
pub use words::{plain_reason, without_codes};
