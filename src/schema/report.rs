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

#[cfg(test)]
mod tests {
    use super::*;

    fn again<T: Serialize + serde::de::DeserializeOwned>(text: &str) -> String {
        serde_json::to_string(&serde_json::from_str::<T>(text).unwrap()).unwrap()
    }

    #[test]
    fn reports_come_back_as_their_generation_sent_them() {
        let transformation = r#"{"user_id":"u","dataset_id":"d","version":"v2","report":{"steps":["impute"]},"created_at":"2026-01-01T00:00:00","updated_at":"2026-01-01T00:00:00"}"#;
        assert_eq!(again::<TransformationReport>(transformation), transformation);
        let with_id = transformation.replacen('{', r#"{"id":"i","#, 1);
        assert_eq!(again::<TransformationReport>(&with_id), with_id);
        let xai = r#"{"user_id":"u","dataset_id":"d","model_id":"m","report_type":"model_explanation","level":"beginner","file_path":"p","file_size":1,"file_hash":"h","custom_metadata":{},"created_at":"c","updated_at":"c"}"#;
        assert_eq!(again::<XaiReport>(xai), xai);
        let drift = r#"{"id":"i","user_id":"u","dataset_id":"d","dataset_version":"v1","model_id":"m","model_version":"v1","report":[1,2.5,"x"],"created_at":"c","updated_at":"c"}"#;
        assert_eq!(again::<DriftReport>(drift), drift);
    }
}
