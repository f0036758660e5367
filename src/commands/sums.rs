//! Files with their sums in a document: written one after the other, for they may be very many.

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::archive::{SentFile, hex};

/// A list of `{"name", "size", "md5"}`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums<'a>(pub &'a [SentFile]);

/// A list of `{"name", "size"}`: of files that nobody has read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes<'a>(pub &'a [SentFile]);

#[derive(Serialize)]
struct Sum<'a> {
    name: &'a str,
    size: u64,
    /// Null where the file cannot be unpacked here.
    md5: Option<String>,
}

#[derive(Serialize)]
struct Size<'a> {
    name: &'a str,
    size: u64,
}

impl Serialize for Sums<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for SentFile { name, size, sum } in self.0 {
            let md5 = sum.md5().map(hex);
            list.serialize_element(&Sum { name, size: *size, md5 })?;
        }
        list.end()
    }
}

impl Serialize for Sizes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|file| Size { name: &file.name, size: file.size }))
    }
}
