//! How far a transfer is: bytes counted where they leave or arrive, read by whoever shows them.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a transfer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Sending,
    /// Every byte is out; the server works.
    Waiting,
}

/// The counter of one transfer.
#[derive(Debug)]
pub struct Meter {
    total: u64,
    accepted: AtomicU64,
    completed: OnceLock<Instant>,
}

impl Meter {
    /// For a body of so many bytes.
    #[must_use]
    pub fn new(total: u64) -> Self {
        Self { total, accepted: AtomicU64::new(0), completed: OnceLock::new() }
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that the kernel accepted (over TLS or a proxy: that the library took), never more than
    /// the total.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed).min(self.total)
    }

    #[must_use]
    pub fn phase(&self) -> Phase {
        if self.completed.get().is_some() { Phase::Waiting } else { Phase::Sending }
    }

    /// Counts bytes that moved.
    pub fn add(&self, bytes: u64) {
        self.accepted.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A number that grows while anything moves, the head of the request included.
    pub(super) fn movement(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(super) fn complete(&self) {
        // Later calls say what the first has said.
        let _ = self.completed.set(Instant::now());
    }

    /// How long the reply has been waited for, once every byte is out.
    #[must_use]
    pub fn waited(&self, now: Instant) -> Option<Duration> {
        self.completed.get().map(|at| now.saturating_duration_since(*at))
    }

    /// How long after `start` the last byte was handed over.
    pub(super) fn completed_after(&self, start: Instant) -> Option<Duration> {
        self.completed.get().map(|at| at.saturating_duration_since(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_waited_for_from_the_last_byte_on() {
        let meter = Meter::new(10);
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(meter.waited(later), None, "still sending");
        meter.complete();
        let waited = meter.waited(later).unwrap();
        assert!(
            waited <= Duration::from_secs(60) && waited > Duration::from_secs(30),
            "{waited:?}"
        );
    }
}
