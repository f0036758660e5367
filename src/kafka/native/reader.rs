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

use crate::kafka::record::OwnedHeader;
use crate::kafka::{Entry, Fault, KafkaError, ReadFault, Record, Session, TimestampType, TopicId};

/// Records a call may bring. Between 100 and 1000 the cost a record is lowest; more falls out of
/// the cache.
const BATCH: usize = 512;

struct TopicHandle {
    native: NonNull<sys::rd_kafka_topic_t>,
    name: CString,
}

impl TopicHandle {
    fn text(&self) -> &str {
        // Made from a string slice.
        self.name.to_str().unwrap_or("")
    }
}

/// What the client must be asked to free.
struct Handles {
    queue: NonNull<sys::rd_kafka_queue_t>,
    topics: Vec<TopicHandle>,
    started: Vec<(TopicId, i32)>,
}

// SAFETY: librdkafka's handles are thread-safe, and nobody else has these.
unsafe impl Send for Handles {}

/// A reader over any number of partitions of one client.
pub struct Reader {
    // Before the session: the client must outlive its handles.
    handles: Handles,
    /// The place of the topic of the last record: neighbours mostly have the same.
    recent: u32,
    fetched: Vec<*mut sys::rd_kafka_message_t>,
    session: Arc<Session>,
}

// SAFETY: the handles may be used from any thread; exclusive access to `fetched` follows from `&mut`.
unsafe impl Send for Reader {}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("partitions", &self.handles.started.len())
            .finish_non_exhaustive()
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
            handles: Handles { queue, topics: Vec::new(), started: Vec::new() },
            recent: 0,
            fetched: vec![ptr::null_mut(); BATCH],
            session,
        })
    }

    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Names a topic; one that was named before keeps its number.
    ///
    /// # Errors
    /// The name cannot be one of a topic.
    pub fn topic(&mut self, name: &str) -> Result<TopicId, KafkaError> {
        if let Some(index) = self.handles.topics.iter().position(|topic| topic.text() == name) {
            return Ok(id(index));
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
        self.handles.topics.push(TopicHandle { native, name: c_name });
        Ok(id(self.handles.topics.len() - 1))
    }

    /// The name under which a topic was named.
    #[must_use]
    pub fn name(&self, topic: TopicId) -> &str {
        self.handles.topics.get(topic.index()).map_or("", TopicHandle::text)
    }

    /// Starts a partition at an absolute offset. Positions are resolved before: a logical offset
    /// would cost librdkafka 500 ms.
    ///
    /// # Errors
    /// The partition was started already.
    pub fn start(&mut self, topic: TopicId, partition: i32, offset: i64) -> Result<(), KafkaError> {
        let handle = &self.handles.topics[topic.index()];
        // SAFETY: topic and queue are live handles of the same client.
        let outcome = unsafe {
            sys::rd_kafka_consume_start_queue(
                handle.native.as_ptr(),
                partition,
                offset,
                self.handles.queue.as_ptr(),
            )
        };
        if outcome == -1 {
            let action = format!("start reading {}[{partition}]", handle.text());
            return Err(fault(&action, last_error()));
        }
        self.handles.started.push((topic, partition));
        Ok(())
    }

    /// The end of a partition as the last fetch reported it, without asking anybody; `None` before
    /// the first.
    #[must_use]
    pub fn known_end(&self, topic: TopicId, partition: i32) -> Option<i64> {
        let (mut low, mut high) = (-1, -1);
        // SAFETY: the client and the name are live; both places are valid for writing.
        let code = unsafe {
            sys::rd_kafka_get_watermark_offsets(
                self.session.consumer().client().native_ptr(),
                self.handles.topics.get(topic.index())?.name.as_ptr(),
                partition,
                &raw mut low,
                &raw mut high,
            )
        };
        (RDKafkaErrorCode::from(code) == RDKafkaErrorCode::NoError && high >= 0).then_some(high)
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

    /// The number of a message's topic, compared by handle: one comparison a record. A fault of the
    /// client has no topic and gets the number of none.
    #[inline]
    fn topic_of(&mut self, message: &sys::rd_kafka_message_t) -> TopicId {
        let is_its = |topic: &TopicHandle| topic.native.as_ptr() == message.rkt;
        if !self.handles.topics.get(self.recent as usize).is_some_and(is_its) {
            let Some(index) = self.handles.topics.iter().position(is_its) else {
                return TopicId(u32::MAX);
            };
            self.recent = id(index).0;
        }
        TopicId(self.recent)
    }

    /// Ends the reader without waiting for it: what there is to stop and to free goes to the session's
    /// own thread, and is left to the operating system where the program ends before. With a mebibyte
    /// fetched it takes as long as a tenth of a short command. Nothing is read with the session again.
    pub fn leave(self) {
        self.session.free_later(Box::new(self.handles));
    }

    fn fetch(&mut self, wait: Duration, most: usize) -> Batch<'_> {
        let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the buffer has room for `BATCH` pointers and `most` is never larger.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(
                self.handles.queue.as_ptr(),
                millis,
                self.fetched.as_mut_ptr(),
                most,
            )
        };
        Batch { count: usize::try_from(count).unwrap_or(0), at: 0, reader: self }
    }

    /// Forgets a partition: nothing of it is fetched any more. One that was not started is none.
    pub fn stop(&mut self, topic: TopicId, partition: i32) {
        if let Some(place) =
            self.handles.started.iter().position(|known| *known == (topic, partition))
        {
            self.handles.started.swap_remove(place);
            // SAFETY: the partition was started on this handle and not stopped since.
            unsafe {
                sys::rd_kafka_consume_stop(
                    self.handles.topics[topic.index()].native.as_ptr(),
                    partition,
                )
            };
        }
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        for (topic, partition) in self.started.drain(..) {
            // SAFETY: started and not stopped since; stopped before the queue goes.
            unsafe {
                sys::rd_kafka_consume_stop(self.topics[topic.index()].native.as_ptr(), partition)
            };
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
    #[inline]
    pub fn next_entry(&mut self) -> Option<Entry<'_>> {
        if self.at == self.count {
            return None;
        }
        let message = self.reader.fetched[self.at];
        self.at += 1;
        // SAFETY: the library filled `count` places with messages, which live until this batch is
        // dropped; the entry borrows the batch.
        let message = unsafe { &*message };
        let topic = self.reader.topic_of(message);
        Some(entry(message, topic, &self.reader.handles.topics))
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

#[inline]
fn entry<'a>(
    message: &'a sys::rd_kafka_message_t,
    topic: TopicId,
    topics: &'a [TopicHandle],
) -> Entry<'a> {
    let (partition, offset) = (message.partition, message.offset);
    match RDKafkaErrorCode::from(message.err) {
        RDKafkaErrorCode::NoError => {
            let name = topics.get(topic.index()).map_or("", TopicHandle::text);
            Entry::Record(record(message, name, topic))
        }
        RDKafkaErrorCode::PartitionEOF => Entry::EndOfPartition { topic, partition, offset },
        code => {
            let reason = bytes(message.payload, message.len)
                .map_or_else(String::new, |text| String::from_utf8_lossy(text).into_owned());
            Entry::Fault(Fault { topic, partition, offset, kind: ReadFault::of(code), reason })
        }
    }
}

#[inline]
fn record<'a>(
    message: &'a sys::rd_kafka_message_t,
    topic: &'a str,
    topic_id: TopicId,
) -> Record<'a> {
    Record {
        topic,
        topic_id,
        partition: message.partition,
        offset: message.offset,
        timestamp: timestamp(message),
        key: bytes(message.key, message.key_len),
        value: bytes(message.payload, message.len),
        headers: Headers { list: List::Native(message) },
    }
}

/// A message of the safe wrapper as a record. The wrapper's own view of headers ends the process
/// where a header's name is not UTF-8.
pub(in crate::kafka) fn wrapped<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    // SAFETY: the pointer is that of the library's message, which lives as long as the wrapper; the
    // record borrows the wrapper.
    let native = unsafe { &*message.ptr() };
    record(native, topic_name(native), TopicId::default())
}

/// The name of a message's topic, whoever named it.
fn topic_name(message: &sys::rd_kafka_message_t) -> &str {
    if message.rkt.is_null() {
        return "";
    }
    // SAFETY: a message keeps its topic's handle alive; the name is UTF-8, as topics are named in
    // ASCII letters, digits, dots, dashes and underscores.
    let name = unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) };
    name.to_str().unwrap_or("")
}

fn id(index: usize) -> TopicId {
    TopicId(u32::try_from(index).unwrap_or(u32::MAX))
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
    list: List<'a>,
}

#[derive(Clone, Copy)]
enum List<'a> {
    Native(&'a sys::rd_kafka_message_t),
    Owned(&'a [OwnedHeader]),
}

impl std::fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Headers<'a> {
    /// No headers at all.
    pub const NONE: Headers<'static> = Headers { list: List::Owned(&[]) };

    /// The headers of a record with its own memory.
    #[must_use]
    pub fn of(list: &'a [OwnedHeader]) -> Self {
        Self { list: List::Owned(list) }
    }

    /// Names and values in order; a name may stand several times, a value may be null.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        let (native, owned) = match self.list {
            List::Native(message) => (native_headers(message), &[][..]),
            List::Owned(list) => (None, list),
        };
        let native = (0..).map_while(move |index| header(native?, index));
        native.chain(owned.iter().map(|(name, value)| (name.as_str(), value.as_deref())))
    }
}

fn native_headers(message: &sys::rd_kafka_message_t) -> Option<NonNull<sys::rd_kafka_headers_t>> {
    let mut list = ptr::null_mut();
    // SAFETY: the message is live; parsing happens once inside it, on the thread that has it.
    let code = unsafe { sys::rd_kafka_message_headers(message, &raw mut list) };
    (RDKafkaErrorCode::from(code) == RDKafkaErrorCode::NoError)
        .then(|| NonNull::new(list))
        .flatten()
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
