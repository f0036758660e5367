//! What is unfinished: it lies beside its target under another name, belongs to one process, and is
//! gone when it is dropped before it got its name.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with};
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

fn unwritable(path: &Path, cause: io::Error) -> ArchiveError {
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
        Self::at(beside(target))
    }

    /// An empty file for the archive from which the file of `target` is taken.
    pub fn archive_of(target: &Path) -> Result<(Self, File), ArchiveError> {
        Self::at(with_ending(target, ".zip.part"))
    }

    fn at(path: PathBuf) -> Result<(Self, File), ArchiveError> {
        let file = own(&path)?;
        let fail = |cause| unwritable(&path, cause);
        file.set_len(0).map_err(fail)?;
        let lock = file.try_clone().map_err(fail)?;
        Ok((Self { path, _lock: Some(lock), is_kept: false }, file))
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

    /// Gives it its name, unless anything has it.
    pub fn keep(mut self, target: &Path) -> Result<(), ArchiveError> {
        rename_new(&self.path, target).map_err(|cause| match cause.kind() {
            ErrorKind::AlreadyExists => ArchiveError::Appeared { path: target.to_owned() },
            _ => unwritable(target, cause),
        })?;
        self.is_kept = true;
        Ok(())
    }

    /// Gives it its name in place of what has it, which is gone only when this is there.
    pub fn replace(mut self, target: &Path) -> Result<(), ArchiveError> {
        if !self.path.is_dir() {
            std::fs::rename(&self.path, target).map_err(|cause| unwritable(target, cause))?;
            self.is_kept = true;
            return Ok(());
        }
        if target.symlink_metadata().is_err() {
            return self.keep(target);
        }
        let old = with_ending(&self.path, ".old");
        std::fs::rename(target, &old).map_err(|cause| unwritable(target, cause))?;
        if let Err(error) = self.keep(target) {
            // The first failure is the one to tell.
            let _ = rename_new(&old, target);
            return Err(error);
        }
        remove(&old).map_err(|cause| unwritable(&old, cause))
    }
}

/// Renames to a name that nothing has.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // The file system or the kernel knows no such flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => claim_and_rename(from, to),
        other => Ok(other?),
    }
}

/// The same by two steps, of which the first fails if anything has the name.
fn claim_and_rename(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        std::fs::create_dir(to)?;
        // The claim is replaced only while it is empty.
        return std::fs::rename(from, to).map_err(|error| {
            // Only an empty one is removed by this.
            let _ = std::fs::remove_dir(to);
            match error.kind() {
                ErrorKind::DirectoryNotEmpty => ErrorKind::AlreadyExists.into(),
                _ => error,
            }
        });
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // A file system without hard links.
        Err(_) => {
            File::create_new(to)?;
            std::fs::rename(from, to)
        }
    }
}

/// Removes a file, a link or a folder.
fn remove(path: &Path) -> io::Result<()> {
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
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
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
            let (archive, _other) = Part::archive_of(&target).unwrap();
            assert_ne!(part.path, archive.path);
            drop(archive);
            part.replace(&target).unwrap();
        }
    }

    #[test]
    fn what_has_the_name_is_kept_whatever_it_is_and_however_the_name_is_given() {
        let rules: [fn(&Path, &Path) -> io::Result<()>; 2] = [rename_new, claim_and_rename];
        for (rule, is_folder) in rules.into_iter().flat_map(|rule| [(rule, false), (rule, true)]) {
            let folder = tempfile::tempdir().unwrap();
            let (from, to) = (folder.path().join("from"), folder.path().join("to"));
            let make = |path: &Path, is_folder: bool| match is_folder {
                true => std::fs::create_dir(path).unwrap(),
                false => std::fs::write(path, "mine").unwrap(),
            };
            make(&from, is_folder);
            let occupants: [&dyn Fn(); 4] = [
                &|| make(&to, false),
                &|| make(&to, true),
                &|| std::os::unix::fs::symlink("nowhere", &to).unwrap(),
                &|| {
                    make(&to, true);
                    make(&to.join("x"), false);
                },
            ];
            for occupy in occupants {
                occupy();
                let error = rule(&from, &to).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AlreadyExists);
                assert!(from.exists() && to.symlink_metadata().is_ok());
                remove(&to).unwrap();
            }
            rule(&from, &to).unwrap();
            assert!(!from.exists() && to.exists());
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
