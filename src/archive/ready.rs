//! Archives that somebody else made: what is in them, for the comparison with the server's record.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::feed::SentFile;
use super::{ArchiveError, Digest};

type Archive = zip::ZipArchive<std::io::BufReader<File>>;

/// A ready `.zip`.
#[derive(Clone, Debug)]
pub struct ReadyZip {
    path: PathBuf,
    /// Its files in the order of its directory; folders are no entries here.
    pub entries: Vec<ReadyEntry>,
}

/// A file of a ready archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyEntry {
    pub name: String,
    /// Unpacked bytes.
    pub size: u64,
    index: usize,
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
            if !entry.is_dir() {
                let name = entry.name().map_err(|error| bad(path, &error))?.into_owned();
                entries.push(ReadyEntry { name, size: entry.size(), index });
            }
        }
        if entries.is_empty() {
            return Err(ArchiveError::NoFiles { path: path.to_owned(), left_out: 0 });
        }
        Ok(Self { path: path.to_owned(), entries })
    }

    /// Opens it to read from its entries.
    pub(super) fn reader(&self) -> Result<EntryReader, ArchiveError> {
        let indices = self.entries.iter().map(|entry| entry.index).collect();
        Ok(EntryReader { archive: RefCell::new(open(&self.path)?), indices })
    }

    /// Unpacks every file in memory, a piece at a time, for its sum.
    ///
    /// # Errors
    /// The archive cannot be read. An entry in a form that cannot be unpacked here has no sum and
    /// is no error: the server may well unpack it.
    pub fn sums(&self) -> Result<Vec<SentFile>, ArchiveError> {
        let mut archive = open(&self.path)?;
        let mut buffer = vec![0; 256 * 1024];
        let mut files = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let md5 = match archive.by_index(entry.index) {
                Ok(mut content) => sum(&mut content, &mut buffer).ok(),
                Err(_) => None,
            };
            files.push(SentFile { name: entry.name.as_str().into(), size: entry.size, md5 });
        }
        Ok(files)
    }
}

/// An archive that is open.
pub(super) struct EntryReader {
    archive: RefCell<Archive>,
    /// Places in the archive of [`ReadyZip::entries`].
    indices: Vec<usize>,
}

impl EntryReader {
    /// Reads from an entry's content; none where it cannot be unpacked here.
    pub(super) fn with_entry<T>(
        &self,
        entry: usize,
        read: impl FnOnce(&mut dyn Read) -> std::io::Result<T>,
    ) -> Option<T> {
        let mut archive = self.archive.borrow_mut();
        let mut content = archive.by_index(*self.indices.get(entry)?).ok()?;
        read(&mut content).ok()
    }
}

fn open(path: &Path) -> Result<Archive, ArchiveError> {
    let file = File::open(path).map_err(|error| ArchiveError::at(path, error))?;
    zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|error| bad(path, &error))
}

fn bad(path: &Path, error: &zip::result::ZipError) -> ArchiveError {
    ArchiveError::BadZip { path: path.to_owned(), reason: error.to_string() }
}

fn sum(content: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<super::Md5> {
    let mut digest = Digest::start()?;
    loop {
        match content.read(buffer)? {
            0 => return digest.finish(),
            count => digest.update(&buffer[..count])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_files_of_a_ready_archive_are_listed_and_summed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        writer.add_directory("d/", options).unwrap();
        writer.start_file("d/a.onnx", options).unwrap();
        writer.write_all(b"onnx").unwrap();
        writer.finish().unwrap();
        let ready = ReadyZip::open(&path).unwrap();
        assert_eq!(ready.entries.len(), 1);
        let sums = ready.sums().unwrap();
        assert_eq!((&*sums[0].name, sums[0].size), ("d/a.onnx", 4));
        assert_eq!(crate::archive::hex(&sums[0].md5.unwrap()), "bf026195c185e2ae02bd1e505f515155");
    }

    #[test]
    fn what_is_no_archive_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.zip");
        std::fs::write(&path, "not a zip").unwrap();
        assert!(matches!(ReadyZip::open(&path), Err(ArchiveError::BadZip { .. })));
    }
}
