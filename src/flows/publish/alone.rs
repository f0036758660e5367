//! The second try of records that were refused with their batch: a broker judges batches, so one
//! record with a bad time, or a topic that takes only small batches, would take good records along.
//! Here each goes in a batch of its own, and what is said of it then is said of it alone.

use std::collections::VecDeque;
use std::time::Duration;

use super::engine::Publishing;
use crate::kafka::{Acknowledgement, Enqueued, KafkaError, Producer, Returned};

/// A producer of batches of one, made when the first record needs it: most runs have none.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    publishing: &'a Publishing<'a>,
    producer: Option<Producer>,
    waiting: VecDeque<(u64, Option<i64>, Returned)>,
}

impl<'a> Alone<'a> {
    pub fn new(publishing: &'a Publishing<'a>) -> Self {
        Self { publishing, producer: None, waiting: VecDeque::new() }
    }

    /// A record, with the timestamp that was set for it.
    pub fn take(&mut self, number: u64, timestamp: Option<i64>, record: Returned) {
        self.waiting.push_back((number, timestamp, record));
    }

    /// Records without a verdict.
    pub fn in_flight(&self) -> u64 {
        self.waiting.len() as u64 + self.producer.as_ref().map_or(0, Producer::in_flight)
    }

    /// Hands over what waits and fits, and takes the reports that come within `wait`.
    ///
    /// # Errors
    /// The producer cannot be made.
    pub fn turn(
        &mut self,
        wait: Duration,
        mut report: impl FnMut(u64, Result<Acknowledgement, KafkaError>),
    ) -> Result<(), KafkaError> {
        if self.in_flight() == 0 {
            return Ok(());
        }
        let producer = match &mut self.producer {
            Some(producer) => producer,
            None => {
                let batching = [("batch.num.messages", "1"), ("linger.ms", "0")];
                let producer = self.producer.insert(self.publishing.open(&batching)?);
                producer.warm();
                producer
            }
        };
        while let Some((number, timestamp, record)) = self.waiting.front() {
            let headers = record.headers();
            let outgoing = record.outgoing(self.publishing.topic, *timestamp, &headers);
            match producer.enqueue(*number, &outgoing) {
                Ok(Enqueued::Full) => break,
                Ok(Enqueued::Yes) => {}
                Err(error) => report(*number, Err(error)),
            }
            self.waiting.pop_front();
        }
        producer.collect(wait, report);
        Ok(())
    }
}
