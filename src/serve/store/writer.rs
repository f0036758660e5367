//! The one writer: takes jobs from a channel, puts those that wait into one transaction, commits
//! once, then answers all of them. A job that fails takes back only its own changes. A group in
//! which nobody was promised anything is not synced: its loss would only repeat work.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

/// The most jobs of one commit: enough to share the cost of a sync, few enough to answer soon.
const GROUP: usize = 128;

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
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        let before = outbox_size(connection);
        let commit = run_group(connection, &mut group);
        if commit.is_err() {
            // Otherwise the next BEGIN would find the failed transaction still open.
            let _ = connection.execute_batch("ROLLBACK");
        }
        if commit.is_ok() && outbox_size(connection) != before {
            outbox_grew.notify_one();
        }
        for job in group {
            job.answer(commit.as_ref().copied());
        }
    }
}

/// The last id of the outbox: cheap, because it is the end of the table's tree.
fn outbox_size(connection: &Connection) -> i64 {
    connection
        .prepare_cached("SELECT coalesce(max(id), 0) FROM outbox")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .unwrap_or(0)
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

fn run_group(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), Failed> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(drop);
    let durable = group.iter().any(|job| job.promise() == Promise::Durable);
    connection.execute_batch(if durable {
        "PRAGMA synchronous = FULL"
    } else {
        "PRAGMA synchronous = NORMAL"
    })?;
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
    Ok(execute("COMMIT")?)
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
