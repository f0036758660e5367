//! A zipped folder taken apart: every entry becomes a payload of its own. Archives come from
//! anybody: names that lead outside, links, bombs and broken entries are refused before anything is
//! registered.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::form::stage_failed;
use super::refusal::Refused;
use super::zip_rows;
use crate::base::IdSource;
use crate::serve::store::{Content, Payload, Staging};

/// Entries that an archive may have.
const MOST_ENTRIES: usize = 100_000;
/// How many times its own size an archive may grow to, beyond [`SMALL`]. Text compresses to a
/// twentieth; only a bomb goes past this.
const LARGEST_RATIO: u64 = 200;
/// Bytes that any archive may grow to.
const SMALL: u64 = 64 * 1024 * 1024;

/// What an archive held: relative paths and contents, in the order in which the service lists them.
pub(super) type Unpacked = Vec<(String, Payload)>;

/// Takes an archive apart; blocks.
pub(super) fn unpack(
    archive: &Payload,
    folder: &Path,
    ids: &IdSource,
    preserve: bool,
) -> Result<Unpacked, Refused> {
    let files = match &archive.content {
        Content::Inline(bytes) => read(Cursor::new(bytes.as_slice()), archive.size, folder, ids)?,
        Content::Staged(staged) => {
            let file = File::open(staged.path()).map_err(|error| stage_failed(&error))?;
            read(std::io::BufReader::new(file), archive.size, folder, ids)?
        }
    };
    let files = if preserve { files } else { flatten(files)? };
    if files.is_empty() {
        return Err(Refused::bad_request("No valid model files found in the uploaded folder"));
    }
    Ok(walk_order(files))
}

fn invalid() -> Refused {
    Refused::bad_request("Invalid zip file")
}

fn too_many_entries() -> Refused {
    Refused::bad_request(format!("The zip file has more than {MOST_ENTRIES} entries"))
}

fn read(
    mut source: impl Read + Seek,
    size: u64,
    folder: &Path,
    ids: &IdSource,
) -> Result<Unpacked, Refused> {
    if zip_rows::claimed_entries(&mut source).map_err(|_| invalid())? > MOST_ENTRIES as u64 {
        // The library keeps what it reads of each.
        return Err(too_many_entries());
    }
    let mut archive = ZipArchive::new(source).map_err(|error| refuse_archive(&error))?;
    if archive.len() > MOST_ENTRIES {
        return Err(too_many_entries());
    }
    if archive.has_duplicate_names() {
        // The library keeps only the last of them, and the service stores only that one.
        return Err(refuse_duplicate(archive));
    }
    let mut budget = SMALL.max(size.saturating_mul(LARGEST_RATIO));
    let mut files: Unpacked = Vec::new();
    let mut known = Names::default();
    for index in 0..archive.len() {
        check_method(&mut archive, index)?;
        let mut entry = archive.by_index(index).map_err(|error| refuse_archive(&error))?;
        let name = entry.name().map_err(|_| invalid())?.into_owned();
        if is_root(&name) {
            continue;
        }
        let path = relative(&name)?;
        if entry.is_symlink() {
            return Err(Refused::bad_request(format!("The zip entry {name:?} is a link")));
        }
        if name.ends_with('/') {
            if entry.size() > 0 {
                let sentence = format!("The zip entry {name:?} is a folder with content");
                return Err(Refused::bad_request(sentence));
            }
            known.add_folder(path)?;
            continue;
        }
        known.add_file(&path)?;
        files.push((path, stage(&mut entry, &mut budget, folder, ids)?));
    }
    Ok(files)
}

/// The names of an archive. An unpacker makes one file of two with the same name, and cannot make a
/// file and a folder of one name.
#[derive(Default)]
struct Names {
    files: HashSet<String>,
    folders: HashSet<String>,
}

impl Names {
    fn add_folder(&mut self, path: String) -> Result<(), Refused> {
        if self.files.contains(&path) {
            return Err(both(&path));
        }
        self.folders.insert(path);
        Ok(())
    }

    fn add_file(&mut self, path: &str) -> Result<(), Refused> {
        if self.folders.contains(path) {
            return Err(both(path));
        }
        for (at, _) in path.match_indices('/') {
            self.add_folder(path[..at].to_owned())?;
        }
        if !self.files.insert(path.to_owned()) {
            return Err(twice(path));
        }
        Ok(())
    }
}

fn twice(path: &str) -> Refused {
    Refused::bad_request(format!("The zip file holds {path:?} twice"))
}

fn both(path: &str) -> Refused {
    Refused::bad_request(format!("In the zip file {path:?} is a file and a folder"))
}

fn refuse_duplicate(archive: ZipArchive<impl Read + Seek>) -> Refused {
    let start = archive.central_directory_start();
    match zip_rows::duplicate_name(archive.into_inner(), start) {
        Ok(Some(name)) => twice(&name),
        _ => Refused::bad_request("The zip file holds two files of one name"),
    }
}

fn refuse_archive(error: &ZipError) -> Refused {
    match error {
        ZipError::UnsupportedArchive(reason) => {
            Refused::bad_request(format!("Unsupported zip file: {reason}"))
        }
        error => invalid().caused_by(error.to_string()),
    }
}

/// Refuses what this server cannot unpack by its name, so that it is not taken for a broken file.
fn check_method(archive: &mut ZipArchive<impl Read + Seek>, index: usize) -> Result<(), Refused> {
    let mut raw = archive.by_index_raw(index).map_err(|error| refuse_archive(&error))?;
    let name = String::from_utf8_lossy(raw.name_raw()).into_owned();
    if raw.encrypted() {
        return Err(Refused::bad_request(format!("The zip entry {name:?} is encrypted")));
    }
    match raw.compression() {
        CompressionMethod::Stored | CompressionMethod::Deflated | CompressionMethod::Bzip2 => {
            Ok(())
        }
        CompressionMethod::Lzma => check_dictionary(&mut raw, &name),
        method => Err(Refused::bad_request(format!(
            "The zip entry {name:?} is compressed with {}, which is not supported",
            method_name(method)
        ))),
    }
}

/// Bytes of a dictionary that a decoder may make: the largest that `xz` makes by a preset.
const LARGEST_DICTIONARY: u32 = 64 * 1024 * 1024;

/// The decoder takes as much memory as the first bytes of the entry say.
fn check_dictionary(raw: &mut impl Read, name: &str) -> Result<(), Refused> {
    // Version, length of the properties, and the properties: a byte and the size.
    let mut head = [0; 9];
    raw.read_exact(&mut head).map_err(|_| invalid())?;
    let size = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    if size <= LARGEST_DICTIONARY {
        return Ok(());
    }
    Err(Refused::new(
        axum::http::StatusCode::PAYLOAD_TOO_LARGE,
        format!("The zip entry {name:?} needs {size} bytes of memory to be unpacked"),
    ))
}

fn method_name(method: CompressionMethod) -> String {
    let number = match method {
        #[expect(deprecated, reason = "it is how the library shows what it does not know")]
        CompressionMethod::Unsupported(number) => number,
        known => return known.to_string(),
    };
    let name = match number {
        1 => "Shrink",
        2..=5 => "Reduce",
        6 => "Implode",
        9 => "Deflate64",
        10 => "PKWARE DCL Implode",
        93 => "Zstandard",
        94 => "MP3",
        95 => "XZ",
        96 => "JPEG",
        97 => "WavPack",
        98 => "PPMd",
        99 => "AES encryption",
        number => return format!("method {number}"),
    };
    name.to_owned()
}

/// Whether an entry is the folder itself, such as `./`.
fn is_root(name: &str) -> bool {
    name.ends_with('/')
        && !name.starts_with('/')
        && name.split('/').all(|part| matches!(part, "" | "."))
}

/// An entry's path, if it stays inside: relative, with `/`, without `..`.
fn relative(name: &str) -> Result<String, Refused> {
    let outside =
        || Refused::bad_request(format!("The zip entry {name:?} leads outside the folder"));
    let is_absolute = name.starts_with(['/', '\\']) || name.as_bytes().get(1) == Some(&b':');
    if is_absolute || name.contains('\0') || name.split(['/', '\\']).any(|part| part == "..") {
        return Err(outside());
    }
    if name.contains('\\') {
        let sentence = format!("The zip entry {name:?} has a backslash where / separates folders");
        return Err(Refused::bad_request(sentence));
    }
    let parts: Vec<&str> =
        name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() {
        return Err(outside());
    }
    Ok(parts.join("/"))
}

fn stage(
    entry: &mut impl Read,
    budget: &mut u64,
    folder: &Path,
    ids: &IdSource,
) -> Result<Payload, Refused> {
    let mut staging = Staging::new(folder, ids).map_err(|error| stage_failed(&error))?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // A wrong checksum or length shows here: the entry is not what the archive says.
        let read = entry.read(&mut buffer).map_err(|_| invalid())?;
        if read == 0 {
            return staging.finish().map_err(|error| stage_failed(&error));
        }
        *budget = budget.checked_sub(read as u64).ok_or_else(|| {
            Refused::new(
                axum::http::StatusCode::PAYLOAD_TOO_LARGE,
                format!("The zip file grows to more than {LARGEST_RATIO} times its size"),
            )
        })?;
        staging.take(&buffer[..read]).map_err(|error| stage_failed(&error))?;
    }
}

/// Base names only. Two files that would get the same name are refused: the service lets one
/// overwrite the other and lists both (contract B16).
fn flatten(files: Unpacked) -> Result<Unpacked, Refused> {
    let mut flat: Unpacked = Vec::new();
    let mut known = HashSet::new();
    for (path, payload) in files {
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        if !known.insert(name.clone()) {
            return Err(Refused::bad_request(format!(
                "Several files are called {name:?}; without preserve_structure only one could stay"
            )));
        }
        flat.push((name, payload));
    }
    Ok(flat)
}

/// The order of the service's directory walk: the files of a folder as they were unpacked, then its
/// folders in the order in which they were made.
fn walk_order(files: Unpacked) -> Unpacked {
    let mut folders: HashMap<String, usize> = HashMap::new();
    for (path, _) in &files {
        for (at, _) in path.match_indices('/') {
            let next = folders.len();
            folders.entry(path[..at].to_owned()).or_insert(next);
        }
    }
    let mut keyed: Vec<(Vec<usize>, usize, (String, Payload))> = files
        .into_iter()
        .enumerate()
        .map(|(place, file)| {
            let steps = file
                .0
                .match_indices('/')
                .map(|(at, _)| folders.get(&file.0[..at]).copied().unwrap_or(usize::MAX));
            (steps.collect(), place, file)
        })
        .collect();
    keyed.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    keyed.into_iter().map(|(_, _, file)| file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn unpacked(bytes: Vec<u8>, preserve: bool) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("staging")).unwrap();
        let archive = Payload {
            size: bytes.len() as u64,
            md5: String::new(),
            crc32: 0,
            content: Content::Inline(bytes),
        };
        unpack(&archive, folder.path(), &IdSource::random(), preserve)
            .map(|files| files.into_iter().map(|(path, _)| path).collect())
            .map_err(|refused| format!("{refused:?}"))
    }

    #[test]
    fn files_come_in_the_order_of_the_services_walk() {
        let bytes = zipped(&[
            ("model/weights.pkl", b"w"),
            ("model/config.json", b"c"),
            ("README.md", b"r"),
        ]);
        assert_eq!(
            unpacked(bytes, true).unwrap(),
            ["README.md", "model/weights.pkl", "model/config.json"]
        );
    }

    #[test]
    fn names_that_lead_outside_are_refused() {
        for name in ["../x", "/etc/x", "a/../../x", "a\\..\\x", "C:/x"] {
            assert!(
                unpacked(zipped(&[(name, b"x")]), true).unwrap_err().contains("leads outside"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = vec![0; 80 * 1024 * 1024];
        assert!(unpacked(zipped(&[("zeros", &zeros)]), true).unwrap_err().contains("413"));
    }

    #[test]
    fn what_is_no_archive_or_an_empty_one_is_refused_in_the_services_words() {
        assert!(unpacked(b"not a zip".to_vec(), true).unwrap_err().contains("Invalid zip file"));
        assert!(unpacked(zipped(&[]), true).unwrap_err().contains("No valid model files found"));
    }

    #[test]
    fn a_broken_entry_is_refused() {
        let mut bytes = zipped(&[("a", &[7; 1000])]);
        bytes[45] ^= 0xff;
        assert!(unpacked(bytes, true).is_err());
    }

    /// An archive whose names were written over: a writer refuses two of the same.
    fn renamed(files: &[(&str, &[u8])], from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = zipped(files);
        while let Some(at) = memchr::memmem::find(&bytes, from.as_bytes()) {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
        bytes
    }

    #[test]
    fn names_that_an_unpacker_makes_one_are_refused() {
        let file = |name| (name, &b"x"[..]);
        for (names, what) in [
            (&["x.pt", "./x.pt"][..], r#""x.pt" twice"#),
            (&["a/x", "a//x"], r#""a/x" twice"#),
            (&["a/./x", "b", "a/x"], r#""a/x" twice"#),
            (&["a", "a/b"], r#""a" is a file and a folder"#),
            (&["a/b/c", "a/b"], r#""a/b" is a file and a folder"#),
            (&["./a/b", "x", "a"], r#""a" is a file and a folder"#),
        ] {
            let files: Vec<_> = names.iter().copied().map(file).collect();
            for preserve in [true, false] {
                let refused = unpacked(zipped(&files), preserve).unwrap_err().replace('\\', "");
                assert!(refused.contains(what), "{names:?}: {refused}");
            }
        }
        for (files, what) in [
            (&[file("one.pt"), file("two.pt")][..], r#""one.pt" twice"#),
            (&[file("a/two.pt"), file("z"), file("a/one.pt"), file("b")], r#""a/one.pt" twice"#),
            (&[file("one.pt"), file("two.pt"), file("x/two.pt")], r#""one.pt" twice"#),
        ] {
            for preserve in [true, false] {
                let bytes = renamed(files, "two.pt", "one.pt");
                let refused = unpacked(bytes, preserve).unwrap_err().replace('\\', "");
                assert!(refused.contains(what), "{refused}");
            }
        }
        assert_eq!(unpacked(zipped(&[file("A"), file("a"), file("b/a")]), true).unwrap().len(), 3);
    }

    #[test]
    fn folders_are_no_files_and_lose_no_content() {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        for folder in ["./", "m/", "m/empty/"] {
            writer.add_directory(folder, options).unwrap();
        }
        writer.start_file("m/a", options).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert_eq!(unpacked(bytes, true).unwrap(), ["m/a"]);
        let filled = renamed(&[("weights.pt", b"w"), ("b", b"b")], "weights.pt", "weights.p/");
        assert!(unpacked(filled, true).unwrap_err().contains("is a folder with content"));
        let backslash = unpacked(zipped(&[("m\\weights", b"w")]), true).unwrap_err();
        assert!(backslash.contains("has a backslash"), "{backslash}");
    }

    #[test]
    fn what_cannot_be_unpacked_is_refused_by_the_name_of_its_method() {
        for (method, name) in [
            (1, "Shrink"),
            (3, "Reduce"),
            (6, "Implode"),
            (9, "Deflate64"),
            (10, "PKWARE"),
            (93, "Zstandard"),
            (95, "XZ"),
            (96, "JPEG"),
            (97, "WavPack"),
            (98, "PPMd"),
            (99, "AES"),
            (77, "method 77"),
        ] {
            let mut bytes = zipped(&[("a.pt", &[7; 1000])]);
            let row = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
            for at in [8, row + 10] {
                bytes[at..at + 2].copy_from_slice(&u16::to_le_bytes(method));
            }
            let refused = unpacked(bytes, true).unwrap_err();
            assert!(refused.contains("400") && !refused.contains("Invalid"), "{refused}");
            assert!(refused.contains(&format!("compressed with {name}")), "{refused}");
        }
        let mut bytes = zipped(&[("a.pt", b"weights")]);
        let row = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        (bytes[6], bytes[row + 8]) = (1, 1);
        assert!(unpacked(bytes, true).unwrap_err().contains("is encrypted"));
    }

    #[test]
    fn bzip2_and_lzma_are_unpacked_and_an_lzma_entry_takes_a_bounded_memory() {
        for method in [CompressionMethod::Bzip2, CompressionMethod::Lzma] {
            let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let options = SimpleFileOptions::default().compression_method(method);
            if writer.start_file("a.pt", options).is_err() {
                // The library writes no LZMA; the entry below was written by Python.
                continue;
            }
            writer.write_all(&[7; 1000]).unwrap();
            assert_eq!(unpacked(writer.finish().unwrap().into_inner(), true).unwrap(), ["a.pt"]);
        }
        let mut entry = LZMA_OF_PYTHON.to_vec();
        assert_eq!(unpacked(entry.clone(), true).unwrap(), ["a.pt"]);
        // The size of the dictionary: four bytes after the version, a length and a byte.
        let data = 30 + "a.pt".len();
        entry[data + 5..data + 9].copy_from_slice(&u32::MAX.to_le_bytes());
        let refused = unpacked(entry, true).unwrap_err();
        assert!(refused.contains("413") && refused.contains("bytes of memory"), "{refused}");
    }

    const LZMA_OF_PYTHON: &[u8] = b"\x50\x4b\x03\x04\x3f\x00\x02\x00\x0e\x00\x00\x00\x21\x5c\x75\x68\xb2\x38\x20\x00\x00\x00\x40\x01\x00\x00\x04\x00\x00\x00\x61\x2e\x70\x74\x09\x04\x05\x00\x5d\x00\x00\x80\x00\x00\x3b\x99\x49\x71\xea\xa6\xa0\x75\xb0\x50\xba\x8a\x6a\xc0\x09\xf7\xff\xff\x95\x60\x00\x00\x50\x4b\x01\x02\x3f\x03\x3f\x00\x02\x00\x0e\x00\x00\x00\x21\x5c\x75\x68\xb2\x38\x20\x00\x00\x00\x40\x01\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x00\x00\x00\x00\x61\x2e\x70\x74\x50\x4b\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x32\x00\x00\x00\x42\x00\x00\x00\x00\x00";

    #[test]
    fn a_directory_that_claims_too_many_entries_is_refused_before_it_is_read() {
        let mut bytes = zipped(&[("a", b"a")]);
        let mut record = b"PK\x06\x06".to_vec();
        record.resize(56, 0);
        record[32..40].copy_from_slice(&1_000_000_u64.to_le_bytes());
        let end = bytes.len() - 22;
        bytes.splice(end..end, record);
        assert!(unpacked(bytes, true).unwrap_err().contains("more than 100000 entries"));
    }

    #[test]
    fn equal_base_names_are_refused_where_folders_go() {
        let bytes = zipped(&[("a/x", b"1"), ("b/x", b"2")]);
        assert!(unpacked(bytes.clone(), false).unwrap_err().contains("Several files"));
        assert_eq!(unpacked(bytes, true).unwrap().len(), 2);
    }
}
