//! Results as JSON, whatever the interpreter allows a value to be. Numbers that were received stay as
//! they were sent.

use std::io::Write;

use jaq_json::{Num, Val, write};

use super::JqForm;
use crate::schema::json;

/// Below this, jq prints a whole number with its digits.
const LARGEST_WHOLE: f64 = 1e17;

/// A value that has no form in JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("object keys must be strings, and {key} is not")]
pub(super) struct NotWritable {
    key: String,
}

/// Appends a result and a line break.
///
/// # Errors
/// An object of it has a key that is not a string; `out` is left as it was.
pub(super) fn write_result(
    value: &Val,
    form: JqForm,
    out: &mut Vec<u8>,
) -> Result<(), NotWritable> {
    let begin = out.len();
    match (form, value) {
        (JqForm::Raw, Val::TStr(text)) => out.extend_from_slice(text),
        (JqForm::Raw, Val::BStr(bytes)) => out.extend_from_slice(bytes),
        _ => write_json(value, out).inspect_err(|_| out.truncate(begin))?,
    }
    out.push(b'\n');
    Ok(())
}

/// Appends a value as JSON without spaces.
///
/// # Errors
/// As [`write_result`], but for what was appended before.
pub(super) fn write_json(value: &Val, out: &mut Vec<u8>) -> Result<(), NotWritable> {
    match value {
        Val::Num(number) => write_number(number, out),
        Val::TStr(text) | Val::BStr(text) => write_text(text, out),
        Val::Arr(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_json(item, out)?;
            }
            out.push(b']');
        }
        Val::Obj(pairs) => {
            out.push(b'{');
            for (index, (key, item)) in pairs.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                let (Val::TStr(text) | Val::BStr(text)) = key else {
                    return Err(NotWritable { key: key.to_string() });
                };
                write_text(text, out);
                out.push(b':');
                write_json(item, out)?;
            }
            out.push(b'}');
        }
        Val::Null => out.extend_from_slice(b"null"),
        Val::Bool(true) => out.extend_from_slice(b"true"),
        Val::Bool(false) => out.extend_from_slice(b"false"),
    }
    Ok(())
}

/// Appends a number: as it was received, or as jq prints what was computed. What is no number in JSON
/// becomes `null`.
pub(super) fn write_number(number: &Num, out: &mut Vec<u8>) {
    match number {
        Num::Float(float) => write_float(*float, out),
        Num::Dec(digits) if json::validate(digits.as_bytes()).is_ok() => {
            out.extend_from_slice(digits.as_bytes());
        }
        // Such as `+1.5`, which the parser of jaq takes.
        Num::Dec(digits) => write_float(digits.parse().unwrap_or(f64::NAN), out),
        // Writing to a vector cannot fail.
        Num::Int(_) | Num::BigInt(_) => drop(write!(out, "{number}")),
    }
}

fn write_float(float: f64, out: &mut Vec<u8>) {
    let written = if !float.is_finite() {
        out.write_all(b"null")
    } else if float.fract() == 0.0 && float.abs() < LARGEST_WHOLE {
        write!(out, "{float:.0}")
    } else {
        write!(out, "{}", Num::Float(float))
    };
    // Writing to a vector cannot fail.
    drop(written);
}

/// Appends a string; bytes that are not UTF-8 become U+FFFD, as in jq.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let lossy = String::from_utf8_lossy(text);
    let string = Val::from(lossy.into_owned());
    // Writing to a vector cannot fail.
    drop(write::write(out, &write::Pp::default(), 0, &string));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Val) -> Result<String, NotWritable> {
        let mut out = Vec::new();
        write_json(value, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_value_is_written_as_json_or_refused() {
        let float = |float: f64| Val::Num(Num::Float(float));
        for (value, text) in [
            (float(f64::NAN), "null"),
            (float(f64::INFINITY), "null"),
            (float(f64::NEG_INFINITY), "null"),
            (float(5.0), "5"),
            (float(-0.0), "-0"),
            (float(0.1), "0.1"),
            (float(1e300), "1e300"),
            (float(1e16), "10000000000000000"),
            (Val::Num(Num::Dec(String::from("1.10").into())), "1.10"),
            (Val::Num(Num::Dec(String::from("+1.5").into())), "1.5"),
            (Val::Num(Num::Dec(String::from("01.5").into())), "1.5"),
            (Val::byte_str(b"a\xff\n".to_vec()), "\"a\u{fffd}\\n\""),
            (Val::utf8_str(b"\xfe\"\x7f".to_vec()), "\"\u{fffd}\\\"\\u007f\""),
        ] {
            let json = written(&value).unwrap();
            assert_eq!(json, text);
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        }
        let object = |key: Val| Val::obj([(key, Val::Null)].into_iter().collect());
        for key in [
            Val::Null,
            Val::Bool(true),
            float(1.0),
            Val::from_iter([]),
            object("a".to_owned().into()),
        ] {
            let nested = Val::from_iter([object(key)]);
            assert!(written(&nested).is_err(), "{nested}");
        }
    }
}
