//! Waiting until a producer has something to report. The safe wrapper's poll returns only when its
//! whole time is over, and spends the last millisecond of it spinning, because it hands the library
//! whole milliseconds: a caller that waits for single reports would use up a core. The library can
//! write to a pipe instead when its queue is no longer empty, and a pipe can be waited for.
//!
//! # Contract
//!
//! * The queue is the client's main queue, of which this holds a reference of its own. Whoever owns
//!   both drops this first: then no client is without the pipe that it writes to.
//! * The library is told to write no more before the pipe is closed.
//! * The library writes once for each time that its queue is read, however much arrives.
#![expect(unsafe_code, reason = "the C interface of librdkafka; the contract stands above")]

use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use crate::kafka::KafkaError;

/// What the library writes.
static MARK: u8 = 1;

/// Told when a producer's queue has something.
pub(in crate::kafka) struct Wakeup {
    queue: NonNull<sys::rd_kafka_queue_t>,
    reader: OwnedFd,
    _writer: OwnedFd,
}

// SAFETY: librdkafka's queues are thread-safe.
unsafe impl Send for Wakeup {}
// SAFETY: as above; the pipe's ends are only read and polled.
unsafe impl Sync for Wakeup {}

impl Wakeup {
    /// # Errors
    /// No pipe can be made.
    pub(in crate::kafka) fn of<C: ProducerContext>(
        producer: &BaseProducer<C>,
    ) -> Result<Self, KafkaError> {
        let failed = |error: rustix::io::Errno| KafkaError::Config {
            reason: format!("the library gets no pipe for its reports: {error}"),
        };
        let (reader, writer) = rustix::pipe::pipe().map_err(failed)?;
        for end in [&reader, &writer] {
            rustix::fs::fcntl_setfl(end, OFlags::NONBLOCK).map_err(failed)?;
        }
        // SAFETY: the client is live.
        let queue = unsafe { sys::rd_kafka_queue_get_main(producer.client().native_ptr()) };
        let queue = NonNull::new(queue).ok_or_else(|| KafkaError::Config {
            reason: "the library gave no queue for reports".to_owned(),
        })?;
        // SAFETY: queue and descriptor are live until `drop`, which undoes this; the payload is
        // copied.
        unsafe {
            sys::rd_kafka_queue_io_event_enable(
                queue.as_ptr(),
                writer.as_raw_fd(),
                ptr::from_ref(&MARK).cast(),
                size_of_val(&MARK),
            );
        }
        Ok(Self { queue, reader, _writer: writer })
    }

    /// Waits until something arrived since the queue was last read, at most for so long.
    pub(in crate::kafka) fn wait(&self, longest: Duration) {
        let time = Timespec::try_from(longest).ok();
        // An interrupted or failed wait is a short one: the caller looks again.
        let _ = poll(&mut [PollFd::new(&self.reader, PollFlags::IN)], time.as_ref());
        let mut marks = [0; 64];
        while rustix::io::read(&self.reader, &mut marks).is_ok_and(|read| read == marks.len()) {}
    }
}

impl Drop for Wakeup {
    fn drop(&mut self) {
        // SAFETY: the reference is ours and given back once, after the library has been told to
        // write no more.
        unsafe {
            sys::rd_kafka_queue_io_event_enable(self.queue.as_ptr(), -1, ptr::null(), 0);
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}
