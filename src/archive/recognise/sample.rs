//! The part of a file that is looked at: its first and its last bytes.

use std::io::{self, Read};
use std::path::Path;

use super::{safetensors, zip};
use crate::archive::window::Window;
use crate::base::file::open_regular;

/// First bytes of any file.
const HEAD: usize = 64 * 1024;
/// First bytes of a GGUF, whose head does not say how long it is.
const LONG_HEAD: usize = 16 * 1024 * 1024;
/// Where the attributes of HDF5 are looked for.
const HDF5_HEAD: usize = 1024 * 1024;
/// Last bytes: the end record of a zip with the longest comment lies in them.
const TAIL: usize = 66 * 1024;
/// Last bytes of a zip whose directory is longer.
const LONG_TAIL: usize = 4 * 1024 * 1024;

/// A file's name, length, beginning and end.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Below the folder, or the base name.
    pub name: String,
    /// Bytes of the whole file.
    pub size: u64,
    pub head: Vec<u8>,
    /// The last bytes, all of a file that is shorter; none where only its beginning could be had.
    pub tail: Option<Vec<u8>>,
}

impl Sample {
    /// A file that is here whole.
    #[must_use]
    pub fn new(name: &str, content: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            size: content.len() as u64,
            head: content.to_vec(),
            tail: Some(content.to_vec()),
        }
    }

    /// Looks at a file.
    ///
    /// # Errors
    /// It cannot be opened or read.
    pub fn read(path: &Path, name: &str) -> io::Result<Self> {
        let file = open_regular(path)?;
        let size = file.metadata()?.len();
        Self::read_window(Window::new(&file, size), name)
    }

    /// Looks at a part of a file or of memory.
    ///
    /// # Errors
    /// It cannot be read.
    pub(in crate::archive) fn read_window(window: Window<'_>, name: &str) -> io::Result<Self> {
        let size = window.length();
        let mut head = window.bytes(0, HEAD)?;
        let wanted = wanted_head(&head);
        if wanted > head.len() {
            head = window.bytes(0, wanted)?;
        }
        let mut tail = match head.len() as u64 == size && head.len() <= TAIL {
            true => head.clone(),
            false => window.tail(TAIL)?,
        };
        if head.starts_with(zip::LOCAL) && zip::directory_length(&tail) > tail.len() as u64 {
            tail = window.tail(LONG_TAIL)?;
        }
        Ok(Self { name: name.to_owned(), size, head, tail: Some(tail) })
    }

    /// Looks at the beginning of something that can only be read forwards.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_forwards(mut content: impl Read, name: &str, size: u64) -> io::Result<Self> {
        let mut head = Vec::new();
        content.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let more = wanted_head(&head).saturating_sub(head.len());
        content.take(more as u64).read_to_end(&mut head)?;
        let tail = (head.len() as u64 == size).then(|| head.clone());
        Ok(Self { name: name.to_owned(), size, head, tail })
    }

    /// Whether it ends with this byte; unknown where its end is not here.
    pub(super) fn ends_with(&self, byte: u8) -> Option<bool> {
        self.tail.as_ref().map(|tail| tail.last() == Some(&byte))
    }

    /// The ending of the name in lower case, without its dot.
    #[must_use]
    pub fn extension(&self) -> String {
        extension(&self.name)
    }

    /// Whether all of the file is in its head.
    pub(super) fn is_whole(&self) -> bool {
        self.head.len() as u64 == self.size
    }
}

/// The ending of a name in lower case, without its dot.
pub(super) fn extension(name: &str) -> String {
    Path::new(name)
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}

/// How much of the beginning its form needs.
fn wanted_head(head: &[u8]) -> usize {
    if head.starts_with(b"GGUF") {
        return LONG_HEAD;
    }
    if head.starts_with(super::hdf5::SIGNATURE) {
        return HDF5_HEAD;
    }
    let header = safetensors::header_length(head).and_then(|length| usize::try_from(length).ok());
    header.map_or(0, |length| length.saturating_add(8))
}

/// A reader of little-endian numbers that ends where its bytes end.
#[derive(Clone, Debug)]
pub(in crate::archive) struct Bytes<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(length).ok()?)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N as u64)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        Some(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Up to a newline, which is passed.
    pub fn line(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr::memchr(b'\n', rest)?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// A varint of protobuf.
    pub fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_sampled_at_both_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.bin");
        let mut content = vec![1; 200_000];
        content.push(2);
        std::fs::write(&path, content).unwrap();
        let sample = Sample::read(&path, "long.bin").unwrap();
        assert_eq!((sample.size, sample.head.len()), (200_001, HEAD));
        assert_eq!(sample.tail.as_ref().map(Vec::len), Some(TAIL));
        assert_eq!(sample.ends_with(2), Some(true));
    }

    #[test]
    fn a_long_safetensors_header_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.safetensors");
        let mut content = 100_000_u64.to_le_bytes().to_vec();
        content.push(b'{');
        content.resize(150_000, b' ');
        std::fs::write(&path, content).unwrap();
        assert_eq!(Sample::read(&path, "m.safetensors").unwrap().head.len(), 100_008);
    }

    #[test]
    fn a_varint_ends_within_its_bytes() {
        assert_eq!(Bytes::new(&[0xac, 0x02]).varint(), Some(300));
        assert_eq!(Bytes::new(&[0xff]).varint(), None);
        assert_eq!(Bytes::new(&[0xff; 20]).varint(), None);
    }
}
