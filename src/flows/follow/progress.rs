//! How far each partition has been read and whether it is done: decided on positions, so that
//! transaction markers, compacted records and empty partitions end a read as well as records do.
//! Asked for every record: places in lists, nothing is hashed or allocated.

use crate::kafka::{Record, TopicId};

/// What of a partition is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub next: i64,
    /// Records before this offset are passed over: a start that lay behind the end.
    pub first: i64,
    /// The first offset that is not read any more; `None` while following.
    pub end: Option<i64>,
    /// Records before the first one at or after this time are passed over. For brokers that cannot
    /// look a time up.
    pub since: i64,
    /// The first record at or after this time ends the partition.
    pub before: i64,
}

impl Range {
    /// From `next` to the end that is given, whatever the time.
    pub const fn new(next: i64, end: Option<i64>) -> Self {
        Self { next, first: next, end, since: i64::MIN, before: i64::MAX }
    }
}

#[derive(Clone, Copy, Debug)]
struct Way {
    partition: i32,
    range: Range,
    done: bool,
}

/// Whether a record is of this read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Inside,
    Outside,
}

/// The partitions of a read, by the number of their topic.
#[derive(Debug, Default)]
pub(super) struct Progress {
    topics: Vec<Vec<Way>>,
    open: usize,
}

impl Progress {
    /// Adds a partition; one that has nothing before its end is done at once. Says whether it is to
    /// be read.
    pub fn add(&mut self, topic: TopicId, partition: i32, range: Range) -> bool {
        let done = range.end.is_some_and(|end| range.next >= end);
        self.open += usize::from(!done);
        if self.topics.len() <= topic.index() {
            self.topics.resize_with(topic.index() + 1, Vec::new);
        }
        let ways = &mut self.topics[topic.index()];
        ways.retain(|way| way.partition != partition);
        ways.push(Way { partition, range, done });
        !done
    }

    pub fn knows(&self, topic: TopicId, partition: i32) -> bool {
        self.topics
            .get(topic.index())
            .is_some_and(|ways| ways.iter().any(|way| way.partition == partition))
    }

    /// Whether every partition has reached its end.
    pub fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Partitions that are still read, with the next offset of each.
    pub fn open(&self) -> impl Iterator<Item = (TopicId, i32, i64)> {
        self.topics.iter().zip(0..).flat_map(|(ways, topic)| {
            let open = ways.iter().filter(|way| !way.done);
            open.map(move |way| (TopicId::at(topic), way.partition, way.range.next))
        })
    }

    /// Offsets that are left before the ends that were asked for, as far as they are there:
    /// `known_end` is what is known of each partition's own end.
    pub fn unread(&self, known_end: impl Fn(TopicId, i32) -> Option<i64>) -> u64 {
        let ways = self.topics.iter().zip(0..);
        let open = ways.flat_map(|(ways, topic)| ways.iter().map(move |way| (topic, way)));
        open.filter(|(_, way)| !way.done)
            .filter_map(|(topic, way)| {
                let end = way.range.end?;
                let there = known_end(TopicId::at(topic), way.partition).unwrap_or(end);
                u64::try_from(end.min(there) - way.range.next).ok()
            })
            .sum()
    }

    /// Takes a record: moves the position, and says whether it is inside its partition's range.
    #[inline]
    pub fn accept(&mut self, record: &Record<'_>) -> Place {
        let Some(way) = self.way(record.topic_id, record.partition) else { return Place::Outside };
        if way.done {
            return Place::Outside;
        }
        way.range.next = record.offset + 1;
        let (mut inside, mut done) = (record.offset >= way.range.first, false);
        if let Some(end) = way.range.end {
            inside &= record.offset < end;
            done = record.offset + 1 >= end;
        }
        if way.range.since != i64::MIN || way.range.before != i64::MAX {
            // A record without a time is of any time.
            let time = record.timestamp.map(|(millis, _)| millis);
            if time.is_some_and(|time| time >= way.range.before) {
                (inside, done) = (false, true);
            } else if time.is_some_and(|time| time < way.range.since) {
                inside = false;
            } else {
                way.range.since = i64::MIN;
            }
        }
        way.done = done;
        self.open -= usize::from(done);
        if inside { Place::Inside } else { Place::Outside }
    }

    /// Takes the end of a partition as the broker reports it.
    pub fn reached(&mut self, topic: TopicId, partition: i32, offset: i64) {
        let Some(way) = self.way(topic, partition).filter(|way| !way.done) else { return };
        way.range.next = way.range.next.max(offset);
        if way.range.end.is_some_and(|end| offset >= end) {
            way.done = true;
            self.open -= 1;
        }
    }

    /// Goes on from an offset, also from one before the start: the log from there is another one.
    pub fn restart(&mut self, topic: TopicId, partition: i32, offset: i64) {
        let Some(way) = self.way(topic, partition).filter(|way| !way.done) else { return };
        way.range.next = offset;
        way.range.first = way.range.first.min(offset);
        if way.range.end.is_some_and(|end| offset >= end) {
            way.done = true;
            self.open -= 1;
        }
    }

    /// Gives a partition that is read an end; it is done where that lies behind already.
    pub fn close_at(&mut self, topic: TopicId, partition: i32, end: i64) {
        let Some(way) = self.way(topic, partition).filter(|way| !way.done) else { return };
        way.range.end = Some(way.range.end.map_or(end, |known| known.min(end)));
        if way.range.next >= end {
            way.done = true;
            self.open -= 1;
        }
    }

    /// Forgets a partition, whatever its position; one that comes again is a new one.
    pub fn abandon(&mut self, topic: TopicId, partition: i32) {
        let Some(ways) = self.topics.get_mut(topic.index()) else { return };
        if let Some(place) = ways.iter().position(|way| way.partition == partition) {
            self.open -= usize::from(!ways[place].done);
            ways.remove(place);
        }
    }

    #[inline]
    fn way(&mut self, topic: TopicId, partition: i32) -> Option<&mut Way> {
        let ways = self.topics.get_mut(topic.index())?;
        // Partitions are added in order and mostly complete, so the number is the place.
        let place = usize::try_from(partition).ok()?;
        if ways.get(place).is_some_and(|way| way.partition == partition) {
            return ways.get_mut(place);
        }
        ways.iter_mut().find(|way| way.partition == partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::TimestampType;

    const T: TopicId = TopicId::at(0);

    #[test]
    fn a_log_that_begins_again_is_read_from_where_it_begins() {
        let mut progress = with(Range::new(5, None));
        progress.restart(T, 0, 0);
        assert_eq!(progress.accept(&at(0, 1)), Place::Inside);
        assert_eq!(progress.open().collect::<Vec<_>>(), [(T, 0, 1)]);
    }

    #[test]
    fn what_is_unread_lies_before_the_end_that_was_asked_for_and_is_there() {
        let unread = |end, there: i64| with(Range::new(3, end)).unread(|_, _| Some(there));
        assert_eq!(unread(Some(10), 10), 7);
        assert_eq!(unread(Some(10), 5), 2, "the rest is to come");
        assert_eq!((unread(Some(10), 3), unread(None, 10)), (0, 0));
        assert_eq!(with(Range::new(3, Some(10))).unread(|_, _| None), 7);
    }

    fn with(range: Range) -> Progress {
        let mut progress = Progress::default();
        progress.add(T, 0, range);
        progress
    }

    fn at(offset: i64, time: i64) -> Record<'static> {
        let timestamp = Some((time, TimestampType::Create));
        Record { offset, timestamp, ..Record::plain("t", None, None) }
    }

    fn takes(progress: &mut Progress, offset: i64) -> bool {
        progress.accept(&at(offset, 0)) == Place::Inside
    }

    #[test]
    fn an_empty_partition_is_done_before_it_begins() {
        let mut progress = Progress::default();
        assert!(!progress.add(T, 0, Range::new(5, Some(5))));
        assert!(progress.is_done());
    }

    #[test]
    fn the_last_record_before_the_end_closes_its_partition() {
        let mut progress = with(Range::new(0, Some(2)));
        assert!(takes(&mut progress, 0) && !progress.is_done());
        assert!(takes(&mut progress, 1) && progress.is_done());
        assert!(!takes(&mut progress, 2), "what came later is not of this read");
    }

    #[test]
    fn an_end_reached_over_markers_closes_without_a_record() {
        let mut progress = with(Range::new(0, Some(4)));
        takes(&mut progress, 1);
        progress.reached(T, 0, 3);
        assert!(!progress.is_done());
        progress.reached(T, 0, 4);
        assert!(progress.is_done());
    }

    #[test]
    fn a_record_past_the_end_closes_and_is_not_of_this_read() {
        let mut progress = with(Range::new(0, Some(4)));
        assert!(!takes(&mut progress, 9) && progress.is_done());
    }

    #[test]
    fn following_never_ends_by_itself() {
        let mut progress = with(Range::new(7, None));
        assert!(takes(&mut progress, 100));
        progress.reached(T, 0, 101);
        assert!(!progress.is_done());
        assert_eq!(progress.open().collect::<Vec<_>>(), [(T, 0, 101)]);
        progress.abandon(T, 0);
        assert!(progress.is_done() && !progress.knows(T, 0));
    }

    #[test]
    fn a_start_by_time_is_the_first_record_at_or_after_it_and_all_that_follow() {
        let mut progress = with(Range { since: 10, ..Range::new(0, None) });
        let inside: Vec<bool> = [9, 10, 3]
            .into_iter()
            .zip(0..)
            .map(|(time, offset)| progress.accept(&at(offset, time)) == Place::Inside)
            .collect();
        assert_eq!(inside, [false, true, true]);
    }

    #[test]
    fn an_end_by_time_is_the_first_record_at_or_after_it() {
        let mut progress = with(Range { before: 10, ..Range::new(0, None) });
        assert_eq!(progress.accept(&at(0, 9)), Place::Inside);
        assert_eq!(progress.accept(&at(1, 10)), Place::Outside);
        assert!(progress.is_done());
        assert_eq!(progress.accept(&at(2, 3)), Place::Outside);
    }

    #[test]
    fn an_end_can_be_given_later() {
        let mut progress = with(Range::new(0, None));
        takes(&mut progress, 4);
        progress.close_at(T, 0, 6);
        assert!(!progress.is_done());
        progress.close_at(T, 0, 5);
        assert!(progress.is_done());
    }
}
