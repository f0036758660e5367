//! One server per data folder, held by the kernel: the lock is gone when its process is, however it
//! ended.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::serve::ServeError;

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    pub fn take(folder: &Path) -> Result<Self, ServeError> {
        let unusable = |cause| ServeError::DataDir { path: folder.to_owned(), cause };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("serve.lock"))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(ServeError::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        assert!(matches!(FolderLock::take(folder.path()), Err(ServeError::Locked { .. })));
        drop(first);
        FolderLock::take(folder.path()).unwrap();
    }
}
