//! Files of models and of datasets: rows that hold the content, or name the blob that does. The same
//! columns in two tables. A row's id says whose it is and where it stands there, so that an owner's
//! rows lie beside each other; the database removes them with their owner.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::{Content, Payload, Store, StoreError};

/// Whose files they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Model,
    Dataset,
}

impl Owner {
    const fn table(self) -> &'static str {
        match self {
            Owner::Model => "model_files",
            Owner::Dataset => "dataset_files",
        }
    }
}

/// How many files one owner's ids have room for; archives have at most 100,000.
const PLACES: i64 = 1 << 24;

/// The ids of one owner's files: the first, and the first of the next owner.
fn ids(row: i64) -> [i64; 2] {
    [row * PLACES, (row + 1) * PLACES]
}

/// A file as it can be read back.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// Relative to the owner's version.
    pub path: String,
    pub size: u64,
    pub crc32: u32,
    pub content: StoredContent,
    /// Where it stands in the owner's record.
    pub place: i64,
}

#[derive(Clone, Debug)]
pub enum StoredContent {
    Inline(Vec<u8>),
    File(PathBuf),
}

/// Relative path and content, in the order in which they are listed.
pub type Payloads = Vec<(String, Payload)>;

/// Writes the rows of one owner's files.
pub(super) fn insert(
    connection: &Connection,
    owner: Owner,
    row: i64,
    payloads: &Payloads,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO {} (id, path, size, md5, crc32, payload, blob) VALUES (?, ?, ?, ?, ?, ?, ?)",
        owner.table()
    ))?;
    let [first, next] = ids(row);
    for (id, (path, payload)) in (first..next).zip(payloads) {
        let (inline, blob) = match &payload.content {
            Content::Inline(bytes) => (Some(bytes), None),
            Content::Staged(file) => {
                (None, file.path().file_name().map(|name| name.to_string_lossy().into_owned()))
            }
        };
        statement.execute(params![
            id,
            path,
            payload.size,
            payload.md5,
            payload.crc32,
            inline,
            blob
        ])?;
    }
    Ok(())
}

/// Says that rows name the files now. Called before the commit and not after the reply: whoever
/// waits for the reply may be gone by then. Should the commit fail, the sweep at the next start
/// removes the files.
pub(super) fn keep(payloads: &mut Payloads) {
    for (_, payload) in payloads {
        if let Content::Staged(file) = &mut payload.content {
            file.keep();
        }
    }
}

/// One owner's files, by path.
pub(super) fn read(
    connection: &Connection,
    owner: Owner,
    row: i64,
    blobs: &Path,
) -> Result<Vec<StoredFile>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT path, size, crc32, payload, blob, id FROM {} WHERE id >= ? AND id < ? ORDER BY path",
        owner.table()
    ))?;
    let ids = ids(row);
    let rows = statement.query_map(ids, |row| {
        let content = match row.get::<_, Option<String>>(4)? {
            Some(name) => StoredContent::File(blobs.join(name)),
            None => StoredContent::Inline(row.get(3)?),
        };
        Ok(StoredFile {
            path: row.get(0)?,
            size: row.get(1)?,
            crc32: row.get(2)?,
            content,
            place: row.get::<_, i64>(5)? - ids[0],
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes the rows of one owner's files, and says how many they were.
pub(super) fn remove(connection: &Connection, owner: Owner, row: i64) -> Result<usize, StoreError> {
    let sql = format!("DELETE FROM {} WHERE id >= ? AND id < ?", owner.table());
    Ok(connection.prepare_cached(&sql)?.execute(ids(row))?)
}

/// The names of one owner's blobs.
pub(super) fn blobs(
    connection: &Connection,
    owner: Owner,
    row: i64,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT blob FROM {} WHERE id >= ? AND id < ? AND blob IS NOT NULL",
        owner.table()
    ))?;
    let rows = statement.query_map(ids(row), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether any row names a blob.
pub(super) fn is_named(connection: &Connection, blob: &str) -> Result<bool, rusqlite::Error> {
    connection
        .prepare_cached(
            "SELECT 1 FROM model_files WHERE blob = ?1 UNION ALL SELECT 1 FROM dataset_files WHERE blob = ?1",
        )?
        .exists([blob])
}

impl Store {
    pub(super) fn blob_folder(&self) -> PathBuf {
        self.folder().join("blobs")
    }

    /// Moves staged files to their places, before the rows that name them can be committed.
    pub(super) async fn place(&self, mut payloads: Payloads) -> Result<Payloads, StoreError> {
        if payloads.iter().all(|(_, payload)| matches!(payload.content, Content::Inline(_))) {
            return Ok(payloads);
        }
        let folder = self.folder().to_owned();
        tokio::task::spawn_blocking(move || {
            for (_, payload) in &mut payloads {
                if let Content::Staged(file) = &mut payload.content {
                    file.place(&folder)?;
                }
            }
            Ok(payloads)
        })
        .await
        .map_err(|error| StoreError::Gone(error.to_string()))?
    }

    /// Removes blobs whose rows are gone. One that cannot be removed now is put out of the way at the
    /// next start, so a failure here is nobody's concern.
    pub(super) async fn remove_blobs(&self, names: Vec<String>) {
        let store = self.clone();
        let _ = tokio::task::spawn_blocking(move || {
            for name in names {
                let _ = std::fs::remove_file(store.blob_folder().join(name));
            }
            store.restore_reserve();
        })
        .await;
    }
}
