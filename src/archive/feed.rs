//! The way of bytes from a reading thread to whoever sends them: large recycled buffers through a
//! bounded channel, so that memory stays the same whatever the size. What was sent is summed on the
//! way and told at the end.

use std::io::{self, Read};
use std::sync::{Arc, mpsc as threads};
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{ArchiveError, Md5};

/// Bytes of one buffer: large enough for few system calls, small enough for the cache.
pub const BUFFER: usize = 256 * 1024;
/// Buffers on their way at once.
const QUEUE: usize = 6;

/// A body as it is read. The receiver yields an error instead of the last bytes when something is
/// wrong with the files; [`Outcome::join`] then says what.
#[derive(Debug)]
pub struct Feed {
    /// Bytes in all.
    pub length: u64,
    pub chunks: mpsc::Receiver<io::Result<Bytes>>,
    pub outcome: Outcome,
}

/// What became of a feed.
#[derive(Debug)]
pub struct Outcome(JoinHandle<Result<Sent, ArchiveError>>);

/// What was sent, as its own reader saw it.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub bytes: u64,
    /// Every file with its own sum: one for a single file, the entries of an archive.
    pub files: Vec<SentFile>,
}

/// A file that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentFile {
    /// The name in the archive, or the base name.
    pub name: Arc<str>,
    pub size: u64,
    pub sum: FileSum,
}

/// What is known of the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSum {
    Md5(Md5),
    /// It was not read: only the size counts.
    NotRead,
    /// It cannot be read, for this cause: an entry of an archive that was made elsewhere.
    Unreadable(Box<str>),
}

impl FileSum {
    #[must_use]
    pub fn md5(&self) -> Option<&Md5> {
        match self {
            Self::Md5(md5) => Some(md5),
            Self::NotRead | Self::Unreadable(_) => None,
        }
    }
}

impl Outcome {
    /// Waits for the reader's end. Call it after the receiver is dropped or drained.
    ///
    /// # Errors
    /// What stopped the reader; [`ArchiveError::Stopped`] when the receiver went away first.
    pub fn join(self) -> Result<Sent, ArchiveError> {
        self.0.join().unwrap_or_else(|_| {
            Err(ArchiveError::Threads(io::Error::other("the reading thread panicked")))
        })
    }
}

impl Feed {
    /// Starts `read` on a thread of its own.
    pub(super) fn start(
        length: u64,
        read: impl FnOnce(&mut Outlet) -> Result<Sent, ArchiveError> + Send + 'static,
    ) -> Result<Self, ArchiveError> {
        let (sender, chunks) = mpsc::channel(QUEUE);
        let work = move || {
            let mut outlet = Outlet::new(sender);
            let outcome = read(&mut outlet).and_then(|sent| {
                outlet.flush()?;
                Ok(Sent { bytes: outlet.passed, ..sent })
            });
            if outcome.is_err() {
                outlet.abort();
            }
            outcome
        };
        let thread = std::thread::Builder::new()
            .name("read".into())
            .spawn(work)
            .map_err(ArchiveError::Threads)?;
        Ok(Self { length, chunks, outcome: Outcome(thread) })
    }
}

/// Where a reader puts its bytes.
pub(super) struct Outlet {
    sender: mpsc::Sender<io::Result<Bytes>>,
    current: Vec<u8>,
    recycled: threads::Receiver<Vec<u8>>,
    recycle: threads::Sender<Vec<u8>>,
    passed: u64,
}

/// A buffer on its way; dropped, it goes back to the reader.
struct Loan {
    buffer: Vec<u8>,
    home: threads::Sender<Vec<u8>>,
}

impl AsRef<[u8]> for Loan {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        // When the reader is done, the buffer is simply freed.
        let _ = self.home.send(std::mem::take(&mut self.buffer));
    }
}

impl Outlet {
    fn new(sender: mpsc::Sender<io::Result<Bytes>>) -> Self {
        let (recycle, recycled) = threads::channel();
        Self { sender, current: Vec::new(), recycled, recycle, passed: 0 }
    }

    /// Appends bytes that are in memory.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), ArchiveError> {
        while !bytes.is_empty() {
            let room = self.room()?;
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.current.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Reads once, at most `limit` bytes, straight into the buffer; shows what came to `seen`.
    /// Returns the count, 0 at the end.
    pub(super) fn read(
        &mut self,
        source: &mut impl Read,
        limit: u64,
        seen: impl FnOnce(&[u8]) -> io::Result<()>,
    ) -> Result<io::Result<u64>, ArchiveError> {
        let room = self.room()?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX).min(room);
        let start = self.current.len();
        self.current.resize(start + wanted, 0);
        let count = read_retrying(source, &mut self.current[start..]);
        let kept = *count.as_ref().unwrap_or(&0);
        self.current.truncate(start + kept);
        Ok(count.and_then(|count| {
            seen(&self.current[start..])?;
            Ok(count as u64)
        }))
    }

    /// Free bytes of the current buffer, after handing on a full one.
    fn room(&mut self) -> Result<usize, ArchiveError> {
        if self.current.len() >= BUFFER {
            self.flush()?;
        }
        if self.current.capacity() < BUFFER {
            self.current = self.recycled.try_recv().unwrap_or_default();
            self.current.clear();
            self.current.reserve_exact(BUFFER);
        }
        Ok(BUFFER - self.current.len())
    }

    /// Hands on what is in the buffer, however little.
    pub(super) fn flush(&mut self) -> Result<(), ArchiveError> {
        if self.current.is_empty() {
            return Ok(());
        }
        self.passed += self.current.len() as u64;
        let loan = Loan { buffer: std::mem::take(&mut self.current), home: self.recycle.clone() };
        self.sender.blocking_send(Ok(Bytes::from_owner(loan))).map_err(|_| ArchiveError::Stopped)
    }

    /// Ends the body without its last bytes.
    fn abort(&self) {
        let _ = self.sender.blocking_send(Err(io::Error::other("the file cannot be sent")));
    }
}

fn read_retrying(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(mut feed: Feed) -> (Vec<usize>, Result<Sent, ArchiveError>) {
        let mut sizes = Vec::new();
        while let Some(Ok(chunk)) = feed.chunks.blocking_recv() {
            sizes.push(chunk.len());
        }
        drop(feed.chunks);
        (sizes, feed.outcome.join())
    }

    #[test]
    fn many_small_writes_leave_in_full_buffers() {
        let feed = Feed::start(0, |outlet| {
            for _ in 0..3_000 {
                outlet.write(&[1; 100])?;
            }
            Ok(Sent::default())
        })
        .unwrap();
        let (sizes, sent) = drain(feed);
        assert_eq!(sizes, [BUFFER, 300_000 - BUFFER]);
        assert_eq!(sent.unwrap().bytes, 300_000);
    }

    #[test]
    fn an_error_comes_before_the_last_bytes() {
        let feed = Feed::start(0, |outlet| {
            outlet.write(&[1; BUFFER + 1])?;
            Err(ArchiveError::Empty { path: "x".into() })
        })
        .unwrap();
        let (sizes, sent) = drain(feed);
        assert_eq!(sizes, [BUFFER]);
        assert!(matches!(sent, Err(ArchiveError::Empty { .. })));
    }

    #[test]
    fn a_reader_ends_when_nobody_listens() {
        let feed = Feed::start(0, |outlet| {
            loop {
                outlet.write(&[1; BUFFER])?;
            }
        })
        .unwrap();
        drop(feed.chunks);
        assert!(matches!(feed.outcome.join(), Err(ArchiveError::Stopped)));
    }
}
