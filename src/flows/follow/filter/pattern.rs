//! Patterns over bytes, because keys and values need not be text: exact, with `*` and `?`, a regular
//! expression between slashes, or a part.

use memchr::memmem::Finder;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use super::InvalidFilter;

/// A pattern as it was written, ready to be compared.
#[derive(Clone, Debug)]
pub struct TextPattern {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Exact(Vec<u8>),
    Part(Box<Finder<'static>>),
    Regex(Box<Regex>),
}

impl PartialEq for TextPattern {
    /// The same text of the same kind matches the same.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
            && std::mem::discriminant(&self.kind) == std::mem::discriminant(&other.kind)
    }
}

impl Eq for TextPattern {}

impl TextPattern {
    /// The whole text: exact, a glob where `*` or `?` stands in it, a regular expression (found
    /// anywhere) between slashes. A backslash takes the meaning of a star or a question mark away.
    ///
    /// # Errors
    /// The regular expression is none.
    pub fn parse(text: &str) -> Result<Self, InvalidFilter> {
        if let Some(pattern) = slashed(text) {
            return Self::compiled(text, &pattern);
        }
        match glob(text) {
            Glob::Exact(exact) => {
                Ok(Self { text: text.to_owned(), kind: Kind::Exact(exact.into_bytes()) })
            }
            Glob::Pattern(pattern) => Self::compiled(text, &pattern),
        }
    }

    /// A part of the text, or a regular expression between slashes.
    ///
    /// # Errors
    /// The regular expression is none.
    pub fn part(text: &str) -> Result<Self, InvalidFilter> {
        match slashed(text) {
            Some(pattern) => Self::compiled(text, &pattern),
            None => Ok(Self {
                text: text.to_owned(),
                kind: Kind::Part(Box::new(Finder::new(text.as_bytes()).into_owned())),
            }),
        }
    }

    /// A regular expression, found anywhere.
    ///
    /// # Errors
    /// It is none.
    pub fn regex(text: &str) -> Result<Self, InvalidFilter> {
        Self::compiled(text, text)
    }

    fn compiled(text: &str, pattern: &str) -> Result<Self, InvalidFilter> {
        let regex = Regex::builder()
            .configure(Regex::config().utf8_empty(false))
            .syntax(syntax::Config::new().utf8(false))
            .build(pattern)
            .map_err(|error| {
                let reason = error.syntax_error().map_or_else(
                    || error.to_string(),
                    |syntax| syntax.to_string().lines().last().unwrap_or("").replace("error: ", ""),
                );
                let literal = regex_escape(pattern);
                InvalidFilter::new(
                    text,
                    format!("the regular expression is none: {reason}"),
                    format!("/{literal}/ for these very characters"),
                )
            })?;
        Ok(Self { text: text.to_owned(), kind: Kind::Regex(Box::new(regex)) })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the bytes have it.
    #[inline]
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.kind {
            Kind::Exact(exact) => exact == bytes,
            Kind::Part(part) => part.find(bytes).is_some(),
            Kind::Regex(regex) => regex.is_match(bytes),
        }
    }
}

/// The pattern of `/pattern/` or `/pattern/i`.
fn slashed(text: &str) -> Option<String> {
    let rest = text.strip_prefix('/')?;
    if let Some(pattern) = rest.strip_suffix("/i") {
        return Some(format!("(?i){pattern}"));
    }
    rest.strip_suffix('/').map(str::to_owned)
}

enum Glob {
    Exact(String),
    Pattern(String),
}

fn glob(text: &str) -> Glob {
    let (mut exact, mut pattern, mut is_exact) = (String::new(), String::from(r"\A"), true);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            '*' | '?' => {
                is_exact = false;
                pattern += if character == '*' { "(?s-u:.)*" } else { "(?s:.)" };
                continue;
            }
            '\\' => match characters.clone().next() {
                Some(next @ ('*' | '?' | '\\')) => {
                    characters.next();
                    next
                }
                _ => '\\',
            },
            other => other,
        };
        exact.push(literal);
        pattern += &regex_escape(literal.encode_utf8(&mut [0; 4]));
    }
    if is_exact { Glob::Exact(exact) } else { Glob::Pattern(pattern + r"\z") }
}

fn regex_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if r"\.+*?()|[]{}^$#&-~/".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(pattern: &str, text: &str) -> bool {
        TextPattern::parse(pattern).unwrap().is_in(text.as_bytes())
    }

    #[test]
    fn a_text_is_compared_whole() {
        assert!(has("abc", "abc") && !has("abc", "abcd"));
        assert!(has("", "") && !has("", "a"));
        assert!(has("a.c", "a.c") && !has("a.c", "abc"));
    }

    #[test]
    fn stars_and_question_marks_stand_for_others() {
        assert!(has("user*_model-?", "user123_model-1"));
        assert!(!has("user*_model-?", "user123_model-12") && !has("a*", "ba"));
        assert!(has("*", "") && has("?", "μ") && has("a*c", "a\nc"));
        assert!(has(r"a\*", "a*") && !has(r"a\*", "ab"));
        assert!(TextPattern::parse("*").unwrap().is_in(&[0xff, 0x00]));
    }

    #[test]
    fn between_slashes_stands_a_regular_expression() {
        assert!(has("/^a.c$/", "abc") && has("/b/", "abc") && !has("/^b/", "abc"));
        assert!(has("/ABC/i", "abc"));
        assert!(has("/", "/"), "one slash is itself");
        assert!(TextPattern::regex("(?-u)\\xff").unwrap().is_in(&[0xff]));
    }

    #[test]
    fn a_part_is_looked_for_as_it_stands() {
        let part =
            |pattern: &str, text: &str| TextPattern::part(pattern).unwrap().is_in(text.as_bytes());
        assert!(part("a*", "xa*") && !part("a*", "xab") && part("/a.b/", "xacb"));
    }

    #[test]
    fn a_broken_expression_is_refused_with_its_reason() {
        let error = TextPattern::parse("/a(b/").unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"failed to use "/a(b/" as a filter: the regular expression is none: unclosed group"#
        );
        assert_eq!(error.form, r"/a\(b/ for these very characters");
    }
}
