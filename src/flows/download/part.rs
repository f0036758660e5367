//! What is unfinished: it lies beside its target under another name, belongs to one process, and is
//! gone when it is dropped before it got its name.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use crate::archive::ArchiveError;

/// A file or folder that is not finished.
#[derive(Debug)]
pub(super) struct Part {
    pub path: PathBuf,
    /// Locked while this is here, so that two runs never write one file.
    _lock: Option<File>,
    is_kept: bool,
}

fn unwritable(path: &Path, cause: std::io::Error) -> ArchiveError {
    ArchiveError::Unwritable { path: path.to_owned(), cause }
}

/// Bytes that a file's name may have on the file systems of Linux.
const NAME_MOST: usize = 255;

/// The path with `.part` behind it.
fn beside(target: &Path) -> PathBuf {
    with_ending(target, ".part")
}

/// A name that would get too long loses its last bytes to the ending; of two such names that differ
/// in these only, the lock lets one be written at a time.
fn with_ending(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().as_encoded_bytes();
    if name.len() + ending.len() <= NAME_MOST {
        let mut path = target.as_os_str().to_owned();
        path.push(ending);
        return PathBuf::from(path);
    }
    let mut kept = name[..NAME_MOST - ending.len()].to_vec();
    // Half a character would be no name to some file systems.
    while !kept.is_empty()
        && std::str::from_utf8(&kept).is_err()
        && kept.len() + 4 > NAME_MOST - ending.len()
    {
        kept.pop();
    }
    kept.extend_from_slice(ending.as_bytes());
    target.with_file_name(OsStr::from_bytes(&kept))
}

impl Part {
    /// An empty file. What a run that was killed left there is of no use.
    pub fn file(target: &Path) -> Result<(Self, File), ArchiveError> {
        let path = beside(target);
        let file = own(&path)?;
        let fail = |cause| unwritable(&path, cause);
        file.set_len(0).map_err(fail)?;
        let lock = file.try_clone().map_err(fail)?;
        Ok((Self { path: path.clone(), _lock: Some(lock), is_kept: false }, file))
    }

    /// An empty folder. Only for a target of which the caller holds another part already.
    pub fn folder(target: &Path) -> Result<Self, ArchiveError> {
        let path = beside(target);
        let fail = |cause| unwritable(&path, cause);
        if path.symlink_metadata().is_ok() {
            std::fs::remove_dir_all(&path).map_err(fail)?;
        }
        std::fs::create_dir(&path).map_err(fail)?;
        Ok(Self { path, _lock: None, is_kept: false })
    }

    /// Gives it its name; a file that has it is replaced.
    pub fn keep(mut self, target: &Path) -> Result<(), ArchiveError> {
        std::fs::rename(&self.path, target).map_err(|cause| unwritable(target, cause))?;
        self.is_kept = true;
        Ok(())
    }

    /// Gives it its name in place of what has it, which is gone only when this is there.
    pub fn replace(self, target: &Path) -> Result<(), ArchiveError> {
        if target.symlink_metadata().is_err() {
            return self.keep(target);
        }
        let old = with_ending(&self.path, ".old");
        std::fs::rename(target, &old).map_err(|cause| unwritable(target, cause))?;
        if let Err(error) = self.keep(target) {
            // The first failure is the one to tell.
            let _ = std::fs::rename(&old, target);
            return Err(error);
        }
        remove(&old).map_err(|cause| unwritable(&old, cause))
    }
}

/// Removes a file, a link or a folder.
fn remove(path: &Path) -> std::io::Result<()> {
    if path.symlink_metadata()?.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    }
}

/// Opens the file of a path for this process alone; a link there is not followed.
fn own(path: &Path) -> Result<File, ArchiveError> {
    let fail = |cause| unwritable(path, cause);
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let file = options.open(path).map_err(fail)?;
        // File systems without locks are as they were.
        if flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Err(ArchiveError::Busy { path: path.to_owned() });
        }
        // Between the two calls its owner may have given it its name or removed it.
        let (here, there) = (file.metadata().map_err(fail)?, path.symlink_metadata());
        if there.is_ok_and(|there| (there.dev(), there.ino()) == (here.dev(), here.ino())) {
            return Ok(file);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept {
            // It may never have come into being, and nothing more can be done about it here.
            let _ = remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_belongs_to_one_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("m.pt");
        std::fs::write(beside(&target), "left by a run that was killed").unwrap();
        let (part, _file) = Part::file(&target).unwrap();
        assert_eq!(std::fs::read(&part.path).unwrap(), b"");
        assert!(matches!(Part::file(&target), Err(ArchiveError::Busy { .. })));
        assert!(part.path.exists(), "the one that came too late leaves it alone");
        drop(part);
        assert!(!beside(&target).exists());
        let (part, _file) = Part::file(&target).unwrap();
        part.keep(&target).unwrap();
        assert!(target.exists() && !beside(&target).exists());
    }

    #[test]
    fn the_longest_name_has_a_part_too() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["n".repeat(255), "ü".repeat(127), "n".repeat(250)] {
            let target = folder.path().join(&name);
            let (part, _file) = Part::file(&target).unwrap();
            assert!(part.path.file_name().unwrap().to_str().unwrap().ends_with(".part"));
            part.keep(&target).unwrap();
            let part = Part::folder(&folder.path().join("x".repeat(255))).unwrap();
            drop(part);
            let (part, _file) = Part::file(&target).unwrap();
            part.replace(&target).unwrap();
        }
    }

    #[test]
    fn a_link_in_the_place_of_a_part_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (target, mine) = (folder.path().join("m.pt"), folder.path().join("mine"));
        std::fs::write(&mine, "mine").unwrap();
        std::os::unix::fs::symlink(&mine, beside(&target)).unwrap();
        assert!(Part::file(&target).is_err());
        assert_eq!(std::fs::read(&mine).unwrap(), b"mine");
    }

    #[test]
    fn what_is_replaced_is_gone_only_when_the_new_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("m");
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("old"), "").unwrap();
        let part = Part::folder(&target).unwrap();
        std::fs::write(part.path.join("new"), "").unwrap();
        part.replace(&target).unwrap();
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert!(target.join("new").exists() && !target.join("old").exists());
        let lost = Part::folder(&target).unwrap();
        std::fs::remove_dir(&lost.path).unwrap();
        assert!(lost.replace(&target).is_err());
        assert!(target.join("new").exists(), "put back");
    }
}
