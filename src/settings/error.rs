//! What can be wrong with settings.

use std::path::PathBuf;

use crate::base::nearest::nearest;
use crate::base::{Classify, Hint, Kind};

/// Settings that cannot be used. The value of a secret never stands in one.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("failed to read {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("there is no file {}", path.display())]
    Missing { path: PathBuf },
    #[error("failed to read {}: {message}", path.display())]
    Malformed { path: PathBuf, message: String },
    #[error("there is no profile {name:?} in {}", place.as_ref().map_or("any settings file".to_owned(), |path| path.display().to_string()))]
    NoProfile { name: String, known: Vec<String>, place: Option<PathBuf> },
    #[error("failed to use {key} = {value:?} from {origin}: {reason}")]
    BadValue { key: String, value: String, origin: String, reason: String },
    #[error("failed to read the secret {key} from {place}: {reason}")]
    Secret { key: String, place: String, reason: String },
    #[error("{text:?} is not KEY=VALUE")]
    NotAProperty { text: String },
}

impl Classify for SettingsError {
    fn kind(&self) -> Kind {
        match self {
            SettingsError::NoProfile { .. } | SettingsError::Missing { .. } => Kind::NotFound,
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            SettingsError::NoProfile { name, known, .. } => {
                let near = nearest(name, known.iter().map(String::as_str), 3);
                let offered =
                    if near.is_empty() { known.iter().map(String::as_str).collect() } else { near };
                if offered.is_empty() {
                    vec![Hint::new(
                        "a profile is a table [profiles.NAME] in .dwctl.toml or config.toml",
                    )]
                } else {
                    vec![Hint::new(format!("known profiles: {}", offered.join(", ")))]
                }
            }
            _ => Vec::new(),
        }
    }
}
