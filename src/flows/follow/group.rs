//! Reading as a member of a consumer group: the group's positions say where it goes on, and exactly
//! what was shown and flushed is committed. The rest of a read's rules hold as they do without one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::outage::{Change, Outage, refuse_if_too_long};
use super::target::{Resolved, Target, refusal, refuse_vain_wait, resolve};
use super::watch::Watch;
use super::{FollowPlan, Notice, Outcome, Position, RecordSink, Stop};
use crate::base::{Classify, Deadline, Failure, Kind, Shutdown};
use crate::kafka::{
    Done, Entry, GroupConsumer, GroupSession, GroupStart, KafkaError, Polled, Properties, Reader,
    Record, Session, Ticket, TopicId, TopicPartition,
};
use crate::schema::role::Role;

/// How long one wait may last; also how late a stop may be noticed.
const SLICE: Duration = Duration::from_millis(100);
/// Records that are shown before they are flushed under load.
const GULP: usize = 1_024;
/// How often positions are committed under load.
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// How long the group may take for the last commit, and for a commit before partitions leave.
const LAST_COMMIT: Duration = Duration::from_secs(5);
/// The same where the deadline of the whole read has passed: brokers that answer have committed all
/// but the last moment's by then, and others must not hold the end of it.
const COMMIT_IN_TIME: Duration = Duration::from_millis(120);
/// How long a look at what is left of a partition may take.
const LOOK: Duration = Duration::from_millis(500);

/// A partition that is ours.
#[derive(Debug)]
struct Share {
    place: TopicPartition,
    /// The offset that comes next, as far as is known.
    next: i64,
    /// The end that was fixed when it became ours; `None` while following.
    end: Option<i64>,
}

impl Share {
    fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }
}

struct Member<'a> {
    plan: &'a FollowPlan,
    group: &'a str,
    sink: &'a mut dyn RecordSink,
    shutdown: &'a Shutdown,
    deadline: Deadline,
    asking: GroupSession,
    consumer: GroupConsumer,
    /// Names by the number under which the sink knows them.
    topics: Vec<String>,
    shares: Vec<Share>,
    /// Partitions were given to us at least once, or none were left for us.
    has_joined: bool,
    /// Shown and not flushed.
    pending: Vec<Ticket>,
    counted: u64,
    last_record: Instant,
    committed_at: Instant,
    watch: Watch,
    outage: Outage,
    /// What the library said, until it is known whether the brokers are away.
    trouble: Option<String>,
    last_trouble: Option<String>,
}

/// Reads what the plan says as a member of its group.
///
/// # Errors
/// The brokers cannot be used, a named topic does not exist, a permission is missing, the sink
/// fails, or what was shown could not be committed.
pub(super) fn follow_group(
    properties: &Properties,
    plan: &FollowPlan,
    group: &str,
    sink: &mut dyn RecordSink,
    shutdown: &Shutdown,
    deadline: Deadline,
) -> Result<Outcome, Failure> {
    let asking = GroupSession::open(properties, group)?;
    let topics = subscribed(&asking, plan, sink, deadline)?;
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let start = match plan.from {
        Position::Beginning => GroupStart::Beginning,
        _ => GroupStart::End,
    };
    let consumer = GroupConsumer::open(properties, group, &names, start)?;
    if asking.session().is_embedded() {
        consumer.expect_new_logs();
    }
    let now = Instant::now();
    let mut member = Member {
        plan,
        group,
        sink,
        shutdown,
        deadline,
        watch: Watch::start(Arc::clone(asking.session())),
        asking,
        consumer,
        topics,
        shares: Vec::new(),
        has_joined: false,
        pending: Vec::new(),
        counted: 0,
        last_record: now,
        committed_at: now,
        outage: Outage::default(),
        trouble: None,
        last_trouble: None,
    };
    let ended = member.run();
    member.close(ended)
}

/// The topics to subscribe, introduced to the sink. A role's topics that may come are among them.
fn subscribed(
    asking: &GroupSession,
    plan: &FollowPlan,
    sink: &mut dyn RecordSink,
    deadline: Deadline,
) -> Result<Vec<String>, Failure> {
    let session = asking.session();
    let cluster = session.cluster(deadline)?;
    let Resolved { targets, missing } = resolve(&plan.sources, &cluster);
    reach_leaders(session, &targets, deadline)?;
    let is_live = plan.until.is_none();
    if let Some(source) = missing.iter().find(|source| !(is_live && source.may_come()))
        && (!source.may_come() || targets.is_empty())
    {
        return Err(refusal(source, session, &cluster, deadline).into());
    }
    let mut known: Vec<(String, Option<Role>)> =
        targets.iter().map(|target| (target.topic.name.clone(), target.role)).collect();
    if is_live {
        for source in &missing {
            let names = source.candidates().into_iter();
            known.extend(names.map(|name| (name.to_owned(), Role::of_topic(name))));
        }
    }
    if targets.is_empty() {
        refuse_vain_wait(&missing, session, &cluster, deadline)?;
        let topics = known.iter().map(|(name, _)| name.clone()).collect();
        sink.notice(&Notice::WaitingForTopic { topics });
    }
    for (index, (name, role)) in known.iter().enumerate() {
        sink.topic(topic_id(index), name, *role);
    }
    Ok(known.into_iter().map(|(name, _)| name).collect())
}

/// Asks whoever leads a question, as reading without a group does too: brokers that send us on to
/// where they are not would leave us without partitions for ever.
fn reach_leaders(
    session: &Session,
    targets: &[Target],
    deadline: Deadline,
) -> Result<(), KafkaError> {
    let partitions = targets.iter().flat_map(|target| {
        let led = target.topic.partitions.iter().filter(|partition| partition.leader >= 0);
        led.map(|partition| TopicPartition::new(&target.topic.name, partition.id))
    });
    match session.bounds(&partitions.collect::<Vec<_>>(), deadline) {
        Err(error @ KafkaError::Unusable { .. }) => Err(error),
        // Whatever else is wrong with one of them, the group may get others.
        _ => Ok(()),
    }
}

fn topic_id(index: usize) -> TopicId {
    TopicId::at(u32::try_from(index).unwrap_or(u32::MAX))
}

/// What a look at the brokers brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brought {
    Something,
    Nothing,
}

impl Member<'_> {
    fn run(&mut self) -> Result<Stop, Failure> {
        loop {
            if let Some(stop) = self.stop() {
                return Ok(stop);
            }
            let mut taken = 0;
            while taken < GULP
                && !self.has_enough()
                && self.poll(Duration::ZERO)? == Brought::Something
            {
                taken += 1;
            }
            self.flush()?;
            if taken == 0 {
                self.look_around()?;
                if self.is_quiet() {
                    return Ok(Stop::Idle);
                }
                self.poll(self.deadline.slice(SLICE))?;
            }
        }
    }

    fn stop(&self) -> Option<Stop> {
        if self.shutdown.is_requested() {
            Some(Stop::Shutdown)
        } else if self.has_enough() {
            Some(Stop::Count)
        } else if self.plan.until.is_some()
            && self.has_joined
            && self.shares.iter().all(Share::is_done)
        {
            Some(Stop::End)
        } else if self.deadline.has_passed() {
            Some(Stop::Deadline)
        } else {
            None
        }
    }

    fn has_enough(&self) -> bool {
        self.plan.stop.count.is_some_and(|count| self.counted >= count)
    }

    /// Whether nothing has come for as long as is allowed. The clock stands still while the group
    /// is being joined and while the brokers are away.
    fn is_quiet(&mut self) -> bool {
        let now = Instant::now();
        if self.outage.is_on() || !self.has_joined {
            self.last_record = now;
        }
        self.plan.stop.idle.is_some_and(|idle| now.duration_since(self.last_record) >= idle)
    }

    fn poll(&mut self, wait: Duration) -> Result<Brought, Failure> {
        match self.consumer.poll(wait)? {
            Polled::Record(delivery) => {
                let record = delivery.record();
                let index = self.topics.iter().position(|name| name == record.topic).unwrap_or(0);
                let record = Record { topic_id: topic_id(index), ..record };
                self.last_record = Instant::now();
                let share = self.shares.iter_mut().find(|share| {
                    share.place.partition == record.partition && share.place.topic == record.topic
                });
                let is_outside = share.is_some_and(|share| {
                    let is_outside = share.is_done();
                    share.next = record.offset + 1;
                    is_outside
                });
                // What came after the end that was asked for is the next run's.
                if is_outside {
                    return Ok(Brought::Something);
                }
                if self.plan.accepts(&record) {
                    self.counted += self.sink.record(&record)?.count();
                }
                self.pending.push(delivery.into_ticket());
            }
            Polled::Assigned(partitions) => self.take_shares(&partitions)?,
            Polled::Revoking { partitions, lost } => self.give_up(&partitions, lost)?,
            // It is waited for, and that was said.
            Polled::TopicMissing => {}
            Polled::Trouble(reason) => {
                self.watch.hurry();
                self.trouble = Some(reason);
            }
            Polled::Nothing => return Ok(Brought::Nothing),
        }
        Ok(Brought::Something)
    }

    /// Looks up where each new partition goes on and where it ends.
    fn take_shares(&mut self, partitions: &[TopicPartition]) -> Result<(), Failure> {
        self.last_record = Instant::now();
        self.last_trouble = None;
        self.has_joined = true;
        let mut ends = Vec::new();
        if self.plan.until.is_some() {
            let committed = self.asking.committed(partitions, self.deadline)?;
            let bounds = self.asking.session().bounds(partitions, self.deadline)?;
            ends.extend(committed.into_iter().zip(bounds));
        }
        let is_from_beginning = self.plan.from == Position::Beginning;
        for (index, place) in partitions.iter().enumerate() {
            let (next, end) = match ends.get(index) {
                Some((committed, bounds)) => {
                    let fresh = if is_from_beginning { bounds.low } else { bounds.high };
                    (committed.unwrap_or(fresh).max(bounds.low), Some(bounds.high))
                }
                None => (0, None),
            };
            self.shares.retain(|share| share.place != *place);
            self.shares.push(Share { place: place.clone(), next, end });
        }
        self.sink.notice(&Notice::Joined { group: self.group, partitions });
        Ok(())
    }

    /// Shows what was taken, commits it, and lets the partitions go.
    fn give_up(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<(), Failure> {
        if lost {
            // Another member has them already, and reads the same records again.
            self.sink.dry()?;
            self.pending.clear();
        } else {
            self.settle_pending()?;
        }
        self.shares.retain(|share| !partitions.contains(&share.place));
        match self.consumer.release(Deadline::after(LAST_COMMIT)) {
            Err(error) if error.kind() == Kind::Denied => Err(error.into()),
            // What is not committed is delivered again, to whoever has the partition then.
            Err(error) => {
                self.tell(error.to_string());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Flushes what was shown; from then on it is done.
    fn settle_pending(&mut self) -> Result<(), Failure> {
        self.sink.dry()?;
        for ticket in self.pending.drain(..) {
            self.consumer.done(ticket, &Done::Handled);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let was_pending = !self.pending.is_empty();
        self.settle_pending()?;
        if !was_pending && self.committed_at.elapsed() < COMMIT_EVERY {
            return Ok(());
        }
        self.committed_at = Instant::now();
        match self.consumer.commit() {
            Err(error) if error.kind() == Kind::Denied => Err(error.into()),
            // It is sent again with the next one.
            Err(error) => {
                self.tell(error.to_string());
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Says what passes, each thing once while it lasts.
    fn tell(&mut self, reason: String) {
        if self.last_trouble.as_ref() == Some(&reason) || self.outage.is_on() {
            return;
        }
        self.sink.notice(&Notice::Trouble { reason: &reason });
        self.last_trouble = Some(reason);
    }

    /// Whether the brokers are there, and whether what is left of a partition is anything to see.
    fn look_around(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if let Some(answer) = self.watch.take() {
            match self.outage.take(answer.map(drop), now) {
                Some(Change::Began) => {
                    self.sink.notice(&Notice::OutageBegan { reason: self.outage.reason() });
                }
                Some(Change::Ended(after)) => {
                    self.last_record = now;
                    self.last_trouble = None;
                    self.sink.notice(&Notice::OutageEnded { after });
                }
                None => {}
            }
            match self.trouble.take() {
                // It has one name, which was said.
                Some(_) if self.outage.is_on() => {}
                Some(reason) => self.tell(reason),
                None => {}
            }
        }
        refuse_if_too_long(&self.outage, self.plan.stop.max_outage, now)?;
        if !self.outage.is_on() {
            self.pass_what_is_no_record()?;
        }
        Ok(())
    }

    /// A partition may end in markers of transactions or in offsets that compaction left empty: no
    /// record ever says that its end was reached. A reader without the group looks what is left.
    fn pass_what_is_no_record(&mut self) -> Result<(), KafkaError> {
        let mut reader = Reader::new(Arc::clone(self.asking.session()))?;
        let mut waiting = 0;
        for share in self.shares.iter().filter(|share| !share.is_done() && share.end.is_some()) {
            let topic = reader.topic(&share.place.topic)?;
            reader.start(topic, share.place.partition, share.next)?;
            waiting += 1;
        }
        let deadline = self.deadline.within(LOOK);
        while waiting > 0 && !deadline.has_passed() && !self.shutdown.is_requested() {
            let mut seen = None;
            if let Some(entry) = reader.wait(deadline.slice(SLICE)).next_entry() {
                seen = Some(match entry {
                    Entry::EndOfPartition { topic, partition, offset } => {
                        (topic, partition, offset)
                    }
                    // It comes to the member, too.
                    Entry::Record(record) => (record.topic_id, record.partition, record.offset),
                    Entry::Fault(fault) => (fault.topic, fault.partition, -1),
                });
            }
            let Some((topic, partition, offset)) = seen else { continue };
            reader.stop(topic, partition);
            waiting -= 1;
            let name = reader.name(topic);
            let place = self
                .shares
                .iter_mut()
                .find(|share| share.place.partition == partition && share.place.topic == name);
            if let Some(share) = place {
                share.next = share.next.max(offset);
            }
        }
        Ok(())
    }

    /// Flushes, commits and leaves the group.
    fn close(mut self, ended: Result<Stop, Failure>) -> Result<Outcome, Failure> {
        let limit = match &ended {
            Ok(Stop::Deadline) => COMMIT_IN_TIME,
            _ => LAST_COMMIT,
        };
        // One for both: brokers that hang have let the first use it up.
        let limit = Deadline::after(limit);
        let settled = match &ended {
            Ok(_) => self.settle_pending().and_then(|()| {
                self.consumer.settle_through(limit).map_err(|error| not_committed(error.into()))
            }),
            // What could not be shown is not done.
            Err(_) => Ok(()),
        };
        let left = self.consumer.close(limit);
        let stop = ended?;
        settled?;
        left.map_err(|error| not_committed(error.into()))?;
        // What is left comes with the next read of the group.
        Ok(Outcome { stop, records: self.counted, unread: 0 })
    }
}

fn not_committed(failure: Failure) -> Failure {
    failure.context("what was shown last is not committed and comes again")
}
