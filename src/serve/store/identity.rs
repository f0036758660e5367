//! Which database belongs to which folder. Both hold the same id, so that a database of another folder,
//! an empty or a foreign one is refused: it names none of the files, and all of them would be put
//! out of the way.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{payload, schema};
use crate::base::IdSource;
use crate::serve::ServeError;

/// The first format with an id.
const FIRST_WITH_ID: usize = 5;

fn path(folder: &Path) -> PathBuf {
    folder.join("warehouse.id")
}

/// The ids of a database and of its folder.
#[derive(Debug)]
pub(super) struct Identity {
    database: Option<String>,
    folder: Option<String>,
}

impl Identity {
    /// Compares the id in the file of the database with that of the folder, without the log: a log
    /// that a killed server left makes another database look like the folder's own. Nothing is
    /// opened for writing, because SQLite removes the log of an empty database.
    ///
    /// # Errors
    /// The folder has files, and this is not their database.
    pub fn check_file(folder: &Path) -> Result<(), ServeError> {
        let unusable = |cause| ServeError::DataDir { path: folder.to_owned(), cause };
        if payload::blob_names(folder).map_err(unusable)?.is_empty() {
            return Ok(());
        }
        let database = schema::path(folder);
        let size = std::fs::metadata(&database).map_or(0, |file| file.len());
        if size == 0 {
            return Err(ServeError::NoDatabase { path: folder.to_owned() });
        }
        let Some(own) = read_file(folder).map_err(unusable)? else { return Ok(()) };
        match read_id_of_file(&database) {
            Ok(id) if id == own => Ok(()),
            Ok(_) => Err(other_folder(folder, true)),
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::Unknown) => {
                Err(ServeError::ForeignDatabase { path: database })
            }
            Err(cause) => Err(ServeError::Database { path: database, cause }),
        }
    }

    /// Reads both, before anything is written.
    ///
    /// # Errors
    /// The folder has files, and this is not their database; or it cannot be read.
    pub fn check(
        folder: &Path,
        connection: &Connection,
        version: usize,
    ) -> Result<Self, ServeError> {
        let unusable = |cause| ServeError::DataDir { path: folder.to_owned(), cause };
        let broken = schema::broken(folder);
        let database = read_id(connection, version).map_err(&broken)?;
        let own = read_file(folder).map_err(unusable)?;
        let identity = Self { database, folder: own };
        let blobs = payload::blob_names(folder).map_err(unusable)?;
        if blobs.is_empty() || identity.is_same() {
            return Ok(identity);
        }
        if version == 0 {
            return Err(ServeError::NoDatabase { path: folder.to_owned() });
        }
        // Without an id in the folder, which older programs did not write, one file that is named is
        // proof enough.
        if identity.folder.is_none() {
            for blob in &blobs {
                if is_named(connection, version, blob).map_err(&broken)? {
                    return Ok(identity);
                }
            }
        }
        Err(other_folder(folder, identity.folder.is_some()))
    }

    fn is_same(&self) -> bool {
        self.database.is_some() && self.database == self.folder
    }

    /// Gives both the same id.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub fn settle(self, folder: &Path, connection: &Connection) -> Result<(), ServeError> {
        if self.is_same() {
            return Ok(());
        }
        let id = self.folder.or(self.database).unwrap_or_else(|| IdSource::random().hex(32));
        connection
            .execute_batch("BEGIN; DELETE FROM warehouse")
            .and_then(|()| connection.execute("INSERT INTO warehouse VALUES (?)", [&id]))
            .and_then(|_| connection.execute_batch("COMMIT"))
            // From now on the file of the database shows it.
            .and_then(|()| schema::empty_log(connection))
            .map_err(schema::broken(folder))?;
        write_file(folder, &id)
            .map_err(|cause| ServeError::DataDir { path: folder.to_owned(), cause })
    }
}

fn other_folder(folder: &Path, has_id: bool) -> ServeError {
    ServeError::OtherFolder { path: folder.to_owned(), id_file: has_id.then(|| path(folder)) }
}

/// Reads the id as the file has it, without its log.
fn read_id_of_file(database: &Path) -> rusqlite::Result<String> {
    let mut address = String::from("file:");
    for byte in database.as_os_str().as_encoded_bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'/' | b'-' | b'.' | b'_' => {
                address.push(char::from(*byte));
            }
            _ => address += &format!("%{byte:02X}"),
        }
    }
    address += "?immutable=1";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(address, flags)?;
    connection.query_row("SELECT id FROM warehouse", [], |row| row.get(0))
}

fn read_id(connection: &Connection, version: usize) -> rusqlite::Result<Option<String>> {
    if version < FIRST_WITH_ID {
        return Ok(None);
    }
    connection.query_row("SELECT id FROM warehouse", [], |row| row.get(0)).optional()
}

fn is_named(connection: &Connection, version: usize, blob: &str) -> rusqlite::Result<bool> {
    let sql = match version {
        1 => "SELECT 1 FROM files WHERE blob = ?1",
        _ => {
            "SELECT 1 FROM model_files WHERE blob = ?1 UNION ALL SELECT 1 FROM dataset_files WHERE blob = ?1"
        }
    };
    connection.prepare_cached(sql)?.exists([blob])
}

fn read_file(folder: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path(folder)) {
        // A power loss can leave an empty file: it is not synced.
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|id| !id.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_file(folder: &Path, id: &str) -> io::Result<()> {
    let fresh = folder.join("warehouse.id.new");
    std::fs::write(&fresh, format!("{id}\n"))?;
    std::fs::rename(fresh, path(folder))
}
