//! `model.updated` and `model.deleted`, which the service's plans list and `serve` sends in its
//! combined dialect: on a topic of their own, under the model's key. They complete no step.

use serde::{Deserialize, Serialize};

use super::{Event, model_key};
use crate::schema::json;
use crate::schema::role::Role;

/// The flat form of both; `changed` stands in updates only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelChanged {
    pub event_type: String,
    pub event_id: String,
    pub timestamp: String,
    pub user_id: String,
    pub model_id: String,
    pub version: String,
    #[serde(default)]
    pub dataset_id: Option<String>,
    /// The names of the fields that an update set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
}

impl ModelChanged {
    pub const UPDATED: &'static str = "model.updated";
    pub const DELETED: &'static str = "model.deleted";

    /// Whether a record's value is one of both. Most values are told by one look for their words.
    #[must_use]
    pub fn is_one(value: &[u8]) -> bool {
        let has = |word: &str| memchr::memmem::find(value, word.as_bytes()).is_some();
        (has(Self::UPDATED) || has(Self::DELETED))
            && json::find(value, &["event_type"]).is_some_and(|raw| {
                [&br#""model.updated""#[..], br#""model.deleted""#].contains(&raw)
            })
    }
}

impl Event for ModelChanged {
    const EVENT_TYPE: &'static str = ModelChanged::UPDATED;
    const ROLE: Role = Role::Model;

    fn key(&self) -> String {
        model_key(&self.user_id, &self.model_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_type_of_an_event_makes_it_one() {
        for (value, is_one) in [
            (r#"{"event_type":"model.updated"}"#, true),
            (r#"{ "model_id" : "m", "event_type" : "model.deleted" }"#, true),
            (r#"{"event_type":"model.uploaded","model_id":"model.deleted"}"#, false),
            (r#"{"output":{"event_type":"model.deleted"},"event_type":"automl-complete"}"#, false),
            ("model.deleted", false),
            ("", false),
        ] {
            assert_eq!(ModelChanged::is_one(value.as_bytes()), is_one, "{value}");
        }
    }
}
