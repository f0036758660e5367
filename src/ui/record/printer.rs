//! The sink that shows: one reused buffer, written out when it is full and when the reader runs
//! dry, so that a trickle appears at once and a flood goes in large writes.

use std::collections::HashMap;

use super::json::write_json;
use super::pretty::{Facts, write_pretty};
use crate::base::Failure;
use crate::flows::follow::{Notice, RecordSink, Taken};
use crate::kafka::Record;
use crate::schema::role::Role;
use crate::ui::{Format, Ui};

/// Bytes collected before a write; larger ones gained nothing in measurements.
const FULL: usize = 64 * 1024;

/// How records are shown.
#[derive(Clone, Copy, Debug)]
pub struct RecordStyle {
    /// Each record says its topic: the arguments name more than one.
    pub with_topic: bool,
    pub with_timestamp: bool,
    pub with_headers: bool,
}

/// Shows records on standard output and notices on standard error.
#[derive(Debug)]
pub struct RecordPrinter<'u> {
    ui: &'u Ui,
    style: RecordStyle,
    /// Topics that were set for a role in place of its default names.
    roles: HashMap<String, Role>,
    buffer: Vec<u8>,
}

impl<'u> RecordPrinter<'u> {
    #[must_use]
    pub fn new(ui: &'u Ui, style: RecordStyle, roles: HashMap<String, Role>) -> Self {
        Self { ui, style, roles, buffer: Vec::with_capacity(FULL + 16 * 1024) }
    }

    fn write(&mut self, record: &Record<'_>) {
        match self.ui.format() {
            Format::Json => write_json(record, &mut self.buffer),
            Format::Raw => {
                self.buffer.extend_from_slice(record.value.unwrap_or_default());
                self.buffer.push(b'\n');
            }
            Format::Text => {
                let role =
                    self.roles.get(record.topic).copied().or_else(|| Role::of_topic(record.topic));
                let title = role.map_or(record.topic, |role| role.title());
                let facts = Facts {
                    topic: self.style.with_topic,
                    timestamp: self.style.with_timestamp,
                    headers: self.style.with_headers,
                    terminal: self.ui.out_is_terminal(),
                };
                write_pretty(record, title, facts, self.ui.paint(), &mut self.buffer);
            }
        }
    }
}

impl RecordSink for RecordPrinter<'_> {
    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        self.write(record);
        if self.buffer.len() >= FULL {
            self.dry()?;
        }
        Ok(Taken::Counted)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        if !self.buffer.is_empty() {
            self.ui.data(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::WaitingForTopic { topics } => {
                self.ui.status(&format!(
                    "waiting for a topic that does not exist yet: {}",
                    topics.join(" or ")
                ));
            }
            Notice::WaitingForRecords { topics, from_end: true } => {
                self.ui.status(&format!("waiting for new records on {}", topics.join(", ")));
                self.ui.hint("what is there already: --from beginning");
            }
            Notice::WaitingForRecords { topics, from_end: false } => {
                self.ui.detail(&format!("waiting for more on {}", topics.join(", ")));
            }
            Notice::NewPartition { topic, partition } => {
                self.ui.detail(&format!(
                    "{topic}[{partition}] appeared and is read from its beginning"
                ));
            }
            Notice::OffsetGone { topic, partition, offset, resumed } => self.ui.warning(&format!(
                "{topic}[{partition}]: offset {offset} is not there any more; going on at {resumed}"
            )),
            Notice::PartitionGone { topic, partition } => {
                self.ui.warning(&format!("{topic}[{partition}] is not there any more"));
            }
            Notice::Reconnecting { reason } => {
                self.ui.warning(&format!("the brokers do not answer, waiting: {reason}"));
            }
        }
    }
}
