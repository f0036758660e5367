//! What is read, as values: a record borrowed from its batch, the same with its own memory, and what
//! else a batch can bring.

use rdkafka::error::RDKafkaErrorCode;

use super::Headers;

/// A topic of one reader, as a small number: what belongs to a topic is kept in a list and found by
/// its place, because a name would have to be hashed or compared for every record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub(super) u32);

impl TopicId {
    /// The topic at a place; what it stands for is the reader's to say.
    #[must_use]
    pub const fn at(place: u32) -> Self {
        Self(place)
    }

    /// Its place among the topics of its reader, counted from 0 in the order of their naming.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a record's timestamp comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer set it.
    Create,
    /// The broker set it when it appended the record.
    LogAppend,
}

impl TimestampType {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            TimestampType::Create => "create_time",
            TimestampType::LogAppend => "log_append_time",
        }
    }
}

/// A record, borrowed from its batch.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub topic: &'a str,
    pub topic_id: TopicId,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: Option<(i64, TimestampType)>,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone, which is not the same as an empty value.
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
}

impl<'a> Record<'a> {
    /// A record of key and value at the beginning of a topic, without time and headers.
    #[must_use]
    pub fn plain(topic: &'a str, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Self {
        Self {
            topic,
            topic_id: TopicId::default(),
            partition: 0,
            offset: 0,
            timestamp: None,
            key,
            value,
            headers: Headers::NONE,
        }
    }

    /// Copies it out of its batch.
    #[must_use]
    pub fn to_owned(&self) -> OwnedRecord {
        OwnedRecord {
            topic: self.topic.to_owned(),
            topic_id: self.topic_id,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.map(<[u8]>::to_vec),
            value: self.value.map(<[u8]>::to_vec),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec)))
                .collect(),
        }
    }
}

/// A header with its own memory: a name, and a value that may be null.
pub type OwnedHeader = (String, Option<Vec<u8>>);

/// A record with its own memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedRecord {
    pub topic: String,
    pub topic_id: TopicId,
    pub partition: i32,
    pub offset: i64,
    pub timestamp: Option<(i64, TimestampType)>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<OwnedHeader>,
}

impl OwnedRecord {
    #[must_use]
    pub fn borrowed(&self) -> Record<'_> {
        Record {
            topic: &self.topic,
            topic_id: self.topic_id,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: Headers::of(&self.headers),
        }
    }
}

/// What a batch brings, in the order in which the partitions sent it.
#[derive(Debug)]
pub enum Entry<'a> {
    Record(Record<'a>),
    /// Everything before `offset` has been handed out; markers and compacted records included.
    EndOfPartition {
        topic: TopicId,
        partition: i32,
        offset: i64,
    },
    /// A partition or the client cannot go on as it was asked.
    Fault(Fault),
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub topic: TopicId,
    pub partition: i32,
    pub offset: i64,
    pub kind: ReadFault,
    /// The library's words.
    pub reason: String,
}

/// What a fault means for the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// What was to be read next is not there any more.
    OffsetGone,
    /// The topic or the partition is not there any more.
    PartitionGone,
    /// Reading is not permitted.
    Denied,
    /// A connection was lost; the library reconnects by itself.
    Passing,
    Other,
}

impl ReadFault {
    pub(super) fn of(code: RDKafkaErrorCode) -> Self {
        match code {
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
                Self::OffsetGone
            }
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition => Self::PartitionGone,
            code if super::error::is_denial(code) => Self::Denied,
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::LeaderNotAvailable => Self::Passing,
            _ => Self::Other,
        }
    }
}
