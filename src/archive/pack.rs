//! Writes a plan as a zip stream. A second thread looks ahead: it reads small files whole, many of
//! them at a time, and the CRC of the next large one, so that every header can say what follows it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crc32fast::Hasher as Crc;

use super::deflate::deflate;
use super::feed::{BUFFER, FileSum, Outlet, Sent, SentFile};
use super::format::{self, EntryHead};
use super::plan::PlannedEntry;
use super::{ArchiveError, Digest, Found, Identity, Md5, Plan};

/// Files up to this size are read once, into memory; larger ones twice.
const WHOLE: u64 = 1024 * 1024;
/// Whole files that are handed over together: waking the other thread costs as much as reading one
/// small file.
const TOGETHER: usize = 256;
/// Bytes of such files beyond which no more are added.
const ENOUGH: usize = 256 * 1024;
/// Batches that wait at once; with the sizes above, the most memory that looking ahead takes.
const AHEAD: usize = 6;

/// What the look-ahead found of the next entries.
enum Prepared {
    Whole(Batch),
    /// One that is long even deflated, in memory.
    Heavy(Batch),
    Large {
        file: File,
        crc: u32,
    },
}

/// Entries in their order, each as it will be sent.
#[derive(Default)]
struct Batch {
    /// One after the other.
    content: Vec<u8>,
    sums: Vec<(u32, Md5)>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.sums.len() >= TOGETHER || self.content.len() >= ENOUGH
    }
}

/// Writes the whole archive.
pub(super) fn pack(plan: &Arc<Plan>, outlet: &mut Outlet) -> Result<Sent, ArchiveError> {
    let mut prepared = look_ahead(Arc::clone(plan))?;
    let mut sums = Vec::with_capacity(plan.count());
    let mut entries = plan.entries();
    while sums.len() < plan.count() {
        match prepared.next()? {
            Prepared::Whole(batch) => {
                write_batch(&batch, entries.by_ref(), outlet)?;
                sums.extend(batch.sums);
            }
            Prepared::Heavy(batch) => {
                prepared.begun();
                write_batch(&batch, entries.by_ref(), outlet)?;
                sums.extend(batch.sums);
            }
            Prepared::Large { file, crc } => {
                let Some(entry) = entries.next() else { break };
                outlet.write(&format::local_header(&head(&entry, crc)))?;
                prepared.begun();
                let path = plan.root().join(&*entry.found.name);
                let md5 = copy(file, &path, &entry.found.identity, Some(crc), outlet)?;
                sums.push((crc, md5));
            }
        }
    }
    write_directory(plan, &sums, outlet)?;
    let files = plan.entries().zip(&sums).map(|(entry, (_, md5))| SentFile {
        name: entry.found.name.clone(),
        size: entry.found.identity.size,
        sum: FileSum::Md5(*md5),
    });
    Ok(Sent { bytes: 0, files: files.collect() })
}

fn head(entry: &PlannedEntry<'_>, crc32: u32) -> EntryHead {
    let Found { name, identity } = entry.found;
    EntryHead { name: name.to_string(), size: identity.size, deflated: entry.deflated, crc32 }
}

fn write_batch<'a>(
    batch: &Batch,
    entries: impl Iterator<Item = PlannedEntry<'a>>,
    outlet: &mut Outlet,
) -> Result<(), ArchiveError> {
    let mut rest = &*batch.content;
    for ((crc, _), entry) in batch.sums.iter().zip(entries) {
        let taken = usize::try_from(entry.taken()).unwrap_or(rest.len());
        let (content, after) = rest.split_at(taken);
        outlet.write(&format::local_header(&head(&entry, *crc)))?;
        outlet.write(content)?;
        rest = after;
    }
    Ok(())
}

/// Row by row: a directory of 100,000 entries is never in memory as a whole.
fn write_directory(
    plan: &Plan,
    sums: &[(u32, Md5)],
    outlet: &mut Outlet,
) -> Result<(), ArchiveError> {
    let (mut start, mut length) = (0, 0);
    for (entry, (crc, _)) in plan.entries().zip(sums) {
        let head = head(&entry, *crc);
        let row = format::central_header(&head, entry.offset);
        outlet.write(&row)?;
        length += row.len() as u64;
        start = entry.offset + format::local_header_length(&head.name, head.size) + head.taken();
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

pub(super) fn changed(path: &Path, what: &'static str) -> ArchiveError {
    ArchiveError::Changed { path: path.to_owned(), what }
}

pub(super) fn check_unchanged(
    file: &File,
    path: &Path,
    promised: &Identity,
) -> Result<(), ArchiveError> {
    let now = file.metadata().map_err(|error| ArchiveError::at(path, error))?;
    match promised.difference(&Identity::of(&now)) {
        Some(what) => Err(changed(path, what)),
        None => Ok(()),
    }
}

/// Opens a file that was found before, as it was found.
pub(super) fn reopen(path: &Path, promised: &Identity) -> Result<File, ArchiveError> {
    let file = open_found(path)?;
    check_unchanged(&file, path, promised)?;
    Ok(file)
}

/// Opens without waiting: what was a file may have become a pipe.
pub(super) fn open_found(path: &Path) -> Result<File, ArchiveError> {
    use std::os::unix::fs::OpenOptionsExt;
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    File::options().read(true).custom_flags(nonblocking).open(path).map_err(|error| {
        match error.kind() {
            io::ErrorKind::NotFound => changed(path, "it vanished"),
            _ => ArchiveError::at(path, error),
        }
    })
}

/// What the look-ahead thread hands over.
struct Ahead {
    entries: Receiver<Result<Prepared, ArchiveError>>,
    /// One place: while a large or heavy entry is sent, one more is prepared, not all.
    begun: Receiver<()>,
}

impl Ahead {
    fn next(&mut self) -> Result<Prepared, ArchiveError> {
        self.entries.recv().unwrap_or_else(|_| {
            Err(ArchiveError::Threads(io::Error::other("the look-ahead thread panicked")))
        })
    }

    fn begun(&mut self) {
        // The thread put its token down before it prepared what has arrived.
        let _ = self.begun.recv();
    }
}

fn look_ahead(plan: Arc<Plan>) -> Result<Ahead, ArchiveError> {
    let (sender, entries) = sync_channel(AHEAD);
    let (tokens, begun) = sync_channel(1);
    std::thread::Builder::new()
        .name("look-ahead".into())
        .spawn(move || {
            if let Err(error) = prepare_all(&plan, &sender, &tokens) {
                // Nobody listens any more when this fails.
                let _ = sender.send(Err(error));
            }
        })
        .map_err(ArchiveError::Threads)?;
    Ok(Ahead { entries, begun })
}

type Handover = SyncSender<Result<Prepared, ArchiveError>>;

fn prepare_all(
    plan: &Plan,
    sender: &Handover,
    tokens: &SyncSender<()>,
) -> Result<(), ArchiveError> {
    let send = |next| sender.send(Ok(next)).map_err(|_| ArchiveError::Stopped);
    let mut batch = Batch::default();
    for entry in plan.entries() {
        let path = plan.root().join(&*entry.found.name);
        let identity = &entry.found.identity;
        let is_light = entry.taken() <= WHOLE;
        if is_light {
            prepare_whole(&path, &entry, &mut batch)?;
        }
        if !batch.sums.is_empty() && (batch.is_full() || !is_light) {
            send(Prepared::Whole(std::mem::take(&mut batch)))?;
        }
        if !is_light {
            tokens.send(()).map_err(|_| ArchiveError::Stopped)?;
            send(if entry.deflated.is_some() {
                let mut heavy = Batch::default();
                prepare_whole(&path, &entry, &mut heavy)?;
                Prepared::Heavy(heavy)
            } else {
                prepare_large(&path, identity)?
            })?;
        }
    }
    if batch.sums.is_empty() { Ok(()) } else { send(Prepared::Whole(batch)) }
}

/// Adds an entry to a batch, as it will be sent.
fn prepare_whole(
    path: &Path,
    entry: &PlannedEntry<'_>,
    batch: &mut Batch,
) -> Result<(), ArchiveError> {
    let Some(planned) = entry.deflated else {
        return read_whole(path, &entry.found.identity, batch);
    };
    let sums = deflate(path, &entry.found.identity, planned, &mut batch.content)?;
    batch.sums.push(sums);
    Ok(())
}

fn prepare_large(path: &Path, promised: &Identity) -> Result<Prepared, ArchiveError> {
    let mut file = reopen(path, promised)?;
    let crc = crc_of(&mut file).and_then(|crc| {
        io::Seek::rewind(&mut file)?;
        Ok(crc)
    });
    Ok(Prepared::Large { crc: crc.map_err(|error| ArchiveError::at(path, error))?, file })
}

/// Adds a file to a batch. Looked at once, after it was read: whatever happened to it since it was
/// found shows then too.
fn read_whole(path: &Path, promised: &Identity, batch: &mut Batch) -> Result<(), ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let file = open_found(path)?;
    let start = batch.content.len();
    batch.content.reserve(usize::try_from(promised.size).unwrap_or(0));
    let read = (&file).take(promised.size).read_to_end(&mut batch.content);
    check_unchanged(&file, path, promised)?;
    if (read.map_err(at)? as u64) < promised.size {
        return Err(changed(path, "it shrank"));
    }
    let content = &batch.content[start..];
    let mut digest = Digest::start().map_err(at)?;
    digest.update(content).map_err(at)?;
    batch.sums.push((crc32fast::hash(content), digest.finish().map_err(at)?));
    Ok(())
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
