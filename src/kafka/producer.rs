//! Sending, with an acknowledgement as a value. Every producer partitions as Java's clients and
//! aiokafka do (murmur2), so that a key lands where the service puts it, and waits for all in-sync
//! replicas.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig};

use super::client::create_client;
use super::native::wake::Wakeup;
use super::returned::is_of_the_batch;
use super::session::{FIRST_ANSWER, ROTATION};
use super::{Acknowledgement, Findings, KafkaError, Properties, Returned, error};
use crate::base::Deadline;

/// What a producer promises beyond the acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Acknowledged by all in-sync replicas; a retry after a lost reply may duplicate.
    Acknowledged,
    /// And in order per partition, without duplicates from retries of this producer.
    Idempotent,
}

/// A record on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    pub topic: &'a str,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Names and values; a value may be null.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
    /// `None` leaves it to the key.
    pub partition: Option<i32>,
    /// Milliseconds since the epoch; `None` is now.
    pub timestamp: Option<i64>,
}

impl<'a> Outgoing<'a> {
    /// A record of key and value, the rest as usual.
    #[must_use]
    pub fn new(topic: &'a str, key: Option<&'a [u8]>, value: &'a [u8]) -> Self {
        Self { topic, key, value: Some(value), headers: &[], partition: None, timestamp: None }
    }
}

/// Whether a record found a place in the producer's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Enqueued {
    Yes,
    /// The queue is full: collect reports, then try again.
    Full,
}

type Report = (u64, Result<Acknowledgement, KafkaError>);

/// The producer's context: delivery reports go into a list, errors to the findings.
struct Reports {
    brokers: String,
    findings: Arc<Findings>,
    list: Mutex<VecDeque<Report>>,
    /// What came back for its batch, by tag.
    returned: Mutex<HashMap<u64, Returned>>,
}

impl rdkafka::ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        rdkafka::ClientContext::log(&*self.findings, level, facility, message);
    }

    fn error(&self, error: LibraryError, reason: &str) {
        rdkafka::ClientContext::error(&*self.findings, error, reason);
    }
}

impl ProducerContext for Reports {
    /// The caller's tag, carried as a number and not as a pointer.
    type DeliveryOpaque = usize;

    fn delivery(&self, delivered: &DeliveryResult<'_>, tag: usize) {
        if let Err((failure, message)) = delivered
            && failure.rdkafka_error_code().is_some_and(is_of_the_batch)
        {
            let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
            returned.insert(tag as u64, Returned::of(message));
        }
        let report = match delivered {
            Ok(message) => Ok(Acknowledgement::from_delivery_report(
                message.topic(),
                message.partition(),
                message.offset(),
            )),
            Err((failure, message)) => {
                let facts = RefusedFacts {
                    has_key: message.key().is_some(),
                    bytes: message.key_len() + message.payload_len(),
                };
                Err(delivery_error(message.topic(), failure, facts, self))
            }
        };
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push_back((tag as u64, report));
    }
}

/// What a refusal of a record may depend on. The broker's own message about it cannot be had: the
/// library frees it before it hands out the report (librdkafka 2.12.1).
#[derive(Clone, Copy, Debug)]
struct RefusedFacts {
    has_key: bool,
    /// Bytes of key and value.
    bytes: usize,
}

impl RefusedFacts {
    /// Names the cause and, where one is known, what to do.
    fn explain(self, code: RDKafkaErrorCode) -> (String, Option<&'static str>) {
        let (words, bytes) = (error::words(code), self.bytes);
        match code {
            RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge => (
                format!("{words}: the record has {bytes} bytes"),
                Some("raise max.message.bytes of the topic, or send smaller records"),
            ),
            RDKafkaErrorCode::InvalidRecord if !self.has_key => (
                format!("{words}: it has no key, as a topic with cleanup.policy=compact demands"),
                Some("give the record a key, with --key or --key-delimiter"),
            ),
            RDKafkaErrorCode::InvalidTimestamp => {
                (words, Some("see message.timestamp.before.max.ms and .after.max.ms of the topic"))
            }
            _ => (words, None),
        }
    }
}

fn delivery_error(
    topic: &str,
    failure: &LibraryError,
    facts: RefusedFacts,
    client: &Reports,
) -> KafkaError {
    let code = failure.rdkafka_error_code();
    match code {
        Some(
            RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopicId,
        ) => {
            KafkaError::UnknownTopic {
                topic: topic.to_owned(),
                brokers: client.brokers.clone(),
                near: Vec::new(),
                // Which makes a topic when it is written to.
                is_embedded: false,
            }
        }
        Some(RDKafkaErrorCode::MessageTimedOut) => match client.findings.final_verdict() {
            Some(verdict) => KafkaError::Unusable { verdict: Box::new(verdict) },
            None => KafkaError::Deadline { action: format!("have {topic:?} acknowledge") },
        },
        Some(code) if error::is_denial(code) => {
            KafkaError::Denied { action: format!("send to {topic:?}"), reason: error::words(code) }
        }
        Some(code @ (RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)) => {
            let reason = match code {
                RDKafkaErrorCode::PurgeQueue => "it was given up before it was sent",
                _ => "it was sent and not acknowledged",
            };
            KafkaError::refused(topic, reason)
        }
        Some(
            code @ (RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::MessageBatchTooLarge
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidDifferentRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::PolicyViolation
            | RDKafkaErrorCode::UnsupportedForMessageFormat
            | RDKafkaErrorCode::UnsupportedCompressionType),
        ) => {
            let (reason, advice) = facts.explain(code);
            KafkaError::Refused { topic: topic.to_owned(), reason, advice }
        }
        _ => KafkaError::library(&format!("send to {topic:?}"), failure),
    }
}

/// A connected producer. Whoever waits polls it, so that causes are known while it is used.
pub struct Producer {
    // Before the client that it belongs to.
    wakeup: Wakeup,
    inner: BaseProducer<Reports>,
    findings: Arc<Findings>,
    durability: Durability,
    enqueued: u64,
    collected: u64,
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}

/// Every producer's purpose. `murmur2_random` is the Java client's rule, a random partition for
/// records without a key included.
const SENDING: &[(&str, &str)] = &[
    ("acks", "all"),
    ("partitioner", "murmur2_random"),
    ("linger.ms", "0"),
    ("queue.buffering.max.kbytes", "32768"),
    // How long a topic may be unknown before its records fail: enough for a broker that creates
    // topics on first use.
    ("topic.metadata.propagation.max.ms", "5000"),
];

/// The durability that the configuration ends with: a person's own property wins over what was asked.
fn promised(idempotence: Option<&str>) -> Durability {
    // The words that librdkafka takes for true.
    match idempotence.map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "t" | "1") => Durability::Idempotent,
        _ => Durability::Acknowledged,
    }
}

/// Refuses a setting under which a report says less than it seems to.
fn check_acks(config: &ClientConfig) -> Result<(), KafkaError> {
    match config.get("acks") {
        None | Some("all" | "-1") => Ok(()),
        Some(value) => Err(KafkaError::Config {
            reason: format!(
                "with acks={value} a record would count as acknowledged that not all in-sync replicas have"
            ),
        }),
    }
}

/// How long reports are waited for before the queue is looked at in any case.
const LOOK: Duration = Duration::from_millis(10);

/// How long nobody may answer: who has been silent for two seconds is asked by a probe of our own,
/// or for half of the time that there is, so that there is a cause before the deadline; a broker that
/// is only slow is waited for.
struct Silence {
    ask_at: Deadline,
    end_at: Deadline,
    is_kafka: bool,
}

impl Silence {
    fn begins(deadline: Deadline) -> Self {
        let half = deadline.remaining().map_or(Duration::MAX, |left| left / 2);
        Self {
            ask_at: Deadline::after(half.min(Duration::from_secs(2))),
            end_at: Deadline::after(FIRST_ANSWER),
            is_kafka: false,
        }
    }
}

/// Milliseconds that each of the questions may take that get an idempotent producer its id: short ones
/// for a broker next door, longer ones for one that is far away, then the library's own timer is no
/// slower.
const NUDGES: [u64; 6] = [5, 10, 20, 40, 80, 160];

impl Producer {
    /// Makes the client; the connection comes about while the first record waits.
    ///
    /// # Errors
    /// A property is unknown or cannot have its value.
    pub fn open(properties: &Properties, durability: Durability) -> Result<Self, KafkaError> {
        Self::open_with(properties, durability, &[])
    }

    /// The same with further properties of a purpose, such as batching.
    ///
    /// # Errors
    /// As [`Producer::open`].
    pub fn open_with(
        properties: &Properties,
        durability: Durability,
        purpose: &[(&str, &str)],
    ) -> Result<Self, KafkaError> {
        let findings = Arc::new(Findings::new(properties));
        let mut all = SENDING.to_vec();
        all.push((
            "enable.idempotence",
            if durability == Durability::Idempotent { "true" } else { "false" },
        ));
        all.extend(purpose);
        let context = Reports {
            brokers: properties.brokers().to_owned(),
            findings: Arc::clone(&findings),
            list: Mutex::default(),
            returned: Mutex::default(),
        };
        let config = properties.config(&all);
        check_acks(&config)?;
        let durability = promised(config.get("enable.idempotence"));
        let inner = create_client(properties, &all, context)?;
        let wakeup = Wakeup::of(&inner)?;
        Ok(Self { wakeup, inner, findings, durability, enqueued: 0, collected: 0 })
    }

    #[must_use]
    pub fn findings(&self) -> &Arc<Findings> {
        &self.findings
    }

    /// Records handed over and not yet reported.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.enqueued - self.collected
    }

    /// Hands a record over; its report comes under `tag` from [`Producer::collect`].
    ///
    /// # Errors
    /// The record cannot be sent whatever happens: too large, or a topic name that is none.
    pub fn enqueue(&mut self, tag: u64, record: &Outgoing<'_>) -> Result<Enqueued, KafkaError> {
        let opaque = usize::try_from(tag).map_err(|_| {
            KafkaError::refused(record.topic, "the tag is too large for this machine")
        })?;
        if record.timestamp == Some(0) {
            // librdkafka takes it for none and puts the present there.
            return Err(KafkaError::refused(record.topic, "a timestamp of 0 cannot be sent"));
        }
        let mut outgoing = BaseRecord::<[u8], [u8], usize>::with_opaque_to(record.topic, opaque);
        outgoing.key = record.key;
        outgoing.payload = record.value;
        outgoing.partition = record.partition;
        outgoing.timestamp = record.timestamp;
        if !record.headers.is_empty() {
            outgoing.headers = Some(record.headers.iter().fold(
                OwnedHeaders::new_with_capacity(record.headers.len()),
                |headers, (key, value)| headers.insert(Header { key, value: *value }),
            ));
        }
        match self.inner.send(outgoing) {
            Ok(()) => {
                self.enqueued += 1;
                Ok(Enqueued::Yes)
            }
            Err((failure, _))
                if failure.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) =>
            {
                if self.in_flight() > 0 {
                    return Ok(Enqueued::Full);
                }
                // It will never fit.
                Err(KafkaError::refused(
                    record.topic,
                    "it is larger than the producer's queue (-X queue.buffering.max.kbytes)",
                ))
            }
            Err((failure, _)) => Err(self.enqueue_error(record, &failure)),
        }
    }

    /// Why a record was not taken.
    fn enqueue_error(&self, record: &Outgoing<'_>, failure: &LibraryError) -> KafkaError {
        let facts = RefusedFacts {
            has_key: record.key.is_some(),
            bytes: record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len),
        };
        self.name_fatal_cause(delivery_error(record.topic, failure, facts, self.inner.context()))
    }

    /// Replaces an error that only says that the client has given up by what made it give up.
    fn name_fatal_cause(&self, error: KafkaError) -> KafkaError {
        let KafkaError::Library { action, code: Some(RDKafkaErrorCode::Fatal), reason } = error
        else {
            return error;
        };
        match self.inner.client().fatal_error() {
            Some((code, _)) if error::is_denial(code) => {
                KafkaError::Denied { action, reason: error::words(code) }
            }
            cause => KafkaError::Library {
                action,
                reason: cause.map_or(reason, |(_, reason)| reason),
                code: Some(RDKafkaErrorCode::Fatal),
            },
        }
    }

    /// Hands reports to `take`, at most `wait` after the first poll; returns early once there are
    /// any.
    pub fn collect(
        &mut self,
        wait: Duration,
        mut take: impl FnMut(u64, Result<Acknowledgement, KafkaError>),
    ) {
        let end = Instant::now() + wait;
        self.inner.context().returned.lock().unwrap_or_else(PoisonError::into_inner).clear();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            self.inner.poll(Duration::ZERO);
            let reports = std::mem::take(
                &mut *self.inner.context().list.lock().unwrap_or_else(PoisonError::into_inner),
            );
            if !reports.is_empty() {
                self.collected += reports.len() as u64;
                for (tag, report) in reports {
                    take(tag, report.map_err(|error| self.name_fatal_cause(error)));
                }
                return;
            }
            if left.is_zero() {
                return;
            }
            // What was read may have been no report, with one behind it: so never for long.
            self.wakeup.wait(left.min(LOOK));
        }
    }

    /// Gives up what is in flight. A report of each comes from [`Producer::collect`]: an error that
    /// says whether it was sent, or the acknowledgement that came in the meantime.
    pub fn abandon(&mut self) {
        self.inner.purge(PurgeConfig::default().queue().inflight());
    }

    /// The content of a record that was refused, where the refusal may be for its batch alone. To be
    /// asked at the report; whoever does not want it loses it with the next call of
    /// [`Producer::collect`].
    pub fn take_returned(&self, tag: u64) -> Option<Returned> {
        let returned = &self.inner.context().returned;
        returned.lock().unwrap_or_else(PoisonError::into_inner).remove(&tag)
    }

    /// Gets an idempotent producer its id now, so that its first record does not wait for it; nothing
    /// to do for another. The metadata are those of all topics, because a producer's question for one
    /// topic creates it.
    pub fn warm(&self) {
        if self.durability == Durability::Acknowledged {
            return;
        }
        for _ in 0..4 {
            self.inner.poll(Duration::from_millis(2));
            self.nudge(None, Duration::from_millis(20));
        }
    }

    /// Has the library ask for the producer's id: it does so on a timer of 500 ms, and on each
    /// metadata response.
    fn nudge(&self, topic: Option<&str>, wait: Duration) {
        // The answer does not matter, and neither does its absence: records wait by themselves.
        let _ = self.inner.client().fetch_metadata(topic, wait).is_ok();
    }

    /// Sends one record and waits until all in-sync replicas have it.
    ///
    /// # Errors
    /// The record was not acknowledged before the deadline, the broker refused it, or the brokers
    /// cannot be used: then at once, or after five seconds of silence.
    pub fn send(
        &mut self,
        record: &Outgoing<'_>,
        deadline: Deadline,
    ) -> Result<Acknowledgement, KafkaError> {
        const TAG: u64 = 0;
        while self.enqueue(TAG, record)? == Enqueued::Full {
            self.collect(Duration::from_millis(5), |_, _| {});
        }
        let mut silence = Silence::begins(deadline);
        let mut outcome = None;
        let mut nudges = match self.durability {
            Durability::Idempotent => NUDGES.iter(),
            Durability::Acknowledged => [].iter(),
        };
        while outcome.is_none() {
            self.collect(Duration::from_millis(3), |tag, report| {
                if tag == TAG {
                    outcome = Some(report);
                }
            });
            if outcome.is_none()
                && let Some(millis) = nudges.next()
            {
                self.nudge(Some(record.topic), Duration::from_millis(*millis));
            }
            if outcome.is_none() {
                self.give_up(record.topic, deadline, &mut silence)?;
            }
        }
        outcome.unwrap_or_else(|| {
            Err(KafkaError::Deadline { action: format!("send to {:?}", record.topic) })
        })
    }

    /// Ends a wait that cannot or must not go on.
    fn give_up(
        &self,
        topic: &str,
        deadline: Deadline,
        silence: &mut Silence,
    ) -> Result<(), KafkaError> {
        if let Some(verdict) = self.findings.final_verdict() {
            return Err(KafkaError::Unusable { verdict: Box::new(verdict) });
        }
        if deadline.has_passed() {
            return Err(KafkaError::Deadline { action: format!("have {topic:?} acknowledge") });
        }
        if !silence.ask_at.has_passed() || self.is_connected() {
            return Ok(());
        }
        if !silence.is_kafka {
            if let Some(verdict) = self.findings.verdict_on_silence(deadline) {
                return Err(KafkaError::Unusable { verdict: Box::new(verdict) });
            }
            silence.is_kafka = true;
            if self.findings.has_silent_address() {
                silence.end_at = Deadline::after(ROTATION);
            }
        }
        if silence.end_at.has_passed() {
            return Err(self.findings.unusable(deadline));
        }
        Ok(())
    }

    /// Whether any broker answers now.
    fn is_connected(&self) -> bool {
        self.inner.client().fetch_metadata(None, Duration::from_millis(200)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::mocking::MockCluster;

    fn on_mock(
        partitions: i32,
        durability: Durability,
    ) -> (MockCluster<'static, rdkafka::producer::DefaultProducerContext>, Producer) {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("events", partitions, 1).unwrap();
        let producer =
            Producer::open(&Properties::new(&mock.bootstrap_servers()), durability).unwrap();
        (mock, producer)
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn keys_land_where_the_service_puts_them() {
        let (_mock, mut producer) = on_mock(3, Durability::Acknowledged);
        // Where keys landed on the service's three partitions.
        for (key, partition) in [("dataset123", 1), ("user123_test-model-1", 2), ("task-0001", 2)] {
            let record = Outgoing::new("events", Some(key.as_bytes()), b"{}");
            assert_eq!(producer.send(&record, soon()).unwrap().partition(), partition, "{key}");
        }
    }

    #[test]
    fn a_persons_own_property_decides_what_is_promised() {
        let mock = MockCluster::new(1).unwrap();
        let open = |value| {
            let properties =
                Properties::new(&mock.bootstrap_servers()).set("enable.idempotence", value);
            Producer::open(&properties, Durability::Acknowledged).unwrap().durability
        };
        assert_eq!(open("True"), Durability::Idempotent);
        assert_eq!(open("1"), Durability::Idempotent);
        assert_eq!(open("false"), Durability::Acknowledged);
    }

    #[test]
    fn a_record_that_never_fits_is_refused_instead_of_waited_for() {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("events", 1, 1).unwrap();
        let properties = Properties::new(&mock.bootstrap_servers())
            .set("queue.buffering.max.kbytes", "1")
            .set("message.max.bytes", "100000");
        let mut producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
        let large = vec![b'x'; 5_000];
        let refused = producer.send(&Outgoing::new("events", None, &large), soon()).unwrap_err();
        assert!(refused.to_string().contains("queue.buffering.max.kbytes"), "{refused}");
        producer.send(&Outgoing::new("events", None, b"small"), soon()).unwrap();
    }

    #[test]
    fn an_acknowledgement_names_the_records_place() {
        let (_mock, mut producer) = on_mock(1, Durability::Idempotent);
        let record = Outgoing::new("events", None, b"x");
        assert_eq!(producer.send(&record, soon()).unwrap().to_string(), "events[0]@0");
        assert_eq!(producer.send(&record, soon()).unwrap().to_string(), "events[0]@1");
    }

    #[test]
    fn every_enqueued_record_is_reported_under_its_tag() {
        let (_mock, mut producer) = on_mock(1, Durability::Acknowledged);
        for tag in 0..100 {
            assert_eq!(
                producer.enqueue(tag, &Outgoing::new("events", None, b"x")).unwrap(),
                Enqueued::Yes
            );
        }
        let mut seen = Vec::new();
        let deadline = soon();
        while producer.in_flight() > 0 && !deadline.has_passed() {
            producer.collect(Duration::from_millis(100), |tag, report| {
                seen.push((tag, report.unwrap().offset()));
            });
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..100).map(|n| (n, i64::try_from(n).unwrap())).collect::<Vec<_>>());
    }

    #[test]
    fn a_dead_port_is_named_with_its_cause() {
        let mut producer =
            Producer::open(&Properties::new("127.0.0.1:1"), Durability::Acknowledged).unwrap();
        let failure = producer.send(&Outgoing::new("events", None, b"x"), soon()).unwrap_err();
        assert!(failure.to_string().starts_with("connection refused at 127.0.0.1:1"), "{failure}");
    }

    #[test]
    fn an_unknown_property_is_a_usage_error() {
        let properties = Properties::new("127.0.0.1:1").set("no.such.property", "1");
        let failure = Producer::open(&properties, Durability::Acknowledged).unwrap_err();
        assert!(
            matches!(&failure, KafkaError::Config { reason } if reason.contains("no.such.property")),
            "{failure}"
        );
    }
}
