//! Which offsets of a group's partitions may be committed. Records are finished in any order; an
//! offset is given out only when its record and all records before it in the partition are done.
//! Pure: it knows nothing of clients.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Acknowledgement, TopicPartition};

/// Why a record needs no second delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// What it caused is on its topic.
    Acknowledged(Acknowledgement),
    /// It caused nothing on a topic: it was shown, worked on, or passed over for a reason that was
    /// said.
    Handled,
}

/// A record that was handed out and is not done yet. It can be given back once only, and dropping
/// it leaves the record undone: its offset and all after it are never committed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "an offset whose ticket is dropped holds back all after it"]
pub struct Ticket {
    topic: Arc<str>,
    partition: i32,
    offset: i64,
    /// Which assignment of the partition handed it out.
    term: u64,
}

impl Ticket {
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    #[must_use]
    pub fn partition(&self) -> i32 {
        self.partition
    }

    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset
    }
}

/// One assigned partition.
#[derive(Debug)]
struct Slots {
    topic: Arc<str>,
    term: u64,
    /// Handed out and not yet passed by the position, in order; true once done.
    open: VecDeque<(i64, bool)>,
    /// The offset that was handed out last.
    last: Option<i64>,
    /// The first offset that is not done, once anything was.
    position: Option<i64>,
    /// The position that the group has, as far as we gave it.
    committed: Option<i64>,
}

/// The partitions of one member of a group.
#[derive(Debug, Default)]
pub struct Ledger {
    partitions: BTreeMap<TopicPartition, Slots>,
    terms: u64,
    open: usize,
}

impl Ledger {
    /// A partition is ours from now on; what an earlier assignment left open is forgotten.
    pub fn assign(&mut self, partition: &TopicPartition) {
        self.revoke(partition);
        self.terms += 1;
        let slots = Slots::new(partition.topic.as_str().into(), self.terms);
        self.partitions.insert(partition.clone(), slots);
    }

    /// Reading a partition begins at this offset, and the group knows nothing of it: to be committed
    /// before anything is done, so that whoever comes next begins there too.
    pub fn start_at(&mut self, partition: &TopicPartition, offset: i64) {
        if let Some(slots) = self.partitions.get_mut(partition) {
            slots.position.get_or_insert(offset);
        }
    }

    /// A partition is not ours any more.
    pub fn revoke(&mut self, partition: &TopicPartition) {
        if let Some(slots) = self.partitions.remove(partition) {
            self.open -= slots.undone();
        }
    }

    pub fn assigned(&self) -> impl Iterator<Item = &TopicPartition> {
        self.partitions.keys()
    }

    /// A record is handed out; `None` when its partition is not ours.
    ///
    /// An offset that is not after the last one says that the partition was made anew or reading
    /// went back: it starts over, as a fresh assignment would.
    pub fn begin(&mut self, topic: &str, partition: i32, offset: i64) -> Option<Ticket> {
        let slots = self.partitions.get_mut(&TopicPartition::new(topic, partition))?;
        if slots.last.is_some_and(|last| offset <= last) {
            self.open -= slots.undone();
            self.terms += 1;
            *slots = Slots::new(Arc::clone(&slots.topic), self.terms);
        }
        slots.last = Some(offset);
        slots.open.push_back((offset, false));
        self.open += 1;
        Some(Ticket { topic: Arc::clone(&slots.topic), partition, offset, term: slots.term })
    }

    /// A record is done. A ticket of an assignment that has ended changes nothing: its record is
    /// delivered again to whoever has the partition now.
    pub fn finish(&mut self, ticket: Ticket, _why: &Done) {
        let Ticket { topic, partition, offset, term } = ticket;
        let key = TopicPartition::new(&*topic, partition);
        let Some(slots) = self.partitions.get_mut(&key) else { return };
        if slots.term == term && slots.finish(offset) {
            self.open -= 1;
        }
    }

    /// Records that are handed out and not done.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open
    }

    /// Positions that are ahead of what was committed.
    #[must_use]
    pub fn due(&self) -> Vec<(TopicPartition, i64)> {
        self.partitions
            .iter()
            .filter(|(_, slots)| slots.position > slots.committed)
            .filter_map(|(partition, slots)| Some((partition.clone(), slots.position?)))
            .collect()
    }

    /// The group has these positions now.
    pub fn committed(&mut self, positions: &[(TopicPartition, i64)]) {
        for (partition, position) in positions {
            if let Some(slots) = self.partitions.get_mut(partition) {
                slots.committed = slots.committed.max(Some(*position));
            }
        }
    }
}

impl Slots {
    fn new(topic: Arc<str>, term: u64) -> Self {
        Self { topic, term, open: VecDeque::new(), last: None, position: None, committed: None }
    }

    fn undone(&self) -> usize {
        self.open.iter().filter(|(_, done)| !done).count()
    }

    /// Marks an offset and moves the position over what is done. Whether it was open.
    fn finish(&mut self, offset: i64) -> bool {
        let Ok(index) = self.open.binary_search_by_key(&offset, |(offset, _)| *offset) else {
            return false;
        };
        if std::mem::replace(&mut self.open[index].1, true) {
            return false;
        }
        while let Some((offset, true)) = self.open.front() {
            self.position = Some(offset + 1);
            self.open.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> TopicPartition {
        TopicPartition::new("t", 0)
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.assign(&partition());
        ledger
    }

    fn begin(ledger: &mut Ledger, offsets: &[i64]) -> Vec<Ticket> {
        offsets.iter().map(|offset| ledger.begin("t", 0, *offset).unwrap()).collect()
    }

    fn finish(ledger: &mut Ledger, tickets: Vec<Ticket>) {
        for ticket in tickets {
            ledger.finish(ticket, &Done::Handled);
        }
    }

    #[test]
    fn an_offset_waits_for_all_before_it() {
        let mut ledger = ledger();
        let mut tickets = begin(&mut ledger, &[5, 6, 7]);
        let (last, middle, first) =
            (tickets.pop().unwrap(), tickets.pop().unwrap(), tickets.pop().unwrap());
        finish(&mut ledger, vec![middle]);
        assert_eq!(ledger.due(), []);
        finish(&mut ledger, vec![first]);
        assert_eq!(ledger.due(), [(partition(), 7)]);
        assert_eq!(ledger.open(), 1);
        finish(&mut ledger, vec![last]);
        assert_eq!(ledger.due(), [(partition(), 8)]);
        assert_eq!(ledger.open(), 0);
    }

    #[test]
    fn a_start_that_the_group_does_not_know_is_due_before_anything_is_done() {
        let mut ledger = ledger();
        ledger.start_at(&partition(), 5);
        assert_eq!(ledger.due(), [(partition(), 5)]);
        ledger.committed(&[(partition(), 5)]);
        assert_eq!(ledger.due(), []);
        let tickets = begin(&mut ledger, &[5]);
        finish(&mut ledger, tickets);
        assert_eq!(ledger.due(), [(partition(), 6)]);
    }

    #[test]
    fn gaps_of_compaction_hold_nothing_back() {
        let mut ledger = ledger();
        let tickets = begin(&mut ledger, &[0, 4, 90]);
        finish(&mut ledger, tickets);
        assert_eq!(ledger.due(), [(partition(), 91)]);
    }

    #[test]
    fn a_dropped_ticket_holds_back_what_follows() {
        let mut ledger = ledger();
        let mut tickets = begin(&mut ledger, &[0, 1, 2]);
        drop(tickets.remove(1));
        finish(&mut ledger, tickets);
        assert_eq!(ledger.due(), [(partition(), 1)]);
    }

    #[test]
    fn what_was_committed_is_not_due_again() {
        let mut ledger = ledger();
        let tickets = begin(&mut ledger, &[0]);
        finish(&mut ledger, tickets);
        let due = ledger.due();
        ledger.committed(&due);
        assert_eq!(ledger.due(), []);
        ledger.committed(&[(partition(), 0)]);
        assert_eq!(ledger.due(), [], "a late report of an older commit takes nothing back");
    }

    #[test]
    fn a_ticket_of_an_earlier_assignment_finishes_nothing() {
        let mut ledger = ledger();
        let old = begin(&mut ledger, &[0]);
        ledger.revoke(&partition());
        assert_eq!(ledger.open(), 0);
        ledger.assign(&partition());
        let new = begin(&mut ledger, &[0]);
        finish(&mut ledger, old);
        assert_eq!((ledger.due(), ledger.open()), (vec![], 1));
        finish(&mut ledger, new);
        assert_eq!(ledger.due(), [(partition(), 1)]);
    }

    #[test]
    fn a_partition_that_starts_anew_is_counted_anew() {
        let mut ledger = ledger();
        let old = begin(&mut ledger, &[500, 501]);
        let new = begin(&mut ledger, &[0]);
        assert_eq!(ledger.open(), 1);
        finish(&mut ledger, old);
        assert_eq!(ledger.due(), []);
        finish(&mut ledger, new);
        assert_eq!(ledger.due(), [(partition(), 1)]);
    }

    #[test]
    fn records_of_a_partition_that_is_not_ours_are_not_handed_out() {
        assert_eq!(ledger().begin("t", 1, 0), None);
    }
}
