//! `dwctl models update`: changes fields of a model's record.

use clap::Args;
use serde_json::{Map, Value, json};

use super::explain_stop;
use super::reference::{Reference, ReferenceArgs};
use crate::base::shell::quoted;
use crate::base::{Failure, Kind};
use crate::commands::send::finite;
use crate::context::Context;
use crate::schema::model::Model;
use crate::ui::Format;
use crate::warehouse::Received;

/// Change fields of a model's record, of the latest version unless one is named
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dwctl models update u1/bert --description 'fine-tuned' --is-production-ready --tags prod,v2")]
pub(super) struct UpdateArgs {
    #[command(flatten)]
    reference: ReferenceArgs,
    #[command(flatten)]
    changes: Changes,
}

/// Fields that the API lets change (contract 2.4).
#[derive(Debug, Args)]
#[command(next_help_heading = "Changes")]
struct Changes {
    /// Name for people
    #[arg(long)]
    name: Option<String>,
    /// What the model is and does
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How it was trained, such as random forest
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,
    /// Dataset that it was trained on
    #[arg(long, value_name = "ID")]
    training_dataset: Option<String>,
    /// Accuracy on the training data
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = finite)]
    training_accuracy: Option<f64>,
    /// Accuracy on the validation data
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = finite)]
    validation_accuracy: Option<f64>,
    /// Accuracy on the test data
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = finite)]
    test_accuracy: Option<f64>,
    /// Loss at the end of training
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = finite)]
    training_loss: Option<f64>,
    /// Python that it needs
    #[arg(long, value_name = "VERSION")]
    python_version: Option<String>,
    /// Hardware that it needs
    #[arg(long, value_name = "TEXT")]
    hardware_requirements: Option<String>,
    /// All tags, with commas between; an empty text removes them
    #[arg(long)]
    tags: Option<String>,
    /// All dependencies, with commas between
    #[arg(long, value_name = "NAMES")]
    dependencies: Option<String>,
    /// Sizes of the input's dimensions, such as 1,3,224,224
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    input_shape: Option<Vec<i64>>,
    /// Sizes of the output's dimensions
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    output_shape: Option<Vec<i64>>,
    /// The model is in use
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    is_active: Option<bool>,
    /// The model may go into production
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    is_production_ready: Option<bool>,
    #[arg(
        long,
        value_name = "NAME=JSON",
        help = "Any field with a JSON value, such as custom_metadata={\"a\":1}; may stand several times"
    )]
    field: Vec<String>,
}

impl Changes {
    fn fields(&self) -> Result<Map<String, Value>, Failure> {
        let list = |text: &Option<String>| text.as_deref().map(|text| json!(names(text)));
        let given = [
            ("name", self.name.as_ref().map(|v| json!(v))),
            ("description", self.description.as_ref().map(|v| json!(v))),
            ("algorithm", self.algorithm.as_ref().map(|v| json!(v))),
            ("input_shape", self.input_shape.as_ref().map(|v| json!(v))),
            ("output_shape", self.output_shape.as_ref().map(|v| json!(v))),
            ("training_dataset", self.training_dataset.as_ref().map(|v| json!(v))),
            ("training_accuracy", self.training_accuracy.map(|v| json!(v))),
            ("validation_accuracy", self.validation_accuracy.map(|v| json!(v))),
            ("test_accuracy", self.test_accuracy.map(|v| json!(v))),
            ("training_loss", self.training_loss.map(|v| json!(v))),
            ("python_version", self.python_version.as_ref().map(|v| json!(v))),
            ("dependencies", list(&self.dependencies)),
            ("hardware_requirements", self.hardware_requirements.as_ref().map(|v| json!(v))),
            ("tags", list(&self.tags)),
            ("is_active", self.is_active.map(|v| json!(v))),
            ("is_production_ready", self.is_production_ready.map(|v| json!(v))),
        ];
        let mut fields: Map<String, Value> =
            given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        for text in &self.field {
            let (name, value) = pair(text)?;
            fields.insert(name, value);
        }
        if fields.is_empty() {
            return Err(Failure::usage("nothing is to be changed")
                .hint("name what shall change, such as --description; see --help"));
        }
        Ok(fields)
    }
}

fn names(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

fn pair(text: &str) -> Result<(String, Value), Failure> {
    let refuse = |reason: &str| Failure::usage(format!("--field {text:?} {reason}"));
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| refuse("is not NAME=JSON"))?;
    let value: Value = serde_json::from_str(value)
        .map_err(|error| refuse(&format!("has no JSON behind the =: {error}")))?;
    // Today's service stores it, and answers 500 to every list of this user from then on (contract B7).
    if name == "name" && value.is_null() {
        return Err(refuse("would take the name away, which every model must have"));
    }
    Ok((name.to_owned(), value))
}

pub(super) fn cmd_update(context: &Context, args: &UpdateArgs) -> Result<(), Failure> {
    let changes = args.changes.fields()?;
    let reference = args.reference.resolve(context)?;
    let warehouse = context.warehouse()?;
    let record = context.run(async {
        let version = reference.pin(context, &warehouse).await?;
        let Reference { user, model, .. } = &reference;
        let changed =
            warehouse.update_model(user, model, &version, &changes, context.deadline).await;
        reference.explain_missing(context, &warehouse, changed).await
    });
    let record = record.map_err(|failure| {
        let Reference { user, model, .. } = &reference;
        let hint = format!("it may be changed all the same: see dwctl models show {user}/{model}");
        explain_stop(failure, hint)
    })?;
    check(&record, &changes)?;
    if context.ui.format() == Format::Json {
        return context
            .ui
            .document(&json!({"schema": "dwctl.models.update/1", "model": record.text}));
    }
    context.ui.line(record.value.coordinates())
}

/// Holds the record that came back against what was asked for: the API passes over names that it does
/// not know, and answers as if all were well.
fn check(record: &Received<Model>, changes: &Map<String, Value>) -> Result<(), Failure> {
    let stored: Map<String, Value> = serde_json::from_str(record.text.get())
        .map_err(|error| Failure::wrap(Kind::ServerFault, error))?;
    let told: Vec<String> = changes
        .iter()
        .filter_map(|(name, wanted)| match stored.get(name) {
            None => Some(format!("{name} is no field of the record")),
            Some(found) => (!is_as_asked(found, wanted)).then(|| format!("{name} is {found}")),
        })
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let coordinates = record.value.coordinates();
    let message = format!("{coordinates} is not changed as asked: {}", told.join("; "));
    Err(Failure::new(Kind::CheckFailed, message)
        .hint_command("see what is stored", &format!("dwctl models show {}", quoted(&coordinates))))
}

/// Whether a stored value is what was asked for: numbers by value, lists in any order, objects by the
/// keys that were given, and nothing in any of its forms.
fn is_as_asked(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && wanted.iter().all(|one| found.iter().any(|other| is_as_asked(other, one)))
        }
        (Value::Object(found), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, one)| found.get(key).is_some_and(|other| is_as_asked(other, one))),
        (Value::Array(found), Value::Null) => found.is_empty(),
        (Value::Object(found), Value::Null) => found.is_empty(),
        _ => found == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_was_not_made_is_no_success() {
        let text = r#"{"model_id": "m", "user_id": "u", "name": "M", "version": "v1",
            "framework": "onnx", "model_type": "nlp", "tags": ["b", "a"], "test_accuracy": 1.0,
            "custom_metadata": {"x": 1, "y": 2}, "algorithm": null}"#;
        let record = Received {
            value: serde_json::from_str(text).unwrap(),
            text: serde_json::value::RawValue::from_string(text.to_owned()).unwrap(),
        };
        let change = |changes: Value| check(&record, changes.as_object().unwrap());
        let made = json!({"name": "M", "tags": ["a", "b"], "test_accuracy": 1,
            "custom_metadata": {"x": 1}, "algorithm": null});
        assert!(change(made).is_ok());
        let not = change(json!({"name": "N", "colour": 1, "tags": ["a"]})).unwrap_err();
        assert_eq!(not.kind(), Kind::CheckFailed);
        let told = not.to_string();
        assert!(told.contains("name is \"M\"") && told.contains("colour is no field"), "{told}");
        assert!(told.contains("tags is [\"b\",\"a\"]"), "{told}");
    }

    #[test]
    fn a_field_is_json_and_a_list_has_no_empty_names() {
        assert_eq!(pair("a={\"b\":1}").unwrap(), ("a".to_owned(), json!({"b": 1})));
        assert!(pair("name=null").is_err() && pair("algorithm=null").is_ok());
        assert!(pair("a=b").is_err() && pair("=1").is_err() && pair("a").is_err());
        assert_eq!(names("a, b,,"), ["a", "b"]);
        assert!(names("").is_empty());
    }
}
