//! The bytes of uploaded files. Up to 64 KiB they live in the database, in the transaction of the
//! row that names them; larger ones are written to a staging file while they arrive, synced, and
//! renamed to their place before the row is committed. Names are ours, never a client's.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use openssl::hash::{Hasher, MessageDigest};
use rusqlite::Connection;

use crate::base::{IdSource, Stamp};

/// Bytes up to which a payload lives in the database.
const INLINE: usize = 64 * 1024;
/// Hexadecimal digits of a file's name.
const NAME: usize = 32;
/// Bytes of a large file that are synced at once while more of it arrives.
const SYNCED: u64 = 32 * 1024 * 1024;

/// A file's content on its way into the store.
#[derive(Debug)]
pub struct Payload {
    /// Bytes.
    pub size: u64,
    /// MD5 in hexadecimal.
    pub md5: String,
    pub crc32: u32,
    pub content: Content,
}

/// Where the bytes are.
#[derive(Debug)]
pub enum Content {
    Inline(Vec<u8>),
    /// On disk; removed with this value unless it is kept.
    Staged(StagedFile),
}

/// A file below `staging/`, or below `blobs/` once it has been placed.
#[derive(Debug)]
pub struct StagedFile {
    path: PathBuf,
    name: String,
    keep: bool,
}

impl StagedFile {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves it to its final place, durably; it is still removed unless [`StagedFile::keep`] is called.
    ///
    /// # Errors
    /// The file system refused.
    pub fn place(&mut self, folder: &Path) -> io::Result<String> {
        let blobs = folder.join("blobs");
        let target = blobs.join(&self.name);
        std::fs::rename(&self.path, &target)?;
        self.path = target;
        // The name is on disk only when its folder is.
        File::open(blobs)?.sync_all()?;
        Ok(self.name.clone())
    }

    /// A row names the file now.
    pub fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.keep {
            // The sweep at the next start removes what stays behind here.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A staging file while it is written. What has been written is synced meanwhile, so that the end
/// does not wait for all of it.
struct Open {
    file: File,
    staged: StagedFile,
    /// Bytes that no sync has been begun for.
    fresh: u64,
    sync: Option<JoinHandle<io::Result<()>>>,
}

impl Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.fresh += bytes.len() as u64;
        if self.fresh >= SYNCED && self.sync.as_ref().is_none_or(JoinHandle::is_finished) {
            self.end_sync()?;
            let file = self.file.try_clone()?;
            let sync = std::thread::Builder::new().name("sync".into());
            self.sync = Some(sync.spawn(move || file.sync_data())?);
            self.fresh = 0;
        }
        Ok(())
    }

    /// A failure of the disk is told once: whoever hears of it must pass it on.
    fn end_sync(&mut self) -> io::Result<()> {
        match self.sync.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(ended) => ended.map_err(|_| io::Error::other("the sync ended in a panic"))?,
        }
    }

    fn finish(mut self) -> io::Result<StagedFile> {
        self.end_sync()?;
        self.file.sync_data()?;
        Ok(self.staged)
    }
}

/// Takes bytes as they come, and becomes a payload.
pub struct Staging {
    folder: PathBuf,
    ids: IdSource,
    inline: Vec<u8>,
    file: Option<Open>,
    md5: Hasher,
    crc32: crc32fast::Hasher,
    size: u64,
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staging").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Staging {
    /// An empty payload for the store in `folder`.
    ///
    /// # Errors
    /// The cryptographic library has no MD5, as under a policy that forbids it.
    pub fn new(folder: &Path, ids: &IdSource) -> io::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            ids: ids.clone(),
            inline: Vec::new(),
            file: None,
            md5: Hasher::new(MessageDigest::md5()).map_err(io::Error::other)?,
            crc32: crc32fast::Hasher::new(),
            size: 0,
        })
    }

    /// Whether the next `more` bytes still fit into memory, so that taking them does not touch disk.
    #[must_use]
    pub fn stays_inline(&self, more: usize) -> bool {
        self.file.is_none() && self.inline.len() + more <= INLINE
    }

    /// Takes more bytes; beyond 64 KiB they go to disk, so callers do this off the async threads.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.md5.update(bytes).map_err(io::Error::other)?;
        self.crc32.update(bytes);
        if self.stays_inline(bytes.len()) {
            self.inline.extend_from_slice(bytes);
            return Ok(());
        }
        match &mut self.file {
            Some(open) => open.write(bytes),
            None => {
                let open = self.spill()?;
                self.file.insert(open).write(bytes)
            }
        }
    }

    fn spill(&mut self) -> io::Result<Open> {
        let name = self.ids.hex(NAME);
        let path = self.folder.join("staging").join(&name);
        let file = File::options().write(true).create_new(true).open(&path)?;
        let staged = StagedFile { path, name, keep: false };
        let mut open = Open { file, staged, fresh: 0, sync: None };
        open.write(&std::mem::take(&mut self.inline))?;
        Ok(open)
    }

    /// Ends the payload; a file is synced, so callers do this off the async threads.
    ///
    /// # Errors
    /// The file cannot be synced.
    pub fn finish(mut self) -> io::Result<Payload> {
        let md5 = self.md5.finish().map_err(io::Error::other)?;
        let content = match self.file {
            None => Content::Inline(self.inline),
            Some(open) => Content::Staged(open.finish()?),
        };
        let md5 = md5.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Payload { size: self.size, md5, crc32: self.crc32.finalize(), content })
    }
}

/// Makes the folders.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder.join("staging"))?;
    std::fs::create_dir_all(folder.join("blobs"))
}

/// Removes what is staged, which no server has answered for.
pub(super) fn clear_staging(folder: &Path) -> io::Result<()> {
    for (_, path) in own_files(&folder.join("staging"))? {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Files that were put out of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub folder: PathBuf,
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// Returns those of the blobs that no row names: a killed server left them behind, or their rows are in
/// another copy of the database.
pub(super) fn unnamed_blobs(
    names: Vec<String>,
    connection: &Connection,
) -> Result<Vec<String>, rusqlite::Error> {
    let mut unnamed = Vec::new();
    for name in names {
        if !super::files::is_named(connection, &name)? {
            unnamed.push(name);
        }
    }
    Ok(unnamed)
}

/// Moves blobs into a folder of their own. Files whose names are none of ours are somebody's, and
/// stay.
pub(super) fn set_aside(folder: &Path, names: &[String], now: Stamp) -> io::Result<SetAside> {
    let target = dated_folder(&folder.join("set-aside"), now)?;
    let mut bytes = 0;
    for name in names {
        let path = folder.join("blobs").join(name);
        bytes += std::fs::metadata(&path)?.len();
        std::fs::rename(path, target.join(name))?;
    }
    Ok(SetAside { folder: target, files: names.len(), bytes })
}

/// Makes a folder that is called after the time, such as `2026-11-30T09-05-00Z`.
fn dated_folder(parent: &Path, now: Stamp) -> io::Result<PathBuf> {
    std::fs::create_dir_all(parent)?;
    let seconds: String = now.naive().chars().take(19).collect();
    let name = seconds.replace(':', "-") + "Z";
    let mut path = parent.join(&name);
    for number in 2.. {
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = parent.join(format!("{name}-{number}"));
            }
            made => return made.map(|()| path),
        }
    }
    Ok(path)
}

/// Returns the names of the blobs, which a database must know.
pub(super) fn blob_names(folder: &Path) -> io::Result<Vec<String>> {
    match own_files(&folder.join("blobs")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        files => Ok(files?.into_iter().map(|(name, _)| name).collect()),
    }
}

/// The files of a folder that have names which [`Staging`] gives.
fn own_files(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match entry.file_name().into_string() {
            Ok(name)
                if name.len() == NAME
                    && name.bytes().all(is_digit)
                    && entry.file_type()?.is_file() =>
            {
                files.push((name, entry.path()));
            }
            _ => {}
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staging(folder: &Path) -> Staging {
        prepare(folder).unwrap();
        Staging::new(folder, &IdSource::random()).unwrap()
    }

    #[test]
    fn small_payloads_stay_in_memory_and_large_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut small = staging(folder.path());
        small.take(b"abc").unwrap();
        let small = small.finish().unwrap();
        assert_eq!(small.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert!(matches!(small.content, Content::Inline(bytes) if bytes == b"abc"));

        let mut large = staging(folder.path());
        for _ in 0..3 {
            large.take(&[7; 40_000]).unwrap();
        }
        let large = large.finish().unwrap();
        let Content::Staged(file) = large.content else { panic!("not on disk") };
        assert_eq!(std::fs::read(file.path()).unwrap(), vec![7; 120_000]);
        let path = file.path().to_owned();
        drop(file);
        assert!(!path.exists(), "what no row names goes");
    }
}
