//! A place in every partition of some topics, as one word for a shell's variable.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::Source;
use super::target::{refusal, refuse_vain_wait, resolve};
use crate::base::{Classify, Deadline, Hint, Kind};
use crate::kafka::{Cluster, KafkaError, Properties, Session, TopicPartition};

/// The next offset of each partition. Written it names the record before, as `send` prints places:
/// what comes after is meant by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    next: BTreeMap<TopicPartition, i64>,
}

/// Why a text is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no place in a topic")]
pub struct InvalidCursor {
    text: String,
}

impl Classify for InvalidCursor {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hints(&self) -> Vec<Hint> {
        vec![Hint::new("write TOPIC[PARTITION]@OFFSET,… as send and wait --cursor print it")]
    }
}

impl Cursor {
    /// The offset that is read next in a partition; `None` for one that it does not name: it came
    /// into being later.
    #[must_use]
    pub fn next(&self, place: &TopicPartition) -> Option<i64> {
        self.next.get(place).copied()
    }

    /// Names a partition and the offset that is read next.
    pub fn set(&mut self, place: TopicPartition, next: i64) {
        self.next.insert(place, next);
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (place, next)) in self.next.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}[{}]@{}", place.topic, place.partition, next - 1)?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let mut cursor = Self::default();
        for part in text.split(',') {
            let (place, next) =
                place(part.trim()).ok_or_else(|| InvalidCursor { text: part.trim().to_owned() })?;
            cursor.set(place, next);
        }
        Ok(cursor)
    }
}

/// `TOPIC[PARTITION]@OFFSET`, and the offset after it.
fn place(text: &str) -> Option<(TopicPartition, i64)> {
    let (topic, rest) = text.split_once('[')?;
    let (partition, offset) = rest.split_once("]@")?;
    let (partition, offset): (i32, i64) = (partition.parse().ok()?, offset.parse().ok()?);
    let is_one = !topic.is_empty() && partition >= 0 && offset >= -1;
    is_one.then(|| (TopicPartition::new(topic, partition), offset.saturating_add(1)))
}

/// The ends of all partitions of the sources as they stand. A role's topic that does not exist yet
/// is named with nothing before it.
///
/// # Errors
/// A topic that was typed does not exist, or the brokers cannot be used.
pub fn fix_ends(
    properties: &Properties,
    sources: &[Source],
    deadline: Deadline,
) -> Result<Cursor, KafkaError> {
    let session = Session::open(properties)?;
    let cluster = session.cluster(deadline)?;
    fix_ends_in(&session, &cluster, sources, deadline)
}

/// The same on a cluster that was looked at.
///
/// # Errors
/// As [`fix_ends`].
pub fn fix_ends_in(
    session: &Session,
    cluster: &Cluster,
    sources: &[Source],
    deadline: Deadline,
) -> Result<Cursor, KafkaError> {
    let resolved = resolve(sources, cluster);
    let mut cursor = Cursor::default();
    if !resolved.missing.is_empty() {
        refuse_vain_wait(&resolved.missing, session, cluster, deadline)?;
    }
    for source in resolved.missing {
        if !source.may_come() {
            return Err(refusal(source, session, cluster, deadline));
        }
        for name in source.candidates() {
            cursor.set(TopicPartition::new(name, 0), 0);
        }
    }
    let places: Vec<TopicPartition> = resolved
        .targets
        .iter()
        .flat_map(|target| {
            let ids = target.topic.partitions.iter().map(|partition| partition.id);
            ids.map(|id| TopicPartition::new(&target.topic.name, id))
        })
        .collect();
    for (place, bounds) in places.iter().zip(session.bounds(&places, deadline)?) {
        cursor.set(place.clone(), bounds.high);
    }
    Ok(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let mut cursor = Cursor::default();
        cursor.set(TopicPartition::new("a-b.c", 0), 0);
        cursor.set(TopicPartition::new("a-b.c", 11), 7);
        let text = cursor.to_string();
        assert_eq!(text, "a-b.c[0]@-1,a-b.c[11]@6");
        assert_eq!(text.parse(), Ok(cursor));
    }

    #[test]
    fn what_send_prints_is_a_cursor_after_that_record() {
        let cursor: Cursor = "bias-events[2]@12".parse().unwrap();
        assert_eq!(cursor.next(&TopicPartition::new("bias-events", 2)), Some(13));
        assert_eq!(cursor.next(&TopicPartition::new("bias-events", 0)), None);
    }

    #[test]
    fn what_is_no_place_is_named() {
        for text in ["", "t", "t[0]", "t@3", "t[x]@3", "t[0]@-2", "[0]@1", "t[-1]@1", "t[0]@1,"] {
            let error = text.parse::<Cursor>().unwrap_err();
            assert!(error.to_string().contains("is no place"), "{text}");
        }
    }
}
