//! Lines of a stream, or what else is a record of it, through one large buffer, without waiting longer
//! than was asked for: a signal must be noticed also while a pipe is silent.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;
/// Bytes that a line may have; a broker takes far less.
const LONGEST: usize = 64 * 1024 * 1024;

/// Where a record of a stream ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// At each line break, which does not belong to it.
    #[default]
    Lines,
    /// At each NUL, which does not belong to it.
    Null,
    /// At the end of the stream.
    Whole,
}

impl Framing {
    fn delimiter(self) -> Option<u8> {
        match self {
            Framing::Lines => Some(b'\n'),
            Framing::Null => Some(0),
            Framing::Whole => None,
        }
    }
}

/// What the input gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A line without its line break, or a record of another framing.
    Line(&'a [u8]),
    /// A line that is longer than 64 MiB, which is passed over.
    TooLong,
    /// A stream that is to be one record has no byte.
    Empty,
    /// Nothing came within the time.
    Quiet,
    End,
}

/// The lines of a file, a pipe or a terminal.
#[derive(Debug)]
pub struct Lines {
    source: File,
    framing: Framing,
    buffer: Vec<u8>,
    /// The part of the buffer that has not been handed out.
    start: usize,
    /// How much of that is known to hold no line break.
    searched: usize,
    /// Whether the buffer begins within a line that is too long.
    is_passing: bool,
    ended: bool,
    /// Whether a record was handed out.
    has_given: bool,
}

impl Lines {
    #[must_use]
    pub fn new(source: File, framing: Framing) -> Self {
        Self {
            source,
            framing,
            buffer: Vec::with_capacity(2 * CHUNK),
            start: 0,
            searched: 0,
            is_passing: false,
            ended: false,
            has_given: false,
        }
    }

    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The next line, at most `wait` later.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn next_line(&mut self, wait: Duration) -> io::Result<Input<'_>> {
        loop {
            let from = self.start + self.searched;
            if let Some(length) = self
                .framing
                .delimiter()
                .and_then(|delimiter| memchr::memchr(delimiter, &self.buffer[from..]))
            {
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
                return Ok(if start < self.buffer.len() || self.is_passing {
                    self.line(start, self.buffer.len())
                } else if self.framing == Framing::Whole && !self.has_given {
                    self.has_given = true;
                    Input::Empty
                } else {
                    Input::End
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
        self.has_given = true;
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
        framed(content, Framing::Lines)
    }

    fn framed(content: &[u8], framing: Framing) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let mut lines = Lines::new(file, framing);
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
    fn a_record_ends_where_its_framing_says() {
        assert_eq!(framed(b"a\nb\0c\0", Framing::Null), [b"a\nb".to_vec(), b"c".to_vec()]);
        assert_eq!(framed(b"{\n\"a\": 1\n}\n", Framing::Whole), [b"{\n\"a\": 1\n}\n".to_vec()]);
        let large = vec![b'\n'; 3 * CHUNK + 7];
        assert_eq!(framed(&large, Framing::Whole), std::slice::from_ref(&large));
        let mut empty = Lines::new(tempfile::tempfile().unwrap(), Framing::Whole);
        assert_eq!(empty.next_line(SOON).unwrap(), Input::Empty);
        assert_eq!(empty.next_line(SOON).unwrap(), Input::End);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_is_whole() {
        for end in ["\nb\n", "\nb", "\n"] {
            let mut file = tempfile::tempfile().unwrap();
            file.set_len(LONGEST as u64 + 9 * CHUNK as u64).unwrap();
            io::Seek::seek(&mut file, io::SeekFrom::End(0)).unwrap();
            file.write_all(end.as_bytes()).unwrap();
            io::Seek::rewind(&mut file).unwrap();
            let mut lines = Lines::new(file, Framing::Lines);
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
        let mut lines = Lines::new(File::from(reader), Framing::Lines);
        assert_eq!(lines.next_line(Duration::ZERO).unwrap(), Input::Quiet);
        File::from(writer).write_all(b"a").unwrap();
        assert_eq!(lines.next_line(SOON).unwrap(), Input::Line(b"a"));
        assert_eq!(lines.next_line(SOON).unwrap(), Input::End);
    }
}
