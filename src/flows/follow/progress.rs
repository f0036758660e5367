//! How far each partition has been read and whether it is done: decided on positions, so that
//! transaction markers, compacted records and empty partitions end a read as well as records do.

use std::collections::HashMap;

use super::Position;
use crate::kafka::{Bounds, TopicPartition};

/// One partition's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub next: i64,
    /// The first offset that is not read any more; `None` while following.
    pub end: Option<i64>,
    done: bool,
}

/// The partitions of a read.
#[derive(Debug, Default)]
pub(super) struct Progress {
    ways: HashMap<String, Vec<(i32, Way)>>,
    open: usize,
}

impl Progress {
    /// Adds a partition; one that has nothing before its end is done at once. Says whether it is to
    /// be read.
    pub fn add(&mut self, partition: &TopicPartition, next: i64, end: Option<i64>) -> bool {
        let done = end.is_some_and(|end| next >= end);
        self.open += usize::from(!done);
        let ways = self.ways.entry(partition.topic.clone()).or_default();
        ways.push((partition.partition, Way { next, end, done }));
        !done
    }

    pub fn knows(&self, topic: &str, partition: i32) -> bool {
        self.ways.get(topic).is_some_and(|ways| ways.iter().any(|(id, _)| *id == partition))
    }

    /// Whether every partition has reached its end.
    pub fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Whether a record is inside its partition's bounds; moves the position.
    pub fn accept(&mut self, topic: &str, partition: i32, offset: i64) -> bool {
        let Some(way) = self.way(topic, partition) else { return false };
        let inside = !way.done && way.end.is_none_or(|end| offset < end);
        way.next = offset + 1;
        self.close_if_reached(topic, partition, offset + 1);
        inside
    }

    /// Takes the end of a partition as the broker reports it.
    pub fn reached(&mut self, topic: &str, partition: i32, offset: i64) {
        self.close_if_reached(topic, partition, offset);
    }

    /// Takes a partition off the list, whatever its position.
    pub fn abandon(&mut self, topic: &str, partition: i32) {
        self.close_if_reached(topic, partition, i64::MAX);
        if let Some(way) = self.way(topic, partition).filter(|way| !way.done) {
            way.done = true;
            self.open -= 1;
        }
    }

    fn close_if_reached(&mut self, topic: &str, partition: i32, position: i64) {
        if let Some(way) = self.way(topic, partition)
            && !way.done
            && way.end.is_some_and(|end| position >= end)
        {
            way.done = true;
            self.open -= 1;
        }
    }

    fn way(&mut self, topic: &str, partition: i32) -> Option<&mut Way> {
        let ways = self.ways.get_mut(topic)?;
        // Partitions are added in order and mostly complete, so the number is the place.
        let place = usize::try_from(partition).ok()?;
        if ways.get(place).is_some_and(|(id, _)| *id == partition) {
            return ways.get_mut(place).map(|(_, way)| way);
        }
        ways.iter_mut().find(|(id, _)| *id == partition).map(|(_, way)| way)
    }
}

/// The absolute offset of a position in a partition, kept inside its bounds. `None` where the
/// position names other partitions only; times are looked up before and come in `at_time`.
pub(super) fn absolute(
    position: &Position,
    partition: i32,
    bounds: Bounds,
    at_time: Option<i64>,
) -> Option<i64> {
    let Bounds { low, high } = bounds;
    let offset = match position {
        Position::Beginning => low,
        Position::End => high,
        Position::Offset(offset) => *offset,
        Position::BeforeEnd(count) => high.saturating_sub(*count),
        Position::AfterBeginning(count) => low.saturating_add(*count),
        Position::Each(pairs) => {
            pairs.iter().find(|(id, _)| *id == partition).map(|(_, offset)| *offset)?
        }
        Position::Time(_) => at_time.unwrap_or(high),
    };
    Some(offset.clamp(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(partition: i32) -> TopicPartition {
        TopicPartition::new("t", partition)
    }

    #[test]
    fn an_empty_partition_is_done_before_it_begins() {
        let mut progress = Progress::default();
        assert!(!progress.add(&at(0), 5, Some(5)));
        assert!(progress.is_done());
    }

    #[test]
    fn the_last_record_before_the_end_closes_its_partition() {
        let mut progress = Progress::default();
        progress.add(&at(0), 0, Some(2));
        assert!(progress.accept("t", 0, 0) && !progress.is_done());
        assert!(progress.accept("t", 0, 1) && progress.is_done());
        assert!(!progress.accept("t", 0, 2), "what came later is not of this read");
    }

    #[test]
    fn an_end_reached_over_markers_closes_without_a_record() {
        let mut progress = Progress::default();
        progress.add(&at(0), 0, Some(4));
        progress.accept("t", 0, 1);
        progress.reached("t", 0, 3);
        assert!(!progress.is_done());
        progress.reached("t", 0, 4);
        assert!(progress.is_done());
    }

    #[test]
    fn a_record_past_the_end_closes_and_is_not_of_this_read() {
        let mut progress = Progress::default();
        progress.add(&at(0), 0, Some(4));
        assert!(!progress.accept("t", 0, 9) && progress.is_done());
    }

    #[test]
    fn following_never_ends_by_itself() {
        let mut progress = Progress::default();
        progress.add(&at(0), 7, None);
        assert!(progress.accept("t", 0, 100));
        progress.reached("t", 0, 101);
        assert!(!progress.is_done());
        progress.abandon("t", 0);
        assert!(progress.is_done());
    }

    #[test]
    fn positions_are_kept_inside_the_bounds() {
        let bounds = Bounds { low: 10, high: 20 };
        for (position, offset) in [
            (Position::Beginning, 10),
            (Position::End, 20),
            (Position::Offset(3), 10),
            (Position::Offset(15), 15),
            (Position::BeforeEnd(3), 17),
            (Position::BeforeEnd(99), 10),
            (Position::AfterBeginning(4), 14),
            (Position::Time(0), 12),
        ] {
            assert_eq!(absolute(&position, 0, bounds, Some(12)), Some(offset), "{position:?}");
        }
        assert_eq!(
            absolute(&Position::Time(0), 0, bounds, None),
            Some(20),
            "a time to come is the end"
        );
        assert_eq!(absolute(&Position::Each(vec![(1, 11)]), 0, bounds, None), None);
    }
}
