//! What librdkafka's properties say about the way in: whether there is TLS, with which authorities
//! and certificate of our own, and who logs in with what.

use std::fmt;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode};
use openssl::x509::X509;

use crate::kafka::Properties;

/// The way in, as the properties want it.
pub(super) struct Security {
    pub tls: Option<Tls>,
    pub login: Option<Login>,
}

/// TLS towards a broker. Certificates are judged after the handshake, so that the fault can be
/// named: the handshake itself accepts any.
pub(super) struct Tls {
    pub connector: SslConnector,
    /// Whether a broker's certificate must be one that is trusted.
    pub is_verified: bool,
    /// Whether it must be made out for the broker's name.
    pub is_named: bool,
}

/// Who logs in.
#[derive(Clone)]
pub(super) struct Login {
    pub mechanism: String,
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// A property that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property}: {reason}")]
pub struct BadProperty {
    pub property: &'static str,
    pub reason: String,
}

impl BadProperty {
    fn of(property: &'static str) -> impl Fn(ErrorStack) -> Self {
        move |errors| Self { property, reason: first_words(&errors) }
    }
}

/// The first of OpenSSL's errors without its codes.
pub(super) fn first_words(errors: &ErrorStack) -> String {
    errors
        .errors()
        .first()
        .and_then(openssl::error::Error::reason)
        .map_or_else(|| errors.to_string(), str::to_owned)
}

impl Security {
    /// Reads them.
    ///
    /// # Errors
    /// A file that one of them names cannot be used, or a value is unknown.
    pub fn of(properties: &Properties) -> Result<Self, BadProperty> {
        let protocol = properties.get("security.protocol").unwrap_or("plaintext");
        let (has_login, has_tls) = match protocol.to_ascii_lowercase().as_str() {
            "plaintext" => (false, false),
            "ssl" => (false, true),
            "sasl_plaintext" => (true, false),
            "sasl_ssl" => (true, true),
            _ => {
                let reason =
                    format!("{protocol:?} is none of plaintext, ssl, sasl_plaintext, sasl_ssl");
                return Err(BadProperty { property: "security.protocol", reason });
            }
        };
        let tls = has_tls.then(|| Tls::of(properties)).transpose()?;
        Ok(Self { tls, login: has_login.then(|| Login::of(properties)) })
    }
}

impl Login {
    fn of(properties: &Properties) -> Self {
        let text = |name| properties.get(name).unwrap_or_default().to_owned();
        Self {
            // As librdkafka: without a word, the mechanism that needs a ticket.
            mechanism: properties.get("sasl.mechanism").unwrap_or("GSSAPI").to_owned(),
            user: text("sasl.username"),
            password: text("sasl.password"),
        }
    }
}

impl Tls {
    fn of(properties: &Properties) -> Result<Self, BadProperty> {
        let mut builder = SslConnector::builder(SslMethod::tls())
            .map_err(BadProperty::of("security.protocol"))?;
        builder.set_verify(SslVerifyMode::NONE);
        trust(&mut builder, properties)?;
        identify(&mut builder, properties)?;
        let is = |property, default: &str, no: &str| {
            !properties.get(property).unwrap_or(default).eq_ignore_ascii_case(no)
        };
        Ok(Self {
            connector: builder.build(),
            is_verified: is("enable.ssl.certificate.verification", "true", "false"),
            is_named: is("ssl.endpoint.identification.algorithm", "https", "none"),
        })
    }
}

/// Whose signatures are believed.
fn trust(builder: &mut SslConnectorBuilder, properties: &Properties) -> Result<(), BadProperty> {
    const LOCATION: &str = "ssl.ca.location";
    const PEM: &str = "ssl.ca.pem";
    if let Some(pem) = properties.get(PEM) {
        let found = X509::stack_from_pem(pem.as_bytes()).map_err(BadProperty::of(PEM))?;
        for authority in found {
            builder.cert_store_mut().add_cert(authority).map_err(BadProperty::of(PEM))?;
        }
        return Ok(());
    }
    match properties.get(LOCATION).filter(|place| *place != "probe") {
        Some(place) => {
            let path = Path::new(place);
            // OpenSSL has no word for a file that is not there.
            let about = std::fs::metadata(path).map_err(|error| BadProperty {
                property: LOCATION,
                reason: format!("{place}: {error}"),
            })?;
            let (file, folder) =
                if about.is_dir() { (None, Some(path)) } else { (Some(path), None) };
            builder.load_verify_locations(file, folder).map_err(|errors| BadProperty {
                property: LOCATION,
                reason: format!("{place} holds no certificates ({})", first_words(&errors)),
            })
        }
        // The OpenSSL that is built in knows no certificates of the system by itself.
        None => {
            let found = openssl_probe::probe();
            if found.cert_file.is_some() || !found.cert_dir.is_empty() {
                let folder = found.cert_dir.first().map(|folder| &**folder);
                builder
                    .load_verify_locations(found.cert_file.as_deref(), folder)
                    .map_err(BadProperty::of(LOCATION))?;
            }
            Ok(())
        }
    }
}

/// A certificate of our own, where one is set.
fn identify(builder: &mut SslConnectorBuilder, properties: &Properties) -> Result<(), BadProperty> {
    const CHAIN: &str = "ssl.certificate.location";
    const CHAIN_PEM: &str = "ssl.certificate.pem";
    const KEY: &str = "ssl.key.location";
    const KEY_PEM: &str = "ssl.key.pem";
    const STORE: &str = "ssl.keystore.location";
    if let Some(place) = properties.get(STORE) {
        let password = properties.get("ssl.keystore.password").unwrap_or_default();
        let bytes = read(STORE, place)?;
        let parsed = Pkcs12::from_der(&bytes).and_then(|store| store.parse2(password));
        let parsed = parsed.map_err(BadProperty::of(STORE))?;
        if let (Some(certificate), Some(key)) = (parsed.cert, parsed.pkey) {
            builder.set_certificate(&certificate).map_err(BadProperty::of(STORE))?;
            builder.set_private_key(&key).map_err(BadProperty::of(STORE))?;
        }
    }
    if let Some(place) = properties.get(CHAIN) {
        builder.set_certificate_chain_file(place).map_err(|errors| BadProperty {
            property: CHAIN,
            reason: format!("{place}: {}", first_words(&errors)),
        })?;
    }
    if let Some(pem) = properties.get(CHAIN_PEM) {
        let certificate = X509::from_pem(pem.as_bytes()).map_err(BadProperty::of(CHAIN_PEM))?;
        builder.set_certificate(&certificate).map_err(BadProperty::of(CHAIN_PEM))?;
    }
    let key = match (properties.get(KEY), properties.get(KEY_PEM)) {
        (Some(place), _) => Some((KEY, read(KEY, place)?)),
        (None, Some(pem)) => Some((KEY_PEM, pem.as_bytes().to_vec())),
        (None, None) => None,
    };
    let Some((property, pem)) = key else { return Ok(()) };
    let key = private_key(&pem, properties.get("ssl.key.password"));
    let key = key.map_err(BadProperty::of(property))?;
    builder.set_private_key(&key).map_err(BadProperty::of(property))
}

fn private_key(pem: &[u8], password: Option<&str>) -> Result<PKey<Private>, ErrorStack> {
    // With no password at hand OpenSSL would ask for one on the terminal.
    PKey::private_key_from_pem_passphrase(pem, password.unwrap_or_default().as_bytes())
}

fn read(property: &'static str, place: &str) -> Result<Vec<u8>, BadProperty> {
    std::fs::read(place)
        .map_err(|error| BadProperty { property, reason: format!("{place}: {error}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Security, BadProperty> {
        let none = Properties::new("a:1");
        Security::of(&pairs.iter().fold(none, |all, (name, value)| all.set(name, value)))
    }

    #[test]
    fn the_protocol_decides_what_is_on_the_way() {
        for (protocol, has_tls, has_login) in [
            ("plaintext", false, false),
            ("SSL", true, false),
            ("sasl_plaintext", false, true),
            ("SASL_SSL", true, true),
        ] {
            let security = of(&[("security.protocol", protocol)]).unwrap();
            assert_eq!((security.tls.is_some(), security.login.is_some()), (has_tls, has_login));
        }
        let refused = of(&[("security.protocol", "tls")]).map(drop).unwrap_err();
        assert!(refused.to_string().contains("security.protocol: \"tls\""), "{refused}");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing").unwrap();
        let empty = empty.to_str().unwrap();
        for (property, place) in [
            ("ssl.ca.location", "/nowhere/ca.pem"),
            ("ssl.ca.location", empty),
            ("ssl.certificate.location", empty),
            ("ssl.key.location", "/nowhere/key.pem"),
            ("ssl.keystore.location", empty),
        ] {
            let refused = of(&[("security.protocol", "ssl"), (property, place)]).map(drop);
            let refused = refused.unwrap_err();
            assert_eq!(refused.property, property);
            assert!(!refused.reason.is_empty());
        }
    }
}
