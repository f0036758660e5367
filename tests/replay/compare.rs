//! Whether two documents are the same but for what a server makes by itself. Stamps, ids and counters
//! are replaced by a word for their form, so that a form that is different still shows.

use serde_json::Value;

/// The document with every text in its form.
pub fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask(text)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(masked).collect();
            // The service lists a folder's files as its disk does: in no order.
            items.sort_by_cached_key(|item| item["file_path"].as_str().map(str::to_owned));
            Value::Array(items)
        }
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (mask(name), masked(value))).collect()
        }
        other => other.clone(),
    }
}

/// The text with what is made replaced: stamps, ids of 24 hexadecimal digits, UUIDs, seconds.
pub fn mask(text: &str) -> String {
    if let Some(zone) = stamp(text) {
        return format!("<stamp{zone}>");
    }
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if text.len() == 24 && is_hex(text) {
        return "<id>".to_owned();
    }
    if let Some((head, seconds)) = text.rsplit_once('_')
        && seconds.len() == 10
        && seconds.bytes().all(|byte| byte.is_ascii_digit())
    {
        return format!("{}_<seconds>", mask(head));
    }
    let masked: Vec<String> =
        text.split(['/', '_']).filter(|part| is_uuid(part)).map(str::to_owned).collect();
    masked.iter().fold(text.to_owned(), |text, uuid| text.replace(uuid, "<uuid>"))
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The zone of a stamp with six digits of a second or none: Python leaves six zeros out.
fn stamp(text: &str) -> Option<&str> {
    let form: String = text
        .get(..19)?
        .chars()
        .map(|character| if character.is_ascii_digit() { '0' } else { character })
        .collect();
    let mut rest = text.get(19..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        rest = (digits == 6).then(|| &fraction[digits..])?;
    }
    (form == "0000-00-00T00:00:00" && matches!(rest, "" | "Z" | "+00:00")).then_some(rest)
}

/// A field that a later commit of the same generation added, and the values (JSON) that it may have.
pub type Later = (&'static str, &'static [&'static str]);

/// Returns what was found without the later fields that the recording does not have.
pub fn without_later(expected: &Value, found: Value, later: &[Later]) -> Value {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let is_later = |name: &String, value: &Value| {
                let allowed = later.iter().find(|(field, _)| field == name);
                let allowed = allowed.is_some_and(|(_, values)| {
                    values.iter().any(|json| serde_json::from_str::<Value>(json).unwrap() == *value)
                });
                allowed && !expected.contains_key(name)
            };
            let kept = found.into_iter().filter(|(name, value)| !is_later(name, value));
            let null = Value::Null;
            let inner = |(name, value): (String, Value)| {
                let expected = expected.get(&name).unwrap_or(&null);
                let value = without_later(expected, value, later);
                (name, value)
            };
            Value::Object(kept.map(inner).collect())
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let pairs = expected.iter().zip(found);
            pairs.map(|(expected, found)| without_later(expected, found, later)).collect()
        }
        (_, found) => found,
    }
}

/// What is different, by the place in the document; keys count in their order.
pub fn differences(place: &str, expected: &Value, found: &Value, into: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) if left.keys().eq(right.keys()) => {
            for (name, value) in left {
                differences(&format!("{place}.{name}"), value, &right[name], into);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (value, other)) in left.iter().zip(right).enumerate() {
                differences(&format!("{place}[{at}]"), value, other, into);
            }
        }
        (Value::Number(left), Value::Number(right)) if left.as_f64() == right.as_f64() => {}
        _ if expected == found => {}
        _ => into.push(format!("{place}: expected {expected}, found {found}")),
    }
}

#[test]
fn only_what_a_server_makes_is_masked() {
    for (text, expected) in [
        ("2026-11-23T13:16:49.945000", "<stamp>"),
        ("2026-11-23T13:16:49Z", "<stampZ>"),
        ("2026-11-23T13:16:49.946300+00:00", "<stamp+00:00>"),
        ("2026-11-23T13:16:49.945", "2026-11-23T13:16:49.945"),
        ("65f1c0ffee65f1c0ffee65f1", "<id>"),
        ("model_uploaded_m_1795439837", "model_uploaded_m_<seconds>"),
        ("datasets/u/292dbf89-f7ca-4595-80cc-02a64ac1f750/v1/x", "datasets/u/<uuid>/v1/x"),
        ("v2", "v2"),
    ] {
        assert_eq!(mask(text), expected);
    }
}
