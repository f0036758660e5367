//! A sink that shows what it is given and remembers which of the expected events it was.

use crate::base::{Failure, Kind};
use crate::flows::follow::{Notice, RecordSink, Taken};
use crate::kafka::{Record, TopicId};
use crate::schema::document::Document;
use crate::schema::role::Role;

/// Passes records on and ticks the expected off.
pub(super) struct Witness<'s> {
    shown: &'s mut dyn RecordSink,
    /// Ids of models and datasets whose events are still to come.
    missing: Vec<String>,
    /// `TOPIC[PARTITION]@OFFSET` of those that came.
    seen: Vec<String>,
}

impl<'s> Witness<'s> {
    pub fn new(shown: &'s mut dyn RecordSink, missing: Vec<String>) -> Self {
        Self { shown, missing, seen: Vec::new() }
    }

    /// The places of all events, or which did not come.
    pub fn verdict(self) -> Result<String, Failure> {
        if self.missing.is_empty() {
            return Ok(self.seen.join(", "));
        }
        let message = format!("no event came of {}", self.missing.join(", "));
        Err(Failure::new(Kind::CheckFailed, message))
    }

    /// The place of the expectation that an event meets.
    fn expectation(&self, value: &[u8]) -> Option<usize> {
        let event = Document::parse(value).ok()?;
        let id = match &*event.string(&["event_type"])? {
            "model.uploaded" => event.string(&["model_id"]),
            "bias.reported" => event.string(&["dataset_id"]),
            _ => None,
        }?;
        self.missing.iter().position(|wanted| *wanted == *id)
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
