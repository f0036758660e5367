//! Lines of a stream through one large buffer, without waiting longer than was asked for: a signal
//! must be noticed also while a pipe is silent.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Bytes that a line may have; a broker takes far less.
const LONGEST: usize = 64 * 1024 * 1024;

/// What the input gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A line without its line break.
    Line(&'a [u8]),
    /// A line that is longer than 64 MiB, which is passed over.
    TooLong,
    /// Nothing came within the time.
    Quiet,
    End,
}

/// The lines of a file, a pipe or a terminal.
#[derive(Debug)]
pub struct Lines {
    source: File,
    buffer: Vec<u8>,
    /// The part of the buffer that has not been handed out.
    start: usize,
    /// How much of that is known to hold no line break.
    searched: usize,
    /// Whether the buffer begins within a line that is too long.
    is_passing: bool,
    ended: bool,
}

impl Lines {
    #[must_use]
    pub fn new(source: File) -> Self {
        Self {
            source,
            buffer: Vec::with_capacity(2 * CHUNK),
            start: 0,
            searched: 0,
            is_passing: false,
            ended: false,
        }
    }

    /// The next line, at most `wait` later.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn next_line(&mut self, wait: Duration) -> io::Result<Input<'_>> {
        loop {
            let from = self.start + self.searched;
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[from..]) {
                let (start, end) = (self.start, from + length);
                self.start = end + 1;
                self.searched = 0;
                return Ok(self.line(start, end));
            }
            self.searched = self.buffer.len() - self.start;
            if self.ended {
                let start = std::mem::replace(&mut self.start, self.buffer.len());
                self.searched = 0;
                // A last line needs no line break.
                return Ok(if start == self.buffer.len() && !self.is_passing {
                    Input::End
                } else {
                    self.line(start, self.buffer.len())
                });
            }
            if self.searched > LONGEST {
                self.is_passing = true;
                self.buffer.clear();
                (self.start, self.searched) = (0, 0);
            }
            if !self.is_ready(wait)? {
                return Ok(Input::Quiet);
            }
            self.fill()?;
        }
    }

    fn line(&mut self, start: usize, end: usize) -> Input<'_> {
        if std::mem::take(&mut self.is_passing) {
            Input::TooLong
        } else {
            Input::Line(&self.buffer[start..end])
        }
    }

    fn is_ready(&self, wait: Duration) -> io::Result<bool> {
        let limit = Timespec::try_from(wait).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.source, PollFlags::IN)], Some(&limit)) {
            Ok(count) => Ok(count > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let kept = self.buffer.len();
        self.buffer.resize(kept + CHUNK, 0);
        let count = match self.source.read(&mut self.buffer[kept..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.buffer.truncate(kept);
                return Ok(());
            }
            other => other,
        };
        self.buffer.truncate(kept + *count.as_ref().unwrap_or(&0));
        self.ended = count? == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const SOON: Duration = Duration::from_secs(10);

    fn all(content: &[u8]) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let mut lines = Lines::new(file);
        let mut found = Vec::new();
        while let Input::Line(line) = lines.next_line(SOON).unwrap() {
            found.push(line.to_vec());
        }
        found
    }

    #[test]
    fn every_line_comes_once_whatever_the_chunks() {
        assert_eq!(all(b"a\n\nb"), [b"a".to_vec(), b"".to_vec(), b"b".to_vec()]);
        assert_eq!(all(b"a\n"), [b"a".to_vec()]);
        assert!(all(b"").is_empty());
        let long = vec![b'x'; 3 * CHUNK + 7];
        let content = [&long[..], b"\n", &long[..5], b"\n"].concat();
        assert_eq!(all(&content), [long.clone(), long[..5].to_vec()]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_is_whole() {
        for end in ["\nb\n", "\nb", "\n"] {
            let mut file = tempfile::tempfile().unwrap();
            file.set_len(LONGEST as u64 + 9 * CHUNK as u64).unwrap();
            io::Seek::seek(&mut file, io::SeekFrom::End(0)).unwrap();
            file.write_all(end.as_bytes()).unwrap();
            io::Seek::rewind(&mut file).unwrap();
            let mut lines = Lines::new(file);
            assert_eq!(lines.next_line(SOON).unwrap(), Input::TooLong);
            if end.contains('b') {
                assert_eq!(lines.next_line(SOON).unwrap(), Input::Line(b"b"));
            }
            assert_eq!(lines.next_line(SOON).unwrap(), Input::End);
        }
    }

    #[test]
    fn a_silent_pipe_is_quiet_and_not_at_its_end() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let mut lines = Lines::new(File::from(reader));
        assert_eq!(lines.next_line(Duration::ZERO).unwrap(), Input::Quiet);
        File::from(writer).write_all(b"a").unwrap();
        assert_eq!(lines.next_line(SOON).unwrap(), Input::Line(b"a"));
        assert_eq!(lines.next_line(SOON).unwrap(), Input::End);
    }
}
