//! A temporary folder that goes with the run.

use std::path::{Path, PathBuf};

use crate::base::{Failure, Kind};
use crate::context::Context;

/// Removed with all that is in it when dropped.
pub(super) struct Workspace(PathBuf);

impl Workspace {
    /// Made under a name that nobody has, in the system's folder for temporary files.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(context: &Context, purpose: &str) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("dwctl-{purpose}-{}", context.ids.hex(12)));
        std::fs::create_dir(&path).map_err(|error| {
            Failure::wrap(Kind::Usage, error)
                .context(format!("failed to make the folder {}", path.display()))
        })?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What is left behind is in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
