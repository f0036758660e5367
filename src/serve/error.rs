//! Why the local stack cannot start or go on.

use std::path::PathBuf;

use crate::base::{Classify, Hint, Kind};
use crate::kafka::KafkaError;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("failed to listen on {address} for the {what}")]
    PortInUse {
        what: &'static str,
        address: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("failed to listen on {host:?}: it is no address of this machine")]
    Host {
        host: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("failed to use the data folder {}", path.display())]
    DataDir {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("{} has files of a warehouse in blobs/ and no warehouse.db that names them", path.display())]
    NoDatabase { path: PathBuf },
    #[error("{} has files of a warehouse in blobs/ that its warehouse.db does not name", path.display())]
    OtherFolder {
        path: PathBuf,
        /// The file that says which database the folder has, if there is one.
        id_file: Option<PathBuf>,
    },
    #[error("{} is not a database of dwctl serve", path.display())]
    ForeignDatabase { path: PathBuf },
    #[error("the database {} is damaged: {problem}", path.display())]
    DamagedDatabase { path: PathBuf, problem: String },
    #[error("another dwctl serve uses the data folder {}", path.display())]
    Locked { path: PathBuf },
    #[error("failed to open the database {}", path.display())]
    Database {
        path: PathBuf,
        #[source]
        cause: rusqlite::Error,
    },
    #[error("failed to start the local stack")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

impl Classify for ServeError {
    fn kind(&self) -> Kind {
        match self {
            ServeError::Kafka(error) => error.kind(),
            ServeError::Runtime(_) => Kind::Internal,
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            ServeError::PortInUse { what: "Kafka broker", .. } => vec![Hint::new(
                "is a real Kafka there? publish to it with --brokers HOST:PORT; else choose --broker-port",
            )],
            ServeError::PortInUse { .. } => {
                vec![Hint::new("choose another --port; 0 takes a free one")]
            }
            ServeError::NoDatabase { .. } => vec![Hint::new(
                "put the database back, or choose another --data-dir; a new one names none of the files",
            )],
            ServeError::OtherFolder { id_file, .. } => {
                let own = "put the folder's own database back, or choose another --data-dir";
                vec![Hint::new(match id_file {
                    Some(file) => {
                        format!("{own}; if this is its database, remove {}", file.display())
                    }
                    None => own.to_owned(),
                })]
            }
            ServeError::DamagedDatabase { .. } => {
                vec![Hint::new("restore the database from a copy, or choose another --data-dir")]
            }
            ServeError::Host { .. } => {
                vec![Hint::new(
                    "--host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0",
                )]
            }
            ServeError::DataDir { .. }
            | ServeError::Database { .. }
            | ServeError::ForeignDatabase { .. } => {
                vec![Hint::new("choose another --data-dir")]
            }
            ServeError::Locked { .. } => {
                vec![Hint::new("stop the other server, or choose another --data-dir")]
            }
            ServeError::Kafka(error) => error.hints(),
            ServeError::Runtime(_) => Vec::new(),
        }
    }
}
