//! The database file: how it is opened, and its tables by version.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::serve::ServeError;

/// The version that this program writes; older ones are brought up to it, newer ones refused.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE models (
  id INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL,
  model_id TEXT NOT NULL,
  version TEXT NOT NULL,
  framework TEXT NOT NULL,
  model_type TEXT NOT NULL,
  created INTEGER NOT NULL,   -- microseconds since the epoch
  record TEXT NOT NULL,       -- the API's record
  UNIQUE (user_id, model_id, version)
) STRICT;
CREATE INDEX models_newest ON models (user_id, created DESC, id DESC);
CREATE TABLE files (
  model INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  place INTEGER NOT NULL,     -- order within the model
  path TEXT NOT NULL,         -- relative to the model's version
  size INTEGER NOT NULL,
  md5 TEXT NOT NULL,
  crc32 INTEGER NOT NULL,
  payload BLOB,               -- up to 64 KiB, else:
  blob TEXT,                  -- name below blobs/
  PRIMARY KEY (model, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_blob ON files (blob) WHERE blob IS NOT NULL;
CREATE TABLE bias_reports (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  created INTEGER NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (user_id, dataset_id)
) STRICT;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  created INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,  -- 0 waiting, 1 published, 2 parked
  partition INTEGER,
  position INTEGER,                  -- the offset
  problem TEXT
) STRICT;
CREATE INDEX outbox_waiting ON outbox (id) WHERE state = 0;
";

fn path(folder: &Path) -> std::path::PathBuf {
    folder.join("warehouse.db")
}

fn broken(folder: &Path) -> impl Fn(rusqlite::Error) -> ServeError {
    let path = path(folder);
    move |cause| ServeError::Database { path: path.clone(), cause }
}

/// Opens the database for writing, made durable: a commit is on disk when it returns.
pub(super) fn open(folder: &Path) -> Result<Connection, ServeError> {
    let connection = Connection::open(path(folder)).map_err(broken(folder))?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000;",
        )
        .map_err(broken(folder))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

pub(super) fn open_for_reading(folder: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path(folder), flags)?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -2000;",
    )?;
    Ok(connection)
}

pub(super) fn migrate(connection: &Connection, folder: &Path) -> Result<(), ServeError> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(broken(folder))?;
    match version {
        0 => connection
            .execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))
            .map_err(broken(folder)),
        VERSION => Ok(()),
        newer => Err(ServeError::DataDir {
            path: folder.to_owned(),
            cause: std::io::Error::other(format!(
                "its format {newer} is newer than this program's {VERSION}"
            )),
        }),
    }
}
