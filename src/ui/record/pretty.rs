//! The pretty form (DESIGN section 3):
//!
//! ```text
//! AutoML Message received
//!   Partition=0 Offset=0
//!   Key=user123_test-model-1
//!   Event={
//!     "event_type": "model.uploaded",
//!     ...
//!   }
//! ```

use std::io::Write;

use super::colour::indent_in_colour;
use super::number;
use crate::kafka::Record;
use crate::schema::json;
use crate::ui::text::{self, LineBreaks, escape_unsafe};
use crate::ui::{StyledText, TextRenderer, TextStyle};

/// What of a record's surroundings is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub topic: bool,
    pub timestamp: bool,
    pub headers: bool,
}

/// What the records of a topic begin with.
pub(super) fn title(name: &str, stream: TextRenderer) -> Vec<u8> {
    let line = StyledText::new(TextStyle::Strong, format!("{name} Message received"));
    let line = stream.render(&line, LineBreaks::Escape);
    format!("{line}\n  Partition=").into_bytes()
}

/// Appends one record under its [`title`].
pub(super) fn write_pretty(
    record: &Record<'_>,
    title: &[u8],
    facts: Facts,
    stream: TextRenderer,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(title);
    number(i64::from(record.partition), out);
    out.extend_from_slice(b" Offset=");
    number(record.offset, out);
    if facts.topic {
        out.extend_from_slice(b" Topic=");
        bytes_on_a_line(record.topic.as_bytes(), stream.is_terminal, out);
    }
    if facts.timestamp
        // A record may be stored with -1, which is none.
        && let Some((millis @ 0.., _)) = record.timestamp
    {
        out.extend_from_slice(b" Timestamp=");
        out.extend_from_slice(text::instant(millis).as_bytes());
    }
    if facts.headers {
        headers(record, stream.is_terminal, out);
    }
    out.extend_from_slice(b"\n  Key=");
    match record.key {
        None => out.extend_from_slice(b"null"),
        Some(key) => bytes_on_a_line(key, stream.is_terminal, out),
    }
    out.extend_from_slice(b"\n  Event=");
    match record.value {
        None => out.extend_from_slice(b"null (tombstone)"),
        Some(value) => write_value(value, stream, out),
    }
    out.push(b'\n');
}

fn write_value(value: &[u8], stream: TextRenderer, out: &mut Vec<u8>) {
    let start = out.len();
    let outcome = if stream.has_color {
        indent_in_colour(value, b"  ", out)
    } else {
        json::indent(value, b"  ", out).map(|_| ())
    };
    if outcome.is_err() {
        // What the walk wrote before it met something else is taken back.
        out.truncate(start);
        bytes_as_text(value, stream.is_terminal, out);
        indent_further_lines(start, out);
        return;
    }
    // JSON escapes control characters below a space, but not DEL, C1, and what hides or reorders.
    if stream.is_terminal && !stream.has_color {
        text::escape_json(out, start);
    }
}

/// Text as it is, or as hexadecimal digits when it is not UTF-8.
fn bytes_as_text(bytes: &[u8], terminal: bool, out: &mut Vec<u8>) {
    match std::str::from_utf8(bytes) {
        Ok(words) if terminal => {
            out.extend_from_slice(escape_unsafe(words, LineBreaks::Keep).as_bytes());
        }
        Ok(words) => out.extend_from_slice(words.as_bytes()),
        Err(_) => {
            out.extend_from_slice(b"0x");
            for byte in bytes {
                // Writing to a vector cannot fail.
                let _ = write!(out, "{byte:02x}");
            }
        }
    }
}

/// Text of several lines, all but its first under the `Event=` that it belongs to: none of them can
/// be taken for the beginning of another record.
fn indent_further_lines(start: usize, out: &mut Vec<u8>) {
    if out[start..].contains(&b'\n') {
        let text = out.split_off(start);
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            out.extend_from_slice(if index == 0 { b"" } else { b"\n    " });
            out.extend_from_slice(line);
        }
    }
}

/// The same as [`bytes_as_text`] on one line whatever it holds: a key or a header with a line break
/// would otherwise look like the next line of the form.
fn bytes_on_a_line(bytes: &[u8], terminal: bool, out: &mut Vec<u8>) {
    let start = out.len();
    bytes_as_text(bytes, false, out);
    // Almost always there is nothing to be done, which the bytes alone show.
    if out[start..].iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return;
    }
    let text = String::from_utf8_lossy(&out.split_off(start)).into_owned();
    for character in text.chars() {
        match character {
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            // U+2028 and U+2029 break lines without being controls.
            _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
                // Writing to a vector cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => {
                let mut room = [0; 4];
                let character: &str = character.encode_utf8(&mut room);
                let shown = if terminal {
                    escape_unsafe(character, LineBreaks::Keep)
                } else {
                    character.into()
                };
                out.extend_from_slice(shown.as_bytes());
            }
        }
    }
}

fn headers(record: &Record<'_>, terminal: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b" Headers=[");
    for (index, (name, value)) in record.headers.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        bytes_on_a_line(name.as_bytes(), terminal, out);
        out.push(b':');
        match value {
            None => out.extend_from_slice(b"null"),
            Some(value) => bytes_on_a_line(value, terminal, out),
        }
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{Headers, TimestampType};

    const QUIET: Facts = Facts { topic: false, timestamp: false, headers: false };
    const TERMINAL: TextRenderer = TextRenderer { is_terminal: true, ..TextRenderer::PLAIN };

    fn record<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Record<'a> {
        Record {
            timestamp: Some((1_795_439_960_418, TimestampType::Create)),
            ..Record::plain("automl-events", key, value)
        }
    }

    fn shown(record: &Record<'_>, facts: Facts) -> String {
        shown_on(TextRenderer::PLAIN, record, facts)
    }

    fn shown_on(stream: TextRenderer, record: &Record<'_>, facts: Facts) -> String {
        let mut out = Vec::new();
        write_pretty(record, &title("AutoML", stream), facts, stream, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_shown_as_the_seed_text_shows_it() {
        let record = record(
            Some(b"user123_test-model-1"),
            Some(br#"{"event_type": "model.uploaded", "n": 1.10, "x": NaN}"#),
        );
        assert_eq!(
            shown(&record, QUIET),
            "AutoML Message received\n  Partition=0 Offset=0\n  Key=user123_test-model-1\n  Event={\n    \"event_type\": \"model.uploaded\",\n    \"n\": 1.10,\n    \"x\": NaN\n  }\n"
        );
    }

    #[test]
    fn what_is_not_json_is_shown_as_text_or_as_digits() {
        assert!(
            shown(&record(None, Some(b"{\"a\": hello")), QUIET)
                .ends_with("  Key=null\n  Event={\"a\": hello\n")
        );
        assert!(
            shown(&record(Some(b""), Some(&[0xff, 0])), QUIET)
                .ends_with("  Key=\n  Event=0xff00\n")
        );
        assert!(shown(&record(None, None), QUIET).ends_with("Event=null (tombstone)\n"));
    }

    #[test]
    fn more_facts_stand_behind_the_offset() {
        let facts = Facts { topic: true, timestamp: true, headers: true };
        assert!(shown(&record(None, None), facts).contains(
            "  Partition=0 Offset=0 Topic=automl-events Timestamp=2026-11-23T13:19:20.418Z Headers=[]\n"
        ));
    }

    #[test]
    fn a_terminal_gets_nothing_that_it_could_act_on() {
        let record = record(Some(b"\x1b[2J"), Some("{\"a\":\"\u{9b}2J\"}".as_bytes()));
        assert!(!shown_on(TERMINAL, &record, QUIET).contains(['\x1b', '\u{9b}']));
        assert!(shown(&record, QUIET).contains('\u{9b}'), "elsewhere the value is as it was sent");
    }

    #[test]
    fn a_key_is_one_line_whatever_it_holds() {
        for (key, expected) in [
            ("a\n  Event=forged", "a\\n  Event=forged"),
            ("a\r\tb\x1b[2J\u{7f}", "a\\r\\tb\\u001b[2J\\u007f"),
            ("a\u{85}b\u{2028}c", "a\\u0085b\\u2028c"),
            ("für \\n", "für \\n"),
        ] {
            let record = record(Some(key.as_bytes()), None);
            for stream in [TextRenderer::PLAIN, TERMINAL] {
                let shown = shown_on(stream, &record, QUIET);
                assert_eq!(shown.lines().nth(2), Some(format!("  Key={expected}").as_str()));
            }
        }
        let turned = record(Some("a\u{202e}b".as_bytes()), None);
        assert!(shown_on(TERMINAL, &turned, QUIET).contains("Key=a\\u202eb\n"));
    }

    #[test]
    fn no_line_of_a_value_looks_like_the_next_record() {
        let forged = b"plain\nAutoML Message received\n  Partition=0 Offset=9\n";
        assert_eq!(
            shown(&record(Some(b"k"), Some(forged)), QUIET),
            "AutoML Message received\n  Partition=0 Offset=0\n  Key=k\n  Event=plain\n    \
             AutoML Message received\n      Partition=0 Offset=9\n    \n"
        );
    }

    #[test]
    fn headers_stay_on_their_line() {
        let headers = [("a\nb".to_owned(), Some(b"1\n2".to_vec()))];
        let record = Record { headers: Headers::of(&headers), ..record(None, None) };
        assert!(
            shown(&record, Facts { headers: true, ..QUIET })
                .contains("  Partition=0 Offset=0 Headers=[a\\nb:1\\n2]\n")
        );
    }
}
