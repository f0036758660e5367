//! Drains the outbox onto Kafka: in the order of commits, acknowledged by all replicas, for as long
//! as it takes. A row is done only with its acknowledgement; what is lost between the two is sent
//! again, so events arrive at least once. Replies to uploads never wait for it.

mod blocked;
mod topics;
mod work;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::report::ServeReporter;
use super::store::Store;
use crate::base::Clock;
use crate::kafka::{KafkaError, Properties};
use work::Work;

/// How long the thread may take to end once it is told to end at once.
const LAST_STEP: Duration = Duration::from_secs(2);

/// What is published, where, and to whom it is told.
pub struct Publishing {
    pub store: Store,
    pub properties: Properties,
    /// Topics to make where they are missing; `None` where nobody can make one.
    pub missing: Option<MissingTopics>,
    /// Events that an earlier run has published, put back for a broker that forgot them. They are
    /// not reported one by one.
    pub restored: HashSet<i64>,
    pub reporter: Arc<dyn ServeReporter>,
    pub clock: Clock,
}

/// Topics that a cluster must have.
#[derive(Clone, Debug)]
pub struct MissingTopics {
    pub names: Vec<String>,
    /// Of each that is made.
    pub partitions: i32,
}

/// The publisher's thread.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Ends once nothing waits any more.
    drain: AtomicBool,
    /// Ends at once.
    stop: AtomicBool,
    grew: Arc<Notify>,
    /// Ends a pause early.
    hurry: Notify,
    last_error: Mutex<Option<String>>,
}

impl Shared {
    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn is_draining(&self) -> bool {
        self.drain.load(Ordering::Relaxed)
    }

    fn end(&self, how: &AtomicBool) {
        how.store(true, Ordering::Relaxed);
        self.grew.notify_one();
        self.hurry.notify_one();
    }

    /// Replaces the last error; says whether it is another one now.
    fn set_error(&self, error: Option<String>) -> bool {
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *last != error;
        *last = error;
        is_new
    }
}

/// What the publisher says of itself.
#[derive(Clone, Debug)]
pub struct PublisherStatus(Arc<Shared>);

impl PublisherStatus {
    /// Why events wait, while that is so.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.0.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Publisher {
    /// Makes the topics that are missing and starts publishing. A cluster that is not there yet is no
    /// reason not to start: the outbox waits.
    ///
    /// # Errors
    /// A property is unknown, or no thread can be started.
    pub async fn start(publishing: Publishing, runtime: Handle) -> Result<Self, KafkaError> {
        let shared = Arc::new(Shared {
            drain: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            grew: Arc::clone(publishing.store.outbox_grew()),
            hurry: Notify::new(),
            last_error: Mutex::default(),
        });
        let absence = topics::make(&publishing).await.err();
        let mut work = Work::new(publishing, runtime, Arc::clone(&shared), absence.is_some())?;
        let thread = std::thread::Builder::new()
            .name("publisher".into())
            .spawn(move || work.run())
            .map_err(|error| KafkaError::Config { reason: error.to_string() })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    #[must_use]
    pub fn status(&self) -> PublisherStatus {
        PublisherStatus(Arc::clone(&self.shared))
    }

    /// Publishes what waits and ends; what is left after `patience` stays in the outbox.
    pub async fn drain(mut self, patience: Duration) {
        self.shared.end(&self.shared.drain);
        if let Some(thread) = self.thread.take() {
            let mut joined = tokio::task::spawn_blocking(move || thread.join());
            if tokio::time::timeout(patience, &mut joined).await.is_err() {
                self.shared.end(&self.shared.stop);
                // The store's folder is free for the next server once the thread is gone.
                let _ = tokio::time::timeout(LAST_STEP, joined).await;
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.shared.end(&self.shared.stop);
    }
}
