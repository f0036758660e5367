//! Archives that were made elsewhere: what is in them, for the comparison with the server's record.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use zip::CompressionMethod;

use super::entry_fault::{EntryFault, FaultyEntry};
use super::entry_name::unpacked_path;
use super::feed::{FileSum, SentFile};
use super::name_encoding::python_name;
use super::{ArchiveError, Digest};
use crate::base::file::open_regular;

type Archive = zip::ZipArchive<BufReader<File>>;

/// A ready `.zip`.
#[derive(Clone, Debug)]
pub struct ReadyZip {
    path: PathBuf,
    /// Its files in the order of its directory; folders are no entries here. Of files with one name
    /// the last, which is what an unpacker leaves.
    pub entries: Vec<ReadyEntry>,
    /// Names that more than one file has.
    doubled: Vec<String>,
}

/// A file of a ready archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyEntry {
    /// The path that an unpacker makes of the entry's name.
    pub name: String,
    /// Unpacked bytes.
    pub size: u64,
    /// The entry's name, if it is not the path.
    written: Option<Box<str>>,
    /// The path that Python makes of it, if that is another one.
    python_path: Option<Box<str>>,
    /// Bytes in the archive.
    packed: u64,
    index: usize,
    fault: Option<EntryFault>,
}

impl ReadyEntry {
    /// Returns the entry's name as the archive has it.
    #[must_use]
    pub fn written_name(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.name)
    }

    /// Returns the path by which Python knows it, if that is another one: its name is not marked as
    /// the UTF-8 that it is.
    #[must_use]
    pub fn python_path(&self) -> Option<&str> {
        self.python_path.as_deref()
    }

    /// Whether the content needs a password.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.fault == Some(EntryFault::Encrypted)
    }
}

impl ReadyZip {
    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// The file cannot be read, is no zip, or holds no file.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let mut archive = open(path)?;
        let mut entries = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| bad(path, &error))?;
            let name = entry.name().map_err(|error| bad(path, &error))?.into_owned();
            // A folder by the rule of Python's zipfile: a backslash at the end makes none.
            if name.ends_with('/') {
                continue;
            }
            let fault = fault_of(&name, &entry);
            let python_path = python_name(entry.name_raw(), entry.flags().as_u16())
                .map(|name| unpacked_path(&name).into());
            let path = unpacked_path(&name).into_owned();
            let written = (path != name).then(|| name.into_boxed_str());
            let (size, packed) = (entry.size(), entry.compressed_size());
            let name = path;
            entries.push(ReadyEntry { name, size, written, python_path, packed, index, fault });
        }
        if entries.is_empty() {
            return Err(ArchiveError::NoFiles { path: path.to_owned(), left_out: 0 });
        }
        let doubled = if archive.has_duplicate_names() {
            doubled_names(path, archive.central_directory_start())?
        } else {
            Vec::new()
        };
        Ok(Self { path: path.to_owned(), entries, doubled })
    }

    /// Refuses an archive whose entries share bytes. Such a one unpacks to any size, and no packer
    /// makes it.
    ///
    /// # Errors
    /// The entries have more bytes than the file, or it cannot be read any more.
    pub fn refuse_overlap(&self) -> Result<(), ArchiveError> {
        let length = std::fs::metadata(&self.path)
            .map_err(|error| ArchiveError::at(&self.path, error))?
            .len();
        let packed = self.entries.iter().fold(0_u64, |sum, one| sum.saturating_add(one.packed));
        if packed > length {
            let reason = format!("its entries overlap: {packed} bytes of them in {length}");
            return Err(ArchiveError::BadZip { path: self.path.clone(), reason });
        }
        Ok(())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Unpacks every file in memory, a piece at a time, for its size and its sum.
    ///
    /// # Errors
    /// The archive cannot be read. An entry that cannot be unpacked is no error: its sum says so.
    pub fn sums(&self) -> Result<Vec<SentFile>, ArchiveError> {
        self.sums_unless(&AtomicBool::new(false))
    }

    /// As [`ReadyZip::sums`], until a flag is set. No entry is read further than one byte beyond the
    /// size that the directory says.
    ///
    /// # Errors
    /// As [`ReadyZip::sums`], or the flag is set.
    pub fn sums_unless(&self, stop: &AtomicBool) -> Result<Vec<SentFile>, ArchiveError> {
        let mut archive = open(&self.path)?;
        let mut buffer = vec![0; 256 * 1024];
        let mut files = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let content = archive.by_index(entry.index).map_err(|error| error.to_string());
            let read = content.and_then(|content| {
                let mut content = content.take(entry.size.saturating_add(1));
                sum(&mut content, &mut buffer, stop).map_err(|error| error.to_string())
            });
            if stop.load(Ordering::Relaxed) {
                return Err(ArchiveError::Stopped);
            }
            let (size, sum) = match read {
                Ok((size, md5)) => (size, FileSum::Md5(md5)),
                Err(reason) => {
                    let reason = entry.fault.as_ref().map_or(reason, ToString::to_string);
                    (entry.size, FileSum::Unreadable(reason.into()))
                }
            };
            files.push(SentFile { name: entry.name.as_str().into(), size, sum });
        }
        Ok(files)
    }

    /// Returns what keeps the service from unpacking every file, or the files from being told apart
    /// afterwards.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultyEntry> {
        let own = self.entries.iter().filter_map(|entry| {
            entry.fault.clone().map(|fault| FaultyEntry::new(entry.written_name(), fault))
        });
        own.chain(self.hidden_entries()).collect()
    }

    /// Returns the entries that others hide: one of each is there after unpacking, and only that one is
    /// read here.
    #[must_use]
    pub fn hidden_entries(&self) -> Vec<FaultyEntry> {
        let doubled = self.doubled.iter().map(|name| FaultyEntry::new(name, EntryFault::Doubled));
        doubled.chain(self.collisions()).collect()
    }

    /// Returns the entries that another one of this path, or a folder of it, replaces.
    fn collisions(&self) -> Vec<FaultyEntry> {
        let mut files = HashSet::with_capacity(self.entries.len());
        let mut faults = Vec::new();
        for entry in &self.entries {
            if !entry.name.is_empty() && !files.insert(entry.name.as_str()) {
                faults.push(FaultyEntry::new(entry.written_name(), EntryFault::Doubled));
            }
        }
        for entry in &self.entries {
            let mut folders = entry.name.match_indices('/').map(|(at, _)| &entry.name[..at]);
            if let Some(folder) = folders.find(|folder| files.contains(folder)) {
                faults.push(FaultyEntry::new(folder, EntryFault::FileAndFolder));
            }
        }
        faults
    }
}

/// Returns what keeps an unpacker from making a file of one entry.
fn fault_of<R: Read>(name: &str, entry: &zip::read::ZipFile<'_, R>) -> Option<EntryFault> {
    let method = entry.compression();
    if entry.encrypted() {
        Some(EntryFault::Encrypted)
    } else if !is_known_to_python(method) {
        Some(EntryFault::Method(method_name(method).into()))
    } else if name.contains('\\') {
        Some(EntryFault::Backslash)
    } else if name.chars().any(char::is_control) || unpacked_path(name).is_empty() {
        Some(EntryFault::Name)
    } else if entry.is_symlink() {
        Some(EntryFault::Link)
    } else {
        None
    }
}

/// Whether Python's zipfile reads a compression method, up to Python 3.13.
fn is_known_to_python(method: CompressionMethod) -> bool {
    let known = [
        CompressionMethod::STORE,
        CompressionMethod::DEFLATE,
        CompressionMethod::BZIP2,
        CompressionMethod::LZMA,
    ];
    known.contains(&method)
}

/// Returns the name of a compression method, or its number.
fn method_name(method: CompressionMethod) -> String {
    match method.to_string().as_str() {
        "Unknown" => format!("{method:?}"),
        name => name.to_owned(),
    }
}

/// Returns the names that stand in the directory at `start` more than once, each once. The reader of
/// archives shows one entry of each name only.
fn doubled_names(path: &Path, start: u64) -> Result<Vec<String>, ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let mut file = BufReader::new(File::open(path).map_err(at)?);
    file.seek(SeekFrom::Start(start)).map_err(at)?;
    let (mut seen, mut doubled) = (HashSet::new(), Vec::new());
    while let Some(name) = next_name(&mut file).map_err(at)? {
        if !name.ends_with(b"/") && !seen.insert(name.clone()) {
            doubled.push(String::from_utf8_lossy(&name).into_owned());
        }
    }
    doubled.sort_unstable();
    doubled.dedup();
    Ok(doubled)
}

/// Reads a row of a directory (APPNOTE 4.3.12) and returns its name; `None` behind the last one.
fn next_name(directory: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut row = [0; 46];
    directory.read_exact(&mut row[..4])?;
    if row[..4] != *b"PK\x01\x02" {
        return Ok(None);
    }
    directory.read_exact(&mut row[4..])?;
    let length = |at: usize| u16::from_le_bytes([row[at], row[at + 1]]);
    let mut name = vec![0; length(28).into()];
    directory.read_exact(&mut name)?;
    let rest = u64::from(length(30)) + u64::from(length(32));
    std::io::copy(&mut directory.take(rest), &mut std::io::sink())?;
    Ok(Some(name))
}

fn open(path: &Path) -> Result<Archive, ArchiveError> {
    let file = open_regular(path).map_err(|error| ArchiveError::at(path, error))?;
    zip::ZipArchive::new(BufReader::new(file)).map_err(|error| bad(path, &error))
}

fn bad(path: &Path, error: &zip::result::ZipError) -> ArchiveError {
    ArchiveError::BadZip { path: path.to_owned(), reason: error.to_string() }
}

/// Reads a content to its end and returns its size and its sum.
fn sum(
    content: &mut impl Read,
    buffer: &mut [u8],
    stop: &AtomicBool,
) -> std::io::Result<(u64, super::Md5)> {
    let mut digest = Digest::start()?;
    let mut size = 0;
    while !stop.load(Ordering::Relaxed) {
        match content.read(buffer)? {
            0 => return Ok((size, digest.finish()?)),
            count => {
                digest.update(&buffer[..count])?;
                size += count as u64;
            }
        }
    }
    Err(std::io::ErrorKind::Interrupted.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    type Options = zip::write::SimpleFileOptions;

    /// An archive of these entries in a folder of its own.
    fn archive(entries: &[(&str, CompressionMethod)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, method) in entries {
            let options = Options::default().compression_method(*method);
            writer.start_file(*name, options).unwrap();
            writer.write_all(b"onnx").unwrap();
        }
        writer.finish().unwrap();
        (folder, path)
    }

    /// The same made by Python: the writer of the tests packs no LZMA.
    const LZMA: &str = "\
         504b03043f0002000e00000021004461e8a5170000000400000008000000642f612e6f6e6e780904\
         05005d0000800000379bacf107ffffffff80000000504b01023f033f0002000e00000021004461e8\
         a51700000004000000080000000000000000000000800100000000642f612e6f6e6e78504b050600\
         00000001000100360000003d0000000000";

    fn bytes_of(hex: &str) -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    }

    fn stored<'a>(names: &[&'a str]) -> Vec<(&'a str, CompressionMethod)> {
        names.iter().map(|name| (*name, CompressionMethod::STORE)).collect()
    }

    /// Gives every entry of an archive other bytes in the place of these.
    fn patch(path: &Path, from: &[u8], to: &[u8]) {
        let mut bytes = std::fs::read(path).unwrap();
        let places: Vec<usize> = memchr::memmem::find_iter(&bytes, from).collect();
        assert!(!places.is_empty());
        places.iter().for_each(|at| bytes[*at..*at + to.len()].copy_from_slice(to));
        std::fs::write(path, bytes).unwrap();
    }

    fn told(zip: &ReadyZip) -> Vec<String> {
        zip.faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_files_of_a_ready_archive_are_listed_and_summed_by_every_method_of_python() {
        for method in [
            CompressionMethod::STORE,
            CompressionMethod::DEFLATE,
            CompressionMethod::BZIP2,
            CompressionMethod::LZMA,
        ] {
            let (_folder, path) = if method == CompressionMethod::LZMA {
                let (folder, path) = archive(&[]);
                std::fs::write(&path, bytes_of(LZMA)).unwrap();
                (folder, path)
            } else {
                archive(&[("d/a.onnx", method)])
            };
            let ready = ReadyZip::open(&path).unwrap();
            assert_eq!(told(&ready), [""; 0]);
            let sums = ready.sums().unwrap();
            assert_eq!((&*sums[0].name, sums[0].size), ("d/a.onnx", 4));
            let FileSum::Md5(md5) = &sums[0].sum else { panic!("{sums:?}") };
            assert_eq!(crate::archive::hex(md5), "bf026195c185e2ae02bd1e505f515155", "{method}");
        }
    }

    #[test]
    fn what_is_no_archive_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.zip");
        std::fs::write(&path, "not a zip").unwrap();
        assert!(matches!(ReadyZip::open(&path), Err(ArchiveError::BadZip { .. })));
    }

    #[test]
    fn names_are_those_that_an_unpacker_makes() {
        let (_folder, path) = archive(&stored(&["./a", "b//c", "/d", "e/../f"]));
        let ready = ReadyZip::open(&path).unwrap();
        let names: Vec<&str> = ready.entries.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a", "b/c", "d", "e/f"]);
        assert_eq!(ready.entries[3].written_name(), "e/../f");
        assert_eq!(told(&ready), [""; 0]);
    }

    #[test]
    fn each_file_that_would_be_lost_is_named() {
        let (_folder, path) = archive(&stored(&["./a", "a", "b", "b/c", "d\\e", "../.."]));
        let ready = ReadyZip::open(&path).unwrap();
        assert_eq!(
            told(&ready),
            [
                "d\\e has a backslash in its name",
                "../.. has a name that no file can have",
                "a stands in it more than once",
                "b is a file and a folder",
            ]
        );
    }

    #[test]
    fn a_name_that_stands_twice_is_found_though_the_reader_merges_the_two() {
        let (_folder, path) = archive(&stored(&["x.bin", "a.bin", "y.bin"]));
        patch(&path, b"x.bin", b"a.bin");
        let ready = ReadyZip::open(&path).unwrap();
        assert_eq!(told(&ready), ["a.bin stands in it more than once"]);
        assert_eq!(ready.entries.len(), 2);
    }

    #[test]
    fn what_cannot_be_unpacked_has_its_cause_in_place_of_a_sum() {
        // Offsets: flags 6 and 8, method 8 and 10, in the local header and in the directory.
        for (local, central, bytes, cause) in [
            (6, 8, [1, 0], "is encrypted"),
            (8, 10, [9, 0], "is compressed with Deflate64"),
            (8, 10, [93, 0], "is compressed with Zstd"),
            (8, 10, [77, 0], "is compressed with Unsupported(77)"),
            (8, 10, [99, 0], "is compressed with Aes"),
        ] {
            let (_folder, path) = archive(&stored(&["a.bin"]));
            let mut content = std::fs::read(&path).unwrap();
            let row = memchr::memmem::find(&content, b"PK\x01\x02").unwrap();
            content[local..local + 2].copy_from_slice(&bytes);
            content[row + central..row + central + 2].copy_from_slice(&bytes);
            std::fs::write(&path, content).unwrap();
            let ready = ReadyZip::open(&path).unwrap();
            let FileSum::Unreadable(reason) = &ready.sums().unwrap()[0].sum else { panic!() };
            assert!(told(&ready)[0].contains(cause), "{:?}", told(&ready));
            assert!(cause.contains(&**reason) || reason.contains(cause), "{reason}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_no_sum() {
        let (_folder, path) = archive(&stored(&["a.bin"]));
        patch(&path, b"onnx", b"oxxx");
        let ready = ReadyZip::open(&path).unwrap();
        let FileSum::Unreadable(reason) = &ready.sums().unwrap()[0].sum else { panic!() };
        assert!(reason.to_lowercase().contains("checksum"), "{reason}");
    }
}
