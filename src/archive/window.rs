//! Bytes to look into: a part of a file or of memory that can be read at any place.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Something that can be read at any place.
pub(in crate::archive) trait ReadAt {
    /// Reads some bytes from an offset on; none behind the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let count = buffer.len().min(self.len() - start);
        buffer[..count].copy_from_slice(&self[start..start + count]);
        Ok(count)
    }
}

/// A part of a file or of memory.
#[derive(Clone, Copy)]
pub(in crate::archive) struct Window<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    length: u64,
}

impl<'a> Window<'a> {
    pub fn new(source: &'a dyn ReadAt, length: u64) -> Self {
        Self { source, start: 0, length }
    }

    pub fn of_memory(bytes: &'a Vec<u8>) -> Self {
        Self::new(bytes, bytes.len() as u64)
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// The part from an offset on, if all of it exists.
    pub fn part(&self, offset: u64, length: u64) -> Option<Self> {
        let end = offset.checked_add(length).filter(|end| *end <= self.length)?;
        Some(Self { source: self.source, start: self.start + offset, length: end - offset })
    }

    /// Everything from an offset on.
    pub fn from(&self, offset: u64) -> Self {
        let offset = offset.min(self.length);
        let length = self.length - offset;
        Self { source: self.source, start: self.start + offset, length }
    }

    /// At most `most` bytes from an offset on.
    pub fn bytes(&self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.from(offset).reader().take(most as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The last bytes.
    pub fn tail(&self, most: usize) -> io::Result<Vec<u8>> {
        self.bytes(self.length.saturating_sub(most as u64), most)
    }

    pub fn reader(self) -> WindowReader<'a> {
        WindowReader { window: self, at: 0 }
    }
}

/// Reads a window from its beginning.
pub(in crate::archive) struct WindowReader<'a> {
    window: Window<'a>,
    at: u64,
}

impl Read for WindowReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.window.length - self.at;
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let offset = self.window.start + self.at;
        let count = self.window.source.read_at(&mut buffer[..most], offset)?;
        self.at += count as u64;
        Ok(count)
    }
}
