//! The records that are being worked on, from the moment they are taken to the moment nothing more is
//! owed for them: routed, looked up, triggered or set aside. It knows no group; who owns it gives the
//! tickets back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::lanes::Lanes;
use super::lookup::{Answer, Found, Lookups, Missed};
use super::retry::{Backoff, Gate, Pass, Verdict};
use super::route::{Decision, Wanted};
use super::sender::{Letter, Posted, Sender};
use super::source::Kept;
use super::trigger::Outbound;
use super::{ForwardNotice, ForwardPlan, ForwardReporter, dead_letter};
use crate::base::{Deadline, Failure, Kind};
use crate::kafka::{Done, Ticket};

/// Reports and answers are waited for in turns of this length.
const TURN: Duration = Duration::from_millis(1);

/// Why a model without a dataset causes nothing.
const NO_DATASET: &str = "it names no dataset to explain it on";

/// A record that is being worked on.
struct Item {
    source: Kept,
    ticket: Ticket,
    stage: Stage,
}

/// How far it is.
enum Stage {
    /// What it is about is looked up, now or later.
    Finding { wanted: Wanted, backoff: Backoff },
    /// Its trigger waits for its turn or for its acknowledgement.
    Sending { event_type: &'static str },
    /// The dead letter is on its way.
    SettingAside { reason: String },
}

/// What was done since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub records: u64,
    pub triggers: u64,
    pub set_aside: u64,
}

pub(super) struct Desk<'a> {
    plan: &'a ForwardPlan,
    reporter: &'a dyn ForwardReporter,
    lookups: Lookups,
    answers: Receiver<Answer>,
    sender: Sender,
    deadline: Deadline,
    items: HashMap<u64, Item>,
    next: u64,
    bytes: usize,
    lanes: Lanes<Outbound>,
    /// Records that are to be looked up, in order.
    waiting: VecDeque<u64>,
    /// Records that are looked up again, by time.
    again: BinaryHeap<Reverse<(Instant, u64)>>,
    looking: usize,
    /// Look-ups that succeeded.
    found: u64,
    gate: Gate,
    done: Vec<(Ticket, Done)>,
    tally: Tally,
}

impl<'a> Desk<'a> {
    pub fn new(
        plan: &'a ForwardPlan,
        reporter: &'a dyn ForwardReporter,
        lookups: Lookups,
        answers: Receiver<Answer>,
        sender: Sender,
        deadline: Deadline,
    ) -> Self {
        Self {
            plan,
            reporter,
            lookups,
            answers,
            sender,
            deadline,
            items: HashMap::new(),
            next: 0,
            bytes: 0,
            lanes: Lanes::default(),
            waiting: VecDeque::new(),
            again: BinaryHeap::new(),
            looking: 0,
            found: 0,
            gate: Gate::default(),
            done: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Records that are being worked on.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of their keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether nothing moves until the API is back.
    pub fn is_stuck(&self) -> bool {
        self.gate.is_closed() && !self.sender.is_busy()
    }

    /// The records for which nothing more is owed.
    pub fn take_done(&mut self) -> std::vec::Drain<'_, (Ticket, Done)> {
        self.done.drain(..)
    }

    /// Begins to work on a record.
    pub fn take(&mut self, source: Kept, ticket: Ticket) {
        let number = self.next;
        self.next += 1;
        match self.plan.route.decide(&source, &self.plan.terms) {
            Decision::Find(Wanted::Model { dataset: None, .. })
                if self.plan.download_dir.is_none() =>
            {
                self.pass_by(&source, ticket, NO_DATASET);
            }
            Decision::Find(wanted) => {
                self.lanes.join(&wanted.lane(), number);
                let stage = Stage::Finding { wanted, backoff: Backoff::new(number) };
                self.waiting.push_back(number);
                self.keep(number, Item { source, ticket, stage });
            }
            Decision::Send { lane, trigger } => {
                self.lanes.join(&lane, number);
                let stage = Stage::Sending { event_type: trigger.event_type };
                self.keep(number, Item { source, ticket, stage });
                let leaving = self.lanes.ready(number, trigger);
                self.post(leaving);
            }
            Decision::Ignore(reason) => self.pass_by(&source, ticket, &reason),
            Decision::Poison(reason) => self.set_aside(number, source, ticket, reason),
        }
    }

    fn keep(&mut self, number: u64, item: Item) {
        self.bytes += item.source.size();
        self.items.insert(number, item);
    }

    fn remove(&mut self, number: u64) -> Option<Item> {
        let item = self.items.remove(&number)?;
        self.bytes -= item.source.size();
        Some(item)
    }

    fn finish(&mut self, ticket: Ticket, why: Done) {
        self.tally.records += 1;
        self.done.push((ticket, why));
    }

    fn pass_by(&mut self, source: &Kept, ticket: Ticket, reason: &str) {
        self.reporter.notice(&ForwardNotice::PassedBy { source: &source.place, reason });
        self.finish(ticket, Done::Handled);
    }

    fn set_aside(&mut self, number: u64, source: Kept, ticket: Ticket, reason: String) {
        let Some(topic) = &self.plan.dead_letter else {
            let notice =
                ForwardNotice::Poison { source: &source.place, reason: &reason, kept: None };
            self.reporter.notice(&notice);
            self.tally.set_aside += 1;
            return self.finish(ticket, Done::Handled);
        };
        let letter = Letter {
            topic: topic.clone(),
            key: source.key.clone(),
            value: source.value.clone(),
            headers: dead_letter::headers(&source, &reason),
        };
        self.sender.post(number, letter);
        self.keep(number, Item { source, ticket, stage: Stage::SettingAside { reason } });
    }

    /// Goes on with everything, waiting a moment where only others can go on.
    ///
    /// # Errors
    /// What repeating cannot mend: a permission is missing, or the address is not that of the API.
    pub fn turn(&mut self, may_wait: bool) -> Result<(), Failure> {
        let now = Instant::now();
        self.start_lookups(now);
        let wait = if may_wait && self.done.is_empty() { TURN } else { Duration::ZERO };
        if self.looking > 0 {
            self.take_answers(wait)?;
            self.take_reports(Duration::ZERO)?;
        } else {
            let wait = if self.sender.awaits_reports() { wait } else { Duration::ZERO };
            self.take_reports(wait)?;
        }
        if let Some(reason) = self.sender.trouble(now) {
            self.reporter.notice(&ForwardNotice::SendingAgain { reason: &reason });
        }
        Ok(())
    }

    /// Whether a turn has something to wait for.
    pub fn is_moving(&self) -> bool {
        self.looking > 0 || self.sender.awaits_reports()
    }

    fn start_lookups(&mut self, now: Instant) {
        while let Some(Reverse((at, number))) = self.again.peek().copied() {
            if at > now {
                break;
            }
            self.again.pop();
            self.waiting.push_front(number);
        }
        while self.looking < self.plan.lookups {
            let Some(number) = self.waiting.front().copied() else { return };
            let Some(Item { stage: Stage::Finding { wanted, .. }, .. }) = self.items.get(&number)
            else {
                // It was left meanwhile.
                self.waiting.pop_front();
                continue;
            };
            if self.gate.pass(now) != Pass::Go {
                return;
            }
            self.lookups.start(number, wanted, self.deadline);
            self.waiting.pop_front();
            self.looking += 1;
        }
    }

    fn take_answers(&mut self, wait: Duration) -> Result<(), Failure> {
        let mut next = match self.answers.recv_timeout(wait) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::new(Kind::Internal, "nobody makes look-ups any more"));
            }
        };
        while let Some((number, outcome)) = next {
            self.looking -= 1;
            match outcome {
                Ok(found) => self.take_found(number, &found)?,
                Err(missed) => self.take_missed(number, *missed)?,
            }
            next = self.answers.try_recv().ok();
        }
        Ok(())
    }

    fn answered(&mut self) {
        if let Some(after) = self.gate.open(Instant::now()) {
            self.reporter.notice(&ForwardNotice::ApiBack { after });
        }
    }

    fn take_found(&mut self, number: u64, found: &Found) -> Result<(), Failure> {
        self.found += 1;
        self.answered();
        let Some(item) = self.items.get_mut(&number) else { return Ok(()) };
        let Stage::Finding { wanted, .. } = &item.stage else { return Ok(()) };
        if let Some(path) = &found.files {
            let source = &item.source.place;
            self.reporter.notice(&ForwardNotice::Downloaded { source, path });
        }
        let trigger = wanted
            .trigger(&found.record, &item.source, &self.plan.terms)
            .map_err(|error| Failure::wrap(Kind::Internal, error))?;
        let Some(trigger) = trigger else {
            let leaving = self.lanes.leave(number);
            self.post(leaving);
            if let Some(item) = self.remove(number) {
                self.pass_by(&item.source, item.ticket, NO_DATASET);
            }
            return Ok(());
        };
        item.stage = Stage::Sending { event_type: trigger.event_type };
        let leaving = self.lanes.ready(number, trigger);
        self.post(leaving);
        Ok(())
    }

    fn post(&mut self, leaving: Vec<(u64, Outbound)>) {
        for (number, trigger) in leaving {
            let letter = Letter {
                topic: trigger.topic,
                key: Some(trigger.key.into_bytes().into()),
                value: Some(trigger.value.into_bytes().into()),
                headers: Vec::new(),
            };
            self.sender.post(number, letter);
        }
    }

    fn take_missed(&mut self, number: u64, missed: Missed) -> Result<(), Failure> {
        let Missed { verdict, failure } = missed;
        let now = Instant::now();
        match verdict {
            Verdict::Again(asked) => {
                if self.gate.close(asked, now) {
                    let reason = failure.to_string();
                    self.reporter.notice(&ForwardNotice::ApiAway { reason: &reason });
                }
                self.waiting.push_front(number);
            }
            Verdict::AgainUnlessAlone => {
                self.answered();
                self.repeat(number, &failure.to_string(), now);
            }
            Verdict::Poison => {
                self.answered();
                self.give_up(number, failure.to_string());
            }
            Verdict::Stop => return Err(failure),
        }
        Ok(())
    }

    /// Looks up again some time later what a record is about, unless it alone fails again and again.
    fn repeat(&mut self, number: u64, reason: &str, now: Instant) {
        let Some(item) = self.items.get_mut(&number) else { return };
        let Stage::Finding { backoff, .. } = &mut item.stage else { return };
        if backoff.is_alone(self.found) {
            return self.give_up(number, reason.to_owned());
        }
        let pause = backoff.pause(None);
        let source = &item.source.place;
        self.reporter.notice(&ForwardNotice::Again { source, reason, pause });
        self.again.push(Reverse((now + pause, number)));
    }

    fn give_up(&mut self, number: u64, reason: String) {
        let leaving = self.lanes.leave(number);
        self.post(leaving);
        if let Some(Item { source, ticket, .. }) = self.remove(number) {
            self.set_aside(number, source, ticket, reason);
        }
    }

    fn take_reports(&mut self, wait: Duration) -> Result<(), Failure> {
        for (number, posted) in self.sender.turn(wait, Instant::now()) {
            let Some(Item { source, ticket, stage }) = self.remove(number) else { continue };
            match (posted, stage) {
                (Posted::Yes(place), Stage::Sending { event_type }) => {
                    let source = &source.place;
                    let notice = ForwardNotice::Triggered { source, event_type, place: &place };
                    self.reporter.notice(&notice);
                    self.tally.triggers += 1;
                    self.finish(ticket, Done::Acknowledged(place));
                }
                (Posted::Yes(place), Stage::SettingAside { reason }) => {
                    let (source, reason) = (&source.place, reason.as_str());
                    let notice = ForwardNotice::Poison { source, reason, kept: Some(&place) };
                    self.reporter.notice(&notice);
                    self.tally.set_aside += 1;
                    self.finish(ticket, Done::Acknowledged(place));
                }
                (Posted::Refused(error), Stage::Sending { .. }) => {
                    self.set_aside(number, source, ticket, error.to_string());
                }
                (Posted::Refused(error) | Posted::Stop(error), _) => {
                    return Err(Failure::from(error)
                        .context(format!("failed to go on after {}", source.place)));
                }
                (Posted::Yes(_), Stage::Finding { .. }) => {}
            }
        }
        Ok(())
    }

    /// Leaves records to whoever reads their partitions next; nothing more is sent for them. How
    /// many there were.
    pub fn leave(&mut self, is_left: impl Fn(&Kept) -> bool) -> usize {
        let left: Vec<u64> = self
            .items
            .iter()
            .filter(|(_, item)| is_left(&item.source))
            .map(|(number, _)| *number)
            .collect();
        for number in &left {
            // Dropping the ticket leaves the record undone.
            drop(self.remove(*number));
        }
        let items = &self.items;
        self.sender.forget(|number| !items.contains_key(&number));
        for number in &left {
            let leaving = self.lanes.leave(*number);
            let still_ours =
                leaving.into_iter().filter(|(other, _)| self.items.contains_key(other));
            let still_ours = still_ours.collect();
            self.post(still_ours);
        }
        left.len()
    }
}
