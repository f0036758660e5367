//! Files that appear whole: `--ready-file`, which exists while a command is ready, and reports.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::base::file::write_regular;
use crate::base::{Failure, Kind};

/// A file that exists from when the command is ready until it ends.
#[derive(Debug)]
pub(super) struct ReadyFile<'p> {
    /// `None` once it was written.
    unwritten: Option<WholeFile<'p>>,
    path: &'p Path,
    /// The file that was written: another process may have put its own in its place.
    written: Option<File>,
}

impl<'p> ReadyFile<'p> {
    /// Removes what an earlier run left there, before anything starts.
    ///
    /// # Errors
    /// The file cannot be written, or something else than a file has its name.
    pub(super) fn open(path: &'p Path) -> Result<Self, Failure> {
        let file = WholeFile::open("--ready-file", path)?;
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() || is_special(&found.file_type()) => {
                let message = format!("{} is not a regular file", path.display());
                return Err(Failure::usage(message).hint("name a new file with --ready-file"));
            }
            Ok(_) => file.explain(std::fs::remove_file(path))?,
            // It does not exist, which is what is wanted; a folder that is missing was found above.
            Err(_) => {}
        }
        Ok(Self { unwritten: Some(file), path, written: None })
    }

    /// Makes it appear with this text; only the first call does.
    ///
    /// # Errors
    /// The file cannot be written or renamed.
    pub(super) fn fill(&mut self, text: &str) -> Result<(), Failure> {
        let Some(file) = self.unwritten.take() else { return Ok(()) };
        file.fill(text)?;
        self.written = File::open(self.path).ok();
        Ok(())
    }
}

impl Drop for ReadyFile<'_> {
    fn drop(&mut self) {
        let identity = |found: std::io::Result<std::fs::Metadata>| {
            found.ok().map(|found| (found.dev(), found.ino()))
        };
        if let Some(written) = &self.written
            && identity(written.metadata()) == identity(self.path.symlink_metadata())
        {
            // The command has ended; nobody is left to report to.
            let _ = std::fs::remove_file(self.path);
        }
    }
}

fn is_special(found: &std::fs::FileType) -> bool {
    !found.is_file() && !found.is_symlink()
}

/// A file that is written whole at the end of a command and stays.
#[derive(Debug)]
pub(super) struct WholeFile<'p> {
    path: &'p Path,
    /// Written first and renamed, so that no reader finds half of it.
    beside: PathBuf,
    flag: &'static str,
}

impl<'p> WholeFile<'p> {
    /// Checks before anything starts that the file which `flag` names can be written.
    ///
    /// # Errors
    /// It cannot.
    pub(super) fn open(flag: &'static str, path: &'p Path) -> Result<Self, Failure> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".part");
        let file = Self { path, beside: beside.into(), flag };
        file.explain(write_regular(&file.beside, b""))?;
        Ok(file)
    }

    /// Makes it appear with this text.
    ///
    /// # Errors
    /// The file cannot be written or renamed.
    pub(super) fn fill(self, text: &str) -> Result<(), Failure> {
        let written = write_regular(&self.beside, text.as_bytes())
            .and_then(|()| std::fs::rename(&self.beside, self.path));
        self.explain(written)
    }

    fn explain(&self, outcome: std::io::Result<()>) -> Result<(), Failure> {
        outcome.map_err(|error| {
            Failure::wrap(Kind::Usage, error)
                .context(format!("failed to write {}", self.path.display()))
                .hint(format!("{} takes a file in a folder that exists", self.flag))
        })
    }
}

impl Drop for WholeFile<'_> {
    fn drop(&mut self) {
        // After a renaming there is nothing left to remove.
        let _ = std::fs::remove_file(&self.beside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_file_is_removed_at_the_start_and_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready");
        std::fs::write(&path, "left by a run that was killed").unwrap();
        let mut file = ReadyFile::open(&path).unwrap();
        assert!(!path.exists());
        file.fill("addresses").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "addresses");
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_file_of_another_process_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready");
        let mut file = ReadyFile::open(&path).unwrap();
        file.fill("mine").unwrap();
        let mut other = ReadyFile::open(&path).unwrap();
        other.fill("another's").unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "another's");
    }

    #[test]
    fn what_is_not_a_file_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ready");
        std::fs::create_dir(&path).unwrap();
        assert_eq!(ReadyFile::open(&path).unwrap_err().kind(), Kind::Usage);
        assert!(path.is_dir());
        assert_eq!(ReadyFile::open(Path::new("/dev/null")).unwrap_err().kind(), Kind::Usage);
    }
}
