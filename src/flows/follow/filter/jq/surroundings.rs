//! `$record`: what stands around a value, under the names of `tail -o json`.

use jaq_json::{Val, read};

use crate::kafka::Record;

/// Returns the object for a record.
pub(super) fn record_object(record: &Record<'_>) -> Val {
    let headers = record
        .headers
        .iter()
        .map(|(name, value)| {
            let mut header = vec![("key", Val::from(name.to_owned()))];
            push_bytes("value", "value_encoding", value, &mut header);
            object(header)
        })
        .collect();
    let (timestamp, kind) = record.timestamp.map_or((Val::Null, Val::Null), |(millis, kind)| {
        (number(millis), Val::from(kind.word().to_owned()))
    });
    let mut around = vec![
        ("topic", Val::from(record.topic.to_owned())),
        ("partition", number(i64::from(record.partition))),
        ("offset", number(record.offset)),
        ("timestamp", timestamp),
        ("timestamp_type", kind),
    ];
    push_bytes("key", "key_encoding", record.key, &mut around);
    around.push(("headers", headers));
    object(around)
}

/// Adds bytes as text, or in base64 with a field that says so.
fn push_bytes(
    name: &'static str,
    encoding: &'static str,
    bytes: Option<&[u8]>,
    object: &mut Vec<(&'static str, Val)>,
) {
    match bytes.map(|bytes| std::str::from_utf8(bytes).map_err(|_| bytes)) {
        None => object.push((name, Val::Null)),
        Some(Ok(text)) => object.push((name, Val::from(text.to_owned()))),
        Some(Err(bytes)) => {
            object.push((name, Val::from(openssl::base64::encode_block(bytes))));
            object.push((encoding, Val::from("base64".to_owned())));
        }
    }
}

/// Decimal digits keep a 64-bit number what it is on every machine.
fn number(number: i64) -> Val {
    read::parse_single(number.to_string().as_bytes()).unwrap_or(Val::Null)
}

fn object(pairs: Vec<(&str, Val)>) -> Val {
    Val::obj(pairs.into_iter().map(|(key, value)| (Val::from(key.to_owned()), value)).collect())
}
