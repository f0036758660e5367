//! Transformation, XAI and concept-drift reports as the API takes and gives them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::presence::{Presence, present};

/// `POST /transformation-reports/` and its replies; only today's service sends the id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransformationReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub user_id: String,
    pub dataset_id: String,
    pub version: String,
    pub report: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// An explanation's record. It has no id in any generation; a second upload under the same key
/// replaces the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct XaiReport {
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub dataset_version: Presence<String>,
    pub model_id: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub model_version: Presence<String>,
    /// `model_explanation` or `data_explanation`.
    pub report_type: String,
    /// `beginner` or `expert`.
    pub level: String,
    pub file_path: String,
    /// Bytes.
    pub file_size: u64,
    /// MD5 in hexadecimal.
    pub file_hash: String,
    #[serde(default)]
    pub custom_metadata: Map<String, Value>,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
}

/// `POST /concept-drift-reports/` and its replies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub user_id: String,
    pub dataset_id: String,
    pub dataset_version: String,
    pub model_id: String,
    pub model_version: String,
    pub report: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}
