//! A record as the line of JSON that `tail -o json` writes, read back so that every byte is what it
//! was: text as text, what was no UTF-8 from base64, embedded values as they stand in the line.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json;

/// Why a line is no record.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLine {
    #[error("{}", in_its_line(.0))]
    Json(#[from] serde_json::Error),
    #[error("it is no JSON object")]
    NoObject,
    #[error(
        "{place} has the unknown encoding {encoding:?}; known are text, base64 and, for a value, normalized"
    )]
    Encoding { place: &'static str, encoding: String },
    #[error("there can be no partition {0}")]
    Partition(i32),
    #[error("{place} is no base64")]
    Base64 { place: &'static str },
    #[error("{place} has an encoding and is no string")]
    NoString { place: &'static str },
    #[error("the value is normalized and has no value_text")]
    NoText,
    #[error(
        "value and value_text differ: remove value_text and value_encoding to send the value as it is"
    )]
    Changed,
}

/// What a record needs to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLine {
    pub partition: Option<i32>,
    /// Milliseconds since the epoch, where its producer had set it.
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// The library's words without its own count of lines: there is but one.
fn in_its_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(words) => format!("{words} at column {}", error.column()),
        None => text,
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a record as an object")]
struct Line<'a> {
    #[serde(default)]
    partition: Option<i32>,
    #[serde(default)]
    timestamp: Option<i64>,
    #[serde(default, borrow)]
    timestamp_type: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    key_encoding: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    headers: Vec<Header<'a>>,
    // Another object is no tombstone: what is a record has a value, or says that it has none.
    #[serde(borrow, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    #[serde(default, borrow)]
    value_encoding: Option<Cow<'a, str>>,
    /// What a normalized value was made of.
    #[serde(default, borrow)]
    value_text: Option<Cow<'a, str>>,
}

/// A field that must stand in the object, if only as null.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    Option::deserialize(deserializer)
}

#[derive(Deserialize)]
#[serde(expecting = "a header as an object with key and value")]
struct Header<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(default, borrow)]
    value: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    value_encoding: Option<Cow<'a, str>>,
}

impl RecordLine {
    /// Reads one line.
    ///
    /// # Errors
    /// It is no JSON object of this form; unknown fields are passed over.
    pub fn parse(line: &str) -> Result<Self, InvalidLine> {
        // A list would be taken for the fields in their order.
        if line.trim_start().starts_with('[') {
            return Err(InvalidLine::NoObject);
        }
        let line: Line<'_> = serde_json::from_str(line)?;
        if let Some(partition) = line.partition.filter(|partition| *partition < 0) {
            return Err(InvalidLine::Partition(partition));
        }
        let headers = line
            .headers
            .iter()
            .map(|header| {
                let value = header.value.as_deref();
                let value = decode("a header", value, header.value_encoding.as_deref())?;
                Ok((header.key.clone().into_owned(), value))
            })
            .collect::<Result<_, InvalidLine>>()?;
        // The broker's own time is made anew by the broker that gets the record.
        let is_own = line.timestamp_type.as_deref() != Some("log_append_time");
        Ok(Self {
            partition: line.partition,
            timestamp: line.timestamp.filter(|_| is_own),
            key: decode("the key", line.key.as_deref(), line.key_encoding.as_deref())?,
            value: value(&line)?,
            headers,
        })
    }
}

/// An embedded value is its text in the line; one with an encoding is the string's content.
fn value(line: &Line<'_>) -> Result<Option<Vec<u8>>, InvalidLine> {
    let encoding = line.value_encoding.as_deref();
    if encoding == Some("normalized") {
        return normalized_value(
            line.value.map_or("null", RawValue::get),
            line.value_text.as_deref(),
        )
        .map(Some);
    }
    let Some(raw) = line.value else { return Ok(None) };
    if encoding.is_none() {
        return Ok(Some(raw.get().as_bytes().to_vec()));
    }
    let text: Cow<'_, str> = serde_json::from_str(raw.get())
        .map_err(|_| InvalidLine::NoString { place: "the value" })?;
    decode("the value", Some(&text), encoding)
}

/// The text of a normalized value. A value that was changed since is not what the text says, and
/// sending either of the two would lose the other.
fn normalized_value(raw: &str, text: Option<&str>) -> Result<Vec<u8>, InvalidLine> {
    let text = text.ok_or(InvalidLine::NoText)?;
    let mut normal = Vec::with_capacity(text.len());
    let is_json = json::normalize(text.as_bytes(), &mut normal).is_ok();
    let is_equal = || {
        let parsed = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
        parsed(&normal).is_some_and(|ours| parsed(raw.as_bytes()) == Some(ours))
    };
    if is_json && (normal == raw.as_bytes() || is_equal()) {
        Ok(text.as_bytes().to_vec())
    } else {
        Err(InvalidLine::Changed)
    }
}

fn decode(
    place: &'static str,
    text: Option<&str>,
    encoding: Option<&str>,
) -> Result<Option<Vec<u8>>, InvalidLine> {
    let Some(text) = text else { return Ok(None) };
    match encoding {
        None | Some("text") => Ok(Some(text.as_bytes().to_vec())),
        Some("base64") => {
            openssl::base64::decode_block(text).map(Some).map_err(|_| InvalidLine::Base64 { place })
        }
        Some(other) => Err(InvalidLine::Encoding { place, encoding: other.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_stood_in_the_line() {
        let line = RecordLine::parse(
            r#"{"topic":"t","partition":2,"offset":7,"timestamp":5,"timestamp_type":"create_time","key":"k","headers":[{"key":"h","value":"/w==","value_encoding":"base64"},{"key":"h","value":null}],"value":{"a": 1.10,"b":1E5}}"#,
        )
        .unwrap();
        assert_eq!(line.value.unwrap(), br#"{"a": 1.10,"b":1E5}"#);
        assert_eq!((line.partition, line.timestamp), (Some(2), Some(5)));
        assert_eq!(line.headers, [("h".to_owned(), Some(vec![0xff])), ("h".to_owned(), None)]);
    }

    #[test]
    fn text_bytes_tombstones_and_strings_are_told_apart() {
        let read = |text: &str| RecordLine::parse(text).unwrap().value;
        assert_eq!(
            read(r#"{"value":"{\"a\":NaN}","value_encoding":"text"}"#).unwrap(),
            b"{\"a\":NaN}"
        );
        assert_eq!(read(r#"{"value":"/gA=","value_encoding":"base64"}"#).unwrap(), [0xfe, 0]);
        assert_eq!(read(r#"{"value":"a"}"#).unwrap(), b"\"a\"", "a JSON string with its quotes");
        assert_eq!(read(r#"{"value":null}"#), None);
    }

    #[test]
    fn a_normalized_value_is_its_text_unless_it_was_changed() {
        let read = |value: &str, text: &str| {
            RecordLine::parse(&format!(
                r#"{{"value":{value},"value_encoding":"normalized","value_text":{text}}}"#
            ))
            .map(|line| line.value.unwrap())
        };
        let text = r#""{\"a\": NaN,\n\"b\":1.10}""#;
        let sent = b"{\"a\": NaN,\n\"b\":1.10}";
        assert_eq!(read(r#"{"a":null,"b":1.10}"#, text).unwrap(), sent);
        assert_eq!(read(r#"{ "b": 1.1, "a": null }"#, text).unwrap(), sent, "as jq writes it");
        assert_eq!(read("null", r#""NaN""#).unwrap(), b"NaN");
        for (value, text) in [
            (r#"{"a":null,"b":2}"#, text),
            (r#"{"a":0,"b":1.10}"#, text),
            ("null", text),
            ("1", r#""hello""#),
            ("1", "null"),
        ] {
            assert!(read(value, text).is_err(), "{value} {text}");
        }
        assert!(RecordLine::parse(r#"{"value":1,"value_encoding":"normalized"}"#).is_err());
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_reason() {
        for bad in [
            "",
            "[]",
            "{",
            r#"{"key":1}"#,
            r#"{"value":1,"key":"%","key_encoding":"base64"}"#,
            r#"{"value":1,"partition":-1}"#,
            r#"{"Value":1}"#,
            "{}",
        ] {
            assert!(RecordLine::parse(bad).is_err(), "{bad}");
        }
        let unknown =
            RecordLine::parse(r#"{"value":1,"key":"a","key_encoding":"rot13"}"#).unwrap_err();
        assert!(unknown.to_string().contains("rot13"));
        let number = RecordLine::parse(r#"{"key":1}"#).unwrap_err().to_string();
        assert_eq!(number, "invalid type: integer `1`, expected a string at column 8");
        let none = RecordLine::parse("{}").unwrap_err().to_string();
        assert_eq!(none, "missing field `value` at column 2");
        let text = RecordLine::parse("\"x\"").unwrap_err().to_string();
        assert!(text.contains("expected a record as an object"), "{text}");
        assert!(RecordLine::parse(r#"{"value":{},"value_encoding":"text"}"#).is_err());
    }
}
