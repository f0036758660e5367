//! Following topics: the engine of `tail`. It resolves what was named to topics that exist, fixes
//! where each partition starts and ends, reads without a group, and stops by position, never by the
//! last record that happened to be visible. It creates nothing and commits nothing.

mod cursor;
mod engine;
pub mod filter;
mod group;
mod newest;
mod outage;
mod plan;
mod position;
mod progress;
mod start;
mod target;
mod watch;

pub use cursor::{Cursor, InvalidCursor, fix_ends, fix_ends_in};
pub use engine::follow;
pub use filter::Filter;
pub use plan::{FollowPlan, Newest, Outcome, Stop, StopRules};
pub use position::{InvalidPosition, Position, parse_position};
pub use target::{Source, Target};

use std::time::Duration;

use crate::base::Failure;
use crate::kafka::{Record, TopicId, TopicPartition};
use crate::schema::role::Role;

/// What a sink did with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The record counts towards `-n`.
    Counted,
    /// The record was passed over.
    Skipped,
    /// The record gave so many results, each of which counts.
    Several(u64),
}

impl Taken {
    pub(crate) fn count(self) -> u64 {
        match self {
            Taken::Counted => 1,
            Taken::Skipped => 0,
            Taken::Several(count) => count,
        }
    }
}

/// Takes what is read. Implemented by whoever shows it.
pub trait RecordSink {
    /// A topic whose records may come from now on, with the role it plays. Records carry its number.
    fn topic(&mut self, id: TopicId, name: &str, role: Option<Role>);

    /// One record, borrowed.
    ///
    /// # Errors
    /// It cannot be shown: the engine stops.
    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure>;

    /// Whether a record that passed every filter may count as none, so that more of them are needed
    /// than are counted.
    fn may_pass_over(&self) -> bool {
        true
    }

    /// Nothing more is there for now: what was collected must be shown.
    ///
    /// # Errors
    /// As [`RecordSink::record`].
    fn dry(&mut self) -> Result<(), Failure>;

    /// Something that is no record.
    fn notice(&mut self, notice: &Notice<'_>);

    /// How often [`RecordSink::situation`] is wanted; `None` for never.
    fn wants_situation(&self) -> Option<Duration> {
        None
    }

    /// How the read stands.
    ///
    /// # Errors
    /// It shall not go on.
    fn situation(&mut self, situation: &Situation) -> Result<(), Failure> {
        let _ = situation;
        Ok(())
    }

    /// Where the read begins is fixed in every partition that is there: whatever comes from now on
    /// is read. Once, before the first record.
    ///
    /// # Errors
    /// It shall not begin.
    fn fixed(&mut self, starts: &Cursor) -> Result<(), Failure> {
        let _ = starts;
        Ok(())
    }
}

/// How a read stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Partitions that are read.
    pub partitions: usize,
    /// Offsets between what was read and what the brokers have.
    pub lag: i64,
    /// Records taken so far, passed over or not.
    pub seen: u64,
    /// Since when the brokers have been away.
    pub outage: Option<Duration>,
}

/// A partition that ends before the offset from which it was to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeyondEnd {
    pub place: TopicPartition,
    pub offset: i64,
    pub end: i64,
}

/// What the engine has to say beside records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// None of a role's topics exists yet.
    WaitingForTopic { topics: Vec<String> },
    /// Everything there is has been read; what comes next is waited for.
    WaitingForRecords { topics: Vec<String>, from_end: bool },
    /// Everything there is has been read; records are read until this time, in milliseconds since
    /// the epoch.
    WaitingForTime { topics: Vec<String>, until: i64 },
    /// The end that was asked for lies behind what is there.
    WaitingForOffset { topic: &'a str, partition: i32, offset: i64, end: i64 },
    /// The start that was asked for lies behind the end of these partitions.
    StartsBeyondEnd { places: Vec<BeyondEnd> },
    /// A partition appeared while it was followed.
    NewPartition { topic: &'a str, partition: i32 },
    /// Retention removed what was to be read next.
    OffsetGone { topic: &'a str, partition: i32, offset: i64, resumed: i64 },
    /// The partition went away.
    PartitionGone { topic: &'a str, partition: i32 },
    /// A partition cannot be read for a reason that may pass.
    Stuck { topic: &'a str, partition: i32, reason: &'a str },
    /// Updates or deletions of models are on a topic that is read for completions, and are passed over.
    LifecyclePassedOver { topic: &'a str },
    /// These partitions are read as a member of a group.
    Joined { group: &'a str, partitions: &'a [TopicPartition] },
    /// Something that passes: it is tried again.
    Trouble { reason: &'a str },
    /// The brokers are gone for the time being.
    OutageBegan { reason: &'a str },
    /// They are back.
    OutageEnded { after: Duration },
}
