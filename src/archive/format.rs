//! The bytes of a zip archive around its entries, as pure functions (APPNOTE 6.3.10). Sizes
//! and checksums are known before an entry's header, so there are no data descriptors, every length
//! can be computed beforehand, and the same entries give the same bytes.
//!
//! Times are 1980-01-01, modes are 0644, names are UTF-8. Entries over 4 GiB, offsets over 4 GiB
//! and more than 65,534 entries take the zip64 records.

use std::num::NonZeroU32;

/// What must be known of an entry before its header is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryHead {
    /// Relative, with `/` between its parts.
    pub name: String,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes that the entry takes where it is deflated; what is over 4 GiB is always stored.
    pub deflated: Option<NonZeroU32>,
    pub crc32: u32,
}

impl EntryHead {
    /// Bytes between this header and the next one.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.deflated.map_or(self.size, |length| u64::from(length.get()))
    }

    fn method(&self) -> u16 {
        if self.deflated.is_some() { DEFLATED } else { STORED }
    }
}

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
/// Bit 11: the name is UTF-8.
const UTF8: u16 = 1 << 11;
/// 1980-01-01 in the format of MS-DOS; the time of day is zero.
const DATE: u16 = 0x21;
/// A value that says: look into the zip64 record.
const IN_ZIP64: u32 = u32::MAX;
/// Unix, version 4.5 of the specification, for zip64.
const MADE_BY: u16 = 3 << 8 | 45;
/// A regular file with mode 0644, in the upper half.
const MODE: u32 = 0o100_644 << 16;

const fn is_large(value: u64) -> bool {
    value >= IN_ZIP64 as u64
}

struct Writer(Vec<u8>);

impl Writer {
    fn u16(&mut self, value: u16) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    /// A 32-bit field, or the mark that its value stands in the zip64 record.
    fn size(&mut self, value: u64) -> &mut Self {
        self.u32(u32::try_from(value).unwrap_or(IN_ZIP64))
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }
}

/// Lengths of names and records fit 16 bits: longer names are refused when an archive is planned.
fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// The header that stands before an entry's bytes.
#[must_use]
pub fn local_header(entry: &EntryHead) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(50 + entry.name.len()));
    let large = is_large(entry.size);
    out.u32(LOCAL)
        .u16(if large { 45 } else { 20 })
        .u16(UTF8)
        .u16(entry.method())
        .u16(0)
        .u16(DATE)
        .u32(entry.crc32);
    out.size(entry.taken()).size(entry.size).u16(short(entry.name.len())).u16(if large {
        20
    } else {
        0
    });
    out.bytes(entry.name.as_bytes());
    if large {
        // A local record must hold both sizes.
        out.u16(1).u16(16).u64(entry.size).u64(entry.size);
    }
    out.0
}

/// The bytes of [`local_header`], without making it.
#[must_use]
pub fn local_header_length(name: &str, size: u64) -> u64 {
    30 + name.len() as u64 + if is_large(size) { 20 } else { 0 }
}

/// The row of the directory for an entry whose local header begins at `offset`.
#[must_use]
pub fn central_header(entry: &EntryHead, offset: u64) -> Vec<u8> {
    let mut record = Writer(Vec::new());
    if is_large(entry.size) {
        record.u64(entry.size).u64(entry.size);
    }
    if is_large(offset) {
        record.u64(offset);
    }
    let mut extra = Writer(Vec::new());
    if !record.0.is_empty() {
        extra.u16(1).u16(short(record.0.len())).bytes(&record.0);
    }
    let mut out = Writer(Vec::with_capacity(46 + entry.name.len() + extra.0.len()));
    let needed = if extra.0.is_empty() { 20 } else { 45 };
    out.u32(CENTRAL).u16(MADE_BY).u16(needed).u16(UTF8).u16(entry.method());
    out.u16(0).u16(DATE).u32(entry.crc32);
    out.size(entry.taken()).size(entry.size).u16(short(entry.name.len())).u16(short(extra.0.len()));
    out.u16(0).u16(0).u16(0).u32(MODE).size(offset);
    out.bytes(entry.name.as_bytes()).bytes(&extra.0);
    out.0
}

fn central_header_length(name: &str, size: u64, offset: u64) -> u64 {
    let record = if is_large(size) { 16 } else { 0 } + if is_large(offset) { 8 } else { 0 };
    46 + name.len() as u64 + if record > 0 { 4 + record } else { 0 }
}

/// What stands behind the last entry: the directory and its end.
#[must_use]
pub fn directory(entries: &[EntryHead]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut offset = 0;
    for entry in entries {
        out.extend(central_header(entry, offset));
        offset += local_header_length(&entry.name, entry.size) + entry.taken();
    }
    let length = out.len() as u64;
    out.extend(end(entries.len() as u64, offset, length));
    out
}

/// What stands behind the directory of `count` rows and `length` bytes that begins at `offset`.
#[must_use]
pub fn end(count: u64, offset: u64, length: u64) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    if needs_end64(count, offset, length) {
        out.u32(END64)
            .u64(44)
            .u16(MADE_BY)
            .u16(45)
            .u32(0)
            .u32(0)
            .u64(count)
            .u64(count)
            .u64(length)
            .u64(offset);
        out.u32(LOCATOR64).u32(0).u64(offset + length).u32(1);
    }
    let short_count = u16::try_from(count).unwrap_or(u16::MAX);
    out.u32(END).u16(0).u16(0).u16(short_count).u16(short_count).size(length).size(offset).u16(0);
    out.0
}

const fn needs_end64(count: u64, offset: u64, length: u64) -> bool {
    count >= u16::MAX as u64 || is_large(offset) || is_large(length)
}

/// The length of the whole archive, from the names of its entries and the bytes that they take.
#[must_use]
pub fn archive_length<'a>(entries: impl IntoIterator<Item = (&'a str, u64)>) -> u64 {
    let (mut offset, mut directory, mut count) = (0, 0, 0);
    for (name, size) in entries {
        directory += central_header_length(name, size, offset);
        offset += local_header_length(name, size) + size;
        count += 1;
    }
    let end64 = if needs_end64(count, offset, directory) { 56 + 20 } else { 0 };
    offset + directory + end64 + 22
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read};

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let entries: Vec<EntryHead> = files
            .iter()
            .map(|(name, bytes)| EntryHead {
                name: (*name).to_owned(),
                size: bytes.len() as u64,
                deflated: None,
                crc32: crc32fast::hash(bytes),
            })
            .collect();
        let mut out = Vec::new();
        for (entry, (_, bytes)) in entries.iter().zip(files) {
            out.extend(local_header(entry));
            out.extend(*bytes);
        }
        out.extend(directory(&entries));
        out
    }

    #[test]
    fn another_implementation_reads_what_was_written() {
        let files: [(&str, &[u8]); 3] =
            [("a.txt", b"hello"), ("μ/leer", b""), ("b/c.bin", &[7; 3000])];
        let bytes = archive(&files);
        assert_eq!(
            bytes.len() as u64,
            archive_length(files.iter().map(|(name, bytes)| (*name, bytes.len() as u64)))
        );
        let mut read = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for (name, content) in files {
            let mut entry = read.by_name(name).unwrap();
            let mut got = Vec::new();
            entry.read_to_end(&mut got).unwrap();
            assert_eq!(got, content, "{name}");
            assert_eq!(entry.unix_mode(), Some(0o100_644));
        }
    }

    #[test]
    fn many_entries_take_the_zip64_end() {
        let names: Vec<String> = (0..65_600).map(|index| format!("f{index}")).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
        let bytes = archive(&files);
        assert_eq!(bytes.len() as u64, archive_length(files.iter().map(|(name, _)| (*name, 1))));
        assert_eq!(zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len(), files.len());
    }

    #[test]
    fn large_entries_take_the_zip64_records() {
        let large = EntryHead { name: "big".into(), size: 5 << 30, deflated: None, crc32: 1 };
        let after = EntryHead { name: "after".into(), size: 1, deflated: None, crc32: 2 };
        assert_eq!(local_header(&large).len() as u64, local_header_length("big", large.size));
        let headers = local_header(&large).len() + local_header(&after).len();
        let all = headers + directory(&[large.clone(), after]).len();
        assert_eq!(
            all as u64 + large.size + 1,
            archive_length([("big", large.size), ("after", 1)])
        );
    }
}
