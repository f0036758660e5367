//! Compressing what is worth it: text, in files that fit into memory. The length that a file will
//! have is found by compressing it once to nowhere; sending it compresses it again, and the same
//! program makes the same bytes of the same content.

use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::Path;

use crc32fast::Hasher as Crc;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::pack::{changed, check_unchanged, open_found, reopen};
use super::{ArchiveError, Digest, Identity, Md5};

/// Larger files are stored: what they would be compressed to must be kept until it is sent.
const LARGEST: u64 = 8 << 20;
/// Bytes by which a file is judged to be text.
const JUDGED: usize = 8 * 1024;
const PIECE: usize = 64 * 1024;

/// How the files of an archive are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    /// As they are: the archive's bytes depend on its content alone.
    #[default]
    Stored,
    /// Text of up to 8 MiB a file deflated where that makes it shorter; other versions of this
    /// program may make other bytes of it.
    Compressed,
}

/// The bytes that a file would take deflated; `None` where it is stored.
///
/// # Errors
/// It cannot be read, or is not what was found.
pub(super) fn deflated_length(
    path: &Path,
    promised: &Identity,
) -> Result<Option<NonZeroU32>, ArchiveError> {
    if promised.size == 0 || promised.size > LARGEST {
        return Ok(None);
    }
    let file = reopen(path, promised)?;
    let mut is_text = None;
    let mut counter = Counter(0);
    compress(&file, path, promised, &mut counter, |bytes| {
        let judged = *is_text.get_or_insert_with(|| looks_like_text(bytes));
        Ok(if judged { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    if is_text != Some(true) {
        return Ok(None);
    }
    let shorter = u32::try_from(counter.0).ok().filter(|length| u64::from(*length) < promised.size);
    Ok(shorter.and_then(NonZeroU32::new))
}

/// Appends a file deflated, which must come to what was planned; gives its sums.
///
/// # Errors
/// It cannot be read, or is not what was found.
pub(super) fn deflate(
    path: &Path,
    promised: &Identity,
    planned: NonZeroU32,
    out: &mut Vec<u8>,
) -> Result<(u32, Md5), ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let file = open_found(path)?;
    let before = out.len();
    let (mut crc, mut digest) = (Crc::new(), Digest::start().map_err(at)?);
    compress(&file, path, promised, &mut *out, |bytes| {
        crc.update(bytes);
        digest.update(bytes)?;
        Ok(ControlFlow::Continue(()))
    })?;
    check_unchanged(&file, path, promised)?;
    if u32::try_from(out.len() - before).ok() != Some(planned.get()) {
        return Err(changed(path, "its content is another than a moment before"));
    }
    Ok((crc.finalize(), digest.finish().map_err(at)?))
}

/// Compresses the bytes that were found, or as many of them as `seen` wants; it is shown each piece
/// before. In pieces of one size: what the compressor makes depends on how it is fed.
fn compress(
    mut file: &File,
    path: &Path,
    promised: &Identity,
    out: impl Write,
    mut seen: impl FnMut(&[u8]) -> io::Result<ControlFlow<()>>,
) -> Result<(), ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let mut encoder = DeflateEncoder::new(out, Compression::default());
    let mut piece = Vec::with_capacity(PIECE);
    let mut left = promised.size;
    while left > 0 {
        piece.clear();
        (&mut file).take(left.min(PIECE as u64)).read_to_end(&mut piece).map_err(at)?;
        if piece.is_empty() {
            return Err(changed(path, "it shrank"));
        }
        if seen(&piece).map_err(at)?.is_break() {
            return Ok(());
        }
        encoder.write_all(&piece).map_err(at)?;
        left -= piece.len() as u64;
    }
    encoder.finish().map(drop).map_err(at)
}

/// Whether the beginning of a file is text: UTF-8 without control characters but those of text.
fn looks_like_text(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(JUDGED)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut in two where the judged part ends.
        Err(error) if error.error_len().is_none() && bytes.len() > JUDGED => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && !text.chars().any(|c| c.is_control() && !"\t\n\r\u{c}\u{1b}".contains(c))
}

/// Counts what is written to it.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_what_only_begins_like_it() {
        let long = "é".repeat(JUDGED);
        for text in ["{\"a\": 1}\n", "Größe\t模型\r\n", &long[..JUDGED]] {
            assert!(looks_like_text(text.as_bytes()), "{text}");
        }
        let cut = [b"x".as_slice(), long.as_bytes()].concat();
        assert!(looks_like_text(&cut));
        for other in
            [b"".as_slice(), b"GGUF\0\0", b"\x80\x02}q", b"\xff\xfe", "é".as_bytes().split_at(1).0]
        {
            assert!(!looks_like_text(other), "{other:?}");
        }
    }

    #[test]
    fn what_was_counted_is_what_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocab.txt");
        let lines: String =
            (0..200_000).map(|n| format!("token-{}\n", n * 7919 % 65_537)).collect();
        std::fs::write(&path, &lines).unwrap();
        let identity = Identity::of(&path.metadata().unwrap());
        let planned = deflated_length(&path, &identity).unwrap().unwrap();
        let mut out = b"before".to_vec();
        let (crc, _) = deflate(&path, &identity, planned, &mut out).unwrap();
        assert_eq!(out.len() - 6, usize::try_from(planned.get()).unwrap());
        assert_eq!(crc, crc32fast::hash(lines.as_bytes()));
        let mut back = String::new();
        flate2::read::DeflateDecoder::new(&out[6..]).read_to_string(&mut back).unwrap();
        assert_eq!(back, lines);
    }

    #[test]
    fn what_gains_nothing_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let nothing = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            deflated_length(&path, &Identity::of(&path.metadata().unwrap())).unwrap().is_none()
        };
        assert!(nothing(b""));
        assert!(nothing(b"ab"));
        assert!(nothing(&[0; 5000]));
        assert!(nothing(&vec![b'a'; usize::try_from(LARGEST).unwrap() + 1]));
        assert!(!nothing(&vec![b'a'; usize::try_from(LARGEST).unwrap()]));
    }
}
