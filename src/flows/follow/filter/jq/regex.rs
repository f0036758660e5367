//! jq's regular expressions, with Unicode classes and case folding, which the engine of jaq does not
//! have.

use std::cell::RefCell;

use jaq_json::{Error, Val};
use regex_automata::PatternID;
use regex_automata::meta::Regex;
use regex_automata::util::{captures::Captures, syntax};

/// Compiled expressions that are kept: an expression is compiled once, not once a record.
const MOST_KEPT: usize = 16;

/// What of a string is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pieces {
    Matches,
    Between,
    Both,
}

/// jq's flags of a regular expression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    global: bool,
    ignore_case: bool,
    extended: bool,
    dot_matches_line_break: bool,
    skip_empty: bool,
}

impl Flags {
    fn parse(flags: &Val) -> Result<Self, Error> {
        let mut parsed = Self::default();
        let text = match flags {
            Val::Null => return Ok(parsed),
            flags => as_text(flags)?,
        };
        for flag in text.chars() {
            match flag {
                'g' => parsed.global = true,
                'i' => parsed.ignore_case = true,
                'x' => parsed.extended = true,
                // A dollar sign matches only at the end in any case.
                's' => {}
                'p' => parsed.dot_matches_line_break = true,
                'n' => parsed.skip_empty = true,
                'l' => return Err(Error::str("the flag l (longest match) is not supported")),
                _ => return Err(Error::str(format!("{text} is not a valid modifier string"))),
            }
        }
        Ok(parsed)
    }
}

/// Returns what an expression matches in a string: an array of matches, each an array of its whole
/// and its groups, and of the strings between, as far as they are asked for.
///
/// # Errors
/// One of the values is not a string, or the expression or its flags are invalid.
pub(super) fn find_matches(
    input: &Val,
    expression: &Val,
    flags: &Val,
    pieces: Pieces,
) -> Result<Val, Error> {
    let flags = Flags::parse(flags)?;
    let regex = compiled(as_text(expression)?, flags)?;
    let text = as_text(input)?;
    let mut found = Vec::new();
    let (mut end, mut position) = (0, Position::default());
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get_match() else { continue };
        if flags.skip_empty && whole.is_empty() {
            continue;
        }
        if pieces != Pieces::Matches {
            found.push(Val::from(text[end..whole.start()].to_owned()));
            end = whole.end();
        }
        if pieces != Pieces::Between {
            position.advance(text, whole.start());
            found.push(groups(&regex, &captures, text, position));
        }
        if !flags.global {
            break;
        }
    }
    if pieces != Pieces::Matches {
        found.push(Val::from(text[end..].to_owned()));
    }
    Ok(found.into_iter().collect())
}

/// A place in a text, in bytes and in characters.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    bytes: usize,
    characters: usize,
}

impl Position {
    fn advance(&mut self, text: &str, bytes: usize) {
        self.characters += text[self.bytes..bytes].chars().count();
        self.bytes = bytes;
    }
}

/// The whole of a match and its groups; a group that took no part has no string.
fn groups(regex: &Regex, captures: &Captures, text: &str, whole: Position) -> Val {
    let names = regex.group_info().pattern_names(PatternID::ZERO);
    let group = |(index, name): (usize, Option<&str>)| {
        let span = captures.get_group(index);
        let (offset, length, string) = match span {
            Some(span) => {
                let mut start = whole;
                start.advance(text, span.start);
                let string = &text[span.start..span.end];
                let length = isize::try_from(string.chars().count()).unwrap_or(isize::MAX);
                let offset = isize::try_from(start.characters).unwrap_or(isize::MAX);
                (offset, length, Val::from(string.to_owned()))
            }
            None => (-1, 0, Val::Null),
        };
        let mut fields =
            vec![("offset", Val::from(offset)), ("length", Val::from(length)), ("string", string)];
        if index > 0 {
            fields.push(("name", name.map_or(Val::Null, |name| Val::from(name.to_owned()))));
        }
        Val::obj(fields.into_iter().map(|(key, value)| (key.to_owned().into(), value)).collect())
    };
    names.enumerate().map(group).collect()
}

fn as_text(value: &Val) -> Result<&str, Error> {
    match value {
        Val::TStr(text) => std::str::from_utf8(text).map_err(|error| Error::str(error.to_string())),
        other => Err(Error::str(format!("{other} cannot be matched, as it is not a string"))),
    }
}

type KeptExpressions = RefCell<Vec<(String, Flags, Regex)>>;

fn compiled(expression: &str, flags: Flags) -> Result<Regex, Error> {
    thread_local! {
        static KEPT: KeptExpressions = const { RefCell::new(Vec::new()) };
    }
    KEPT.with_borrow_mut(|kept| {
        let known = kept.iter().find(|(text, known, _)| text == expression && *known == flags);
        if let Some((_, _, regex)) = known {
            return Ok(regex.clone());
        }
        let regex = compile(expression, flags)?;
        if kept.len() == MOST_KEPT {
            kept.remove(0);
        }
        kept.push((expression.to_owned(), flags, regex.clone()));
        Ok(regex)
    })
}

fn compile(expression: &str, flags: Flags) -> Result<Regex, Error> {
    let syntax = syntax::Config::new()
        .case_insensitive(flags.ignore_case)
        .ignore_whitespace(flags.extended)
        .dot_matches_new_line(flags.dot_matches_line_break);
    Regex::builder().syntax(syntax).build(expression).map_err(|error| {
        let reason = error.syntax_error().map_or_else(
            || error.to_string(),
            |syntax| syntax.to_string().lines().last().unwrap_or("").replace("error: ", ""),
        );
        Error::str(format!("{expression} (at offset 0) is not a valid regex: {reason}"))
    })
}
