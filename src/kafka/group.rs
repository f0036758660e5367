//! Questions about a consumer group by somebody who is no member of it: nothing is joined and
//! nothing is committed.

use std::sync::Arc;

use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{KafkaError, Properties, Session, TopicPartition};
use crate::base::Deadline;
use crate::base::nearest::nearest;

/// A group as its coordinator describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFacts {
    pub name: String,
    /// `Stable`, `Empty`, `PreparingRebalance`, … The old question, which every broker answers, has
    /// `Dead` for a group of the new protocol (KIP-848), whatever it does: then it is empty here.
    pub state: String,
    pub members: usize,
}

/// A client that asks about one group.
#[derive(Debug)]
pub struct GroupSession {
    session: Arc<Session>,
    group: String,
}

impl GroupSession {
    /// Makes the client; nothing is connected yet, and no group is joined by asking.
    ///
    /// # Errors
    /// A property is unknown or cannot have its value.
    pub fn open(properties: &Properties, group: &str) -> Result<Self, KafkaError> {
        let session =
            Session::open_with(properties, &[("group.id", group), ("fetch.wait.max.ms", "5")])?;
        Ok(Self { session: Arc::new(session), group: group.to_owned() })
    }

    /// The client, for reading too: it is none of the group's members.
    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The position of the group in each partition, in the order asked; `None` where it has none.
    ///
    /// # Errors
    /// The group may not be read, or the cluster cannot be used.
    pub fn committed(
        &self,
        partitions: &[TopicPartition],
        deadline: Deadline,
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let action = format!("read the positions of group {:?}", self.group);
        let found = self.session.ask(&action, deadline, |wait| {
            let mut list = TopicPartitionList::with_capacity(partitions.len());
            for partition in partitions {
                list.add_partition(&partition.topic, partition.partition);
            }
            self.session.consumer().committed_offsets(list, wait)
        })?;
        partitions
            .iter()
            .map(|partition| {
                let element = found.find_partition(&partition.topic, partition.partition);
                let Some(element) = element else { return Ok(None) };
                element.error().map_err(|error| KafkaError::library(&action, &error))?;
                Ok(match element.offset() {
                    Offset::Offset(offset) if offset >= 0 => Some(offset),
                    _ => None,
                })
            })
            .collect()
    }

    /// What the cluster says of the group.
    ///
    /// # Errors
    /// [`KafkaError::UnknownGroup`] with the nearest names, the embedded broker cannot list groups,
    /// or the cluster cannot be used.
    pub fn facts(&self, deadline: Deadline) -> Result<GroupFacts, KafkaError> {
        if self.session.is_embedded() {
            return Err(KafkaError::Embedded {
                action: "list groups".to_owned(),
                hint: "publish to a real Kafka: dwctl serve --brokers HOST:PORT",
            });
        }
        let list = |group: Option<&str>| {
            self.session.ask("list groups", deadline, |wait| {
                self.session.consumer().fetch_group_list(group, wait)
            })
        };
        let known = list(None)?;
        let mut names = known.groups().iter().map(rdkafka::groups::GroupInfo::name);
        if !names.any(|name| name == self.group) {
            let names = known.groups().iter().map(rdkafka::groups::GroupInfo::name);
            return Err(self.unknown(nearest(&self.group, names, 3)));
        }
        let described = list(Some(&self.group))?;
        let info = described.groups().iter().find(|info| info.name() == self.group);
        let state = info.map_or("", rdkafka::groups::GroupInfo::state);
        Ok(GroupFacts {
            name: self.group.clone(),
            state: if state == "Dead" { String::new() } else { state.to_owned() },
            members: info.map_or(0, |info| info.members().len()),
        })
    }

    /// The error for a group that the cluster does not have.
    #[must_use]
    pub fn unknown(&self, near: Vec<&str>) -> KafkaError {
        KafkaError::UnknownGroup {
            group: self.group.clone(),
            brokers: self.session.brokers().to_owned(),
            near: near.into_iter().map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::native::mock::MockBroker;
    use crate::kafka::{Done, Durability, GroupConsumer, GroupStart, Outgoing, Polled, Producer};
    use std::time::Duration;

    #[test]
    fn positions_are_read_without_joining() {
        let mock = MockBroker::start().unwrap();
        mock.create_topic("t", 2).unwrap();
        let properties = Properties::new(&mock.address()).set("fetch.wait.max.ms", "10");
        let deadline = Deadline::after(Duration::from_secs(30));
        let mut producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
        let mut record = Outgoing::new("t", Some(b"k"), b"v");
        record.partition = Some(1);
        producer.send(&record, deadline).unwrap();
        let mut member =
            GroupConsumer::open(&properties, "g", &["t"], GroupStart::Beginning).unwrap();
        let ticket = loop {
            assert!(!deadline.has_passed(), "nothing came");
            if let Polled::Record(delivery) = member.poll(Duration::from_millis(50)).unwrap() {
                break delivery.into_ticket();
            }
        };
        member.done(ticket, &Done::Handled);
        member.settle(deadline).unwrap();
        let asking = GroupSession::open(&properties, "g").unwrap();
        let partitions = [TopicPartition::new("t", 0), TopicPartition::new("t", 1)];
        assert_eq!(asking.committed(&partitions, deadline).unwrap(), [None, Some(1)]);
        let other = GroupSession::open(&properties, "other").unwrap();
        assert_eq!(other.committed(&partitions, deadline).unwrap(), [None, None]);
    }
}
