//! The publisher's thread: rows from the outbox to the producer, reports back to the outbox.
//!
//! What keeps the order of a key: rows are handed over in the order of their ids, and after any
//! failure nothing more of that producer is used — a fresh one starts over from the oldest row that
//! waits. What was on its way then may arrive twice, which "at least once" allows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::blocked::{Blocked, FIRST_PAUSE, longer};
use super::{Publishing, Shared, topics};
use crate::base::duration::spoken;
use crate::kafka::{
    Acknowledgement, Durability, Enqueued, KafkaError, Outgoing, Producer, Properties,
};
use crate::serve::store::OutboxRow;

/// Records that are with the producer at most.
const WINDOW: u32 = 4_000;
/// Acknowledgements that are noted in one transaction.
const NOTED: usize = 1_000;
/// How long an acknowledgement may wait for others to be noted with. Whatever is killed meanwhile
/// sends what is not noted again.
const LATEST_NOTE: Duration = Duration::from_millis(20);
/// How long reports are waited for before new rows are looked for.
const GLANCE: Duration = Duration::from_millis(20);
/// How soon after rows were read it is looked for more, where few came: each look costs as much as
/// the upload that it would overtake, and an event has time.
const PACE: Duration = Duration::from_millis(4);
/// How long a broker may acknowledge nothing before that is said.
const SILENCE: Duration = Duration::from_secs(5);
/// How often a trouble that lasts is said again.
const REMINDER: Duration = Duration::from_secs(60);

/// A producer that never gives a record up by itself: order per key depends on it. Batches are small,
/// because a broker refuses a batch as a whole.
const PURPOSE: &[(&str, &str)] = &[
    ("message.timeout.ms", "0"),
    ("linger.ms", "1"),
    ("batch.size", "65536"),
    ("compression.type", "none"),
    ("socket.keepalive.enable", "true"),
];

fn open(properties: &Properties) -> Result<Producer, KafkaError> {
    Producer::open_with(properties, Durability::Idempotent, PURPOSE)
}

/// A row that is with the producer.
struct Handed {
    topic: String,
    key: String,
}

/// What ends a round early.
enum Trouble {
    /// Nothing can be done until this is over.
    Everything(String),
    /// Something came back: a fresh producer starts over.
    StartOver,
}

pub(super) struct Work {
    publishing: Publishing,
    runtime: Handle,
    shared: Arc<Shared>,
    producer: Producer,
    /// The service's topics are to be made before anything is sent.
    topics_missing: bool,
    handed: HashMap<u64, Handed>,
    /// Acknowledged, and not yet noted in the outbox.
    acknowledged: Vec<(u64, Acknowledgement)>,
    /// When the first of them has to be noted.
    note_at: Option<Instant>,
    /// Came back, and not yet looked at.
    returned: Vec<(u64, KafkaError)>,
    /// The last row that was read.
    next: i64,
    /// When rows were read last, unless there are more than one look takes.
    read_at: Option<Instant>,
    blocked: Blocked,
    /// Rows up to this one are sent one by one: one of them, nobody knows which, was refused with
    /// its whole batch.
    singly_to: i64,
    pause: Duration,
    /// Since when nothing has been acknowledged while something was on its way.
    quiet_since: Option<Instant>,
    said_at: Option<Instant>,
}

impl Work {
    pub fn new(
        publishing: Publishing,
        runtime: Handle,
        shared: Arc<Shared>,
        topics_missing: bool,
    ) -> Result<Self, KafkaError> {
        let producer = open(&publishing.properties)?;
        Ok(Self {
            publishing,
            runtime,
            shared,
            producer,
            topics_missing,
            handed: HashMap::new(),
            acknowledged: Vec::new(),
            note_at: None,
            returned: Vec::new(),
            next: 0,
            read_at: None,
            blocked: Blocked::default(),
            singly_to: 0,
            pause: FIRST_PAUSE,
            quiet_since: None,
            said_at: None,
        })
    }

    pub fn run(&mut self) {
        self.producer.warm();
        while !self.shared.is_stopping() {
            match self.round() {
                Ok(true) => {}
                Ok(false) if self.is_drained() => return,
                Ok(false) => self.wait_for_rows(),
                Err(Trouble::StartOver) => self.start_over(),
                Err(Trouble::Everything(reason)) => {
                    self.say(&reason);
                    self.rest();
                    // What was read and not handed over is read again; what was, is known.
                    self.next = 0;
                }
            }
        }
        // What the broker has taken by now need not be sent again by the next server.
        let _ = self.note();
    }

    /// Whether somebody waits for the end and nothing stands in its way.
    fn is_drained(&self) -> bool {
        self.shared.is_draining()
            && self.blocked.next_end().is_none()
            && self.acknowledged.is_empty()
    }

    /// Hands waiting rows over and takes reports. Whether there was anything to do.
    fn round(&mut self) -> Result<bool, Trouble> {
        self.note_in_time()?;
        self.make_topics()?;
        if self.blocked.expire(Instant::now()) {
            self.next = 0;
        }
        let rows = self.read()?;
        for row in &rows {
            self.hand_over(row)?;
        }
        if self.producer.in_flight() > 0 {
            self.collect()?;
        }
        Ok(!rows.is_empty() || self.producer.in_flight() > 0)
    }

    /// The next rows, as long as the producer has few.
    fn read(&mut self) -> Result<Vec<OutboxRow>, Trouble> {
        if self.producer.in_flight() > u64::from(WINDOW / 2) {
            return Ok(Vec::new());
        }
        if let Some(left) = self.pace_left() {
            if self.producer.in_flight() > 0 {
                return Ok(Vec::new());
            }
            std::thread::sleep(left);
        }
        let rows = self
            .publishing
            .store
            .waiting_events(self.next, WINDOW / 2, &self.blocked.topics())
            .map_err(|error| Trouble::Everything(format!("the outbox cannot be read: {error}")))?;
        self.next = rows.last().map_or(self.next, |row| row.id);
        let is_all = rows.len() < (WINDOW / 2) as usize;
        self.read_at = (!rows.is_empty() && is_all).then(Instant::now).or(self.read_at);
        Ok(rows)
    }

    /// How long it is too early to look for rows again.
    fn pace_left(&self) -> Option<Duration> {
        let left = PACE.checked_sub(self.read_at?.elapsed())?;
        (!left.is_zero() && !self.shared.is_draining()).then_some(left)
    }

    fn hand_over(&mut self, row: &OutboxRow) -> Result<(), Trouble> {
        let tag = row.id.unsigned_abs();
        if self.handed.contains_key(&tag) {
            return Ok(());
        }
        let is_single = row.id <= self.singly_to;
        let record = Outgoing::new(&row.topic, Some(row.key.as_bytes()), row.value.as_bytes());
        loop {
            if self.shared.is_stopping() {
                return Ok(());
            }
            match self.producer.enqueue(tag, &record) {
                Ok(Enqueued::Yes) => break,
                Ok(Enqueued::Full) => self.collect()?,
                // Only the client's own limit says no here, and it looks at one record.
                Err(error @ KafkaError::Refused { .. }) => return self.park(row.id, &error),
                Err(error) => {
                    self.block(&row.topic, &error);
                    return Err(Trouble::StartOver);
                }
            }
        }
        let handed = Handed { topic: row.topic.clone(), key: row.key.clone() };
        self.handed.insert(tag, handed);
        while is_single && self.producer.in_flight() > 0 && !self.shared.is_stopping() {
            self.collect()?;
        }
        Ok(())
    }

    /// Takes the reports that are there, or come within a glance.
    fn collect(&mut self) -> Result<(), Trouble> {
        let wait = self.pace_left().unwrap_or(GLANCE);
        let (acknowledged, returned) = (&mut self.acknowledged, &mut self.returned);
        let before = acknowledged.len();
        self.producer.collect(wait, |tag, report| match report {
            Ok(place) => acknowledged.push((tag, place)),
            Err(error) => returned.push((tag, error)),
        });
        let fresh = self.acknowledged.len() - before;
        if fresh > 0 {
            self.recovered(before);
        } else {
            self.watch();
        }
        if !self.returned.is_empty() {
            return self.take_back();
        }
        self.note_in_time()
    }

    /// Notes acknowledgements once they are many or old: a transaction for each of them would cost
    /// as much as the upload that caused it.
    fn note_in_time(&mut self) -> Result<(), Trouble> {
        if self.acknowledged.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        let note_at = *self.note_at.get_or_insert(now + LATEST_NOTE);
        let is_due = now >= note_at || self.shared.is_draining();
        if is_due || self.acknowledged.len() >= NOTED { self.note() } else { Ok(()) }
    }

    /// Something was acknowledged: whatever was wrong with those topics is over.
    fn recovered(&mut self, first: usize) {
        self.quiet_since = None;
        self.pause = FIRST_PAUSE;
        for (tag, _) in &self.acknowledged[first..] {
            if let Some(handed) = self.handed.get(tag) {
                self.blocked.remove(&handed.topic);
            }
        }
        self.clear_error();
    }

    fn clear_error(&mut self) {
        if self.blocked.is_empty() {
            self.said_at = None;
            self.shared.set_error(None);
        }
    }

    /// librdkafka keeps trying without a word to its caller; somebody has to say it.
    fn watch(&mut self) {
        let since = *self.quiet_since.get_or_insert_with(Instant::now);
        if let Some(verdict) = self.producer.findings().final_verdict() {
            self.say(verdict.summary());
        } else if since.elapsed() > SILENCE {
            let brokers = self.publishing.properties.brokers();
            self.say(&format!("{brokers} has acknowledged nothing for {}", spoken(SILENCE)));
        }
    }

    /// Notes in the outbox what was acknowledged. What cannot be noted is kept and not sent again.
    fn note(&mut self) -> Result<(), Trouble> {
        if self.acknowledged.is_empty() {
            return Ok(());
        }
        let places = self
            .acknowledged
            .iter()
            .filter_map(|(tag, place)| {
                Some((i64::try_from(*tag).ok()?, place.partition(), place.offset()))
            })
            .collect();
        self.runtime
            .block_on(self.publishing.store.mark_published(places))
            .map_err(|error| Trouble::Everything(format!("the outbox cannot be kept: {error}")))?;
        self.note_at = None;
        let (handed, restored) = (&mut self.handed, &mut self.publishing.restored);
        let published: Vec<_> = self
            .acknowledged
            .drain(..)
            .map(|(tag, place)| {
                let key = handed.remove(&tag).map(|handed| handed.key).unwrap_or_default();
                (i64::try_from(tag).is_ok_and(|id| restored.remove(&id)), key, place)
            })
            .filter(|(is_restored, ..)| !is_restored)
            .map(|(_, key, place)| (key, place))
            .collect();
        self.publishing.reporter.published(&published);
        Ok(())
    }

    /// Looks at what came back. A refusal of a record that was alone is for good; one of a batch
    /// names all of it, so its records are tried one by one.
    fn take_back(&mut self) -> Result<(), Trouble> {
        let mut outcome = Err(Trouble::StartOver);
        for (tag, error) in std::mem::take(&mut self.returned) {
            let id = i64::try_from(tag).unwrap_or_default();
            if !matches!(error, KafkaError::Refused { .. }) {
                if let Some(handed) = self.handed.remove(&tag) {
                    self.block(&handed.topic, &error);
                }
            } else if id > self.singly_to {
                self.singly_to = id;
            } else if let Err(trouble) = self.park(id, &error) {
                // It is sent and refused once more when the outbox can be written.
                self.start_over();
                outcome = Err(trouble);
            }
        }
        outcome
    }

    /// Sets a row aside that no broker takes, so that it holds nobody up.
    fn park(&mut self, id: i64, error: &KafkaError) -> Result<(), Trouble> {
        self.runtime
            .block_on(self.publishing.store.park_event(id, error.to_string()))
            .map_err(|error| Trouble::Everything(format!("the outbox cannot be kept: {error}")))?;
        if let Some(handed) = self.handed.remove(&id.unsigned_abs()) {
            self.blocked.remove(&handed.topic);
        }
        self.publishing.reporter.trouble(&format!("event {id} is set aside: {error}"));
        Ok(())
    }

    fn block(&mut self, topic: &str, error: &KafkaError) {
        self.blocked.add(topic, Instant::now());
        if matches!(error, KafkaError::UnknownTopic { .. }) {
            self.topics_missing = true;
        }
        self.say(&error.to_string());
    }

    fn make_topics(&mut self) -> Result<(), Trouble> {
        if self.topics_missing {
            self.runtime
                .block_on(topics::make(&self.publishing))
                .map_err(|error| Trouble::Everything(error.to_string()))?;
            self.topics_missing = false;
        }
        Ok(())
    }

    /// Gives the producer up, with everything that is on its way in it.
    fn start_over(&mut self) {
        match open(&self.publishing.properties) {
            Ok(producer) => {
                let acknowledged = &mut self.acknowledged;
                self.producer.collect(Duration::ZERO, |tag, report| {
                    if let Ok(place) = report {
                        acknowledged.push((tag, place));
                    }
                });
                self.producer = producer;
                let kept: HashSet<u64> = self.acknowledged.iter().map(|(tag, _)| *tag).collect();
                self.handed.retain(|tag, _| kept.contains(tag));
                self.returned.clear();
                self.quiet_since = None;
                self.next = 0;
            }
            Err(error) => {
                self.say(&error.to_string());
                self.rest();
            }
        }
    }

    /// Waits before everything is tried again.
    fn rest(&mut self) {
        let length = if self.shared.is_draining() { FIRST_PAUSE } else { self.pause };
        self.pause = longer(self.pause);
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(length) => {}
                () = self.shared.hurry.notified() => {}
            }
        });
    }

    /// Notes why events wait, and tells it when it is new and now and then while it lasts.
    fn say(&mut self, reason: &str) {
        let is_new = self.shared.set_error(Some(reason.to_owned()));
        if !is_new && self.said_at.is_some_and(|said| said.elapsed() < REMINDER) {
            return;
        }
        self.said_at = Some(Instant::now());
        let backlog = match self.runtime.block_on(self.publishing.store.outbox_state()) {
            // Nothing waits: only the broker is not there, which is worth as much.
            Ok(state) if state.waiting == 0 => {
                self.publishing.reporter.trouble(&format!("no broker to publish to: {reason}"));
                return;
            }
            Ok(state) => {
                let now = self.publishing.clock.now();
                let age = state.oldest.map_or(0, |oldest| now.millis() - oldest.millis());
                let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
                format!("{} in the outbox, the oldest for {}", state.waiting, spoken(age))
            }
            Err(error) => error.to_string(),
        };
        self.publishing.reporter.trouble(&format!("events wait ({backlog}): {reason}"));
    }

    /// Sleeps until a commit brings rows, a topic's pause ends or something has to be noted; looks
    /// after the producer and the outbox every second.
    fn wait_for_rows(&mut self) {
        const LOOK: Duration = Duration::from_secs(1);
        let next = [self.blocked.next_end(), self.note_at].into_iter().flatten().min();
        let length = next.map_or(LOOK, |at| at.saturating_duration_since(Instant::now()).min(LOOK));
        let grew = Arc::clone(&self.shared.grew);
        let woken = self
            .runtime
            .block_on(async move { tokio::time::timeout(length, grew.notified()).await.is_ok() });
        // Nothing is on its way here.
        self.clear_error();
        if !woken && next.is_none() {
            self.producer.collect(Duration::ZERO, |_, _| {});
            if let Err(error) = self.runtime.block_on(self.publishing.store.trim_outbox()) {
                self.publishing.reporter.trouble(&format!("the outbox cannot be trimmed: {error}"));
            }
        }
    }
}
