//! Replies that say no, in the service's words: `{"detail": …}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::schema::validation::{Detail, Problem, Refusal};
use crate::serve::store::StoreError;

/// A reply that is no success.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    detail: Detail,
    /// What went wrong inside, for the log and for no client.
    cause: Option<String>,
}

/// Why a request was refused, on its way to the log.
#[derive(Clone, Debug)]
pub(super) struct RefusalReason(pub String);

/// Characters of a reason that are logged.
const LONGEST_REASON: usize = 300;
/// Problems that are listed in one reply. A list of a million wrong items has as many.
pub(super) const MOST_PROBLEMS: usize = 100;

impl Refused {
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, detail: Detail::Sentence(sentence.into()), cause: None }
    }

    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    pub fn not_found(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }

    /// A 422 with what does not fit.
    pub fn problems(problems: Vec<Problem>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            detail: Detail::Problems(problems),
            cause: None,
        }
    }

    /// What the refusal says, unless it is a list of what does not fit.
    pub fn sentence(&self) -> Option<&str> {
        match &self.detail {
            Detail::Sentence(sentence) => Some(sentence),
            _ => None,
        }
    }

    /// Adds what went wrong inside.
    pub fn caused_by(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// Returns why the request was refused, on one line.
    fn reason(&self) -> String {
        let mut reason = match &self.detail {
            Detail::Sentence(sentence) => sentence.clone(),
            Detail::Problems(problems) => problem_list(problems),
            other => format!("{other:?}"),
        };
        if let Some(cause) = &self.cause {
            reason = format!("{reason}: {cause}");
        }
        on_one_line(&reason)
    }

    /// A failure of the store under the sentence that the service uses for the operation.
    pub fn of_store(error: &StoreError, failed: &str) -> Self {
        match error {
            StoreError::Full { cause } => Self::no_space(cause),
            _ => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, failed).caused_by(with_sources(error))
            }
        }
    }
}

impl Refused {
    /// Nothing more can be written. `cause` says what could not be, and why.
    pub fn no_space(cause: &str) -> Self {
        let sentence = "No space is left in the data folder";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, sentence).caused_by(cause)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let reason = RefusalReason(self.reason());
        let mut response = (self.status, Json(Refusal { detail: self.detail })).into_response();
        response.extensions_mut().insert(reason);
        response
    }
}

/// An error with everything that caused it.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn problem_list(problems: &[Problem]) -> String {
    let place = |problem: &Problem| {
        let parts = problem.loc.iter().map(|part| match part {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        parts.collect::<Vec<_>>().join(".")
    };
    let shown = problems.iter().take(5);
    let shown: Vec<_> =
        shown.map(|problem| format!("{}: {}", place(problem), problem.msg)).collect();
    match problems.len() - shown.len() {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

/// Cuts a text and escapes what would break the line: clients choose parts of it.
fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(LONGEST_REASON) {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    if text.chars().nth(LONGEST_REASON).is_some() {
        line.push('…');
    }
    line
}

/// Bytes of an input that a problem repeats.
const LARGEST_ECHO: usize = 64 * 1024;

/// Returns the input of a problem, or null for one that is too large to be repeated.
pub(super) fn echo(value: &Value) -> Value {
    let mut budget = LARGEST_ECHO;
    if fits(value, &mut budget) { value.clone() } else { Value::Null }
}

/// The same of a whole body.
pub(super) fn echo_fields(fields: &serde_json::Map<String, Value>) -> Value {
    if fields_fit(fields, &mut LARGEST_ECHO.clone()) {
        Value::Object(fields.clone())
    } else {
        Value::Null
    }
}

fn fields_fit(fields: &serde_json::Map<String, Value>, budget: &mut usize) -> bool {
    fields.iter().all(|(name, value)| {
        let left = budget.checked_sub(64 + name.len());
        left.is_some_and(|left| {
            *budget = left;
            fits(value, budget)
        })
    })
}

/// Whether a value takes at most `budget` bytes of memory, about.
fn fits(value: &Value, budget: &mut usize) -> bool {
    let own = match value {
        Value::String(text) => 32 + text.len(),
        _ => 32,
    };
    let Some(left) = budget.checked_sub(own) else { return false };
    *budget = left;
    match value {
        Value::Array(items) => items.iter().all(|item| fits(item, budget)),
        Value::Object(fields) => fields_fit(fields, budget),
        _ => true,
    }
}

fn problem(
    kind: &str,
    place: &str,
    field: &str,
    msg: String,
    input: Value,
    ctx: Option<Value>,
) -> Problem {
    Problem {
        kind: kind.to_owned(),
        loc: vec![json!(place), json!(field)],
        msg,
        input,
        ctx,
        // pydantic gives its enum errors no page.
        url: (kind != "enum").then(|| format!("https://errors.pydantic.dev/2.5/v/{kind}")),
    }
}

/// A required field that is not there.
pub(super) fn missing(place: &str, field: &str, input: Value) -> Problem {
    problem("missing", place, field, "Field required".into(), input, None)
}

/// A word that is not on its list.
pub(super) fn not_listed(place: &str, field: &str, input: &str, words: &[&str]) -> Problem {
    let expected = match words {
        [head @ .., last] if !head.is_empty() => {
            let quoted: Vec<String> = head.iter().map(|word| format!("'{word}'")).collect();
            format!("{} or '{last}'", quoted.join(", "))
        }
        _ => words.iter().map(|word| format!("'{word}'")).collect(),
    };
    let ctx = json!({ "expected": expected });
    problem("enum", place, field, format!("Input should be {expected}"), json!(input), Some(ctx))
}

/// A text that is no number.
pub(super) fn not_a_number(place: &str, field: &str, input: &str) -> Problem {
    let msg = "Input should be a valid number, unable to parse string as a number";
    problem("float_parsing", place, field, msg.into(), json!(input), None)
}

/// NaN or an infinity. The service stores them and then fails at every read of the user's models
/// (contract B7); here they are refused.
pub(super) fn not_finite(place: &str, field: &str, input: &str) -> Problem {
    problem(
        "finite_number",
        place,
        field,
        "Input should be a finite number".into(),
        json!(input),
        None,
    )
}

/// A text that is no integer.
pub(super) fn not_an_integer(place: &str, field: &str, input: &str) -> Problem {
    let msg = "Input should be a valid integer, unable to parse string as an integer";
    problem("int_parsing", place, field, msg.into(), json!(input), None)
}

/// A text that is neither true nor false.
pub(super) fn not_a_boolean(place: &str, field: &str, input: &str) -> Problem {
    let msg = "Input should be a valid boolean, unable to interpret input";
    problem("bool_parsing", place, field, msg.into(), json!(input), None)
}

/// An integer below its least value.
pub(super) fn too_small(place: &str, field: &str, input: &str, least: i64) -> Problem {
    let msg = format!("Input should be greater than or equal to {least}");
    problem("greater_than_equal", place, field, msg, json!(input), Some(json!({ "ge": least })))
}

/// An integer above its greatest value.
pub(super) fn too_large(place: &str, field: &str, input: &str, greatest: i64) -> Problem {
    let msg = format!("Input should be less than or equal to {greatest}");
    problem("less_than_equal", place, field, msg, json!(input), Some(json!({ "le": greatest })))
}

/// A text where a file is wanted.
pub(super) fn not_a_file(place: &str, field: &str, input: &str) -> Problem {
    let msg = "Value error, Expected UploadFile, received: <class 'str'>";
    problem("value_error", place, field, msg.into(), json!(input), Some(json!({ "error": {} })))
}

/// A JSON value of another type than the field's.
pub(super) fn wrong_type(kind: &str, loc: Vec<Value>, msg: &str, input: Value) -> Problem {
    Problem {
        kind: kind.to_owned(),
        loc,
        msg: msg.to_owned(),
        input,
        ctx: None,
        url: Some(format!("https://errors.pydantic.dev/2.5/v/{kind}")),
    }
}

/// A value that cannot be, for a reason of ours.
pub(super) fn bad_value(place: &str, field: &str, input: &str, reason: &str) -> Problem {
    problem(
        "value_error",
        place,
        field,
        format!("Value error, {reason}"),
        json!(input),
        Some(json!({ "error": {} })),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_off_its_list_is_refused_in_pydantics_words() {
        let problem = not_listed("body", "framework", "caffe", &["pytorch", "onnx", "other"]);
        assert_eq!(
            serde_json::to_string(&problem).unwrap(),
            r#"{"type":"enum","loc":["body","framework"],"msg":"Input should be 'pytorch', 'onnx' or 'other'","input":"caffe","ctx":{"expected":"'pytorch', 'onnx' or 'other'"}}"#
        );
    }

    #[test]
    fn a_reason_is_one_short_line() {
        let problem = |field: &str| missing("body", field, Value::Null);
        let refused = Refused::problems(vec![problem("a"), problem("b")]);
        assert_eq!(refused.reason(), "body.a: Field required; body.b: Field required");
        let refused = Refused::problems((0..1000).map(|n| problem(&n.to_string())).collect());
        assert!(refused.reason().ends_with("body.4: Field required; and 995 more"));
        let refused =
            Refused::bad_request("a\nrefused GET / 200\u{1b}[2J".to_owned() + &"x".repeat(999));
        assert!(refused.reason().starts_with("a\\nrefused GET / 200\\u{1b}[2Jx"));
        assert!(refused.reason().len() < 400);
        let full = Refused::no_space("the database: database or disk is full");
        assert!(full.reason().ends_with("folder: the database: database or disk is full"));
    }

    #[test]
    fn large_inputs_are_not_repeated() {
        let many = Value::from(vec![0; 10_000]);
        let nested = json!({"a": {"b": [many.clone()]}});
        let long = Value::from("x".repeat(100_000));
        for value in [many, nested, long] {
            assert_eq!(echo(&value), Value::Null);
        }
        let small = json!({"a": [1, "b", null]});
        assert_eq!(echo(&small), small);
    }

    #[test]
    fn a_missing_field_has_the_services_keys_in_order() {
        assert_eq!(
            serde_json::to_string(&missing("body", "file", Value::Null)).unwrap(),
            r#"{"type":"missing","loc":["body","file"],"msg":"Field required","input":null,"url":"https://errors.pydantic.dev/2.5/v/missing"}"#
        );
    }
}
