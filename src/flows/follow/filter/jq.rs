//! `--jq`: an expression of the language of jq over a record's value. Numbers come out as they were
//! sent. `$record` holds what stands around the value.

use std::borrow::Cow;

use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data};
use jaq_json::{Val, read, write};

use super::InvalidFilter;
use crate::base::nearest::nearest;
use crate::kafka::Record;
use crate::schema::json;

type Data = data::JustLut<Val>;

/// The variable for a record's surroundings.
const RECORD: &str = "$record";

/// An expression, compiled.
pub struct Jq {
    filter: jaq_core::Filter<Data>,
    uses_record: bool,
}

impl std::fmt::Debug for Jq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jq").finish_non_exhaustive()
    }
}

/// Why an expression has no result, or no further one, for a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JqFault {
    #[error("the value is not JSON")]
    NotJson,
    #[error("the value is nested deeper than {DEEPEST} levels")]
    TooDeep,
    #[error("{0}")]
    Failed(String),
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JqForm {
    /// As JSON on one line, as `jq -c` does.
    Json,
    /// A string without its quotes, as `jq -r` does.
    Raw,
}

impl Jq {
    /// Compiles an expression.
    ///
    /// # Errors
    /// It is none, or names a function or variable that there is not.
    pub fn compile(code: &str) -> Result<Self, InvalidFilter> {
        let defs = || jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs =
            || jaq_core::funs::<Data>().chain(jaq_std::funs::<Data>()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules =
            Loader::new(defs()).load(&arena, File { code, path: () }).map_err(|errors| {
                let reason = errors.into_iter().map(|(_, error)| load_words(code, &error)).next();
                InvalidFilter::new(
                    code,
                    reason.unwrap_or_default(),
                    "an expression of jq, such as .a.b",
                )
            })?;
        let filter = Compiler::default()
            .with_funs(funs())
            .with_global_vars([RECORD])
            .compile(modules)
            .map_err(|errors| {
                let unknown = errors.into_iter().flat_map(|(_, errors)| errors).next();
                let (name, kind) =
                    unknown.map_or(("", "filter"), |(name, kind)| (name, kind.as_str()));
                let known: Vec<String> = funs()
                    .map(|(name, ..)| name.to_owned())
                    .chain(defs().map(|def| def.name.to_owned()))
                    .chain([RECORD.to_owned()])
                    .filter(|known| !known.starts_with('_'))
                    .collect();
                let near = nearest(name, known.iter().map(String::as_str), 1);
                // A word of somebody's data is mostly a field whose dot was forgotten.
                let form =
                    near.first().map_or_else(|| format!(".{name}"), |near| (*near).to_owned());
                InvalidFilter::new(code, format!("there is no {kind} {name}"), form)
            })?;
        Ok(Self { filter, uses_record: code.contains(RECORD) })
    }

    /// Appends each result and a line break; says how many there were, at most `most`. A tombstone
    /// is `null`.
    ///
    /// # Errors
    /// The value is not JSON, or the expression failed on it; what was appended before stays.
    pub fn run(
        &self,
        record: &Record<'_>,
        form: JqForm,
        most: u64,
        out: &mut Vec<u8>,
    ) -> Result<u64, (u64, JqFault)> {
        let value = match record.value {
            None => Val::Null,
            Some(value) if is_too_deep(value) => return Err((0, JqFault::TooDeep)),
            Some(value) => read::parse_single(value).map_err(|_| (0, JqFault::NotJson))?,
        };
        let around = if self.uses_record { around(record) } else { Val::Null };
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new([around]));
        let mut count = 0;
        for result in self.filter.id.run((context, value)) {
            if count == most {
                break;
            }
            match result {
                Ok(value) => write_result(&value, form, out),
                Err(thrown) => return Err((count, JqFault::Failed(words(thrown)))),
            }
            count += 1;
        }
        Ok(count)
    }
}

/// Levels of a value that an expression is run on. The evaluator goes down them by recursion, and
/// the whole process would end with its stack.
const DEEPEST: usize = 2_000;

/// Whether a value has more levels, seen by its brackets alone.
fn is_too_deep(value: &[u8]) -> bool {
    if value.len() <= 2 * DEEPEST {
        return false;
    }
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_string => drop(bytes.next()),
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest > DEEPEST
}

/// What was thrown, in words. `halt` would end the whole process in the middle of its output.
fn words(thrown: jaq_core::Exn<'_, Val>) -> String {
    match thrown.get_err() {
        Ok(error) => error.to_string(),
        Err(other) => match other.get_halt() {
            Ok(code) => format!("halt({code}) has no meaning here"),
            Err(_) => "it breaks out of a label that is not there".to_owned(),
        },
    }
}

fn write_result(value: &Val, form: JqForm, out: &mut Vec<u8>) {
    match (form, value) {
        (JqForm::Raw, Val::TStr(text)) => out.extend_from_slice(text),
        (JqForm::Raw, Val::BStr(bytes)) => out.extend_from_slice(bytes),
        _ => {
            let begin = out.len();
            // Writing to a vector cannot fail.
            drop(write::write(out, &write::Pp::default(), 0, value));
            // A line of it must be JSON to whoever reads it; jq itself writes null.
            let text = std::str::from_utf8(&out[begin..]).map(json::without_bare_numbers);
            if let Ok(Cow::Owned(strict)) = text {
                out.truncate(begin);
                out.extend_from_slice(strict.as_bytes());
            }
        }
    }
    out.push(b'\n');
}

/// What stands around a value, under the names of `-o json`.
fn around(record: &Record<'_>) -> Val {
    let bytes = |bytes: Option<&[u8]>| match bytes {
        None => Val::Null,
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Val::from(text.to_owned()),
            Err(_) => Val::byte_str(bytes.to_vec()),
        },
    };
    // Decimal digits keep a 64-bit number what it is on every machine.
    let number =
        |number: i64| read::parse_single(number.to_string().as_bytes()).unwrap_or(Val::Null);
    let object = |pairs: Vec<(&str, Val)>| {
        Val::obj(pairs.into_iter().map(|(key, value)| (Val::from(key.to_owned()), value)).collect())
    };
    let headers = record
        .headers
        .iter()
        .map(|(name, value)| {
            object(vec![("key", Val::from(name.to_owned())), ("value", bytes(value))])
        })
        .collect();
    let (timestamp, kind) = record.timestamp.map_or((Val::Null, Val::Null), |(millis, kind)| {
        (number(millis), Val::from(kind.word().to_owned()))
    });
    object(vec![
        ("topic", Val::from(record.topic.to_owned())),
        ("partition", number(i64::from(record.partition))),
        ("offset", number(record.offset)),
        ("timestamp", timestamp),
        ("timestamp_type", kind),
        ("key", bytes(record.key)),
        ("headers", headers),
    ])
}

/// What the parser expected, and where.
fn load_words(code: &str, error: &load::Error<&str>) -> String {
    let (expected, place) = match error {
        load::Error::Io(errors) => {
            return errors.first().map_or_else(String::new, |(_, reason)| reason.clone());
        }
        load::Error::Lex(errors) => {
            errors.first().map_or(("", ""), |(expected, at)| (expected.as_str(), *at))
        }
        load::Error::Parse(errors) => {
            errors.first().map_or(("", ""), |(expected, at)| (expected.as_str(), *at))
        }
    };
    let at = load::span(code, place).start;
    let place = if at >= code.len() {
        "at its end".to_owned()
    } else {
        format!("before {:?}", &code[at..])
    };
    format!("it needs a {expected} {place}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{Headers, OwnedHeader};

    fn results(code: &str, value: Option<&[u8]>, form: JqForm) -> Result<String, JqFault> {
        let mut out = Vec::new();
        let headers: [OwnedHeader; 1] = [("h".to_owned(), Some(b"1".to_vec()))];
        let record = Record {
            partition: 2,
            headers: Headers::of(&headers),
            ..Record::plain("t", Some(b"k"), value)
        };
        Jq::compile(code).unwrap().run(&record, form, 9, &mut out).map_err(|(_, fault)| fault)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn json(code: &str, value: &str) -> String {
        results(code, Some(value.as_bytes()), JqForm::Json).unwrap()
    }

    #[test]
    fn results_come_one_a_line() {
        assert_eq!(json(".a", r#"{"a":"x"}"#), "\"x\"\n");
        assert_eq!(json(".[]", "[1,2]"), "1\n2\n");
        assert_eq!(json("[., nan, infinite]", "1"), "[1,null,null]\n");
        assert_eq!(json("select(.failure) | .task_id", r#"{"failure":null,"task_id":1}"#), "");
        assert_eq!(results(".a", Some(br#"{"a":"x"}"#), JqForm::Raw).unwrap(), "x\n");
    }

    #[test]
    fn numbers_stay_as_they_were_sent() {
        assert_eq!(
            json(".", r#"{"b":1.10,"a":12345678901234567890123,"c":1E5}"#),
            "{\"b\":1.10,\"a\":12345678901234567890123,\"c\":1E5}\n"
        );
    }

    #[test]
    fn the_record_around_the_value_has_a_name() {
        assert_eq!(
            json("[$record.topic, $record.partition, $record.key, $record.headers[0].value]", "1"),
            "[\"t\",2,\"k\",\"1\"]\n"
        );
        assert_eq!(results("., $record.offset", None, JqForm::Json).unwrap(), "null\n0\n");
    }

    #[test]
    fn the_number_of_results_is_bounded() {
        let mut out = Vec::new();
        let record = Record::plain("t", None, Some(b"[1,2,3]"));
        let count = Jq::compile(".[]").unwrap().run(&record, JqForm::Json, 2, &mut out);
        assert_eq!((count, out.as_slice()), (Ok(2), &b"1\n2\n"[..]));
    }

    #[test]
    fn a_record_on_which_it_fails_is_told() {
        assert_eq!(results(".a", Some(b"hello"), JqForm::Json), Err(JqFault::NotJson));
        let fault = results(".a", Some(b"1"), JqForm::Json).unwrap_err();
        assert!(fault.to_string().contains("cannot index"), "{fault}");
    }

    #[test]
    fn a_value_of_too_many_levels_is_told_and_strings_have_none() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let fault = results(".", Some(deep(DEEPEST + 1).as_bytes()), JqForm::Json);
        assert_eq!(fault, Err(JqFault::TooDeep));
        let text = format!("{{\"a\":\"{}\\\"\"}}", "[".repeat(3 * DEEPEST));
        assert!(!is_too_deep(text.as_bytes()) && !is_too_deep(deep(DEEPEST).as_bytes()));
    }

    #[test]
    fn an_expression_ends_no_process() {
        for (code, words) in [
            ("halt", "halt(0) has no meaning here"),
            ("1 | halt_error", "halt(5) has no meaning here"),
        ] {
            let fault = results(code, Some(b"1"), JqForm::Json).unwrap_err();
            assert_eq!(fault.to_string(), words);
        }
    }

    #[test]
    fn a_broken_expression_is_refused_with_the_nearest() {
        for (code, reason, form) in [
            ("selekt(.a)", "there is no filter selekt", "select"),
            ("task_identifier", "there is no filter task_identifier", ".task_identifier"),
            ("$recrd.topic", "there is no variable $recrd", "$record"),
            (".a |", "it needs a", "an expression of jq, such as .a.b"),
            ("(.a", "it needs a closing parenthesis", "an expression of jq, such as .a.b"),
        ] {
            let error = Jq::compile(code).unwrap_err();
            assert!(error.reason.contains(reason), "{code}: {error}");
            assert_eq!(error.form, form, "{code}");
        }
    }
}
