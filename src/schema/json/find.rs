//! Looking for one value by its path, without a tree: the bytes before it are stepped over, the
//! bytes after it are not read.

use std::borrow::Cow;

/// The raw value at `path`, a key a step, or an index where a step is a number and the value an
/// array. The last of equal keys wins, as in Python, jq and browsers.
///
/// The text must have been validated; of other texts it finds something or nothing, and never
/// reads outside.
#[must_use]
pub fn find<'a, S: AsRef<str>>(text: &'a [u8], path: &[S]) -> Option<&'a [u8]> {
    let mut value = trim(text);
    for step in path {
        value = child(value, step.as_ref())?;
    }
    Some(value)
}

fn child<'a>(value: &'a [u8], step: &str) -> Option<&'a [u8]> {
    match value.first()? {
        b'{' => pairs(value).filter(|(key, _)| is_text(key, step)).last().map(|(_, value)| value),
        b'[' => {
            let index: usize = step.parse().ok()?;
            Items { text: value, at: 1 }.nth(index)
        }
        _ => None,
    }
}

/// Whether a raw string, with its quotes, is this text; any other value is not. Without escapes, which
/// is nearly always, its bytes are compared where they are.
#[inline]
#[must_use]
pub fn is_text(raw: &[u8], text: &str) -> bool {
    let inner = raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let Some(inner) = inner else { return false };
    inner == text.as_bytes()
        || (memchr::memchr(b'\\', inner).is_some() && unquote(raw).is_some_and(|own| own == text))
}

/// The keys (with their quotes) and raw values of an object, in the order in which they stand.
pub fn pairs(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let object = trim(object);
    let at = if object.first() == Some(&b'{') { 1 } else { object.len() };
    Pairs(Items { text: object, at })
}

struct Pairs<'a>(Items<'a>);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.0.next()?;
        let value = self.0.next()?;
        Some((key, value))
    }
}

/// The values between the brackets, commas and colons taken as separators alike.
struct Items<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
            self.at += 1;
        }
        let start = self.at;
        let end = skip(self.text, start)?;
        self.at = end;
        Some(&self.text[start..end])
    }
}

/// The end of the value that starts at `at`; `None` at a closing bracket or the end.
fn skip(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b']' | b'}' => None,
        b'"' => skip_string(text, at),
        b'{' | b'[' => skip_nested(text, at),
        _ => {
            let rest = &text[at..];
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))
                .unwrap_or(rest.len());
            Some(at + length)
        }
    }
}

fn skip_nested(text: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = at;
    loop {
        match text.get(at)? {
            b'"' => {
                at = skip_string(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

fn skip_string(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// The text of a raw string value; `None` for any other value.
#[must_use]
pub fn unquote(raw: &[u8]) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice::<String>(raw).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &[u8] =
        br#" {"a": {"b": [1, {"c": "x}y\"]"}, [2]]}, "d\u0065": 1.50 , "e": null, "de": 2} "#;

    #[test]
    fn a_path_leads_to_the_raw_value() {
        assert_eq!(find(EVENT, &["a", "b", "1", "c"]), Some(br#""x}y\"]""#.as_slice()));
        assert_eq!(find(EVENT, &["a", "b", "2"]), Some(b"[2]".as_slice()));
        assert_eq!(find(EVENT, &["de"]), Some(b"2".as_slice()), "the last of equal keys");
        let escaped = br#"{"d\u0065": 1.50}"#;
        assert_eq!(find(escaped, &["de"]), Some(b"1.50".as_slice()), "escaped keys are keys");
        assert_eq!(find(EVENT, &["e"]), Some(b"null".as_slice()));
    }

    #[test]
    fn a_path_that_leads_nowhere_gives_nothing() {
        for path in
            [vec!["x"], vec!["a", "x"], vec!["a", "b", "9"], vec!["e", "f"], vec!["a", "b", "x"]]
        {
            assert_eq!(find(EVENT, &path), None, "{path:?}");
        }
        assert_eq!(find(b"", &["a"]), None);
        assert_eq!(find(b"{\"a\"", &["a", "b"]), None);
    }

    #[test]
    fn the_pairs_of_an_object_come_in_order() {
        let keys: Vec<_> =
            pairs(EVENT).map(|(key, _)| unquote(key).unwrap().into_owned()).collect();
        assert_eq!(keys, ["a", "de", "e", "de"]);
        assert_eq!(pairs(b"[1]").count(), 0);
    }

    #[test]
    fn strings_are_unescaped() {
        assert_eq!(unquote(br#""f\u00fcr \"x\"""#).unwrap(), "für \"x\"");
        assert_eq!(unquote(b"1"), None);
    }
}
