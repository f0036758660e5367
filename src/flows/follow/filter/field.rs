//! `--match PATH=VALUE`: one field of a JSON value, found by walking over the bytes before it and
//! compared as it was sent. No tree is built, and what does not match is not even validated.

use std::cmp::Ordering;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::presence::FieldPresence;
use super::{AbsentField, InvalidFilter, TextPattern};
use crate::schema::json;

/// Where a bare name is looked for, after the top: the bodies of envelopes.
const BODIES: [&str; 3] = ["output", "input", "dataset"];

/// The name under which `tail -o json` prints the value of a record.
const VALUE: &str = "value";

/// A condition on one field. An event without the field never meets it, whatever the operator.
#[derive(Clone, Debug)]
pub struct FieldMatch {
    /// The paths at which the field is looked for, in this order.
    places: Vec<Vec<String>>,
    test: Test,
    /// Bytes without which no value meets the condition, but for one that has escapes.
    trace: Option<Finder<'static>>,
    /// Whether any event had the field; shared by all clones of the condition.
    presence: Arc<FieldPresence>,
}

#[derive(Clone, Debug)]
enum Test {
    Equal(Literal),
    Different(Literal),
    Like(TextPattern),
    Unlike(TextPattern),
    Ordered(Order, Literal),
}

impl Test {
    /// Compiles the value behind an operator.
    fn parse(operator: &str, value: &str) -> Result<Self, InvalidFilter> {
        Ok(match operator {
            "~" => Test::Like(TextPattern::regex(value)?),
            "!~" => Test::Unlike(TextPattern::regex(value)?),
            "<" => Test::Ordered(Order::Below, Literal::parse(value)),
            "<=" => Test::Ordered(Order::AtMost, Literal::parse(value)),
            ">" => Test::Ordered(Order::Above, Literal::parse(value)),
            ">=" => Test::Ordered(Order::AtLeast, Literal::parse(value)),
            _ => match (Self::equal_to(value)?, operator == "!=") {
                (Ok(literal), false) => Test::Equal(literal),
                (Ok(literal), true) => Test::Different(literal),
                (Err(pattern), false) => Test::Like(pattern),
                (Err(pattern), true) => Test::Unlike(pattern),
            },
        })
    }

    /// Returns the literal or the pattern that a value is compared with. A JSON string, array or
    /// object is itself, whatever characters it contains.
    fn equal_to(value: &str) -> Result<Result<Literal, TextPattern>, InvalidFilter> {
        if value.starts_with(['"', '[', '{']) && json::validate(value.as_bytes()).is_ok() {
            return Ok(Ok(Literal::parse(value)));
        }
        let pattern = TextPattern::parse(value)?;
        Ok(match pattern.exact() {
            Some(text) => Ok(Literal::parse(text)),
            None => Err(pattern),
        })
    }

    /// The text that stands in a value as it is, where only one text meets the test: a number has
    /// many forms, an array may have spaces.
    fn text(&self) -> Option<&str> {
        let Test::Equal(literal) = self else { return None };
        let is_verbatim = literal.is_quoted || !literal.text.starts_with(['{', '[']);
        (is_verbatim && literal.number.is_none()).then_some(literal.text.as_str())
    }

    /// Whether the raw value of the field meets it.
    fn is_met(&self, raw: &[u8]) -> bool {
        match self {
            Test::Equal(literal) => literal.equals(raw),
            Test::Different(literal) => !literal.equals(raw),
            Test::Like(pattern) => has(pattern, raw),
            Test::Unlike(pattern) => !has(pattern, raw),
            Test::Ordered(order, literal) => {
                literal.ordering_of(raw).is_some_and(|ordering| order.holds(ordering))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Order {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Order::Below => ordering.is_lt(),
            Order::AtMost => ordering.is_le(),
            Order::Above => ordering.is_gt(),
            Order::AtLeast => ordering.is_ge(),
        }
    }
}

/// What a field is compared with.
#[derive(Clone, Debug)]
struct Literal {
    /// As it was written, or what stands between its quotes.
    text: String,
    /// It was written in quotes: it means a string and nothing else.
    is_quoted: bool,
    number: Option<f64>,
}

/// Every operator; the longer of two that begin alike stands first.
const OPERATORS: [&str; 9] = ["!=", "!~", "<=", ">=", "==", "=", "~", "<", ">"];

impl FieldMatch {
    /// Parses `PATH=VALUE`, with `!=`, `~` or `!~` (a regular expression), `<`, `<=`, `>` or `>=` in
    /// place of the `=`. Steps of a path stand between dots; a number is an index into an array. The
    /// value behind `=` and `!=` is a pattern as in [`TextPattern::parse`], or JSON.
    ///
    /// # Errors
    /// There is no operator or no path, or the pattern is invalid.
    pub fn parse(text: &str) -> Result<Self, InvalidFilter> {
        let Some((at, operator)) = operator(text) else {
            let form = match text.split_once(':') {
                Some((path, value)) => format!("{path}={}", value.trim()),
                None => format!("{}=VALUE", text.trim_end_matches('.')),
            };
            return Err(InvalidFilter::new(text, "it has no operator", form));
        };
        let written = text[..at].trim();
        let path = steps(written);
        let value = text[at + operator.len()..].trim_start();
        if path.is_empty() || path.iter().any(String::is_empty) {
            let form = format!("PATH{operator}{value}");
            return Err(InvalidFilter::new(text, "a step of its path is empty", form));
        }
        let test = Test::parse(operator, value)?;
        let trace = test
            .text()
            .filter(|text| !text.is_empty())
            .or_else(|| name(path.strip_prefix(&[VALUE.to_owned()]).unwrap_or(&path)))
            .map(|text| Finder::new(text).into_owned());
        let presence = Arc::new(FieldPresence::new(written, &path));
        Ok(Self { places: places(path), test, trace, presence })
    }

    /// Whether a value may meet the condition, without a look at its structure: a scan for a few bytes
    /// costs a tenth of the way to a field.
    fn may_be_met(&self, value: &[u8]) -> bool {
        self.trace.as_ref().is_none_or(|trace| {
            trace.find(value).is_some() || memchr::memchr(b'\\', value).is_some()
        })
    }

    /// The raw value of its field.
    fn find<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        self.places.iter().find_map(|path| json::find(value, path))
    }

    fn is_met(&self, value: &[u8]) -> bool {
        self.find(value).is_some_and(|raw| self.test.is_met(raw))
    }

    /// Remembers whether a value that was passed over has the field, until one had it.
    #[inline]
    fn observe(&self, value: &[u8]) {
        if !self.presence.is_known() {
            self.presence.observe(value, self.find(value).is_some());
        }
    }

    /// Returns what is known of the field if no event had it.
    pub(super) fn absence(&self) -> Option<AbsentField> {
        self.presence.absence()
    }
}

/// Whether a value meets every condition. It must be JSON, which is asked last: few get so far.
pub(super) fn all_met(fields: &[FieldMatch], value: &[u8]) -> bool {
    let all_met = fields.iter().all(|field| field.may_be_met(value))
        && fields.iter().all(|field| field.is_met(value))
        && json::validate(value).is_ok();
    for field in fields {
        if all_met {
            field.presence.confirm();
        } else {
            field.observe(value);
        }
    }
    all_met
}

/// The paths that a path may mean: itself, for a bare name the same in the bodies of envelopes, and
/// each without the `value` that begins it in the output of `tail -o json`.
fn places(path: Vec<String>) -> Vec<Vec<String>> {
    let inner = match path.as_slice() {
        [first, rest @ ..] if first == VALUE && !rest.is_empty() => Some(rest.to_vec()),
        _ => None,
    };
    let mut places = Vec::new();
    for path in std::iter::once(path).chain(inner) {
        let bodies = match path.as_slice() {
            [name] => BODIES.iter().map(|body| vec![(*body).to_owned(), name.clone()]).collect(),
            _ => Vec::new(),
        };
        places.push(path);
        places.extend::<Vec<_>>(bodies);
    }
    places
}

/// The first operator and its place.
fn operator(text: &str) -> Option<(usize, &'static str)> {
    text.char_indices().find_map(|(at, _)| {
        OPERATORS.into_iter().find(|operator| text[at..].starts_with(operator)).map(|op| (at, op))
    })
}

/// The steps of a path. jq's dot before the first is taken, as is `$.`, and its `[0]` for `.0`; a dot
/// or a bracket after a backslash is a letter.
fn steps(path: &str) -> Vec<String> {
    let path = path.strip_prefix("$.").or_else(|| path.strip_prefix('.')).unwrap_or(path);
    let mut steps = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match (character, steps.last_mut()) {
            ('.', _) => steps.push(String::new()),
            ('[', _) if is_index(characters.as_str()) => {
                let index: String = characters.by_ref().take_while(|c| *c != ']').collect();
                // `.[0]` and `[0]` begin a step that is there already.
                match steps.last_mut() {
                    Some(step) if step.is_empty() => *step = index,
                    _ => steps.push(index),
                }
            }
            ('\\', Some(step)) => step.extend(characters.next()),
            (other, Some(step)) => step.push(other),
            (_, None) => {}
        }
    }
    steps
}

/// The last step that stands as a key in every value which has the path; an index does not.
fn name(path: &[String]) -> Option<&str> {
    path.iter().rev().map(String::as_str).find(|step| step.parse::<usize>().is_err())
}

/// Whether digits and a `]` come next.
fn is_index(rest: &str) -> bool {
    rest.split_once(']').is_some_and(|(index, _)| {
        !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn has(pattern: &TextPattern, raw: &[u8]) -> bool {
    match json::unquote(raw) {
        Some(text) => pattern.is_in(text.as_bytes()),
        None => pattern.is_in(raw),
    }
}

impl Literal {
    fn parse(text: &str) -> Self {
        match json::unquote(text.as_bytes()) {
            Some(inner) => Self { text: inner.into_owned(), is_quoted: true, number: None },
            None => {
                let number = text.parse().ok().filter(|_| is_number(text.as_bytes()));
                Self { text: text.to_owned(), is_quoted: false, number }
            }
        }
    }

    fn equals(&self, raw: &[u8]) -> bool {
        match raw.first() {
            Some(b'"') => json::is_text(raw, &self.text),
            _ if self.is_quoted => false,
            Some(b'{' | b'[') => compacted(raw) == compacted(self.text.as_bytes()),
            _ => raw == self.text.as_bytes() || self.number_ordering(raw) == Some(Ordering::Equal),
        }
    }

    fn ordering_of(&self, raw: &[u8]) -> Option<Ordering> {
        match json::unquote(raw) {
            Some(text) => Some(text.as_ref().cmp(self.text.as_str())),
            None => self.number_ordering(raw),
        }
    }

    /// By value: `1.0` is `1`. Whole numbers are compared digit by digit, because a 64-bit id does
    /// not fit into a double.
    fn number_ordering(&self, raw: &[u8]) -> Option<Ordering> {
        let number = self.number?;
        let raw = std::str::from_utf8(raw).ok().filter(|raw| is_number(raw.as_bytes()))?;
        if let (Ok(theirs), Ok(ours)) = (raw.parse::<i128>(), self.text.parse::<i128>()) {
            return Some(theirs.cmp(&ours));
        }
        raw.parse::<f64>().ok()?.partial_cmp(&number)
    }
}

fn is_number(raw: &[u8]) -> bool {
    matches!(raw.first(), Some(b'-' | b'0'..=b'9')) && raw.last().is_some_and(u8::is_ascii_digit)
}

fn compacted(raw: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(raw.len());
    json::compact(raw, &mut out).ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &[u8] = br#"{"a":1,"b":{"c":["x",{"d":true}],"e.f":2},"s":"it\u0065m","n":null,
        "big":12345678901234567891,"t":"2026-11-23T13:19:20","output":{"model_id":"m","a":9}}"#;

    fn met(text: &str) -> bool {
        all_met(&[FieldMatch::parse(text).unwrap()], EVENT)
    }

    #[test]
    fn fields_are_compared_with_what_was_written() {
        for text in [
            "a=1",
            "a=1.0",
            "a==1",
            "b.c.0=x",
            "b.c.1.d=true",
            r"b.e\.f=2",
            "b.c[0]=x",
            "b.c[1].d=true",
            "s=item",
            "n=null",
            ".b.c.0=x",
            r#"b.c.0="x""#,
            r#"b.c=["x", {"d": true}]"#,
            "big=12345678901234567891",
        ] {
            assert!(met(text), "{text}");
        }
        for text in
            ["a=2", "a=", "b.c.0=X", "x=1", "n=", r#"a="1""#, "big=12345678901234567890", "b.c.9=x"]
        {
            assert!(!met(text), "{text}");
        }
    }

    #[test]
    fn an_escape_hides_no_field_and_no_text_from_the_first_look() {
        let may = |text: &str, value: &[u8]| FieldMatch::parse(text).unwrap().may_be_met(value);
        assert!(!may("a=x", br#"{"a":"y"}"#) && !may("a>1", br#"{"b":"y"}"#));
        assert!(!may("a.b.0>1", br#"{"a":[[2]]}"#) && may("a.0>1", br#"{"a":[2]}"#));
        assert!(!may("a!=x", b"{}") && may("a!=x", br#"{"a":1}"#));
        assert!(may("a=1", br#"{"a":1.0}"#) && may("a=[1]", br#"{"a":[ 1]}"#));
        for text in ["abc=x", "abc~x", "abc>w", r#"abc="x""#] {
            for value in [br#"{"\u0061bc":"\u0078"}"#.as_slice(), br#"{"abc":"\u0078"}"#] {
                let field = FieldMatch::parse(text).unwrap();
                assert!(all_met(&[field], value), "{text}");
            }
        }
    }

    #[test]
    fn of_equal_keys_the_last_is_compared() {
        let last = |text: &str| all_met(&[FieldMatch::parse(text).unwrap()], br#"{"a":1,"a":2}"#);
        assert!(last("a=2") && !last("a=1") && last("a!=1"));
    }

    #[test]
    fn a_bare_name_is_looked_for_in_the_body_when_the_top_has_none() {
        assert!(met("model_id=m") && met("output.model_id=m"));
        assert!(!met("a=9"), "the top has one");
    }

    #[test]
    fn other_operators() {
        assert!(met("a!=2") && !met("a!=1") && !met("missing!=1"));
        assert!(met("s!~^x") && !met("s!~^it") && !met("missing!~x"));
        assert!(met("s~^it") && met("a~1") && !met("s~^x") && !met("missing~."));
        assert!(met("a<2") && met("a<=1") && !met("a<1") && met("a>0.5") && met("a>=1"));
        assert!(met("t>2026-11-23") && met("t<2026-11-24") && !met("s<5x") && !met("a<x"));
    }

    #[test]
    fn an_event_without_the_field_meets_no_condition() {
        let values = ["x", "*", "?", "[x]", "/x/", "\"x\"", "null", "1", "", "[1]", "{}"];
        for operator in OPERATORS {
            for value in values {
                for path in ["missing", "b.missing", "a.b", "b.c.9", "value.missing", "n.x"] {
                    let text = format!("{path}{operator}{value}");
                    let Ok(field) = FieldMatch::parse(&text) else {
                        // `*` and `?` are no regular expressions.
                        assert!(operator.ends_with('~'), "{text}");
                        continue;
                    };
                    assert!(!all_met(&[field], EVENT), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_value_is_a_pattern_unless_it_is_quoted() {
        const PATTERNS: &[u8] = br#"{"m":"bert-v2","star":"a*b","slash":"/x/","n":12,"z":null,
            "f":1.50,"t":true,"l":["p","q"],"back":"C:\\x","brackets":"m[0]"}"#;
        let met = |text: &str| all_met(&[FieldMatch::parse(text).unwrap()], PATTERNS);
        for (condition, expected) in [
            ("m=bert*", true),
            ("m=BERT*", false),
            ("m=*v?", true),
            ("m=bert-v[0-9]", true),
            ("m=bert-v[!0-9]", false),
            ("m=[a-c]*", true),
            ("m=/^bert/", true),
            ("m=/BERT/i", true),
            ("m=/^v2/", false),
            ("m==bert*", true),
            ("m=bert", false),
            ("m=*", true),
            ("star=a*b", true),
            (r#"star="a*b""#, true),
            (r"star=a\*b", true),
            (r#"m="bert*""#, false),
            (r"m=bert\*", false),
            (r#"slash="/x/""#, true),
            (r"slash=\/x/", true),
            (r#"m="/bert/""#, false),
            ("n=1*", true),
            ("n=1?", true),
            ("n=/^1/", true),
            ("n=[0-9]*", true),
            (r#"n="1*""#, false),
            ("z=nul?", true),
            ("f=1.5*", true),
            ("t=tr*", true),
            (r#"l=["p", "q"]"#, true),
            (r#"l=["p"*"#, true),
            ("l=*q*", true),
            (r#"back="C:\\x""#, true),
            (r"back=C:\x", true),
            (r"back=C:\\*", true),
            (r#"brackets="m[0]""#, true),
            (r"brackets=m\[0]", true),
            ("brackets=m[0]", false),
            ("brackets=m[0", false),
        ] {
            assert_eq!(met(condition), expected, "{condition}");
            let contrary = condition.replacen("==", "=", 1).replacen('=', "!=", 1);
            assert_eq!(met(&contrary), !expected, "{contrary}");
        }
        assert!(FieldMatch::parse("m=/a(/").is_err());
    }

    #[test]
    fn a_path_may_begin_as_in_the_output() {
        for text in [
            "value.a=1",
            ".value.a=1",
            "$.a=1",
            "$.value.b.c[0]=x",
            "value.b.c.0=x",
            "value.model_id=m",
            "value.output.model_id=m",
            "value.s=it*",
            "value.a!=2",
            "value.b.c[1].d=t*",
        ] {
            assert!(met(text), "{text}");
        }
        assert!(!met("value.a=2") && !met("value=1") && !met("key.a=1"));
        let own = br#"{"value":{"a":3},"a":1}"#;
        let takes = |text: &str| all_met(&[FieldMatch::parse(text).unwrap()], own);
        assert!(takes("value.a=3") && !takes("value.a=1"), "a field of this name comes first");
        let list = |text: &str| all_met(&[FieldMatch::parse(text).unwrap()], br#"["x"]"#);
        assert!(list("value[0]=/x/") && list(".[0]=x") && !list("value[1]!=x"));
    }

    #[test]
    fn what_is_no_json_matches_nothing() {
        for value in ["{\"a\":1", "a=1", "", "{\"a\":1}}"] {
            for text in ["a=1", "a!=2"] {
                let field = FieldMatch::parse(text).unwrap();
                assert!(!all_met(&[field], value.as_bytes()), "{text} {value}");
            }
        }
    }

    #[test]
    fn what_cannot_be_meant_is_answered_with_the_nearest_form() {
        for (text, form) in [
            ("framework", "framework=VALUE"),
            ("framework: pytorch", "framework=pytorch"),
            ("=x", "PATH=x"),
            ("a..b=x", "PATH=x"),
        ] {
            assert_eq!(FieldMatch::parse(text).unwrap_err().form, form, "{text}");
        }
        assert!(FieldMatch::parse("a~(").is_err());
    }
}
