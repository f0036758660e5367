//! A sink that shows what it is given and remembers which of the expected events it was.

use crate::base::{Failure, Kind};
use crate::flows::follow::{Notice, RecordSink, Taken};
use crate::kafka::{Record, TopicId};
use crate::schema::document::Document;
use crate::schema::role::Role;

/// An event that must come: its type, and the model or data set that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    event_type: &'static str,
    id: String,
}

impl Expected {
    pub fn new(event_type: &'static str, id: &str) -> Self {
        Self { event_type, id: id.to_owned() }
    }

    fn is_met(&self, event: &Document) -> bool {
        let is = |field: &str, wanted: &str| event.string(&[field]).as_deref() == Some(wanted);
        let subject = if self.event_type == "bias.reported" { "dataset_id" } else { "model_id" };
        is("event_type", self.event_type) && is(subject, &self.id)
    }
}

/// Passes expected records on and ticks them off.
pub(super) struct Witness<'s> {
    shown: &'s mut dyn RecordSink,
    /// What is still to come.
    missing: Vec<Expected>,
    /// `TOPIC[PARTITION]@OFFSET` of those that came.
    seen: Vec<String>,
}

impl<'s> Witness<'s> {
    pub fn new(shown: &'s mut dyn RecordSink, missing: Vec<Expected>) -> Self {
        Self { shown, missing, seen: Vec::new() }
    }

    /// The places of all events, or which did not come.
    pub fn verdict(self) -> Result<String, Failure> {
        if self.missing.is_empty() {
            return Ok(self.seen.join(", "));
        }
        let missing: Vec<String> =
            self.missing.iter().map(|it| format!("{} of {}", it.event_type, it.id)).collect();
        let message = format!("these events did not come: {}", missing.join(", "));
        Err(Failure::new(Kind::CheckFailed, message))
    }

    /// The place of the expectation that an event meets.
    fn expectation(&self, value: &[u8]) -> Option<usize> {
        let event = Document::parse(value).ok()?;
        self.missing.iter().position(|expected| expected.is_met(&event))
    }
}

impl RecordSink for Witness<'_> {
    fn topic(&mut self, id: TopicId, name: &str, role: Option<Role>) {
        self.shown.topic(id, name, role);
    }

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        let Some(place) = self.expectation(record.value.unwrap_or_default()) else {
            return Ok(Taken::Skipped);
        };
        self.missing.remove(place);
        self.seen.push(format!("{}[{}]@{}", record.topic, record.partition, record.offset));
        self.shown.record(record)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        self.shown.dry()
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        self.shown.notice(notice);
    }
}
