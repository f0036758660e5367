//! The database file: how it is opened, and its tables by version.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::serve::ServeError;

/// One step for each version that the format has had. This program writes the last; older ones are
/// brought up to it, newer ones refused.
const STEPS: [&str; 5] = [FIRST, SECOND, THIRD, FOURTH, FIFTH];

const FIRST: &str = "
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

/// Datasets, transformation reports, and bias reports by version of their dataset ('' where the
/// dialect has none).
const SECOND: &str = "
ALTER TABLE files RENAME TO model_files;
ALTER TABLE model_files RENAME COLUMN model TO owner;
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  version TEXT NOT NULL,
  created INTEGER NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (user_id, dataset_id, version)
) STRICT;
CREATE INDEX datasets_newest ON datasets (user_id, dataset_id, created DESC, id DESC);
CREATE TABLE dataset_files (
  owner INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  place INTEGER NOT NULL,
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  md5 TEXT NOT NULL,
  crc32 INTEGER NOT NULL,
  payload BLOB,
  blob TEXT,
  PRIMARY KEY (owner, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_files_blob ON dataset_files (blob) WHERE blob IS NOT NULL;
CREATE TABLE reports_on_bias (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  dataset_version TEXT NOT NULL,
  updated INTEGER NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (user_id, dataset_id, dataset_version)
) STRICT;
INSERT INTO reports_on_bias SELECT id, user_id, dataset_id, '', created, record FROM bias_reports;
DROP TABLE bias_reports;
ALTER TABLE reports_on_bias RENAME TO bias_reports;
CREATE TABLE transformation_reports (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  dataset_id TEXT NOT NULL,
  version TEXT NOT NULL,
  record TEXT NOT NULL,
  UNIQUE (user_id, dataset_id, version)
) STRICT;
";

/// What was set aside can be counted without reading everything that was published.
const THIRD: &str = "CREATE INDEX outbox_parked ON outbox (id) WHERE state = 2;";

/// Rows of files in the order of their ids, each id made of its owner's and of the place there: with a
/// key of two columns a payload of 1 KiB would not fit beside it and take a page of its own. And an
/// outbox without the table that SQLite keeps its largest id in. Both were written at each upload.
const FOURTH: &str = "
CREATE TABLE files_of_models (
  id INTEGER PRIMARY KEY,     -- the model's id × 2^24, and the place within the model
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  md5 TEXT NOT NULL,
  crc32 INTEGER NOT NULL,
  payload BLOB,
  blob TEXT
) STRICT;
INSERT INTO files_of_models
  SELECT owner << 24 | place, path, size, md5, crc32, payload, blob FROM model_files;
DROP TABLE model_files;
ALTER TABLE files_of_models RENAME TO model_files;
CREATE INDEX model_files_blob ON model_files (blob) WHERE blob IS NOT NULL;
CREATE TRIGGER models_deleted AFTER DELETE ON models BEGIN
  DELETE FROM model_files WHERE id >= old.id << 24 AND id < (old.id + 1) << 24;
END;
CREATE TABLE files_of_datasets (
  id INTEGER PRIMARY KEY,     -- the dataset's id × 2^24, and the place within the dataset
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  md5 TEXT NOT NULL,
  crc32 INTEGER NOT NULL,
  payload BLOB,
  blob TEXT
) STRICT;
INSERT INTO files_of_datasets
  SELECT owner << 24 | place, path, size, md5, crc32, payload, blob FROM dataset_files;
DROP TABLE dataset_files;
ALTER TABLE files_of_datasets RENAME TO dataset_files;
CREATE INDEX dataset_files_blob ON dataset_files (blob) WHERE blob IS NOT NULL;
CREATE TRIGGER datasets_deleted AFTER DELETE ON datasets BEGIN
  DELETE FROM dataset_files WHERE id >= old.id << 24 AND id < (old.id + 1) << 24;
END;
CREATE TABLE new_outbox (
  id INTEGER PRIMARY KEY,            -- ascending: the last row is never removed
  topic TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  created INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,  -- 0 waiting, 1 published, 2 parked
  partition INTEGER,
  position INTEGER,                  -- the offset
  problem TEXT
) STRICT;
INSERT INTO new_outbox SELECT * FROM outbox;
DROP TABLE outbox;
ALTER TABLE new_outbox RENAME TO outbox;
CREATE INDEX outbox_waiting ON outbox (id) WHERE state = 0;
CREATE INDEX outbox_parked ON outbox (id) WHERE state = 2;
";

/// The id of the folder that the database belongs to.
const FIFTH: &str = "CREATE TABLE warehouse (id TEXT NOT NULL) STRICT;";

/// SQLite's way to files for one process alone. Its locks and its index of the log are in memory, and
/// the folder's own lock keeps other servers out anyway: without this, each transaction asks the
/// kernel for a dozen locks.
const ALONE: &std::ffi::CStr = c"unix-excl";

pub(super) fn path(folder: &Path) -> std::path::PathBuf {
    folder.join("warehouse.db")
}

pub(super) fn broken(folder: &Path) -> impl Fn(rusqlite::Error) -> ServeError {
    let path = path(folder);
    move |cause| ServeError::Database { path: path.clone(), cause }
}

/// Opens the database and changes nothing yet. Gives the version of its format, 0 for an empty one.
///
/// # Errors
/// It is not a database, one of another program, or one of a newer format.
pub(super) fn open(folder: &Path) -> Result<(Connection, usize), ServeError> {
    let connection = Connection::open_with_flags_and_vfs(path(folder), OpenFlags::default(), ALONE)
        .map_err(broken(folder))?;
    let version: usize = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(broken(folder))?;
    let tables = "SELECT count(*), count(*) FILTER (WHERE name IN ('models', 'outbox'))
                  FROM sqlite_schema WHERE type = 'table'";
    let (all, own): (usize, usize) = connection
        .query_row(tables, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(broken(folder))?;
    let is_own = if version == 0 { all == 0 } else { own == 2 };
    if !is_own {
        return Err(ServeError::ForeignDatabase { path: path(folder) });
    }
    if version > STEPS.len() {
        return Err(ServeError::DataDir {
            path: folder.to_owned(),
            cause: std::io::Error::other(format!(
                "its format {version} is newer than this program's {}",
                STEPS.len()
            )),
        });
    }
    Ok((connection, version))
}

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Pages of the log before it is copied into the database.
const LOG_PAGES: u64 = 4000;

/// Makes the database durable: a commit is on disk when it returns. Its log has at most about
/// `log_size` bytes.
pub(super) fn prepare(
    connection: &Connection,
    folder: &Path,
    log_size: u64,
) -> Result<(), ServeError> {
    let pages = (log_size / PAGE * 3 / 4).clamp(32, LOG_PAGES);
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = {pages};
             PRAGMA journal_size_limit = {log_size}; PRAGMA cache_size = -8000;
             PRAGMA temp_store = MEMORY;"
        ))
        .map_err(broken(folder))?;
    connection.set_prepared_statement_cache_capacity(64);
    keep_plans(connection).map_err(broken(folder))
}

/// Looks for damage. Reads all of the database.
///
/// # Errors
/// What is damaged.
pub(super) fn check(connection: &Connection, folder: &Path) -> Result<(), ServeError> {
    let problem: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(broken(folder))?;
    if problem == "ok" {
        return Ok(());
    }
    Err(ServeError::DamagedDatabase { path: path(folder), problem })
}

/// Copies the log into the database and gives its space back.
pub(super) fn empty_log(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Otherwise each new value that is bound has its statement compiled again, in search of a better
/// plan: a seventh of the writer's time.
fn keep_plans(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

pub(super) fn open_for_reading(folder: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(path(folder), flags, ALONE)?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -2000;",
    )?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Brings the database from its version to this program's.
pub(super) fn migrate(
    connection: &Connection,
    folder: &Path,
    version: usize,
) -> Result<(), ServeError> {
    if version == STEPS.len() {
        return Ok(());
    }
    // In one transaction, which is synced once.
    let steps = STEPS[version..].concat();
    let last = STEPS.len();
    connection
        .execute_batch(&format!("BEGIN; {steps} PRAGMA user_version = {last}; COMMIT;"))
        .map_err(broken(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_first_format_keeps_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, version) = open(folder.path()).unwrap();
        assert_eq!(version, 0);
        connection
            .execute_batch(&format!(
                "{FIRST}
                 INSERT INTO models VALUES (1, 'u', 'm', 'v1', 'onnx', 'other', 1, '{{}}');
                 INSERT INTO files VALUES (1, 0, 'a.onnx', 1, 'md5', 7, x'00', NULL);
                 INSERT INTO outbox VALUES (7, 't', 'k', '{{}}', 1, 1, 0, 5, NULL);
                 INSERT INTO bias_reports VALUES ('b', 'u', 'd', 1, '{{}}');
                 PRAGMA user_version = 1;"
            ))
            .unwrap();
        migrate(&connection, folder.path(), 1).unwrap();
        let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(one("SELECT path FROM model_files WHERE id = 1 << 24"), "a.onnx");
        assert_eq!(one("SELECT value FROM outbox WHERE id = 7 AND state = 1"), "{}");
        assert_eq!(one("SELECT id FROM bias_reports WHERE dataset_version = ''"), "b");
        connection.execute("DELETE FROM models", []).unwrap();
        let left: i64 =
            connection.query_row("SELECT count(*) FROM model_files", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "the files still go with their model");
        drop(connection);
        let (connection, version) = open(folder.path()).unwrap();
        assert_eq!(version, STEPS.len());
        migrate(&connection, folder.path(), version).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, version) = open(folder.path()).unwrap();
        migrate(&connection, folder.path(), version).unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
        drop(connection);
        assert!(matches!(open(folder.path()), Err(ServeError::DataDir { .. })));
    }

    #[test]
    fn databases_of_other_programs_are_refused_and_stay_as_they_are() {
        for sql in [
            "CREATE TABLE t (a)",
            "CREATE TABLE models (a); PRAGMA user_version = 1",
            "CREATE TABLE t (a); PRAGMA user_version = 4",
            "PRAGMA user_version = 5",
        ] {
            let folder = tempfile::tempdir().unwrap();
            Connection::open(path(folder.path())).unwrap().execute_batch(sql).unwrap();
            let before = std::fs::read(path(folder.path())).unwrap();
            assert!(
                matches!(open(folder.path()), Err(ServeError::ForeignDatabase { .. })),
                "{sql}"
            );
            assert_eq!(std::fs::read(path(folder.path())).unwrap(), before, "{sql}");
        }
    }
}
