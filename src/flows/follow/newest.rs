//! The newest records. How many offsets hold them nobody knows before reading: transaction markers,
//! compaction and filters leave gaps. So a window before the end is read, and doubled backwards
//! where it held too few, until there are enough or the beginning is reached.

use std::cell::RefCell;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::engine::Engine;
use super::progress::{Progress, Range};
use super::start::Wanted;
use super::target::{refusal, resolve};
use super::{FollowPlan, Newest, Notice, Outcome, RecordSink, Stop, StopRules, Taken};
use crate::base::{Deadline, Failure, Shutdown};
use crate::kafka::{OwnedRecord, Record, Session, TopicId};
use crate::schema::role::Role;

/// The least offsets that a second look reaches back.
const LEAST: i64 = 64;

pub(super) fn follow_newest(
    session: Arc<Session>,
    plan: &FollowPlan,
    newest: Newest,
    sink: &mut dyn RecordSink,
    shutdown: &Shutdown,
    deadline: Deadline,
) -> Result<Outcome, Failure> {
    // The count holds for what is shown at the end, not for what is looked at.
    let search = FollowPlan { stop: StopRules { count: None, ..plan.stop }, ..plan.clone() };
    let found = RefCell::default();
    let mut kept =
        Kept { newest, most: most(newest), outer: sink, found: &found, heaps: HashMap::new() };
    let mut engine = Engine::new(session, &search, &mut kept, shutdown, deadline)?;
    let stop = find(&mut engine, most(newest), &found)?;
    // What the search has not come to may be newer than what it found.
    let unread = engine.unread();
    engine.reader.leave();
    let mut records: Vec<Ranked> =
        kept.heaps.into_values().flatten().map(|Reverse(ranked)| ranked).collect();
    records.sort();
    let mut counted = 0;
    for Ranked { record, .. } in &records {
        counted += sink.record(&record.borrowed())?.count();
        if plan.stop.count.is_some_and(|count| counted >= count) {
            break;
        }
    }
    sink.dry()?;
    Ok(Outcome { stop, records: counted, unread })
}

fn most(newest: Newest) -> u64 {
    match newest {
        Newest::OfAll(most) | Newest::OfEachPartition(most) => most,
    }
}

/// How many records of each partition were found.
type Found = RefCell<HashMap<(TopicId, i32), u64>>;

/// A partition and how far back it has been read.
struct Window {
    wanted: Wanted,
    low: i64,
    high: i64,
    from: i64,
}

fn find(engine: &mut Engine<'_>, most: u64, found: &Found) -> Result<Stop, Failure> {
    let cluster = engine.session.cluster(engine.deadline)?;
    let resolved = resolve(&engine.plan.sources, &cluster);
    if let Some(source) = resolved.missing.first()
        && (resolved.targets.is_empty() || !source.may_come())
    {
        return Err(refusal(source, &engine.session, &cluster, engine.deadline).into());
    }
    let wanted = engine.wanted(&resolved.targets)?;
    let places: Vec<_> = wanted.iter().map(|one| one.place.clone()).collect();
    let bounds = engine.session.bounds(&places, engine.deadline)?;
    let reach = i64::try_from(most).unwrap_or(i64::MAX);
    let mut windows: Vec<Window> = wanted
        .into_iter()
        .zip(bounds)
        .map(|(wanted, bounds)| {
            let from = bounds.high.saturating_sub(reach).max(bounds.low);
            Window { wanted, low: bounds.low, high: bounds.high, from }
        })
        .collect();
    let mut ends: Vec<i64> = windows.iter().map(|window| window.high).collect();
    loop {
        let stop = read(engine, &windows, &ends)?;
        if stop != Stop::End {
            return Ok(stop);
        }
        let mut is_wider = false;
        for (window, end) in windows.iter_mut().zip(&mut ends) {
            *end = window.from;
            let place = (window.wanted.topic, window.wanted.place.partition);
            let enough = found.borrow().get(&place).is_some_and(|found| *found >= most);
            if !enough && window.from > window.low {
                let reach = ((window.high - window.from) * 2).max(LEAST);
                window.from = window.high.saturating_sub(reach).max(window.low);
                is_wider = true;
            }
        }
        if !is_wider {
            return Ok(Stop::End);
        }
    }
}

/// Reads each window up to its end; those that have nothing new are done before they begin.
fn read(engine: &mut Engine<'_>, windows: &[Window], ends: &[i64]) -> Result<Stop, Failure> {
    engine.progress = Progress::default();
    for (window, end) in windows.iter().zip(ends) {
        let (topic, partition) = (window.wanted.topic, window.wanted.place.partition);
        engine.reader.stop(topic, partition);
        if engine.progress.add(topic, partition, Range::new(window.from, Some(*end))) {
            engine.reader.start(topic, partition, window.from)?;
        }
    }
    engine.run()
}

/// What decides which of two records is newer; then their place, so that the order never depends on
/// which partition answered first.
type Rank = (i64, TopicId, i32, i64);

#[derive(Debug)]
struct Ranked {
    rank: Rank,
    record: OwnedRecord,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

/// Keeps the newest records that pass, and no more.
struct Kept<'s> {
    newest: Newest,
    most: u64,
    outer: &'s mut dyn RecordSink,
    found: &'s Found,
    /// By partition, or all in one.
    heaps: HashMap<(TopicId, i32), BinaryHeap<Reverse<Ranked>>>,
}

impl RecordSink for Kept<'_> {
    fn topic(&mut self, id: TopicId, name: &str, role: Option<Role>) {
        self.outer.topic(id, name, role);
    }

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        let place = (record.topic_id, record.partition);
        *self.found.borrow_mut().entry(place).or_default() += 1;
        let (group, first) = match self.newest {
            Newest::OfAll(_) => {
                let millis = record.timestamp.map_or(i64::MIN, |(millis, _)| millis);
                ((TopicId::default(), 0), millis)
            }
            // Offsets order a partition whatever its timestamps say.
            Newest::OfEachPartition(_) => (place, 0),
        };
        let rank = (first, record.topic_id, record.partition, record.offset);
        let heap = self.heaps.entry(group).or_default();
        if heap.len() as u64 >= self.most {
            if heap.peek().is_some_and(|Reverse(oldest)| oldest.rank >= rank) {
                return Ok(Taken::Skipped);
            }
            heap.pop();
        }
        heap.push(Reverse(Ranked { rank, record: record.to_owned() }));
        Ok(Taken::Skipped)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        self.outer.notice(notice);
    }
}
