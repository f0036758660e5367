//! `bias.reported`: a bias report is stored.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::schema::role::Role;

/// The flat form with the two fields that the seed text added, `target_column_name` and `task_type`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasReported {
    pub event_type: String,
    pub dataset_id: String,
    pub user_id: String,
    #[serde(default)]
    pub bias_report_id: Option<String>,
    #[serde(default)]
    pub has_transformation_report: bool,
    #[serde(default)]
    pub target_column_name: Option<String>,
    #[serde(default)]
    pub task_type: Option<String>,
    /// Whether the dataset is a folder, as the sender of the report said. With `file_count` since
    /// the end of October 2025.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_folder: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
    #[serde(default)]
    pub timestamp: String,
}

impl Event for BiasReported {
    const EVENT_TYPE: &'static str = "bias.reported";
    const ROLE: Role = Role::Bias;

    fn key(&self) -> String {
        self.dataset_id.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_sent_comes_back_the_same() {
        let sent = r#"{"event_type":"bias.reported","dataset_id":"dataset123","user_id":"user123","bias_report_id":"6b043d7cea6542dcabfd36e5","has_transformation_report":false,"target_column_name":"target","task_type":"classification","timestamp":"2026-11-23T13:19:56.797760"}"#;
        let event: BiasReported = serde_json::from_str(sent).unwrap();
        assert_eq!(event.to_json().unwrap(), sent);
        assert_eq!(event.key(), "dataset123");
    }
}
