//! `--jq`: an expression of the language of jq over a record's value. Numbers come out as they were
//! sent. `$record` holds what stands around the value.

use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars};
use jaq_json::{Val, read};

use super::Data;
use super::functions::{definitions, natives};
use super::output::write_result;
use super::rewrite::rewrite;
use super::surroundings::record_object;
use crate::base::nearest::nearest;
use crate::flows::follow::filter::InvalidFilter;
use crate::kafka::Record;
use crate::schema::json;

/// The variable for a record's surroundings.
const RECORD: &str = "$record";

/// The name under which the rewritten expression is defined.
const PROGRAM: &str = "_program";

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
        // Parsed before, so that it can be rewritten; what is wrong with it, the loader reports.
        let program = load::parse(code, |parser| parser.term()).map(|term| Def {
            name: PROGRAM,
            args: Vec::new(),
            body: rewrite(term),
        });
        let source = if program.is_some() { PROGRAM } else { code };
        let arena = Arena::default();
        let mut prelude: Vec<Def<&str>> = definitions();
        prelude.extend(program);
        let modules = Loader::new(prelude).load(&arena, File { code: source, path: () }).map_err(
            |errors| {
                let reason = errors.into_iter().map(|(_, error)| load_words(code, &error)).next();
                InvalidFilter::new(
                    code,
                    reason.unwrap_or_default(),
                    "an expression of jq, such as .a.b",
                )
            },
        )?;
        let filter = Compiler::default()
            .with_funs(natives())
            .with_global_vars([RECORD])
            .compile(modules)
            .map_err(|errors| {
                let unknown = errors.into_iter().flat_map(|(_, errors)| errors).next();
                let (name, kind) =
                    unknown.map_or(("", "filter"), |(name, kind)| (name, kind.as_str()));
                let known: Vec<String> = natives()
                    .map(|(name, ..)| name.to_owned())
                    .chain(definitions().into_iter().map(|def| def.name.to_owned()))
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
            Some(value) if !is_json(value) => return Err((0, JqFault::NotJson)),
            Some(value) => read::parse_single(value).map_err(|_| (0, JqFault::NotJson))?,
        };
        let around = if self.uses_record { record_object(record) } else { Val::Null };
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new([around]));
        let mut count = 0;
        for result in self.filter.id.run((context, value)) {
            if count == most {
                break;
            }
            match result {
                Ok(value) => write_result(&value, form, out)
                    .map_err(|error| (count, JqFault::Failed(error.to_string())))?,
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

/// Whether bytes are JSON: the parser of the interpreter takes more than that. Nesting has a bound of
/// its own, and strings with bytes that are not UTF-8 are taken as jq takes them.
fn is_json(value: &[u8]) -> bool {
    match json::validate(value) {
        Ok(_) => true,
        Err(invalid) => invalid.is_too_deep() || std::str::from_utf8(value).is_err(),
    }
}

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
    fn every_result_is_json() {
        let values: [&[u8]; 14] = [
            b"{\"a\":NaN,\"b\":[-Infinity]}",
            b"\"\xff\"",
            b"{\"\xfe\":1}",
            b"1e999",
            b"12345678901234567890123",
            b"-0",
            b"1.10",
            b"\"\\ud800\"",
            b"\"\\u0000\"",
            b"[0.1,1e-7,100000000000000000000]",
            b"\"\x7f\"",
            b"{\"a\":1,\"a\":2}",
            b"null",
            b" [ 1 ,\n 2 ] ",
        ];
        let expressions = [
            ".",
            "..",
            "[.]",
            "{a: .}",
            "tojson",
            "tostring",
            "\"\\(.)\"",
            "tobytes?",
            "{(tostring): 1}",
            "[.[]?] | .[0] / 3",
            "try (. / 0) catch .",
            "infinite, -infinite, nan",
            "10 / 2, 1e17 * 10, 0.1 + 0.2",
            "$record",
            "to_entries?",
            "@json, @text",
        ];
        for value in values {
            for code in expressions {
                for line in results(code, Some(value), JqForm::Json).unwrap_or_default().lines() {
                    let parsed = serde_json::from_str::<serde_json::Value>(line);
                    let is_large = line.contains("1e999");
                    assert!(parsed.is_ok() || is_large, "{code} on {value:?}: {line}");
                }
            }
        }
    }

    #[test]
    fn a_key_that_is_no_string_is_an_error() {
        for code in [
            "{(1):2}",
            "{(1):2} | length",
            "{(null):2}",
            "{(true):2}",
            "{([]):2}",
            "{({}):2}",
            "[{a: {(1):2}}]",
            "{a:1} | with_entries(.value |= {(.):1})",
            "reduce 1 as $x ({}; . + {($x): 1})",
        ] {
            let fault = results(code, Some(b"1"), JqForm::Json).unwrap_err();
            assert!(fault.to_string().contains("object keys must be strings"), "{code}: {fault}");
        }
        assert_eq!(json("{(\"a\", \"b\"): 1}", "1"), "{\"a\":1}\n{\"b\":1}\n");
        assert_eq!(
            json("{a, \"b\": 2, @text \"c\": 3}", r#"{"a":1}"#),
            "{\"a\":1,\"b\":2,\"c\":3}\n"
        );
    }

    #[test]
    fn what_the_interpreter_takes_beyond_json_is_no_json() {
        for value in ["b\"x\"", "{1:2}", "+1", "01", "1 2", "1 # one", "{a:1}", "'a'", ""] {
            let fault = results(".", Some(value.as_bytes()), JqForm::Json);
            assert_eq!(fault, Err(JqFault::NotJson), "{value}");
        }
    }

    #[test]
    fn bytes_around_the_value_are_as_in_the_json_form() {
        let headers: [OwnedHeader; 1] = [("h".to_owned(), Some(vec![0xff]))];
        let record = Record {
            headers: Headers::of(&headers),
            ..Record::plain("t", Some(b"\xfe"), Some(b"1"))
        };
        let mut out = Vec::new();
        let code = "$record | [.key, .key_encoding, .headers[0].value, .headers[0].value_encoding]";
        Jq::compile(code).unwrap().run(&record, JqForm::Json, 9, &mut out).unwrap();
        assert_eq!(out, b"[\"/g==\",\"base64\",\"/w==\",\"base64\"]\n");
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
