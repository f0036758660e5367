//! Bytes that people cannot type: `\n`, `\r`, `\t`, `\\` and `\xHH` in the texts of flags.

/// Why there is no such escape, and the nearest right form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongEscape {
    pub reason: String,
    pub form: String,
}

/// The byte that a text behind a backslash begins with, and the rest of the text.
///
/// # Errors
/// It begins with no escape.
pub fn escape(after: &str) -> Result<(u8, &str), WrongEscape> {
    let wrong = |reason: String, form: String| WrongEscape { reason, form };
    let byte = match after.as_bytes().first() {
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'\\') => b'\\',
        Some(b'x') => {
            let digits = after.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            return digits.map(|byte| (byte, &after[3..])).ok_or_else(|| {
                wrong("\\x needs two hexadecimal digits".to_owned(), "\\x00".to_owned())
            });
        }
        _ => {
            let letter = after.chars().next().map_or_else(String::new, String::from);
            return Err(wrong(format!("there is no escape \\{letter}"), format!("\\\\{letter}")));
        }
    };
    Ok((byte, &after[1..]))
}

/// The bytes that a text with escapes means.
///
/// # Errors
/// One of them is none.
pub fn unescape(text: &str) -> Result<Vec<u8>, WrongEscape> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let (byte, left) = escape(&rest[at + 1..])?;
        bytes.push(byte);
        rest = left;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes_and_anything_else_is_told() {
        assert_eq!(unescape(r"a\tb\x00\\\n").unwrap(), b"a\tb\0\\\n");
        assert_eq!(unescape("::").unwrap(), b"::");
        for (wrong, form) in [(r"\", r"\\"), (r"\q", r"\\q"), (r"\x1", r"\x00"), (r"\xzz", r"\x00")]
        {
            assert_eq!(unescape(wrong).unwrap_err().form, form, "{wrong}");
        }
    }
}
