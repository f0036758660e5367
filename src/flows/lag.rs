//! How far a consumer group is behind, told without joining it: its positions beside the ends of the
//! partitions, and the age of the oldest record that it has not read.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{Deadline, Stamp};
use crate::kafka::{
    Bounds, Entry, GroupFacts, GroupSession, KafkaError, Properties, Reader, Session, TopicId,
    TopicPartition,
};

/// How long one wait for a first record may last.
const SLICE: Duration = Duration::from_millis(100);
/// How long the first unread records of all partitions together may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A group beside the topics that it reads, at one moment.
#[derive(Clone, Debug)]
pub struct GroupLag {
    pub group: String,
    /// `None` where the broker cannot list groups.
    pub facts: Option<GroupFacts>,
    /// Every partition of each topic in which the group has a position, in order.
    pub partitions: Vec<PartitionLag>,
    /// When it was measured.
    pub at: Stamp,
}

/// A partition beside the group's position in it.
#[derive(Clone, Debug)]
pub struct PartitionLag {
    pub partition: TopicPartition,
    /// The offset of the record that the group reads next; `None` while it has committed none here.
    pub committed: Option<i64>,
    pub bounds: Bounds,
    /// When the first record after the position was made, in milliseconds since the epoch. `None`
    /// where there is none, or it carries no time.
    pub oldest: Option<i64>,
}

impl PartitionLag {
    /// The first offset that the group has still to read: without a position, or with one before
    /// the beginning, all that is there.
    #[must_use]
    pub fn next(&self) -> i64 {
        self.committed.unwrap_or(self.bounds.low).max(self.bounds.low)
    }

    /// Offsets between the position and the end.
    #[must_use]
    pub fn lag(&self) -> i64 {
        (self.bounds.high - self.next()).max(0)
    }

    /// Records that were removed before the group read them.
    #[must_use]
    pub fn missed(&self) -> i64 {
        self.committed.map_or(0, |committed| (self.bounds.low - committed).max(0))
    }
}

impl GroupLag {
    /// Of all partitions together.
    #[must_use]
    pub fn lag(&self) -> i64 {
        self.partitions.iter().map(PartitionLag::lag).sum()
    }

    /// How old the oldest unread record is.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.partitions.iter().filter_map(|partition| partition.oldest).min().map(|oldest| {
            Duration::from_millis(u64::try_from(self.at.millis() - oldest).unwrap_or(0))
        })
    }
}

/// Measures the lag of a group.
///
/// # Errors
/// There is no such group, it may not be read, or the brokers cannot be used.
pub fn measure_lag(
    properties: &Properties,
    group: &str,
    now: impl Fn() -> Stamp,
    deadline: Deadline,
) -> Result<GroupLag, KafkaError> {
    let asking = GroupSession::open(properties, group)?;
    let session = asking.session();
    let cluster = session.cluster(deadline)?;
    let all: Vec<TopicPartition> = cluster
        .topics
        .iter()
        .filter(|topic| !topic.name.starts_with("__"))
        .flat_map(|topic| {
            let led = topic.partitions.iter().filter(|partition| partition.leader >= 0);
            led.map(|partition| TopicPartition::new(&topic.name, partition.id))
        })
        .collect();
    // Positions first: a record that comes meanwhile makes the lag larger, never negative.
    let committed = asking.committed(&all, deadline)?;
    let facts = facts(&asking, committed.iter().any(Option::is_some), deadline)?;
    let read = of_read_topics(all, committed);
    let partitions: Vec<TopicPartition> = read.iter().map(|(place, _)| place.clone()).collect();
    let bounds = session.bounds(&partitions, deadline)?;
    let mut partitions: Vec<PartitionLag> = read
        .into_iter()
        .zip(bounds)
        .map(|((partition, committed), bounds)| PartitionLag {
            partition,
            committed,
            bounds,
            oldest: None,
        })
        .collect();
    first_times(Arc::clone(session), &mut partitions, deadline)?;
    Ok(GroupLag { group: group.to_owned(), facts, partitions, at: now() })
}

/// The group's facts. The embedded broker cannot list groups: there one exists once it has a
/// position.
fn facts(
    asking: &GroupSession,
    has_position: bool,
    deadline: Deadline,
) -> Result<Option<GroupFacts>, KafkaError> {
    match asking.facts(deadline) {
        Ok(facts) => Ok(Some(facts)),
        Err(KafkaError::Embedded { .. }) if has_position => Ok(None),
        Err(KafkaError::Embedded { .. }) => Err(asking.unknown(Vec::new())),
        // Positions outlive a group's last member; some brokers list only groups that have one.
        Err(KafkaError::UnknownGroup { .. }) if has_position => Ok(None),
        Err(error) => Err(error),
    }
}

/// The partitions of the topics in which any has a position.
fn of_read_topics(
    partitions: Vec<TopicPartition>,
    committed: Vec<Option<i64>>,
) -> Vec<(TopicPartition, Option<i64>)> {
    let all: Vec<(TopicPartition, Option<i64>)> = partitions.into_iter().zip(committed).collect();
    let read: std::collections::BTreeSet<String> = all
        .iter()
        .filter(|(_, committed)| committed.is_some())
        .map(|(place, _)| place.topic.clone())
        .collect();
    all.into_iter().filter(|(place, _)| read.contains(&place.topic)).collect()
}

/// Reads the first unread record of each partition that has one, for its time.
fn first_times(
    session: Arc<Session>,
    partitions: &mut [PartitionLag],
    deadline: Deadline,
) -> Result<(), KafkaError> {
    let deadline = deadline.within(PATIENCE);
    let mut reader = Reader::new(session)?;
    let mut waiting: Vec<(TopicId, usize)> = Vec::new();
    for (index, lag) in partitions.iter().enumerate() {
        if lag.lag() > 0 {
            let topic = reader.topic(&lag.partition.topic)?;
            reader.start(topic, lag.partition.partition, lag.next())?;
            waiting.push((topic, index));
        }
    }
    while !waiting.is_empty() {
        if deadline.has_passed() {
            return Err(KafkaError::Deadline {
                action: "read the oldest unread record".to_owned(),
            });
        }
        let mut answered = None;
        if let Some(entry) = reader.wait(deadline.slice(SLICE)).next_entry() {
            // A fault that ends a partition leaves it without a time; one that passes as well: the
            // records may be gone by then.
            answered = Some(match entry {
                Entry::Record(record) => {
                    (record.topic_id, record.partition, record.timestamp.map(|(millis, _)| millis))
                }
                Entry::EndOfPartition { topic, partition, .. } => (topic, partition, None),
                Entry::Fault(fault) => (fault.topic, fault.partition, None),
            });
        }
        let Some((topic, partition, time)) = answered else { continue };
        let place = waiting.iter().position(|(known, index)| {
            *known == topic && partitions[*index].partition.partition == partition
        });
        if let Some(place) = place {
            let (topic, index) = waiting.swap_remove(place);
            partitions[index].oldest = time;
            reader.stop(topic, partition);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(committed: Option<i64>, low: i64, high: i64, oldest: Option<i64>) -> PartitionLag {
        PartitionLag {
            partition: TopicPartition::new("t", 0),
            committed,
            bounds: Bounds { low, high },
            oldest,
        }
    }

    #[test]
    fn what_is_not_read_is_counted_from_the_position_or_from_what_is_left() {
        for (committed, low, high, lag, missed) in [
            (Some(7), 0, 10, 3, 0),
            (Some(10), 0, 10, 0, 0),
            (Some(2), 5, 10, 5, 3),
            (None, 5, 10, 5, 0),
            // The topic was made anew: the position is beyond its end.
            (Some(50), 0, 10, 0, 0),
        ] {
            let seen = partition(committed, low, high, None);
            assert_eq!((seen.lag(), seen.missed()), (lag, missed), "{committed:?} {low} {high}");
        }
    }

    #[test]
    fn the_age_is_that_of_the_oldest_of_all() {
        let mut group = GroupLag {
            group: "g".into(),
            facts: None,
            partitions: vec![
                partition(Some(0), 0, 1, Some(4_000)),
                partition(Some(0), 0, 1, Some(3_000)),
                partition(Some(1), 0, 1, None),
            ],
            at: Stamp::from_micros(10_000_000),
        };
        assert_eq!(group.age(), Some(Duration::from_secs(7)));
        assert_eq!(group.lag(), 2);
        group.at = Stamp::from_micros(0);
        assert_eq!(group.age(), Some(Duration::ZERO), "a clock that is behind the producer's");
    }

    #[test]
    fn topics_without_any_position_are_none_of_the_groups() {
        let place = TopicPartition::new;
        let read = of_read_topics(
            vec![place("a", 0), place("a", 1), place("b", 0)],
            vec![None, Some(3), None],
        );
        assert_eq!(read, [(place("a", 0), None), (place("a", 1), Some(3))]);
    }
}
