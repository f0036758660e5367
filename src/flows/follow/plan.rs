//! What to read, from where, until when; and how it ended.

use std::time::Duration;

use super::{Filter, Position, Source};
use crate::base::Clock;

/// What to read, from where, until when.
#[derive(Clone, Debug)]
pub struct FollowPlan {
    pub sources: Vec<Source>,
    pub from: Position,
    /// The first place that is not read any more, fixed when reading begins. `None` follows.
    pub until: Option<Position>,
    /// In place of `from` and `until`: so many of the newest records, up to the end.
    pub newest: Option<Newest>,
    pub stop: StopRules,
    /// Read as a member of this group: it goes on where the group is, `from` (beginning or end)
    /// holds where the group has no position, and what was shown and flushed is committed.
    pub group: Option<String>,
    /// Only these partitions; empty for all.
    pub partitions: Vec<i32>,
    pub filter: Filter,
    /// What "a time to come" is measured with.
    pub clock: Clock,
}

impl FollowPlan {
    /// Everything of the sources from a position on, for ever.
    #[must_use]
    pub fn new(sources: Vec<Source>, from: Position) -> Self {
        Self {
            sources,
            from,
            until: None,
            newest: None,
            stop: StopRules::default(),
            group: None,
            partitions: Vec::new(),
            filter: Filter::default(),
            clock: Clock::system(),
        }
    }

    /// Whether this partition of its topics is read.
    pub(super) fn reads(&self, partition: i32) -> bool {
        self.partitions.is_empty() || self.partitions.contains(&partition)
    }

    /// Whether the read ends by itself at a place that is known when it begins.
    pub(super) fn is_bounded(&self) -> bool {
        match &self.until {
            None => self.newest.is_some(),
            Some(Position::Time(millis)) => *millis <= self.clock.now().millis(),
            Some(_) => true,
        }
    }

    /// The time at which the end is to be looked up, where that is still to come.
    pub(super) fn closing_time(&self) -> Option<i64> {
        match self.until {
            Some(Position::Time(millis)) if millis > self.clock.now().millis() => Some(millis),
            _ => None,
        }
    }
}

/// The newest records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newest {
    /// So many of all that is read, by their timestamps.
    OfAll(u64),
    /// So many of each partition, by their offsets.
    OfEachPartition(u64),
}

/// When to stop beside the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct StopRules {
    /// After so many records that counted.
    pub count: Option<u64>,
    /// After so long without a record.
    pub idle: Option<Duration>,
    /// When the brokers have been away for so long: an error.
    pub max_outage: Option<Duration>,
}

/// Why a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As many records as were asked for.
    Count,
    /// The end of every partition.
    End,
    /// Nothing came for as long as was allowed.
    Idle,
    /// The deadline.
    Deadline,
    /// Somebody asked for it.
    Shutdown,
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stop: Stop,
    /// Records that counted.
    pub records: u64,
    /// Offsets that are there, before an end that was asked for, and were not read: more than none
    /// only where something ended the read before its end.
    pub unread: u64,
}
