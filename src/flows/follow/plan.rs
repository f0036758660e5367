//! What to read, from where, until when; and how it ended.

use std::time::Duration;

use super::{Filter, Position, Source};
use crate::base::Clock;
use crate::kafka::Record;
use crate::schema::events::ModelChanged;
use crate::schema::role::Role;

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
    /// Topics that are read as those of completions: updates and deletions of models, which an older
    /// `serve` sends there too, are passed over.
    pub completion_topics: Vec<String>,
    /// What "a time to come" is measured with.
    pub clock: Clock,
}

impl FollowPlan {
    /// Everything of the sources from a position on, for ever.
    #[must_use]
    pub fn new(sources: Vec<Source>, from: Position) -> Self {
        Self {
            completion_topics: completion_topics(&sources),
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

    /// Whether a record is one of those that are wanted.
    #[inline]
    pub(super) fn accepts(&self, record: &Record<'_>) -> bool {
        self.filter.passes(record) && !self.is_lifecycle(record)
    }

    /// Whether every record is wanted.
    pub(super) fn accepts_all(&self) -> bool {
        self.filter.is_empty() && self.completion_topics.is_empty()
    }

    /// Whether a record is an update or a deletion of a model among completions.
    #[inline]
    pub(super) fn is_lifecycle(&self, record: &Record<'_>) -> bool {
        !self.completion_topics.is_empty()
            && self.completion_topics.iter().any(|topic| topic == record.topic)
            && record.value.is_some_and(ModelChanged::is_one)
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

/// The topics of the automl role, but for those that are named themselves.
fn completion_topics(sources: &[Source]) -> Vec<String> {
    let is_named = |name: &str| {
        sources.iter().any(|source| matches!(source, Source::Topic(topic) if topic == name))
    };
    sources
        .iter()
        .filter(|source| matches!(source, Source::Role { role: Role::Automl, .. }))
        .flat_map(Source::candidates)
        .filter(|name| !is_named(name))
        .map(str::to_owned)
        .collect()
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
