//! JSON bodies, checked as the service's framework checks them: what is missing or has another type
//! is named, all of it at once.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::App;
use super::patience::TooSlow;
use super::refusal::{self, Refused};
use crate::schema::document::Document;
use crate::schema::json;
use crate::schema::validation::Problem;

/// Bytes that a JSON body may have: the service has no limit, and memory has one.
pub(super) const LARGEST: usize = 64 * 1024 * 1024;

/// Values and names of fields that a JSON body may have. Each takes up to some hundred bytes of
/// memory, which a number or an empty list of two bytes does not show.
const MOST_VALUES: usize = 1_000_000;

/// Returns the refusal of a body that did not come in time.
pub(super) fn refuse_slow(error: &(dyn std::error::Error + 'static)) -> Option<Refused> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(slow) = error.downcast_ref::<TooSlow>() {
            let sentence = format!("The request is incomplete: {slow}");
            return Some(Refused::new(StatusCode::REQUEST_TIMEOUT, sentence));
        }
        next = error.source();
    }
    None
}

/// The bytes of a JSON body; one that is too large is refused in the service's form.
pub(super) struct Raw(pub Bytes);

impl FromRequest<App> for Raw {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refused> {
        Bytes::from_request(request, app).await.map(Self).map_err(|rejection| {
            if let Some(slow) = refuse_slow(&rejection) {
                return slow;
            }
            let sentence = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    format!("The body has more than {LARGEST} bytes")
                }
                _ => "There was an error reading the body".to_owned(),
            };
            Refused::new(rejection.status(), sentence)
        })
    }
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Integers,
    /// A whole number from 0.
    Count,
    Object,
    Any,
}

/// Whether a field may be null. The service takes null for more fields than it can read back
/// (contract B7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Null {
    Allowed,
    Refused,
}

/// A field of a body.
pub(super) type Field = (&'static str, Kind, Null);

/// What may be done with numbers that JSON does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    /// They are read as null.
    AsNull,
    Refused,
}

/// Reads a body as a type whose fields are checked first.
pub(super) fn read<T: DeserializeOwned>(
    body: &[u8],
    bare: Bare,
    required: &[&str],
    fields: &[Field],
) -> Result<T, Refused> {
    let mut body = object(body, bare)?;
    let mut problems = missing(&body, required);
    problems.extend(check(&mut body, fields));
    if !problems.is_empty() {
        return Err(Refused::problems(problems));
    }
    serde_json::from_value(Value::Object(body)).map_err(|error| refuse_json(&error.to_string()))
}

/// Reads a body that must be an object.
pub(super) fn object(body: &[u8], bare: Bare) -> Result<Map<String, Value>, Refused> {
    if body.is_empty() {
        let mut problem = refusal::missing("body", "", Value::Null);
        problem.loc.truncate(1);
        return Err(Refused::problems(vec![problem]));
    }
    check_values(body)?;
    let document = Document::parse(body).map_err(|invalid| refuse_json(&invalid.to_string()))?;
    if bare == Bare::Refused && document.facts().bare_numbers {
        return Err(refuse_json("NaN and Infinity are no JSON"));
    }
    match document.read().map_err(|error| refuse_json(&error.to_string()))? {
        Value::Object(fields) => Ok(fields),
        other => Err(Refused::problems(vec![refusal::wrong_type(
            "model_attributes_type",
            vec![json!("body")],
            "Input should be a valid dictionary or object to extract fields from",
            refusal::echo(&other),
        )])),
    }
}

/// Bounds the memory that a body takes once it is read.
fn check_values(body: &[u8]) -> Result<(), Refused> {
    // Each of them has a byte, and one that ends it.
    if body.len() / 2 < MOST_VALUES {
        return Ok(());
    }
    let count = json::count_values(body).map_err(|invalid| refuse_json(&invalid.to_string()))?;
    if count > MOST_VALUES {
        return Err(Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body has {count} values; at most {MOST_VALUES} are read"),
        ));
    }
    Ok(())
}

fn refuse_json(reason: &str) -> Refused {
    Refused::problems(vec![Problem {
        kind: "json_invalid".to_owned(),
        loc: vec![json!("body"), json!(0)],
        msg: "JSON decode error".to_owned(),
        input: json!({}),
        ctx: Some(json!({ "error": reason })),
        url: None,
    }])
}

/// Names what is missing, in order.
fn missing(body: &Map<String, Value>, required: &[&str]) -> Vec<Problem> {
    let mut missing = required.iter().filter(|field| !body.contains_key(**field)).peekable();
    if missing.peek().is_none() {
        return Vec::new();
    }
    let input = refusal::echo_fields(body);
    missing.map(|field| refusal::missing("body", field, input.clone())).collect()
}

/// Checks the fields that are there, and brings numbers and flags into their own form.
pub(super) fn check(body: &mut Map<String, Value>, fields: &[Field]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, kind, null) in fields {
        if let Some(value) = body.get_mut(*name) {
            if value.is_null() && *null == Null::Allowed {
                continue;
            }
            check_value(value, *kind, &[json!("body"), json!(name)], &mut problems);
        }
    }
    problems
}

fn check_value(value: &mut Value, kind: Kind, loc: &[Value], problems: &mut Vec<Problem>) {
    let wrong = |kind: &str, msg: &str, value: &Value| {
        refusal::wrong_type(kind, loc.to_vec(), msg, refusal::echo(value))
    };
    match kind {
        Kind::Text if !value.is_string() => {
            problems.push(wrong("string_type", "Input should be a valid string", value));
        }
        Kind::Object if !value.is_object() => {
            problems.push(wrong("dict_type", "Input should be a valid dictionary", value));
        }
        Kind::Number => match number(value) {
            Ok(number) => *value = number,
            Err((kind, msg)) => problems.push(wrong(kind, msg, value)),
        },
        Kind::Count if count(value).is_none() => {
            problems.push(wrong("int_type", "Input should be a valid integer", value));
        }
        Kind::Count => *value = json!(count(value)),
        Kind::Flag => match flag(value) {
            Some(flag) => *value = flag.into(),
            None => problems.push(wrong("bool_type", "Input should be a valid boolean", value)),
        },
        Kind::Texts | Kind::Integers => match value {
            Value::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    if problems.len() >= refusal::MOST_PROBLEMS {
                        break;
                    }
                    let loc = [loc, &[json!(at)]].concat();
                    check_item(item, kind, &loc, problems);
                }
            }
            other => problems.push(wrong("list_type", "Input should be a valid list", other)),
        },
        Kind::Text | Kind::Object | Kind::Any => {}
    }
}

fn check_item(item: &mut Value, kind: Kind, loc: &[Value], problems: &mut Vec<Problem>) {
    if kind == Kind::Texts {
        check_value(item, Kind::Text, loc, problems);
    } else if !item.is_i64() {
        let msg = "Input should be a valid integer";
        problems.push(refusal::wrong_type("int_type", loc.to_vec(), msg, refusal::echo(item)));
    }
}

/// A number as the record holds it; texts that are numbers count.
fn number(value: &Value) -> Result<Value, (&'static str, &'static str)> {
    match value {
        Value::Number(number) => Ok(json!(number.as_f64())),
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(json!(number)),
            Ok(_) => Err(("finite_number", "Input should be a finite number")),
            Err(_) => Err((
                "float_parsing",
                "Input should be a valid number, unable to parse string as a number",
            )),
        },
        _ => Err(("float_type", "Input should be a valid number")),
    }
}

/// A count; texts that are counts are one.
fn count(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => super::fields::boolean(text),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        ("name", Kind::Text, Null::Refused),
        ("accuracy", Kind::Number, Null::Allowed),
        ("tags", Kind::Texts, Null::Refused),
        ("shape", Kind::Integers, Null::Allowed),
        ("active", Kind::Flag, Null::Refused),
    ];

    fn kinds(text: &str) -> Vec<String> {
        let mut body = object(text.as_bytes(), Bare::Refused).unwrap();
        check(&mut body, FIELDS)
            .into_iter()
            .map(|problem| format!("{} {}", problem.kind, Value::Array(problem.loc)))
            .collect()
    }

    #[test]
    fn each_wrong_value_is_named_with_its_place() {
        assert_eq!(
            kinds(
                r#"{"name":null,"accuracy":"high","tags":["a",1],"shape":[1,2.5],"active":"maybe"}"#
            ),
            [
                r#"string_type ["body","name"]"#,
                r#"float_parsing ["body","accuracy"]"#,
                r#"string_type ["body","tags",1]"#,
                r#"int_type ["body","shape",1]"#,
                r#"bool_type ["body","active"]"#,
            ]
        );
        assert!(
            kinds(r#"{"name":"n","accuracy":null,"tags":[],"shape":[1],"active":1,"x":[]}"#)
                .is_empty()
        );
    }

    #[test]
    fn values_get_the_form_of_the_record() {
        let mut body = object(br#"{"accuracy":"0.5","active":"on"}"#, Bare::Refused).unwrap();
        assert!(check(&mut body, FIELDS).is_empty());
        assert_eq!(Value::Object(body), json!({"accuracy": 0.5, "active": true}));
    }

    #[test]
    fn bodies_of_more_values_than_are_read_are_refused_by_name() {
        let many = |item: &str, open: &str, close: &str| {
            format!("{{\"x\":{open}{}{close}}}", vec![item; 2_100_000].join(","))
        };
        let texts = [
            many("0", "[", "]"),
            many("\"\"", "[", "]"),
            many("[]", "[", "]"),
            many("{}", "[", "]"),
            many("null", "[[", "]]"),
            many("NaN", "[", "]"),
            many("\"a\":1", "{", "}"),
            many("{\"a\":[0]}", "[", "]"),
        ];
        for text in texts {
            let refused = object(text.as_bytes(), Bare::AsNull).unwrap_err();
            let sentence = refused.sentence().unwrap();
            assert!(sentence.ends_with("values; at most 1000000 are read"), "{}", &text[..30]);
        }
        let fits = format!("{{\"x\":[{}]}}", vec!["0.25"; 900_000].join(","));
        assert!(object(fits.as_bytes(), Bare::Refused).is_ok());
    }

    #[test]
    fn a_long_list_of_wrong_items_has_a_short_list_of_problems() {
        let text = format!("{{\"tags\":[{}],\"name\":1}}", vec!["1"; 10_000].join(","));
        let mut body = object(text.as_bytes(), Bare::Refused).unwrap();
        assert!(check(&mut body, FIELDS).len() <= refusal::MOST_PROBLEMS + 1);
        let lacking = missing(&body, &["a", "b"]);
        assert_eq!((lacking.len(), &lacking[0].input), (2, &Value::Null));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "{", "{\"a\":NaN}"] {
            assert!(object(text.as_bytes(), Bare::Refused).is_err(), "{text}");
        }
        assert_eq!(object(b"{\"a\":NaN}", Bare::AsNull).unwrap()["a"], Value::Null);
    }
}
