//! The dataset step's events, flat in every generation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Event;
use crate::schema::role::Role;

/// `dataset.uploaded`: a version of a dataset is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetUploaded {
    pub event_type: String,
    /// `dataset.uploaded_DATASET_SECONDS`.
    #[serde(default)]
    pub event_id: String,
    #[serde(default)]
    pub timestamp: String,
    pub dataset: AnnouncedDataset,
}

/// The record as the event carries it: with the storage key, without what only pages need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnnouncedDataset {
    pub dataset_id: String,
    pub user_id: String,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub version: String,
    pub file_type: String,
    pub file_size: u64,
    pub file_path: String,
    pub original_filename: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_folder: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    #[serde(default)]
    pub row_count: Option<u64>,
    #[serde(default)]
    pub data_types: Option<Map<String, Value>>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub custom_metadata: Map<String, Value>,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
    #[serde(default)]
    pub file_hash: Option<String>,
}

impl Event for DatasetUploaded {
    const EVENT_TYPE: &'static str = "dataset.uploaded";
    const ROLE: Role = Role::Dataset;

    fn key(&self) -> String {
        self.dataset.dataset_id.clone()
    }
}

/// `dataset.upload.failed`: a folder of images came without annotations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetUploadFailed {
    pub event_type: String,
    #[serde(default)]
    pub session_id: String,
    #[serde(default)]
    pub conversation_id: String,
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default)]
    pub filename: String,
    #[serde(default)]
    pub error_message: String,
    #[serde(default)]
    pub timestamp: String,
}

impl Event for DatasetUploadFailed {
    const EVENT_TYPE: &'static str = "dataset.upload.failed";
    const ROLE: Role = Role::Dataset;

    fn key(&self) -> String {
        self.dataset_id.clone()
    }
}
