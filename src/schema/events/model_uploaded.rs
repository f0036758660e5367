//! `model.uploaded`: a model is stored and can be fetched.

use serde::{Deserialize, Serialize};

use super::{Event, model_key};
use crate::base::Stamp;
use crate::schema::model::Model;
use crate::schema::role::Role;

/// The flat form, as the seed text lists it and the service of October 2025 sent it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelUploaded {
    pub event_type: String,
    /// `model_uploaded_MODEL_SECONDS`: of second resolution, so not unique.
    #[serde(default)]
    pub event_id: String,
    #[serde(default)]
    pub timestamp: String,
    pub user_id: String,
    pub model_id: String,
    /// The `training_dataset` of the upload; without it no XAI trigger can follow.
    #[serde(default)]
    pub dataset_id: Option<String>,
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub framework: Option<String>,
    #[serde(default)]
    pub model_type: Option<String>,
    #[serde(default)]
    pub algorithm: Option<String>,
    #[serde(default)]
    pub model_size_mb: Option<f64>,
    #[serde(default)]
    pub training_accuracy: Option<f64>,
    #[serde(default)]
    pub validation_accuracy: Option<f64>,
    #[serde(default)]
    pub test_accuracy: Option<f64>,
    /// Whether the training dataset is a folder. With the three that follow since the end of
    /// October 2025.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_folder: Option<bool>,
    /// Files of the training dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_count: Option<u64>,
    /// Whether the model was uploaded as a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_model_folder: Option<bool>,
    /// Files of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_file_count: Option<u64>,
}

impl ModelUploaded {
    /// The event that a stored model causes at `now`.
    #[must_use]
    pub fn of(model: &Model, now: Stamp) -> Self {
        Self {
            event_type: Self::EVENT_TYPE.to_owned(),
            event_id: format!("model_uploaded_{}_{}", model.model_id, now.seconds()),
            timestamp: now.naive(),
            user_id: model.user_id.clone(),
            model_id: model.model_id.clone(),
            dataset_id: model.training_dataset.clone(),
            version: Some(model.version.clone()),
            framework: Some(model.framework.to_string()),
            model_type: Some(model.model_type.to_string()),
            algorithm: model.algorithm.clone(),
            model_size_mb: model.model_size_mb,
            training_accuracy: model.training_accuracy,
            validation_accuracy: model.validation_accuracy,
            test_accuracy: model.test_accuracy,
            is_folder: None,
            file_count: None,
            is_model_folder: None,
            model_file_count: None,
        }
    }
}

/// What the events since the end of October 2025 say about folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderFacts {
    /// Whether the training dataset is a folder.
    pub is_dataset_folder: bool,
    /// Files of the training dataset; 1 if there is none.
    pub dataset_files: u64,
    /// Whether the model was uploaded as a folder.
    pub is_model_folder: bool,
    /// Files of the model.
    pub model_files: u64,
}

impl ModelUploaded {
    /// Adds the facts about folders.
    #[must_use]
    pub fn with_folders(self, facts: FolderFacts) -> Self {
        Self {
            is_folder: Some(facts.is_dataset_folder),
            file_count: Some(facts.dataset_files),
            is_model_folder: Some(facts.is_model_folder),
            model_file_count: Some(facts.model_files),
            ..self
        }
    }
}

impl Event for ModelUploaded {
    const EVENT_TYPE: &'static str = "model.uploaded";
    const ROLE: Role = Role::Automl;

    fn key(&self) -> String {
        model_key(&self.user_id, &self.model_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_sent_comes_back_the_same() {
        let sent = r#"{"event_type":"model.uploaded","event_id":"model_uploaded_test-model-1_1795439960","timestamp":"2026-11-23T13:19:20.418901","user_id":"user123","model_id":"test-model-1","dataset_id":null,"version":"v1","framework":"sklearn","model_type":"classification","algorithm":"RandomForest","model_size_mb":1.5,"training_accuracy":0.95,"validation_accuracy":null,"test_accuracy":null}"#;
        let event: ModelUploaded = serde_json::from_str(sent).unwrap();
        assert_eq!(event.to_json().unwrap(), sent);
        assert_eq!(event.key(), "user123_test-model-1");
        let facts = FolderFacts {
            is_dataset_folder: false,
            dataset_files: 1,
            is_model_folder: true,
            model_files: 3,
        };
        let later = sent.replace(
            "null}",
            r#"null,"is_folder":false,"file_count":1,"is_model_folder":true,"model_file_count":3}"#,
        );
        assert_eq!(event.with_folders(facts).to_json().unwrap(), later);
        let read: ModelUploaded = serde_json::from_str(&later).unwrap();
        assert_eq!(read.to_json().unwrap(), later);
    }
}
