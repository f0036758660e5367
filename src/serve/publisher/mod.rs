//! Drains the outbox onto Kafka: in the order of commits, acknowledged by all replicas, for as long
//! as it takes. A row is done only with its acknowledgement; what is lost between the two is sent
//! again, so events arrive at least once. Replies to uploads never wait for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::report::ServeReporter;
use super::store::{OutboxRow, Store};
use crate::kafka::{
    Acknowledgement, Durability, Enqueued, KafkaError, Outgoing, Producer, Properties,
};

/// Rows handed to the producer before reports are looked at.
const WINDOW: u32 = 2_000;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A producer that never gives a record up by itself: order per key depends on it.
const PURPOSE: &[(&str, &str)] = &[
    ("message.timeout.ms", "0"),
    ("linger.ms", "1"),
    ("compression.type", "none"),
    ("socket.keepalive.enable", "true"),
];

/// The publisher's thread.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Ends once nothing waits any more.
    drain: AtomicBool,
    /// Ends at once.
    stop: AtomicBool,
    grew: Arc<Notify>,
    last_error: Mutex<Option<String>>,
}

/// What the publisher says of itself.
#[derive(Clone, Debug)]
pub struct PublisherStatus(Arc<Shared>);

impl PublisherStatus {
    /// Why nothing is being published, while that is so.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.0.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Publisher {
    /// Starts publishing to the brokers.
    ///
    /// # Errors
    /// A property is unknown, or no thread can be started.
    pub fn start(
        store: Store,
        properties: Properties,
        reporter: Arc<dyn ServeReporter>,
        runtime: Handle,
    ) -> Result<Self, KafkaError> {
        let shared = Arc::new(Shared {
            drain: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            grew: Arc::clone(store.outbox_grew()),
            last_error: Mutex::default(),
        });
        let producer = open(&properties)?;
        let mut work = Work {
            store,
            properties,
            reporter,
            runtime,
            producer,
            shared: Arc::clone(&shared),
            pending: HashMap::new(),
            next: 0,
            pause: FIRST_PAUSE,
        };
        let thread = std::thread::Builder::new()
            .name("publisher".into())
            .spawn(move || work.run())
            .map_err(|error| KafkaError::Config { reason: error.to_string() })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    #[must_use]
    pub fn status(&self) -> PublisherStatus {
        PublisherStatus(Arc::clone(&self.shared))
    }

    /// Publishes what waits and ends; what is left after `patience` stays in the outbox.
    pub async fn drain(mut self, patience: Duration) {
        self.shared.drain.store(true, Ordering::Relaxed);
        self.shared.grew.notify_one();
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(move || thread.join());
            if tokio::time::timeout(patience, joined).await.is_err() {
                self.shared.stop.store(true, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.grew.notify_one();
    }
}

fn open(properties: &Properties) -> Result<Producer, KafkaError> {
    Producer::open_with(properties, Durability::Idempotent, PURPOSE)
}

struct Work {
    store: Store,
    properties: Properties,
    reporter: Arc<dyn ServeReporter>,
    runtime: Handle,
    producer: Producer,
    shared: Arc<Shared>,
    /// Keys of rows that are with the producer.
    pending: HashMap<u64, String>,
    /// The last row that was handed over.
    next: i64,
    pause: Duration,
}

impl Work {
    fn run(&mut self) {
        self.producer.warm();
        while !self.shared.stop.load(Ordering::Relaxed) {
            match self.round() {
                Ok(busy) => {
                    if !busy && self.shared.drain.load(Ordering::Relaxed) {
                        return;
                    }
                    if !busy {
                        self.wait_for_rows();
                    }
                }
                Err(reason) => self.recover(&reason),
            }
        }
    }

    /// Hands waiting rows over and takes reports. Whether there was anything to do.
    fn round(&mut self) -> Result<bool, String> {
        let rows =
            self.store.waiting_events(self.next, WINDOW).map_err(|error| error.to_string())?;
        let mut done = Vec::new();
        let mut failed = Vec::new();
        for row in &rows {
            self.hand_over(row, &mut done, &mut failed)?;
        }
        let mut first = true;
        while self.producer.in_flight() > 0 && (first || rows.len() == WINDOW as usize) {
            first = false;
            self.collect(Duration::from_millis(20), &mut done, &mut failed);
        }
        let busy = !rows.is_empty() || self.producer.in_flight() > 0 || !done.is_empty();
        self.settle(done, failed)?;
        Ok(busy)
    }

    fn hand_over(
        &mut self,
        row: &OutboxRow,
        done: &mut Vec<(u64, Acknowledgement)>,
        failed: &mut Vec<(u64, KafkaError)>,
    ) -> Result<(), String> {
        let tag = u64::try_from(row.id).map_err(|error| error.to_string())?;
        let record = Outgoing::new(&row.topic, Some(row.key.as_bytes()), row.value.as_bytes());
        loop {
            match self.producer.enqueue(tag, &record) {
                Ok(Enqueued::Yes) => {
                    self.pending.insert(tag, row.key.clone());
                    self.next = row.id;
                    return Ok(());
                }
                Ok(Enqueued::Full) => self.collect(Duration::from_millis(20), done, failed),
                Err(error) => {
                    self.next = row.id;
                    failed.push((tag, error));
                    return Ok(());
                }
            }
            if self.shared.stop.load(Ordering::Relaxed) {
                return Err("stopping".to_owned());
            }
        }
    }

    fn collect(
        &mut self,
        wait: Duration,
        done: &mut Vec<(u64, Acknowledgement)>,
        failed: &mut Vec<(u64, KafkaError)>,
    ) {
        self.producer.collect(wait, |tag, report| match report {
            Ok(place) => done.push((tag, place)),
            Err(error) => failed.push((tag, error)),
        });
        // librdkafka keeps trying without a word to its caller; somebody has to say it.
        if done.is_empty() && self.producer.in_flight() > 0 {
            self.set_error(
                self.producer
                    .findings()
                    .final_verdict()
                    .map(|verdict| verdict.summary().to_owned()),
            );
        }
    }

    /// Notes what was acknowledged, sets aside what never will be, and gives up the round for what
    /// may be tried again.
    fn settle(
        &mut self,
        done: Vec<(u64, Acknowledgement)>,
        failed: Vec<(u64, KafkaError)>,
    ) -> Result<(), String> {
        if !done.is_empty() {
            let places = done
                .iter()
                .filter_map(|(tag, place)| {
                    Some((i64::try_from(*tag).ok()?, place.partition(), place.offset()))
                })
                .collect();
            self.runtime
                .block_on(self.store.mark_published(places))
                .map_err(|error| error.to_string())?;
            self.set_error(None);
            self.pause = FIRST_PAUSE;
            for (tag, place) in done {
                let key = self.pending.remove(&tag).unwrap_or_default();
                self.reporter.published(&key, &place);
            }
        }
        let mut again = None;
        for (tag, error) in failed {
            self.pending.remove(&tag);
            if let KafkaError::Refused { .. } = error {
                self.reporter.trouble(&format!("an event is set aside: {error}"));
                let id = i64::try_from(tag).unwrap_or_default();
                self.runtime
                    .block_on(self.store.park_event(id, error.to_string()))
                    .map_err(|error| error.to_string())?;
            } else {
                again = Some(error.to_string());
            }
        }
        again.map_or(Ok(()), Err)
    }

    /// Starts over from the oldest row that waits, with a fresh producer: what the old one still
    /// holds may arrive too, which is what "at least once" allows.
    fn recover(&mut self, reason: &str) {
        self.set_error(Some(reason.to_owned()));
        let wait = self.pause;
        self.pause = (wait * 2).min(LONGEST_PAUSE);
        self.runtime.block_on(async {
            // A new row does not shorten the pause; the end of the program does, by its own limit.
            tokio::time::sleep(wait).await;
        });
        match open(&self.properties) {
            Ok(producer) => {
                self.producer = producer;
                self.producer.warm();
                self.pending.clear();
                self.next = 0;
            }
            Err(error) => self.set_error(Some(error.to_string())),
        }
    }

    fn set_error(&self, error: Option<String>) {
        let mut last = self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = &error
            && last.as_ref() != Some(error)
        {
            self.reporter.trouble(&format!("events wait in the outbox: {error}"));
        }
        *last = error;
    }

    /// Sleeps until a commit brings rows; looks after the producer every second.
    fn wait_for_rows(&mut self) {
        let grew = Arc::clone(&self.shared.grew);
        let woken = self.runtime.block_on(async move {
            tokio::time::timeout(Duration::from_secs(1), grew.notified()).await.is_ok()
        });
        if !woken {
            self.producer.collect(Duration::ZERO, |_, _| {});
            if self.runtime.block_on(self.store.trim_outbox()).is_err() {
                self.reporter.trouble("the outbox cannot be trimmed");
            }
        }
    }
}
