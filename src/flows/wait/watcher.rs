//! Looks at every record that comes: is it the event, and is it the one that was hoped for?

use std::time::Duration;

use super::companion::Companion;
use super::{Expected, WaitPlan};
use crate::base::{Failure, Kind};
use crate::flows::follow::filter::{JqFault, JqForm};
use crate::flows::follow::{Cursor, Notice, RecordSink, Situation, Taken};
use crate::kafka::{Record, TopicId};
use crate::schema::events::StepEnd;
use crate::schema::role::Role;

/// How often it is looked after the command.
const ROUND: Duration = Duration::from_millis(50);

/// Whether a record is one that is waited for. The plan's filter has been asked before.
///
/// # Errors
/// The expression failed on it before it had a result.
pub(super) fn is_match(
    plan: &WaitPlan,
    record: &Record<'_>,
    scratch: &mut Vec<u8>,
) -> Result<bool, JqFault> {
    if !ends_step(plan, record) {
        return Ok(false);
    }
    let Some(jq) = &plan.jq else { return Ok(true) };
    scratch.clear();
    match jq.run(record, JqForm::Json, 1, scratch) {
        Ok(count) => Ok(count > 0 && !matches!(scratch.as_slice(), b"null\n" | b"false\n")),
        Err((_, fault)) => Err(fault),
    }
}

/// Records on which the expression failed: whether they match is not known.
#[derive(Debug)]
pub(super) struct FailedRecords {
    count: u64,
    first: String,
}

impl std::fmt::Display for FailedRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let events = if self.count == 1 { "event" } else { "events" };
        write!(f, "the --jq expression failed on {} {events}, first on {}", self.count, self.first)
    }
}

/// `TOPIC[PARTITION]@OFFSET`.
pub(super) fn place(record: &Record<'_>) -> String {
    format!("{}[{}]@{}", record.topic, record.partition, record.offset)
}

/// Whether a record can decide a wait for success or failure: only the end of a step can.
fn ends_step(plan: &WaitPlan, record: &Record<'_>) -> bool {
    plan.expected == Expected::Any || record.value.and_then(StepEnd::of).is_some()
}

/// The sink of a wait.
pub(super) struct Watcher<'a> {
    pub plan: &'a WaitPlan,
    pub shown: &'a mut dyn RecordSink,
    pub ready: &'a mut dyn FnMut(&Cursor) -> Result<(), Failure>,
    pub starts: Cursor,
    /// Every place is fixed.
    pub is_fixed: bool,
    pub companion: Option<Companion>,
    pub scratch: Vec<u8>,
    pub failed: Option<FailedRecords>,
}

impl Watcher<'_> {
    fn note_failure(&mut self, record: &Record<'_>, fault: &JqFault) {
        match &mut self.failed {
            Some(failed) => failed.count += 1,
            None => {
                let first = format!("{}: {fault}", place(record));
                self.failed = Some(FailedRecords { count: 1, first });
            }
        }
    }

    /// Why a matching event is not what was hoped for.
    fn refusal(&self, record: &Record<'_>) -> Option<Failure> {
        let place = place(record);
        let message = match (self.plan.expected, record.value.and_then(StepEnd::of)) {
            (Expected::Success, Some(StepEnd::Failure(failure))) => {
                format!("{place} tells of a failure: {}", String::from_utf8_lossy(failure))
            }
            (Expected::Failure, Some(StepEnd::Success)) => format!("{place} tells of no failure"),
            _ if self.plan.is_absent => format!("an event came that shall not come: {place}"),
            _ => return None,
        };
        Some(Failure::new(Kind::CheckFailed, message))
    }
}

impl RecordSink for Watcher<'_> {
    fn topic(&mut self, id: TopicId, name: &str, role: Option<Role>) {
        self.shown.topic(id, name, role);
    }

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        match is_match(self.plan, record, &mut self.scratch) {
            Ok(true) => {}
            Ok(false) => return Ok(Taken::Skipped),
            Err(fault) => {
                self.note_failure(record, &fault);
                return Ok(Taken::Skipped);
            }
        }
        let taken = self.shown.record(record)?;
        match self.refusal(record) {
            None => Ok(taken),
            Some(failure) => {
                self.shown.dry()?;
                Err(failure)
            }
        }
    }

    fn dry(&mut self) -> Result<(), Failure> {
        self.shown.dry()
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        // What is waited for was said when it began.
        if !matches!(notice, Notice::WaitingForRecords { .. } | Notice::WaitingForTime { .. }) {
            self.shown.notice(notice);
        }
    }

    fn wants_situation(&self) -> Option<Duration> {
        Some(ROUND)
    }

    fn situation(&mut self, _: &Situation) -> Result<(), Failure> {
        match &mut self.companion {
            Some(companion) => companion.has_ended().map(drop),
            None => Ok(()),
        }
    }

    fn fixed(&mut self, starts: &Cursor) -> Result<(), Failure> {
        self.starts = starts.clone();
        self.is_fixed = true;
        (self.ready)(starts)?;
        self.companion = Companion::start(&self.plan.command)?;
        Ok(())
    }
}
