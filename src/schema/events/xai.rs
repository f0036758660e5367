//! The XAI step's flat events: `xai.trigger`, which asks for an explanation, and `xai.reported`,
//! which says that one is stored. Both travel on `xai-events`, so that only `event_type` tells
//! them apart.

use serde::{Deserialize, Serialize};

use super::{Event, model_key};
use crate::schema::role::Role;

/// `xai.trigger`, the ten fields of the seed text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct XaiTrigger {
    pub event_type: String,
    /// `xai_trigger_MODEL_SECONDS`.
    #[serde(default)]
    pub event_id: String,
    #[serde(default)]
    pub timestamp: String,
    pub user_id: String,
    pub model_id: String,
    pub dataset_id: String,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub framework: Option<String>,
    #[serde(default)]
    pub model_type: Option<String>,
    /// The `event_type` that caused it: `model.uploaded`.
    #[serde(default)]
    pub source_event: Option<String>,
}

impl Event for XaiTrigger {
    const EVENT_TYPE: &'static str = "xai.trigger";
    const ROLE: Role = Role::Xai;

    fn key(&self) -> String {
        model_key(&self.user_id, &self.model_id)
    }
}

/// `xai.reported`, as the service of October 2025 sent it; its `xai_report_id` was always null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct XaiReported {
    pub event_type: String,
    #[serde(default)]
    pub event_id: String,
    #[serde(default)]
    pub timestamp: String,
    pub user_id: String,
    pub dataset_id: String,
    pub model_id: String,
    #[serde(default)]
    pub report_type: Option<String>,
    #[serde(default)]
    pub level: Option<String>,
    #[serde(default)]
    pub xai_report_id: Option<String>,
}

impl Event for XaiReported {
    const EVENT_TYPE: &'static str = "xai.reported";
    const ROLE: Role = Role::Xai;

    fn key(&self) -> String {
        model_key(&self.user_id, &self.model_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_trigger_has_its_ten_fields_in_order() {
        let seed = r#"{"event_type":"xai.trigger","event_id":"xai_trigger_m_1","timestamp":"2025-10-10T12:00:00.000001","user_id":"u","model_id":"m","dataset_id":"d","version":"v1","framework":"pytorch","model_type":"classification","source_event":"model.uploaded"}"#;
        let event: XaiTrigger = serde_json::from_str(seed).unwrap();
        assert_eq!(event.to_json().unwrap(), seed);
        assert_eq!(event.key(), "u_m");
    }
}
