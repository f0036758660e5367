//! Where a read begins and ends: names become topics, positions become offsets, in one batch of
//! questions for all partitions.

use super::engine::Engine;
use super::progress::Range;
use super::target::{refusal, refuse_vain_wait, resolve};
use super::{BeyondEnd, Cursor, Notice, Position, Source, Stop, Target};
use crate::base::Failure;
use crate::kafka::{Bounds, KafkaError, TopicId, TopicPartition};

/// A partition that is to be read.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub topic: TopicId,
    pub place: TopicPartition,
}

/// A position, looked up in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    At(i64),
    /// No offset is known for this time: records are to be compared with it.
    ByTime(i64),
    /// No record is as young as this time yet.
    ToCome(i64),
    /// The position names other partitions only.
    Elsewhere,
}

impl Engine<'_> {
    /// Resolves topics and starts their partitions. A reason to stop, where there is one already.
    pub fn begin(&mut self) -> Result<Option<Stop>, Failure> {
        if self.start_at_once()? {
            let starts = self.starts();
            self.sink.fixed(&starts)?;
            return Ok(None);
        }
        let mut said = false;
        loop {
            let cluster = match self.session.cluster(self.deadline) {
                Ok(cluster) => cluster,
                // The cluster has answered before; it is only the time that is over.
                Err(_) if said && self.deadline.has_passed() => return Ok(Some(Stop::Deadline)),
                Err(error) => return Err(error.into()),
            };
            let resolved = resolve(&self.plan.sources, &cluster);
            if said && resolved.targets.is_empty() && self.is_closing_time() {
                // To the end of the time that was asked for there was nothing to read.
                return Ok(Some(Stop::End));
            }
            let live = !self.plan.is_bounded();
            if let Some(source) =
                resolved.missing.iter().find(|source| !(live && source.may_come()))
            {
                // A bounded read of several roles is content with those that exist.
                if !source.may_come() || resolved.targets.is_empty() {
                    return Err(refusal(source, &self.session, &cluster, self.deadline).into());
                }
            }
            if !resolved.targets.is_empty() {
                let wanted = self.wanted(&resolved.targets)?;
                // What came into being while it was waited for is read from its first record.
                let from = if said { &Position::Beginning } else { &self.plan.from };
                self.start(&wanted, from)?;
                if !said {
                    let starts = self.starts();
                    self.sink.fixed(&starts)?;
                }
                return Ok(None);
            }
            if !said {
                said = true;
                let topics = self.candidate_names();
                refuse_vain_wait(&resolved.missing, &self.session, &cluster, self.deadline)?;
                self.sink.notice(&Notice::WaitingForTopic { topics });
                // All of a topic that comes into being from now on is read.
                self.sink.fixed(&Cursor::default())?;
            }
            if let Some(stop) = self.pause()? {
                return Ok(Some(stop));
            }
        }
    }

    /// Starts the read of one topic of which one end of each partition is all that is to be known.
    /// Says whether it could.
    fn start_at_once(&mut self) -> Result<bool, KafkaError> {
        let plan = self.plan;
        let ([source], None, Some(edge)) = (&plan.sources[..], &plan.until, plan.from.edge())
        else {
            return Ok(false);
        };
        let Some(name) = source.only_topic() else { return Ok(false) };
        // Before the question: of a topic that the client knows it asks the first broker that it
        // meets, and the leaders nothing but that.
        let topic = self.reader.topic(name)?;
        let Some(edges) = self.session.edges_of(name, edge, self.deadline)? else {
            return Ok(false);
        };
        let is_there = |id: &i32| edges.iter().any(|(known, _)| known == id);
        if !plan.partitions.iter().all(is_there) {
            return Ok(false);
        }
        self.sink.topic(topic, name, source.role_of(name));
        for (id, offset) in edges {
            if plan.reads(id) {
                let one = Wanted { topic, place: TopicPartition::new(name, id) };
                self.read_partition(&one, Range::new(offset, None))?;
            }
        }
        Ok(true)
    }

    /// Where each partition is read from.
    fn starts(&self) -> Cursor {
        let mut starts = Cursor::default();
        for (topic, partition, next) in self.progress.open() {
            starts.set(TopicPartition::new(self.reader.name(topic), partition), next);
        }
        starts
    }

    pub fn candidate_names(&self) -> Vec<String> {
        self.plan.sources.iter().flat_map(Source::candidates).map(str::to_owned).collect()
    }

    /// The partitions of topics that were asked for; introduces the topics to the sink.
    ///
    /// # Errors
    /// A partition was asked for that a topic does not have.
    pub fn wanted(&mut self, targets: &[Target]) -> Result<Vec<Wanted>, KafkaError> {
        let mut found = Vec::new();
        for target in targets {
            let name = &target.topic.name;
            let ids: Vec<i32> =
                target.topic.partitions.iter().map(|partition| partition.id).collect();
            if let Some(&missing) = self.plan.partitions.iter().find(|id| !ids.contains(id)) {
                return Err(KafkaError::UnknownPartition {
                    topic: name.clone(),
                    partition: missing,
                    count: ids.len(),
                });
            }
            let topic = self.reader.topic(name)?;
            self.sink.topic(topic, name, target.role);
            let wanted = ids.into_iter().filter(|id| self.plan.reads(*id));
            found.extend(
                wanted.map(|id| Wanted { topic, place: TopicPartition::new(name.as_str(), id) }),
            );
        }
        Ok(found)
    }

    /// Looks positions up in one batch and starts every partition that has something to read.
    pub fn start(&mut self, wanted: &[Wanted], from: &Position) -> Result<(), KafkaError> {
        let places: Vec<TopicPartition> = wanted.iter().map(|one| one.place.clone()).collect();
        if let (None, Some(edge)) = (&self.plan.until, from.edge()) {
            // The other end would change nothing, and cost a short read a question.
            let offsets = self.session.edges(&places, edge, self.deadline)?;
            for (one, offset) in wanted.iter().zip(offsets) {
                self.read_partition(one, Range::new(offset, None))?;
            }
            return Ok(());
        }
        let bounds = self.session.bounds(&places, self.deadline)?;
        let starts = self.look_up(&places, &bounds, from)?;
        let ends = match &self.plan.until {
            Some(until) => Some(self.look_up(&places, &bounds, until)?),
            None => None,
        };
        let mut beyond = Vec::new();
        for (index, one) in wanted.iter().enumerate() {
            let end = ends.as_ref().map(|ends| ends[index]);
            let Some(range) = range(bounds[index], starts[index], end) else { continue };
            self.say_bounds(one, bounds[index], from, range);
            beyond.extend(beyond_end(one, bounds[index], range));
            self.read_partition(one, range)?;
        }
        if !beyond.is_empty() {
            self.sink.notice(&Notice::StartsBeyondEnd { places: beyond });
        }
        Ok(())
    }

    /// Starts a partition, unless there is nothing in it to read.
    fn read_partition(&mut self, one: &Wanted, range: Range) -> Result<(), KafkaError> {
        let partition = one.place.partition;
        if self.progress.add(one.topic, partition, range) {
            self.reader.start(one.topic, partition, range.next)?;
        }
        Ok(())
    }

    /// What of the bounds a person may not have meant.
    fn say_bounds(&mut self, one: &Wanted, bounds: Bounds, from: &Position, range: Range) {
        let (topic, partition) = (one.place.topic.as_str(), one.place.partition);
        let asked = offset_of(from, &one.place, bounds);
        if let (Position::Offset(_) | Position::Each(_), Some(offset)) = (from, asked)
            && offset < bounds.low
        {
            let resumed = bounds.low;
            self.sink.notice(&Notice::OffsetGone { topic, partition, offset, resumed });
        }
        if let Some(offset) = range.end.filter(|end| *end > bounds.high) {
            let end = bounds.high;
            self.sink.notice(&Notice::WaitingForOffset { topic, partition, offset, end });
        }
    }

    fn look_up(
        &self,
        places: &[TopicPartition],
        bounds: &[Bounds],
        position: &Position,
    ) -> Result<Vec<Found>, KafkaError> {
        let Position::Time(millis) = *position else {
            return Ok(places
                .iter()
                .zip(bounds)
                .map(|(place, bounds)| {
                    offset_of(position, place, *bounds).map_or(Found::Elsewhere, Found::At)
                })
                .collect());
        };
        let offsets = self.session.offsets_at(places, millis, self.deadline)?;
        // A broker without an index of times does not even know the oldest record.
        let open: Vec<TopicPartition> = places
            .iter()
            .zip(bounds)
            .zip(&offsets)
            .filter(|((_, bounds), offset)| offset.is_none() && bounds.high > bounds.low)
            .map(|((place, _), _)| place.clone())
            .collect();
        let mut oldest = self.session.offsets_at(&open, 0, self.deadline)?.into_iter();
        let is_to_come = millis > self.plan.clock.now().millis();
        Ok(bounds
            .iter()
            .zip(offsets)
            .map(|(bounds, offset)| match offset {
                Some(offset) => Found::At(offset),
                None if bounds.high > bounds.low && oldest.next() == Some(None) && !is_to_come => {
                    Found::ByTime(millis)
                }
                None if is_to_come => Found::ToCome(millis),
                None => Found::At(bounds.high),
            })
            .collect())
    }
}

/// A start behind the end of its partition, where nothing is to be read yet.
fn beyond_end(one: &Wanted, bounds: Bounds, range: Range) -> Option<BeyondEnd> {
    let Bounds { high: end, .. } = bounds;
    (range.first > end).then(|| BeyondEnd { place: one.place.clone(), offset: range.first, end })
}

/// The offset of a position in a partition, not yet kept inside its bounds. `None` where the
/// position names other partitions only, and for times, which only a broker can tell.
fn offset_of(position: &Position, place: &TopicPartition, bounds: Bounds) -> Option<i64> {
    let Bounds { low, high } = bounds;
    Some(match position {
        Position::Beginning => low,
        Position::End => high,
        Position::Offset(offset) => *offset,
        Position::BeforeEnd(count) => high.saturating_sub(*count),
        Position::AfterBeginning(count) => low.saturating_add(*count),
        Position::Each(pairs) => {
            pairs.iter().find(|(id, _)| *id == place.partition).map(|(_, offset)| *offset)?
        }
        // A place beyond the end is one of an earlier topic of this name.
        Position::After(cursor) => cursor.next(place).filter(|next| *next <= high).unwrap_or(low),
        Position::Time(_) => return None,
    })
}

/// What of a partition is read; `None` where start or end name other partitions.
fn range(bounds: Bounds, start: Found, end: Option<Found>) -> Option<Range> {
    let Bounds { low, high } = bounds;
    let mut range = match start {
        Found::At(offset) => Range { first: offset, ..Range::new(offset.clamp(low, high), None) },
        Found::ByTime(millis) => Range { since: millis, ..Range::new(low, None) },
        // What comes before that time is not meant either.
        Found::ToCome(millis) => Range { since: millis, ..Range::new(high, None) },
        Found::Elsewhere => return None,
    };
    match end {
        None => {}
        Some(Found::At(offset)) => range.end = Some(offset),
        Some(Found::ByTime(millis)) => (range.end, range.before) = (Some(high), millis),
        Some(Found::ToCome(millis)) => range.before = millis,
        Some(Found::Elsewhere) => return None,
    }
    Some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { low: 10, high: 20 };

    fn next(position: &Position) -> Option<i64> {
        let found = offset_of(position, &TopicPartition::new("t", 0), BOUNDS)
            .map_or(Found::Elsewhere, Found::At);
        range(BOUNDS, found, None).map(|range| range.next)
    }

    #[test]
    fn a_start_is_kept_inside_the_bounds() {
        for (position, offset) in [
            (Position::Beginning, 10),
            (Position::End, 20),
            (Position::Offset(3), 10),
            (Position::Offset(15), 15),
            (Position::Offset(25), 20),
            (Position::BeforeEnd(3), 17),
            (Position::BeforeEnd(99), 10),
            (Position::AfterBeginning(4), 14),
            (Position::Each(vec![(1, 9), (0, 12)]), 12),
            (Position::After("t[0]@13,t[1]@3".parse().unwrap()), 14),
            (Position::After("t[0]@20".parse().unwrap()), 10),
            (Position::After("other[0]@13".parse().unwrap()), 10),
        ] {
            assert_eq!(next(&position), Some(offset), "{position:?}");
        }
        assert_eq!(next(&Position::Each(vec![(1, 11)])), None);
    }

    #[test]
    fn a_start_past_the_end_waits_for_its_own_offset() {
        let range = range(BOUNDS, Found::At(25), None).unwrap();
        assert_eq!((range.next, range.first), (20, 25));
    }

    #[test]
    fn times_that_no_index_knows_are_compared() {
        let by_time = range(BOUNDS, Found::ByTime(5), Some(Found::ByTime(9))).unwrap();
        assert_eq!(by_time, Range { since: 5, before: 9, ..Range::new(10, Some(20)) });
        let to_come = range(BOUNDS, Found::At(10), Some(Found::ToCome(9))).unwrap();
        assert_eq!(to_come, Range { before: 9, ..Range::new(10, None) });
    }

    #[test]
    fn an_end_names_the_partitions_that_are_read_too() {
        assert_eq!(range(BOUNDS, Found::At(10), Some(Found::Elsewhere)), None);
        assert_eq!(range(BOUNDS, Found::At(10), Some(Found::At(90))).unwrap().end, Some(90));
    }
}
