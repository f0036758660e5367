//! The directory of a zip archive, row by row, where the library does not show what is needed: it
//! keeps one of several entries with the same name, and all of a directory that is too long.

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

use memchr::memmem;

/// Before each row of the directory.
const ROW: [u8; 4] = *b"PK\x01\x02";
/// Bytes of a row before its name.
const ROW_HEAD: usize = 46;
/// Before the end record of archives with more entries than two bytes can say.
const LARGE_END: &[u8] = b"PK\x06\x06";
/// Where such a record has the number of entries.
const LARGE_END_COUNT: usize = 32;
/// Bytes from the end in which end records are looked for: a comment has up to 64 KiB.
const TAIL: u64 = 128 * 1024;

/// Returns how many entries an archive says it has, or 0 if they are at most 65,535. The number is
/// not checked.
///
/// # Errors
/// The source cannot be read.
pub(super) fn claimed_entries(source: &mut (impl Read + Seek)) -> io::Result<u64> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    source.take(TAIL).read_to_end(&mut tail)?;
    source.seek(SeekFrom::Start(0))?;
    let counts = memmem::find_iter(&tail, LARGE_END).filter_map(|at| {
        let count = tail.get(at + LARGE_END_COUNT..)?.first_chunk::<8>()?;
        Some(u64::from_le_bytes(*count))
    });
    Ok(counts.max().unwrap_or(0))
}

/// Returns the first name that stands twice in the directory.
///
/// # Errors
/// The source cannot be read.
pub(super) fn duplicate_name(
    mut source: impl Read + Seek,
    start: u64,
) -> io::Result<Option<String>> {
    source.seek(SeekFrom::Start(start))?;
    let mut source = io::BufReader::new(source);
    let mut known = HashSet::new();
    loop {
        let mut head = [0; ROW_HEAD];
        source.read_exact(&mut head)?;
        if !head.starts_with(&ROW) {
            return Ok(None);
        }
        let mut name = vec![0; usize::from(u16::from_le_bytes([head[28], head[29]]))];
        source.read_exact(&mut name)?;
        let rest = u32::from(u16::from_le_bytes([head[30], head[31]]))
            + u32::from(u16::from_le_bytes([head[32], head[33]]));
        source.seek_relative(i64::from(rest))?;
        if known.contains(&name) {
            return Ok(Some(String::from_utf8_lossy(&name).into_owned()));
        }
        known.insert(name);
    }
}
