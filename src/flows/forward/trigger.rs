//! What triggers have in common. Their ids and their time come from the record that caused them, so
//! that a redelivery repeats them byte for byte and two records never share an id. Pure.

use crate::base::Stamp;
use crate::flows::forward::route::Form;
use crate::flows::forward::source::Place;
use crate::schema::events::Event;
use crate::schema::generation::dialects_of_role;
use crate::schema::role::{Dialect, Role};

/// Which generation triggers are of, by the form of the event that causes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriggerDialects {
    /// After a flat event, and after one that has the same form in every generation.
    pub after_flat: Dialect,
    pub after_envelope: Dialect,
}

impl TriggerDialects {
    /// Returns one dialect for all triggers.
    #[must_use]
    pub const fn all(dialect: Dialect) -> Self {
        Self { after_flat: dialect, after_envelope: dialect }
    }

    /// Returns a dialect for what follows a flat event; after an envelope comes an envelope.
    #[must_use]
    pub const fn as_event(after_flat: Dialect) -> Self {
        Self { after_flat, after_envelope: Dialect::Task }
    }
}

/// Where triggers of each generation go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerTopics {
    pub form: String,
    pub flat: String,
    pub task: String,
}

impl TriggerTopics {
    /// Returns a role's own topics.
    #[must_use]
    pub fn of(role: Role) -> Self {
        let name = |dialect| role.topic(dialect).unwrap_or_default().to_owned();
        Self { form: name(Dialect::Form), flat: name(Dialect::Flat), task: name(Dialect::Task) }
    }

    /// Returns the topic of a generation's triggers.
    #[must_use]
    pub fn of_dialect(&self, dialect: Dialect) -> &str {
        match dialect {
            Dialect::Form => &self.form,
            Dialect::Flat => &self.flat,
            Dialect::Task => &self.task,
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
    pub dialects: TriggerDialects,
    pub topics: TriggerTopics,
    pub aim: Aim,
}

impl Terms {
    /// Returns those of a server of all generations: flat events are of the oldest that has the role.
    #[must_use]
    pub fn of(role: Role) -> Self {
        let oldest = dialects_of_role(role).oldest().unwrap_or(Dialect::Task);
        Self {
            dialects: TriggerDialects::as_event(oldest),
            topics: TriggerTopics::of(role),
            aim: Aim::default(),
        }
    }

    /// Returns the generation of the trigger that follows an event.
    pub(super) fn dialect_after(&self, event: Form) -> Dialect {
        match event {
            Form::Flat => self.dialects.after_flat,
            Form::Envelope => self.dialects.after_envelope,
        }
    }

    /// Returns every topic that a trigger may go to.
    pub(super) fn targets(&self) -> [&str; 2] {
        let TriggerDialects { after_flat, after_envelope } = self.dialects;
        [after_flat, after_envelope].map(|dialect| self.topics.of_dialect(dialect))
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
