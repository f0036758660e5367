//! Records put on a topic as a test wants them, acknowledged before it goes on.

use dwctl::base::Deadline;
use dwctl::kafka::{Durability, Outgoing, Producer, Properties};

use super::PATIENCE;

/// A record of text.
pub fn text<'a>(topic: &'a str, key: &'a str, value: &'a str) -> Outgoing<'a> {
    Outgoing::new(topic, Some(key.as_bytes()), value.as_bytes())
}

/// Sends the records one after another.
#[track_caller]
pub fn put(brokers: &str, records: &[Outgoing<'_>]) {
    let mut producer = Producer::open(&Properties::new(brokers), Durability::Acknowledged).unwrap();
    for record in records {
        producer.send(record, Deadline::after(PATIENCE)).unwrap();
    }
}
