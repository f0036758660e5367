//! Bias reports as the API takes and gives them in the `form` and `flat` dialects.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
}

/// A stored report. One per user and dataset: a second one replaces the first and keeps its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasReport {
    pub id: String,
    pub user_id: String,
    pub dataset_id: String,
    pub report: Value,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
}
