//! What can be wrong with a path that should be uploaded. Each error names the path and what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::entry_fault::FaultyEntry;
use crate::base::{Classify, Hint, Kind};

/// A local file or folder that cannot be sent as it is.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("there is no file {}", path.display())]
    Missing { path: PathBuf },
    #[error("failed to read {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("failed to write {}", path.display())]
    Unwritable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} is empty", path.display())]
    Empty { path: PathBuf },
    /// A folder without a single file; `left_out` counts what the rules took away.
    #[error("{} holds no file that could be sent", path.display())]
    NoFiles { path: PathBuf, left_out: usize },
    #[error("{} is {what}, not a file", path.display())]
    NotRegular { path: PathBuf, what: &'static str },
    #[error("{} is a symbolic link to {}, outside the folder", path.display(), target.display())]
    LinkLeaves { path: PathBuf, target: PathBuf },
    #[error("{} is a symbolic link", path.display())]
    LinkRefused { path: PathBuf },
    #[error("{} is a symbolic link that leads nowhere", path.display())]
    LinkBroken { path: PathBuf },
    #[error("{} leads back to a folder above it", path.display())]
    LinkLoop { path: PathBuf },
    #[error("the name of {} {reason}", path.display())]
    Name { path: PathBuf, reason: &'static str },
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    Pattern { pattern: String, reason: String },
    /// What was promised to the server is no longer what lies on the disk.
    #[error("{} changed while it was read: {what}", path.display())]
    Changed { path: PathBuf, what: &'static str },
    #[error("{} is no zip archive that can be read: {reason}", path.display())]
    BadZip { path: PathBuf, reason: String },
    /// A service that unpacks it would fail, or would lose files.
    #[error("{} cannot be unpacked into all of its files: {}", path.display(), list_faults(faults))]
    FaultyEntries { path: PathBuf, faults: Vec<FaultyEntry> },
    /// What was not there when its download began, and must not be replaced.
    #[error("{} appeared while it was downloaded", path.display())]
    Appeared { path: PathBuf },
    /// Another process writes there.
    #[error("{} is written by another dwctl at the moment", path.display())]
    Busy { path: PathBuf },
    /// Whoever took the bytes went away; the cause lies there.
    #[error("nobody takes the bytes any more")]
    Stopped,
    #[error("failed to start a reading thread")]
    Threads(#[source] io::Error),
}

/// Returns the first faults in words, and how many more there are.
fn list_faults(faults: &[FaultyEntry]) -> String {
    const SHOWN: usize = 3;
    let mut words: Vec<String> = faults.iter().take(SHOWN).map(ToString::to_string).collect();
    if faults.len() > SHOWN {
        words.push(format!("and {} more", faults.len() - SHOWN));
    }
    words.join("; ")
}

impl ArchiveError {
    /// An error of the file system under the path that it concerns.
    pub(super) fn at(path: &Path, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Unreadable { path: path.to_owned(), cause },
        }
    }
}

impl Classify for ArchiveError {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing { .. } => Kind::NotFound,
            // It passes, as a file that changes does.
            Self::Changed { .. } | Self::Busy { .. } | Self::Appeared { .. } => Kind::CheckFailed,
            Self::Stopped | Self::Threads(_) => Kind::Internal,
            _ => Kind::Usage,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let hint = match self {
            Self::FaultyEntries { faults, .. } => {
                let advice = faults.first().map(|first| Hint::new(first.fault.advice()));
                let as_file = Hint::new("--as-file sends it as one file, which nothing unpacks");
                return advice.into_iter().chain([as_file]).collect();
            }
            Self::Empty { .. } => "send it anyway with --allow-empty",
            Self::NoFiles { left_out: 1.., .. } => {
                "everything in it is left out: by --include, --exclude, --symlinks or .dwignore, or by default, which --no-default-excludes ends"
            }
            Self::LinkLeaves { .. } => {
                "copy the file, or choose: --symlinks follow sends what it points to, --symlinks skip leaves it out"
            }
            Self::LinkRefused { .. } | Self::LinkBroken { .. } | Self::LinkLoop { .. } => {
                "--symlinks skip leaves links out"
            }
            Self::Name { .. } => "rename it, or leave it out of a folder with --exclude",
            Self::Changed { .. } => "upload again once nothing writes to it",
            Self::Appeared { .. } => "--force replaces it; --output-dir chooses another folder",
            Self::Unwritable { .. } | Self::Busy { .. } => {
                "--output-dir chooses another folder (--download-dir, of dwctl forward)"
            }
            _ => return Vec::new(),
        };
        vec![Hint::new(hint)]
    }
}
