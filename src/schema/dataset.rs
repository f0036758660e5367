//! Datasets as the API describes them (`DatasetResponse`, its files, and the job of an upload that
//! goes on after the reply).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::presence::{Presence, present};

/// What ids of models and datasets of a smoke test begin with: they are deleted again, so that no step
/// of the pipeline should follow.
pub const SMOKE_PREFIX: &str = "dwctl-smoke-";

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

/// The reply to a deletion: of all versions, or of one (there without counts before folders came).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetDeleted {
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions_deleted: Option<u64>,
    /// Of one version, in the `flat` dialect only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_deleted: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_deleted: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_failed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_deleted: Option<bool>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn again<T: Serialize + serde::de::DeserializeOwned>(text: &str) -> String {
        serde_json::to_string(&serde_json::from_str::<T>(text).unwrap()).unwrap()
    }

    #[test]
    fn a_record_keeps_the_keys_of_its_generation() {
        let early = r#"{"dataset_id":"d","user_id":"u","name":"D","description":null,"version":"v1","file_type":"csv","file_size":8,"original_filename":"x.csv","columns":["a"],"row_count":1,"data_types":{"a":"int64"},"tags":[],"custom_metadata":{},"created_at":"2026-01-01T00:00:00","updated_at":"2026-01-01T00:00:00","file_hash":"h"}"#;
        assert_eq!(again::<Dataset>(early), early);
        let today =
            early.replace(r#""columns""#, r#""files":null,"is_folder":false,"columns""#).replace(
                r#""created_at""#,
                r#""is_public":false,"public_source":null,"public_link":null,"created_at""#,
            );
        assert_eq!(again::<Dataset>(&today), today);
    }

    #[test]
    fn every_form_of_a_deletions_reply_stays_itself() {
        for text in [
            r#"{"message":"m","file_deleted":true,"metadata_deleted":true}"#,
            r#"{"message":"m","files_deleted":1,"metadata_deleted":true}"#,
            r#"{"message":"m","versions_deleted":2,"files_deleted":2,"files_failed":0}"#,
        ] {
            assert_eq!(again::<DatasetDeleted>(text), text);
        }
    }

    #[test]
    fn a_job_that_waits_has_neither_result_nor_error() {
        let job = r#"{"job_id":"j","status":"queued","user_id":"u","dataset_id":"d","name":"D","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","progress":{"phase":"queued","total_files":null,"processed_files":0,"message":null},"result":null,"error":null,"metadata":{"original_filename":"d.zip"}}"#;
        assert_eq!(again::<UploadJob>(job), job);
    }
}
