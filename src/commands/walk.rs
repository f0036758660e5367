//! What of a folder is meant: the same flags for what is uploaded and for what is compared with it.

use std::path::Path;

use clap::{Args, ValueEnum};

use crate::archive::{Symlinks, WalkOptions};
use crate::base::Failure;

/// How a folder is walked.
#[derive(Debug, Args)]
pub(super) struct WalkArgs {
    /// What to do with symbolic links in a folder
    #[arg(long, value_enum, default_value = "inside", value_name = "RULE")]
    symlinks: SymlinkRule,
    /// Leave out what matches, in the way of .gitignore; may stand several times
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Take only what matches; may stand several times
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// Take also what is left out by default, such as .git, caches and keys
    #[arg(long)]
    no_default_excludes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SymlinkRule {
    /// Follow where they stay inside the folder, refuse others
    Inside,
    /// Follow wherever they lead
    Follow,
    /// Leave them out
    Skip,
    /// Refuse them
    Error,
}

impl WalkArgs {
    /// The flags that choose files of a folder, where any are given: on a file or a ready archive they
    /// would change nothing, and what was to be left out would go along.
    pub fn chosen(&self) -> Option<&'static str> {
        match (self.exclude.is_empty(), self.include.is_empty()) {
            (true, true) => None,
            (false, true) => Some("--exclude"),
            (true, false) => Some("--include"),
            (false, false) => Some("--include and --exclude"),
        }
    }

    /// Refuses what only a folder can obey.
    ///
    /// # Errors
    /// A file or a ready archive is to be filtered.
    pub fn check(&self, path: &Path) -> Result<(), Failure> {
        match self.chosen() {
            Some(flags) if path.is_file() => Err(Failure::usage(format!(
                "{flags} can choose files of a folder only, and {} is a file",
                path.display()
            ))
            .hint("unpack an archive first, and name the folder")),
            _ => Ok(()),
        }
    }

    pub fn options(&self) -> WalkOptions {
        WalkOptions {
            symlinks: match self.symlinks {
                SymlinkRule::Inside => Symlinks::Inside,
                SymlinkRule::Follow => Symlinks::Follow,
                SymlinkRule::Skip => Symlinks::Skip,
                SymlinkRule::Error => Symlinks::Error,
            },
            default_excludes: !self.no_default_excludes,
            excludes: self.exclude.clone(),
            includes: self.include.clone(),
        }
    }
}
