//! MD5, the checksum that the service keeps of every file. It proves that the bytes arrived; it
//! proves nothing about who made them.

use std::io::{self, Read};
use std::path::Path;

use openssl::hash::{Hasher, MessageDigest};

use super::ArchiveError;
use crate::base::file::open_regular;

/// The 16 bytes of an MD5.
pub type Md5 = [u8; 16];

/// A running MD5.
pub struct Digest(Option<Hasher>);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest")
    }
}

impl Digest {
    /// # Errors
    /// The OpenSSL of this process forbids MD5 (FIPS mode).
    pub fn start() -> io::Result<Self> {
        Ok(Self(Some(Hasher::new(MessageDigest::md5())?)))
    }

    /// # Errors
    /// As [`Digest::start`].
    pub fn update(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Some(hasher) => Ok(hasher.update(bytes)?),
            None => Ok(()),
        }
    }

    /// # Errors
    /// As [`Digest::start`].
    pub fn finish(mut self) -> io::Result<Md5> {
        let mut sum = [0; 16];
        if let Some(mut hasher) = self.0.take() {
            sum.copy_from_slice(&hasher.finish()?);
        }
        Ok(sum)
    }
}

/// Lower-case hexadecimal, as the service writes its hashes.
#[must_use]
pub fn hex(sum: &Md5) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    sum.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Size and MD5 of a local file.
///
/// # Errors
/// The file is missing or cannot be read.
pub fn md5_of(path: &Path) -> Result<(u64, Md5), ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let mut file = open_regular(path).map_err(at)?;
    let mut digest = Digest::start().map_err(at)?;
    let mut buffer = vec![0; 256 * 1024];
    let mut size = 0;
    loop {
        match file.read(&mut buffer).map_err(at)? {
            0 => return Ok((size, digest.finish().map_err(at)?)),
            count => {
                size += count as u64;
                digest.update(&buffer[..count]).map_err(at)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_one_that_the_service_writes() {
        let mut digest = Digest::start().unwrap();
        digest.update(b"on").unwrap();
        digest.update(b"nx").unwrap();
        assert_eq!(hex(&digest.finish().unwrap()), "bf026195c185e2ae02bd1e505f515155");
    }
}
