//! Datasets as the API describes them (`DatasetResponse`, its files, and the job of an upload that
//! goes on after the reply).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::presence::{Presence, present};

/// A dataset's record, keys in the service's order. Keys that early generations do not send are
/// absent rather than null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    pub dataset_id: String,
    pub user_id: String,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub version: String,
    /// The extension in lower case; of a folder, the distinct ones with commas between.
    pub file_type: String,
    /// Bytes.
    pub file_size: u64,
    pub original_filename: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub files: Presence<Vec<DatasetFile>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_folder: Option<bool>,
    /// Of tables only, as are the two that follow.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    #[serde(default)]
    pub row_count: Option<u64>,
    /// Column to pandas type: `int64`, `float64`, `object`, `bool`.
    #[serde(default)]
    pub data_types: Option<Map<String, Value>>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub custom_metadata: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub public_source: Presence<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub public_link: Presence<Value>,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
    /// MD5 in hexadecimal; null for folders.
    #[serde(default)]
    pub file_hash: Option<String>,
}

/// A file of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetFile {
    pub filename: String,
    pub file_path: String,
    /// Bytes.
    pub file_size: u64,
    #[serde(default)]
    pub file_type: String,
    /// MD5 in hexadecimal.
    #[serde(default)]
    pub file_hash: Option<String>,
    #[serde(default)]
    pub content_type: Option<String>,
}

/// The state of a folder upload that the service finishes after its 202.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UploadJob {
    pub job_id: String,
    /// `queued`, `running`, `completed` or `failed`.
    pub status: String,
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
    pub progress: Value,
    #[serde(default)]
    pub result: Option<Value>,
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub metadata: Value,
}
