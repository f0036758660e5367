//! What librdkafka's properties say about the way in: whether there is TLS, with which authorities
//! and certificate of our own, and who logs in with what.

use std::fmt;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode};
use openssl::x509::X509;

use crate::base::file::read_regular;
use crate::kafka::Properties;
use crate::tls::{Authorities, plain_reason, trust_system};

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
        move |errors| Self { property, reason: plain_reason(&errors) }
    }

    /// Of a file that a property names.
    fn of_file(property: &'static str, place: &str) -> impl Fn(ErrorStack) -> Self {
        move |errors| Self { property, reason: format!("{place}: {}", plain_reason(&errors)) }
    }
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
        let login = has_login.then(|| Login::of(properties)).transpose()?;
        Ok(Self { tls, login })
    }
}

impl Login {
    fn of(properties: &Properties) -> Result<Self, BadProperty> {
        check_mechanism(properties)?;
        let text = |name| properties.get(name).unwrap_or_default().to_owned();
        Ok(Self {
            mechanism: mechanism_of(properties).to_owned(),
            user: text("sasl.username"),
            password: text("sasl.password"),
        })
    }
}

/// Returns the mechanism of a login; as in librdkafka, without a word the one that needs a ticket.
fn mechanism_of(properties: &Properties) -> &str {
    properties.get("sasl.mechanism").unwrap_or("GSSAPI")
}

/// Checks everything that properties say about the way in.
///
/// # Errors
/// The first that cannot be used.
pub(in crate::kafka) fn check_security(properties: &Properties) -> Result<(), BadProperty> {
    Security::of(properties).map(drop)
}

/// Refuses what is not a file in place of one. Whether it exists is left to whoever opens it.
///
/// # Errors
/// A property names a FIFO, a socket or a device.
pub(in crate::kafka) fn check_files(properties: &Properties) -> Result<(), BadProperty> {
    const FILES: [&str; 5] = [
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.keystore.location",
        "ssl.crl.location",
    ];
    for property in FILES {
        let Some(place) = properties.get(property) else { continue };
        let Ok(about) = std::fs::metadata(place) else { continue };
        if !about.is_file() && !about.is_dir() {
            let reason = format!("{place} is not a file");
            return Err(BadProperty { property, reason });
        }
    }
    Ok(())
}

/// Refuses a login by user and password that lacks one of them.
///
/// # Errors
/// The property that is not set.
pub(in crate::kafka) fn check_credentials(properties: &Properties) -> Result<(), BadProperty> {
    let mechanism = mechanism_of(properties);
    let is_set = |name: &&str| properties.get(name).is_some_and(|value| !value.is_empty());
    let lacking = ["sasl.username", "sasl.password"].into_iter().find(|name| !is_set(name));
    match lacking.filter(|_| mechanism == "PLAIN" || mechanism.starts_with("SCRAM-")) {
        Some(property) => {
            let reason = format!("{mechanism} needs it, and it is not set");
            Err(BadProperty { property, reason })
        }
        None => Ok(()),
    }
}

/// Refuses a mechanism that this program cannot use, or that lacks what it needs. The client library
/// waits in silence for a token that nobody gives it.
pub(in crate::kafka) fn check_mechanism(properties: &Properties) -> Result<(), BadProperty> {
    const MECHANISM: &str = "sasl.mechanism";
    let refuse = |property, reason: String| Err(BadProperty { property, reason });
    // The client library knows the names in capitals only.
    let mechanism = mechanism_of(properties);
    let lacks = |name| properties.get(name).is_none_or(str::is_empty);
    match mechanism {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => Ok(()),
        "OAUTHBEARER" if properties.get("sasl.oauthbearer.method") == Some("oidc") => {
            refuse("sasl.oauthbearer.method", "this build cannot fetch tokens (oidc)".to_owned())
        }
        "OAUTHBEARER" => match properties.get("enable.sasl.oauthbearer.unsecure.jwt") {
            Some("true") => Ok(()),
            _ => refuse(
                MECHANISM,
                "OAUTHBEARER has no source of tokens here: only unsecured ones can be made \
                 (enable.sasl.oauthbearer.unsecure.jwt=true)"
                    .to_owned(),
            ),
        },
        "GSSAPI" => {
            let set = if lacks(MECHANISM) { "is not set, and the default, " } else { "" };
            let reason = format!(
                "{set}GSSAPI (Kerberos){} is not in this build; use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
                if set.is_empty() { "" } else { "," }
            );
            refuse(MECHANISM, reason)
        }
        other => refuse(
            MECHANISM,
            format!("{other:?} is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"),
        ),
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

/// Whose signatures are trusted.
fn trust(builder: &mut SslConnectorBuilder, properties: &Properties) -> Result<(), BadProperty> {
    const LOCATION: &str = "ssl.ca.location";
    const PEM: &str = "ssl.ca.pem";
    if let Some(pem) = properties.get(PEM) {
        let found = X509::stack_from_pem(pem.as_bytes()).map_err(BadProperty::of(PEM))?;
        if found.is_empty() {
            let reason = "it holds no certificates in PEM form".to_owned();
            return Err(BadProperty { property: PEM, reason });
        }
        return trust_each(builder, found).map_err(BadProperty::of(PEM));
    }
    let set = properties.get(LOCATION).filter(|place| *place != "probe");
    let named = set.map(|place| Authorities::new(place, LOCATION));
    match named.as_ref().or(properties.authorities()) {
        None => trust_system(builder).map_err(BadProperty::of(LOCATION)),
        Some(authorities) => {
            let found = authorities
                .read()
                .map_err(|error| BadProperty { property: LOCATION, reason: with_cause(&error) })?;
            trust_each(builder, found).map_err(BadProperty::of(LOCATION))
        }
    }
}

fn trust_each(builder: &mut SslConnectorBuilder, found: Vec<X509>) -> Result<(), ErrorStack> {
    found.into_iter().try_for_each(|authority| builder.cert_store_mut().add_cert(authority))
}

fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
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
        let parsed = parsed.map_err(BadProperty::of_file(STORE, place))?;
        if let (Some(certificate), Some(key)) = (parsed.cert, parsed.pkey) {
            builder.set_certificate(&certificate).map_err(BadProperty::of(STORE))?;
            builder.set_private_key(&key).map_err(BadProperty::of(STORE))?;
        }
    }
    if let Some(place) = properties.get(CHAIN) {
        // OpenSSL has no word for a file that does not exist, and waits for a FIFO.
        let pem = read(CHAIN, place)?;
        X509::from_pem(&pem).map_err(BadProperty::of_file(CHAIN, place))?;
        let used = builder.set_certificate_chain_file(place);
        used.map_err(BadProperty::of_file(CHAIN, place))?;
    }
    if let Some(pem) = properties.get(CHAIN_PEM) {
        let certificate = X509::from_pem(pem.as_bytes()).map_err(BadProperty::of(CHAIN_PEM))?;
        builder.set_certificate(&certificate).map_err(BadProperty::of(CHAIN_PEM))?;
    }
    let (property, place, pem) = match (properties.get(KEY), properties.get(KEY_PEM)) {
        (Some(place), _) => (KEY, place, read(KEY, place)?),
        (None, Some(pem)) => (KEY_PEM, "the key", pem.as_bytes().to_vec()),
        (None, None) => return Ok(()),
    };
    let password = properties.get("ssl.key.password");
    let key = private_key(&pem, password).map_err(|errors| BadProperty {
        property,
        reason: match password {
            None if is_encrypted(&pem) => {
                format!("{place} is encrypted, and ssl.key.password is not set")
            }
            _ => format!("{place}: {}", plain_reason(&errors)),
        },
    })?;
    builder.set_private_key(&key).map_err(BadProperty::of_file(property, place))
}

fn private_key(pem: &[u8], password: Option<&str>) -> Result<PKey<Private>, ErrorStack> {
    // With no password at hand OpenSSL would ask for one on the terminal.
    PKey::private_key_from_pem_passphrase(pem, password.unwrap_or_default().as_bytes())
}

/// Whether a key in PEM form says that it is encrypted, in either of its two forms.
fn is_encrypted(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    text.contains("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn read(property: &'static str, place: &str) -> Result<Vec<u8>, BadProperty> {
    read_regular(Path::new(place))
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
            let security = of(&[
                ("security.protocol", protocol),
                ("sasl.mechanism", "PLAIN"),
                ("sasl.username", "u"),
                ("sasl.password", "p"),
            ])
            .unwrap();
            assert_eq!((security.tls.is_some(), security.login.is_some()), (has_tls, has_login));
        }
        let refused = of(&[("security.protocol", "tls")]).map(drop).unwrap_err();
        assert!(refused.to_string().contains("security.protocol: \"tls\""), "{refused}");
    }

    #[test]
    fn a_mechanism_that_cannot_work_is_refused_with_what_it_lacks() {
        for (pairs, lack) in [
            (&[][..], "GSSAPI"),
            (&[("sasl.mechanism", "GSSAPI")], "not in this build"),
            (&[("sasl.mechanism", "OAUTHBEARER")], "no source of tokens"),
            (
                &[("sasl.mechanism", "OAUTHBEARER"), ("sasl.oauthbearer.method", "oidc")],
                "cannot fetch tokens",
            ),
            (&[("sasl.mechanism", "plain")], "none of PLAIN"),
            (&[("sasl.mechanism", "SCRAM-SHA-1")], "none of PLAIN"),
        ] {
            for protocol in ["sasl_plaintext", "SASL_SSL"] {
                let all = [&[("security.protocol", protocol)], pairs].concat();
                let refused = of(&all).map(drop).unwrap_err().to_string();
                assert!(refused.contains(lack), "{pairs:?}: {refused}");
            }
        }
        let unsecured = [
            ("security.protocol", "sasl_ssl"),
            ("sasl.mechanism", "OAUTHBEARER"),
            ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ];
        assert!(of(&unsecured).is_ok());
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
