//! What a cluster says of itself, as values.

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

/// A partition as the metadata describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionFacts {
    pub id: i32,
    /// Broker id; −1 while there is none.
    pub leader: i32,
    pub replicas: Vec<i32>,
    pub in_sync: Vec<i32>,
}

/// A topic as the metadata describe it, partitions in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFacts {
    pub name: String,
    pub partitions: Vec<PartitionFacts>,
}

/// Whether a topic can have this name (`Topic.validate` in Apache Kafka).
pub(super) fn is_legal_name(name: &str) -> bool {
    const LONGEST: usize = 249;
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(is_legal)
}

/// Brokers and topics of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Id and advertised `HOST:PORT`.
    pub brokers: Vec<(i32, String)>,
    /// Topics that exist, by name.
    pub topics: Vec<TopicFacts>,
}

impl Cluster {
    #[must_use]
    pub fn topic(&self, name: &str) -> Option<&TopicFacts> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    /// The names of topics that are not the cluster's own.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.topics.iter().map(|topic| topic.name.as_str()).filter(|name| !name.starts_with("__"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_topics_are_short_and_plain() {
        for name in ["a", "automl-events", "A.b_c-9", &"x".repeat(249)] {
            assert!(is_legal_name(name), "{name}");
        }
        for name in ["", "a/b", "a b", "ü", "^a", &"x".repeat(250)] {
            assert!(!is_legal_name(name), "{name}");
        }
    }
}
