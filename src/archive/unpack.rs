//! A downloaded archive taken apart into a folder, under rules that hold whatever its names say: no
//! path leaves the folder, no link is made or followed, nothing is overwritten.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::ArchiveError;

/// How many times its own size an archive may grow to, beyond [`SMALL`].
const LARGEST_RATIO: u64 = 200;
/// Bytes that any archive may grow to.
const SMALL: u64 = 64 * 1024 * 1024;

/// A server's file name as a name in a folder of ours.
///
/// # Errors
/// It is empty, `.` or `..`, a path, or holds control characters.
pub fn local_name(name: &str) -> Result<&str, ArchiveError> {
    let refuse = |reason| Err(ArchiveError::Name { path: PathBuf::from(name), reason });
    if name.is_empty() || name == "." || name == ".." {
        return refuse("names no file");
    }
    if name.contains(['/', '\\']) {
        return refuse("is a path");
    }
    if name.chars().any(char::is_control) {
        return refuse("holds control characters");
    }
    Ok(name)
}

/// An entry's name as a path below a folder.
fn local_path(name: &str) -> Result<PathBuf, ArchiveError> {
    let refuse = |reason| Err(ArchiveError::Name { path: PathBuf::from(name), reason });
    if name.contains('\\') || name.chars().any(char::is_control) {
        return refuse("holds characters that no file here may have");
    }
    let path = Path::new(name);
    if path.components().any(|part| !matches!(part, Component::Normal(_)))
        || path.as_os_str().is_empty()
    {
        return refuse("leads out of the folder");
    }
    Ok(path.to_owned())
}

/// Unpacks every file of `archive` into `folder`, which must be new. Returns the paths, relative.
///
/// # Errors
/// The archive cannot be read, grows beyond reason, holds a name or a link that is not allowed, the
/// disk fails, or `stop` is set meanwhile. What was written by then stays for whoever made the folder
/// to remove.
pub fn unpack(
    archive: &Path,
    folder: &Path,
    stop: &AtomicBool,
) -> Result<Vec<PathBuf>, ArchiveError> {
    let bad = |reason: String| ArchiveError::BadZip { path: archive.to_owned(), reason };
    let file = File::open(archive).map_err(|error| ArchiveError::at(archive, error))?;
    let size = file.metadata().map_err(|error| ArchiveError::at(archive, error))?.len();
    let mut left = SMALL.max(size.saturating_mul(LARGEST_RATIO));
    let mut zip =
        zip::ZipArchive::new(io::BufReader::new(file)).map_err(|error| bad(error.to_string()))?;
    let mut written = Vec::new();
    let mut seen = HashSet::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|error| bad(error.to_string()))?;
        let name = entry.name().map_err(|error| bad(error.to_string()))?.into_owned();
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            return Err(bad(format!("{name} is a symbolic link")));
        }
        let path = local_path(&name)?;
        if !seen.insert(path.clone()) {
            return Err(bad(format!("{name} stands in it twice")));
        }
        left = left
            .checked_sub(write_entry(&mut entry, &folder.join(&path), left, stop)?)
            .ok_or_else(|| bad("it grows beyond reason".to_owned()))?;
        written.push(path);
    }
    Ok(written)
}

/// Writes one entry to a new file, at most `limit` bytes and some more.
fn write_entry(
    entry: &mut impl io::Read,
    path: &Path,
    limit: u64,
    stop: &AtomicBool,
) -> Result<u64, ArchiveError> {
    let at = |error| ArchiveError::Unwritable { path: path.to_owned(), cause: error };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(at)?;
    }
    let mut file = File::create_new(path).map_err(at)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut written = 0;
    while written <= limit {
        if stop.load(Ordering::Relaxed) {
            return Err(ArchiveError::Stopped);
        }
        match entry.read(&mut buffer).map_err(at)? {
            0 => break,
            count => {
                file.write_all(&buffer[..count]).map_err(at)?;
                written += count as u64;
            }
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    static GO: AtomicBool = AtomicBool::new(false);

    fn archive(folder: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
        let path = folder.join("a.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    #[test]
    fn files_land_under_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path(), &[("d/a.bin", b"1"), ("b", b"22")]);
        let target = folder.path().join("out");
        assert_eq!(unpack(&path, &target, &GO).unwrap().len(), 2);
        assert_eq!(std::fs::read(target.join("d/a.bin")).unwrap(), b"1");
    }

    #[test]
    fn no_entry_leaves_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["../x", "/etc/x", "a/../../x", "c:\\x", "a\nb"] {
            let path = archive(folder.path(), &[(name, b"1")]);
            let target = folder.path().join("out");
            assert!(unpack(&path, &target, &GO).is_err(), "{name:?}");
        }
        assert!(!folder.path().join("x").exists());
    }

    #[test]
    fn nothing_is_overwritten_and_a_bomb_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("a"), "mine").unwrap();
        let path = archive(folder.path(), &[("a", b"theirs")]);
        assert!(unpack(&path, &target, &GO).is_err());
        assert_eq!(std::fs::read(target.join("a")).unwrap(), b"mine");
        let zeros = vec![0; 80 << 20];
        let path = archive(folder.path(), &[("zeros", &zeros)]);
        assert!(unpack(&path, &folder.path().join("bomb"), &GO).is_err());
    }

    #[test]
    fn a_servers_name_is_a_name_and_no_path() {
        assert_eq!(local_name("model.pt").unwrap(), "model.pt");
        for bad in ["", "..", "a/b", "a\\b", "a\r"] {
            assert!(local_name(bad).is_err(), "{bad:?}");
        }
    }
}
