//! The table of settings: key, flag, environment variables, what it is. `config`, the help of the
//! manual and the warnings about unknown keys are made from it.

use crate::base::redact::{redact_address, redact_text};
use crate::schema::role::Role;

/// A setting that has a place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    ApiUrl,
    ApiCa,
    Brokers,
    UserId,
    Dialect,
    Timeout,
    Output,
    Color,
    NoInput,
    DataDir,
    ConsumerGroup,
    Topic(Role),
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct KeyRow {
    pub key: Key,
    /// As it stands in a file; topics stand in the table `[topics]`.
    pub name: &'static str,
    pub flag: Option<&'static str>,
    /// Read in this order; the first that is set and not empty wins.
    pub variables: &'static [&'static str],
    pub doc: &'static str,
}

const fn row(
    key: Key,
    name: &'static str,
    flag: Option<&'static str>,
    variables: &'static [&'static str],
    doc: &'static str,
) -> KeyRow {
    KeyRow { key, name, flag, variables, doc }
}

const fn topic(role: Role, name: &'static str, variables: &'static [&'static str]) -> KeyRow {
    row(
        Key::Topic(role),
        name,
        None,
        variables,
        "The topic of this role, in place of its default names",
    )
}

/// Every setting, in the order in which `config show` lists them.
pub const KEYS: &[KeyRow] = &[
    row(
        Key::ApiUrl,
        "api-url",
        Some("--api-url"),
        &["DWCTL_API_URL", "API_BASE"],
        "Base address of the warehouse API",
    ),
    row(
        Key::ApiCa,
        "api-ca",
        Some("--cacert"),
        &["DWCTL_API_CA"],
        "File of the authorities that an https:// API is checked against",
    ),
    row(
        Key::Brokers,
        "brokers",
        Some("--brokers"),
        &["DWCTL_BROKERS", "KAFKA_BOOTSTRAP_SERVERS"],
        "Kafka bootstrap servers, HOST:PORT with commas between",
    ),
    row(
        Key::UserId,
        "user-id",
        Some("--user-id"),
        &["DWCTL_USER_ID"],
        "The owner of models and datasets",
    ),
    row(
        Key::Dialect,
        "dialect",
        Some("--dialect"),
        &["DWCTL_DIALECT"],
        "Generation of the API: auto, form, flat or task",
    ),
    row(
        Key::Timeout,
        "timeout",
        Some("--timeout"),
        &["DWCTL_TIMEOUT"],
        "Bound on a whole command, such as 30s",
    ),
    row(
        Key::Output,
        "output",
        Some("--output"),
        &["DWCTL_OUTPUT"],
        "Form of the data on standard output: text or json",
    ),
    row(Key::Color, "color", Some("--color"), &["DWCTL_COLOR"], "Colour: auto, always or never"),
    row(
        Key::NoInput,
        "no-input",
        Some("--no-input"),
        &["DWCTL_NO_INPUT"],
        "Never ask a question: true or false",
    ),
    row(
        Key::DataDir,
        "data-dir",
        Some("--data-dir"),
        &["DWCTL_DATA_DIR"],
        "Folder in which serve keeps models and its database",
    ),
    row(
        Key::ConsumerGroup,
        "consumer-group",
        Some("--group"),
        &["DWCTL_CONSUMER_GROUP", "KAFKA_CONSUMER_GROUP"],
        "Consumer group of forward and worker; nothing else reads it",
    ),
    topic(Role::Automl, "automl", &["KAFKA_AUTOML_TOPIC"]),
    topic(Role::Bias, "bias", &["KAFKA_BIAS_TOPIC"]),
    topic(Role::Xai, "xai", &["KAFKA_XAI_TOPIC"]),
    topic(Role::Dataset, "dataset", &["KAFKA_DATASET_TOPIC"]),
    topic(Role::Drift, "drift", &["KAFKA_CONCEPT_DRIFT_TOPIC"]),
    topic(Role::BiasTrigger, "bias-trigger", &["KAFKA_BIAS_TRIGGER_TOPIC"]),
    topic(Role::AutomlTrigger, "automl-trigger", &["KAFKA_AUTOML_TRIGGER_TOPIC"]),
    topic(Role::XaiTrigger, "xai-trigger", &["KAFKA_XAI_TRIGGER_TOPIC"]),
    topic(Role::DriftTrigger, "drift-trigger", &["KAFKA_CONCEPT_DRIFT_TRIGGER_TOPIC"]),
    topic(Role::Model, "model", &[]),
];

impl Key {
    /// The key's line in the table.
    #[must_use]
    pub fn row(self) -> &'static KeyRow {
        // The table holds every key; a test sees to it.
        KEYS.iter().find(|row| row.key == self).unwrap_or(&KEYS[0])
    }

    /// Whether the value decides only about form and time. Everything else redirects data, requests or
    /// credentials, or chooses whose data they are.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        matches!(self, Key::Dialect | Key::Timeout | Key::Output | Key::Color | Key::NoInput)
    }

    /// Returns a value of this setting as it may be shown.
    #[must_use]
    pub fn redact(self, value: &str) -> String {
        match self {
            Key::ApiUrl | Key::Brokers => redact_address(value),
            _ => redact_text(value).into_owned(),
        }
    }

    /// Returns a sentence about a value of this setting as it may be shown: it may quote the value.
    #[must_use]
    pub fn redact_within(self, sentence: &str, value: &str) -> String {
        let shown = self.redact(value);
        if shown == value {
            return sentence.to_owned();
        }
        sentence.replace(value, &shown).replace(&value.escape_debug().to_string(), &shown)
    }

    /// The name with its table: `topics.automl`, `api-url`.
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Key::Topic(_) => format!("topics.{}", self.row().name),
            _ => self.row().name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_line_and_every_variable_one_key() {
        for row in KEYS {
            assert_eq!(row.key.row().name, row.name);
        }
        for role in Role::ALL {
            assert_eq!(Key::Topic(role).row().name, role.name());
        }
        let mut variables: Vec<_> = KEYS.iter().flat_map(|row| row.variables).collect();
        let count = variables.len();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!(variables.len(), count);
    }
}
