//! The group's side of `forward`: takes records while there is room, gives tickets back, commits,
//! hands partitions over, and knows when to end.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::desk::Desk;
use super::lookup::Lookups;
use super::sender::Sender;
use super::source::Kept;
use super::{ForwardNotice, ForwardPlan, ForwardReporter, ForwardStop, Forwarded};
use crate::base::{Classify, Deadline, Failure, Kind, Shutdown};
use crate::flows::follow::RecordSink;
use crate::kafka::{
    Delivery, GroupConsumer, Polled, Properties, Record, Session, TopicId, TopicPartition,
};
use crate::schema::role::Role;
use crate::warehouse::Warehouse;

/// Records that are worked on at once: enough that look-ups never wait for the brokers.
const MOST_OPEN: usize = 2_048;
/// Bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Records that are taken before everything else gets its turn.
const GULP: usize = 64;
/// How long one wait for the brokers may last; signals and deadlines are seen after it.
const SLICE: Duration = Duration::from_millis(50);
/// How often positions are committed under load.
const COMMIT_EVERY: Duration = Duration::from_millis(100);
/// How long a full desk reads nothing before it says so to the brokers.
const FULL: Duration = Duration::from_secs(1);
/// How long records may still be finished when partitions are taken away or the end is near.
const GRACE: Duration = Duration::from_secs(5);
/// How long the group may take for the last commit.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// How long each of these may take where the deadline of the whole command has passed: what is not
/// committed by then is delivered again.
const IN_TIME: Duration = Duration::from_millis(80);

/// Where records come from and go to.
#[derive(Debug)]
pub struct Forwarding<'a> {
    pub properties: &'a Properties,
    pub warehouse: Warehouse,
    pub runtime: Handle,
    pub shutdown: &'a Shutdown,
    pub deadline: Deadline,
}

/// Forwards until a stop rule holds. Each record is shown as it comes.
///
/// # Errors
/// The brokers cannot be used at the start, a permission is missing, the address is not that of the
/// API, the last positions could not be committed, or a record cannot be shown.
pub fn forward(
    plan: &ForwardPlan,
    forwarding: Forwarding<'_>,
    sink: &mut dyn RecordSink,
    reporter: &dyn ForwardReporter,
) -> Result<Forwarded, Failure> {
    let Forwarding { properties, warehouse, runtime, shutdown, deadline } = forwarding;
    let broker = look_for_topics(plan, properties, deadline, reporter)?;
    let (answers, heard) = mpsc::channel();
    let lookups = Lookups::new(warehouse, plan.download_dir.clone(), runtime, answers);
    let sender = Sender::open(properties)?;
    let topics: Vec<&str> = plan.topics.iter().map(String::as_str).collect();
    let consumer = GroupConsumer::open(properties, &plan.group, &topics, plan.start)?;
    if broker == Broker::Embedded {
        consumer.expect_new_logs();
    }
    for (index, name) in plan.topics.iter().enumerate() {
        sink.topic(topic_id(index), name, Some(plan.route.source()));
    }
    let mut engine = Engine {
        plan,
        shutdown,
        deadline,
        sink,
        reporter,
        desk: Desk::new(plan, reporter, lookups, heard, sender, deadline),
        consumer,
        taken: 0,
        full_since: None,
        quiet_since: None,
        committed_at: Instant::now(),
        owes_commit: false,
        revoking: None,
        last_trouble: None,
    };
    let ended = engine.run();
    engine.close(ended)
}

fn topic_id(index: usize) -> TopicId {
    TopicId::at(u32::try_from(index).unwrap_or(u32::MAX))
}

/// Finds out at the start whether the brokers can be used and whether a topic is there.
fn look_for_topics(
    plan: &ForwardPlan,
    properties: &Properties,
    deadline: Deadline,
    reporter: &dyn ForwardReporter,
) -> Result<Broker, Failure> {
    let session = Session::open(properties)?;
    let cluster = session.cluster(deadline)?;
    session.check_advertised(&cluster, deadline)?;
    if plan.topics.iter().all(|name| cluster.topic(name).is_none()) {
        let mut denied = plan.topics.iter().filter_map(|name| session.denial_of(name, deadline));
        if let Some(denied) = denied.next() {
            return Err(denied.into());
        }
        reporter.notice(&ForwardNotice::WaitingForTopic { topics: &plan.topics });
    }
    let dead_letter = plan.dead_letter.as_deref();
    let targets = plan.terms.targets().into_iter().chain(dead_letter);
    let is_unknown = |name: &&str| cluster.topic(name).is_none() && Role::of_topic(name).is_none();
    let mut missing: Vec<String> = targets.filter(is_unknown).map(str::to_owned).collect();
    missing.dedup();
    if !missing.is_empty() {
        // A cluster may make them at the first record: a typing error too.
        reporter.notice(&ForwardNotice::NoTarget { topics: &missing });
    }
    Ok(if session.is_embedded() { Broker::Embedded } else { Broker::Real })
}

/// What kind of broker records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broker {
    Real,
    /// Forgets its logs and groups when it is restarted.
    Embedded,
}

/// Partitions that go to another member.
struct Revoking {
    partitions: Vec<TopicPartition>,
    until: Deadline,
}

struct Engine<'a> {
    plan: &'a ForwardPlan,
    shutdown: &'a Shutdown,
    deadline: Deadline,
    sink: &'a mut dyn RecordSink,
    reporter: &'a dyn ForwardReporter,
    desk: Desk<'a>,
    consumer: GroupConsumer,
    taken: u64,
    full_since: Option<Instant>,
    /// Since when nothing came, from the time when something could.
    quiet_since: Option<Instant>,
    committed_at: Instant,
    owes_commit: bool,
    revoking: Option<Revoking>,
    last_trouble: Option<String>,
}

/// What a look at the brokers brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brought {
    Something,
    Nothing,
}

impl Engine<'_> {
    fn run(&mut self) -> Result<ForwardStop, Failure> {
        loop {
            if let Some(stop) = self.stop() {
                return Ok(stop);
            }
            let brought = self.take_records()?;
            if brought == Brought::Nothing {
                self.sink.dry()?;
            }
            self.desk.turn(brought == Brought::Nothing)?;
            self.give_back()?;
            self.hand_over()?;
        }
    }

    /// The rule that holds now.
    fn stop(&self) -> Option<ForwardStop> {
        if self.shutdown.is_requested() {
            return Some(ForwardStop::Shutdown);
        }
        if self.deadline.has_passed() {
            return Some(ForwardStop::Deadline);
        }
        if self.desk.len() > 0 {
            return None;
        }
        if self.has_enough() {
            return Some(ForwardStop::Count);
        }
        let quiet = self.quiet_since?.elapsed();
        self.plan.idle.is_some_and(|idle| quiet >= idle).then_some(ForwardStop::Idle)
    }

    fn has_enough(&self) -> bool {
        self.plan.count.is_some_and(|count| self.taken >= count)
    }

    /// Takes what has come, as far as there is room.
    fn take_records(&mut self) -> Result<Brought, Failure> {
        if self.desk.len() >= MOST_OPEN || self.desk.bytes() >= MOST_BYTES {
            let since = *self.full_since.get_or_insert_with(Instant::now);
            if since.elapsed() < FULL {
                return Ok(Brought::Nothing);
            }
            self.consumer.hold();
        } else if self.has_enough() {
            self.consumer.hold();
        } else if self.desk.len() <= MOST_OPEN / 2 {
            self.full_since = None;
            self.consumer.resume();
        }
        let mut brought = Brought::Nothing;
        for _ in 0..GULP {
            let is_idle = brought == Brought::Nothing && !self.desk.is_moving();
            let wait = if is_idle { self.wait() } else { Duration::ZERO };
            if self.poll(wait)? == Brought::Nothing {
                break;
            }
            brought = Brought::Something;
        }
        Ok(brought)
    }

    /// How long there is nothing to do but to wait for the brokers.
    fn wait(&self) -> Duration {
        if self.desk.len() > 0 {
            // What is to be looked up again is looked at soon.
            return self.deadline.slice(SLICE / 5);
        }
        let slice = self.deadline.slice(SLICE);
        match (self.plan.idle, self.quiet_since) {
            (Some(idle), Some(since)) => slice.min(idle.saturating_sub(since.elapsed())),
            _ => slice,
        }
    }

    fn poll(&mut self, wait: Duration) -> Result<Brought, Failure> {
        let has_enough = self.has_enough();
        match self.consumer.poll(wait)? {
            // What was on its way when the last one came is left undone, for the next run.
            Polled::Record(delivery) if has_enough => drop(delivery),
            Polled::Record(delivery) => {
                let (kept, ticket) = take(&self.plan.topics, delivery, self.sink)?;
                self.taken += 1;
                self.quiet_since = Some(Instant::now());
                self.desk.take(kept, ticket);
            }
            Polled::Assigned(partitions) => {
                self.quiet_since = Some(Instant::now());
                self.last_trouble = None;
                // Where the group had no position and starts at the end, the end is one now.
                self.owes_commit = true;
                let (group, partitions) = (self.plan.group.as_str(), partitions.as_slice());
                self.reporter.notice(&ForwardNotice::Assigned { group, partitions });
            }
            Polled::Revoking { partitions, lost } => {
                let patience = if lost { Duration::ZERO } else { GRACE };
                self.revoking = Some(Revoking { partitions, until: Deadline::after(patience) });
            }
            // It was said at the start, for what it concerns.
            Polled::TopicMissing => {
                self.quiet_since.get_or_insert_with(Instant::now);
            }
            Polled::Trouble(reason) => self.tell(reason),
            Polled::Nothing => return Ok(Brought::Nothing),
        }
        Ok(Brought::Something)
    }

    /// Says what passes, each thing once while it lasts.
    fn tell(&mut self, reason: String) {
        if self.last_trouble.as_ref() != Some(&reason) {
            self.reporter.notice(&ForwardNotice::Trouble { reason: &reason });
            self.last_trouble = Some(reason);
        }
    }

    /// Gives tickets back and commits, at once when nothing else is to be done.
    fn give_back(&mut self) -> Result<(), Failure> {
        for (ticket, why) in self.desk.take_done() {
            self.consumer.done(ticket, &why);
            self.owes_commit = true;
        }
        let is_due = self.desk.len() == 0 || self.committed_at.elapsed() >= COMMIT_EVERY;
        if self.owes_commit && is_due && self.revoking.is_none() {
            self.owes_commit = false;
            self.committed_at = Instant::now();
            match self.consumer.commit() {
                Ok(()) => {}
                Err(error) if error.kind() == Kind::Denied => return Err(error.into()),
                Err(error) => {
                    self.owes_commit = true;
                    self.tell(error.to_string());
                }
            }
        }
        Ok(())
    }

    /// Gives partitions up once their records are done, or cannot be done in time.
    fn hand_over(&mut self) -> Result<(), Failure> {
        let Some(Revoking { partitions, until }) = &self.revoking else { return Ok(()) };
        let is_leaving = |record: &Kept| {
            partitions.iter().any(|partition| {
                partition.partition == record.place.partition
                    && *partition.topic == *record.place.topic
            })
        };
        let is_over = self.desk.len() == 0 || self.desk.is_stuck() || until.has_passed();
        if !is_over {
            return Ok(());
        }
        let left = self.desk.leave(is_leaving);
        self.reporter.notice(&ForwardNotice::Released { partitions, left });
        self.revoking = None;
        match self.consumer.release(Deadline::after(LAST_COMMIT)) {
            Err(error) if error.kind() == Kind::Denied => return Err(error.into()),
            // What is not committed is delivered again, to whoever has the partition then.
            Err(error) => self.tell(error.to_string()),
            Ok(()) => {}
        }
        Ok(())
    }

    /// Finishes what can be finished soon, commits, and leaves the group.
    fn close(mut self, ended: Result<ForwardStop, Failure>) -> Result<Forwarded, Failure> {
        let is_late = matches!(ended, Ok(ForwardStop::Deadline));
        let [grace, last] = if is_late { [IN_TIME; 2] } else { [GRACE, LAST_COMMIT] };
        let until = Deadline::after(grace);
        let mut failed = None;
        while ended.is_ok() && self.desk.len() > 0 && !self.desk.is_stuck() && !until.has_passed() {
            if let Err(failure) = self.desk.turn(true) {
                failed = Some(failure);
                break;
            }
        }
        for (ticket, why) in self.desk.take_done() {
            self.consumer.done(ticket, &why);
        }
        let left = self.desk.leave(|_| true);
        // One for both: brokers that hang have let the first use it up.
        let last = Deadline::after(last);
        let committed = self.consumer.settle_through(last);
        let tally = self.desk.tally();
        let left_group = self.consumer.close(last);
        self.sink.dry()?;
        let stop = ended?;
        failed.map_or(Ok(()), Err)?;
        committed.and(left_group).map_err(|error| {
            Failure::from(error).context("what was done last is not committed and comes again")
        })?;
        let super::desk::Tally { records, triggers, set_aside } = tally;
        Ok(Forwarded { stop, records, triggers, set_aside, left })
    }
}

/// Shows a record and copies it out of the client's memory.
fn take(
    topics: &[String],
    delivery: Delivery<'_>,
    sink: &mut dyn RecordSink,
) -> Result<(Kept, crate::kafka::Ticket), Failure> {
    let record = delivery.record();
    let index = topics.iter().position(|name| name == record.topic).unwrap_or(0);
    let record = Record { topic_id: topic_id(index), ..record };
    sink.record(&record)?;
    let kept = Kept::of(&record);
    Ok((kept, delivery.into_ticket()))
}
