//! `--format`: kcat's tokens, and `%v{PATH}` for one field of a JSON value. No line break is added.

use super::number;
use crate::base::escape::escape;
use crate::base::{Classify, Hint, Kind};
use crate::kafka::Record;
use crate::schema::json;
use crate::ui::text::escape_bytes;

/// A format, taken apart once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFormat {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    Topic,
    Partition,
    Offset,
    /// Milliseconds since the epoch; −1 for none.
    Timestamp,
    Key,
    /// −1 for null.
    KeyLength,
    Value,
    ValueLength,
    /// Four bytes, big-endian, as kcat's `%R`.
    BinaryLength,
    /// `name=value` with commas between.
    Headers,
    Field(Vec<String>),
}

/// Each token's letter, as the help shows them.
const TOKENS: &str = "%t topic, %p partition, %o offset, %T timestamp, %k key, %K its length, \
                      %s value, %S its length, %R the same in four bytes, %h headers, \
                      %v{PATH} a field, %% a percent sign; \\n \\r \\t \\xHH";

/// Why a text is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to use the format {text:?}: {reason}")]
pub struct InvalidFormat {
    text: String,
    reason: String,
    form: String,
}

impl Classify for InvalidFormat {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hints(&self) -> Vec<Hint> {
        vec![Hint::new(format!("write {}", self.form)), Hint::new(format!("tokens: {TOKENS}"))]
    }
}

impl LineFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// A token or an escape is none; the error names the nearest right form.
    pub fn parse(text: &str) -> Result<Self, InvalidFormat> {
        let refuse =
            |reason: String, form: String| InvalidFormat { text: text.to_owned(), reason, form };
        let mut parts = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['%', '\\']) {
            plain.extend_from_slice(&rest.as_bytes()[..at]);
            let is_token = rest.as_bytes()[at] == b'%';
            let after = &rest[at + 1..];
            rest = if is_token {
                let (part, left) = token(after).map_err(|(reason, form)| refuse(reason, form))?;
                if let Part::Text(literal) = part {
                    plain.extend(literal);
                } else {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(part);
                }
                left
            } else {
                let (byte, left) =
                    escape(after).map_err(|wrong| refuse(wrong.reason, wrong.form))?;
                plain.push(byte);
                left
            };
        }
        plain.extend_from_slice(rest.as_bytes());
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts })
    }

    /// Whether each record ends its line.
    #[must_use]
    pub(super) fn ends_lines(&self) -> bool {
        matches!(self.parts.last(), Some(Part::Text(text)) if text.ends_with(b"\n"))
    }

    /// Appends one record; for a terminal without what it could act on.
    pub(super) fn write(&self, record: &Record<'_>, terminal: bool, out: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Text(bytes) => out.extend_from_slice(bytes),
                Part::Topic => shown(record.topic.as_bytes(), terminal, out),
                Part::Partition => number(i64::from(record.partition), out),
                Part::Offset => number(record.offset, out),
                Part::Timestamp => number(record.timestamp.map_or(-1, |(millis, _)| millis), out),
                Part::Key => shown(record.key.unwrap_or_default(), terminal, out),
                Part::KeyLength => number(length(record.key), out),
                Part::Value => shown(record.value.unwrap_or_default(), terminal, out),
                Part::ValueLength => number(length(record.value), out),
                Part::BinaryLength => {
                    let length = i32::try_from(length(record.value)).unwrap_or(i32::MAX);
                    // A length can be that of an escape code, which the value then goes on with.
                    shown(&length.to_be_bytes(), terminal, out);
                }
                Part::Headers => headers(record, terminal, out),
                Part::Field(path) => {
                    let value = record.value.unwrap_or_default();
                    if let Some(raw) = json::find(value, path) {
                        match json::unquote(raw) {
                            Some(text) => shown(text.as_bytes(), terminal, out),
                            None => shown(raw, terminal, out),
                        }
                    }
                }
            }
        }
    }
}

type Refused = (String, String);

fn token(after: &str) -> Result<(Part, &str), Refused> {
    let Some(letter) = after.chars().next() else {
        return Err(("a token ends too early".to_owned(), "%% for a percent sign".to_owned()));
    };
    let left = &after[letter.len_utf8()..];
    let part = match letter {
        't' => Part::Topic,
        'p' => Part::Partition,
        'o' => Part::Offset,
        'T' => Part::Timestamp,
        'k' => Part::Key,
        'K' => Part::KeyLength,
        's' => Part::Value,
        'S' => Part::ValueLength,
        'R' => Part::BinaryLength,
        'h' => Part::Headers,
        '%' => Part::Text(b"%".to_vec()),
        'v' => return field(left),
        other => {
            let form = match other {
                'P' => "%p",
                'O' => "%o",
                'H' => "%h",
                'V' => "%v{PATH}",
                _ => "%% for a percent sign",
            };
            return Err((format!("there is no token %{other}"), form.to_owned()));
        }
    };
    Ok((part, left))
}

fn field(after: &str) -> Result<(Part, &str), Refused> {
    let path = after.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    match path {
        Some((path, left)) if !path.is_empty() && path.split('.').all(|step| !step.is_empty()) => {
            Ok((Part::Field(path.split('.').map(str::to_owned).collect()), left))
        }
        _ => Err((
            "%v names no field".to_owned(),
            "%v{PATH}, such as %v{output.model_id}".to_owned(),
        )),
    }
}

fn length(bytes: Option<&[u8]>) -> i64 {
    bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX))
}

fn headers(record: &Record<'_>, terminal: bool, out: &mut Vec<u8>) {
    for (index, (name, value)) in record.headers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        shown(name.as_bytes(), terminal, out);
        out.push(b'=');
        shown(value.unwrap_or(b"NULL"), terminal, out);
    }
}

pub(super) fn shown(bytes: &[u8], terminal: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(bytes);
    if terminal {
        escape_bytes(out, start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{Headers, OwnedHeader, TimestampType};

    fn line(format: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> Vec<u8> {
        let headers: [OwnedHeader; 2] =
            [("a".to_owned(), Some(b"1".to_vec())), ("b".to_owned(), None)];
        let record = Record {
            partition: 2,
            offset: 7,
            timestamp: Some((5, TimestampType::Create)),
            headers: Headers::of(&headers),
            ..Record::plain("t", key, value)
        };
        let mut out = Vec::new();
        LineFormat::parse(format).unwrap().write(&record, false, &mut out);
        out
    }

    #[test]
    fn every_token_stands_for_its_fact() {
        assert_eq!(
            line(r"%t[%p]@%o %T %k(%K) %s(%S) %h 100%%\n", Some(b"k"), Some(b"val")),
            b"t[2]@7 5 k(1) val(3) a=1,b=NULL 100%\n"
        );
        assert_eq!(line("%K %S%R|%k%s", None, None), b"-1 -1\xff\xff\xff\xff|");
        assert_eq!(line(r"\x00\\\t", None, None), b"\0\\\t");
        assert_eq!(line("%R", None, Some(&[0xff, 0xfe])), [0, 0, 0, 2]);
    }

    #[test]
    fn a_field_is_shown_without_quotes_and_as_it_was_sent() {
        let value = br#"{"a":{"b":[1.10,"x\ty"]},"c":null}"#;
        assert_eq!(
            line("%v{a.b.0} %v{a.b.1} %v{c} %v{d}|", None, Some(value)),
            b"1.10 x\ty null |"
        );
    }

    #[test]
    fn a_terminal_gets_nothing_that_it_could_act_on() {
        let mut out = Vec::new();
        let value = format!("[2J{}", "\u{9b}".repeat(12));
        let record = Record::plain("\x07", Some(b"\x1b[2J"), Some(value.as_bytes()));
        LineFormat::parse("%t %k %R%s").unwrap().write(&record, true, &mut out);
        let value = format!("[2J{}", "\\u009b".repeat(12));
        let length = "\\u0000\\u0000\\u0000\\u001b";
        assert_eq!(String::from_utf8(out).unwrap(), format!("\\u0007 \\u001b[2J {length}{value}"));
    }

    #[test]
    fn what_is_no_token_is_refused_with_the_nearest() {
        for (format, form) in [
            ("%O", "%o"),
            ("%v", "%v{PATH}, such as %v{output.model_id}"),
            ("%v{a..b}", "%v{PATH}, such as %v{output.model_id}"),
            ("%v{a", "%v{PATH}, such as %v{output.model_id}"),
            ("%", "%% for a percent sign"),
            ("100 %!", "%% for a percent sign"),
            (r"\q", r"\\q"),
            (r"\x1", r"\x00"),
        ] {
            assert_eq!(LineFormat::parse(format).unwrap_err().form, form, "{format}");
        }
    }
}
