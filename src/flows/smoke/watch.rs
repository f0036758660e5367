//! The events of a run, collected while it goes on. One reader watches every topic from where it ends
//! before anything is done, so that nothing from before counts and nothing after is missed; records
//! of others, of which there may be many, are told by one look for the run's own word.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::base::{Deadline, Failure, Kind, Shutdown, Signal};
use crate::flows::follow::{
    Cursor, FollowPlan, Notice, Position, RecordSink, Source, StopRules, Taken, follow,
};
use crate::kafka::{Properties, Record, TopicId};
use crate::schema::document::Document;
use crate::schema::role::Role;

/// How long the brokers may be away before that is the finding.
const MAX_OUTAGE: Duration = Duration::from_secs(5);

/// An event of this run.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub topic: String,
    /// `TOPIC[PARTITION]@OFFSET`.
    pub place: String,
    pub key: String,
    pub event: Document,
    pub at: Instant,
}

impl Seen {
    /// A field, where flat events, triggers and envelopes have it.
    pub fn field(&self, name: &str) -> Option<String> {
        [&[name][..], &["output", name], &["input", name]]
            .into_iter()
            .find_map(|path| self.event.string(path))
            .map(std::borrow::Cow::into_owned)
    }

    /// What it says of a failure.
    pub fn failure(&self) -> Option<String> {
        let failure = self.event.find(&["failure"]).filter(|failure| *failure != b"null")?;
        Some(String::from_utf8_lossy(failure).into_owned())
    }
}

#[derive(Debug, Default)]
struct State {
    /// The ends from which on everything counts, in words.
    ends: Option<String>,
    seen: Vec<Seen>,
    is_over: bool,
}

/// The reader and what it found.
#[derive(Debug)]
pub(super) struct EventWatch {
    state: watch::Receiver<State>,
    failure: Arc<Mutex<Option<Failure>>>,
    stop: Shutdown,
    reader: JoinHandle<()>,
}

impl EventWatch {
    /// Begins to read; [`EventWatch::ends`] says when the ends are fixed.
    pub fn start(
        kafka: &Properties,
        sources: Vec<Source>,
        token: &str,
        deadline: Deadline,
    ) -> Self {
        let (sender, state) = watch::channel(State::default());
        let (stop, failure) = (Shutdown::new(), Arc::new(Mutex::new(None)));
        let plan = FollowPlan {
            stop: StopRules { max_outage: Some(MAX_OUTAGE), ..StopRules::default() },
            ..FollowPlan::new(sources, Position::End)
        };
        let mut sink = Collector { token: token.as_bytes().to_vec(), state: sender };
        let (kafka, stopped, told) = (kafka.clone(), stop.clone(), Arc::clone(&failure));
        let reader = tokio::task::spawn_blocking(move || {
            let outcome = follow(&kafka, &plan, &mut sink, &stopped, deadline);
            *told.lock().unwrap_or_else(PoisonError::into_inner) = outcome.err();
            sink.state.send_modify(|state| state.is_over = true);
        });
        Self { state, failure, stop, reader }
    }

    /// Waits until the ends are fixed, and says them.
    ///
    /// # Errors
    /// The brokers cannot be used, or not in time.
    pub async fn ends(&self, deadline: Deadline) -> Result<String, Failure> {
        self.find(deadline, |state| state.ends.clone()).await?.ok_or_else(|| {
            Failure::new(Kind::Unreachable, "the topics' ends were not told in time")
        })
    }

    /// Waits for an event; `None` when it does not come in time.
    ///
    /// # Errors
    /// The brokers cannot be used any more.
    pub async fn event(
        &self,
        deadline: Deadline,
        is_it: impl Fn(&Seen) -> bool,
    ) -> Result<Option<Seen>, Failure> {
        self.find(deadline, |state| state.seen.iter().find(|seen| is_it(seen)).cloned()).await
    }

    async fn find<T>(
        &self,
        deadline: Deadline,
        look: impl Fn(&State) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let mut receiver = self.state.clone();
        let waiting = receiver.wait_for(|state| state.is_over || look(state).is_some());
        match deadline.remaining() {
            None => drop(waiting.await),
            Some(left) => drop(tokio::time::timeout(left, waiting).await),
        }
        let state = self.state.borrow();
        match look(&state) {
            Some(found) => Ok(Some(found)),
            None if state.is_over => match self.take_failure() {
                Some(failure) => Err(failure),
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// Only one step tells what happened to the reader; the others only lack their events.
    fn take_failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends the reader.
    pub async fn end(self) {
        self.stop.notify(Signal::Terminate);
        // It only reads; a panic in it has said so itself.
        let _ = self.reader.await;
    }
}

/// Keeps what speaks of the run.
struct Collector {
    token: Vec<u8>,
    state: watch::Sender<State>,
}

impl RecordSink for Collector {
    fn topic(&mut self, _: TopicId, _: &str, _: Option<Role>) {}

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        let value = record.value.unwrap_or_default();
        if !value.windows(self.token.len()).any(|part| part == self.token) {
            return Ok(Taken::Skipped);
        }
        // What is no JSON is nobody's event.
        let Ok(event) = Document::parse(value) else { return Ok(Taken::Skipped) };
        let seen = Seen {
            topic: record.topic.to_owned(),
            place: format!("{}[{}]@{}", record.topic, record.partition, record.offset),
            key: String::from_utf8_lossy(record.key.unwrap_or_default()).into_owned(),
            event,
            at: Instant::now(),
        };
        self.state.send_modify(|state| state.seen.push(seen));
        Ok(Taken::Counted)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice<'_>) {}

    fn fixed(&mut self, starts: &Cursor) -> Result<(), Failure> {
        self.state.send_modify(|state| state.ends = Some(starts.to_string()));
        Ok(())
    }
}
