//! The proof that a record is on its topic. It stands in a file of its own so that nothing but a
//! delivery report can make one: what is committed or reported as sent asks for this type.

use std::fmt;
use std::sync::Arc;

/// Where a record lies, as all in-sync replicas have acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    topic: Arc<str>,
    partition: i32,
    offset: i64,
}

impl Acknowledgement {
    /// Only the producer's delivery callback calls this.
    pub(super) fn from_delivery_report(topic: &str, partition: i32, offset: i64) -> Self {
        Self { topic: topic.into(), partition, offset }
    }

    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    #[must_use]
    pub fn partition(&self) -> i32 {
        self.partition
    }

    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset
    }
}

impl fmt::Display for Acknowledgement {
    /// `topic[partition]@offset`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}
