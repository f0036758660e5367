//! What the API says when it says no, with fields of the form turned into the flags that set them.

use serde_json::Value;

use crate::schema::validation::{Detail, Problem, Refusal};

/// A field that the API does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    pub field: String,
    pub message: String,
}

/// The flag of a form field: its name with dashes.
#[must_use]
pub fn flag_of(field: &str) -> String {
    format!("--{}", field.replace('_', "-"))
}

/// A reply that is no success, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub reason: String,
    pub problems: Vec<FieldProblem>,
    /// They have the API's own form: no page of a proxy, or of another server.
    pub is_of_api: bool,
}

/// Reads the body of a refusal: the service's JSON, else its first line.
pub(super) fn words(body: &str) -> Words {
    match serde_json::from_str::<Refusal>(body).map(|refusal| refusal.detail) {
        Ok(Detail::Sentence(reason)) => Words { reason, problems: Vec::new(), is_of_api: true },
        Ok(Detail::Problems(problems)) => {
            let problems: Vec<FieldProblem> = problems.iter().map(field_problem).collect();
            let told: Vec<String> = problems
                .iter()
                .map(|problem| format!("{}: {}", flag_of(&problem.field), problem.message))
                .collect();
            Words { reason: told.join("; "), problems, is_of_api: true }
        }
        Ok(Detail::Other(value)) => {
            Words { reason: value.to_string(), problems: Vec::new(), is_of_api: true }
        }
        Err(_) => Words { reason: first_line(body), problems: Vec::new(), is_of_api: false },
    }
}

fn field_problem(problem: &Problem) -> FieldProblem {
    let field = problem.field().unwrap_or("body").to_owned();
    let message = match &problem.input {
        Value::String(input) if !input.is_empty() && input.len() <= 80 => {
            format!("{} (got {input:?})", problem.msg)
        }
        _ => problem.msg.clone(),
    };
    FieldProblem { field, message }
}

/// The first line of a text that says something, cut to a length that a terminal shows.
pub(super) fn first_line(text: &str) -> String {
    const LONGEST: usize = 200;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_becomes_its_flag() {
        let body = r#"{"detail":[{"type":"enum","loc":["body","model_type"],"msg":"Input should be 'nlp' or 'other'","input":"x"},{"type":"missing","loc":["body","name"],"msg":"Field required","input":null}]}"#;
        assert_eq!(
            words(body).reason,
            "--model-type: Input should be 'nlp' or 'other' (got \"x\"); --name: Field required"
        );
    }

    #[test]
    fn a_page_is_cut_to_its_first_line() {
        assert_eq!(words("\n<html>\n<body>").reason, "<html>");
        assert_eq!(words("").reason, "");
        assert_eq!(words(r#"{"detail":"Model not found"}"#).reason, "Model not found");
    }
}
