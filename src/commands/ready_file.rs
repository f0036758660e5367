//! `--ready-file`: tells whoever waits for it that a command has come so far.

use std::path::{Path, PathBuf};

use crate::base::file::write_regular;
use crate::base::{Failure, Kind};

/// A file that appears, whole, once the command is ready.
#[derive(Debug)]
pub(super) struct ReadyFile<'p> {
    path: &'p Path,
    /// Written beside and renamed, so that whoever waits for the file never reads half of it.
    beside: PathBuf,
    flag: &'static str,
}

impl<'p> ReadyFile<'p> {
    /// Made before anything starts, so that a folder that is not there is known before anybody is
    /// told anything.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn open(path: &'p Path) -> Result<Self, Failure> {
        Self::of_flag("--ready-file", path)
    }

    /// The same for a file that another flag names.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn of_flag(flag: &'static str, path: &'p Path) -> Result<Self, Failure> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let file = Self { path, beside: beside.into(), flag };
        file.told(write_regular(&file.beside, b""))?;
        Ok(file)
    }

    /// Makes it appear with this text.
    ///
    /// # Errors
    /// The file cannot be written or renamed.
    pub(super) fn fill(self, text: &str) -> Result<(), Failure> {
        let written = write_regular(&self.beside, text.as_bytes())
            .and_then(|()| std::fs::rename(&self.beside, self.path));
        self.told(written)
    }

    fn told(&self, outcome: std::io::Result<()>) -> Result<(), Failure> {
        outcome.map_err(|error| {
            Failure::wrap(Kind::Usage, error)
                .context(format!("failed to write {}", self.path.display()))
                .hint(format!("{} takes a file in a folder that is there", self.flag))
        })
    }
}

impl Drop for ReadyFile<'_> {
    fn drop(&mut self) {
        // After a renaming there is nothing left to remove.
        let _ = std::fs::remove_file(&self.beside);
    }
}
