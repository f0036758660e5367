//! Why a read or write of the store did not succeed, from whatever part of it.

use std::io;

/// Why a read or write of the store did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with the same identity exists.
    #[error("it exists already")]
    Exists,
    #[error("it does not exist")]
    Missing,
    /// An update that would have changed nothing.
    #[error("nothing would change")]
    Unchanged,
    /// No space is left on the disk.
    #[error("no space is left in the data folder: {cause}")]
    Full {
        /// What could not be written, and why.
        cause: String,
    },
    #[error("the database failed")]
    Database(#[source] rusqlite::Error),
    #[error("a file failed")]
    File(#[source] io::Error),
    #[error("a stored record cannot be read")]
    Record(#[from] serde_json::Error),
    #[error("the store is closed: {0}")]
    Gone(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => {
                Self::Full { cause: format!("the database: {error}") }
            }
            Some(rusqlite::ErrorCode::ConstraintViolation) => Self::Exists,
            _ if matches!(error, rusqlite::Error::QueryReturnedNoRows) => Self::Missing,
            _ => Self::Database(error),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { cause: format!("a payload: {error}") }
            }
            _ => Self::File(error),
        }
    }
}
