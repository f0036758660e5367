//! What leads to what: one file a route, each pure, from the record's bytes to a decision and from
//! the API's record to the trigger.

mod bias;
mod dataset;
mod event;
mod model;

pub use event::Form;
pub use model::Upload;

use crate::flows::forward::source::Kept;
use crate::flows::forward::trigger::{Outbound, Terms};
use crate::schema::dataset::{Dataset, SMOKE_PREFIX};
use crate::schema::ids::{DatasetId, UserId, Version};
use crate::schema::model::Model;
use crate::schema::role::Role;
use crate::warehouse::Received;

/// A step of the pipeline and the one that it leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// A model is explained.
    #[default]
    AutomlToXai,
    /// A model is trained on a dataset that was examined.
    BiasToAutoml,
    /// A dataset is examined.
    DatasetToBias,
}

impl Route {
    /// Whose events are read.
    #[must_use]
    pub const fn source(self) -> Role {
        match self {
            Route::AutomlToXai => Role::Automl,
            Route::BiasToAutoml => Role::Bias,
            Route::DatasetToBias => Role::Dataset,
        }
    }

    /// Whose triggers are sent.
    #[must_use]
    pub const fn target(self) -> Role {
        match self {
            Route::AutomlToXai => Role::XaiTrigger,
            Route::BiasToAutoml => Role::AutomlTrigger,
            Route::DatasetToBias => Role::BiasTrigger,
        }
    }

    /// Reads a record's value.
    #[must_use]
    pub fn decide(self, source: &Kept, terms: &Terms) -> Decision {
        let value = source.value.as_deref();
        match self {
            Route::AutomlToXai => model::route(value),
            Route::BiasToAutoml => bias::route(value, &source.place, terms),
            Route::DatasetToBias => dataset::route(value),
        }
    }
}

/// What to do with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Look this up; then it is known what follows.
    Find(Wanted),
    /// All is known.
    Send {
        /// What must keep its order.
        lane: String,
        trigger: Outbound,
    },
    /// An event that asks for nothing, and why.
    Ignore(String),
    /// A record that nothing can be done with, and why. It never gets better.
    Poison(String),
}

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A model, and the dataset to explain it on; without one only its files may be wanted.
    Model {
        upload: Upload,
        dataset: Option<String>,
    },
    Dataset {
        user: UserId,
        dataset: DatasetId,
        version: Version,
    },
}

/// What was found.
#[derive(Debug)]
pub enum Record {
    Model(Box<Model>),
    Dataset(Box<Received<Dataset>>),
}

impl Wanted {
    /// What must keep its order: all that concerns one model, or one dataset.
    #[must_use]
    pub fn lane(&self) -> String {
        match self {
            Wanted::Model { upload, .. } => upload.key(),
            Wanted::Dataset { user, dataset, .. } => dataset_lane(user, dataset),
        }
    }

    /// What follows from what was found; `None` where nothing does.
    ///
    /// # Errors
    /// The record is of another thing, or holds what JSON cannot carry: neither happens.
    pub fn trigger(
        &self,
        record: &Record,
        source: &Kept,
        terms: &Terms,
    ) -> Result<Option<Outbound>, serde_json::Error> {
        match (self, record) {
            (Wanted::Model { dataset: None, .. }, _) => Ok(None),
            (Wanted::Model { upload, dataset: Some(dataset) }, Record::Model(model)) => {
                model::trigger(upload, dataset, model, &source.place, terms).map(Some)
            }
            (Wanted::Dataset { .. }, Record::Dataset(record)) => {
                dataset::trigger(record, &source.place, terms).map(Some)
            }
            _ => Err(serde::ser::Error::custom("what was found is not what was looked for")),
        }
    }
}

/// Why nothing follows for a dataset; `None` if something does.
fn reason_to_skip(dataset: &DatasetId) -> Option<&'static str> {
    let is_of_smoke = dataset.as_str().starts_with(SMOKE_PREFIX);
    is_of_smoke.then_some("it is of a smoke test, which deletes its dataset again")
}

fn dataset_lane(user: &UserId, dataset: &DatasetId) -> String {
    format!("{user}/{dataset}")
}
