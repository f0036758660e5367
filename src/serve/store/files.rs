//! Files of models and of datasets: rows that hold the content, or name the blob that does. The same
//! columns in two tables, so that each row goes with its owner.

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
        "INSERT INTO {} (owner, place, path, size, md5, crc32, payload, blob) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        owner.table()
    ))?;
    for (place, (path, payload)) in (0_i64..).zip(payloads) {
        let (inline, blob) = match &payload.content {
            Content::Inline(bytes) => (Some(bytes), None),
            Content::Staged(file) => {
                (None, file.path().file_name().map(|name| name.to_string_lossy().into_owned()))
            }
        };
        statement.execute(params![
            row,
            place,
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
        "SELECT path, size, crc32, payload, blob, place FROM {} WHERE owner = ? ORDER BY path",
        owner.table()
    ))?;
    let rows = statement.query_map([row], |row| {
        let content = match row.get::<_, Option<String>>(4)? {
            Some(name) => StoredContent::File(blobs.join(name)),
            None => StoredContent::Inline(row.get(3)?),
        };
        Ok(StoredFile {
            path: row.get(0)?,
            size: row.get(1)?,
            crc32: row.get(2)?,
            content,
            place: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The names of one owner's blobs.
pub(super) fn blobs(
    connection: &Connection,
    owner: Owner,
    row: i64,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT blob FROM {} WHERE owner = ? AND blob IS NOT NULL",
        owner.table()
    ))?;
    let rows = statement.query_map([row], |row| row.get(0))?;
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

    /// Removes blobs whose rows are gone. One that cannot be removed now goes with the sweep at the
    /// next start, so a failure here is nobody's concern.
    pub(super) async fn remove_blobs(&self, names: Vec<String>) {
        let folder = self.blob_folder();
        let _ = tokio::task::spawn_blocking(move || {
            for name in names {
                let _ = std::fs::remove_file(folder.join(name));
            }
        })
        .await;
    }
}
