//! The walk itself: one pass, no recursion, no allocation, tokens handed to a [`Sink`].

/// How deep arrays and objects may nest. A bit per level; the service's documents stay below 20.
const DEEPEST: usize = 1024;

/// Where and why a text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {offset}")]
pub struct Invalid {
    /// Bytes from the start of the text.
    pub offset: usize,
    pub expected: &'static str,
}

impl Invalid {
    /// Whether only the depth of its nesting is beyond the bound; what follows was not looked at.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.expected == TOO_DEEP
    }
}

/// What is expected in place of one level more.
const TOO_DEEP: &str = "less than 1024 levels";

/// What a walk noticed on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// A bare `NaN`, `Infinity` or `-Infinity` stands somewhere: no strict parser takes the text.
    pub bare_numbers: bool,
    /// A line break stands outside strings: the text does not fit on one line as it is.
    pub line_breaks: bool,
}

/// Takes the tokens of a walk, each as it was written.
pub trait Sink {
    /// `{` or `[`.
    fn open(&mut self, bracket: u8);
    /// `}` or `]`; `empty` when nothing stood between.
    fn close(&mut self, bracket: u8, empty: bool);
    /// A key with its quotes; the colon is the sink's to write.
    fn key(&mut self, raw: &[u8]);
    /// A string value with its quotes.
    fn string(&mut self, raw: &[u8]);
    /// A number, or one of the bare tokens.
    fn number(&mut self, raw: &[u8]);
    /// `true`, `false` or `null`.
    fn word(&mut self, raw: &[u8]);
    fn comma(&mut self);
}

/// Takes nothing: a walk that only validates.
struct Nothing;

impl Sink for Nothing {
    #[inline]
    fn open(&mut self, _: u8) {}
    #[inline]
    fn close(&mut self, _: u8, _: bool) {}
    #[inline]
    fn key(&mut self, _: &[u8]) {}
    #[inline]
    fn string(&mut self, _: &[u8]) {}
    #[inline]
    fn number(&mut self, _: &[u8]) {}
    #[inline]
    fn word(&mut self, _: &[u8]) {}
    #[inline]
    fn comma(&mut self) {}
}

/// Says whether the text is one JSON value in UTF-8.
///
/// # Errors
/// The first byte that cannot stand where it stands.
pub fn validate(text: &[u8]) -> Result<Facts, Invalid> {
    walk(text, &mut Nothing)
}

/// Hands every token of the text to `sink`, in order.
///
/// # Errors
/// As [`validate`]; the tokens before the place were handed out already.
pub fn walk(text: &[u8], sink: &mut impl Sink) -> Result<Facts, Invalid> {
    // Checked first and at once: afterwards strings are only searched for their end.
    if let Err(error) = std::str::from_utf8(text) {
        return Err(Invalid { offset: error.valid_up_to(), expected: "UTF-8" });
    }
    Walk { text, at: 0, facts: Facts::default(), levels: Levels::default() }.run(sink)
}

/// A stack of one bit a level: set for an object.
struct Levels {
    bits: [u64; DEEPEST / 64],
    depth: usize,
}

impl Default for Levels {
    fn default() -> Self {
        Self { bits: [0; DEEPEST / 64], depth: 0 }
    }
}

impl Levels {
    #[inline]
    fn push(&mut self, is_object: bool) -> bool {
        if self.depth == DEEPEST {
            return false;
        }
        let bit = 1 << (self.depth % 64);
        if is_object {
            self.bits[self.depth / 64] |= bit;
        } else {
            self.bits[self.depth / 64] &= !bit;
        }
        self.depth += 1;
        true
    }

    #[inline]
    fn top_is_object(&self) -> bool {
        let level = self.depth - 1;
        self.bits[level / 64] >> (level % 64) & 1 == 1
    }
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    facts: Facts,
    levels: Levels,
}

impl<'a> Walk<'a> {
    fn run(mut self, sink: &mut impl Sink) -> Result<Facts, Invalid> {
        // Whether the innermost level is an object.
        let mut in_object = false;
        loop {
            match self.next("a value")? {
                b'"' => sink.string(self.string("a value")?),
                byte @ (b'{' | b'[') => {
                    in_object = byte == b'{';
                    if !self.levels.push(in_object) {
                        return Err(self.invalid(TOO_DEEP));
                    }
                    self.at += 1;
                    sink.open(byte);
                    match (self.next(if in_object { "a key" } else { "a value" })?, in_object) {
                        (bracket @ b'}', true) | (bracket @ b']', false) => {
                            in_object = self.close(bracket, true, sink);
                        }
                        (_, true) => {
                            self.key(sink)?;
                            continue;
                        }
                        (_, false) => continue,
                    }
                }
                byte => self.scalar(byte, sink)?,
            }
            // A value is over: what comes next belongs to the level that it stands in.
            loop {
                if self.levels.depth == 0 {
                    return self.end();
                }
                match (self.next("a comma or a closing bracket")?, in_object) {
                    (b',', _) => {
                        self.at += 1;
                        sink.comma();
                        if in_object {
                            self.next("a key")?;
                            self.key(sink)?;
                        }
                        break;
                    }
                    (bracket @ b'}', true) | (bracket @ b']', false) => {
                        in_object = self.close(bracket, false, sink);
                    }
                    _ => return Err(self.invalid("a comma or a closing bracket")),
                }
            }
        }
    }

    /// The byte at which the next token begins, or what should stand there.
    #[inline]
    fn next(&mut self, expected: &'static str) -> Result<u8, Invalid> {
        self.skip_space();
        self.text.get(self.at).copied().ok_or_else(|| self.invalid(expected))
    }

    /// Only space may be left.
    fn end(mut self) -> Result<Facts, Invalid> {
        self.skip_space();
        if self.at == self.text.len() { Ok(self.facts) } else { Err(self.invalid("the end")) }
    }

    /// A key, and the colon behind it.
    #[inline]
    fn key(&mut self, sink: &mut impl Sink) -> Result<(), Invalid> {
        let key = self.string("a key")?;
        sink.key(key);
        if self.next("a colon")? != b':' {
            return Err(self.invalid("a colon"));
        }
        self.at += 1;
        Ok(())
    }

    /// A value that is neither a string nor has a bracket.
    #[inline]
    fn scalar(&mut self, byte: u8, sink: &mut impl Sink) -> Result<(), Invalid> {
        match byte {
            b'-' | b'0'..=b'9' => sink.number(self.number()?),
            b't' => sink.word(self.word(b"true")?),
            b'f' => sink.word(self.word(b"false")?),
            b'n' => sink.word(self.word(b"null")?),
            b'N' => sink.number(self.bare(b"NaN")?),
            b'I' => sink.number(self.bare(b"Infinity")?),
            _ => return Err(self.invalid("a value")),
        }
        Ok(())
    }

    /// Says whether the level outside is an object.
    #[inline]
    fn close(&mut self, bracket: u8, empty: bool, sink: &mut impl Sink) -> bool {
        self.at += 1;
        self.levels.depth -= 1;
        sink.close(bracket, empty);
        self.levels.depth > 0 && self.levels.top_is_object()
    }

    fn invalid(&self, expected: &'static str) -> Invalid {
        Invalid { offset: self.at, expected }
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                // Of all that is no space this is quickly told.
                b'!'.. => return,
                b' ' | b'\t' => {}
                b'\n' | b'\r' => self.facts.line_breaks = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<&'a [u8], Invalid> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.invalid("a value"));
        }
        let start = self.at;
        self.at += word.len();
        Ok(&self.text[start..self.at])
    }

    fn bare(&mut self, word: &'static [u8]) -> Result<&'a [u8], Invalid> {
        let raw = self.word(word)?;
        self.facts.bare_numbers = true;
        Ok(raw)
    }

    fn number(&mut self) -> Result<&'a [u8], Invalid> {
        let start = self.at;
        self.at += usize::from(self.text[self.at] == b'-');
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            Some(b'I') if self.at > start => {
                self.bare(b"Infinity")?;
                return Ok(&self.text[start..self.at]);
            }
            _ => return Err(self.invalid("a digit")),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { Err(self.invalid("a digit")) } else { Ok(()) }
    }

    /// The string at the cursor with its quotes.
    #[inline]
    fn string(&mut self, expected: &'static str) -> Result<&'a [u8], Invalid> {
        if self.text[self.at] != b'"' {
            return Err(self.invalid(expected));
        }
        let start = self.at;
        self.at += 1;
        loop {
            self.at = plain_until(self.text, self.at);
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at]);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.invalid("no control character in a string")),
                None => return Err(self.invalid("the end of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Invalid> {
        let length = match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => {
                let digits = self.text.get(self.at + 2..self.at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.invalid("four hexadecimal digits after \\u"));
                }
                6
            }
            _ => return Err(self.invalid("an escape")),
        };
        self.at += length;
        Ok(())
    }
}

/// The place of the first byte at or after `from` that ends a plain run: a quote, a backslash or a
/// control character. Eight bytes at a time: strings are where most bytes of an event are.
#[inline]
fn plain_until(text: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut at = from;
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero_bytes(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_bytes(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = quote | backslash | control;
        if found != 0 {
            // A borrow can set a mark above the first hit, never below it.
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while text.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_is_is_accepted() {
        for text in [
            "{}",
            "[]",
            "null",
            " true ",
            "\"\"",
            "-0.5e+10",
            "1E5",
            "[[],{},[1,2]]",
            r#"{"a":{"b":[1,"x\"y",null]},"c":"\u00e9\n"}"#,
            "\"μοντέλο longer than eight\"",
        ] {
            assert!(validate(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_json_is_not_is_refused_with_its_place() {
        for (text, offset) in [
            ("", 0),
            ("{", 1),
            ("[1,]", 3),
            ("{\"a\" 1}", 5),
            ("{a:1}", 1),
            ("01", 1),
            ("1.", 2),
            ("-", 1),
            ("tru", 0),
            ("[1 2]", 3),
            ("{\"a\":1]", 6),
            ("\"a", 2),
            ("\"\\x\"", 1),
            ("\"a\u{1}\"", 2),
            ("1 2", 2),
            ("{\"a\":1,}", 7),
            ("\"\\u12g4\"", 1),
        ] {
            assert_eq!(validate(text.as_bytes()).unwrap_err().offset, offset, "{text:?}");
        }
        assert_eq!(validate(b"\"\xff\"").unwrap_err().expected, "UTF-8");
    }

    #[test]
    fn it_agrees_with_serde_json_on_every_cut_of_a_document() {
        let text = r#"{"a":[1,-2.5e3,{"b":"c\\d"},true,null],"e":"fghijklmnop","q":{}} "#;
        for start in 0..text.len() {
            for end in start..=text.len() {
                let part = &text[start..end];
                let theirs = serde_json::from_str::<serde::de::IgnoredAny>(part).is_ok();
                assert_eq!(validate(part.as_bytes()).is_ok(), theirs, "{part:?}");
            }
        }
    }

    #[test]
    fn bare_numbers_and_line_breaks_are_noticed() {
        let facts = validate(b"{\"a\": NaN, \"b\": [Infinity, -Infinity]}").unwrap();
        assert!(facts.bare_numbers && !facts.line_breaks);
        assert!(validate(b"{\n}").unwrap().line_breaks);
        assert!(!validate(br#"{"a":"\n"}"#).unwrap().line_breaks);
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(validate(deep(DEEPEST).as_bytes()).is_ok());
        assert!(validate(deep(DEEPEST + 1).as_bytes()).is_err());
    }
}
