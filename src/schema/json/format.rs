//! The sinks that write: one line, or indented as Python's `json.dumps(…, indent=2)` does.

use std::borrow::Cow;

use super::{Facts, Invalid, Sink, walk};

/// Appends the value without any space outside strings.
///
/// # Errors
/// The text is not JSON; `out` then holds what stood before the place.
pub fn compact(text: &[u8], out: &mut Vec<u8>) -> Result<Facts, Invalid> {
    walk(text, &mut Compact { out })
}

/// Appends the value indented by two spaces a level, every line but the first after `prefix`.
///
/// # Errors
/// The text is not JSON; `out` then holds what stood before the place.
pub fn indent(text: &[u8], prefix: &[u8], out: &mut Vec<u8>) -> Result<Facts, Invalid> {
    walk(text, &mut Indent { out, prefix, lead: Lead::after(prefix), depth: 0 })
}

/// Appends the value as any JSON parser takes it: without space outside strings, and with bare `NaN`,
/// `Infinity` and `-Infinity` as `null`.
///
/// # Errors
/// As [`compact`].
pub fn normalize(text: &[u8], out: &mut Vec<u8>) -> Result<Facts, Invalid> {
    walk(text, &mut Nulls(Compact { out }))
}

/// The text with every bare `NaN`, `Infinity` and `-Infinity` as `null`, for a strict parser.
/// Unchanged, and not copied, where there is none or where the text is no JSON.
#[must_use]
pub fn without_bare_numbers(text: &str) -> Cow<'_, str> {
    match super::validate(text.as_bytes()) {
        Ok(facts) if facts.bare_numbers => {
            let mut out = Vec::with_capacity(text.len());
            let outcome = normalize(text.as_bytes(), &mut out);
            match (outcome, String::from_utf8(out)) {
                (Ok(_), Ok(strict)) => Cow::Owned(strict),
                _ => Cow::Borrowed(text),
            }
        }
        _ => Cow::Borrowed(text),
    }
}

struct Compact<'a> {
    out: &'a mut Vec<u8>,
}

impl Sink for Compact<'_> {
    #[inline]
    fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
    }
    #[inline]
    fn close(&mut self, bracket: u8, _: bool) {
        self.out.push(bracket);
    }
    #[inline]
    fn key(&mut self, raw: &[u8]) {
        self.out.extend_from_slice(raw);
        self.out.push(b':');
    }
    #[inline]
    fn string(&mut self, raw: &[u8]) {
        self.out.extend_from_slice(raw);
    }
    #[inline]
    fn number(&mut self, raw: &[u8]) {
        self.out.extend_from_slice(raw);
    }
    #[inline]
    fn word(&mut self, raw: &[u8]) {
        self.out.extend_from_slice(raw);
    }
    #[inline]
    fn comma(&mut self) {
        self.out.push(b',');
    }
}

/// [`Compact`], but for the bare tokens.
struct Nulls<'a>(Compact<'a>);

impl Sink for Nulls<'_> {
    fn open(&mut self, bracket: u8) {
        self.0.open(bracket);
    }
    fn close(&mut self, bracket: u8, empty: bool) {
        self.0.close(bracket, empty);
    }
    fn key(&mut self, raw: &[u8]) {
        self.0.key(raw);
    }
    fn string(&mut self, raw: &[u8]) {
        self.0.string(raw);
    }
    fn number(&mut self, raw: &[u8]) {
        let is_bare = raw.last().is_some_and(u8::is_ascii_alphabetic);
        self.0.number(if is_bare { b"null" } else { raw });
    }
    fn word(&mut self, raw: &[u8]) {
        self.0.word(raw);
    }
    fn comma(&mut self) {
        self.0.comma();
    }
}

/// What stands between two lines, written once: a comma, a line break, the prefix, and the spaces of
/// any usual depth.
struct Lead {
    bytes: [u8; Self::ROOM],
    /// Where the spaces begin; beyond the room for a prefix that is not usual.
    spaces: usize,
}

impl Lead {
    const ROOM: usize = 64;

    fn after(prefix: &[u8]) -> Self {
        let mut bytes = [b' '; Self::ROOM];
        bytes[..2].copy_from_slice(b",\n");
        let spaces = 2 + prefix.len();
        if let Some(place) = bytes.get_mut(2..spaces) {
            place.copy_from_slice(prefix);
        }
        Self { bytes, spaces }
    }
}

struct Indent<'a> {
    out: &'a mut Vec<u8>,
    prefix: &'a [u8],
    lead: Lead,
    depth: usize,
}

impl Indent<'_> {
    /// Begins a line; `from` is 0 for one after a comma, else 1.
    #[inline]
    fn line(&mut self, from: usize) {
        match self.lead.bytes.get(from..self.lead.spaces + self.depth * 2) {
            Some(lead) => self.out.extend_from_slice(lead),
            None => self.long_line(from),
        }
    }

    #[cold]
    fn long_line(&mut self, from: usize) {
        self.out.extend_from_slice(&b",\n"[from..]);
        self.out.extend_from_slice(self.prefix);
        self.out.resize(self.out.len() + self.depth * 2, b' ');
    }

    /// A value that follows an opening bracket stands on a line of its own, as after a comma, which
    /// has begun one; one that follows a key does not. The last byte written tells which.
    #[inline]
    fn place(&mut self) {
        if self.depth > 0 && matches!(self.out.last(), Some(b'[' | b'{')) {
            self.line(1);
        }
    }
}

impl Sink for Indent<'_> {
    #[inline]
    fn open(&mut self, bracket: u8) {
        self.place();
        self.out.push(bracket);
        self.depth += 1;
    }
    #[inline]
    fn close(&mut self, bracket: u8, empty: bool) {
        self.depth -= 1;
        if !empty {
            self.line(1);
        }
        self.out.push(bracket);
    }
    #[inline]
    fn key(&mut self, raw: &[u8]) {
        self.place();
        self.out.extend_from_slice(raw);
        self.out.extend_from_slice(b": ");
    }
    #[inline]
    fn string(&mut self, raw: &[u8]) {
        self.place();
        self.out.extend_from_slice(raw);
    }
    #[inline]
    fn number(&mut self, raw: &[u8]) {
        self.place();
        self.out.extend_from_slice(raw);
    }
    #[inline]
    fn word(&mut self, raw: &[u8]) {
        self.place();
        self.out.extend_from_slice(raw);
    }
    #[inline]
    fn comma(&mut self) {
        self.line(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(text: &str, prefix: &str) -> String {
        let mut out = Vec::new();
        indent(text.as_bytes(), prefix.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_document_is_indented_as_python_does() {
        assert_eq!(
            indented(r#"{"a":[1,{"b":null}],"c":{},"d":[]}"#, ""),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}"
        );
        assert_eq!(indented("[\",\",\"[\"]", ""), "[\n  \",\",\n  \"[\"\n]");
    }

    #[test]
    fn lines_after_the_first_carry_the_prefix() {
        assert_eq!(indented("{\"a\":1}", "  "), "{\n    \"a\": 1\n  }");
        // Beyond what is kept ready.
        let deep = format!("{}1,2{}", "[".repeat(70), "]".repeat(70));
        for prefix in ["", "a long prefix, longer than all that is kept ready for each of them: "] {
            let text = indented(&deep, prefix);
            let inner = format!("\n{prefix}{}", " ".repeat(140));
            assert!(text.contains(&format!("[{inner}1,{inner}2\n")), "{text}");
            assert_eq!(text.matches(&format!("\n{prefix}")).count(), 141, "{text}");
        }
    }

    #[test]
    fn numbers_and_escapes_stay_as_they_were_sent() {
        let mut out = Vec::new();
        compact(
            r#" { "a" : 1.10 , "b" : 1E5, "c":"\u00e9\/" , "d":12345678901234567890123 } "#
                .as_bytes(),
            &mut out,
        )
        .unwrap();
        assert_eq!(
            out,
            r#"{"a":1.10,"b":1E5,"c":"\u00e9\/","d":12345678901234567890123}"#.as_bytes()
        );
    }

    #[test]
    fn only_bare_tokens_become_null() {
        assert_eq!(
            without_bare_numbers(r#"{"a": NaN, "b": [-Infinity, 1e5, "NaN"]}"#),
            r#"{"a":null,"b":[null,1e5,"NaN"]}"#
        );
        assert!(matches!(without_bare_numbers("{ \"a\": 1 }"), Cow::Borrowed(_)));
    }

    #[test]
    fn compacting_what_was_indented_gives_the_original() {
        let text = r#"{"a":[1,[],{"b":"x","c":[{},{"d":[[[null]]]}]}],"e":-0.0}"#;
        let mut out = Vec::new();
        compact(indented(text, "\t").as_bytes(), &mut out).unwrap();
        assert_eq!(out, text.as_bytes());
    }
}
