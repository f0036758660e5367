//! What the local stack keeps: a SQLite database in WAL mode and, for payloads over 64 KiB, files.
//! One at a time writes, and commits in groups; a write is answered only after its commit is on disk.

mod bias;
mod changes;
mod datasets;
mod desk;
mod error;
mod files;
mod job;
mod lock;
mod models;
mod outbox;
mod payload;
mod schema;
mod transformation;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Notify;

use super::ServeError;

pub use crate::base::text_pattern::Pattern;
pub use bias::SavedBiasReport;
pub use changes::Unchanged;
pub use datasets::{DatasetDraft, DatasetKey, DatasetSearch, LatestDataset, Reach, Which};
pub use error::StoreError;
pub use files::{StoredContent, StoredFile};
pub use models::{ListFilter, ModelDraft, ModelKey, VersionRule};
pub use outbox::{OutboxEvent, OutboxRow};
pub use payload::{Content, Payload, Staging};

use job::{Extent, Promise};
use lock::FolderLock;
use writer::Writer;

/// The store of one data folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    writer: Writer,
    /// Idle connections for reading.
    readers: Mutex<Vec<Connection>>,
    /// Told after every commit that put rows into the outbox.
    outbox_grew: Arc<Notify>,
    _lock: FolderLock,
}

impl Store {
    /// Opens or makes the store of a folder and removes what no row names.
    ///
    /// # Errors
    /// The folder cannot be made or written, another server uses it, or the database is broken.
    pub fn open(folder: &Path) -> Result<Self, ServeError> {
        let unusable = |cause| ServeError::DataDir { path: folder.to_owned(), cause };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let lock = FolderLock::take(folder)?;
        if !schema::path(folder).exists() && payload::has_blobs(folder).map_err(unusable)? {
            // A new database would name none of them, and the sweep would remove them all.
            return Err(ServeError::NoDatabase { path: folder.to_owned() });
        }
        payload::prepare(folder).map_err(unusable)?;
        let connection = schema::open(folder)?;
        schema::migrate(&connection, folder)?;
        payload::sweep(folder, &connection).map_err(unusable)?;
        let outbox_grew = Arc::new(Notify::new());
        let writer =
            Writer::start(connection, Arc::clone(&outbox_grew)).map_err(ServeError::Runtime)?;
        let shared = Shared {
            folder: folder.to_owned(),
            writer,
            readers: Mutex::default(),
            outbox_grew,
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// Woken after commits with outbox rows.
    #[must_use]
    pub fn outbox_grew(&self) -> &Arc<Notify> {
        &self.shared.outbox_grew
    }

    /// Runs a write on the writer's thread and answers after the commit.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.shared.writer.run(Promise::Durable, Extent::Any, work).await
    }

    /// The same for a few rows: sooner done where nobody else writes.
    async fn write_little<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.shared.writer.run(Promise::Durable, Extent::Small, work).await
    }

    /// The same for bookkeeping whose loss would only repeat work: answered without a sync.
    async fn write_repeatable<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.shared.writer.run(Promise::Repeatable, Extent::Any, work).await
    }

    /// Runs a read on a thread for blocking work.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let store = self.clone();
        let task = tokio::task::spawn_blocking(move || store.read_now(work));
        task.await.map_err(|error| StoreError::Gone(error.to_string()))?
    }

    /// The same on the calling thread.
    fn read_now<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.readers().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_for_reading(&self.shared.folder)?,
        };
        let outcome = work(&connection);
        self.readers().push(connection);
        outcome
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A panic while the list is held leaves the list as good as before.
        self.shared.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
