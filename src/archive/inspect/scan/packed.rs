//! Packers of one stream: gzip, zlib, bzip2, xz, lzma, lz4 and zstd, known by their first bytes; and
//! packers that are known and cannot be looked into.

use std::io::{self, BufRead, BufReader, Read};

/// Memory that a decoder of xz or lzma may take, in KiB.
const MEMORY_MOST: u32 = 128 * 1024;

/// Bytes that are unpacked to tell a packer without a mark from a text.
const PROBE: u64 = 4 * 1024;

/// A packer whose content can be read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packer {
    Gzip,
    Zlib,
    Bzip2,
    Xz,
    Lzma,
    Lz4,
    Zstd,
}

/// First bytes of packers that are not read here.
const UNKNOWN: [(&[u8], &str); 10] = [
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"LZIP", "lzip"),
    (b"\x89LZO\0", "lzop"),
    (b"\x1f\x9d", "compress"),
    (b"\xff\x06\0\0sNaPpY", "snappy"),
    (b"MSCF\0\0\0\0", "cabinet"),
    (b"\x02\x21\x4c\x18", "lz4 of the old form"),
    (b"hsqs", "SquashFS"),
    (b"ArC\x01", "FreeArc"),
];

impl Packer {
    /// The packer of a content with these first bytes.
    pub fn of(head: &[u8]) -> Option<Self> {
        const MARKS: [(&[u8], Packer); 5] = [
            (b"\x1f\x8b\x08", Packer::Gzip),
            (b"\xfd7zXZ\0", Packer::Xz),
            (b"\x04\x22\x4d\x18", Packer::Lz4),
            (b"\x28\xb5\x2f\xfd", Packer::Zstd),
            // joblib's own form before 0.10: its mark, the length in hex, then zlib.
            (b"ZF0x", Packer::Zlib),
        ];
        let marked =
            MARKS.iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, packer)| *packer);
        marked.or_else(|| Self::without_mark(head))
    }

    fn without_mark(head: &[u8]) -> Option<Self> {
        match head {
            [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
                if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90") =>
            {
                Some(Self::Bzip2)
            }
            // Method 8, a window of up to 32 KiB, and a sum that is a multiple of 31.
            [method, flags, ..]
                if method & 0x0f == 8
                    && method >> 4 <= 7
                    && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
                    && Self::Zlib.unpacks(head) =>
            {
                Some(Self::Zlib)
            }
            _ if is_lzma(head) && Self::Lzma.unpacks(head) => Some(Self::Lzma),
            // A frame of zstd that readers skip, before the first one with content.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Whether the first bytes of a content without a mark can be unpacked. A text that only begins
    /// alike is damaged within a few bytes.
    fn unpacks(self, head: &[u8]) -> bool {
        let mut unpacked = Vec::new();
        let result =
            self.decoder(head).and_then(|decoder| decoder.take(PROBE).read_to_end(&mut unpacked));
        result.is_ok_and(|count| count > 0)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Unpacks a content that begins with this packer's first bytes.
    pub fn decoder<'a>(self, content: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        let mut content = BufReader::new(content);
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(content)),
            Self::Zlib => {
                skip_old_joblib(&mut content)?;
                Box::new(flate2::bufread::ZlibDecoder::new(content))
            }
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(content)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(content, true, MEMORY_MOST)),
            Self::Lzma => {
                Box::new(lzma_rust2::LzmaReader::new_mem_limit(content, MEMORY_MOST, None)?)
            }
            Self::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(content)),
            Self::Zstd => Box::new(ZstdFrames { content: Some(content), frame: None }),
        })
    }
}

/// Passes by the mark and the length that old files of joblib begin with.
fn skip_old_joblib(content: &mut impl BufRead) -> io::Result<()> {
    const LENGTH: u64 = 21;
    let is_old = content.fill_buf()?.starts_with(b"ZF0x");
    if is_old {
        io::copy(&mut content.take(LENGTH), &mut io::sink())?;
    }
    Ok(())
}

/// The name of a packer whose content cannot be read here.
pub(super) fn unknown_packer(head: &[u8]) -> Option<&'static str> {
    UNKNOWN.iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, name)| *name)
}

/// Whether a header of lzma's old form is one that encoders write: properties below 225, a dictionary
/// of 2^n or 2^n + 2^(n-1) bytes, and no length or a possible one.
fn is_lzma(head: &[u8]) -> bool {
    let Some((&properties, rest)) = head.split_first() else { return false };
    let (Some(dictionary), Some(length)) = (rest.first_chunk::<4>(), rest.get(4..12)) else {
        return false;
    };
    let dictionary = u32::from_le_bytes(*dictionary);
    let is_usual = dictionary >= 4096
        && (dictionary.is_power_of_two()
            || (dictionary.is_multiple_of(3) && (dictionary / 3).is_power_of_two()));
    properties < 225 && is_usual && (length == [0xff; 8] || length[5..] == [0; 3])
}

/// The frames of a zstd file, one after another.
struct ZstdFrames<R: Read> {
    content: Option<BufReader<R>>,
    frame: Option<ZstdFrame<R>>,
}

type ZstdFrame<R> =
    ruzstd::decoding::StreamingDecoder<BufReader<R>, ruzstd::decoding::FrameDecoder>;

impl<R: Read> ZstdFrames<R> {
    /// Opens the next frame; false at the end of the content.
    fn open_next(&mut self) -> io::Result<bool> {
        let Some(mut content) = self.content.take() else { return Ok(false) };
        loop {
            let head = content.fill_buf()?;
            if head.is_empty() {
                return Ok(false);
            }
            if !matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
                break;
            }
            let mut skipped = [0; 8];
            content.read_exact(&mut skipped)?;
            let length = u32::from_le_bytes([skipped[4], skipped[5], skipped[6], skipped[7]]);
            io::copy(&mut content.by_ref().take(length.into()), &mut io::sink())?;
        }
        self.frame =
            Some(ruzstd::decoding::StreamingDecoder::new(content).map_err(io::Error::other)?);
        Ok(true)
    }
}

impl<R: Read> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
            }
            if let Some(frame) = self.frame.take() {
                self.content = Some(frame.into_inner());
            }
            if !self.open_next()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text whose first two bytes are those of zlib.
    const LIKE_ZLIB: &[u8] = b"(SSL Certificate Verification)=\n\n# HTTPS Certificate Verification";

    #[test]
    fn a_text_or_noise_is_not_packed() {
        let texts: [&[u8]; 7] =
            [b"", b"x", b"x\x9c", b"BZh9 is how it begins", LIKE_ZLIB, b"(c) 2026", &[0; 64]];
        for text in texts {
            assert_eq!(Packer::of(text), None, "{text:?}");
        }
    }

    #[test]
    fn several_frames_of_zstd_are_one_content() {
        let frame = |text: &[u8]| {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            ruzstd::encoding::compress_to_vec(text, level)
        };
        let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
        let packed = [skipped, &frame(b"one ")[..], &frame(b"two")[..]].concat();
        assert_eq!(Packer::of(&packed), Some(Packer::Zstd));
        let mut text = String::new();
        Packer::Zstd.decoder(&packed[..]).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
    }
}
