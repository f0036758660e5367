//! A record as one line of JSON that any parser takes and from which every byte can be had back.
//!
//! Key and value are embedded or quoted, and `key_encoding` and `value_encoding` name the way wherever
//! it is not plain: `text` for a value that is not JSON and stands as a string, `base64` for what is
//! not UTF-8, `normalized` for JSON that would not survive on one line or in a strict parser. The last
//! is embedded without white space and with bare `NaN` and `Infinity` as `null`, so that its fields
//! are where a reader looks for them; `value_text` has it as it was sent.

use super::number;
use crate::kafka::Record;
use crate::schema::json;

/// What the lines of a topic begin with: `{"topic":NAME,"partition":`.
pub(super) fn beginning(topic: &str) -> Vec<u8> {
    let mut out = b"{\"topic\":".to_vec();
    quote(topic, &mut out);
    out.extend_from_slice(b",\"partition\":");
    out
}

/// Appends one record and a line break, after its topic's [`beginning`].
pub(super) fn write_json(record: &Record<'_>, beginning: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(beginning);
    number(i64::from(record.partition), out);
    out.extend_from_slice(b",\"offset\":");
    number(record.offset, out);
    match record.timestamp {
        Some((millis, kind)) => {
            out.extend_from_slice(b",\"timestamp\":");
            number(millis, out);
            out.extend_from_slice(b",\"timestamp_type\":");
            quote(kind.word(), out);
        }
        None => out.extend_from_slice(b",\"timestamp\":null,\"timestamp_type\":null"),
    }
    out.extend_from_slice(b",\"key\":");
    match record.key.map(|key| quoted(key, out)) {
        None => out.extend_from_slice(b"null"),
        Some(Quoted::Base64) => out.extend_from_slice(b",\"key_encoding\":\"base64\""),
        Some(Quoted::Text) => {}
    }
    out.extend_from_slice(b",\"headers\":[");
    for (index, (name, value)) in record.headers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        header(name, value, out);
    }
    out.extend_from_slice(b"],\"value\":");
    match record.value {
        None => out.extend_from_slice(b"null"),
        Some(value) => write_value(value, out),
    }
    out.extend_from_slice(b"}\n");
}

fn header(name: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"key\":");
    quote(name, out);
    out.extend_from_slice(b",\"value\":");
    match value.map(|value| quoted(value, out)) {
        None => out.extend_from_slice(b"null"),
        Some(Quoted::Base64) => out.extend_from_slice(b",\"value_encoding\":\"base64\""),
        Some(Quoted::Text) => {}
    }
    out.push(b'}');
}

fn write_value(value: &[u8], out: &mut Vec<u8>) {
    match json::validate(value) {
        // A value that is the word null could not be told from a tombstone, and white space around a
        // value would be lost to whoever reads the line as JSON.
        Ok(facts)
            if !facts.bare_numbers
                && !facts.line_breaks
                && value.trim_ascii().len() == value.len()
                && value != b"null" =>
        {
            out.extend_from_slice(value);
        }
        Ok(_) if value.trim_ascii() != b"null" => write_normalized(value, out),
        _ => match quoted(value, out) {
            Quoted::Text => out.extend_from_slice(b",\"value_encoding\":\"text\""),
            Quoted::Base64 => out.extend_from_slice(b",\"value_encoding\":\"base64\""),
        },
    }
}

/// Appends JSON as any parser takes it, and its text.
#[cold]
fn write_normalized(value: &[u8], out: &mut Vec<u8>) {
    // It was validated before.
    let _ = json::normalize(value, out);
    out.extend_from_slice(b",\"value_encoding\":\"normalized\",\"value_text\":");
    quoted(value, out);
}

enum Quoted {
    Text,
    Base64,
}

fn quoted(bytes: &[u8], out: &mut Vec<u8>) -> Quoted {
    if let Ok(text) = std::str::from_utf8(bytes) {
        quote(text, out);
        Quoted::Text
    } else {
        out.push(b'"');
        out.extend_from_slice(openssl::base64::encode_block(bytes).as_bytes());
        out.push(b'"');
        Quoted::Base64
    }
}

fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing a string to a vector cannot fail.
    let _ = serde_json::to_writer(&mut *out, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{Headers, OwnedHeader, TimestampType};

    fn line(key: Option<&[u8]>, value: Option<&[u8]>) -> String {
        with_headers(key, value, Headers::NONE)
    }

    fn with_headers(key: Option<&[u8]>, value: Option<&[u8]>, headers: Headers<'_>) -> String {
        let record = Record {
            partition: 1,
            offset: 7,
            timestamp: Some((5, TimestampType::Create)),
            headers,
            ..Record::plain("t", key, value)
        };
        let mut out = Vec::new();
        write_json(&record, &beginning("t"), &mut out);
        let text = String::from_utf8(out).unwrap();
        serde_json::from_str::<serde_json::Value>(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        text
    }

    #[test]
    fn json_is_embedded_as_it_was_sent() {
        assert_eq!(
            line(Some(b"k"), Some(br#"{"a": 1.10, "b": 1E5}"#)),
            "{\"topic\":\"t\",\"partition\":1,\"offset\":7,\"timestamp\":5,\"timestamp_type\":\"create_time\",\"key\":\"k\",\"headers\":[],\"value\":{\"a\": 1.10, \"b\": 1E5}}\n"
        );
    }

    #[test]
    fn what_a_strict_parser_or_a_line_cannot_hold_is_normalized_beside_its_text() {
        for (sent, embedded, text) in [
            ("{\"a\":NaN,\"id\":1}", r#"{"a":null,"id":1}"#, r#"{\"a\":NaN,\"id\":1}"#),
            ("[Infinity, -Infinity]", "[null,null]", "[Infinity, -Infinity]"),
            ("NaN", "null", "NaN"),
            ("[1,\n2]", "[1,2]", r"[1,\n2]"),
            ("{\r\n  \"a\": 1.10\r\n}", r#"{"a":1.10}"#, r#"{\r\n  \"a\": 1.10\r\n}"#),
            (" {\"a\" : 1E5} ", r#"{"a":1E5}"#, r#" {\"a\" : 1E5} "#),
            ("\"x\"\n", "\"x\"", r#"\"x\"\n"#),
        ] {
            let expected = format!(
                "\"value\":{embedded},\"value_encoding\":\"normalized\",\"value_text\":\"{text}\"}}\n"
            );
            let line = line(None, Some(sent.as_bytes()));
            assert!(line.ends_with(&expected), "{line}");
        }
    }

    #[test]
    fn what_is_not_json_goes_as_text() {
        assert!(line(None, Some(b"{NaN}")).contains(r#""value":"{NaN}","value_encoding":"text""#));
        assert!(
            line(None, Some(b" null ")).contains(r#""value":" null ","value_encoding":"text""#)
        );
        assert!(line(None, Some(b"hello")).contains(r#""value":"hello","value_encoding":"text""#));
    }

    #[test]
    fn nothing_empty_and_the_word_null_are_told_apart() {
        assert!(
            line(None, None).contains(r#""key":null"#)
                && line(None, None).ends_with("\"value\":null}\n")
        );
        assert!(
            line(Some(b""), Some(b""))
                .contains(r#""key":"","headers":[],"value":"","value_encoding":"text""#)
        );
        assert!(line(None, Some(b"null")).contains(r#""value":"null","value_encoding":"text""#));
    }

    #[test]
    fn bytes_that_are_no_text_go_as_base64() {
        let line = line(Some(&[0xff]), Some(&[0xfe, 0x00]));
        assert!(line.contains(r#""key":"/w==","key_encoding":"base64""#), "{line}");
        assert!(line.contains(r#""value":"/gA=","value_encoding":"base64""#), "{line}");
    }

    #[test]
    fn headers_are_a_list_in_which_a_name_may_stand_twice() {
        let headers: [OwnedHeader; 3] = [
            ("a".to_owned(), Some(b"1".to_vec())),
            ("a".to_owned(), None),
            ("b".to_owned(), Some(vec![0xff])),
        ];
        assert!(with_headers(None, None, Headers::of(&headers)).contains(
            r#""headers":[{"key":"a","value":"1"},{"key":"a","value":null},{"key":"b","value":"/w==","value_encoding":"base64"}]"#
        ));
    }
}
