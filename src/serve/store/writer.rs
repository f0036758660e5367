//! The one writer: takes jobs from a channel, puts those that wait into one transaction, commits
//! once, then answers all of them. A job that fails takes back only its own changes. A group in
//! which nobody was promised anything is not synced: its loss would only repeat work.
//!
//! The writer is a desk that one at a time sits at. Mostly that is a thread of its own, which collects
//! what many clients ask for. A client that is alone and whose disk is quick serves itself: to wake
//! the thread, and to be woken by it, would take as long as the commit.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Thread;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Notify;

use super::StoreError;
use super::desk::Desk;
use super::job::{Extent, Job, Promise, Work};

/// The longest that a commit may have taken for the next one to be made on a thread of the runtime,
/// which serves nobody else meanwhile.
const QUICK: Duration = Duration::from_millis(1);

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
                // After a panic the next look finds the desk broken, and lets go of who waits at it.
                if catch_unwind(AssertUnwindSafe(|| seen.serve_all())).is_ok() {
                    std::thread::park();
                }
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
        let (job, answer) = Work::new(promise, work);
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
            desk.take(&self.pending);
            self.commit(&mut desk);
            if desk.has_group() {
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
                broken.into_inner().clear();
                return;
            }
        };
        while desk.gather(&self.pending) {
            self.commit(&mut desk);
        }
    }

    fn commit(&self, desk: &mut Desk) {
        let alone = desk.commit(&self.pending);
        self.serves_itself.store(alone.is_some_and(|took| took < QUICK), Ordering::SeqCst);
    }
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
        for breaks in [Extent::Small, Extent::Any] {
            let writer = Arc::new(writer());
            let broken = Arc::clone(&writer);
            let job = async move {
                broken
                    .run(Promise::Durable, breaks, |_| -> Result<(), StoreError> {
                        panic!("broken")
                    })
                    .await
            };
            // Done here it ends the task that asked; on the writer's thread it is never answered.
            assert!(!matches!(tokio::spawn(job).await, Ok(Ok(()))));
            for extent in [Extent::Small, Extent::Any] {
                let outcome = writer.run(Promise::Durable, extent, |_| Ok(())).await;
                assert!(matches!(outcome, Err(StoreError::Gone(_))), "{outcome:?}");
            }
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
            assert!(matches!(outcome, Ok(()) | Err(StoreError::Full { .. })), "{outcome:?}");
        }
        assert!(done < outcomes.len(), "all of it fits");
        let rows = writer.run(Promise::Durable, Extent::Small, |connection| {
            Ok(connection.query_row("SELECT count(*) FROM b", [], |row| row.get::<_, usize>(0))?)
        });
        assert_eq!(rows.await.unwrap(), done);
    }
}
