//! The body of a 422: what FastAPI and pydantic say of a request that does not fit. Read by the
//! client to name the flag that caused it, written by `serve`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `{"detail": …}`: a sentence, or a list of problems.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    pub detail: Detail,
}

/// What stands in `detail`. Anything else that a proxy may put there is kept as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Detail {
    Sentence(String),
    Problems(Vec<Problem>),
    Other(Value),
}

/// One field that does not fit, in pydantic's order of keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// `missing`, `enum`, `float_parsing`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Where: `["body", "framework"]`, `["query", "limit"]`; indices are numbers.
    pub loc: Vec<Value>,
    pub msg: String,
    #[serde(default)]
    pub input: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Problem {
    /// The field's name: the last step of `loc` that is a string.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.loc.iter().rev().find_map(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_detail_are_read() {
        let sentence: Refusal = serde_json::from_str(r#"{"detail":"Model not found"}"#).unwrap();
        assert_eq!(sentence.detail, Detail::Sentence("Model not found".into()));
        let text = r#"{"detail":[{"type":"missing","loc":["body","file"],"msg":"Field required","input":null,"url":"https://errors.pydantic.dev/2.5/v/missing"}]}"#;
        let problems: Refusal = serde_json::from_str(text).unwrap();
        let Detail::Problems(list) = &problems.detail else { panic!("{problems:?}") };
        assert_eq!(list[0].field(), Some("file"));
        assert_eq!(serde_json::to_string(&problems).unwrap(), text);
    }
}
