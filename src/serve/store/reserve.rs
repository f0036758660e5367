//! Space for deletions on a full disk. A deletion writes a little before it frees much, and the log of
//! the database grows until it can be copied into the database, which grows too. A file of zeros
//! holds the space for that, and is removed when it is needed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Bytes of the file on any but a small disk: as many as the log of the database may have.
const LARGEST: u64 = 16 * 1024 * 1024;
/// On a disk that is smaller than this many times the file, the file is smaller too.
const SHARE: u64 = 8;
/// The smallest file that is of use.
const SMALLEST: u64 = 256 * 1024;

/// The file.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    size: u64,
}

impl Reserve {
    /// Describes the file of a folder.
    ///
    /// # Errors
    /// The disk cannot be asked for its size.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let disk = statvfs(folder)?;
        let size = (disk.f_blocks.saturating_mul(disk.f_frsize) / SHARE).clamp(SMALLEST, LARGEST);
        Ok(Self { path: folder.join("reserve"), size })
    }

    /// Bytes that the log of the database may have before it is copied.
    pub fn log_size(&self) -> u64 {
        self.size
    }

    /// Makes the file, unless it is there or would take the last of the space. Without it a deletion
    /// may fail on a full disk, and nothing else is different.
    pub fn fill(&self) {
        let has_room =
            self.path.parent().and_then(|folder| statvfs(folder).ok()).is_some_and(|disk| {
                disk.f_bavail.saturating_mul(disk.f_frsize) >= self.size.saturating_mul(2)
            });
        let is_there = std::fs::metadata(&self.path).is_ok_and(|file| file.len() >= self.size);
        if has_room && !is_there && self.allocate().is_err() {
            self.release();
        }
    }

    fn allocate(&self) -> io::Result<()> {
        let file = File::create(&self.path)?;
        Ok(fallocate(&file, FallocateFlags::empty(), 0, self.size)?)
    }

    /// Gives the space back to the disk.
    pub fn release(&self) {
        // A file that is not there has been released before.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_space_and_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(folder.path()).unwrap();
        reserve.fill();
        let file = folder.path().join("reserve");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), reserve.log_size());
        reserve.release();
        reserve.release();
        assert!(!file.exists());
    }
}
