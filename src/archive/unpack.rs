//! A downloaded archive taken apart into a folder, under rules that hold whatever its names say: no
//! path leaves the folder, no link is made or followed, nothing is overwritten.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{ArchiveError, Digest, Md5, ReadyZip, leads_outside, unpacked_path};
use crate::base::file::open_regular;

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
    let path = unpacked_path(name);
    if leads_outside(name) || path.is_empty() {
        return refuse("leads out of the folder");
    }
    Ok(PathBuf::from(&*path))
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
    let (mut zip, size) = open(archive)?;
    ReadyZip::open(archive)?.refuse_overlap()?;
    let mut left = SMALL.max(size.saturating_mul(LARGEST_RATIO));
    let mut written = Vec::new();
    let mut seen = HashSet::new();
    for index in 0..zip.len() {
        if stop.load(Ordering::Relaxed) {
            return Err(ArchiveError::Stopped);
        }
        let mut entry = zip.by_index(index).map_err(|error| bad(archive, &error))?;
        let name = entry.name().map_err(|error| bad(archive, &error))?.into_owned();
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            return Err(bad(archive, &format!("{name} is a symbolic link")));
        }
        let path = local_path(&name)?;
        if !seen.insert(path.clone()) {
            return Err(bad(archive, &format!("{name} stands in it twice")));
        }
        let target = folder.join(&path);
        let mut file = create_below(&target)?;
        let count = copy(archive, &name, &mut entry, (&target, &mut file), left, stop)?;
        left = left.checked_sub(count).ok_or_else(|| bad(archive, &"it grows beyond reason"))?;
        written.push(path);
    }
    Ok(written)
}

/// Unpacks one file of `archive`, by the path that unpacking gives it, into an open one, and returns
/// its size and its sum. Of a file that is larger than `limit` it writes a little more than that.
///
/// # Errors
/// The archive has no such file or cannot be read, the disk fails, or `stop` is set meanwhile.
pub fn unpack_one(
    archive: &Path,
    path: &str,
    (target, file): (&Path, &mut File),
    limit: u64,
    stop: &AtomicBool,
) -> Result<(u64, Md5), ArchiveError> {
    let (mut zip, _) = open(archive)?;
    let is_wanted = |name: &str| unpacked_path(name) == path && !name.ends_with('/');
    let name = zip.file_names().flatten().find(|name| is_wanted(name)).map(Cow::into_owned);
    let missing = || bad(archive, &format!("it has no file {path}"));
    let name = name.ok_or_else(missing)?;
    let index = zip.index_for_name(&name).ok_or_else(missing)?;
    let mut entry = zip.by_index(index).map_err(|error| bad(archive, &error))?;
    let fail = |cause| ArchiveError::Unwritable { path: target.to_owned(), cause };
    let mut summed = Summed { file, digest: Digest::start().map_err(fail)? };
    let size = copy(archive, path, &mut entry, (target, &mut summed), limit, stop)?;
    Ok((size, summed.digest.finish().map_err(fail)?))
}

/// A file and the sum of what is written to it.
struct Summed<'a> {
    file: &'a mut File,
    digest: Digest,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.digest.update(&bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(archive: &Path) -> Result<(zip::ZipArchive<BufReader<File>>, u64), ArchiveError> {
    let at = |error| ArchiveError::at(archive, error);
    let file = open_regular(archive).map_err(at)?;
    let size = file.metadata().map_err(at)?.len();
    let zip = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| bad(archive, &error))?;
    if zip.has_duplicate_names() {
        return Err(bad(archive, &"a name stands in it twice"));
    }
    Ok((zip, size))
}

fn bad(archive: &Path, reason: &dyn ToString) -> ArchiveError {
    ArchiveError::BadZip { path: archive.to_owned(), reason: reason.to_string() }
}

/// Creates a file that is not there, with its folders.
fn create_below(path: &Path) -> Result<File, ArchiveError> {
    let fail = |cause| ArchiveError::Unwritable { path: path.to_owned(), cause };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(fail)?;
    }
    File::create_new(path).map_err(fail)
}

/// Writes the content of an entry, at most `limit` bytes and some more. An error of reading is the
/// archive's, an error of writing the disk's.
fn copy(
    archive: &Path,
    name: &str,
    entry: &mut impl io::Read,
    (path, file): (&Path, &mut impl Write),
    limit: u64,
    stop: &AtomicBool,
) -> Result<u64, ArchiveError> {
    let mut buffer = vec![0; 64 * 1024];
    let mut written = 0;
    while written <= limit {
        if stop.load(Ordering::Relaxed) {
            return Err(ArchiveError::Stopped);
        }
        let read = entry.read(&mut buffer);
        match read.map_err(|error| bad(archive, &format!("{name}: {error}")))? {
            0 => break,
            count => {
                file.write_all(&buffer[..count])
                    .map_err(|cause| ArchiveError::Unwritable { path: path.to_owned(), cause })?;
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
    fn a_dot_and_an_empty_part_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = archive(folder.path(), &[("./a", b"1"), ("b//c", b"22")]);
        let target = folder.path().join("out");
        unpack(&path, &target, &GO).unwrap();
        assert_eq!(std::fs::read(target.join("b/c")).unwrap(), b"22");
        let twice = archive(folder.path(), &[("a", b"1"), ("./a", b"22")]);
        assert!(unpack(&twice, &folder.path().join("twice"), &GO).is_err());
    }

    #[test]
    fn a_fault_of_the_archive_is_none_of_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        writer.start_file("a", stored).unwrap();
        writer.write_all(b"content").unwrap();
        writer.finish().unwrap();
        let whole = std::fs::read(&path).unwrap();
        let row = memchr::memmem::find(&whole, b"PK\x01\x02").unwrap();
        // A byte of the content; the method; the bit of encryption, in the directory alone.
        for (at, value) in [(33, b'X'), (row + 10, 99), (row + 8, 1)] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            std::fs::write(&path, bytes).unwrap();
            let target = folder.path().join(format!("out{at}"));
            let error = unpack(&path, &target, &GO).unwrap_err();
            assert!(matches!(error, ArchiveError::BadZip { .. }), "{at}: {error:?}");
            let mut file = File::create(folder.path().join("one")).unwrap();
            let error = unpack_one(&path, "a", (&target, &mut file), 100, &GO).unwrap_err();
            assert!(matches!(error, ArchiveError::BadZip { .. }), "{at}: {error:?}");
        }
    }

    #[test]
    fn one_file_is_unpacked_by_its_path_and_no_further_than_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let long = vec![7; 1 << 20];
        let path = archive(folder.path(), &[("./d//a", b"weights"), ("long", &long)]);
        let target = folder.path().join("one");
        let mut file = File::create(&target).unwrap();
        let (size, md5) = unpack_one(&path, "d/a", (&target, &mut file), 7, &GO).unwrap();
        let sum = crate::archive::hex(&md5);
        assert_eq!((size, sum.as_str()), (7, "63f4f1e9b725370f459720575cd5f953"));
        assert_eq!(std::fs::read(&target).unwrap(), b"weights");
        let (size, _) = unpack_one(&path, "long", (&target, &mut file), 7, &GO).unwrap();
        assert!(size > 7 && size <= 7 + 64 * 1024, "{size}");
        assert!(unpack_one(&path, "d", (&target, &mut file), 7, &GO).is_err());
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
