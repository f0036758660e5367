//! Following topics: the engine of `tail`. It resolves what was named to topics that exist, fixes
//! where each partition starts and ends, reads without a group, and stops by position, never by the
//! last record that happened to be visible. It creates nothing and commits nothing.

mod engine;
mod position;
mod progress;
mod target;

pub use engine::{FollowPlan, Outcome, Stop, follow};
pub use position::{InvalidPosition, Position, parse_position};
pub use target::{Source, Target};

use std::time::Duration;

use crate::base::Failure;
use crate::kafka::Record;

/// Whether a sink wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The record counts towards `-n`.
    Counted,
    /// The record was passed over by a filter.
    Skipped,
}

/// Takes what is read. Implemented by whoever shows it.
pub trait RecordSink {
    /// One record, borrowed.
    ///
    /// # Errors
    /// It cannot be shown: the engine stops.
    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure>;

    /// Nothing more is there for now: what was collected must be shown.
    ///
    /// # Errors
    /// As [`RecordSink::record`].
    fn dry(&mut self) -> Result<(), Failure>;

    /// Something that is no record.
    fn notice(&mut self, notice: &Notice<'_>);
}

/// What the engine has to say beside records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// None of a role's topics exists yet.
    WaitingForTopic { topics: Vec<String> },
    /// Everything there is has been read; what comes next is waited for.
    WaitingForRecords { topics: Vec<String>, from_end: bool },
    /// A partition appeared while it was followed.
    NewPartition { topic: &'a str, partition: i32 },
    /// Retention removed what was to be read next.
    OffsetGone { topic: &'a str, partition: i32, offset: i64, resumed: i64 },
    /// The partition went away.
    PartitionGone { topic: &'a str, partition: i32 },
    /// The brokers are gone for the time being.
    Reconnecting { reason: String },
}

/// When to stop.
#[derive(Clone, Copy, Debug, Default)]
pub struct StopRules {
    /// After so many records that counted.
    pub count: Option<u64>,
    /// At the end of every partition as it was when reading began.
    pub at_end: bool,
    /// After so long without a record.
    pub idle: Option<Duration>,
}
