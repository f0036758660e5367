//! Texts that a person wrote with any editor: UTF-8 with or without a byte order mark, or UTF-16 with
//! one, as editors and shells on Windows write.

use std::borrow::Cow;

use super::file::{read_input, read_regular};

/// Bytes that are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    #[error("it is not UTF-8 (line {line})")]
    NotUtf8 {
        /// The first line with other bytes, from 1.
        line: usize,
    },
    #[error("it begins as UTF-16 and is not")]
    NotUtf16,
    #[error("it holds a NUL character: is it UTF-16 without a byte order mark, or no text?")]
    Nul,
}

/// Decodes a text and takes its byte order mark away.
///
/// # Errors
/// The bytes are in no encoding of the above.
pub fn decode_text(bytes: &[u8]) -> Result<Cow<'_, str>, InvalidText> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes)?.into(),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes)?.into(),
        [0xef, 0xbb, 0xbf, rest @ ..] => decode_utf8(rest)?.into(),
        bytes => decode_utf8(bytes)?.into(),
    };
    let text: Cow<'_, str> = text;
    if text.contains('\0') { Err(InvalidText::Nul) } else { Ok(text) }
}

fn decode_utf8(bytes: &[u8]) -> Result<&str, InvalidText> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        InvalidText::NotUtf8 { line: 1 + memchr::memchr_iter(b'\n', before).count() }
    })
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, InvalidText> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(InvalidText::NotUtf16);
    }
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| InvalidText::NotUtf16)
}

/// Decodes as [`decode_text`], as an error of reading.
///
/// # Errors
/// As [`decode_text`].
pub fn into_text(bytes: &[u8]) -> std::io::Result<String> {
    let invalid = |error| std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    decode_text(bytes).map(Cow::into_owned).map_err(invalid)
}

/// Reads a regular file as a text.
///
/// # Errors
/// It cannot be read, is not a regular file, or is no text.
pub fn read_text(path: &std::path::Path) -> std::io::Result<String> {
    into_text(&read_regular(path)?)
}

/// Reads what a user names as an input as a text, which may be a pipe.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn read_input_text(path: &std::path::Path) -> std::io::Result<String> {
    into_text(&read_input(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_with_its_mark_gives_the_same_text() {
        let text = "*.log\r\nGröße/🦀\n";
        let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
        ] {
            assert_eq!(decode_text(&bytes).unwrap(), text);
        }
        assert_eq!(decode_text(b"").unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_refused_and_never_guessed_at() {
        for (bytes, error) in [
            (&b"a\nb\xff"[..], InvalidText::NotUtf8 { line: 2 }),
            (b"\xff\xfea", InvalidText::NotUtf16),
            (b"\xff\xfe\x00\xd8", InvalidText::NotUtf16),
            (b"\xff\xfe\0\0a\0\0\0", InvalidText::Nul),
            (b"a\0b\0", InvalidText::Nul),
        ] {
            assert_eq!(decode_text(bytes), Err(error), "{bytes:?}");
        }
    }
}
