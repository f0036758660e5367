//! The one writer: takes jobs from a channel, puts those that wait into one transaction, commits
//! once, then answers all of them. A job that fails takes back only its own changes. A group in
//! which nobody was promised anything is not synced: its loss would only repeat work.
//!
//! The writer is a desk that one at a time sits at. Mostly that is a thread of its own, which collects
//! what many clients ask for. A client that is alone and whose disk is quick serves itself: to wake
//! the thread, and to be woken by it, would take as long as the commit.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

/// The most jobs of one commit: enough to share the cost of a sync, few enough to answer soon.
const GROUP: usize = 128;
/// The longest that a group waits for more.
const LONGEST_WAIT: Duration = Duration::from_millis(1);
/// The longest that a commit may have taken for the next one to be made on a thread of the runtime,
/// which serves nobody else meanwhile.
const QUICK: Duration = Duration::from_millis(1);

/// Why a read or write of the store did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with the same identity exists.
    #[error("it exists already")]
    Exists,
    #[error("it does not exist")]
    Missing,
    /// An update that would have changed nothing.
    #[error("nothing would change")]
    Unchanged,
    /// No space is left on the disk.
    #[error("no space is left in the data folder")]
    Full,
    #[error("the database failed")]
    Database(#[source] rusqlite::Error),
    #[error("a file failed")]
    File(#[source] io::Error),
    #[error("a stored record cannot be read")]
    Record(#[from] serde_json::Error),
    #[error("the store is closed: {0}")]
    Gone(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::ConstraintViolation) => Self::Exists,
            _ if matches!(error, rusqlite::Error::QueryReturnedNoRows) => Self::Missing,
            _ => Self::Database(error),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::File(error),
        }
    }
}

/// What a commit must survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Power loss: somebody is answered on the strength of it.
    Durable,
    /// The end of this process. After a power loss the work is done again.
    Repeatable,
}

/// How much a job writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// A few rows: no more work than a look at a table.
    Small,
    /// As many rows as there are, which may take a second.
    Any,
}

/// A job of the writer.
trait Job: Send {
    fn promise(&self) -> Promise;
    /// Does the work in an open transaction; says whether its changes shall stay.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Whether the work ended because no space was left.
    fn found_no_space(&self) -> bool;
    /// Answers, once it is known whether the commit succeeded.
    fn answer(self: Box<Self>, commit: Result<(), &Failed>);
}

struct Work<T, F> {
    promise: Promise,
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn promise(&self) -> Promise {
        self.promise
    }

    fn run(&mut self, connection: &Connection) -> bool {
        self.outcome = self.work.take().map(|work| work(connection));
        self.outcome.as_ref().is_some_and(Result::is_ok)
    }

    fn found_no_space(&self) -> bool {
        matches!(self.outcome, Some(Err(StoreError::Full)))
    }

    fn answer(self: Box<Self>, commit: Result<(), &Failed>) {
        let outcome = match (commit, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Err(_), Some(Err(own))) => Err(own),
            (Err(Failed { is_full: true, .. }), _) => Err(StoreError::Full),
            (Err(failed), _) => Err(StoreError::Gone(failed.reason.clone())),
            (Ok(()), None) => Err(StoreError::Gone("the job did not run".to_owned())),
        };
        // Whoever asked may have gone away meanwhile; what was committed stays.
        let _ = self.reply.send(outcome);
    }
}

/// The way to the writer. Its thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Sender<Box<dyn Job>>,
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug)]
struct Shared {
    desk: Mutex<Desk>,
    /// Jobs that were sent and are not taken yet.
    pending: AtomicUsize,
    /// Whether whoever brings a job may do it at once.
    serves_itself: AtomicBool,
    is_closed: AtomicBool,
}

impl Writer {
    pub fn start(connection: Connection, outbox_grew: Arc<Notify>) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let shared = Arc::new(Shared {
            desk: Mutex::new(Desk::new(connection, queue, outbox_grew)),
            pending: AtomicUsize::new(0),
            serves_itself: AtomicBool::new(true),
            is_closed: AtomicBool::new(false),
        });
        let seen = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            while !seen.is_closed.load(Ordering::SeqCst) {
                seen.serve_all();
                std::thread::park();
            }
        })?;
        Ok(Self { jobs, shared, thread: thread.thread().clone() })
    }

    pub async fn run<T, F>(
        &self,
        promise: Promise,
        extent: Extent,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work { promise, work: Some(work), outcome: None, reply });
        let closed = || StoreError::Gone("the writer has ended".to_owned());
        self.shared.pending.fetch_add(1, Ordering::SeqCst);
        self.jobs.send(job).map_err(|_| closed())?;
        if extent == Extent::Any || !self.shared.is_served_here() {
            self.thread.unpark();
        }
        answer.await.map_err(|_| closed())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Shared {
    /// Does the only job that waits on this thread, where that may be done and nobody else is at the
    /// desk. False where something is left for the writer's thread.
    fn is_served_here(&self) -> bool {
        if self.serves_itself.load(Ordering::SeqCst)
            && self.pending.load(Ordering::SeqCst) == 1
            && let Ok(mut desk) = self.desk.try_lock()
        {
            desk.take(self);
            desk.commit(self);
            if !desk.group.is_empty() {
                return false;
            }
        }
        // Whoever came while the desk was taken found it so, and relies on this look.
        self.pending.load(Ordering::SeqCst) == 0
    }

    /// The same for groups, until nothing waits.
    fn serve_all(&self) {
        let mut desk = match self.desk.lock() {
            Ok(desk) => desk,
            Err(broken) => {
                // A job panicked and may have left half of its changes: nobody is answered any more.
                let mut desk = broken.into_inner();
                desk.group.clear();
                desk.queue.try_iter().for_each(drop);
                return;
            }
        };
        while desk.gather(self) {
            desk.commit(self);
        }
    }
}

/// Where jobs are done.
struct Desk {
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
    fn new(
        connection: Connection,
        queue: Receiver<Box<dyn Job>>,
        outbox_grew: Arc<Notify>,
    ) -> Self {
        let last_event = last_event(&connection).unwrap_or(0);
        let (group, pace, level) = (Vec::new(), Pace::default(), None);
        Self { connection, queue, outbox_grew, group, pace, level, last_event }
    }

    /// Takes what waits, as far as the group has room.
    fn take(&mut self, shared: &Shared) {
        let before = self.group.len();
        self.group.extend(self.queue.try_iter().take(GROUP.saturating_sub(before)));
        shared.pending.fetch_sub(self.group.len() - before, Ordering::SeqCst);
    }

    /// Fills the group, and waits for those who are likely to come. False when nobody is there.
    fn gather(&mut self, shared: &Shared) -> bool {
        self.take(shared);
        if self.group.is_empty() {
            return false;
        }
        let end = Instant::now() + self.pace.patience;
        while !self.pace.is_of_one() && self.group.len() < self.pace.expected.min(GROUP) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(job) = self.queue.recv_timeout(left) else { break };
            self.group.push(job);
            shared.pending.fetch_sub(1, Ordering::SeqCst);
            self.take(shared);
        }
        true
    }

    /// Does the group's work, commits it and answers. Whoever came meanwhile is the next group.
    fn commit(&mut self, shared: &Shared) {
        if self.group.is_empty() {
            return;
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
        self.take(shared);
        self.pace = Pace::after(&answered, &self.group, took);
        let is_quick = self.pace.is_of_one() && self.group.is_empty() && took < QUICK;
        shared.serves_itself.store(is_quick, Ordering::SeqCst);
        for job in answered {
            job.answer(commit.as_ref().copied());
        }
        // Last: clients wait for their answers, and nobody for the publisher.
        if has_grown {
            self.outbox_grew.notify_one();
        }
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

/// Why a group was not committed.
struct Failed {
    is_full: bool,
    reason: String,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        let is_full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        Self { is_full, reason: error.to_string() }
    }
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

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (n INTEGER UNIQUE); CREATE TABLE outbox (id INTEGER PRIMARY KEY);",
            )
            .unwrap();
        Writer::start(connection, Arc::new(Notify::new())).unwrap()
    }

    async fn insert(writer: &Writer, numbers: Vec<i64>) -> Result<(), StoreError> {
        writer
            .run(Promise::Durable, Extent::Small, move |connection| {
                for number in numbers {
                    connection.execute("INSERT INTO t VALUES (?)", [number])?;
                }
                Ok(())
            })
            .await
    }

    #[tokio::test]
    async fn a_job_that_fails_takes_back_only_its_own_changes() {
        let writer = writer();
        assert!(matches!(insert(&writer, vec![7, 7]).await, Err(StoreError::Exists)), "alone");
        let (one, two, three) = tokio::join!(
            insert(&writer, vec![1]),
            insert(&writer, vec![2, 1]),
            insert(&writer, vec![3])
        );
        assert!(one.is_ok() && three.is_ok());
        assert!(matches!(two, Err(StoreError::Exists)));
        let rows = writer.run(Promise::Durable, Extent::Small, |connection| {
            Ok(connection.query_row("SELECT sum(n) FROM t", [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(rows.await.unwrap(), 4);
    }

    #[tokio::test]
    async fn whoever_is_alone_is_served_at_once_and_a_crowd_together() {
        let writer = writer();
        let run = |extent| {
            writer.run(Promise::Durable, extent, |_| {
                Ok(std::thread::current().name().map(str::to_owned))
            })
        };
        let here = std::thread::current().name().map(str::to_owned);
        assert_eq!(run(Extent::Small).await.unwrap(), here);
        assert_eq!(run(Extent::Any).await.unwrap().as_deref(), Some("store"), "it may take long");
        // The desk is taken: whoever comes meanwhile is left to the thread, and answered all the same.
        let desk = writer.shared.desk.lock().unwrap();
        let mut crowd =
            Box::pin(futures_util::future::join_all((0..50).map(|_| run(Extent::Small))));
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(crowd.as_mut().poll(&mut nobody).is_pending());
        drop(desk);
        for outcome in crowd.await {
            assert_eq!(outcome.unwrap().as_deref(), Some("store"));
        }
    }

    #[tokio::test]
    async fn after_a_panic_nobody_is_answered_and_nobody_waits() {
        let writer = Arc::new(writer());
        let broken = Arc::clone(&writer);
        let job = async move {
            broken
                .run(Promise::Durable, Extent::Small, |_| -> Result<(), StoreError> {
                    panic!("broken")
                })
                .await
        };
        assert!(tokio::spawn(job).await.is_err());
        for extent in [Extent::Small, Extent::Any] {
            let outcome = writer.run(Promise::Durable, extent, |_| Ok(())).await;
            assert!(matches!(outcome, Err(StoreError::Gone(_))), "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn where_no_space_is_left_everybody_is_told_so_and_nothing_stays_halfway() {
        let writer = writer();
        let limit = writer.run(Promise::Durable, Extent::Small, |connection| {
            connection.execute_batch("CREATE TABLE b (bytes BLOB); PRAGMA max_page_count = 40")?;
            Ok(())
        });
        limit.await.unwrap();
        let writes = (0..60).map(|_| {
            writer.run(Promise::Durable, Extent::Small, |connection| {
                connection.execute("INSERT INTO b VALUES (zeroblob(8000))", [])?;
                Ok(())
            })
        });
        let outcomes = futures_util::future::join_all(writes).await;
        let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        for outcome in &outcomes {
            assert!(matches!(outcome, Ok(()) | Err(StoreError::Full)), "{outcome:?}");
        }
        assert!(done < outcomes.len(), "all of it fits");
        let rows = writer.run(Promise::Durable, Extent::Small, |connection| {
            Ok(connection.query_row("SELECT count(*) FROM b", [], |row| row.get::<_, usize>(0))?)
        });
        assert_eq!(rows.await.unwrap(), done);
    }
}
