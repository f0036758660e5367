//! Writes a plan as a zip stream. A second thread looks ahead: it reads small files whole and the
//! CRC of the next large one, so that every header can say what follows it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crc32fast::Hasher as Crc;

use super::feed::{BUFFER, Outlet, Sent, SentFile};
use super::format::{self, EntryHead};
use super::{ArchiveError, Digest, Found, Identity, Md5, Plan};

/// Files up to this size are read once, into memory; larger ones twice.
const WHOLE: u64 = 1024 * 1024;
/// Whole files that wait at once; with the size above, the most memory that looking ahead takes.
const AHEAD: usize = 6;

/// The next entry's content as the look-ahead found it.
enum Prepared {
    Whole { content: Vec<u8>, crc: u32, md5: Md5 },
    Large { file: File, crc: u32 },
}

/// Writes the whole archive.
pub(super) fn pack(plan: &Arc<Plan>, outlet: &mut Outlet) -> Result<Sent, ArchiveError> {
    let mut prepared = look_ahead(Arc::clone(plan))?;
    let mut sums = Vec::with_capacity(plan.count());
    for entry in plan.entries() {
        let next = prepared.next()?;
        let crc = next.crc();
        outlet.write(&format::local_header(&head(entry.found, crc)))?;
        let path = plan.root().join(&*entry.found.name);
        let md5 = match next {
            Prepared::Whole { content, md5, .. } => {
                outlet.write(&content)?;
                md5
            }
            Prepared::Large { file, crc } => {
                prepared.large_begun();
                copy(file, &path, &entry.found.identity, Some(crc), outlet)?
            }
        };
        sums.push((crc, md5));
    }
    write_directory(plan, &sums, outlet)?;
    let files = plan.entries().zip(&sums).map(|(entry, (_, md5))| SentFile {
        name: entry.found.name.clone(),
        size: entry.found.identity.size,
        md5: Some(*md5),
    });
    Ok(Sent { bytes: 0, files: files.collect() })
}

fn head(found: &Found, crc32: u32) -> EntryHead {
    EntryHead { name: found.name.to_string(), size: found.identity.size, crc32 }
}

/// Row by row: a directory of 100,000 entries is never in memory as a whole.
fn write_directory(
    plan: &Plan,
    sums: &[(u32, Md5)],
    outlet: &mut Outlet,
) -> Result<(), ArchiveError> {
    let (mut start, mut length) = (0, 0);
    for (entry, (crc, _)) in plan.entries().zip(sums) {
        let head = head(entry.found, *crc);
        let row = format::central_header(&head, entry.offset);
        outlet.write(&row)?;
        length += row.len() as u64;
        start = entry.offset + format::local_header_length(&head.name, head.size) + head.size;
    }
    outlet.write(&format::end(plan.count() as u64, start, length))
}

/// Sends exactly the bytes that were promised, summing them, and notices a change before the last
/// byte of the body has left.
pub(super) fn copy(
    mut file: File,
    path: &Path,
    promised: &Identity,
    crc: Option<u32>,
    outlet: &mut Outlet,
) -> Result<Md5, ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let mut digest = Digest::start().map_err(at)?;
    let mut sum = Crc::new();
    let mut left = promised.size;
    while left > 0 {
        let seen = |bytes: &[u8]| {
            if crc.is_some() {
                sum.update(bytes);
            }
            digest.update(bytes)
        };
        match outlet.read(&mut file, left, seen)?.map_err(at)? {
            0 => return Err(changed(path, "it shrank")),
            count => left -= count,
        }
    }
    check_unchanged(&file, path, promised)?;
    if crc.is_some_and(|crc| crc != sum.finalize()) {
        return Err(changed(path, "its content is another than a moment before"));
    }
    digest.finish().map_err(at)
}

fn changed(path: &Path, what: &'static str) -> ArchiveError {
    ArchiveError::Changed { path: path.to_owned(), what }
}

fn check_unchanged(file: &File, path: &Path, promised: &Identity) -> Result<(), ArchiveError> {
    let now = file.metadata().map_err(|error| ArchiveError::at(path, error))?;
    match promised.difference(&Identity::of(&now)) {
        Some(what) => Err(changed(path, what)),
        None => Ok(()),
    }
}

/// Opens a file that was found before, as it was found. Without waiting: what was a file may have
/// become a pipe.
pub(super) fn reopen(path: &Path, promised: &Identity) -> Result<File, ArchiveError> {
    use std::os::unix::fs::OpenOptionsExt;
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(nonblocking).open(path).map_err(
        |error| match error.kind() {
            io::ErrorKind::NotFound => changed(path, "it vanished"),
            _ => ArchiveError::at(path, error),
        },
    )?;
    check_unchanged(&file, path, promised)?;
    Ok(file)
}

/// What the look-ahead thread hands over.
struct Ahead {
    entries: Receiver<Result<Prepared, ArchiveError>>,
    /// One place: while a large entry is sent, the CRC of one more is computed, not of all.
    begun: Receiver<()>,
}

impl Ahead {
    fn next(&mut self) -> Result<Prepared, ArchiveError> {
        self.entries.recv().unwrap_or_else(|_| {
            Err(ArchiveError::Threads(io::Error::other("the look-ahead thread panicked")))
        })
    }

    fn large_begun(&mut self) {
        // The thread put its token down before it computed the CRC that has arrived.
        let _ = self.begun.recv();
    }
}

impl Prepared {
    fn crc(&self) -> u32 {
        match self {
            Self::Whole { crc, .. } | Self::Large { crc, .. } => *crc,
        }
    }
}

fn look_ahead(plan: Arc<Plan>) -> Result<Ahead, ArchiveError> {
    let (sender, entries) = sync_channel(AHEAD);
    let (tokens, begun) = sync_channel(1);
    std::thread::Builder::new()
        .name("look-ahead".into())
        .spawn(move || {
            for entry in plan.entries() {
                let next = prepare(plan.root(), entry.found, &tokens);
                let is_last = next.is_err();
                if sender.send(next).is_err() || is_last {
                    return;
                }
            }
        })
        .map_err(ArchiveError::Threads)?;
    Ok(Ahead { entries, begun })
}

fn prepare(root: &Path, found: &Found, tokens: &SyncSender<()>) -> Result<Prepared, ArchiveError> {
    let path = root.join(&*found.name);
    if found.identity.size <= WHOLE {
        let file = reopen(&path, &found.identity)?;
        return read_whole(&file, &path, &found.identity);
    }
    tokens.send(()).map_err(|_| ArchiveError::Stopped)?;
    let mut file = reopen(&path, &found.identity)?;
    let crc = crc_of(&mut file).and_then(|crc| {
        io::Seek::rewind(&mut file)?;
        Ok(crc)
    });
    Ok(Prepared::Large { crc: crc.map_err(|error| ArchiveError::at(&path, error))?, file })
}

fn read_whole(file: &File, path: &Path, promised: &Identity) -> Result<Prepared, ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let size = usize::try_from(promised.size).unwrap_or(0);
    let mut content = Vec::with_capacity(size + 1);
    // One byte more than promised tells a file that grew.
    file.take(promised.size + 1).read_to_end(&mut content).map_err(at)?;
    match content.len().cmp(&size) {
        std::cmp::Ordering::Less => return Err(changed(path, "it shrank")),
        std::cmp::Ordering::Greater => return Err(changed(path, "it grew")),
        std::cmp::Ordering::Equal => check_unchanged(file, path, promised)?,
    }
    let mut digest = Digest::start().map_err(at)?;
    digest.update(&content).map_err(at)?;
    Ok(Prepared::Whole {
        crc: crc32fast::hash(&content),
        md5: digest.finish().map_err(at)?,
        content,
    })
}

fn crc_of(file: &mut File) -> io::Result<u32> {
    let mut crc = Crc::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(crc.finalize()),
            count => crc.update(&buffer[..count]),
        }
    }
}
