//! What can be wrong with settings.

use std::path::PathBuf;

use super::locate::PROJECT_FILE;
use super::ownership::OwnershipFault;
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
    NoProfile {
        name: String,
        known: Vec<String>,
        place: Option<PathBuf>,
        /// Files that were ignored, with the reasons.
        ignored: Vec<String>,
    },
    #[error("failed to use {key} = {value:?} from {origin}: {reason}")]
    BadValue { key: String, value: String, origin: String, reason: String },
    #[error("failed to read the secret {key} from {place}: {reason}")]
    Secret { key: String, place: String, reason: String },
    #[error("the command of the secret {key} did not end before the timeout")]
    SecretLate { key: String },
    /// The text is not shown: it may be a secret without its name.
    #[error("-X is not KEY=VALUE: {reason}")]
    NotAProperty { reason: &'static str },
    #[error("failed to use the list of trusted files: {reason}")]
    TrustList { reason: String },
    #[error("{} is not a project file: its name is not {PROJECT_FILE}", path.display())]
    NotAProjectFile { path: PathBuf },
    #[error("failed to trust the file: {fault}")]
    Foreign { fault: OwnershipFault },
    /// A profile was named, and what it sets is ignored.
    #[error("failed to use profile {name:?}: {} is not trusted, and it sets {}", path.display(), withheld.join(", "))]
    UntrustedProfile { name: String, path: PathBuf, withheld: Vec<String> },
    #[error("failed to use the proxy of ${variable}: {reason}")]
    Proxy { variable: &'static str, reason: String },
}

impl Classify for SettingsError {
    fn kind(&self) -> Kind {
        match self {
            SettingsError::NoProfile { .. } | SettingsError::Missing { .. } => Kind::NotFound,
            SettingsError::SecretLate { .. } => Kind::Deadline,
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            SettingsError::NoProfile { ignored, .. } if !ignored.is_empty() => {
                ignored.iter().map(|reason| Hint::new(reason.clone())).collect()
            }
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
            SettingsError::UntrustedProfile { .. } => {
                vec![Hint::new("read the file, then run dwctl config trust")]
            }
            SettingsError::Foreign { fault } => vec![Hint::new(fault.hint())],
            SettingsError::Missing { path } if path.ends_with(PROJECT_FILE) => {
                vec![Hint::new("name the file or its folder: dwctl config trust PATH")]
            }
            SettingsError::NotAProperty { .. } => {
                vec![Hint::new(
                    "write -X linger.ms=5; a secret comes from the table [kafka] of a settings file",
                )]
            }
            SettingsError::Proxy { .. } => vec![Hint::new(
                "a proxy looks like http://HOST:PORT or socks5h://HOST:PORT; no_proxy names hosts that need none",
            )],
            _ => Vec::new(),
        }
    }
}
