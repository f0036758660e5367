//! A client without a group, for questions and for reading: it can neither join a group nor commit
//! nor create a topic. A thread of its own polls it, because librdkafka reports the cause of a
//! failure only to somebody who polls.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;

use super::client::create_client;
use super::{Cluster, Findings, KafkaError, PartitionFacts, Properties, TopicFacts};
use crate::base::Deadline;
use crate::base::nearest::nearest;

/// How long a cluster may take to answer the first time, if the command has no earlier deadline.
pub const FIRST_ANSWER: Duration = Duration::from_secs(5);
/// Maximum time for the library to find an address that answers. It tries one address of a name every
/// three seconds and chooses each at random: with one good address of two, five tries miss it once in
/// 32 runs, twenty once in a million.
pub(super) const ROTATION: Duration = Duration::from_secs(60);
/// How long after a question the same one may be asked again.
pub(super) const SOONEST: Duration = Duration::from_millis(20);

/// What a client for reading has beside the rest; measured on Apache Kafka.
const READING: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    // The default jumps silently to the end when the start is out of range.
    ("auto.offset.reset", "error"),
    ("allow.auto.create.topics", "false"),
    // A reader that is held up holds so much and what is on its way: 2 MiB of each keep 64 partitions
    // under 27 MiB in all. 8 MiB took 45 MiB and were no faster.
    ("queued.max.messages.kbytes", "2048"),
    // A batch that is larger comes all the same (KIP-74).
    ("fetch.max.bytes", "2097152"),
    ("fetch.queue.backoff.ms", "2"),
];

/// How a client asks brokers for records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetching {
    /// How long brokers hold an empty fetch. A partition that joins while one is held is asked for
    /// with the next one only.
    pub hold: Duration,
    /// Bytes of a partition in one fetch, but always a batch (KIP-74); `None` leaves the library's 1
    /// MiB.
    pub portion: Option<u32>,
}

impl Default for Fetching {
    fn default() -> Self {
        Self { hold: Duration::from_millis(5), portion: None }
    }
}

/// A connected client for questions and reading.
pub struct Session {
    consumer: Arc<BaseConsumer<SharedFindings>>,
    findings: Arc<Findings>,
    brokers: String,
    stop: Arc<AtomicBool>,
    /// Given to the thread that polls.
    to_free: mpsc::Sender<Garbage>,
}

/// What belongs to the client and is freed by being dropped.
type Garbage = Box<dyn Send>;

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

/// The context of the client: the findings, shared with whoever asks for the verdict.
pub(super) struct SharedFindings(pub(super) Arc<Findings>);

impl rdkafka::ClientContext for SharedFindings {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: LibraryError, reason: &str) {
        rdkafka::ClientContext::error(&*self.0, error, reason);
    }
}

impl rdkafka::consumer::ConsumerContext for SharedFindings {}

impl Session {
    /// Makes the client, for questions and for reads that end; nothing is connected yet. An empty
    /// fetch is answered at once.
    ///
    /// # Errors
    /// A property is unknown or cannot have its value.
    pub fn open(properties: &Properties) -> Result<Self, KafkaError> {
        Self::open_fetching(properties, Fetching::default())
    }

    /// The same, with records asked for in a way of its own.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_fetching(properties: &Properties, fetching: Fetching) -> Result<Self, KafkaError> {
        let hold = fetching.hold.as_millis().to_string();
        let portion = fetching.portion.map(|bytes| bytes.to_string());
        let mut further = vec![("fetch.wait.max.ms", hold.as_str())];
        further.extend(portion.as_deref().map(|bytes| ("fetch.message.max.bytes", bytes)));
        Self::open_with(properties, &further)
    }

    /// The same with properties of its purpose.
    pub(super) fn open_with(
        properties: &Properties,
        further: &[(&str, &str)],
    ) -> Result<Self, KafkaError> {
        let findings = Arc::new(Findings::new(properties));
        let purpose = [READING, further].concat();
        let context = SharedFindings(Arc::clone(&findings));
        let consumer: BaseConsumer<SharedFindings> = create_client(properties, &purpose, context)?;
        let consumer = Arc::new(consumer);
        let stop = Arc::new(AtomicBool::new(false));
        let to_free = spawn_poller(Arc::clone(&consumer), Arc::clone(&stop));
        Ok(Self { consumer, findings, brokers: properties.brokers().to_owned(), stop, to_free })
    }

    /// Has the thread that polls free what belongs to the client, within one poll.
    pub(super) fn free_later(&self, garbage: Garbage) {
        // Where there is no such thread, it is freed here.
        let _ = self.to_free.send(garbage);
    }

    pub(super) fn consumer(&self) -> &BaseConsumer<SharedFindings> {
        &self.consumer
    }

    #[must_use]
    pub fn findings(&self) -> &Arc<Findings> {
        &self.findings
    }

    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Brokers and all topics.
    ///
    /// # Errors
    /// The cluster cannot be used, with the cause; at most [`FIRST_ANSWER`] later.
    pub fn cluster(&self, deadline: Deadline) -> Result<Cluster, KafkaError> {
        self.ask(&format!("ask {}", self.brokers), deadline, |wait| {
            self.consumer.fetch_metadata(None, wait)
        })
        .map(|metadata| facts(&metadata))
    }

    /// Whether the broker is the one that `dwctl serve` embeds: librdkafka's mock cluster, which
    /// says so in the cluster's id. Only after a question that was answered.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        let id = self.consumer.client().fetch_cluster_id(Duration::from_millis(200));
        id.is_some_and(|id| id.starts_with("mockCluster"))
    }

    /// One topic; nothing is created by asking.
    ///
    /// # Errors
    /// [`KafkaError::UnknownTopic`] with the nearest names, or the cluster cannot be used.
    pub fn topic(&self, name: &str, deadline: Deadline) -> Result<TopicFacts, KafkaError> {
        let metadata = self.ask(&format!("ask {}", self.brokers), deadline, |wait| {
            self.consumer.fetch_metadata(Some(name), wait)
        })?;
        if let Some(denied) = denial(name, &metadata) {
            return Err(denied);
        }
        match facts(&metadata).topics.into_iter().find(|topic| topic.name == name) {
            Some(topic) => Ok(topic),
            None => Err(self.unknown_topic(name, &self.cluster(deadline)?)),
        }
    }

    /// The error for a topic that nobody of ours may see, whether it exists or not. A list of all topics
    /// leaves it out; only a question for its name tells.
    #[must_use]
    pub fn denial_of(&self, name: &str, deadline: Deadline) -> Option<KafkaError> {
        let patience = deadline.slice(Duration::from_millis(500)).max(SOONEST);
        denial(name, &self.consumer.fetch_metadata(Some(name), patience).ok()?)
    }

    /// Checks that a broker can be reached at the address that it advertises, which a question for
    /// topics does not: the address that is set answers it.
    ///
    /// # Errors
    /// None can be, with the address and the cause.
    pub fn check_advertised(
        &self,
        cluster: &Cluster,
        deadline: Deadline,
    ) -> Result<(), KafkaError> {
        match self.findings.verdict_if_none_is_reached(&cluster.brokers, deadline) {
            None => Ok(()),
            Some(verdict) => Err(KafkaError::Unusable { verdict: Box::new(verdict) }),
        }
    }

    /// The error for a topic that `cluster` does not have. A list of all topics leaves out what
    /// nobody may see; only a question for its name tells that from a topic that is not there.
    #[must_use]
    pub fn unknown_topic(&self, name: &str, cluster: &Cluster) -> KafkaError {
        self.unknown_source(name, &[], cluster)
    }

    /// As [`Session::unknown_topic`], where one of `others` could have been meant as well.
    #[must_use]
    pub fn unknown_source(&self, name: &str, others: &[&str], cluster: &Cluster) -> KafkaError {
        let asked = self.consumer.fetch_metadata(Some(name), Duration::from_millis(500)).ok();
        if let Some(denied) = asked.and_then(|metadata| denial(name, &metadata)) {
            return denied;
        }
        let known = others.iter().copied().chain(cluster.names());
        let near = nearest(name, known, 3).into_iter().map(str::to_owned).collect();
        KafkaError::UnknownTopic {
            topic: name.to_owned(),
            brokers: self.brokers.clone(),
            near,
            is_embedded: self.is_embedded(),
        }
    }

    /// Asks with growing patience: a verdict that cannot get better ends the wait after the first
    /// short slice, and a slow cluster is still heard by the last. A name of which one address is
    /// silent gets the time in which the library goes on to the next address.
    pub(super) fn ask<T>(
        &self,
        action: &str,
        deadline: Deadline,
        question: impl Fn(Duration) -> Result<T, LibraryError>,
    ) -> Result<T, KafkaError> {
        let (whole, mut deadline) = (deadline, deadline.within(FIRST_ANSWER));
        let mut patience = Duration::from_millis(40);
        let mut is_kafka = false;
        loop {
            let asked = Instant::now();
            match question(deadline.slice(patience)) {
                Ok(answer) => {
                    self.findings.clear_bootstrap();
                    return Ok(answer);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    return Err(KafkaError::library(action, &error));
                }
            }
            if let Some(verdict) = self.findings.final_verdict() {
                return Err(KafkaError::Unusable { verdict: Box::new(verdict) });
            }
            // Who has been silent for two seconds is asked by a probe of our own, so that there is a
            // cause before the deadline; a broker that is only slow is waited for.
            if patience > Duration::from_millis(1_000) && !is_kafka {
                if let Some(verdict) = self.findings.verdict_on_silence(deadline) {
                    return Err(KafkaError::Unusable { verdict: Box::new(verdict) });
                }
                is_kafka = true;
                if self.findings.has_silent_address() {
                    deadline = whole.within(ROTATION);
                }
            }
            if deadline.has_passed() {
                return Err(self.findings.unusable(deadline));
            }
            // Without any broker to ask, the library answers at once, and would be asked without end.
            let early = deadline.slice(SOONEST).saturating_sub(asked.elapsed());
            std::thread::sleep(early);
            patience = (patience * 2).min(FIRST_ANSWER);
        }
    }
}

/// What a question meets in the moments in which a partition changes its leader, or its leader comes
/// back from having been away.
pub(super) fn is_of_a_new_leader(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::OffsetNotAvailable
            | RDKafkaErrorCode::NotLeaderForPartition
            | RDKafkaErrorCode::FencedLeaderEpoch
            | RDKafkaErrorCode::UnknownLeaderEpoch
    )
}

/// Whether the same question may succeed later.
fn is_passing(error: &LibraryError) -> bool {
    error.rdkafka_error_code().is_some_and(|code| {
        is_of_a_new_leader(code)
            || matches!(
                code,
                RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::OperationTimedOut
                    | RDKafkaErrorCode::TimedOutQueue
                    | RDKafkaErrorCode::RequestTimedOut
                    | RDKafkaErrorCode::LeaderNotAvailable
                    | RDKafkaErrorCode::WaitingForCoordinator
                    | RDKafkaErrorCode::Resolve
            )
    })
}

fn spawn_poller(
    consumer: Arc<BaseConsumer<SharedFindings>>,
    stop: Arc<AtomicBool>,
) -> mpsc::Sender<Garbage> {
    let (to_free, garbage) = mpsc::channel();
    let poll = move || {
        while !stop.load(Ordering::Relaxed) {
            // Errors arrive through the context; without a group there are no records here.
            let _ = consumer.poll(Duration::from_millis(50));
            garbage.try_iter().for_each(drop);
        }
        // Before the client, which must outlive it.
        drop(garbage);
        drop(consumer);
    };
    // Without the thread there are no causes, only deadlines: worse, not wrong.
    let _ = std::thread::Builder::new().name("kafka-poll".into()).spawn(poll);
    to_free
}

impl Drop for Session {
    /// The thread ends by itself within one poll; waiting for it would cost every command 50 ms.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The error for a topic that the metadata say nobody of ours may see.
fn denial(name: &str, metadata: &Metadata) -> Option<KafkaError> {
    let error = metadata.topics().iter().find_map(rdkafka::metadata::MetadataTopic::error)?;
    let code = RDKafkaErrorCode::from(error);
    (code == RDKafkaErrorCode::TopicAuthorizationFailed).then(|| KafkaError::Denied {
        action: format!("see topic {name:?}"),
        reason: super::error::words(code),
    })
}

fn facts(metadata: &Metadata) -> Cluster {
    let brokers = metadata
        .brokers()
        .iter()
        .map(|broker| (broker.id(), format!("{}:{}", broker.host(), broker.port())));
    let mut topics: Vec<TopicFacts> = metadata
        .topics()
        .iter()
        .filter(|topic| topic.error().is_none() && !topic.partitions().is_empty())
        .map(|topic| {
            let mut partitions: Vec<PartitionFacts> = topic
                .partitions()
                .iter()
                .map(|partition| PartitionFacts {
                    id: partition.id(),
                    leader: partition.leader(),
                    replicas: partition.replicas().to_vec(),
                    in_sync: partition.isr().to_vec(),
                })
                .collect();
            partitions.sort_by_key(|partition| partition.id);
            TopicFacts { name: topic.name().to_owned(), partitions }
        })
        .collect();
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    Cluster { brokers: brokers.collect(), topics }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Classify, Kind};
    use crate::kafka::{Bounds, Durability, Entry, Outgoing, Producer, Reader, TopicPartition};
    use rdkafka::mocking::MockCluster;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn a_dead_port_is_named_with_its_cause() {
        let session = Session::open(&Properties::new("127.0.0.1:1")).unwrap();
        let failure = session.cluster(soon()).unwrap_err();
        assert_eq!(failure.kind(), Kind::Unreachable);
        assert!(failure.to_string().starts_with("connection refused at 127.0.0.1:1"), "{failure}");
    }

    #[test]
    fn a_name_that_has_two_addresses_is_used_where_one_serves() {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("t", 1, 1).unwrap();
        let port = mock.bootstrap_servers().rsplit_once(':').unwrap().1.to_owned();
        let session = Session::open(&Properties::new(&format!("localhost:{port}"))).unwrap();
        assert_eq!(session.topic("t", soon()).unwrap().partitions.len(), 1);
    }

    #[test]
    fn a_port_that_is_not_kafka_is_called_by_its_name() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut request = [0; 64];
                    // An HTTP server waits for the end of a header before it answers.
                    while let Ok(read) = std::io::Read::read(&mut stream, &mut request) {
                        if read == 0 {
                            break;
                        }
                        if request[..read].windows(4).any(|window| window == b"\r\n\r\n") {
                            let _ = std::io::Write::write_all(
                                &mut stream,
                                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                            );
                            break;
                        }
                    }
                });
            }
        });
        let session = Session::open(&Properties::new(&address)).unwrap();
        let failure = session.cluster(soon()).unwrap_err();
        assert!(failure.to_string().contains("HTTP server, not a Kafka broker"), "{failure}");
    }

    #[test]
    fn an_unknown_topic_comes_with_the_nearest_names() {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("automl-events", 1, 1).unwrap();
        let session = Session::open(&Properties::new(&mock.bootstrap_servers())).unwrap();
        let failure = session.topic("automl-event", soon()).unwrap_err();
        assert!(
            matches!(&failure, KafkaError::UnknownTopic { near, .. } if near == &["automl-events"]),
            "{failure}"
        );
        let names: Vec<String> =
            session.cluster(soon()).unwrap().names().map(str::to_owned).collect();
        assert_eq!(names, ["automl-events"], "asking creates nothing");
    }

    #[test]
    fn what_was_sent_is_read_from_the_start_to_the_end() {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic("t", 1, 1).unwrap();
        let properties = Properties::new(&mock.bootstrap_servers());
        let mut producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
        let headers: [(&str, Option<&[u8]>); 3] =
            [("h", Some(b"1")), ("h", Some(b"\xff")), ("h", None)];
        let mut first = Outgoing::new("t", Some(b"k"), b"one");
        first.headers = &headers;
        producer.send(&first, soon()).unwrap();
        producer.send(&Outgoing { value: None, ..Outgoing::new("t", None, b"") }, soon()).unwrap();

        let session = Arc::new(Session::open(&properties).unwrap());
        let partition = TopicPartition::new("t", 0);
        let bounds = session.bounds(std::slice::from_ref(&partition), soon()).unwrap();
        assert_eq!(bounds, [Bounds { low: 0, high: 2 }]);
        let mut reader = Reader::new(session).unwrap();
        let topic = reader.topic("t").unwrap();
        reader.start(topic, 0, 0).unwrap();
        let mut seen = Vec::new();
        let deadline = soon();
        while !seen.iter().any(|line: &String| line.starts_with("end")) && !deadline.has_passed() {
            let mut batch = reader.wait(Duration::from_millis(100));
            while let Some(entry) = batch.next_entry() {
                seen.push(match entry {
                    Entry::Record(record) => format!(
                        "{}[{}]@{} {:?} {:?} {:?}",
                        record.topic,
                        record.partition,
                        record.offset,
                        record.key,
                        record.value,
                        record.headers
                    ),
                    Entry::EndOfPartition { topic, partition, offset } => {
                        format!("end {}[{partition}]@{offset}", topic.index())
                    }
                    Entry::Fault(fault) => fault.reason,
                });
            }
        }
        assert_eq!(
            seen,
            [
                "t[0]@0 Some([107]) Some([111, 110, 101]) [(\"h\", Some([49])), (\"h\", Some([255])), (\"h\", None)]",
                "t[0]@1 None None []",
                "end 0[0]@2",
            ]
        );
    }
}
