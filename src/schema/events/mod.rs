//! The events of the pipeline, one file per `event_type`, fields in the order of the wire.
//!
//! Reading is tolerant: what may be missing may be missing. Writing is exact: an absent value is
//! `null` where the service writes `null`. Numbers are finite by the time they get here.

mod bias_reported;
mod completion;
mod dataset;
mod envelope;
mod lifecycle;
mod model_uploaded;
mod trigger;
mod xai;

pub use bias_reported::BiasReported;
pub use completion::StepEnd;
pub use dataset::{AnnouncedDataset, DatasetUploadFailed, DatasetUploaded};
pub use envelope::{
    AutomlInput, AutomlOutput, BiasInput, BiasOutput, DriftInput, DriftOutput, Envelope, StepInput,
    StepOutput, TaskFailure, Trigger, XaiInput, XaiOutput,
};
pub use lifecycle::ModelChanged;
pub use model_uploaded::{FolderFacts, ModelUploaded};
pub use trigger::{AutomlTrigger, BiasTrigger, XaiTriggerRequest};
pub use xai::{XaiReported, XaiTrigger};

use serde::Serialize;

use super::role::Role;

/// An event that can be put on a topic: it knows its role, its key and its text.
pub trait Event: Serialize {
    /// What stands in `event_type`.
    const EVENT_TYPE: &'static str;
    const ROLE: Role;

    /// The record's key; it decides the partition, and with it the order.
    fn key(&self) -> String;

    /// The record's value.
    ///
    /// # Errors
    /// Never for the types of this module: they hold nothing that JSON cannot carry.
    fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// The key of everything that concerns one model.
#[must_use]
pub fn model_key(user_id: &str, model_id: &str) -> String {
    format!("{user_id}_{model_id}")
}
