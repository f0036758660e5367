//! The callbacks of a group's member. They run inside a poll and only note what came: the owner of
//! the member decides when.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::consumer::{Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Findings, GroupStart, TopicPartition};

/// How long the ends may be looked up while the group waits.
const LOOK_UP: Duration = Duration::from_secs(5);

/// What the library told its callbacks, which run inside a poll.
#[derive(Debug)]
pub(super) enum Change {
    /// With the offsets from which partitions are read of which the group had no position.
    Assigned {
        partitions: Vec<TopicPartition>,
        fixed: Vec<(TopicPartition, i64)>,
    },
    Revoking {
        partitions: Vec<TopicPartition>,
        lost: bool,
    },
}

#[derive(Debug)]
pub(super) struct GroupContext {
    pub(super) findings: Arc<Findings>,
    /// The consumer goes away: nobody will call `release` any more.
    closing: AtomicBool,
    start: GroupStart,
    /// The broker keeps neither its log nor its groups over a restart.
    is_forgetful: AtomicBool,
    /// Positions that this member has committed.
    committed: Mutex<BTreeMap<TopicPartition, i64>>,
    changes: Mutex<VecDeque<Change>>,
}

impl GroupContext {
    pub(super) fn new(findings: Arc<Findings>, start: GroupStart) -> Self {
        Self {
            findings,
            closing: AtomicBool::new(false),
            start,
            is_forgetful: AtomicBool::new(false),
            committed: Mutex::default(),
            changes: Mutex::default(),
        }
    }

    pub(super) fn expect_new_logs(&self) {
        self.is_forgetful.store(true, Ordering::Relaxed);
    }

    pub(super) fn note_committed(&self, positions: &[(TopicPartition, i64)]) {
        self.committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(positions.iter().cloned());
    }

    /// Where a partition is read from of which the group has no position, though it starts at the
    /// end: there, unless this member was further already and the group has lost that.
    fn start_of(&self, place: &TopicPartition, end: i64) -> Offset {
        let committed = self.committed.lock().unwrap_or_else(PoisonError::into_inner);
        match committed.get(place) {
            None => Offset::Offset(end),
            // What came since is behind the position, unless the log is another one now.
            Some(position) if *position <= end && !self.is_forgetful.load(Ordering::Relaxed) => {
                Offset::Offset(*position)
            }
            Some(_) => Offset::Beginning,
        }
    }

    pub(super) fn next_change(&self) -> Option<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

impl rdkafka::ClientContext for GroupContext {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, message: &str) {
        rdkafka::ClientContext::log(&*self.findings, level, facility, message);
    }

    fn error(&self, error: LibraryError, reason: &str) {
        rdkafka::ClientContext::error(&*self.findings, error, reason);
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: rdkafka::types::RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let partitions = partitions(list);
        let change = match RDKafkaErrorCode::from(code) {
            RDKafkaErrorCode::AssignPartitions => {
                let fixed = match self.start {
                    GroupStart::End => fix_ends(consumer, list),
                    GroupStart::Beginning => Vec::new(),
                };
                let outcome = match consumer.rebalance_protocol() {
                    RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
                    RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(list),
                };
                if let Err(failure) = outcome {
                    rdkafka::ClientContext::error(self, failure, "the assignment was not taken");
                }
                Change::Assigned { partitions, fixed }
            }
            _ if self.closing.load(Ordering::Relaxed) => return unassign(consumer, list),
            _ => Change::Revoking { partitions, lost: consumer.assignment_lost() },
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }
}

/// Puts the present end in the place of "the end" where the group has no position. The library looks
/// it up some time after the assignment, and a record that came meanwhile would be passed by. Where
/// nobody answers the library's way is left. Gives the ends that were put there: until one of them
/// is committed, a member that comes later would begin at a later end.
fn fix_ends(
    consumer: &BaseConsumer<GroupContext>,
    list: &mut TopicPartitionList,
) -> Vec<(TopicPartition, i64)> {
    let mut fixed = Vec::new();
    let Ok(committed) = consumer.committed_offsets(list.clone(), LOOK_UP) else { return fixed };
    let fresh: Vec<TopicPartition> = committed
        .elements()
        .iter()
        .filter(|element| element.offset() == Offset::Invalid)
        .map(|element| TopicPartition::new(element.topic(), element.partition()))
        .collect();
    let mut question = TopicPartitionList::with_capacity(fresh.len());
    for place in &fresh {
        if question.add_partition_offset(&place.topic, place.partition, Offset::End).is_err() {
            return fixed;
        }
    }
    let Ok(ends) = consumer.offsets_for_times(question, LOOK_UP) else { return fixed };
    for place in fresh {
        let end = ends.find_partition(&place.topic, place.partition).map(|found| found.offset());
        if let Some(Offset::Offset(end)) = end
            && let Some(mut element) = list.find_partition(&place.topic, place.partition)
        {
            let start = consumer.context().start_of(&place, end);
            if let (Ok(()), Offset::Offset(offset)) = (element.set_offset(start), start) {
                fixed.push((place, offset));
            }
        }
    }
    fixed
}

pub(super) fn unassign(consumer: &BaseConsumer<GroupContext>, list: &TopicPartitionList) {
    let outcome = match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    };
    if let Err(failure) = outcome {
        let reason = "the assignment was not given back";
        rdkafka::ClientContext::error(&**consumer.context(), failure, reason);
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements()
        .iter()
        .map(|element| TopicPartition::new(element.topic(), element.partition()))
        .collect()
}

pub(super) fn list_of<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition);
    }
    list
}
