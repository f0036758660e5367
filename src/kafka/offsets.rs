//! Where partitions begin and end: `ListOffsets`, asked of their leaders.

use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::session::{SOONEST, is_of_a_new_leader};
use super::topic::is_legal_name;
use super::{KafkaError, Session, TopicPartition};
use crate::base::Deadline;

/// How long the brokers that are left may take to lead what one of them led that is away: they notice
/// it after nine seconds where nobody has set another time.
const LEADER_CHANGE: Duration = Duration::from_secs(25);

/// The first and the next offset of a partition at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The offset of the oldest record that is still there.
    pub low: i64,
    /// The offset that the next record gets; under `read_committed` the last stable offset.
    pub high: i64,
}

/// One end of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// [`Bounds::low`].
    Low,
    /// [`Bounds::high`].
    High,
}

impl Edge {
    /// What stands in the place of a time in `ListOffsets`: −2 and −1.
    fn as_time(self) -> Offset {
        match self {
            Self::Low => Offset::Beginning,
            Self::High => Offset::End,
        }
    }
}

impl Session {
    /// First or next offsets of partitions, in the order asked, in one round trip for all.
    ///
    /// # Errors
    /// A partition has no leader or may not be read, or the cluster cannot be used.
    pub fn edges(
        &self,
        partitions: &[TopicPartition],
        edge: Edge,
        deadline: Deadline,
    ) -> Result<Vec<i64>, KafkaError> {
        self.offsets(partitions, edge.as_time(), deadline)
    }

    /// One end of each partition of a topic of which nothing is known yet, with the partition. The
    /// client learns what partitions there are before it asks their leaders, so this is a question
    /// less than to ask for them first, and none about other topics. `None` where it cannot be told
    /// in this way: the topic has very many partitions or one without a leader, it is not there, or may
    /// not be read. The longer way tells which.
    ///
    /// # Errors
    /// The cluster cannot be used.
    pub fn edges_of(
        &self,
        topic: &str,
        edge: Edge,
        deadline: Deadline,
    ) -> Result<Option<Vec<(i32, i64)>>, KafkaError> {
        // Those that are not there cost nothing.
        const MOST: usize = 32;
        if !is_legal_name(topic) {
            return Ok(None);
        }
        let guess: Vec<(&str, i32)> = (0..).take(MOST).map(|id| (topic, id)).collect();
        let found = match self.list_offsets(&guess, edge.as_time(), deadline) {
            Ok(found) => found,
            Err(error @ KafkaError::Unusable { .. }) if !self.has_lost_a_leader() => {
                return Err(error);
            }
            Err(_) => return Ok(None),
        };
        let elements = found.elements();
        let edges: Option<Vec<(i32, i64)>> = elements
            .iter()
            .filter(|element| !is_of_no_partition(element))
            .map(|element| match (element.error(), element.offset()) {
                (Ok(()), Offset::Offset(offset)) => Some((element.partition(), offset)),
                _ => None,
            })
            .collect();
        let edges = edges.filter(|edges| (1..MOST).contains(&edges.len()));
        if edges.is_some() {
            // The leaders have answered, at the addresses that they advertise.
            self.findings().clear();
        }
        Ok(edges)
    }

    /// First and next offsets of partitions, in the order asked, in two round trips for all that are
    /// made at once.
    ///
    /// # Errors
    /// As [`Session::edges`].
    pub fn bounds(
        &self,
        partitions: &[TopicPartition],
        deadline: Deadline,
    ) -> Result<Vec<Bounds>, KafkaError> {
        // At once: one after the other they would be two ways to the broker and back.
        let ask_highs = || self.edges(partitions, Edge::High, deadline);
        let (lows, highs) = std::thread::scope(|scope| {
            let asked = std::thread::Builder::new().spawn_scoped(scope, ask_highs);
            let lows = self.edges(partitions, Edge::Low, deadline);
            (lows, asked.map(std::thread::ScopedJoinHandle::join))
        });
        let highs = match highs {
            Ok(Ok(highs)) => highs,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No thread can be had: slower, not wrong.
            Err(_) => ask_highs(),
        };
        Ok(lows?
            .into_iter()
            .zip(highs?)
            .map(|(low, high)| Bounds { low, high: high.max(low) })
            .collect())
    }

    /// For each partition the offset of the first record whose timestamp is at or after `millis`
    /// since the epoch; `None` where there is no such record, or the broker has no index of times.
    ///
    /// # Errors
    /// As [`Session::edges`].
    pub fn offsets_at(
        &self,
        partitions: &[TopicPartition],
        millis: i64,
        deadline: Deadline,
    ) -> Result<Vec<Option<i64>>, KafkaError> {
        let found = self.offsets(partitions, Offset::Offset(millis.max(0)), deadline)?;
        Ok(found.into_iter().map(|offset| (offset >= 0).then_some(offset)).collect())
    }

    /// One batched look-up. Logical offsets stand in the place of times (`ListOffsets`, −2 and −1).
    fn offsets(
        &self,
        partitions: &[TopicPartition],
        at: Offset,
        deadline: Deadline,
    ) -> Result<Vec<i64>, KafkaError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<(&str, i32)> = partitions
            .iter()
            .map(|partition| (partition.topic.as_str(), partition.partition))
            .collect();
        let patience = deadline.within(LEADER_CHANGE);
        let found = loop {
            match self.list_offsets(&places, at, deadline) {
                Ok(found) if !patience.has_passed() && is_settling(&found) => {
                    std::thread::sleep(patience.slice(SOONEST));
                }
                Ok(found) => break found,
                Err(error) if patience.has_passed() || !self.has_lost_a_leader() => {
                    return Err(error);
                }
                Err(_) => std::thread::sleep(patience.slice(SOONEST)),
            }
        };
        // The leaders have answered, at the addresses that they advertise.
        self.findings().clear();
        partitions
            .iter()
            .map(|partition| {
                let action =
                    format!("look up offsets of {}[{}]", partition.topic, partition.partition);
                let element = found.find_partition(&partition.topic, partition.partition);
                let element =
                    element.ok_or_else(|| KafkaError::Deadline { action: action.clone() })?;
                element.error().map_err(|error| KafkaError::library(&action, &error))?;
                Ok(match element.offset() {
                    Offset::Offset(offset) => offset,
                    _ => -1,
                })
            })
            .collect()
    }

    /// The question itself; each place has an offset or an error of its own in the answer.
    fn list_offsets(
        &self,
        places: &[(&str, i32)],
        at: Offset,
        deadline: Deadline,
    ) -> Result<TopicPartitionList, KafkaError> {
        self.ask(&format!("ask {}", self.brokers()), deadline, |wait| {
            let mut list = TopicPartitionList::with_capacity(places.len());
            for (topic, partition) in places {
                list.add_partition_offset(topic, *partition, at)?;
            }
            self.consumer().offsets_for_times(list, wait)
        })
    }

    /// Whether the cluster answers, and one of the brokers that were named is away: those that are
    /// left choose new leaders for its partitions.
    fn has_lost_a_leader(&self) -> bool {
        self.findings().is_one_of_several_away()
            && self.consumer().fetch_metadata(None, Duration::from_secs(1)).is_ok()
    }
}

/// Whether a partition has a leader that is new and not ready, or asked in vain for a moment.
fn is_settling(found: &TopicPartitionList) -> bool {
    let codes = found.elements().into_iter().filter_map(|element| element.error().err());
    codes.filter_map(|error| error.rdkafka_error_code()).any(is_of_a_new_leader)
}

fn is_of_no_partition(element: &TopicPartitionListElem<'_>) -> bool {
    let code = element.error().err().and_then(|error| error.rdkafka_error_code());
    code == Some(RDKafkaErrorCode::UnknownPartition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Classify, Kind};
    use crate::kafka::native::mock::MockBroker;
    use crate::kafka::{Durability, Outgoing, Producer, Properties};

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    fn asking(mock: &MockBroker) -> Session {
        Session::open(&Properties::new(&mock.address())).unwrap()
    }

    #[test]
    fn one_question_tells_where_the_partitions_of_a_topic_begin_and_end() {
        let mock = MockBroker::start().unwrap();
        mock.create_topic("t", 2).unwrap();
        let properties = Properties::new(&mock.address());
        let mut producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
        for value in ["a", "b", "c"] {
            let record =
                Outgoing { partition: Some(1), ..Outgoing::new("t", None, value.as_bytes()) };
            producer.send(&record, soon()).unwrap();
        }
        let edges = |edge| asking(&mock).edges_of("t", edge, soon()).unwrap();
        assert_eq!(edges(Edge::Low), Some(vec![(0, 0), (1, 0)]));
        assert_eq!(edges(Edge::High), Some(vec![(0, 0), (1, 3)]));
    }

    #[test]
    fn what_one_question_cannot_tell_is_left_to_the_longer_way() {
        let mock = MockBroker::start().unwrap();
        mock.create_topic("wide", 40).unwrap();
        for topic in ["wide", "missing", "no/name", ""] {
            assert_eq!(asking(&mock).edges_of(topic, Edge::Low, soon()).unwrap(), None, "{topic}");
        }
    }

    #[test]
    fn a_dead_port_is_told_by_the_short_way_too() {
        let session = Session::open(&Properties::new("127.0.0.1:1")).unwrap();
        let failure = session.edges_of("t", Edge::Low, soon()).unwrap_err();
        assert_eq!(failure.kind(), Kind::Unreachable);
    }
}
