//! Asynchronous commits whose answers can be waited for. The safe wrapper of this version sends
//! them and never hears of the end: it sets no commit callback, and without one the library keeps
//! the answer to itself. With a queue of our own the answer comes as an event.
//!
//! # Contract
//!
//! * The queue belongs to the client that it was made for; whoever owns both drops the queue first.
//! * An event lives until it is destroyed, here and once; the list in it is the event's.
#![expect(unsafe_code, reason = "the C interface of librdkafka; the contract stands above")]

use std::ffi::CStr;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::kafka::{KafkaError, TopicPartition};

/// How a commit ended: the positions that the group has now.
pub(in crate::kafka) type Committed = Result<Vec<(TopicPartition, i64)>, KafkaError>;

/// Where the answers to one client's commits arrive.
pub(in crate::kafka) struct CommitQueue {
    queue: NonNull<sys::rd_kafka_queue_t>,
}

// SAFETY: librdkafka's queues are thread-safe.
unsafe impl Send for CommitQueue {}

impl CommitQueue {
    /// # Errors
    /// The library is out of memory.
    pub(in crate::kafka) fn new<C: ConsumerContext>(
        consumer: &BaseConsumer<C>,
    ) -> Result<Self, KafkaError> {
        // SAFETY: the client is live.
        let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        let queue = NonNull::new(queue).ok_or_else(|| KafkaError::Config {
            reason: "the library gave no queue for commits".to_owned(),
        })?;
        Ok(Self { queue })
    }

    /// Sends positions; the answer comes from [`CommitQueue::answer`].
    ///
    /// # Errors
    /// The library does not take the commit.
    pub(in crate::kafka) fn send<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        positions: &TopicPartitionList,
    ) -> Result<(), KafkaError> {
        // SAFETY: client, list and queue are live; the list is copied; without a callback the
        // answer is an event on the queue.
        let code = unsafe {
            sys::rd_kafka_commit_queue(
                consumer.client().native_ptr(),
                positions.ptr(),
                self.queue.as_ptr(),
                None,
                ptr::null_mut(),
            )
        };
        refuse(code)
    }

    /// The next answer, at most `wait` later.
    pub(in crate::kafka) fn answer(&self, wait: Duration) -> Option<Committed> {
        let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is live.
        let event = NonNull::new(unsafe { sys::rd_kafka_queue_poll(self.queue.as_ptr(), millis) })?;
        // SAFETY: the event is live until it is destroyed below, the list with it.
        let committed = unsafe {
            refuse(sys::rd_kafka_event_error(event.as_ptr()))
                .and_then(|()| positions(sys::rd_kafka_event_topic_partition_list(event.as_ptr())))
        };
        // SAFETY: polled above and destroyed here only.
        unsafe { sys::rd_kafka_event_destroy(event.as_ptr()) };
        Some(committed)
    }
}

impl Drop for CommitQueue {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_queue_new`, destroyed once, before its client.
        unsafe { sys::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

fn refuse(code: sys::rd_kafka_resp_err_t) -> Result<(), KafkaError> {
    match RDKafkaErrorCode::from(code) {
        RDKafkaErrorCode::NoError => Ok(()),
        code => Err(KafkaError::library("commit positions", &LibraryError::ConsumerCommit(code))),
    }
}

/// The positions of a list, or the error of the first partition that has one.
///
/// # Safety
/// The list is null or live, its elements with it.
unsafe fn positions(list: *const sys::rd_kafka_topic_partition_list_t) -> Committed {
    // SAFETY: as the caller promises.
    let Some(list) = (unsafe { list.as_ref() }) else { return Ok(Vec::new()) };
    let count = usize::try_from(list.cnt).unwrap_or(0);
    if list.elems.is_null() || count == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: a list holds `cnt` elements.
    let elements = unsafe { std::slice::from_raw_parts(list.elems, count) };
    elements
        .iter()
        .map(|element| {
            refuse(element.err)?;
            // SAFETY: an element's topic is text that ends with NUL.
            let topic = unsafe { CStr::from_ptr(element.topic) }.to_string_lossy();
            Ok((TopicPartition::new(topic, element.partition), element.offset))
        })
        .collect()
}
