//! `model.updated` and `model.deleted`, which the service's plans list and `serve` sends in its
//! combined dialect: on a topic of their own, under the model's key. They complete no step.

use serde::{Deserialize, Serialize};

use super::{Event, model_key};
use crate::schema::role::Role;

/// The flat form of both; `changed` stands in updates only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelChanged {
    pub event_type: String,
    pub event_id: String,
    pub timestamp: String,
    pub user_id: String,
    pub model_id: String,
    pub version: String,
    #[serde(default)]
    pub dataset_id: Option<String>,
    /// The names of the fields that an update set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Vec<String>>,
}

impl ModelChanged {
    pub const UPDATED: &'static str = "model.updated";
    pub const DELETED: &'static str = "model.deleted";
}

impl Event for ModelChanged {
    const EVENT_TYPE: &'static str = ModelChanged::UPDATED;
    const ROLE: Role = Role::Model;

    fn key(&self) -> String {
        model_key(&self.user_id, &self.model_id)
    }
}
