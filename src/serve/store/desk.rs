//! Where the writer's jobs are done: groups, their transactions, and how long to wait for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Notify;

use super::job::{Failed, Job, Promise};

/// The most jobs of one commit: enough to share the cost of a sync, few enough to answer soon.
const GROUP: usize = 128;
/// The longest that a group waits for more.
const LONGEST_WAIT: Duration = Duration::from_millis(1);

/// Where jobs are done.
pub(super) struct Desk {
    connection: Connection,
    queue: Receiver<Box<dyn Job>>,
    outbox_grew: Arc<Notify>,
    group: Vec<Box<dyn Job>>,
    pace: Pace,
    /// What the connection's commits survive now.
    level: Option<Promise>,
    /// The last id of the outbox.
    last_event: i64,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("waiting", &self.group.len()).finish_non_exhaustive()
    }
}

impl Desk {
    pub fn new(
        connection: Connection,
        queue: Receiver<Box<dyn Job>>,
        outbox_grew: Arc<Notify>,
    ) -> Self {
        let last_event = last_event(&connection).unwrap_or(0);
        let (group, pace, level) = (Vec::new(), Pace::default(), None);
        Self { connection, queue, outbox_grew, group, pace, level, last_event }
    }

    /// Whether somebody is there whose work is not done yet.
    pub fn has_group(&self) -> bool {
        !self.group.is_empty()
    }

    /// Lets go of everybody unanswered.
    pub fn clear(&mut self) {
        self.group.clear();
        self.queue.try_iter().for_each(drop);
    }

    /// Takes what waits, as far as the group has room; `pending` counts what is not taken.
    pub fn take(&mut self, pending: &AtomicUsize) {
        let before = self.group.len();
        self.group.extend(self.queue.try_iter().take(GROUP.saturating_sub(before)));
        pending.fetch_sub(self.group.len() - before, Ordering::SeqCst);
    }

    /// Fills the group, and waits for those who are likely to come. False when nobody is there.
    pub fn gather(&mut self, pending: &AtomicUsize) -> bool {
        self.take(pending);
        if self.group.is_empty() {
            return false;
        }
        let end = Instant::now() + self.pace.patience;
        while !self.pace.is_of_one() && self.group.len() < self.pace.expected.min(GROUP) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(job) = self.queue.recv_timeout(left) else { break };
            self.group.push(job);
            pending.fetch_sub(1, Ordering::SeqCst);
            self.take(pending);
        }
        true
    }

    /// Does the group's work, commits it and answers. Whoever came meanwhile is the next group. Gives
    /// how long it took where whoever comes next is likely to be alone.
    pub fn commit(&mut self, pending: &AtomicUsize) -> Option<Duration> {
        if self.group.is_empty() {
            return None;
        }
        let began = Instant::now();
        let commit = run_group(&self.connection, &mut self.group, &mut self.level);
        let has_grown = match &commit {
            Ok(last) => std::mem::replace(&mut self.last_event, *last) != *last,
            Err(_) => {
                // Otherwise the next BEGIN would find the failed transaction still open.
                let _ = self.connection.execute_batch("ROLLBACK");
                false
            }
        };
        let commit = commit.map(drop);
        let took = began.elapsed();
        // Whoever is here before the answers go out is not one of those who are answered.
        let answered = std::mem::take(&mut self.group);
        self.take(pending);
        self.pace = Pace::after(&answered, &self.group, took);
        for job in answered {
            job.answer(commit.as_ref().copied());
        }
        // Last: clients wait for their answers, and nobody for the publisher.
        if has_grown {
            self.outbox_grew.notify_one();
        }
        (self.pace.is_of_one() && self.group.is_empty()).then_some(took)
    }
}

/// How many are likely to come soon, and how long it is worth to wait for them: the clients that
/// were just answered ask again, and without a wait each of two halves would pay for its own sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pace {
    expected: usize,
    patience: Duration,
}

impl Pace {
    fn after(answered: &[Box<dyn Job>], next: &[Box<dyn Job>], commit: Duration) -> Self {
        let durable = |jobs: &[Box<dyn Job>]| {
            jobs.iter().filter(|job| job.promise() == Promise::Durable).count()
        };
        Self {
            expected: (durable(answered) + durable(next)).min(GROUP),
            patience: (commit / 4).min(LONGEST_WAIT),
        }
    }

    /// Nobody else is there: who waited would wait for himself.
    fn is_of_one(self) -> bool {
        self.expected <= 1
    }
}

/// The last id of the outbox: cheap, because it is the end of the table's tree.
fn last_event(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM outbox")?
        .query_row([], |row| row.get(0))
}

/// `level` is what the connection's commits survive now. Gives the last id of the outbox, asked for
/// inside the transaction, where it costs no locks of its own.
fn run_group(
    connection: &Connection,
    group: &mut [Box<dyn Job>],
    level: &mut Option<Promise>,
) -> Result<i64, Failed> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(drop);
    let is_durable = group.iter().any(|job| job.promise() == Promise::Durable);
    let wanted = if is_durable { Promise::Durable } else { Promise::Repeatable };
    if *level != Some(wanted) {
        connection.execute_batch(match wanted {
            Promise::Durable => "PRAGMA synchronous = FULL",
            Promise::Repeatable => "PRAGMA synchronous = NORMAL",
        })?;
        *level = Some(wanted);
    }
    execute("BEGIN IMMEDIATE")?;
    // What a savepoint holds is copied before it is changed; one job has the transaction to itself.
    let is_alone = group.len() == 1;
    for job in group {
        if !is_alone {
            execute("SAVEPOINT job")?;
        }
        let is_done = job.run(connection);
        if connection.is_autocommit() {
            // SQLite itself takes everything back on a full disk, the other jobs' changes too.
            let reason = "the database took everything back".to_owned();
            return Err(Failed { is_full: job.found_no_space(), reason });
        }
        if is_alone {
            if !is_done {
                execute("ROLLBACK")?;
                return Ok(last_event(connection)?);
            }
        } else {
            if !is_done {
                execute("ROLLBACK TO job")?;
            }
            execute("RELEASE job")?;
        }
    }
    let last_event = last_event(connection)?;
    execute("COMMIT")?;
    Ok(last_event)
}
