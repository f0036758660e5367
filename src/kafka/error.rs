//! What can go wrong with Kafka, in words that name the cause.

use rdkafka::error::RDKafkaErrorCode;

use super::Verdict;
use crate::base::{Classify, Hint, Kind};

/// A call to Kafka that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// The client cannot be made: a property is unknown or has a value that it cannot have.
    #[error("failed to make a Kafka client: {reason}")]
    Config { reason: String },
    /// The brokers cannot be used, and this is why.
    #[error("{}", verdict.summary())]
    Unusable { verdict: Box<Verdict> },
    #[error("there is no topic {topic:?} on {brokers}")]
    UnknownTopic { topic: String, brokers: String, near: Vec<String>, is_embedded: bool },
    #[error("there is no consumer group {group:?} on {brokers}")]
    UnknownGroup { group: String, brokers: String, near: Vec<String> },
    #[error("topic {topic:?} has no partition {partition}: it has {count}")]
    UnknownPartition { topic: String, partition: i32, count: usize },
    /// The embedded broker has no such thing.
    #[error("failed to {action}: the broker embedded in dwctl serve cannot do that")]
    Embedded { action: String, hint: &'static str },
    /// The broker refused a record or a question for want of permission.
    #[error("failed to {action}: {reason}")]
    Denied { action: String, reason: String },
    #[error("failed to send to {topic:?}: {reason}")]
    Refused { topic: String, reason: String, advice: Option<&'static str> },
    #[error("failed to {action} before the deadline")]
    Deadline { action: String },
    /// The library's own words for what has no better ones.
    #[error("failed to {action}: {reason}")]
    Library { action: String, reason: String, code: Option<RDKafkaErrorCode> },
}

impl KafkaError {
    /// A record or topic that was refused, without advice.
    pub(super) fn refused(topic: &str, reason: impl Into<String>) -> Self {
        Self::Refused { topic: topic.to_owned(), reason: reason.into(), advice: None }
    }

    /// Whether the client sends nothing more after it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            KafkaError::Denied { .. } | KafkaError::UnknownTopic { .. } => true,
            KafkaError::Library { code, .. } => *code == Some(RDKafkaErrorCode::Fatal),
            _ => false,
        }
    }

    /// An error of the library under the words for what was being done.
    pub(super) fn library(action: &str, error: &rdkafka::error::KafkaError) -> Self {
        let code = error.rdkafka_error_code();
        let reason = code.map_or_else(|| error.to_string(), words);
        match code {
            Some(code) if is_denial(code) => Self::Denied { action: action.to_owned(), reason },
            _ => Self::Library { action: action.to_owned(), reason, code },
        }
    }
}

/// A code in the library's words, without its prefixes.
pub(super) fn words(code: RDKafkaErrorCode) -> String {
    let text = rdkafka::error::KafkaError::Global(code).to_string();
    let inner = text
        .split_once('(')
        .and_then(|(_, rest)| rest.rsplit_once(')'))
        .map_or(text.as_str(), |(words, _)| words);
    inner.trim_start_matches("Broker: ").trim_start_matches("Local: ").to_lowercase()
}

pub(super) fn is_denial(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::Authentication
    )
}

impl Classify for KafkaError {
    fn kind(&self) -> Kind {
        match self {
            KafkaError::Config { .. } | KafkaError::Embedded { .. } => Kind::Usage,
            KafkaError::Unusable { verdict } => verdict.kind(),
            KafkaError::UnknownTopic { .. }
            | KafkaError::UnknownGroup { .. }
            | KafkaError::UnknownPartition { .. } => Kind::NotFound,
            KafkaError::Denied { .. } => Kind::Denied,
            KafkaError::Refused { .. } => Kind::Rejected,
            KafkaError::Deadline { .. } => Kind::Deadline,
            KafkaError::Library { .. } => Kind::Unreachable,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            KafkaError::Unusable { verdict } => verdict.hints().to_vec(),
            KafkaError::UnknownTopic { near, is_embedded: true, .. } if near.is_empty() => vec![
                Hint::command("list the topics that exist", "dwctl topics"),
                Hint::new(
                    "the broker embedded in dwctl serve makes no topics by command; a real Kafka does: dwctl serve --brokers HOST:PORT",
                ),
            ],
            KafkaError::UnknownTopic { near, .. } if near.is_empty() => {
                vec![
                    Hint::command("list the topics that exist", "dwctl topics"),
                    Hint::command("create a topic", "dwctl topics NAME --create"),
                ]
            }
            KafkaError::UnknownGroup { near, .. } if near.is_empty() => {
                vec![Hint::new("a group is there once it has joined or committed a position")]
            }
            KafkaError::UnknownTopic { near, .. } | KafkaError::UnknownGroup { near, .. } => {
                vec![Hint::new(format!("did you mean {}?", near.join(" or ")))]
            }
            KafkaError::Config { .. } => vec![Hint::new(
                "properties come from -X and from the table [kafka] of the settings file: dwctl config show --origin",
            )],
            KafkaError::Embedded { hint, .. } => vec![Hint::new(*hint)],
            KafkaError::Refused { advice, .. } => advice.iter().copied().map(Hint::new).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_put_into_plain_words() {
        assert_eq!(words(RDKafkaErrorCode::UnknownTopicOrPartition), "unknown topic or partition");
        assert_eq!(words(RDKafkaErrorCode::MessageTimedOut), "message timed out");
    }
}
