//! Patterns over bytes, because keys and values need not be text: exact, a glob with `*`, `?` and
//! `[…]`, a regular expression between slashes, or a part.

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
    /// Compiles a pattern for the whole text: exact, a glob if it contains `*`, `?` or `[…]`, or a
    /// regular expression (found anywhere) between slashes. A backslash makes the next of these
    /// characters literal.
    ///
    /// # Errors
    /// The regular expression or the range of a glob is invalid.
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

    /// Returns the only text that matches, if there is only one.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match &self.kind {
            Kind::Exact(exact) => std::str::from_utf8(exact).ok(),
            Kind::Part(_) | Kind::Regex(_) => None,
        }
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

/// Characters that a backslash makes literal in a glob.
const SPECIAL: [char; 4] = ['*', '?', '[', '\\'];

fn glob(text: &str) -> Glob {
    let (mut exact, mut pattern, mut is_exact) = (String::new(), String::from(r"\A"), true);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        let wildcard = match character {
            '*' => Some("(?s-u:.)*".to_owned()),
            '?' => Some("(?s:.)".to_owned()),
            '[' => bracket_class(rest).map(|(class, length)| {
                rest = &rest[length..];
                class
            }),
            _ => None,
        };
        if let Some(wildcard) = wildcard {
            is_exact = false;
            pattern += &wildcard;
            continue;
        }
        let literal = match rest.chars().next() {
            Some(next) if character == '\\' && is_escapable(next, exact.is_empty()) => {
                rest = &rest[next.len_utf8()..];
                next
            }
            _ => character,
        };
        exact.push(literal);
        pattern += &regex_escape(literal.encode_utf8(&mut [0; 4]));
    }
    if is_exact { Glob::Exact(exact) } else { Glob::Pattern(pattern + r"\z") }
}

/// Whether a backslash before the character is an escape; a slash has a meaning only at the start.
fn is_escapable(character: char, is_first: bool) -> bool {
    SPECIAL.contains(&character) || (is_first && character == '/')
}

/// Converts the glob class that follows a `[` to a regular expression, and returns its length in the
/// glob. Returns `None` if the bracket is never closed: it is literal then.
fn bracket_class(rest: &str) -> Option<(String, usize)> {
    let negated = rest.starts_with(['!', '^']);
    let start = usize::from(negated);
    // A closing bracket that comes first is a member.
    let first = start + rest[start..].chars().next()?.len_utf8();
    let mut class = String::from(if negated { "[^" } else { "[" });
    let mut at = start;
    while at < first || !rest[at..].starts_with(']') {
        if let Some(name) = posix_class(&rest[at..]) {
            class += name;
            at += name.len();
            continue;
        }
        let escape = usize::from(rest[at..].starts_with('\\'));
        let member = rest[at + escape..].chars().next()?;
        let is_range = member == '-' && escape == 0 && at > start;
        class += &if is_range { "-".to_owned() } else { regex_escape(&member.to_string()) };
        at += escape + member.len_utf8();
    }
    // A minus before the end is a member, too.
    if class.ends_with('-') && !class.ends_with(r"\-") {
        class.truncate(class.len() - 1);
        class += r"\-";
    }
    Some((class + "]", at + 1))
}

/// Returns the `[:name:]` that a text starts with.
fn posix_class(text: &str) -> Option<&str> {
    let end = text.strip_prefix("[:")?.find(":]")?;
    Some(&text[..end + 4])
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
    fn brackets_match_one_of_several_characters() {
        for (pattern, yes, no) in [
            ("m[0-9]", &["m0", "m9"][..], &["m", "ma", "m10", "m[0-9]"][..]),
            ("m[!0-9]", &["ma", "m-", "mμ"], &["m1", "m"]),
            ("m[^ab]x", &["mcx"], &["max", "mbx"]),
            ("[abc]*", &["a", "bcd"], &["d", ""]),
            ("[]x]", &["]", "x"], &["[", "[]x]"]),
            ("[a-]", &["a", "-"], &["b"]),
            ("[-a]", &["a", "-"], &["b"]),
            (r"[\]a]", &["]", "a"], &["\\"]),
            ("[[:digit:]x]", &["7", "x"], &["d", ":"]),
            ("[.*]", &[".", "*"], &["a"]),
            ("[a&&b]", &["a", "&", "b"], &["c"]),
            ("[äöü]?", &["äx", "üü"], &["a"]),
            ("a[", &["a["], &["a"]),
            ("topic[0", &["topic[0"], &["topic0"]),
            (r"topic\[0]", &["topic[0]"], &["topic0"]),
            (r"\/a/", &["/a/"], &["a"]),
        ] {
            for text in yes {
                assert!(has(pattern, text), "{pattern} {text}");
            }
            for text in no {
                assert!(!has(pattern, text), "{pattern} {text}");
            }
        }
        assert!(TextPattern::parse("[z-a]").is_err());
        assert_eq!(TextPattern::parse(r"a\*b").unwrap().exact(), Some("a*b"));
        assert_eq!(TextPattern::parse("a*b").unwrap().exact(), None);
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
