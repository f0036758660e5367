//! The pretty form's JSON with a colour by token: keys, strings, numbers, words.

use crate::schema::json::{Invalid, Sink, walk};
use crate::ui::text::{LineBreaks, escape_unsafe};

const KEY: &[u8] = b"\x1b[34;1m";
const STRING: &[u8] = b"\x1b[32m";
const NUMBER: &[u8] = b"\x1b[36m";
const WORD: &[u8] = b"\x1b[35m";
const RESET: &[u8] = b"\x1b[0m";

/// Appends the value indented as the plain form does, every line but the first after `prefix`.
///
/// # Errors
/// The text is not JSON; `out` then holds what stood before the place.
pub(super) fn indent_in_colour(
    value: &[u8],
    prefix: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Invalid> {
    walk(value, &mut Coloured { out, prefix, depth: 0, is_fresh: false }).map(|_| ())
}

struct Coloured<'a> {
    out: &'a mut Vec<u8>,
    prefix: &'a [u8],
    depth: usize,
    /// What comes next stands on a line of its own: after an opening bracket or a comma.
    is_fresh: bool,
}

impl Coloured<'_> {
    fn line(&mut self) {
        self.out.push(b'\n');
        self.out.extend_from_slice(self.prefix);
        self.out.resize(self.out.len() + self.depth * 2, b' ');
    }

    fn place(&mut self) {
        if std::mem::take(&mut self.is_fresh) {
            self.line();
        }
    }

    fn token(&mut self, colour: &[u8], raw: &[u8]) {
        self.place();
        self.out.extend_from_slice(colour);
        // Colour is for terminals, so unsafe characters are escaped. A walk checks UTF-8 first.
        let shown = std::str::from_utf8(raw).map(|text| escape_unsafe(text, LineBreaks::Keep));
        self.out.extend_from_slice(shown.as_ref().map_or(raw, |text| text.as_bytes()));
        self.out.extend_from_slice(RESET);
    }
}

impl Sink for Coloured<'_> {
    fn open(&mut self, bracket: u8) {
        self.place();
        self.out.push(bracket);
        self.depth += 1;
        self.is_fresh = true;
    }

    fn close(&mut self, bracket: u8, empty: bool) {
        self.depth -= 1;
        self.is_fresh = false;
        if !empty {
            self.line();
        }
        self.out.push(bracket);
    }

    fn key(&mut self, raw: &[u8]) {
        self.token(KEY, raw);
        self.out.extend_from_slice(b": ");
    }

    fn string(&mut self, raw: &[u8]) {
        self.token(STRING, raw);
    }

    fn number(&mut self, raw: &[u8]) {
        self.token(NUMBER, raw);
    }

    fn word(&mut self, raw: &[u8]) {
        self.token(WORD, raw);
    }

    fn comma(&mut self) {
        self.out.push(b',');
        self.is_fresh = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::json;

    #[test]
    fn without_its_colours_it_is_the_plain_form() {
        let value = br#"{"a":[1,{"b":null}],"c":{},"d":[],"e":[[","],"["]}"#;
        let mut coloured = Vec::new();
        indent_in_colour(value, b"  ", &mut coloured).unwrap();
        let mut text = String::from_utf8(coloured).unwrap();
        for colour in [KEY, STRING, NUMBER, WORD, RESET] {
            text = text.replace(std::str::from_utf8(colour).unwrap(), "");
        }
        let mut plain = Vec::new();
        json::indent(value, b"  ", &mut plain).unwrap();
        assert_eq!(text.as_bytes(), plain);
    }

    #[test]
    fn a_string_cannot_bring_a_colour_of_its_own() {
        let mut out = Vec::new();
        indent_in_colour("\"\u{9b}31m\"".as_bytes(), b"", &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\x1b[32m\"\\u009b31m\"\x1b[0m");
    }

    #[test]
    fn each_kind_of_token_has_its_own() {
        let mut out = Vec::new();
        indent_in_colour(br#"{"a":["s",1,true]}"#, b"", &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\n  \x1b[34;1m\"a\"\x1b[0m: [\n    \x1b[32m\"s\"\x1b[0m,\n    \x1b[36m1\x1b[0m,\n    \x1b[35mtrue\x1b[0m\n  ]\n}"
        );
    }
}
