//! The loop: batches while there are records, a flush when dry, then one wait of at most 100 ms in
//! which a stop, a deadline or a closed pipe is noticed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::group::follow_group;
use super::newest::follow_newest;
use super::outage::{Change, Outage, refuse_if_too_long};
use super::progress::{Place, Progress};
use super::start::Wanted;
use super::target::resolve;
use super::watch::{Answer, Watch};
use super::{FollowPlan, Notice, Outcome, Position, RecordSink, Situation, Stop};
use crate::base::{Classify, Deadline, Failure, Kind, Shutdown};
use crate::kafka::{
    Bounds, Cluster, Entry, Fault, Fetching, KafkaError, Properties, ReadFault, Reader, Session,
    TopicId, TopicPartition,
};

/// How long one wait may last; also how late a stop may be noticed.
const SLICE: Duration = Duration::from_millis(100);
/// How long a read goes on before it begins to ask how the cluster stands.
const UNWATCHED: Duration = Duration::from_secs(1);

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
    if let Some(group) = &plan.group {
        return follow_group(properties, plan, group, sink, shutdown, deadline);
    }
    let session = Arc::new(Session::open_fetching(properties, fetching(plan, sink))?);
    if let Some(newest) = plan.newest {
        return follow_newest(session, plan, newest, sink, shutdown, deadline);
    }
    let mut engine = Engine::new(session, plan, sink, shutdown, deadline)?;
    if let Some(stop) = engine.begin()? {
        return Ok(Outcome { stop, records: 0, unread: 0 });
    }
    let stop = engine.run()?;
    engine.sink.dry()?;
    let outcome = Outcome { stop, records: engine.counted, unread: engine.unread() };
    engine.reader.leave();
    Ok(outcome)
}

/// How records are asked for. The first fetch has only those partitions that were ready, and the
/// others wait for the next: whoever waits for a certain record, or follows for hours, waits for that
/// once. Where a few records of any kind are enough, the first ones are not to bring a mebibyte of each
/// partition with them: it was half the time of such a command.
fn fetching(plan: &FollowPlan, sink: &dyn RecordSink) -> Fetching {
    const OF_A_WAIT: Duration = Duration::from_millis(20);
    const OF_FOLLOWING: Duration = Duration::from_millis(100);
    const FEW: u64 = 100;
    const PORTION: u32 = 64 * 1024;
    let hold = match (plan.is_bounded(), plan.stop.count) {
        (true, _) => Fetching::default().hold,
        (false, Some(_)) => OF_A_WAIT,
        (false, None) => OF_FOLLOWING,
    };
    let is_few = plan.stop.count.is_some_and(|count| count <= FEW)
        && plan.accepts_all()
        && !sink.may_pass_over();
    Fetching { hold, portion: is_few.then_some(PORTION) }
}

/// One read. Its parts: `start` (where it begins), here (what comes, and when it ends), `newest`
/// (several reads to find the newest records).
pub(super) struct Engine<'a> {
    // Before the session: its handles belong to the session's client.
    pub reader: Reader,
    pub session: Arc<Session>,
    pub plan: &'a FollowPlan,
    pub sink: &'a mut dyn RecordSink,
    pub shutdown: &'a Shutdown,
    pub deadline: Deadline,
    pub progress: Progress,
    counted: u64,
    seen: u64,
    began: Instant,
    last_record: Instant,
    /// When the sink wants to know the next time how the read stands.
    next_situation: Option<Instant>,
    said_quiet: bool,
    is_lifecycle_noted: bool,
    said_stuck: Vec<(TopicId, i32, String)>,
    watch: Option<Watch>,
    outage: Outage,
    /// A connection was lost and the cluster has not answered since.
    is_suspect: bool,
    disturbances: u64,
    /// Partitions whose offset is gone and whose bounds nobody could tell yet.
    lost: Vec<Fault>,
    closing_time: Option<i64>,
}

impl<'a> Engine<'a> {
    pub fn new(
        session: Arc<Session>,
        plan: &'a FollowPlan,
        sink: &'a mut dyn RecordSink,
        shutdown: &'a Shutdown,
        deadline: Deadline,
    ) -> Result<Self, KafkaError> {
        let now = Instant::now();
        Ok(Self {
            reader: Reader::new(Arc::clone(&session))?,
            session,
            plan,
            shutdown,
            deadline,
            progress: Progress::default(),
            counted: 0,
            seen: 0,
            began: now,
            last_record: now,
            next_situation: sink.wants_situation().map(|_| now),
            sink,
            said_quiet: false,
            is_lifecycle_noted: false,
            said_stuck: Vec::new(),
            watch: None,
            outage: Outage::default(),
            is_suspect: false,
            disturbances: 0,
            lost: Vec::new(),
            closing_time: plan.closing_time(),
        })
    }

    /// What is left before the ends that were asked for.
    pub fn unread(&self) -> u64 {
        self.progress.unread(|topic, partition| self.reader.known_end(topic, partition))
    }

    /// One slice without a reader to wait on.
    pub fn pause(&mut self) -> Result<Option<Stop>, Failure> {
        // Nothing is started, so this waits its time on an empty queue.
        drop(self.reader.wait(self.deadline.slice(SLICE)));
        let now = Instant::now();
        self.tell_situation(now)?;
        Ok(self.asked_to_stop(now))
    }

    fn asked_to_stop(&self, now: Instant) -> Option<Stop> {
        if self.shutdown.is_requested() {
            Some(Stop::Shutdown)
        } else if self.deadline.instant().is_some_and(|at| at <= now) {
            Some(Stop::Deadline)
        } else {
            None
        }
    }

    /// Reads until something ends it.
    pub fn run(&mut self) -> Result<Stop, Failure> {
        // Connections that failed before the cluster answered are no loss.
        self.disturbances = self.session.findings().disturbances();
        self.last_record = Instant::now();
        let has_end = self.plan.until.is_some() || self.plan.newest.is_some();
        let mut wait = Duration::ZERO;
        loop {
            if has_end && self.progress.is_done() {
                return Ok(Stop::End);
            }
            let before = self.seen;
            let (entries, stop) = self.take_batch(wait)?;
            let now = Instant::now();
            if self.seen > before {
                self.last_record = now;
            }
            if let Some(stop) = stop.or_else(|| self.asked_to_stop(now)) {
                return Ok(stop);
            }
            self.tell_situation(now)?;
            if entries > 0 {
                wait = Duration::ZERO;
                continue;
            }
            self.sink.dry()?;
            self.look_around(now)?;
            let Some(slice) = self.idle_slice(now) else { return Ok(Stop::Idle) };
            self.say_quiet();
            wait = self.until_closing(self.deadline.slice(slice));
        }
    }

    /// Takes what is there, or waits for one entry; says how many came and whether enough were
    /// counted.
    fn take_batch(&mut self, wait: Duration) -> Result<(usize, Option<Stop>), Failure> {
        let mut faults = Vec::new();
        let mut stop = None;
        let mut batch = if wait.is_zero() { self.reader.ready() } else { self.reader.wait(wait) };
        let entries = batch.len();
        while let Some(entry) = batch.next_entry() {
            match entry {
                Entry::Record(record) => {
                    self.seen += 1;
                    if self.progress.accept(&record) == Place::Outside
                        || !self.plan.filter.passes(&record)
                    {
                        continue;
                    }
                    if self.plan.is_lifecycle(&record) {
                        if !std::mem::replace(&mut self.is_lifecycle_noted, true) {
                            let topic = record.topic;
                            self.sink.notice(&Notice::LifecyclePassedOver { topic });
                        }
                        continue;
                    }
                    self.counted += self.sink.record(&record)?.count();
                    if self.plan.stop.count.is_some_and(|count| self.counted >= count) {
                        stop = Some(Stop::Count);
                        break;
                    }
                }
                Entry::EndOfPartition { topic, partition, offset } => {
                    self.progress.reached(topic, partition, offset);
                }
                Entry::Fault(fault) => faults.push(fault),
            }
        }
        drop(batch);
        for fault in faults {
            self.take_fault(fault)?;
        }
        Ok((entries, stop))
    }

    /// How long the next wait may be; `None` when nothing has come for as long as is allowed. The
    /// clock stands still while the brokers are away: silence is theirs then, not the topic's.
    fn idle_slice(&mut self, now: Instant) -> Option<Duration> {
        if self.outage.is_on() || self.is_suspect {
            self.last_record = now;
        }
        let Some(idle) = self.plan.stop.idle else { return Some(SLICE) };
        let left = idle.saturating_sub(now.saturating_duration_since(self.last_record));
        (!left.is_zero()).then_some(left.min(SLICE))
    }

    /// Says once, when everything there is has been shown, that the rest is waited for.
    fn say_quiet(&mut self) {
        if self.said_quiet {
            return;
        }
        if let Some(until) = self.closing_time {
            self.said_quiet = true;
            let topics = self.candidate_names();
            self.sink.notice(&Notice::WaitingForTime { topics, until });
        } else if self.plan.until.is_none() && self.plan.newest.is_none() {
            self.said_quiet = true;
            let from_end = self.plan.from == Position::End && self.counted == 0;
            let notice = Notice::WaitingForRecords { topics: self.candidate_names(), from_end };
            self.sink.notice(&notice);
        }
    }

    fn tell_situation(&mut self, now: Instant) -> Result<(), Failure> {
        if self.next_situation.is_none_or(|next| now < next) {
            return Ok(());
        }
        self.next_situation = self.sink.wants_situation().map(|period| now + period);
        let (mut partitions, mut lag) = (0, 0);
        for (topic, partition, next) in self.progress.open() {
            partitions += 1;
            lag += self.reader.known_end(topic, partition).map_or(0, |end| (end - next).max(0));
        }
        let outage = self.outage.lasted(now);
        self.sink.situation(&Situation { partitions, lag, seen: self.seen, outage })
    }

    fn take_fault(&mut self, fault: Fault) -> Result<(), Failure> {
        let (topic, partition) = (fault.topic, fault.partition);
        match fault.kind {
            ReadFault::OffsetGone => self.resume(fault)?,
            ReadFault::PartitionGone => {
                self.progress.abandon(topic, partition);
                self.reader.stop(topic, partition);
                let topic = self.reader.name(topic);
                self.sink.notice(&Notice::PartitionGone { topic, partition });
            }
            ReadFault::Denied => {
                let action = format!("read {:?}", self.reader.name(topic));
                return Err(KafkaError::Denied { action, reason: fault.reason }.into());
            }
            // Whether the brokers are away is for the watch to say.
            ReadFault::Passing => self.suspect(),
            ReadFault::Other => {
                let said = (topic, partition, fault.reason);
                if !self.said_stuck.contains(&said) {
                    let (topic, reason) = (self.reader.name(topic), said.2.as_str());
                    self.sink.notice(&Notice::Stuck { topic, partition, reason });
                    self.said_stuck.push(said);
                }
            }
        }
        Ok(())
    }

    /// Goes on at the oldest record that is left.
    fn resume(&mut self, fault: Fault) -> Result<(), KafkaError> {
        let name = self.reader.name(fault.topic).to_owned();
        let place = TopicPartition::new(name.as_str(), fault.partition);
        let patience = self.deadline.within(Duration::from_millis(500));
        let bounds = match self.session.bounds(std::slice::from_ref(&place), patience) {
            Ok(bounds) => bounds,
            Err(error) if matches!(error.kind(), Kind::Unreachable | Kind::Deadline) => {
                self.lost.push(fault);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let Some(Bounds { low, high }) = bounds.first().copied() else { return Ok(()) };
        let Fault { topic, partition, offset, .. } = fault;
        let resumed = if offset < low { low } else { high };
        self.reader.stop(topic, partition);
        self.reader.start(topic, partition, resumed)?;
        self.progress.restart(topic, partition, resumed);
        self.sink.notice(&Notice::OffsetGone { topic: &name, partition, offset, resumed });
        Ok(())
    }

    fn suspect(&mut self) {
        self.is_suspect = true;
        let session = &self.session;
        self.watch.get_or_insert_with(|| Watch::start(Arc::clone(session))).hurry();
    }

    /// What is not hurried by records: whether the brokers are there, what is new on them, and ends
    /// that are fixed by the clock.
    fn look_around(&mut self, now: Instant) -> Result<(), Failure> {
        let disturbances = self.session.findings().disturbances();
        if disturbances != self.disturbances {
            self.disturbances = disturbances;
            self.suspect();
        }
        if self.watch.is_none() && now.saturating_duration_since(self.began) > UNWATCHED {
            self.watch = Some(Watch::start(Arc::clone(&self.session)));
        }
        if let Some(answer) = self.watch.as_ref().and_then(Watch::take) {
            self.take_answer(&answer, now)?;
        }
        refuse_if_too_long(&self.outage, self.plan.stop.max_outage, now)?;
        if self.is_closing_time() {
            self.close()?;
        }
        Ok(())
    }

    /// Whether the time has come at which the ends are to be fixed.
    pub fn is_closing_time(&self) -> bool {
        self.closing_time.is_some_and(|time| time <= self.plan.clock.now().millis())
    }

    /// A wait that does not go beyond that time.
    fn until_closing(&self, wait: Duration) -> Duration {
        let Some(time) = self.closing_time else { return wait };
        let left = (time - self.plan.clock.now().millis()).max(1);
        wait.min(Duration::from_millis(left.unsigned_abs()))
    }

    fn take_answer(&mut self, answer: &Answer, now: Instant) -> Result<(), Failure> {
        self.is_suspect = false;
        let verdict = match answer {
            Ok(cluster) => self.leaderless(cluster).map_or(Ok(()), Err),
            Err(reason) => Err(reason.clone()),
        };
        match self.outage.take(verdict, now) {
            Some(Change::Began) => {
                self.sink.notice(&Notice::OutageBegan { reason: self.outage.reason() });
            }
            Some(Change::Ended(after)) => {
                self.last_record = now;
                self.sink.notice(&Notice::OutageEnded { after });
            }
            None => {}
        }
        if let Ok(cluster) = answer
            && !self.outage.is_on()
        {
            for fault in std::mem::take(&mut self.lost) {
                self.resume(fault)?;
            }
            self.take_new(cluster);
        }
        Ok(())
    }

    /// The words for a partition that is read and that no broker leads.
    fn leaderless(&self, cluster: &Cluster) -> Option<String> {
        self.progress.open().find_map(|(topic, partition, _)| {
            let name = self.reader.name(topic);
            let facts = cluster.topic(name)?.partitions.iter().find(|one| one.id == partition)?;
            (facts.leader < 0).then(|| format!("no broker leads {name}[{partition}]"))
        })
    }

    /// Picks up partitions and topics that came into being meanwhile, from their first record.
    fn take_new(&mut self, cluster: &Cluster) {
        if self.plan.is_bounded() {
            return;
        }
        let targets = resolve(&self.plan.sources, cluster).targets;
        let Ok(wanted) = self.wanted(&targets) else { return };
        let fresh: Vec<Wanted> = wanted
            .into_iter()
            .filter(|one| !self.progress.knows(one.topic, one.place.partition))
            .collect();
        if fresh.is_empty() {
            return;
        }
        match self.start(&fresh, &Position::Beginning) {
            Ok(()) => {
                for one in &fresh {
                    let (topic, partition) = (one.place.topic.as_str(), one.place.partition);
                    self.sink.notice(&Notice::NewPartition { topic, partition });
                }
            }
            // A partition without a leader yet is looked at again with the next answer.
            Err(error) if error.kind() == Kind::Unreachable => {}
            Err(error) => {
                let reason = error.to_string();
                for one in &fresh {
                    let (topic, partition) = (one.place.topic.as_str(), one.place.partition);
                    self.sink.notice(&Notice::Stuck { topic, partition, reason: &reason });
                }
            }
        }
    }

    /// Fixes the ends of a read until a time that has come.
    fn close(&mut self) -> Result<(), KafkaError> {
        let Some(Position::Time(millis)) = self.plan.until else { return Ok(()) };
        let open: Vec<(TopicId, i32)> =
            self.progress.open().map(|(topic, partition, _)| (topic, partition)).collect();
        let places: Vec<TopicPartition> = open
            .iter()
            .map(|(topic, partition)| TopicPartition::new(self.reader.name(*topic), *partition))
            .collect();
        let bounds = self.session.bounds(&places, self.deadline)?;
        let offsets = self.session.offsets_at(&places, millis, self.deadline)?;
        for (((topic, partition), bounds), offset) in open.into_iter().zip(bounds).zip(offsets) {
            self.progress.close_at(topic, partition, offset.unwrap_or(bounds.high));
        }
        self.closing_time = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::follow::{Source, StopRules, Taken};
    use crate::kafka::native::mock::MockBroker;
    use crate::kafka::{Durability, Outgoing, Producer, Record};
    use crate::schema::role::Role;

    /// A broker with a topic of two partitions and some records in each.
    struct Case {
        mock: MockBroker,
        properties: Properties,
        producer: Producer,
    }

    impl Case {
        fn new() -> Self {
            let mock = MockBroker::start().unwrap();
            mock.create_topic("t", 2).unwrap();
            let properties = Properties::new(&mock.address());
            let producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
            Self { mock, properties, producer }
        }

        fn send(&mut self, partition: i32, values: &[&str]) {
            for value in values {
                let mut record = Outgoing::new("t", None, value.as_bytes());
                record.partition = Some(partition);
                self.producer.send(&record, soon()).unwrap();
            }
        }

        fn read(&self, plan: &FollowPlan) -> (Outcome, Vec<String>) {
            let (outcome, mut values) = self.read_in_order(plan);
            values.sort();
            (outcome, values)
        }

        fn read_in_order(&self, plan: &FollowPlan) -> (Outcome, Vec<String>) {
            let mut sink = Collected::default();
            let outcome =
                follow(&self.properties, plan, &mut sink, &Shutdown::new(), soon()).unwrap();
            (outcome, sink.values)
        }
    }

    #[derive(Default)]
    struct Collected {
        topics: Vec<(String, Option<Role>)>,
        values: Vec<String>,
        notices: Vec<String>,
    }

    impl RecordSink for Collected {
        fn topic(&mut self, _: TopicId, name: &str, role: Option<Role>) {
            self.topics.push((name.to_owned(), role));
        }

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

    fn from(position: Position) -> FollowPlan {
        FollowPlan::new(vec![Source::Topic("t".into())], position)
    }

    fn to_end(position: Position) -> FollowPlan {
        FollowPlan { until: Some(Position::End), ..from(position) }
    }

    #[test]
    fn a_bounded_read_ends_at_the_end_of_every_partition() {
        let mut case = Case::new();
        case.send(0, &["a", "b"]);
        case.send(1, &["c"]);
        let (outcome, values) = case.read(&to_end(Position::Beginning));
        assert_eq!(values, ["a", "b", "c"]);
        assert_eq!(outcome, Outcome { stop: Stop::End, records: 3, unread: 0 });
    }

    #[test]
    fn every_partition_of_a_wide_topic_is_read() {
        let mut case = Case::new();
        case.mock.create_topic("wide", 40).unwrap();
        for partition in 0..40 {
            let mut record = Outgoing::new("wide", None, b"v");
            record.partition = Some(partition);
            case.producer.send(&record, soon()).unwrap();
        }
        let stop = StopRules { count: Some(40), ..StopRules::default() };
        let wide = FollowPlan::new(vec![Source::Topic("wide".into())], Position::Beginning);
        assert_eq!(case.read(&FollowPlan { stop, ..wide }).0.records, 40);
    }

    #[test]
    fn an_empty_topic_is_read_to_its_end_at_once() {
        assert_eq!(
            Case::new().read(&to_end(Position::Beginning)).0,
            Outcome { stop: Stop::End, records: 0, unread: 0 }
        );
    }

    #[test]
    fn the_last_records_of_each_partition_are_counted_from_its_end() {
        let mut case = Case::new();
        case.send(0, &["a", "b", "c"]);
        case.send(1, &["d"]);
        assert_eq!(case.read(&to_end(Position::BeforeEnd(2))).1, ["b", "c", "d"]);
    }

    #[test]
    fn a_count_ends_the_read() {
        let mut case = Case::new();
        case.send(0, &["a", "b", "c"]);
        let stop = StopRules { count: Some(2), ..StopRules::default() };
        let (outcome, values) = case.read(&FollowPlan { stop, ..from(Position::Beginning) });
        assert_eq!(values, ["a", "b"]);
        assert_eq!(outcome.stop, Stop::Count);
    }

    #[test]
    fn silence_ends_the_read_where_that_was_asked_for() {
        let mut case = Case::new();
        case.send(0, &["a"]);
        let stop = StopRules { idle: Some(Duration::from_millis(300)), ..StopRules::default() };
        assert_eq!(
            case.read(&FollowPlan { stop, ..from(Position::Beginning) }).0,
            Outcome { stop: Stop::Idle, records: 1, unread: 0 }
        );
    }

    #[test]
    fn a_named_topic_that_does_not_exist_is_refused() {
        let case = Case::new();
        let plan = FollowPlan::new(vec![Source::Topic("tt".into())], Position::End);
        let failure =
            follow(&case.properties, &plan, &mut Collected::default(), &Shutdown::new(), soon())
                .unwrap_err();
        assert_eq!(failure.kind(), Kind::NotFound);
        assert!(failure.hints()[0].text().contains("did you mean t?"));
    }

    #[test]
    fn a_role_without_a_topic_is_waited_for() {
        let case = Case::new();
        let role = Source::Role { role: Role::Automl, set: None };
        let plan = FollowPlan::new(vec![role], Position::End);
        let mut sink = Collected::default();
        let deadline = Deadline::after(Duration::from_millis(500));
        let outcome =
            follow(&case.properties, &plan, &mut sink, &Shutdown::new(), deadline).unwrap();
        assert_eq!(outcome, Outcome { stop: Stop::Deadline, records: 0, unread: 0 });
        assert!(sink.notices[0].contains("automl-complete-events"), "{:?}", sink.notices);
    }
}
