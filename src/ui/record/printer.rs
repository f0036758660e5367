//! The sink that shows: one reused buffer, written out when it is full and when the reader runs
//! dry, so that a trickle appears at once and a flood goes in large writes.

use std::time::Duration;

use super::json::{self, write_json};
use super::line::{LineFormat, shown};
use super::notice::tell;
use super::pretty::{self, Facts, write_pretty};
use super::status::StatusLine;
use crate::base::Failure;
use crate::flows::follow::filter::{Jq, JqFault, JqForm};
use crate::flows::follow::{Notice, RecordSink, Situation, Taken};
use crate::kafka::{Record, TopicId};
use crate::schema::role::Role;
use crate::ui::text::{escape_bytes, escape_json};
use crate::ui::{Format, Ui};

/// Bytes collected before a write; larger ones gained nothing in measurements.
const FULL: usize = 64 * 1024;

/// How many records on which an expression failed are told one by one.
const MOST_TOLD: u64 = 3;

/// What of a record's surroundings the pretty form shows.
#[derive(Clone, Copy, Debug)]
pub struct RecordStyle {
    /// Each record says its topic: the arguments name more than one.
    pub with_topic: bool,
    pub with_timestamp: bool,
    pub with_headers: bool,
}

/// What is written for a record.
#[derive(Debug)]
enum Form {
    Pretty(Facts),
    Json,
    Raw,
    Line(LineFormat),
    Jq(Jq, JqForm),
}

/// What of a topic stands before each of its records.
#[derive(Clone, Debug, Default)]
struct Words {
    name: String,
    pretty: Vec<u8>,
    json: Vec<u8>,
}

/// Shows records on standard output and notices on standard error.
#[derive(Debug)]
pub struct RecordPrinter<'u> {
    ui: &'u Ui,
    form: Form,
    /// By the topic's number.
    topics: Vec<Words>,
    buffer: Vec<u8>,
    status: StatusLine,
    /// Results of an expression that may still be shown.
    most: Option<u64>,
    evaluations: Evaluations,
}

/// How often an expression was run, and how often it failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evaluations {
    pub records: u64,
    pub failed: u64,
}

impl<'u> RecordPrinter<'u> {
    /// In the form that the settings ask for.
    #[must_use]
    pub fn new(ui: &'u Ui, style: RecordStyle) -> Self {
        let form = match ui.format() {
            Format::Json => Form::Json,
            Format::Raw => Form::Raw,
            Format::Text => Form::Pretty(Facts {
                topic: style.with_topic,
                timestamp: style.with_timestamp,
                headers: style.with_headers,
            }),
        };
        Self::with(ui, form)
    }

    /// In a form of a person's own.
    #[must_use]
    pub fn formatted(ui: &'u Ui, format: LineFormat) -> Self {
        // The line at the foot would be drawn over a last line that is not ended.
        let has_foot = format.ends_lines();
        let mut printer = Self::with(ui, Form::Line(format));
        if !has_foot {
            printer.status.disable();
        }
        printer
    }

    /// The results of an expression, at most so many: strings without quotes in the raw form, JSON
    /// in every other.
    #[must_use]
    pub fn computed(ui: &'u Ui, jq: Jq, most: Option<u64>) -> Self {
        let form = if ui.format() == Format::Raw { JqForm::Raw } else { JqForm::Json };
        Self { most, ..Self::with(ui, Form::Jq(jq, form)) }
    }

    fn with(ui: &'u Ui, form: Form) -> Self {
        Self {
            ui,
            form,
            topics: Vec::new(),
            buffer: Vec::with_capacity(FULL + 16 * 1024),
            status: StatusLine::new(ui),
            most: None,
            evaluations: Evaluations::default(),
        }
    }

    /// Returns how often the expression failed, once the read is over; several failures are warned of.
    pub fn conclude(&mut self) -> Evaluations {
        self.status.clear();
        let Evaluations { records, failed } = self.evaluations;
        if failed > MOST_TOLD {
            self.ui.warning(&format!("--jq failed on {failed} of {records} records"));
        }
        self.evaluations
    }

    fn write(&mut self, record: &Record<'_>) -> Taken {
        let out = &mut self.buffer;
        let words = self.topics.get(record.topic_id.index());
        let is_terminal = self.ui.out().is_terminal;
        match &self.form {
            Form::Json => {
                let start = out.len();
                write_json(record, words.map_or(&[], |words| &words.json), out);
                if is_terminal {
                    escape_json(out, start);
                }
            }
            Form::Raw => {
                shown(record.value.unwrap_or_default(), is_terminal, out);
                out.push(b'\n');
            }
            Form::Pretty(facts) => {
                let title = words.map_or(&[][..], |words| &words.pretty);
                write_pretty(record, title, *facts, self.ui.out(), out);
            }
            Form::Line(format) => format.write(record, is_terminal, out),
            Form::Jq(jq, form) => {
                let start = out.len();
                let outcome = jq.run(record, *form, self.most.unwrap_or(u64::MAX), out);
                match form {
                    _ if !is_terminal => {}
                    JqForm::Json => escape_json(out, start),
                    JqForm::Raw => escape_bytes(out, start),
                }
                return Taken::Several(self.take_results(record, outcome));
            }
        }
        Taken::Counted
    }

    fn take_results(&mut self, record: &Record<'_>, outcome: Result<u64, (u64, JqFault)>) -> u64 {
        self.evaluations.records += 1;
        let count = match outcome {
            Ok(count) => count,
            Err((count, fault)) => {
                self.evaluations.failed += 1;
                if self.evaluations.failed <= MOST_TOLD {
                    self.status.clear();
                    let Record { topic, partition, offset, .. } = record;
                    self.ui
                        .warning(&format!("--jq failed on {topic}[{partition}]@{offset}: {fault}"));
                }
                count
            }
        };
        self.most = self.most.map(|most| most - count);
        count
    }
}

impl RecordSink for RecordPrinter<'_> {
    fn topic(&mut self, id: TopicId, name: &str, role: Option<Role>) {
        let title = role.map_or(name, |role| role.title());
        let words = Words {
            name: name.to_owned(),
            pretty: pretty::title(title, self.ui.out()),
            json: json::beginning(name),
        };
        if self.topics.len() <= id.index() {
            self.topics.resize_with(id.index() + 1, Words::default);
        }
        self.topics[id.index()] = words;
    }

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        let taken = self.write(record);
        if self.buffer.len() >= FULL {
            self.dry()?;
        }
        Ok(taken)
    }

    fn may_pass_over(&self) -> bool {
        matches!(self.form, Form::Jq(..))
    }

    fn dry(&mut self) -> Result<(), Failure> {
        if !self.buffer.is_empty() {
            self.status.clear();
            self.ui.data(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        self.status.clear();
        tell(self.ui, notice);
    }

    fn wants_situation(&self) -> Option<Duration> {
        self.status.period()
    }

    fn situation(&mut self, situation: &Situation) -> Result<(), Failure> {
        let names: Vec<&str> = self.topics.iter().map(|words| words.name.as_str()).collect();
        self.status.show(&names, situation);
        Ok(())
    }
}
