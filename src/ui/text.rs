//! Text from events and servers on its way to a terminal: control characters, which could move the
//! cursor or rewrite what was shown, are taken out. Elsewhere text goes as it came.

use std::borrow::Cow;

/// Whether a terminal could act on the character. Line breaks and tabs only lay text out.
fn is_unsafe(character: char) -> bool {
    let bidirectional = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && !matches!(character, '\n' | '\t')) || bidirectional
}

/// The text with every control character as `\u{fffd}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect::<String>().into()
    } else {
        Cow::Borrowed(text)
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

    #[test]
    fn what_a_terminal_acts_on_is_taken_out() {
        assert_eq!(printable("a\x1b[31mb\r\u{202e}c"), "a\u{fffd}[31mb\u{fffd}\u{fffd}c");
        assert!(matches!(printable("für\n\tμ"), Cow::Borrowed(_)));
    }

    #[test]
    fn sizes_keep_their_unit() {
        assert_eq!(
            [size(0), size(1023), size(1434), size(536_870_912)],
            ["0 B", "1023 B", "1.4 KiB", "512 MiB"]
        );
    }
}
