//! A record that is being worked on: a copy that outlives the client's buffer.

use std::sync::Arc;

use crate::kafka::Record;

/// Where a record lies, and when it came there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: Option<i64>,
}

impl std::fmt::Display for Place {
    /// `topic[partition]@offset`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

/// A record as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub place: Place,
    pub key: Option<Box<[u8]>>,
    pub value: Option<Box<[u8]>>,
    pub headers: Vec<(String, Option<Box<[u8]>>)>,
}

impl Kept {
    #[must_use]
    pub fn of(record: &Record<'_>) -> Self {
        Self {
            place: Place {
                topic: record.topic.into(),
                partition: record.partition,
                offset: record.offset,
                timestamp: record.timestamp.map(|(millis, _)| millis),
            },
            key: record.key.map(Into::into),
            value: record.value.map(Into::into),
            headers: record
                .headers
                .iter()
                .map(|(name, value)| (name.to_owned(), value.map(Into::into)))
                .collect(),
        }
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        self.key.as_ref().map_or(0, |key| key.len())
            + self.value.as_ref().map_or(0, |value| value.len())
    }
}
