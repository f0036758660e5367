//! What the local stack keeps: a SQLite database in WAL mode and, for payloads over 64 KiB, files.
//! One at a time writes, and commits in groups; a write is answered only after its commit is on disk.

mod bias;
mod changes;
mod datasets;
mod desk;
mod error;
mod files;
mod identity;
mod job;
mod lock;
mod models;
mod outbox;
mod payload;
mod reserve;
mod schema;
mod transformation;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore};

use super::ServeError;
use crate::base::Stamp;

pub use crate::base::text_pattern::Pattern;
pub use bias::SavedBiasReport;
pub use changes::Unchanged;
pub use datasets::{DatasetDraft, DatasetKey, DatasetSearch, LatestDataset, Reach, Which};
pub use error::StoreError;
pub use files::{StoredContent, StoredFile};
pub use models::{ListFilter, ModelDraft, ModelKey, VersionRule};
pub use outbox::{OutboxEvent, OutboxRow};
pub use payload::{Content, Payload, SetAside, Staging};

use identity::Identity;
use job::{Extent, Promise};
use lock::FolderLock;
use reserve::Reserve;
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
    reserve: Reserve,
    /// How many may read at once: each has a connection, which has descriptors and memory.
    reading: Semaphore,
    _lock: FolderLock,
}

/// Reads at once.
const MOST_READS: usize = 8;

impl Store {
    /// Opens or makes the store of a folder, and puts files that no row names out of the way.
    ///
    /// # Errors
    /// The folder cannot be made or written, another server uses it, or the database is broken, of
    /// another program or of another folder.
    pub fn open(folder: &Path, now: Stamp) -> Result<(Self, Option<SetAside>), ServeError> {
        let unusable = |cause| ServeError::DataDir { path: folder.to_owned(), cause };
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let lock = FolderLock::take(folder)?;
        Identity::check_file(folder)?;
        let (connection, version) = schema::open(folder)?;
        let identity = Identity::check(folder, &connection, version)?;
        payload::prepare(folder).map_err(unusable)?;
        let reserve = Reserve::of(folder).map_err(unusable)?;
        schema::prepare(&connection, folder, reserve.log_size())?;
        schema::migrate(&connection, folder, version)?;
        identity.settle(folder, &connection)?;
        payload::clear_staging(folder).map_err(unusable)?;
        let set_aside = set_unnamed_aside(folder, &connection, now)?;
        reserve.fill();
        let outbox_grew = Arc::new(Notify::new());
        let writer =
            Writer::start(connection, Arc::clone(&outbox_grew)).map_err(ServeError::Runtime)?;
        let shared = Shared {
            folder: folder.to_owned(),
            writer,
            readers: Mutex::default(),
            outbox_grew,
            reserve,
            reading: Semaphore::new(MOST_READS),
            _lock: lock,
        };
        Ok((Self { shared: Arc::new(shared) }, set_aside))
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

    /// Runs a write that frees space, also where none is left to write it.
    async fn write_freeing<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, StoreError> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let attempt = || {
            let work = Arc::clone(&work);
            self.write(move |connection| work(connection))
        };
        let mut outcome = attempt().await;
        if !matches!(outcome, Err(StoreError::Full { .. })) {
            return outcome;
        }
        for releases in [false, true] {
            self.make_space(releases).await;
            outcome = attempt().await;
            if !matches!(outcome, Err(StoreError::Full { .. })) {
                break;
            }
        }
        outcome
    }

    /// Empties the log of the database, after the reserve has been released.
    async fn make_space(&self, releases_reserve: bool) {
        let store = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            if releases_reserve {
                store.shared.reserve.release();
            }
            // A log that cannot be emptied now can be later; the write that needs it says so.
            let _ = store.read_now(|connection| Ok(schema::empty_log(connection)?));
        });
        let _ = task.await;
    }

    /// Copies the log into the database, so that its file alone has everything.
    pub async fn close(&self) {
        self.make_space(false).await;
    }

    /// Takes the reserve again after something was freed. Blocks.
    fn restore_reserve(&self) {
        self.shared.reserve.fill();
    }

    /// Runs a read on a thread for blocking work.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = self.shared.reading.acquire().await;
        let _permit = permit.map_err(|_| StoreError::Gone("it is closed".to_owned()))?;
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

/// A damaged index would not show what is named, so the database is checked first.
fn set_unnamed_aside(
    folder: &Path,
    connection: &Connection,
    now: Stamp,
) -> Result<Option<SetAside>, ServeError> {
    let unusable = |cause| ServeError::DataDir { path: folder.to_owned(), cause };
    let blobs = payload::blob_names(folder).map_err(unusable)?;
    let unnamed = payload::unnamed_blobs(blobs, connection).map_err(schema::broken(folder))?;
    if unnamed.is_empty() {
        return Ok(None);
    }
    schema::check(connection, folder)?;
    match payload::set_aside(folder, &unnamed, now) {
        Ok(set_aside) => Ok(Some(set_aside)),
        // On a full disk they stay where they are, and the server starts: something can be deleted.
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(None),
        Err(cause) => Err(unusable(cause)),
    }
}
