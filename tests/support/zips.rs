//! Archives made entry by entry, the honest and the hostile.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An archive of these entries, compressed.
pub fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An archive of these entries as they are.
pub fn stored(entries: &[(&str, &[u8])]) -> Vec<u8> {
    packed(entries, CompressionMethod::Stored)
}

/// An archive of these entries by one method.
pub fn packed(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The same archive with other bytes in every place of these: a name, or a content.
pub fn patched(mut archive: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = archive
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| *w == from)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty(), "nothing to patch");
    places.iter().for_each(|at| archive[*at..*at + to.len()].copy_from_slice(to));
    archive
}

/// The same archive with another value in a field of its first entry: at `local` in the header before
/// it, at `central` in the directory.
pub fn with_field(mut archive: Vec<u8>, local: usize, central: usize, value: u16) -> Vec<u8> {
    for (head, place) in [(b"PK\x03\x04", local), (b"PK\x01\x02", central)] {
        let at = archive.windows(4).position(|four| four == head).unwrap() + place;
        archive[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    archive
}

/// The same archive with an encrypted first entry, as its flags have it.
pub fn encrypted(archive: Vec<u8>) -> Vec<u8> {
    with_field(archive, 6, 8, 1)
}

/// The same archive with a first entry of another method.
pub fn with_method(archive: Vec<u8>, method: u16) -> Vec<u8> {
    with_field(archive, 8, 10, method)
}

/// An archive with one symbolic link.
pub fn zipped_link(name: &str, target: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink(name, target, SimpleFileOptions::default()).unwrap();
    writer.finish().unwrap().into_inner()
}

/// An archive whose entries all have the bytes of the first one. The names have one length.
pub fn overlapping(names: &[String], content: &[u8]) -> Vec<u8> {
    let whole = zipped(&[(&names[0], content)]);
    let end = whole.len() - 22;
    let number = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
    let (length, start) = (number(end + 12), number(end + 16));
    let entry = &whole[start..start + length];
    let mut archive = whole[..start].to_vec();
    for name in names {
        let mut entry = entry.to_vec();
        entry[46..46 + name.len()].copy_from_slice(name.as_bytes());
        archive.extend_from_slice(&entry);
    }
    let mut tail = whole[end..].to_vec();
    let count = u16::try_from(names.len()).unwrap().to_le_bytes();
    tail[8..10].copy_from_slice(&count);
    tail[10..12].copy_from_slice(&count);
    let size = u32::try_from(length * names.len()).unwrap();
    tail[12..16].copy_from_slice(&size.to_le_bytes());
    archive.extend_from_slice(&tail);
    archive
}

/// An archive of copies of one content, each with its own bytes, packed once.
pub fn repeated(names: &[String], content: &[u8]) -> Vec<u8> {
    let one = zipped(&[("one", content)]);
    let mut packed = zip::ZipArchive::new(Cursor::new(one)).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        let entry = packed.by_index_raw(0).unwrap();
        writer.raw_copy_file_rename(entry, name.as_str()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
