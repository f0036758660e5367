//! Forwarding the end of one step to the next: the engine of `forward`. It joins a group, shows each
//! event, looks up what it is about, and sends the trigger that follows. An offset is committed only
//! when the trigger of its record and of all before it in the partition is acknowledged, so that
//! whatever is killed when, every event has its trigger; one that is sent twice is the same twice.

mod dead_letter;
mod desk;
mod engine;
mod lanes;
mod lookup;
mod retry;
mod route;
mod sender;
mod source;
mod trigger;

pub use dead_letter::REASON;
pub use engine::{Forwarding, forward};
pub use route::Route;
pub use source::Place;
pub use trigger::{Aim, Terms, TriggerDialects, TriggerTopics};

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::kafka::{Acknowledgement, GroupStart, TopicPartition};

/// What to forward, and how.
#[derive(Clone, Debug)]
pub struct ForwardPlan {
    pub route: Route,
    /// The topics of the route's events; at least one of them comes into being some day.
    pub topics: Vec<String>,
    pub group: String,
    /// Where a group without a position starts.
    pub start: GroupStart,
    pub terms: Terms,
    /// Where poison goes; without it, it is told and passed by.
    pub dead_letter: Option<String>,
    /// Where the models' files go, as `USER/MODEL/VERSION/…`; without it they go nowhere.
    pub download_dir: Option<PathBuf>,
    /// Look-ups at once.
    pub lookups: usize,
    /// Ends after so many records.
    pub count: Option<u64>,
    /// Ends when no record came for so long.
    pub idle: Option<Duration>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forwarded {
    pub stop: ForwardStop,
    /// Records that are done.
    pub records: u64,
    pub triggers: u64,
    pub set_aside: u64,
    /// Records that were begun and are left to the next run.
    pub left: usize,
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardStop {
    Count,
    Idle,
    Deadline,
    Shutdown,
}

/// What happens beside the records themselves. Implemented by whoever shows it.
pub trait ForwardReporter {
    fn notice(&self, notice: &ForwardNotice<'_>);
}

/// One thing that happened.
#[derive(Debug)]
pub enum ForwardNotice<'a> {
    /// None of the topics exists yet.
    WaitingForTopic {
        topics: &'a [String],
    },
    /// None of the service's topics, and not there: what is sent to them makes them, where anything
    /// does.
    NoTarget {
        topics: &'a [String],
    },
    /// The group gave us these partitions, perhaps none.
    Assigned {
        group: &'a str,
        partitions: &'a [TopicPartition],
    },
    /// The group takes partitions away; so many of their records are left to their next owner.
    Released {
        partitions: &'a [TopicPartition],
        left: usize,
    },
    /// A trigger is on its topic.
    Triggered {
        source: &'a Place,
        event_type: &'a str,
        place: &'a Acknowledgement,
    },
    /// The model's files are here, each held against its record.
    Downloaded {
        source: &'a Place,
        path: &'a Path,
    },
    /// An event that causes nothing.
    PassedBy {
        source: &'a Place,
        reason: &'a str,
    },
    /// A record that nothing can be done with, and where it is kept now.
    Poison {
        source: &'a Place,
        reason: &'a str,
        kept: Option<&'a Acknowledgement>,
    },
    /// A record is tried again.
    Again {
        source: &'a Place,
        reason: &'a str,
        pause: Duration,
    },
    /// The API is away; everything waits for it.
    ApiAway {
        reason: &'a str,
    },
    ApiBack {
        after: Duration,
    },
    /// Triggers cannot be sent for now.
    SendingAgain {
        reason: &'a str,
    },
    /// Something at the brokers that passes.
    Trouble {
        reason: &'a str,
    },
}
