//! What goes out, in the order in which it was handed over. One request is on its way at a time, and
//! what failed goes again before anything after it: otherwise a retry would turn the order of a key.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::retry::Backoff;
use crate::base::{Classify, Kind};
use crate::kafka::{
    Acknowledgement, Durability, Enqueued, KafkaError, Outgoing, OwnedHeader, Producer, Properties,
};

/// How long the brokers may take before somebody says so.
const PATIENCE: Duration = Duration::from_secs(3);

const PURPOSE: &[(&str, &str)] = &[
    // With more, a retry overtakes. An idempotent producer would keep the order too, but ends for
    // good when a topic is made anew.
    ("max.in.flight.requests.per.connection", "1"),
    ("retry.backoff.ms", "50"),
];

/// A record to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub topic: String,
    pub key: Option<Box<[u8]>>,
    pub value: Option<Box<[u8]>>,
    pub headers: Vec<OwnedHeader>,
}

/// What became of a letter.
#[derive(Debug)]
pub(super) enum Posted {
    Yes(Acknowledgement),
    /// It can never be sent: too large, or a topic name that is none.
    Refused(KafkaError),
    /// Nothing can be sent: the permission is missing.
    Stop(KafkaError),
}

/// The way out.
pub(super) struct Sender {
    producer: Producer,
    /// Waiting, by their place in the order, each with its record's number.
    waiting: BTreeMap<u64, (u64, Letter)>,
    /// With the producer, by the same place.
    away: HashMap<u64, (u64, Letter)>,
    next: u64,
    retry: Option<(Instant, Backoff)>,
    since: Option<Instant>,
    trouble: Option<String>,
}

impl Sender {
    pub fn open(properties: &Properties) -> Result<Self, KafkaError> {
        let producer = Producer::open_with(properties, Durability::Acknowledged, PURPOSE)?;
        producer.warm();
        Ok(Self {
            producer,
            waiting: BTreeMap::new(),
            away: HashMap::new(),
            next: 0,
            retry: None,
            since: None,
            trouble: None,
        })
    }

    pub fn post(&mut self, number: u64, letter: Letter) {
        self.waiting.insert(self.next, (number, letter));
        self.next += 1;
    }

    /// Letters of these records that are not out yet stay here.
    pub fn forget(&mut self, is_left: impl Fn(u64) -> bool) {
        self.waiting.retain(|_, (number, _)| !is_left(*number));
    }

    /// Whether anything is to be sent or acknowledged.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.away.is_empty()
    }

    /// Whether the producer has anything whose report may come.
    pub fn awaits_reports(&self) -> bool {
        !self.away.is_empty()
    }

    /// Hands over what waits, takes reports for at most `wait`, and gives what is decided.
    pub fn turn(&mut self, wait: Duration, now: Instant) -> Vec<(u64, Posted)> {
        let mut decided = Vec::new();
        self.hand_over(now, &mut decided);
        let mut reports = Vec::new();
        self.producer.collect(wait, |place, report| reports.push((place, report)));
        for (place, report) in reports {
            if let Some((number, letter)) = self.away.remove(&place) {
                self.settle(place, number, letter, report, now, &mut decided);
            }
        }
        if self.away.is_empty() {
            self.since = None;
        }
        decided
    }

    fn hand_over(&mut self, now: Instant, decided: &mut Vec<(u64, Posted)>) {
        if let Some((until, _)) = &self.retry {
            // What is still away went out behind what failed.
            if now < *until || !self.away.is_empty() {
                return;
            }
        }
        while let Some(entry) = self.waiting.first_entry() {
            let place = *entry.key();
            match offer(&mut self.producer, place, &entry.get().1) {
                Ok(Enqueued::Full) => return,
                Ok(Enqueued::Yes) => {
                    self.since.get_or_insert(now);
                    self.away.insert(place, entry.remove());
                }
                Err(error) => {
                    let (number, letter) = entry.remove();
                    self.settle(place, number, letter, Err(error), now, decided);
                    if self.waiting.contains_key(&place) {
                        return;
                    }
                }
            }
        }
    }

    fn settle(
        &mut self,
        place: u64,
        number: u64,
        letter: Letter,
        report: Result<Acknowledgement, KafkaError>,
        now: Instant,
        decided: &mut Vec<(u64, Posted)>,
    ) {
        match report {
            Ok(acknowledgement) => {
                self.retry = None;
                self.since = Some(now);
                decided.push((number, Posted::Yes(acknowledgement)));
            }
            Err(error @ KafkaError::Refused { .. }) => {
                decided.push((number, Posted::Refused(error)));
            }
            Err(error) if error.kind() == Kind::Denied => {
                decided.push((number, Posted::Stop(error)));
            }
            Err(error) => {
                self.trouble = Some(error.to_string());
                // Letters that failed together count once.
                if self.retry.as_ref().is_none_or(|(until, _)| *until <= now) {
                    let mut backoff =
                        self.retry.take().map_or_else(|| Backoff::new(0), |(_, backoff)| backoff);
                    self.retry = Some((now + backoff.pause(None), backoff));
                }
                self.waiting.insert(place, (number, letter));
            }
        }
    }

    /// What keeps letters from going out, each time it is another thing.
    pub fn trouble(&mut self, now: Instant) -> Option<String> {
        let is_late = self.since.is_some_and(|since| now.duration_since(since) > PATIENCE);
        if self.trouble.is_none() && is_late {
            self.since = Some(now);
            self.trouble = self
                .producer
                .findings()
                .final_verdict()
                .map(|verdict| verdict.summary().to_owned());
        }
        self.trouble.take()
    }
}

fn offer(producer: &mut Producer, place: u64, letter: &Letter) -> Result<Enqueued, KafkaError> {
    let headers: Vec<(&str, Option<&[u8]>)> =
        letter.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    let record = Outgoing {
        topic: &letter.topic,
        key: letter.key.as_deref(),
        value: letter.value.as_deref(),
        headers: &headers,
        partition: None,
        timestamp: None,
    };
    producer.enqueue(place, &record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::native::mock::MockBroker;

    fn letter(topic: &str, value: &str) -> Letter {
        Letter {
            topic: topic.to_owned(),
            key: Some(b"k".as_slice().into()),
            value: Some(value.as_bytes().into()),
            headers: Vec::new(),
        }
    }

    /// Turns until so many letters are decided.
    fn until(sender: &mut Sender, count: usize) -> Vec<(u64, Posted)> {
        let end = Instant::now() + Duration::from_secs(30);
        let mut decided = Vec::new();
        while decided.len() < count {
            assert!(Instant::now() < end, "only {decided:?}");
            decided.extend(sender.turn(Duration::from_millis(5), Instant::now()));
        }
        decided
    }

    #[test]
    fn letters_lie_in_the_order_in_which_they_were_posted() {
        let broker = MockBroker::start().unwrap();
        broker.create_topic("t", 1).unwrap();
        let mut sender = Sender::open(&Properties::new(&broker.address())).unwrap();
        for number in 0..200 {
            sender.post(number, letter("t", "x"));
        }
        let places: Vec<(u64, i64)> = until(&mut sender, 200)
            .into_iter()
            .map(|(number, posted)| match posted {
                Posted::Yes(place) => (number, place.offset()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(places.iter().all(|(number, offset)| i64::try_from(*number) == Ok(*offset)));
        assert!(!sender.is_busy());
    }

    #[test]
    fn what_can_never_be_sent_is_said_and_the_rest_goes() {
        let broker = MockBroker::start().unwrap();
        broker.create_topic("t", 1).unwrap();
        let properties = Properties::new(&broker.address()).set("message.max.bytes", "2000");
        let mut sender = Sender::open(&properties).unwrap();
        sender.post(1, letter("t", &"x".repeat(5_000)));
        sender.post(2, letter("t", "x"));
        let decided = until(&mut sender, 2);
        assert!(matches!(decided[0], (1, Posted::Refused(_))), "{decided:?}");
        assert!(matches!(decided[1], (2, Posted::Yes(_))), "{decided:?}");
    }

    #[test]
    fn letters_of_records_that_are_left_are_not_sent() {
        let broker = MockBroker::start().unwrap();
        broker.create_topic("t", 1).unwrap();
        let mut sender = Sender::open(&Properties::new(&broker.address())).unwrap();
        sender.post(1, letter("t", "x"));
        sender.post(2, letter("t", "x"));
        sender.forget(|number| number == 1);
        assert!(matches!(until(&mut sender, 1)[..], [(2, Posted::Yes(_))]));
        assert!(!sender.is_busy());
    }
}
