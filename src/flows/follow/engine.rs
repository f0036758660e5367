//! The loop: batches while there are records, a flush when dry, then one wait of at most 100 ms in
//! which a stop, a deadline or a closed pipe is noticed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::progress::{Progress, absolute};
use super::target::{refusal, resolve};
use super::{Notice, Position, RecordSink, Source, StopRules, Taken, Target};
use crate::base::{Classify, Deadline, Failure, Kind, Shutdown};
use crate::kafka::{
    Bounds, Entry, KafkaError, Properties, ReadFault, Reader, Session, TopicPartition,
};

/// How long one wait may last; also how late a stop may be noticed.
const SLICE: Duration = Duration::from_millis(100);
/// How often a live read looks for new partitions and topics.
const REFRESH: Duration = Duration::from_secs(3);

/// What to read, from where, until when.
#[derive(Clone, Debug)]
pub struct FollowPlan {
    pub sources: Vec<Source>,
    pub from: Position,
    pub stop: StopRules,
    /// Only these partitions; empty for all.
    pub partitions: Vec<i32>,
}

/// Why a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As many records as were asked for.
    Count,
    /// The end of every partition.
    End,
    /// Nothing came for as long as was allowed.
    Idle,
    /// The deadline.
    Deadline,
    /// Somebody asked for it.
    Shutdown,
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub stop: Stop,
    /// Records that counted.
    pub records: u64,
}

/// Reads what the plan says into the sink, to its end.
///
/// # Errors
/// The brokers cannot be used, a named topic does not exist or may not be read, or the sink fails.
pub fn follow(
    properties: &Properties,
    plan: &FollowPlan,
    sink: &mut dyn RecordSink,
    shutdown: &Shutdown,
    deadline: Deadline,
) -> Result<Outcome, Failure> {
    let session = Arc::new(Session::open(properties, plan.stop.at_end)?);
    let mut engine = Engine {
        reader: Reader::new(Arc::clone(&session))?,
        session,
        plan,
        sink,
        shutdown,
        deadline,
        progress: Progress::default(),
        counted: 0,
        last_record: Instant::now(),
        last_refresh: Instant::now(),
        said_quiet: false,
    };
    if let Some(stop) = engine.begin()? {
        return Ok(Outcome { stop, records: 0 });
    }
    let stop = engine.run()?;
    engine.sink.dry()?;
    Ok(Outcome { stop, records: engine.counted })
}

struct Engine<'a> {
    // Before the session: its handles belong to the session's client.
    reader: Reader,
    session: Arc<Session>,
    plan: &'a FollowPlan,
    sink: &'a mut dyn RecordSink,
    shutdown: &'a Shutdown,
    deadline: Deadline,
    progress: Progress,
    counted: u64,
    last_record: Instant,
    last_refresh: Instant,
    said_quiet: bool,
}

impl Engine<'_> {
    /// Resolves topics and starts their partitions. A reason to stop, where there is one already.
    fn begin(&mut self) -> Result<Option<Stop>, Failure> {
        let mut said = false;
        loop {
            let cluster = match self.session.cluster(self.deadline) {
                Ok(cluster) => cluster,
                // The cluster has answered before; it is only the time that is over.
                Err(_) if said && self.deadline.has_passed() => return Ok(Some(Stop::Deadline)),
                Err(error) => return Err(error.into()),
            };
            let resolved = resolve(&self.plan.sources, &cluster);
            let live = !self.plan.stop.at_end;
            if let Some(source) =
                resolved.missing.iter().find(|source| !(live && source.may_come()))
            {
                // A bounded read of several roles is content with those that exist.
                if !source.may_come() || resolved.targets.is_empty() {
                    return Err(refusal(source, &self.session, &cluster).into());
                }
            }
            if !resolved.targets.is_empty() {
                let wanted = self.partitions(&resolved.targets)?;
                // What came into being while it was waited for is read from its first record.
                let from = if said { &Position::Beginning } else { &self.plan.from };
                self.start(&wanted, from)?;
                self.last_record = Instant::now();
                return Ok(None);
            }
            if !said {
                said = true;
                let topics = self.candidate_names();
                self.sink.notice(&Notice::WaitingForTopic { topics });
            }
            if let Some(stop) = self.pause() {
                return Ok(Some(stop));
            }
        }
    }

    fn candidate_names(&self) -> Vec<String> {
        self.plan.sources.iter().flat_map(Source::candidates).map(str::to_owned).collect()
    }

    /// One slice without a reader to wait on.
    fn pause(&mut self) -> Option<Stop> {
        // Nothing is started, so this waits its time on an empty queue.
        drop(self.reader.wait(self.deadline.slice(SLICE)));
        self.asked_to_stop()
    }

    fn asked_to_stop(&self) -> Option<Stop> {
        if self.shutdown.is_requested() {
            Some(Stop::Shutdown)
        } else if self.deadline.has_passed() {
            Some(Stop::Deadline)
        } else {
            None
        }
    }

    fn partitions(&self, targets: &[Target]) -> Result<Vec<TopicPartition>, KafkaError> {
        let mut found = Vec::new();
        for target in targets {
            let ids: Vec<i32> =
                target.topic.partitions.iter().map(|partition| partition.id).collect();
            if let Some(&missing) = self.plan.partitions.iter().find(|id| !ids.contains(id)) {
                let topic = target.topic.name.clone();
                return Err(KafkaError::UnknownPartition {
                    topic,
                    partition: missing,
                    count: ids.len(),
                });
            }
            let wanted = ids
                .into_iter()
                .filter(|id| self.plan.partitions.is_empty() || self.plan.partitions.contains(id));
            found.extend(wanted.map(|id| TopicPartition::new(&target.topic.name, id)));
        }
        Ok(found)
    }

    /// Looks positions up in one batch and starts every partition that has something to read.
    fn start(&mut self, wanted: &[TopicPartition], from: &Position) -> Result<(), KafkaError> {
        let bounds = self.session.bounds(wanted, self.deadline)?;
        let times = match from {
            Position::Time(millis) => self.session.offsets_at(wanted, *millis, self.deadline)?,
            _ => vec![None; wanted.len()],
        };
        for ((partition, bounds), at_time) in wanted.iter().zip(bounds).zip(times) {
            let Some(next) = absolute(from, partition.partition, bounds, at_time) else { continue };
            let end = self.plan.stop.at_end.then_some(bounds.high);
            if self.progress.add(partition, next, end) {
                self.reader.start(partition, next)?;
            }
        }
        Ok(())
    }

    fn run(&mut self) -> Result<Stop, Failure> {
        loop {
            if let Some(stop) = self.drain(Duration::ZERO)? {
                return Ok(stop);
            }
            if let Some(stop) = self.asked_to_stop() {
                return Ok(stop);
            }
            self.sink.dry()?;
            let idle_left =
                self.plan.stop.idle.map(|idle| idle.saturating_sub(self.last_record.elapsed()));
            if idle_left == Some(Duration::ZERO) {
                return Ok(Stop::Idle);
            }
            self.say_quiet();
            let wait = self.deadline.slice(idle_left.unwrap_or(SLICE).min(SLICE));
            if let Some(stop) = self.drain(wait)? {
                return Ok(stop);
            }
            self.refresh();
        }
    }

    /// Says once, when everything there is has been shown, that the rest is waited for.
    fn say_quiet(&mut self) {
        if !self.said_quiet && !self.plan.stop.at_end {
            self.said_quiet = true;
            let from_end = self.plan.from == Position::End && self.counted == 0;
            let notice = Notice::WaitingForRecords { topics: self.candidate_names(), from_end };
            self.sink.notice(&notice);
        }
    }

    /// Takes batches until there is none; the first is waited for.
    fn drain(&mut self, wait: Duration) -> Result<Option<Stop>, Failure> {
        let mut faults = Vec::new();
        let stop = loop {
            if self.progress.is_done() && self.plan.stop.at_end {
                break Some(Stop::End);
            }
            let mut batch =
                if wait.is_zero() { self.reader.ready() } else { self.reader.wait(wait) };
            if batch.is_empty() {
                break None;
            }
            let mut reached = None;
            while let Some(entry) = batch.next_entry() {
                match entry {
                    Entry::Record(record) => {
                        self.last_record = Instant::now();
                        let inside =
                            self.progress.accept(record.topic, record.partition, record.offset);
                        if inside && self.sink.record(&record)? == Taken::Counted {
                            self.counted += 1;
                        }
                    }
                    Entry::EndOfPartition { topic, partition, offset } => {
                        self.progress.reached(topic, partition, offset);
                    }
                    Entry::Fault { topic, partition, offset, kind, reason } => {
                        faults.push((TopicPartition::new(topic, partition), offset, kind, reason));
                    }
                }
                if self.plan.stop.count.is_some_and(|count| self.counted >= count) {
                    reached = Some(Stop::Count);
                    break;
                }
            }
            drop(batch);
            if reached.is_some() {
                break reached;
            }
            if !faults.is_empty()
                || !wait.is_zero()
                || self.shutdown.is_requested()
                || self.deadline.has_passed()
            {
                break None;
            }
        };
        for (partition, offset, kind, reason) in faults {
            self.fault(&partition, offset, kind, &reason)?;
        }
        Ok(stop)
    }

    fn fault(
        &mut self,
        partition: &TopicPartition,
        offset: i64,
        kind: ReadFault,
        reason: &str,
    ) -> Result<(), Failure> {
        let (topic, id) = (partition.topic.as_str(), partition.partition);
        match kind {
            ReadFault::OffsetGone => self.resume(partition, offset)?,
            ReadFault::PartitionGone => {
                self.progress.abandon(topic, id);
                self.reader.stop(partition);
                self.sink.notice(&Notice::PartitionGone { topic, partition: id });
            }
            ReadFault::Denied => {
                let reason = reason.to_owned();
                return Err(KafkaError::Denied { action: format!("read {topic:?}"), reason }.into());
            }
            ReadFault::Passing | ReadFault::Other => {
                self.sink.notice(&Notice::Reconnecting { reason: reason.to_owned() });
            }
        }
        Ok(())
    }

    /// Goes on at the oldest record that is left.
    fn resume(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), KafkaError> {
        let bounds = self.session.bounds(std::slice::from_ref(partition), self.deadline)?;
        let Some(Bounds { low, high }) = bounds.first().copied() else { return Ok(()) };
        self.reader.stop(partition);
        let resumed = if offset < low { low } else { high };
        self.reader.start(partition, resumed)?;
        self.progress.reached(&partition.topic, partition.partition, resumed);
        let (topic, partition) = (partition.topic.as_str(), partition.partition);
        self.sink.notice(&Notice::OffsetGone { topic, partition, offset, resumed });
        Ok(())
    }

    /// Picks up partitions and topics that came into being meanwhile, from their first record.
    fn refresh(&mut self) {
        if self.plan.stop.at_end || self.last_refresh.elapsed() < REFRESH {
            return;
        }
        self.last_refresh = Instant::now();
        // A cluster that does not answer now is asked again later; reading goes on meanwhile.
        let Ok(cluster) = self.session.cluster(self.deadline.within(SLICE)) else { return };
        let targets = resolve(&self.plan.sources, &cluster).targets;
        let fresh: Vec<TopicPartition> = targets
            .iter()
            .flat_map(|target| {
                target
                    .topic
                    .partitions
                    .iter()
                    .map(|partition| TopicPartition::new(&target.topic.name, partition.id))
            })
            .filter(|partition| !self.progress.knows(&partition.topic, partition.partition))
            .filter(|partition| {
                self.plan.partitions.is_empty()
                    || self.plan.partitions.contains(&partition.partition)
            })
            .collect();
        if fresh.is_empty() {
            return;
        }
        match self.start(&fresh, &Position::Beginning) {
            Ok(()) => {
                for partition in &fresh {
                    self.sink.notice(&Notice::NewPartition {
                        topic: &partition.topic,
                        partition: partition.partition,
                    });
                }
            }
            // A partition without a leader yet is looked at again at the next refresh.
            Err(error) if error.kind() == Kind::Unreachable => {}
            Err(error) => self.sink.notice(&Notice::Reconnecting { reason: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::native::mock::MockBroker;
    use crate::kafka::{Durability, Outgoing, Producer, Record};

    /// A broker with a topic of two partitions and some records in each.
    struct Case {
        _mock: MockBroker,
        properties: Properties,
        producer: Producer,
    }

    impl Case {
        fn new() -> Self {
            let mock = MockBroker::start().unwrap();
            mock.create_topic("t", 2).unwrap();
            let properties = Properties::new(&mock.address());
            let producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
            Self { _mock: mock, properties, producer }
        }

        fn send(&mut self, partition: i32, values: &[&str]) {
            for value in values {
                let mut record = Outgoing::new("t", None, value.as_bytes());
                record.partition = Some(partition);
                self.producer.send(&record, soon()).unwrap();
            }
        }

        fn read(&self, from: Position, stop: StopRules) -> (Outcome, Vec<String>) {
            let mut sink = Collected::default();
            let plan = FollowPlan {
                sources: vec![Source::Topic("t".into())],
                from,
                stop,
                partitions: Vec::new(),
            };
            let outcome =
                follow(&self.properties, &plan, &mut sink, &Shutdown::new(), soon()).unwrap();
            sink.values.sort();
            (outcome, sink.values)
        }
    }

    #[derive(Default)]
    struct Collected {
        values: Vec<String>,
        notices: Vec<String>,
    }

    impl RecordSink for Collected {
        fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
            self.values
                .push(String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned());
            Ok(Taken::Counted)
        }

        fn dry(&mut self) -> Result<(), Failure> {
            Ok(())
        }

        fn notice(&mut self, notice: &Notice<'_>) {
            self.notices.push(format!("{notice:?}"));
        }
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    const TO_END: StopRules = StopRules { count: None, at_end: true, idle: None };

    #[test]
    fn a_bounded_read_ends_at_the_end_of_every_partition() {
        let mut case = Case::new();
        case.send(0, &["a", "b"]);
        case.send(1, &["c"]);
        let (outcome, values) = case.read(Position::Beginning, TO_END);
        assert_eq!(values, ["a", "b", "c"]);
        assert_eq!(outcome, Outcome { stop: Stop::End, records: 3 });
    }

    #[test]
    fn an_empty_topic_is_read_to_its_end_at_once() {
        assert_eq!(
            Case::new().read(Position::Beginning, TO_END).0,
            Outcome { stop: Stop::End, records: 0 }
        );
    }

    #[test]
    fn the_last_records_of_each_partition_are_counted_from_its_end() {
        let mut case = Case::new();
        case.send(0, &["a", "b", "c"]);
        case.send(1, &["d"]);
        assert_eq!(case.read(Position::BeforeEnd(2), TO_END).1, ["b", "c", "d"]);
    }

    #[test]
    fn a_count_ends_the_read() {
        let mut case = Case::new();
        case.send(0, &["a", "b", "c"]);
        let stop = StopRules { count: Some(2), ..StopRules::default() };
        let (outcome, values) = case.read(Position::Beginning, stop);
        assert_eq!(values, ["a", "b"]);
        assert_eq!(outcome.stop, Stop::Count);
    }

    #[test]
    fn silence_ends_the_read_where_that_was_asked_for() {
        let mut case = Case::new();
        case.send(0, &["a"]);
        let stop = StopRules { idle: Some(Duration::from_millis(300)), ..StopRules::default() };
        assert_eq!(
            case.read(Position::Beginning, stop).0,
            Outcome { stop: Stop::Idle, records: 1 }
        );
    }

    #[test]
    fn a_named_topic_that_does_not_exist_is_refused() {
        let case = Case::new();
        let plan = FollowPlan {
            sources: vec![Source::Topic("tt".into())],
            from: Position::End,
            stop: StopRules::default(),
            partitions: Vec::new(),
        };
        let failure =
            follow(&case.properties, &plan, &mut Collected::default(), &Shutdown::new(), soon())
                .unwrap_err();
        assert_eq!(failure.kind(), Kind::NotFound);
        assert!(failure.hints()[0].text().contains("did you mean t?"));
    }

    #[test]
    fn a_role_without_a_topic_is_waited_for() {
        let case = Case::new();
        let plan = FollowPlan {
            sources: vec![Source::Role { role: crate::schema::role::Role::Automl, set: None }],
            from: Position::End,
            stop: StopRules::default(),
            partitions: Vec::new(),
        };
        let mut sink = Collected::default();
        let deadline = Deadline::after(Duration::from_millis(500));
        let outcome =
            follow(&case.properties, &plan, &mut sink, &Shutdown::new(), deadline).unwrap();
        assert_eq!(outcome, Outcome { stop: Stop::Deadline, records: 0 });
        assert!(sink.notices[0].contains("automl-complete-events"), "{:?}", sink.notices);
    }
}
