//! What triggers have in common. Their ids and their time come from the record that caused them, so
//! that a redelivery repeats them byte for byte and two records never share an id. Pure.

use crate::base::Stamp;
use crate::flows::forward::route::Form;
use crate::flows::forward::source::Place;
use crate::schema::events::Event;
use crate::schema::role::{Dialect, Role};

/// Which form triggers have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TriggerForm {
    /// That of the event: flat for flat, envelope for envelope.
    #[default]
    AsEvent,
    /// That of 2025.
    Flat,
    /// An envelope.
    Task,
}

/// Where triggers go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerTopics {
    pub flat: String,
    pub task: String,
}

impl TriggerTopics {
    /// A role's own topics, the seed's before those of its successor.
    #[must_use]
    pub fn of(role: Role) -> Self {
        let name = |dialect| role.topic(dialect).map(str::to_owned);
        Self {
            flat: name(Dialect::Form).or_else(|| name(Dialect::Flat)).unwrap_or_default(),
            task: name(Dialect::Task).unwrap_or_default(),
        }
    }
}

/// What a model is to learn, where the events do not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aim {
    pub target_column_name: Option<String>,
    pub task_type: Option<String>,
    /// Seconds to train for.
    pub time_budget: Option<u64>,
    /// `tabular` or `vision`.
    pub task_category: Option<String>,
}

/// What triggers are made of beside the event and the API's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub form: TriggerForm,
    pub topics: TriggerTopics,
    pub aim: Aim,
}

impl Terms {
    /// The usual ones for triggers of a role.
    #[must_use]
    pub fn of(role: Role) -> Self {
        Self { form: TriggerForm::default(), topics: TriggerTopics::of(role), aim: Aim::default() }
    }

    pub(super) fn is_flat(&self, event: Form) -> bool {
        match self.form {
            TriggerForm::AsEvent => event == Form::Flat,
            TriggerForm::Flat => true,
            TriggerForm::Task => false,
        }
    }
}

/// A trigger ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    pub topic: String,
    pub key: String,
    /// JSON.
    pub value: String,
    /// Its `event_type`.
    pub event_type: &'static str,
}

pub(super) fn outbound<E: Event>(topic: &str, event: &E) -> Result<Outbound, serde_json::Error> {
    Ok(Outbound {
        topic: topic.to_owned(),
        key: event.key(),
        value: event.to_json()?,
        event_type: E::EVENT_TYPE,
    })
}

/// The time of the record that caused it: by the clock, a redelivery would differ.
pub(super) fn stamp(place: &Place) -> Stamp {
    Stamp::from_micros(place.timestamp.unwrap_or(0).saturating_mul(1_000))
}

/// `PREFIX_SUBJECT_SECONDS_TOPIC_PARTITION_OFFSET`: the service's form with its seconds, which alone
/// are not unique, and the place of the record that caused it.
pub(super) fn derived_id(prefix: &str, subject: &str, place: &Place) -> String {
    let seconds = place.timestamp.unwrap_or(0).div_euclid(1_000);
    format!("{prefix}_{subject}_{seconds}_{}_{}_{}", place.topic, place.partition, place.offset)
}
