//! Bias reports as the API takes and gives them, in every generation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::presence::{Presence, present};

/// The body of `POST /bias-reports/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasReportRequest {
    pub user_id: String,
    pub dataset_id: String,
    /// Any JSON value, stored as it is.
    pub report: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_column_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// Required by the `task` dialect, unknown to the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation_report_id: Option<String>,
    /// Whether the dataset is a folder. With `file_count` for the flat event only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_folder: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
}

/// A stored report. One per user and dataset, in `task` per version of it too: a second one
/// replaces the first and keeps its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasReport {
    pub id: String,
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub dataset_version: Presence<String>,
    pub report: Value,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub transformation_report_id: Presence<String>,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
}
