//! Functions of jq that the interpreter lacks or has otherwise. They come before its own, which they
//! hide; `prelude.jq` builds on them.

use jaq_core::load::parse::Def;
use jaq_core::native::{Filter, Fun, bome, run, v};
use jaq_core::{Cv, RunPtr, load};
use jaq_json::{Error, Val, ValR};

use super::Data;
use super::output::{write_json, write_number};
use super::regex::{Pieces, find_matches};

/// Definitions in the language itself; later ones hide earlier ones of the same name.
pub(super) fn definitions() -> Vec<Def<&'static str>> {
    let ours = load::parse(include_str!("prelude.jq"), |parser| parser.defs());
    jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .chain(ours.into_iter().flatten())
        .collect()
}

/// Functions in Rust; earlier ones hide later ones of the same name.
pub(super) fn natives() -> impl Iterator<Item = Fun<Data>> {
    ours()
        .into_iter()
        .map(run::<Data>)
        .chain(jaq_core::funs::<Data>())
        .chain(jaq_std::funs::<Data>())
        .chain(jaq_json::funs())
}

fn ours() -> Vec<Filter<RunPtr<Data>>> {
    vec![
        ("matches", v(2), |cv| bome(matched(cv, Pieces::Matches))),
        ("split_", v(2), |cv| bome(matched(cv, Pieces::Between))),
        ("split_matches", v(2), |cv| bome(matched(cv, Pieces::Both))),
        ("tojson", v(0), |cv| bome(to_json(&cv.1).map(Val::from))),
        ("format_csv", v(0), |cv| bome(format_row(&cv.1, "csv", ",", csv_field))),
        ("format_tsv", v(0), |cv| bome(format_row(&cv.1, "tsv", "\t", tsv_field))),
        ("encode_base32", v(0), |cv| bome(text_of(&cv.1).map(|text| Val::from(to_base32(text))))),
        ("decode_base32", v(0), |cv| bome(decode(&cv.1, "base32", from_base32))),
        ("decode_base64", v(0), |cv| bome(decode(&cv.1, "base64", from_base64))),
    ]
}

fn matched(mut cv: Cv<'_, Data>, pieces: Pieces) -> ValR {
    let flags = cv.0.pop_var();
    let expression = cv.0.pop_var();
    find_matches(&cv.1, &expression, &flags, pieces)
}

fn to_json(value: &Val) -> Result<String, Error> {
    let mut out = Vec::new();
    write_json(value, &mut out).map_err(|error| Error::str(error.to_string()))?;
    String::from_utf8(out).map_err(|error| Error::str(error.to_string()))
}

fn text_of(value: &Val) -> Result<&[u8], Error> {
    match value {
        Val::TStr(text) | Val::BStr(text) => Ok(text),
        other => Err(Error::str(format!("{other} is not a string"))),
    }
}

/// Formats an array as one row of a table.
fn format_row(
    value: &Val,
    format: &str,
    separator: &str,
    field: fn(&str) -> String,
) -> Result<Val, Error> {
    let Val::Arr(items) = value else {
        return Err(Error::str(format!(
            "{value} cannot be {format}-formatted, only an array can be"
        )));
    };
    let fields: Vec<String> =
        items.iter().map(|item| format_field(item, format, field)).collect::<Result<_, _>>()?;
    Ok(Val::from(fields.join(separator)))
}

fn format_field(item: &Val, format: &str, field: fn(&str) -> String) -> Result<String, Error> {
    match item {
        Val::Null => Ok(String::new()),
        Val::Bool(flag) => Ok(flag.to_string()),
        Val::TStr(text) | Val::BStr(text) => Ok(field(&String::from_utf8_lossy(text))),
        Val::Num(number) => {
            let mut out = Vec::new();
            write_number(number, &mut out);
            let text = String::from_utf8_lossy(&out);
            // NaN is an empty field, as in jq.
            Ok(if text == "null" { String::new() } else { text.into_owned() })
        }
        Val::Arr(_) | Val::Obj(_) => {
            Err(Error::str(format!("{item} is not valid in a {format} row")))
        }
    }
}

fn csv_field(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn tsv_field(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => out.push_str(r"\t"),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\\' => out.push_str(r"\\"),
            other => out.push(other),
        }
    }
    out
}

fn decode(value: &Val, name: &str, decode: fn(&[u8]) -> Option<Vec<u8>>) -> Result<Val, Error> {
    let bytes = decode(text_of(value)?)
        .ok_or_else(|| Error::str(format!("{value} is not valid {name} data")))?;
    Ok(Val::from(String::from_utf8_lossy(&bytes).into_owned()))
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, section 6.
fn to_base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        let digits = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            let digit = usize::try_from((bits >> (35 - 5 * index)) & 31).unwrap_or(0);
            out.push(if index < digits { char::from(BASE32[digit]) } else { '=' });
        }
    }
    out
}

fn from_base32(text: &[u8]) -> Option<Vec<u8>> {
    from_digits(text, BASE32, 5)
}

/// The padding may be missing, as in jq.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    from_digits(text, BASE64, 6)
}

/// Decodes digits of so many bits up to the padding; bits that fill no byte are dropped.
fn from_digits(text: &[u8], alphabet: &[u8], width: u32) -> Option<Vec<u8>> {
    let digits = text.split(|byte| *byte == b'=').next()?;
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for digit in digits {
        let value = u32::try_from(alphabet.iter().position(|known| known == digit)?).ok()?;
        bits = bits << width | value;
        count += width;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(out)
}
