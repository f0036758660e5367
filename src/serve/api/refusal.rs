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
}

impl Refused {
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self { status, detail: Detail::Sentence(sentence.into()) }
    }

    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    pub fn not_found(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }

    /// A 422 with what does not fit.
    pub fn problems(problems: Vec<Problem>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail: Detail::Problems(problems) }
    }

    /// What the refusal says, unless it is a list of what does not fit.
    pub fn sentence(&self) -> Option<&str> {
        match &self.detail {
            Detail::Sentence(sentence) => Some(sentence),
            _ => None,
        }
    }

    /// A failure of the store under the sentence that the service uses for the operation.
    pub fn of_store(error: &StoreError, failed: &str) -> Self {
        match error {
            StoreError::Full => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "No space is left in the data folder")
            }
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, failed),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(Refusal { detail: self.detail })).into_response()
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
    fn a_missing_field_has_the_services_keys_in_order() {
        assert_eq!(
            serde_json::to_string(&missing("body", "file", Value::Null)).unwrap(),
            r#"{"type":"missing","loc":["body","file"],"msg":"Field required","input":null,"url":"https://errors.pydantic.dev/2.5/v/missing"}"#
        );
    }
}
