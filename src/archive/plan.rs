//! What an archive will be, known before a byte of content is read: its entries in order, their
//! places and its exact length.

use std::path::{Path, PathBuf};

use super::format;
use super::{Found, Tree};

/// A folder as the archive that it will be.
#[derive(Clone, Debug)]
pub struct Plan {
    root: PathBuf,
    files: Vec<Found>,
    left_out: Vec<String>,
    length: u64,
}

/// An entry of a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlannedEntry<'a> {
    pub found: &'a Found,
    /// Where its local header begins.
    pub offset: u64,
}

impl Plan {
    #[must_use]
    pub fn new(root: &Path, tree: Tree) -> Self {
        let length =
            format::archive_length(tree.files.iter().map(|file| (&*file.name, file.identity.size)));
        Self { root: root.to_owned(), files: tree.files, left_out: tree.left_out, length }
    }

    /// Bytes of the whole archive.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the files in it.
    #[must_use]
    pub fn content_length(&self) -> u64 {
        self.files.iter().map(|file| file.identity.size).sum()
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// What the rules took away.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Entries in the order in which they are sent.
    pub fn entries(&self) -> impl Iterator<Item = PlannedEntry<'_>> {
        self.files.iter().scan(0, |next, found| {
            let offset = *next;
            *next +=
                format::local_header_length(&found.name, found.identity.size) + found.identity.size;
            Some(PlannedEntry { found, offset })
        })
    }
}
