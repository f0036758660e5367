//! What is on a cluster: topics with their partitions, bounds and counts.

use crate::base::Deadline;
use crate::kafka::{
    Bounds, KafkaError, PartitionFacts, Properties, Session, TopicFacts, TopicPartition,
};

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
}

impl TopicReport {
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
                PartitionReport { facts, bounds }
            })
            .collect(),
    });
    Ok(reports.collect())
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
    use std::time::Duration;

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
        assert!(report_topics(&properties, Some("c"), deadline).is_err());
    }
}
