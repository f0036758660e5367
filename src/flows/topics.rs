//! What is on a cluster: topics with their partitions, bounds, counts, and the time of what came last.

use std::collections::HashMap;
use std::time::Duration;

use super::follow::{FollowPlan, Newest, Notice, Position, RecordSink, Source, Taken, follow};
use crate::base::{Deadline, Failure, Shutdown};
use crate::kafka::{
    Bounds, KafkaError, PartitionFacts, Properties, Record, Session, TopicFacts, TopicId,
    TopicPartition,
};
use crate::schema::role::Role;

/// Partitions of which the newest records are looked at: each costs a read.
const MOST_READ: usize = 200;
/// How long these reads may take together.
const READING: Duration = Duration::from_secs(3);

/// A topic as it stands.
#[derive(Clone, Debug)]
pub struct TopicReport {
    pub name: String,
    pub partitions: Vec<PartitionReport>,
}

/// A partition as it stands. The count of offsets is an upper bound of the count of records:
/// compaction and transaction markers leave gaps.
#[derive(Clone, Debug)]
pub struct PartitionReport {
    pub facts: PartitionFacts,
    /// `None` where there is no leader to ask.
    pub bounds: Option<Bounds>,
    /// The timestamp of the newest record, in milliseconds since the epoch; `None` where there is
    /// none, or it could not be read.
    pub newest: Option<i64>,
}

impl TopicReport {
    /// The timestamp of the newest record of all partitions, in milliseconds since the epoch.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.partitions.iter().filter_map(|partition| partition.newest).max()
    }

    /// Offsets between the beginning and the end of all partitions.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.partitions
            .iter()
            .filter_map(|partition| partition.bounds)
            .map(|bounds| bounds.high - bounds.low)
            .sum()
    }
}

/// Reports on one topic, or on all but the cluster's own.
///
/// # Errors
/// The named topic does not exist, or the brokers cannot be used.
pub fn report_topics(
    properties: &Properties,
    name: Option<&str>,
    deadline: Deadline,
) -> Result<Vec<TopicReport>, KafkaError> {
    let session = Session::open(properties)?;
    let topics = match name {
        Some(name) => vec![session.topic(name, deadline)?],
        None => {
            let cluster = session.cluster(deadline)?;
            cluster.topics.into_iter().filter(|topic| !topic.name.starts_with("__")).collect()
        }
    };
    let led: Vec<TopicPartition> = topics.iter().flat_map(led_partitions).collect();
    let mut bounds = session.bounds(&led, deadline)?.into_iter();
    let reports = topics.into_iter().map(|topic| TopicReport {
        name: topic.name,
        partitions: topic
            .partitions
            .into_iter()
            .map(|facts| {
                let bounds = if facts.leader >= 0 { bounds.next() } else { None };
                PartitionReport { facts, bounds, newest: None }
            })
            .collect(),
    });
    let mut reports: Vec<TopicReport> = reports.collect();
    let filled = reports.iter().filter(|report| report.count() > 0);
    let names: Vec<String> = filled.map(|report| report.name.clone()).collect();
    if led.len() <= MOST_READ && !names.is_empty() {
        let newest = newest_times(properties, names, deadline.within(READING));
        for report in &mut reports {
            for partition in &mut report.partitions {
                let place = TopicPartition::new(&report.name, partition.facts.id);
                partition.newest = newest.get(&place).copied();
            }
        }
    }
    Ok(reports)
}

/// The time of the newest record of each partition, as far as they can be read in time.
fn newest_times(
    properties: &Properties,
    names: Vec<String>,
    deadline: Deadline,
) -> HashMap<TopicPartition, i64> {
    let sources = names.into_iter().map(Source::Topic).collect();
    let plan = FollowPlan {
        newest: Some(Newest::OfEachPartition(1)),
        ..FollowPlan::new(sources, Position::End)
    };
    let mut times = Times::default();
    // Whoever may describe a topic may not be allowed to read it; what was found is found.
    let _ = follow(properties, &plan, &mut times, &Shutdown::new(), deadline);
    times.0
}

#[derive(Default)]
struct Times(HashMap<TopicPartition, i64>);

impl RecordSink for Times {
    fn topic(&mut self, _: TopicId, _: &str, _: Option<Role>) {}

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        if let Some((millis @ 0.., _)) = record.timestamp {
            self.0.insert(TopicPartition::new(record.topic, record.partition), millis);
        }
        Ok(Taken::Counted)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice<'_>) {}
}

fn led_partitions(topic: &TopicFacts) -> Vec<TopicPartition> {
    topic
        .partitions
        .iter()
        .filter(|partition| partition.leader >= 0)
        .map(|partition| TopicPartition::new(&topic.name, partition.id))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::native::mock::MockBroker;
    use crate::kafka::{Durability, Outgoing, Producer};

    #[test]
    fn a_topics_report_counts_what_lies_between_its_ends() {
        let broker = MockBroker::start().unwrap();
        broker.create_topic("a", 2).unwrap();
        broker.create_topic("b", 1).unwrap();
        let properties = Properties::new(&broker.address());
        let deadline = Deadline::after(Duration::from_secs(20));
        let mut producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
        for _ in 0..3 {
            producer.send(&Outgoing::new("a", Some(b"k"), b"v"), deadline).unwrap();
        }
        let all = report_topics(&properties, None, deadline).unwrap();
        let counts: Vec<(String, usize, i64)> = all
            .iter()
            .map(|topic| (topic.name.clone(), topic.partitions.len(), topic.count()))
            .collect();
        assert_eq!(counts, [("a".to_owned(), 2, 3), ("b".to_owned(), 1, 0)]);
        assert!(all[0].newest().is_some_and(|millis| millis > 0) && all[1].newest().is_none());
        assert!(report_topics(&properties, Some("c"), deadline).is_err());
    }
}
