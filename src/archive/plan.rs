//! What an archive will be, known before its first byte: its entries in order, their places and its
//! exact length. What is stored need not be read for that.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::deflate::deflated_length;
use super::format;
use super::{ArchiveError, Found, Tree};

/// A folder as the archive that it will be.
#[derive(Clone, Debug)]
pub struct Plan {
    root: PathBuf,
    files: Vec<Found>,
    /// Beside the files, where they are compressed at all.
    deflated: Vec<Option<NonZeroU32>>,
    left_out: Vec<String>,
    length: u64,
}

/// An entry of a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlannedEntry<'a> {
    pub found: &'a Found,
    /// Bytes that it takes, where it is deflated.
    pub deflated: Option<NonZeroU32>,
    /// Where its local header begins.
    pub offset: u64,
}

impl PlannedEntry<'_> {
    /// Bytes between its header and the next one.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.deflated.map_or(self.found.identity.size, |length| u64::from(length.get()))
    }
}

impl Plan {
    /// Every file as it is.
    #[must_use]
    pub fn stored(root: &Path, tree: Tree) -> Self {
        Self::of(root, tree, Vec::new())
    }

    /// Text deflated. Reads it, to learn its length.
    ///
    /// # Errors
    /// A file cannot be read, or is no longer what was found.
    pub fn compressed(root: &Path, tree: Tree) -> Result<Self, ArchiveError> {
        let deflated: Result<_, _> = tree
            .files
            .iter()
            .map(|file| deflated_length(&root.join(&*file.name), &file.identity))
            .collect();
        Ok(Self::of(root, tree, deflated?))
    }

    fn of(root: &Path, tree: Tree, deflated: Vec<Option<NonZeroU32>>) -> Self {
        let Tree { files, left_out } = tree;
        let mut plan = Self { root: root.to_owned(), files, deflated, left_out, length: 0 };
        plan.length =
            format::archive_length(plan.entries().map(|entry| (&*entry.found.name, entry.taken())));
        plan
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

    /// Whether any file takes fewer bytes than it has.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.deflated.iter().any(Option::is_some)
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
        self.files.iter().enumerate().scan(0, |next, (index, found)| {
            let deflated = self.deflated.get(index).copied().flatten();
            let entry = PlannedEntry { found, deflated, offset: *next };
            *next += format::local_header_length(&found.name, found.identity.size) + entry.taken();
            Some(entry)
        })
    }
}
