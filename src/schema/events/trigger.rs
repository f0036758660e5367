//! The triggers of October 2025, flat: each asks one step of the pipeline to work on a dataset or a
//! model. The seed's own `xai.trigger` is in [`super::xai`], today's envelopes in [`super::envelope`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Event, model_key};
use crate::schema::role::Role;

/// `bias-trigger.reported`: examine a dataset for bias.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasTrigger {
    pub event_type: String,
    pub dataset_id: String,
    pub user_id: String,
    #[serde(default)]
    pub target_column_name: Option<String>,
    #[serde(default)]
    pub task_type: Option<String>,
    #[serde(default)]
    pub timestamp: String,
    /// The dataset's record. That generation's worker takes user and dataset from here, and not
    /// from the keys above.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_count: Option<u64>,
    /// With `file_count` only of folders, and only where the sender knows of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_folder: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
}

impl Event for BiasTrigger {
    const EVENT_TYPE: &'static str = "bias-trigger.reported";
    const ROLE: Role = Role::BiasTrigger;

    fn key(&self) -> String {
        self.dataset_id.clone()
    }
}

/// `automl-trigger.reported`: train a model on a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutomlTrigger {
    pub event_type: String,
    pub dataset_id: String,
    pub user_id: String,
    #[serde(default)]
    pub target_column_name: Option<String>,
    #[serde(default)]
    pub task_type: Option<String>,
    /// A number as text: `"10"`. Minutes in the documents of its time, seconds in today's code.
    #[serde(default)]
    pub time_budget: Option<String>,
    #[serde(default)]
    pub timestamp: String,
}

impl Event for AutomlTrigger {
    const EVENT_TYPE: &'static str = "automl-trigger.reported";
    const ROLE: Role = Role::AutomlTrigger;

    fn key(&self) -> String {
        self.dataset_id.clone()
    }
}

/// `xai-trigger.reported`: explain a model, on the topic for triggers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct XaiTriggerRequest {
    pub event_type: String,
    pub user_id: String,
    pub dataset_id: String,
    pub model_id: String,
    #[serde(default)]
    pub version: Option<String>,
    /// `beginner` or `expert`.
    #[serde(default)]
    pub level: Option<String>,
    #[serde(default)]
    pub timestamp: String,
}

impl Event for XaiTriggerRequest {
    const EVENT_TYPE: &'static str = "xai-trigger.reported";
    const ROLE: Role = Role::XaiTrigger;

    fn key(&self) -> String {
        model_key(&self.user_id, &self.model_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again<E: Event + serde::de::DeserializeOwned>(sent: &str) -> (String, String, String) {
        let event: E = serde_json::from_str(sent).unwrap();
        let topic = E::ROLE.topic(crate::schema::role::Dialect::Flat).unwrap();
        (event.to_json().unwrap(), event.key(), topic.to_owned())
    }

    #[test]
    fn a_bias_trigger_carries_the_datasets_record() {
        let sent = r#"{"event_type":"bias-trigger.reported","dataset_id":"d","user_id":"u","target_column_name":"target","task_type":"classification","timestamp":"2025-10-20T10:00:00.000001","metadata":{"dataset_id":"d","user_id":"u","row_count":3},"record_count":3}"#;
        assert_eq!(
            again::<BiasTrigger>(sent),
            (sent.to_owned(), "d".into(), "bias-trigger-events".into())
        );
    }

    #[test]
    fn an_automl_triggers_budget_is_text() {
        let sent = r#"{"event_type":"automl-trigger.reported","dataset_id":"d","user_id":"u","target_column_name":"target","task_type":"classification","time_budget":"10","timestamp":"2025-10-20T10:00:00.000001"}"#;
        assert_eq!(
            again::<AutomlTrigger>(sent),
            (sent.to_owned(), "d".into(), "automl-trigger-events".into())
        );
    }

    #[test]
    fn an_xai_trigger_has_the_models_key() {
        let sent = r#"{"event_type":"xai-trigger.reported","user_id":"u","dataset_id":"d","model_id":"m","version":"v1","level":"beginner","timestamp":"2025-10-20T10:00:00.000001"}"#;
        assert_eq!(
            again::<XaiTriggerRequest>(sent),
            (sent.to_owned(), "u_m".into(), "xai-trigger-events".into())
        );
    }
}
