//! The directory of a zip, read from its end, and the contents of its entries. Unlike a library it
//! keeps entries with equal names apart and says why one cannot be read.

use std::io::{self, Read};

use memchr::memmem;

use super::packed::Packer;
use crate::archive::recognise::Bytes;
use crate::archive::window::Window;

const END: &[u8] = b"PK\x05\x06";
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
const ENTRY: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;
/// The end record with the longest comment.
const TAIL: usize = 66 * 1024;
/// The longest directory that is read, in bytes.
const DIRECTORY_MOST: u64 = 64 * 1024 * 1024;
/// Bit 0 of an entry's flags.
const ENCRYPTED: u16 = 1;
/// Memory that an entry of lzma may take, in KiB.
const MEMORY_MOST: u32 = 128 * 1024;

/// What the directory says of an entry.
#[derive(Clone, Debug)]
pub(in crate::archive) struct ZipEntry {
    pub name: String,
    /// Unpacked bytes.
    pub size: u64,
    flags: u16,
    method: u16,
    packed: u64,
    offset: u64,
}

/// The content of an entry.
pub(in crate::archive) enum EntryContent<'a> {
    /// Bytes of the archive as they are.
    Stored(Window<'a>),
    Packed(Box<dyn Read + 'a>),
}

impl ZipEntry {
    /// The same entry under another name.
    pub fn renamed(self, name: String) -> Self {
        Self { name, ..self }
    }

    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// Opens the entry; the refusal is a fragment for people.
    pub fn open<'a>(&self, archive: Window<'a>) -> Result<EntryContent<'a>, String> {
        if self.flags & ENCRYPTED != 0 || self.method == 99 {
            return Err("is encrypted".to_owned());
        }
        let packed = self.data(archive).ok_or("is damaged: its place is not in the archive")?;
        Ok(match self.method {
            0 => EntryContent::Stored(packed),
            8 => EntryContent::Packed(Box::new(flate2::read::DeflateDecoder::new(packed.reader()))),
            12 => EntryContent::Packed(unpack(Packer::Bzip2, packed)?),
            14 => EntryContent::Packed(lzma(packed, self.size)?),
            93 => EntryContent::Packed(unpack(Packer::Zstd, packed)?),
            95 => EntryContent::Packed(unpack(Packer::Xz, packed)?),
            method => return Err(format!("is packed with the method {method}, unknown here")),
        })
    }

    /// The packed bytes, behind the entry's own header.
    fn data<'a>(&self, archive: Window<'a>) -> Option<Window<'a>> {
        let header = archive.bytes(self.offset, 30).ok()?;
        let mut bytes = Bytes::new(&header);
        if bytes.u32()? != LOCAL {
            return None;
        }
        bytes.take(22)?;
        let (name, extra) = (bytes.u16()?, bytes.u16()?);
        let start = self.offset.checked_add(30 + u64::from(name) + u64::from(extra))?;
        archive.part(start, self.packed)
    }
}

fn unpack(packer: Packer, packed: Window<'_>) -> Result<Box<dyn Read + '_>, String> {
    packer.decoder(packed.reader()).map_err(|error| format!("is damaged: {error}"))
}

/// The form of lzma in zips: a version, the length of the properties, and these without a length.
fn lzma(packed: Window<'_>, size: u64) -> Result<Box<dyn Read + '_>, String> {
    let damaged = |error: io::Error| format!("is damaged: {error}");
    let head = packed.bytes(0, 9).map_err(damaged)?;
    let mut bytes = Bytes::new(&head);
    let fields = (|| {
        bytes.take(4)?;
        Some((bytes.u8()?, bytes.u32()?))
    })();
    let (properties, dictionary) = fields.ok_or("is damaged: it has no properties of lzma")?;
    if u64::from(dictionary) > u64::from(MEMORY_MOST) * 1024 {
        return Err("needs more memory than is given".to_owned());
    }
    let content = io::BufReader::new(packed.from(9).reader());
    let reader =
        lzma_rust2::LzmaReader::new_with_props(content, size, properties, dictionary, None);
    Ok(Box::new(reader.map_err(damaged)?))
}

/// Reads the directory of a zip, also of one with other bytes before it.
pub(in crate::archive) fn read_directory(archive: Window<'_>) -> io::Result<Option<Vec<ZipEntry>>> {
    let tail = archive.tail(TAIL)?;
    let tail_start = archive.length() - tail.len() as u64;
    let Some(end) = memmem::rfind(&tail, END) else { return Ok(None) };
    let Some(place) = Place::read(archive, &tail, end, tail_start)? else { return Ok(None) };
    if place.length > DIRECTORY_MOST {
        return Ok(None);
    }
    let most = usize::try_from(place.length).unwrap_or(usize::MAX);
    let directory = archive.bytes(place.start, most)?;
    let mut bytes = Bytes::new(&directory);
    let mut entries = Vec::new();
    while (bytes.at as u64) < place.length {
        match read_entry(&mut bytes, place.shift) {
            Some(entry) => entries.push(entry),
            None => return Ok(None),
        }
    }
    Ok(Some(entries))
}

/// Where a directory is.
struct Place {
    start: u64,
    length: u64,
    /// Bytes before the archive, which its own offsets do not count.
    shift: u64,
}

impl Place {
    fn read(archive: Window<'_>, tail: &[u8], end: usize, start: u64) -> io::Result<Option<Self>> {
        let fields = |record: &[u8]| {
            let mut bytes = Bytes::new(record);
            bytes.take(12)?;
            Some((u64::from(bytes.u32()?), u64::from(bytes.u32()?)))
        };
        let Some((mut length, mut offset)) = fields(&tail[end..]) else { return Ok(None) };
        let mut behind = start + end as u64;
        if let Some(long) = Self::long(archive, behind)? {
            (length, offset, behind) = long;
        }
        let Some(start) = behind.checked_sub(length) else { return Ok(None) };
        Ok(start.checked_sub(offset).map(|shift| Self { start, length, shift }))
    }

    /// Length, offset and end of the directory by the long record, if there is one.
    fn long(archive: Window<'_>, end: u64) -> io::Result<Option<(u64, u64, u64)>> {
        let Some(locator) = end.checked_sub(20) else { return Ok(None) };
        let record = archive.bytes(locator, 20)?;
        let mut bytes = Bytes::new(&record);
        if bytes.u32() != Some(LOCATOR_64) {
            return Ok(None);
        }
        // The record is right before its locator, unless it has a field for later versions.
        let stated = bytes.take(4).and_then(|_| bytes.u64());
        for at in [locator.checked_sub(56), stated].into_iter().flatten() {
            let record = archive.bytes(at, 56)?;
            let mut bytes = Bytes::new(&record);
            if bytes.u32() == Some(END_64) {
                bytes.take(36);
                return Ok(bytes
                    .u64()
                    .zip(bytes.u64())
                    .map(|(length, offset)| (length, offset, at)));
            }
        }
        Ok(None)
    }
}

fn read_entry(bytes: &mut Bytes<'_>, shift: u64) -> Option<ZipEntry> {
    if bytes.u32()? != ENTRY {
        return None;
    }
    bytes.take(4)?;
    let (flags, method) = (bytes.u16()?, bytes.u16()?);
    bytes.take(8)?;
    let (packed, size) = (u64::from(bytes.u32()?), u64::from(bytes.u32()?));
    let (name, extra, comment) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
    bytes.take(8)?;
    let offset = u64::from(bytes.u32()?);
    let name = String::from_utf8_lossy(bytes.take(name.into())?).into_owned();
    let extra = bytes.take(extra.into())?;
    bytes.take(comment.into())?;
    let mut entry = ZipEntry { name, size, flags, method, packed, offset };
    entry.widen(extra);
    entry.offset = entry.offset.checked_add(shift)?;
    Some(entry)
}

impl ZipEntry {
    /// Takes the values that do not fit 32 bits from the extra field of zip64.
    fn widen(&mut self, extra: &[u8]) {
        let mut bytes = Bytes::new(extra);
        while let (Some(kind), Some(length)) = (bytes.u16(), bytes.u16()) {
            let Some(field) = bytes.take(length.into()) else { return };
            if kind == 1 {
                let mut field = Bytes::new(field);
                for value in [&mut self.size, &mut self.packed, &mut self.offset] {
                    if *value == u64::from(u32::MAX) {
                        *value = field.u64().unwrap_or(*value);
                    }
                }
                return;
            }
        }
    }
}
