//! What a file looked like when it was found, so that a change while it is sent is noticed.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Size and time of change of a file at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Bytes.
    pub size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Identity {
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self { size: metadata.len(), seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() }
    }

    /// What differs from a later look, in words.
    #[must_use]
    pub fn difference(&self, later: &Self) -> Option<&'static str> {
        match later.size.cmp(&self.size) {
            std::cmp::Ordering::Less => Some("it shrank"),
            std::cmp::Ordering::Greater => Some("it grew"),
            std::cmp::Ordering::Equal if later != self => Some("it was written to"),
            std::cmp::Ordering::Equal => None,
        }
    }
}
