//! What the writer is asked to do: work in a transaction, and an answer after its commit.

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

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

/// Where the outcome of a job is told, after its commit.
pub(super) type Outcome<T> = oneshot::Receiver<Result<T, StoreError>>;

/// A job of the writer.
pub(super) trait Job: Send {
    fn promise(&self) -> Promise;
    /// Does the work in an open transaction; says whether its changes shall stay.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Whether the work ended because no space was left.
    fn found_no_space(&self) -> bool;
    /// Answers, once it is known whether the commit succeeded.
    fn answer(self: Box<Self>, commit: Result<(), &Failed>);
}

pub(super) struct Work<T, F> {
    promise: Promise,
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work<T, F> {
    /// The job, and where its outcome will be told.
    pub fn new(promise: Promise, work: F) -> (Box<Self>, Outcome<T>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Self { promise, work: Some(work), outcome: None, reply }), answer)
    }
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
        matches!(self.outcome, Some(Err(StoreError::Full { .. })))
    }

    fn answer(self: Box<Self>, commit: Result<(), &Failed>) {
        let outcome = match (commit, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Err(_), Some(Err(own))) => Err(own),
            (Err(Failed { is_full: true, reason }), _) => {
                Err(StoreError::Full { cause: format!("the database: {reason}") })
            }
            (Err(failed), _) => Err(StoreError::Gone(failed.reason.clone())),
            (Ok(()), None) => Err(StoreError::Gone("the job did not run".to_owned())),
        };
        // Whoever asked may have gone away meanwhile; what was committed stays.
        let _ = self.reply.send(outcome);
    }
}

/// Why a group was not committed.
pub(super) struct Failed {
    pub is_full: bool,
    pub reason: String,
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        let is_full = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
        Self { is_full, reason: error.to_string() }
    }
}
