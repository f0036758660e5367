//! What an archive will be, known before a byte of content is read: its entries in order, their
//! places and its exact length.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use icu_normalizer::ComposingNormalizer;

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

    /// Pairs of names that are one name on systems which do not tell cases, or forms of the same
    /// letter, apart (Windows, macOS): unpacked there, one file replaces the other.
    #[must_use]
    pub fn clashes(&self) -> Vec<(&str, &str)> {
        let mut seen: HashMap<u64, &str> = HashMap::with_capacity(self.files.len());
        let mut found = Vec::new();
        for file in &self.files {
            // A hash for each is a tenth of the names themselves; what it says is looked at again.
            let mut hasher = DefaultHasher::new();
            let form = folded(&file.name);
            form.hash(&mut hasher);
            match seen.entry(hasher.finish()) {
                Entry::Vacant(place) => drop(place.insert(&file.name)),
                Entry::Occupied(known) if folded(known.get()) == form => {
                    found.push((*known.get(), &*file.name));
                }
                Entry::Occupied(_) => {}
            }
        }
        found
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

/// A name without what such systems do not see: cases, and whether a letter and its accent are one
/// character or two.
fn folded(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if name.bytes().all(is_plain) {
        return Cow::Borrowed(name);
    }
    let composed = ComposingNormalizer::new_nfc().normalize(name).to_lowercase();
    // The lower case of one character may be several.
    Cow::Owned(ComposingNormalizer::new_nfc().normalize(&composed).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{WalkOptions, walk};

    #[test]
    fn names_that_are_one_elsewhere_are_found() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.bin", "A.bin", "caf\u{e9}", "cafe\u{301}", "Caf\u{e9}2", "b"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let plan = Plan::new(folder.path(), walk(folder.path(), &WalkOptions::default()).unwrap());
        let found = plan.clashes();
        assert_eq!(found, [("A.bin", "a.bin"), ("cafe\u{301}", "caf\u{e9}")]);
    }
}
