//! Whose signatures are trusted: a file or folder of certificates that a user names, else those of
//! the system.

use std::io;
use std::path::{Path, PathBuf};

use openssl::error::ErrorStack;
use openssl::ssl::SslConnectorBuilder;
use openssl::x509::X509;

use super::words::plain_reason;
use crate::base::file::read_regular;
use crate::base::{Classify, Hint, Kind};

/// A file of certificates in PEM form, or a folder of such files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
    path: PathBuf,
    /// What named it, such as `--cacert`.
    origin: String,
}

/// Authorities that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    #[error("failed to read the authorities in {} ({origin})", path.display())]
    Unreadable {
        path: PathBuf,
        origin: String,
        #[source]
        cause: io::Error,
    },
    #[error("{} ({origin}) holds no certificates in PEM form", path.display())]
    Empty { path: PathBuf, origin: String },
    #[error("{} ({origin}) cannot be used: {reason}", path.display())]
    Malformed { path: PathBuf, origin: String, reason: String },
}

impl Classify for AuthoritiesError {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hints(&self) -> Vec<Hint> {
        vec![Hint::new("name a file of certificates that begin with -----BEGIN CERTIFICATE-----")]
    }
}

impl Authorities {
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, origin: impl Into<String>) -> Self {
        Self { path: path.into(), origin: origin.into() }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the certificates.
    ///
    /// # Errors
    /// The file or folder is missing or unreadable, or holds no certificate.
    pub fn read(&self) -> Result<Vec<X509>, AuthoritiesError> {
        let unreadable = |cause| AuthoritiesError::Unreadable {
            path: self.path.clone(),
            origin: self.origin.clone(),
            cause,
        };
        let found = if self.path.is_dir() {
            self.read_folder().map_err(unreadable)?
        } else {
            self.parse(&read_regular(&self.path).map_err(unreadable)?)?
        };
        if found.is_empty() {
            let (path, origin) = (self.path.clone(), self.origin.clone());
            return Err(AuthoritiesError::Empty { path, origin });
        }
        Ok(found)
    }

    fn parse(&self, pem: &[u8]) -> Result<Vec<X509>, AuthoritiesError> {
        X509::stack_from_pem(pem).map_err(|errors| AuthoritiesError::Malformed {
            path: self.path.clone(),
            origin: self.origin.clone(),
            reason: plain_reason(&errors),
        })
    }

    /// Returns the certificates of every file in a folder; such folders hold other files too.
    fn read_folder(&self) -> io::Result<Vec<X509>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let pem = read_regular(&entry?.path()).unwrap_or_default();
            found.extend(X509::stack_from_pem(&pem).unwrap_or_default());
        }
        Ok(found)
    }
}

/// Trusts the authorities of the system. The OpenSSL that is built in does not know where they are.
///
/// # Errors
/// The file of the system cannot be read.
pub fn trust_system(builder: &mut SslConnectorBuilder) -> Result<(), ErrorStack> {
    let found = openssl_probe::probe();
    if found.cert_file.is_none() && found.cert_dir.is_empty() {
        return Ok(());
    }
    let folder = found.cert_dir.first().map(|folder| &**folder);
    builder.load_verify_locations(found.cert_file.as_deref(), folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_certificate_is_named_with_its_path_and_its_origin() {
        let folder = tempfile::tempdir().unwrap();
        let garbage = folder.path().join("garbage.pem");
        std::fs::write(&garbage, "nothing").unwrap();
        let damaged = folder.path().join("damaged.pem");
        std::fs::write(&damaged, "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n")
            .unwrap();
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        for path in [&folder.path().join("missing"), &garbage, &damaged, &empty] {
            let error = Authorities::new(path, "--cacert").read().unwrap_err();
            let told = error.to_string();
            assert!(told.contains(path.to_str().unwrap()) && told.contains("--cacert"), "{told}");
            assert!(!told.contains("routines"), "{told}");
            assert_eq!(error.kind(), Kind::Usage);
        }
    }
}
