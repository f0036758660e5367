//! Reading partitions without a group, in batches of borrowed records, through librdkafka's queue
//! interface (`rd_kafka_consume_start_queue`, `rd_kafka_consume_batch_queue`). Against the wrapper's
//! `BaseConsumer` it saves a fifth of the CPU time, the group and its permission, 100 ms at exit,
//! and it says at which partition and offset a partition ended.
//!
//! # Contract
//!
//! * Every pointer here belongs to the client in `session`. `Reader` holds an `Arc` of it, and its
//!   `Drop` releases queue and topics before that `Arc`: no handle outlives its client.
//! * A message is owned by the batch that fetched it and destroyed once, by that batch's `Drop`. A
//!   `Record` borrows from the batch, so it cannot outlive its message.
//! * `Reader` is not `Sync`: one thread at a time fetches and destroys. It is `Send`, because
//!   librdkafka's handles may be used from any thread.
//! * On one client the queue interface is never mixed with `subscribe` or `assign`: `Session` has no
//!   group and offers neither.
#![expect(unsafe_code, reason = "the C interface of librdkafka; the contract stands above")]

use std::ffi::{CStr, CString};
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::BorrowedMessage;

use crate::kafka::{KafkaError, Session, TopicPartition};

/// Records a call may bring. Between 100 and 1000 the cost a record is lowest; more falls out of
/// the cache.
const BATCH: usize = 512;

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
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: Option<(i64, TimestampType)>,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone, which is not the same as an empty value.
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
}

/// What a batch brings, in the order in which the partitions sent it.
#[derive(Debug)]
pub enum Entry<'a> {
    Record(Record<'a>),
    /// Everything before `offset` has been handed out; markers and compacted records included.
    EndOfPartition {
        topic: &'a str,
        partition: i32,
        offset: i64,
    },
    /// A partition or the client cannot go on as it was asked.
    Fault {
        topic: &'a str,
        partition: i32,
        offset: i64,
        kind: ReadFault,
        reason: String,
    },
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
    fn of(code: RDKafkaErrorCode) -> Self {
        match code {
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => {
                Self::OffsetGone
            }
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition => Self::PartitionGone,
            code if crate::kafka::error::is_denial(code) => Self::Denied,
            RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::LeaderNotAvailable => Self::Passing,
            _ => Self::Other,
        }
    }
}

struct TopicHandle {
    native: NonNull<sys::rd_kafka_topic_t>,
    name: Box<str>,
}

/// A reader over any number of partitions of one client.
pub struct Reader {
    queue: NonNull<sys::rd_kafka_queue_t>,
    topics: Vec<TopicHandle>,
    started: Vec<(usize, i32)>,
    fetched: Vec<*mut sys::rd_kafka_message_t>,
    session: Arc<Session>,
}

// SAFETY: librdkafka's handles are thread-safe; exclusive access to `fetched` follows from `&mut`.
unsafe impl Send for Reader {}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("partitions", &self.started.len()).finish_non_exhaustive()
    }
}

impl Reader {
    /// A reader that reads nothing yet.
    ///
    /// # Errors
    /// The library is out of memory.
    pub fn new(session: Arc<Session>) -> Result<Self, KafkaError> {
        // SAFETY: the client lives as long as `session`, which the reader keeps.
        let queue = unsafe { sys::rd_kafka_queue_new(session.consumer().client().native_ptr()) };
        let queue = NonNull::new(queue).ok_or_else(|| fault("make a queue", None))?;
        Ok(Self {
            queue,
            topics: Vec::new(),
            started: Vec::new(),
            fetched: vec![ptr::null_mut(); BATCH],
            session,
        })
    }

    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Starts a partition at an absolute offset. Positions are resolved before: a logical offset
    /// would cost librdkafka 500 ms.
    ///
    /// # Errors
    /// The topic's name cannot be one, or the partition was started already.
    pub fn start(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), KafkaError> {
        let topic = self.topic_index(&partition.topic)?;
        // SAFETY: topic and queue are live handles of the same client.
        let outcome = unsafe {
            sys::rd_kafka_consume_start_queue(
                self.topics[topic].native.as_ptr(),
                partition.partition,
                offset,
                self.queue.as_ptr(),
            )
        };
        if outcome == -1 {
            return Err(fault(
                &format!("start reading {}[{}]", partition.topic, partition.partition),
                last_error(),
            ));
        }
        self.started.push((topic, partition.partition));
        Ok(())
    }

    fn topic_index(&mut self, name: &str) -> Result<usize, KafkaError> {
        if let Some(index) = self.topics.iter().position(|topic| &*topic.name == name) {
            return Ok(index);
        }
        let c_name = CString::new(name).map_err(|_| fault(&format!("read {name:?}"), None))?;
        // SAFETY: the client is live; the name ends with NUL; null asks for the default settings.
        let native = unsafe {
            sys::rd_kafka_topic_new(
                self.session.consumer().client().native_ptr(),
                c_name.as_ptr(),
                ptr::null_mut(),
            )
        };
        let native =
            NonNull::new(native).ok_or_else(|| fault(&format!("read {name:?}"), last_error()))?;
        self.topics.push(TopicHandle { native, name: name.into() });
        Ok(self.topics.len() - 1)
    }

    /// What is there without waiting, at most 512 entries; an empty batch says that the reader has
    /// run dry.
    pub fn ready(&mut self) -> Batch<'_> {
        self.fetch(Duration::ZERO, BATCH)
    }

    /// Waits for one entry, at most `wait`.
    pub fn wait(&mut self, wait: Duration) -> Batch<'_> {
        // With room for more the call would wait until the batch is full or the time is over.
        self.fetch(wait, 1)
    }

    fn fetch(&mut self, wait: Duration, most: usize) -> Batch<'_> {
        let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the buffer has room for `BATCH` pointers and `most` is never larger.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(
                self.queue.as_ptr(),
                millis,
                self.fetched.as_mut_ptr(),
                most,
            )
        };
        Batch { count: usize::try_from(count).unwrap_or(0), at: 0, reader: self }
    }

    /// Forgets a partition: nothing of it is fetched any more.
    pub fn stop(&mut self, partition: &TopicPartition) {
        let place = self.started.iter().position(|(topic, number)| {
            *number == partition.partition && *self.topics[*topic].name == partition.topic
        });
        if let Some(place) = place {
            let (topic, number) = self.started.swap_remove(place);
            // SAFETY: the partition was started on this handle and not stopped since.
            unsafe { sys::rd_kafka_consume_stop(self.topics[topic].native.as_ptr(), number) };
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for (topic, partition) in self.started.drain(..) {
            // SAFETY: started and not stopped since; stopped before the queue goes.
            unsafe { sys::rd_kafka_consume_stop(self.topics[topic].native.as_ptr(), partition) };
        }
        for topic in self.topics.drain(..) {
            // SAFETY: made by `rd_kafka_topic_new`, destroyed once.
            unsafe { sys::rd_kafka_topic_destroy(topic.native.as_ptr()) };
        }
        // SAFETY: made by `rd_kafka_queue_new`, destroyed once, before the client in `session`.
        unsafe { sys::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// The error that the library left for the last call of this thread that returned −1.
fn last_error() -> Option<RDKafkaErrorCode> {
    // SAFETY: reads a thread-local of the library.
    Some(unsafe { sys::rd_kafka_last_error() }.into())
}

fn fault(action: &str, code: Option<RDKafkaErrorCode>) -> KafkaError {
    let reason = code.map_or_else(|| "the library refused".to_owned(), crate::kafka::error::words);
    KafkaError::Library { action: action.to_owned(), reason, code }
}

/// Entries that were fetched together.
#[derive(Debug)]
pub struct Batch<'r> {
    reader: &'r mut Reader,
    count: usize,
    at: usize,
}

impl Batch<'_> {
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The next entry, borrowed until the batch is used again.
    pub fn next_entry(&mut self) -> Option<Entry<'_>> {
        if self.at == self.count {
            return None;
        }
        let message = self.reader.fetched[self.at];
        self.at += 1;
        // SAFETY: the library filled `count` places with messages, which live until this batch is
        // dropped; the entry borrows the batch.
        let message = unsafe { &*message };
        Some(entry(message, &self.reader.topics))
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        for message in &mut self.reader.fetched[..self.count] {
            // SAFETY: fetched by this batch and destroyed here only.
            unsafe { sys::rd_kafka_message_destroy(*message) };
            *message = ptr::null_mut();
        }
    }
}

fn entry<'a>(message: &'a sys::rd_kafka_message_t, topics: &'a [TopicHandle]) -> Entry<'a> {
    let topic = topic_name(message, topics);
    let partition = message.partition;
    let offset = message.offset;
    let code = RDKafkaErrorCode::from(message.err);
    match code {
        RDKafkaErrorCode::NoError => Entry::Record(record(message, topic)),
        RDKafkaErrorCode::PartitionEOF => Entry::EndOfPartition { topic, partition, offset },
        code => {
            let reason = bytes(message.payload, message.len)
                .map_or_else(String::new, |text| String::from_utf8_lossy(text).into_owned());
            Entry::Fault { topic, partition, offset, kind: ReadFault::of(code), reason }
        }
    }
}

fn record<'a>(message: &'a sys::rd_kafka_message_t, topic: &'a str) -> Record<'a> {
    Record {
        topic,
        partition: message.partition,
        offset: message.offset,
        timestamp: timestamp(message),
        key: bytes(message.key, message.key_len),
        value: bytes(message.payload, message.len),
        headers: Headers { message: Some(message) },
    }
}

/// A message of the safe wrapper as a record. The wrapper's own view of headers ends the process
/// where a header's name is not UTF-8.
pub(in crate::kafka) fn wrapped<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    // SAFETY: the pointer is that of the library's message, which lives as long as the wrapper; the
    // record borrows the wrapper.
    let native = unsafe { &*message.ptr() };
    record(native, topic_name(native, &[]))
}

/// The name of a message's topic. Compared by handle first, because that is one comparison a record.
fn topic_name<'a>(message: &'a sys::rd_kafka_message_t, topics: &'a [TopicHandle]) -> &'a str {
    if message.rkt.is_null() {
        return "";
    }
    if let Some(topic) = topics.iter().find(|topic| topic.native.as_ptr() == message.rkt) {
        return &topic.name;
    }
    // SAFETY: a message keeps its topic's handle alive; the name is UTF-8, as topics are named in
    // ASCII letters, digits, dots, dashes and underscores.
    let name = unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) };
    name.to_str().unwrap_or("")
}

fn timestamp(message: &sys::rd_kafka_message_t) -> Option<(i64, TimestampType)> {
    let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: the message is live, the type is written through a valid pointer.
    let millis = unsafe { sys::rd_kafka_message_timestamp(message, &raw mut kind) };
    match kind {
        sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => {
            Some((millis, TimestampType::Create))
        }
        sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => {
            Some((millis, TimestampType::LogAppend))
        }
        sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => None,
    }
}

/// The bytes at a pointer of the library; null is absent, not empty.
fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the library gives a pointer and the length of what is there; the callers bind the
    // lifetime to the message that owns it.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) })
}

/// A record's headers, parsed only when they are asked for.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    message: Option<&'a sys::rd_kafka_message_t>,
}

impl std::fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Headers<'a> {
    /// No headers at all, for records that are made by hand.
    pub const NONE: Headers<'static> = Headers { message: None };

    /// Names and values in order; a name may stand several times, a value may be null.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        let list = self.native();
        (0..).map_while(move |index| header(list?, index))
    }

    fn native(self) -> Option<NonNull<sys::rd_kafka_headers_t>> {
        let mut list = ptr::null_mut();
        // SAFETY: the message is live; parsing happens once inside it, on the thread that has it.
        let code = unsafe { sys::rd_kafka_message_headers(self.message?, &raw mut list) };
        (RDKafkaErrorCode::from(code) == RDKafkaErrorCode::NoError)
            .then(|| NonNull::new(list))
            .flatten()
    }
}

fn header<'a>(
    list: NonNull<sys::rd_kafka_headers_t>,
    index: usize,
) -> Option<(&'a str, Option<&'a [u8]>)> {
    let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
    // SAFETY: the list is owned by the message whose lifetime the caller carries; an index past the
    // end is answered with an error code.
    let code = unsafe {
        sys::rd_kafka_header_get_all(
            list.as_ptr(),
            index,
            &raw mut name,
            &raw mut value,
            &raw mut length,
        )
    };
    if RDKafkaErrorCode::from(code) != RDKafkaErrorCode::NoError {
        return None;
    }
    // SAFETY: names end with NUL.
    let name = unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("\u{fffd}");
    Some((name, bytes(value, length)))
}
