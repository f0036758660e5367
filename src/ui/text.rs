//! Text from events and servers on its way to a terminal: characters that could move the cursor,
//! rewrite what is shown, or hide are escaped as in JSON. Other streams get text unchanged.

use std::borrow::Cow;

/// How a terminal gets the line breaks of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineBreaks {
    /// As they are.
    Keep,
    /// With two spaces after each, so that no line looks like one of our own.
    Indent,
    /// As `\n`: the text stays one line.
    Escape,
}

/// Whether a terminal could act on the character, reorder text by it, or show nothing for it.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' // soft hyphen
                | '\u{61c}' // bidirectional mark
                | '\u{115f}'..='\u{1160}' // fillers
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}' // zero width, bidirectional marks
                | '\u{2028}'..='\u{202e}' // separators, bidirectional embeddings
                | '\u{2060}'..='\u{206f}' // zero width, bidirectional isolates
                | '\u{3164}'
                | '\u{feff}' // byte-order mark
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}' // interlinear annotations
                | '\u{e0000}'..='\u{e007f}' // tags
        )
}

/// Whether the text shows itself: printable ASCII and line feeds, which nearly all text is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
}

/// Returns the text with unsafe characters as JSON escapes, such as `\u001b`. Tabs stay.
#[must_use]
pub fn escape_unsafe(text: &str, breaks: LineBreaks) -> Cow<'_, str> {
    if is_plain(text) && (breaks == LineBreaks::Keep || !text.contains('\n')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_break =
            character == '\n' || (character == '\r' && characters.next_if_eq(&'\n').is_some());
        match breaks {
            _ if character == '\t' => out.push('\t'),
            LineBreaks::Keep if is_break => out.push('\n'),
            LineBreaks::Indent if is_break => out.push_str("\n  "),
            LineBreaks::Escape if is_break => {
                out.push_str(if character == '\r' { "\\r\\n" } else { "\\n" });
            }
            _ if is_unsafe(character) => push_escape(character, &mut out),
            _ => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// Returns one line of text without line breaks and tabs, for columns that line up on any stream.
#[must_use]
pub fn escape_breaks(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r', '\t']) {
        text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t").into()
    } else {
        Cow::Borrowed(text)
    }
}

/// Escapes unsafe characters of JSON text from `start` on. The value stays equal: inside strings the
/// escapes mean the characters, and outside them only white space can be unsafe.
pub fn escape_json(out: &mut Vec<u8>, start: usize) {
    escape_tail(out, start, |text| {
        escape_unsafe(&text.replace("\r\n", "\n").replace('\r', " "), LineBreaks::Keep).into_owned()
    });
}

/// Escapes unsafe characters of bytes that may be text from `start` on; what is not UTF-8 is
/// replaced.
pub fn escape_bytes(out: &mut Vec<u8>, start: usize) {
    escape_tail(out, start, |text| escape_unsafe(text, LineBreaks::Keep).into_owned());
}

fn escape_tail(out: &mut Vec<u8>, start: usize, escape: impl FnOnce(&str) -> String) {
    if out[start..].iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return;
    }
    let escaped = escape(&String::from_utf8_lossy(&out[start..]));
    out.truncate(start);
    out.extend_from_slice(escaped.as_bytes());
}

/// Appends the character as JSON escapes it.
fn push_escape(character: char, out: &mut String) {
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        *out += &format!("\\u{unit:04x}");
    }
}

/// Milliseconds since the epoch as RFC 3339 in UTC.
#[must_use]
pub fn instant(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |time| format!("{time:.3}"))
}

/// Bytes with a unit that keeps three digits: `79 B`, `1.4 KiB`, `512 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 10.0 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character that a terminal must not get, with some that it may.
    fn every_character() -> impl Iterator<Item = char> {
        ('\0'..='\u{2fff}').chain('\u{fe00}'..='\u{ffff}').chain('\u{e0000}'..='\u{e01ef}')
    }

    #[test]
    fn no_control_character_reaches_a_terminal_and_the_rest_stays() {
        for character in every_character() {
            let text = format!("a{character}b");
            let shown = escape_unsafe(&text, LineBreaks::Keep);
            let is_layout = matches!(character, '\n' | '\t');
            assert!(is_layout || !shown.contains(char::is_control), "{character:?}");
            assert_eq!(shown == text, is_layout || !is_unsafe(character), "{character:?}");
        }
    }

    #[test]
    fn escaped_json_is_the_same_value() {
        let hostile: String = every_character().collect();
        let json = serde_json::json!({ hostile.clone(): [hostile, "plain"] });
        let mut out = b"\x1b".to_vec();
        out.extend_from_slice(json.to_string().as_bytes());
        escape_json(&mut out, 1);
        let read: serde_json::Value = serde_json::from_slice(&out[1..]).unwrap();
        assert_eq!((read, out[0]), (json, b'\x1b'));
        assert!(!String::from_utf8(out.split_off(1)).unwrap().contains(char::is_control));
    }

    #[test]
    fn white_space_of_json_stays_white_space() {
        let mut out = b"{\r\n\"a\":\r1}".to_vec();
        escape_json(&mut out, 0);
        assert_eq!(out, b"{\n\"a\": 1}");
    }

    #[test]
    fn bytes_that_are_not_text_are_replaced() {
        for byte in 0x80..=0xff_u8 {
            let mut out = vec![b'a', byte, b'['];
            escape_bytes(&mut out, 0);
            assert_eq!(out, "a\u{fffd}[".as_bytes(), "{byte:x}");
        }
    }

    #[test]
    fn line_breaks_are_kept_indented_or_escaped() {
        let shown = |breaks| escape_unsafe("a\r\nb\nc\r\t", breaks).into_owned();
        assert_eq!(shown(LineBreaks::Keep), "a\nb\nc\\u000d\t");
        assert_eq!(shown(LineBreaks::Indent), "a\n  b\n  c\\u000d\t");
        assert_eq!(shown(LineBreaks::Escape), "a\\r\\nb\\nc\\u000d\t");
        assert_eq!(escape_breaks("a\r\nb\tc\x1b"), "a\\r\\nb\\tc\x1b");
        assert!(matches!(escape_unsafe("plain", LineBreaks::Escape), Cow::Borrowed(_)));
    }

    #[test]
    fn sizes_keep_their_unit() {
        assert_eq!(
            [size(0), size(1023), size(1434), size(536_870_912)],
            ["0 B", "1023 B", "1.4 KiB", "512 MiB"]
        );
    }
}
