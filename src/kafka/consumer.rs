//! A member of a consumer group. What is committed follows from what was done and from nothing
//! else: each record comes with a ticket, and an offset goes to the group only once the tickets of
//! its record and of all before it in the partition have been given back.
//!
//! Commits are asynchronous, because a synchronous one has no timeout: it took 45 s where the group
//! was denied. A revocation is only noted when it comes: its owner drains, then calls
//! [`GroupConsumer::release`].

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::create_client;
use super::ledger::{Done, Ledger, Ticket};
use super::native::commit::{CommitQueue, Committed};
use super::native::reader::wrapped;
use super::rebalance::{Change, GroupContext, list_of, unassign};
use super::{Findings, KafkaError, Properties, Record, TopicPartition, error};
use crate::base::{Classify, Deadline, Kind};

/// How long one wait for the library may last.
const SLICE: Duration = Duration::from_millis(50);

/// What a member has beside the rest.
const MEMBERSHIP: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("allow.auto.create.topics", "false"),
    // A member that was killed holds its partitions for so long; brokers take no less. The mock
    // keeps a group waiting for nearly as long after any member left.
    ("session.timeout.ms", "6000"),
    ("heartbeat.interval.ms", "2000"),
    // How late a topic or partition is seen that came into being meanwhile.
    ("topic.metadata.refresh.interval.ms", "3000"),
    ("queued.max.messages.kbytes", "8192"),
    ("fetch.max.bytes", "8388608"),
    ("fetch.queue.backoff.ms", "2"),
];

/// Where a group starts to read a partition of which it has no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupStart {
    Beginning,
    End,
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled<'c> {
    /// A record to be done.
    Record(Delivery<'c>),
    /// These partitions are ours now.
    Assigned(Vec<TopicPartition>),
    /// These partitions go to another member once [`GroupConsumer::release`] is called. After a
    /// loss another member has them already, and nothing can be committed any more.
    Revoking { partitions: Vec<TopicPartition>, lost: bool },
    /// A topic of the subscription does not exist, so far.
    TopicMissing,
    /// Something that passes: the library tries again by itself.
    Trouble(String),
    /// Nothing came.
    Nothing,
}

/// A record that is borrowed from the client, and its ticket.
#[derive(Debug)]
pub struct Delivery<'c> {
    message: BorrowedMessage<'c>,
    ticket: Ticket,
}

impl Delivery<'_> {
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        wrapped(&self.message)
    }

    /// Lets the record go and keeps what is owed for it.
    pub fn into_ticket(self) -> Ticket {
        self.ticket
    }
}

/// A member of a group. Whoever owns it polls it at least every few minutes, or the group takes its
/// partitions away (`max.poll.interval.ms`); [`GroupConsumer::hold`] makes that possible while
/// nothing more can be taken.
pub struct GroupConsumer {
    // Before the client, which must outlive its queues.
    commits: CommitQueue,
    inner: BaseConsumer<GroupContext>,
    group: String,
    member: Member,
}

/// Where the member stands.
#[derive(Debug, Default)]
struct Member {
    ledger: Ledger,
    /// Partitions that are to be released.
    revoking: Vec<TopicPartition>,
    lost: bool,
    held: bool,
    /// A commit is on its way.
    committing: bool,
}

impl Member {
    /// Takes what the callbacks noted, in its order.
    fn next_change<'c>(&mut self, inner: &BaseConsumer<GroupContext>) -> Option<Polled<'c>> {
        match inner.context().next_change()? {
            Change::Assigned { partitions, fixed } => {
                inner.context().findings.clear();
                for partition in &partitions {
                    self.ledger.assign(partition);
                }
                for (partition, start) in &fixed {
                    self.ledger.start_at(partition, *start);
                }
                if self.held {
                    pause(inner, &partitions);
                }
                Some(Polled::Assigned(partitions))
            }
            Change::Revoking { partitions, lost } => {
                self.revoking.extend(partitions.iter().cloned());
                self.lost |= lost;
                Some(Polled::Revoking { partitions, lost })
            }
        }
    }

    /// The ticket of a record, unless its partition is not ours or leaving.
    fn begin(&mut self, record: &Record<'_>) -> Option<Ticket> {
        let is_leaving = self.revoking.iter().any(|partition| {
            partition.partition == record.partition && partition.topic == record.topic
        });
        if is_leaving {
            return None;
        }
        self.ledger.begin(record.topic, record.partition, record.offset)
    }

    /// Notes how a commit ended.
    fn note(&mut self, committed: Committed, context: &GroupContext) -> Result<(), KafkaError> {
        self.committing = false;
        let committed = committed?;
        context.note_committed(&committed);
        self.ledger.committed(&committed);
        Ok(())
    }
}

fn pause(inner: &BaseConsumer<GroupContext>, partitions: &[TopicPartition]) {
    // What cannot be paused is not assigned any more.
    let _ = inner.pause(&list_of(partitions));
}

impl std::fmt::Debug for GroupConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupConsumer").field("group", &self.group).finish_non_exhaustive()
    }
}

impl GroupConsumer {
    /// Makes the client and subscribes it; the group is joined while it is polled.
    ///
    /// # Errors
    /// A property is unknown or cannot have its value, or the group or a topic has no name.
    pub fn open(
        properties: &Properties,
        group: &str,
        topics: &[&str],
        start: GroupStart,
    ) -> Result<Self, KafkaError> {
        let mut purpose = MEMBERSHIP.to_vec();
        purpose.push(("group.id", group));
        purpose.push((
            "auto.offset.reset",
            match start {
                GroupStart::Beginning => "earliest",
                GroupStart::End => "latest",
            },
        ));
        let context = GroupContext::new(Arc::new(Findings::new(properties)), start);
        let inner: BaseConsumer<GroupContext> = create_client(properties, &purpose, context)?;
        inner
            .subscribe(topics)
            .map_err(|error| KafkaError::library(&format!("subscribe to {topics:?}"), &error))?;
        let commits = CommitQueue::new(&inner)?;
        Ok(Self { commits, inner, group: group.to_owned(), member: Member::default() })
    }

    /// The brokers forget their logs and groups when they are restarted: where the group has lost a
    /// position that this member committed, the partition is read from its beginning.
    pub fn expect_new_logs(&self) {
        self.inner.context().expect_new_logs();
    }

    #[must_use]
    pub fn findings(&self) -> &Arc<Findings> {
        &self.inner.context().findings
    }

    /// Records that were handed out and are not done.
    #[must_use]
    pub fn open_records(&self) -> usize {
        self.member.ledger.open()
    }

    /// The next record or change, at most `wait` later. Changes come before the records that they
    /// concern; a record of a partition that is being revoked is not handed out.
    ///
    /// # Errors
    /// What waiting cannot mend: the group or a topic is denied, or the member is fenced off.
    pub fn poll(&mut self, wait: Duration) -> Result<Polled<'_>, KafkaError> {
        if let Some(change) = self.member.next_change(&self.inner) {
            return Ok(change);
        }
        match self.inner.poll(wait) {
            Some(Ok(message)) => {
                let ticket = self.member.begin(&wrapped(&message));
                Ok(ticket
                    .map_or(Polled::Nothing, |ticket| Polled::Record(Delivery { message, ticket })))
            }
            Some(Err(failure)) => trouble(&self.group, &self.inner, &failure),
            None => Ok(self.member.next_change(&self.inner).unwrap_or(Polled::Nothing)),
        }
    }

    /// A record is done, and this is why.
    pub fn done(&mut self, ticket: Ticket, why: &Done) {
        self.member.ledger.finish(ticket, why);
    }

    /// Sends the positions that follow from what is done, unless a commit is on its way already.
    /// The answer is taken by a later call; what was not committed then is sent again.
    ///
    /// # Errors
    /// The group did not take what an earlier call sent, or the library does not take the commit.
    pub fn commit(&mut self) -> Result<(), KafkaError> {
        self.take_answer(Duration::ZERO)?;
        let due = self.member.ledger.due();
        if self.member.committing || self.member.lost || due.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::with_capacity(due.len());
        for (partition, position) in &due {
            list.add_partition_offset(
                &partition.topic,
                partition.partition,
                Offset::Offset(*position),
            )
            .map_err(|failure| KafkaError::library("commit positions", &failure))?;
        }
        self.commits.send(&self.inner, &list)?;
        self.member.committing = true;
        Ok(())
    }

    fn take_answer(&mut self, wait: Duration) -> Result<(), KafkaError> {
        if self.member.committing
            && let Some(committed) = self.commits.answer(wait)
        {
            self.member.note(committed, self.inner.context())?;
        }
        Ok(())
    }

    /// Commits all that is done and waits for the answer.
    ///
    /// # Errors
    /// The group did not take the positions before the deadline: the records after its last
    /// position will be delivered again.
    pub fn settle(&mut self, deadline: Deadline) -> Result<(), KafkaError> {
        loop {
            self.commit()?;
            if !self.member.committing {
                return Ok(());
            }
            if deadline.has_passed() {
                return Err(KafkaError::Deadline { action: "commit positions".to_owned() });
            }
            self.take_answer(deadline.slice(SLICE))?;
        }
    }

    /// The same while the group may be rebalancing, during which it takes no positions. Nothing more
    /// is handed out.
    ///
    /// # Errors
    /// As [`GroupConsumer::settle`].
    pub fn settle_through(&mut self, deadline: Deadline) -> Result<(), KafkaError> {
        loop {
            match self.settle(deadline) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == Kind::Denied || deadline.has_passed() => {
                    return Err(error);
                }
                // The callbacks of the rebalance run in a poll.
                Err(_) => {}
            }
            self.hold();
            match self.poll(SLICE)? {
                Polled::Revoking { .. } => return self.release(deadline),
                other => drop(other),
            }
        }
    }

    /// Gives up the partitions that are being revoked: commits what is done, waits for the answer
    /// up to the deadline, and lets the group go on. Tickets of theirs that are given back later
    /// change nothing.
    ///
    /// # Errors
    /// As [`GroupConsumer::settle`]; the partitions are given up all the same.
    pub fn release(&mut self, deadline: Deadline) -> Result<(), KafkaError> {
        let leaving = std::mem::take(&mut self.member.revoking);
        let settled = if self.member.lost { Ok(()) } else { self.settle(deadline) };
        unassign(&self.inner, &list_of(&leaving));
        for partition in &leaving {
            self.member.ledger.revoke(partition);
        }
        self.member.lost = false;
        settled
    }

    /// Fetches nothing more until [`GroupConsumer::resume`]; a few records that were on their way
    /// may still come.
    pub fn hold(&mut self) {
        if !self.member.held {
            self.member.held = true;
            let assigned: Vec<TopicPartition> = self.member.ledger.assigned().cloned().collect();
            pause(&self.inner, &assigned);
        }
    }

    /// Ends [`GroupConsumer::hold`].
    pub fn resume(&mut self) {
        if self.member.held {
            self.member.held = false;
            // What cannot be resumed is not assigned any more.
            let _ = self.inner.resume(&list_of(self.member.ledger.assigned()));
        }
    }

    /// Commits what is done and leaves the group, so that its other members go on at once. Ends
    /// by the deadline whatever the brokers do.
    ///
    /// # Errors
    /// As [`GroupConsumer::settle`].
    pub fn close(mut self, deadline: Deadline) -> Result<(), KafkaError> {
        let settled = self.settle(deadline);
        // Leaving waits for the coordinator, without a limit of its own.
        let (left, has_left) = std::sync::mpsc::channel::<()>();
        let leaving = std::thread::Builder::new().name("kafka-leave".into()).spawn(move || {
            drop(self);
            drop(left);
        });
        if leaving.is_ok() {
            // Ends when the sender is dropped, or at the limit: then the session's timeout tells
            // the group.
            let _ = has_left.recv_timeout(deadline.slice(Duration::from_secs(5)));
        }
        settled
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.inner.context().close();
        if !self.member.revoking.is_empty() {
            unassign(&self.inner, &list_of(&self.member.revoking));
        }
    }
}

/// What an error of the library means for the member.
fn trouble<'c>(
    group: &str,
    inner: &BaseConsumer<GroupContext>,
    failure: &LibraryError,
) -> Result<Polled<'c>, KafkaError> {
    let code = failure.rdkafka_error_code();
    match (failure, code) {
        (_, Some(RDKafkaErrorCode::UnknownTopicOrPartition)) => Ok(Polled::TopicMissing),
        (_, Some(code)) if error::is_denial(code) => Err(KafkaError::Denied {
            action: format!("read as group {group:?}"),
            reason: error::words(code),
        }),
        (LibraryError::MessageConsumptionFatal(_), _) => {
            Err(KafkaError::library(&format!("stay in group {group:?}"), failure))
        }
        _ => {
            let findings = &inner.context().findings;
            if let Some(verdict) =
                findings.final_verdict().filter(|verdict| verdict.kind() == Kind::Denied)
            {
                return Err(KafkaError::Unusable { verdict: Box::new(verdict) });
            }
            let verdict = findings.final_verdict().or_else(|| findings.verdict_on_advertised());
            let words = verdict.map_or_else(
                || code.map_or_else(|| failure.to_string(), error::words),
                |verdict| verdict.summary().to_owned(),
            );
            Ok(Polled::Trouble(words))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::kafka::native::mock::MockBroker;
    use crate::kafka::{Durability, Outgoing, Producer};

    struct Case {
        mock: MockBroker,
        properties: Properties,
    }

    impl Case {
        fn with(partitions: i32, values: &[&str]) -> Self {
            let mock = MockBroker::start().unwrap();
            mock.create_topic("t", partitions).unwrap();
            let case = Self { properties: eager(&mock), mock };
            case.send(values);
            case
        }

        fn send(&self, values: &[&str]) {
            let mut producer = Producer::open(&self.properties, Durability::Acknowledged).unwrap();
            for (index, value) in values.iter().enumerate() {
                let key = index.to_string();
                let record = Outgoing::new("t", Some(key.as_bytes()), value.as_bytes());
                producer.send(&record, soon()).unwrap();
            }
        }

        fn member(&self) -> GroupConsumer {
            GroupConsumer::open(&self.properties, "g", &["t"], GroupStart::Beginning).unwrap()
        }
    }

    /// A member that notices everything soon. The mock answers an empty fetch only after the wait
    /// that it was asked for, tells of a rebalance only in answers to heartbeats, and lets a group
    /// wait for its session's time after a member left.
    fn eager(mock: &MockBroker) -> Properties {
        Properties::new(&mock.address())
            .set("fetch.wait.max.ms", "10")
            .set("session.timeout.ms", "1200")
            .set("heartbeat.interval.ms", "50")
            .set("topic.metadata.refresh.interval.ms", "100")
    }

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(30))
    }

    /// Polls until `count` records were handed out.
    fn take(member: &mut GroupConsumer, count: usize) -> Vec<(String, Ticket)> {
        let deadline = soon();
        let mut taken = Vec::new();
        while taken.len() < count {
            assert!(!deadline.has_passed(), "only {taken:?} came");
            if let Polled::Record(delivery) = member.poll(SLICE).unwrap() {
                let value = delivery.record().value.unwrap().to_vec();
                taken.push((String::from_utf8(value).unwrap(), delivery.into_ticket()));
            }
        }
        taken
    }

    fn values(taken: &[(String, Ticket)]) -> Vec<&str> {
        taken.iter().map(|(value, _)| value.as_str()).collect()
    }

    #[test]
    fn the_next_member_goes_on_after_what_was_done() {
        let case = Case::with(1, &["a", "b", "c"]);
        let mut first = case.member();
        let taken = take(&mut first, 3);
        assert_eq!(values(&taken), ["a", "b", "c"]);
        for (value, ticket) in taken {
            if value != "b" {
                first.done(ticket, &Done::Handled);
            }
        }
        first.close(soon()).unwrap();
        assert_eq!(values(&take(&mut case.member(), 2)), ["b", "c"]);
    }

    #[test]
    fn a_member_that_goes_without_a_word_has_committed_nothing() {
        let case = Case::with(1, &["a"]);
        let mut first = case.member();
        for (_, ticket) in take(&mut first, 1) {
            first.done(ticket, &Done::Handled);
        }
        drop(first);
        assert_eq!(values(&take(&mut case.member(), 1)), ["a"]);
    }

    #[test]
    fn a_commit_while_it_runs_holds_when_it_dies() {
        let case = Case::with(1, &["a", "b"]);
        let mut first = case.member();
        let mut taken = take(&mut first, 2);
        first.done(taken.remove(0).1, &Done::Handled);
        first.settle(soon()).unwrap();
        drop(first);
        assert_eq!(values(&take(&mut case.member(), 1)), ["b"]);
    }

    /// Polls both until the first is asked to give partitions up.
    fn until_revoked(first: &mut GroupConsumer, second: &mut GroupConsumer) -> Vec<TopicPartition> {
        let deadline = soon();
        loop {
            assert!(!deadline.has_passed(), "nothing was revoked");
            if let Polled::Revoking { partitions, lost } = first.poll(SLICE).unwrap() {
                assert!(!lost);
                return partitions;
            }
            second.poll(Duration::ZERO).unwrap();
        }
    }

    /// Polls a member as its owner does: what comes is done and committed, what is asked for is
    /// released. Notes how many partitions it has.
    fn step(member: &mut GroupConsumer, owned: &mut usize) -> Option<(i32, i64, String)> {
        match member.poll(Duration::from_millis(10)).unwrap() {
            Polled::Record(delivery) => {
                let record = delivery.record();
                let value = String::from_utf8_lossy(record.value.unwrap()).into_owned();
                let seen = (record.partition, record.offset, value);
                let ticket = delivery.into_ticket();
                member.done(ticket, &Done::Handled);
                Some(seen)
            }
            Polled::Assigned(partitions) => {
                *owned = partitions.len();
                None
            }
            Polled::Revoking { .. } => {
                *owned = 0;
                // The mock takes no commits while a group rebalances: then the records come again.
                let _ = member.release(soon());
                None
            }
            _ => None,
        }
    }

    #[test]
    fn members_share_the_partitions_and_no_record_is_passed_by() {
        let mut case = Case::with(2, &["a", "b", "c", "d", "e", "f"]);
        // Nobody leaves here.
        case.properties = case.properties.set("session.timeout.ms", "5000");
        let mut first = case.member();
        for (_, ticket) in take(&mut first, 6) {
            first.done(ticket, &Done::Handled);
        }
        first.settle(soon()).unwrap();
        let mut second = case.member();
        assert_eq!(until_revoked(&mut first, &mut second).len(), 2);
        first.release(soon()).unwrap();
        case.send(&["A", "B", "C", "D", "E", "F"]);
        // The group may be asked to share its partitions anew at any time, after which a record may
        // come again: what is promised is that each comes and that both have their part.
        let deadline = soon();
        let mut owned = [0, 0];
        let mut seen = BTreeMap::new();
        while seen.len() < 6 || owned != [1, 1] {
            assert!(!deadline.has_passed(), "{owned:?} partitions, and only {seen:?} came");
            for (member, owned) in [&mut first, &mut second].into_iter().zip(&mut owned) {
                if let Some((partition, offset, value)) = step(member, owned) {
                    seen.insert((partition, offset), value);
                }
            }
        }
        let mut values: Vec<String> = seen.into_values().collect();
        values.sort_unstable();
        assert_eq!(values, ["A", "B", "C", "D", "E", "F"]);
    }

    #[test]
    fn what_was_not_done_when_partitions_left_goes_to_their_next_owner() {
        let case = Case::with(1, &["a"]);
        let mut first = case.member();
        let taken = take(&mut first, 1);
        let mut second = case.member();
        until_revoked(&mut first, &mut second);
        first.release(soon()).unwrap();
        for (_, ticket) in taken {
            first.done(ticket, &Done::Handled);
        }
        first.close(soon()).unwrap();
        assert_eq!(values(&take(&mut second, 1)), ["a"]);
    }

    #[test]
    fn a_held_member_gets_nothing_until_it_resumes() {
        let case = Case::with(1, &["a"]);
        let mut member = case.member();
        take(&mut member, 1);
        member.hold();
        case.send(&["b"]);
        // The fetch that was on its way when the hold began has ended by then.
        for _ in 0..10 {
            let polled = member.poll(SLICE).unwrap();
            assert!(matches!(polled, Polled::Nothing), "{polled:?}");
        }
        member.resume();
        assert_eq!(values(&take(&mut member, 1)), ["b"]);
    }

    #[test]
    fn a_topic_that_is_missing_is_said_and_read_once_it_is_there() {
        let mock = MockBroker::start().unwrap();
        let case = Case { properties: eager(&mock), mock };
        let mut member = case.member();
        let deadline = soon();
        while !matches!(member.poll(SLICE).unwrap(), Polled::TopicMissing) {
            assert!(!deadline.has_passed(), "nobody said that the topic is missing");
        }
        case.mock.create_topic("t", 1).unwrap();
        case.send(&["a"]);
        assert_eq!(values(&take(&mut member, 1)), ["a"]);
    }
}
