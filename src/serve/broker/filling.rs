//! How much each partition of the embedded broker has been given, and a warning before it is full.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::RETENTION;
use super::produce::{Load, loads};
use crate::serve::ServeReporter;

/// Bytes after which somebody is warned, while nothing is lost.
const NEARLY: u64 = RETENTION / 5 * 4;

/// Counts what is sent to partitions, and warns once of each.
pub(super) struct Filling {
    /// Bytes by `TOPIC[PARTITION]`.
    given: Mutex<HashMap<String, u64>>,
    reporter: Arc<dyn ServeReporter>,
}

impl Filling {
    pub fn new(reporter: Arc<dyn ServeReporter>) -> Self {
        Self { given: Mutex::default(), reporter }
    }

    /// Takes note of a request; `head` is the beginning of what follows its length.
    pub fn request(&self, head: &[u8]) {
        for Load { topic, partition, bytes } in loads(head) {
            let place = format!("{topic}[{partition}]");
            if self.fills(&place, bytes) {
                self.reporter.trouble(&format!(
                    "{place} nears the {} MiB that the embedded broker keeps of a partition: it will \
                     drop the oldest records; a real Kafka keeps them: --brokers",
                    RETENTION / 1024 / 1024
                ));
            }
        }
    }

    /// Whether these bytes are the ones that bring a partition near the end.
    fn fills(&self, place: &str, bytes: u64) -> bool {
        // A panic elsewhere leaves a sum that is off by one load at most.
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = given.entry(place.to_owned()).or_default();
        let before = *sum;
        *sum += bytes;
        before < NEARLY && *sum >= NEARLY
    }
}
