//! A zipped folder taken apart: every entry becomes a payload of its own. Archives come from
//! anybody: names that lead outside, links, bombs and broken entries are refused before anything is
//! registered.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::form::stage_failed;
use super::refusal::Refused;
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

fn read(
    source: impl Read + Seek,
    size: u64,
    folder: &Path,
    ids: &IdSource,
) -> Result<Unpacked, Refused> {
    let mut archive = ZipArchive::new(source).map_err(|_| invalid())?;
    if archive.len() > MOST_ENTRIES {
        return Err(Refused::bad_request(format!(
            "The zip file has more than {MOST_ENTRIES} entries"
        )));
    }
    let mut budget = SMALL.max(size.saturating_mul(LARGEST_RATIO));
    let mut files: Unpacked = Vec::new();
    let mut known = HashSet::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| refuse_entry(&error))?;
        let name = entry.name().map_err(|_| invalid())?.into_owned();
        if entry.is_dir() {
            continue;
        }
        let path = relative(&name)?;
        if entry.is_symlink() {
            return Err(Refused::bad_request(format!("The zip entry {name:?} is a link")));
        }
        if !known.insert(path.clone()) {
            return Err(Refused::bad_request(format!("The zip file holds {path:?} twice")));
        }
        files.push((path, stage(&mut entry, &mut budget, folder, ids)?));
    }
    Ok(files)
}

fn refuse_entry(error: &ZipError) -> Refused {
    match error {
        ZipError::UnsupportedArchive(reason) => {
            Refused::bad_request(format!("Invalid zip file: {reason}"))
        }
        _ => invalid(),
    }
}

/// An entry's path, if it stays inside: relative, with `/`, without `..`.
fn relative(name: &str) -> Result<String, Refused> {
    let outside =
        || Refused::bad_request(format!("The zip entry {name:?} leads outside the folder"));
    if name.starts_with('/')
        || name.contains(['\\', '\0'])
        || name.contains(':') && name.as_bytes().get(1) == Some(&b':')
    {
        return Err(outside());
    }
    let parts: Vec<&str> =
        name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() || parts.contains(&"..") {
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

    #[test]
    fn equal_base_names_are_refused_where_folders_go() {
        let bytes = zipped(&[("a/x", b"1"), ("b/x", b"2")]);
        assert!(unpacked(bytes.clone(), false).unwrap_err().contains("Several files"));
        assert_eq!(unpacked(bytes, true).unwrap().len(), 2);
    }
}
