//! Making clients of the library: one way in for every kind, so that a property that cannot be used is
//! named in the same words everywhere.

use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError as LibraryError;

use super::wire::{check_credentials, check_files, check_mechanism, check_security};
use super::{KafkaError, Properties};
use crate::base::redact::redact_property;
use crate::tls::without_codes;

/// Makes a client with properties of its purpose; nothing is connected yet.
///
/// # Errors
/// A property is unknown, cannot have its value, or names a file that cannot be used.
pub(super) fn create_client<C: ClientContext, T: FromClientConfigAndContext<C>>(
    properties: &Properties,
    purpose: &[(&str, &str)],
    context: C,
) -> Result<T, KafkaError> {
    let unusable = |reason: String| KafkaError::Config { reason };
    if properties.uses_login() {
        check_mechanism(properties)
            .and_then(|()| check_credentials(properties))
            .map_err(|bad| unusable(bad.to_string()))?;
    }
    if properties.uses_tls() {
        // The library would wait for a FIFO.
        check_files(properties).map_err(|bad| unusable(bad.to_string()))?;
    }
    let created = properties.config(purpose).create_with_context(context);
    created.map_err(|error| match check_security(properties) {
        Err(bad) => unusable(bad.to_string()),
        Ok(()) => unusable(config_words(&error, properties)),
    })
}

/// Returns why a client cannot be made, without the wrapper's prefixes, OpenSSL's codes and secrets.
fn config_words(error: &LibraryError, properties: &Properties) -> String {
    let secrets = properties.secrets();
    match error {
        LibraryError::ClientConfig(_, reason, key, value) => {
            let shown = redact_property(key, value);
            format!("{key}={shown}: {}", secrets.redact(reason))
        }
        LibraryError::ClientCreation(reason) => without_codes(&secrets.redact(reason)),
        other => without_codes(&secrets.redact(&other.to_string())),
    }
}
