//! The one writer: takes jobs from a channel, puts those that wait into one transaction, commits
//! once, then answers all of them. A job that fails takes back only its own changes. A group in
//! which nobody was promised anything is not synced: its loss would only repeat work.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

/// The most jobs of one commit: enough to share the cost of a sync, few enough to answer soon.
const GROUP: usize = 128;
/// The longest that a group waits for more.
const LONGEST_WAIT: Duration = Duration::from_millis(1);

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

/// A job on the writer's thread.
trait Job: Send {
    fn promise(&self) -> Promise;
    /// Does the work inside a savepoint; says whether its changes shall stay.
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

/// The way to the writer's thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Sender<Box<dyn Job>>,
}

impl Writer {
    pub fn start(connection: Connection, outbox_grew: Arc<Notify>) -> io::Result<Self> {
        let (jobs, queue) = channel();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || serve(&connection, &queue, &outbox_grew))?;
        Ok(Self { jobs })
    }

    pub async fn run<T, F>(&self, promise: Promise, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work { promise, work: Some(work), outcome: None, reply });
        let closed = || StoreError::Gone("the writer has ended".to_owned());
        self.jobs.send(job).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

fn serve(connection: &Connection, queue: &Receiver<Box<dyn Job>>, outbox_grew: &Notify) {
    let (mut pace, mut level) = (Pace::default(), None);
    let mut last_event = last_event(connection).unwrap_or(0);
    let mut group = Vec::new();
    while gather(queue, &mut group, &pace) {
        let began = Instant::now();
        let commit = run_group(connection, &mut group, &mut level);
        let has_grown = match &commit {
            Ok(last) => std::mem::replace(&mut last_event, *last) != *last,
            Err(_) => {
                // Otherwise the next BEGIN would find the failed transaction still open.
                let _ = connection.execute_batch("ROLLBACK");
                false
            }
        };
        let commit = commit.map(drop);
        // Whoever is here before the answers go out is not one of those who are answered.
        let next: Vec<_> = queue.try_iter().take(GROUP).collect();
        pace = Pace::after(&group, &next, began.elapsed());
        for job in std::mem::replace(&mut group, next) {
            job.answer(commit.as_ref().copied());
        }
        // Last: clients wait for their answers, and nobody for the publisher.
        if has_grown {
            outbox_grew.notify_one();
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

/// Fills a group that may have jobs already. False when there is no more to come, ever.
fn gather(queue: &Receiver<Box<dyn Job>>, group: &mut Vec<Box<dyn Job>>, pace: &Pace) -> bool {
    if group.is_empty() {
        let Ok(first) = queue.recv() else { return false };
        group.push(first);
    }
    let end = Instant::now() + pace.patience;
    loop {
        group.extend(queue.try_iter().take(GROUP.saturating_sub(group.len())));
        if pace.is_of_one() || group.len() >= pace.expected.min(GROUP) {
            return true;
        }
        match queue.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(job) => group.push(job),
            Err(_) => return true,
        }
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
    for job in group {
        execute("SAVEPOINT job")?;
        let is_done = job.run(connection);
        if connection.is_autocommit() {
            // SQLite itself takes everything back on a full disk, the other jobs' changes too.
            let reason = "the database took everything back".to_owned();
            return Err(Failed { is_full: job.found_no_space(), reason });
        }
        if !is_done {
            execute("ROLLBACK TO job")?;
        }
        execute("RELEASE job")?;
    }
    let last_event = last_event(connection)?;
    execute("COMMIT")?;
    Ok(last_event)
}

#[cfg(test)]
mod tests {
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
            .run(Promise::Durable, move |connection| {
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
        let (one, two, three) = tokio::join!(
            insert(&writer, vec![1]),
            insert(&writer, vec![2, 1]),
            insert(&writer, vec![3])
        );
        assert!(one.is_ok() && three.is_ok());
        assert!(matches!(two, Err(StoreError::Exists)));
        let rows = writer.run(Promise::Durable, |connection| {
            Ok(connection.query_row("SELECT sum(n) FROM t", [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(rows.await.unwrap(), 4);
    }

    #[tokio::test]
    async fn where_no_space_is_left_everybody_is_told_so_and_nothing_stays_halfway() {
        let writer = writer();
        let limit = writer.run(Promise::Durable, |connection| {
            connection.execute_batch("CREATE TABLE b (bytes BLOB); PRAGMA max_page_count = 40")?;
            Ok(())
        });
        limit.await.unwrap();
        let writes = (0..60).map(|_| {
            writer.run(Promise::Durable, |connection| {
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
        let rows = writer.run(Promise::Durable, |connection| {
            Ok(connection.query_row("SELECT count(*) FROM b", [], |row| row.get::<_, usize>(0))?)
        });
        assert_eq!(rows.await.unwrap(), done);
    }
}
