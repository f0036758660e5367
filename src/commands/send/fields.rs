//! What an event is made of, from where it was given: a file, then flags, then `--field`; the later
//! wins. What the event has no place for is added to it when it came by file or `--field`, and told
//! when it came by flag.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::word;
use crate::base::Failure;
use crate::context::Context;
use crate::schema::ids::{DatasetId, ModelId, UserId};
use crate::schema::model::{Framework, ModelType};
use crate::ui::Question;

/// Keys that stand around an event's own fields.
const FRAME: [&str; 3] = ["event_type", "event_id", "timestamp"];
/// Keys at the root of an envelope that are part of its form.
const ENVELOPE: [&str; 6] = ["task_id", "event_type", "timestamp", "input", "output", "failure"];

/// A field as a flag gave it.
pub(super) type Given = (&'static str, Option<Value>);

/// A flag's text as a field.
pub(super) fn text(flag: Option<&String>) -> Option<Value> {
    flag.map(|text| Value::from(text.as_str()))
}

/// The fields of one event.
#[derive(Debug, Default)]
pub(super) struct Fields {
    all: Map<String, Value>,
    /// Those that only a flag gave.
    by_flag: BTreeSet<&'static str>,
    /// The file is an envelope with an output.
    has_output: bool,
    /// The file held numbers that JSON does not have, which are null here.
    has_bare: bool,
    read: RefCell<BTreeSet<String>>,
    /// What an envelope in the file has at its root, beside its form and its input or output.
    root: Map<String, Value>,
    /// Those of them that were taken for fields which the input or output lacks.
    taken_from_root: RefCell<BTreeSet<String>>,
}

impl Fields {
    /// Lays the layers over each other. A file may hold the fields or a whole event; of an envelope
    /// the input or the output is taken.
    pub fn of(file: Map<String, Value>, flags: Vec<Given>, added: Vec<(String, Value)>) -> Self {
        let has_output = matches!(file.get("output"), Some(Value::Object(_)));
        let (all, root) = split_envelope(file);
        let mut fields = Self { all, root, has_output, ..Self::default() };
        for (name, value) in flags {
            if let Some(value) = value {
                fields.by_flag.insert(name);
                fields.put(name.to_owned(), value);
            }
        }
        for (name, value) in added {
            fields.by_flag.remove(name.as_str());
            fields.put(name, value);
        }
        fields
    }

    /// Lays a field over what lower layers say, also where they have it under its other name.
    fn put(&mut self, name: String, value: Value) {
        for (one, other) in [("version", "model_version"), ("model_version", "version")] {
            if name == one {
                self.all.remove(other);
            }
        }
        self.all.insert(name, value);
    }

    /// Whether a field has this text.
    pub fn is_text(&self, name: &str, text: &str) -> bool {
        self.all.get(name).and_then(Value::as_str) == Some(text)
    }

    /// Returns the `event_type` that a file gave.
    pub fn event_type(&self) -> Option<&str> {
        self.all.get("event_type").and_then(Value::as_str)
    }

    /// Checks ids and words before any request, for an event whose form is not known yet.
    ///
    /// # Errors
    /// One of them cannot be sent.
    pub fn validate(&self, needed: &[&str], has_model: bool) -> Result<(), Failure> {
        // Looking at a field is not reading it for an event.
        let known = (self.read.borrow().clone(), self.taken_from_root.borrow().clone());
        let outcome = self.validate_each(needed, has_model);
        self.read.replace(known.0);
        self.taken_from_root.replace(known.1);
        outcome
    }

    fn validate_each(&self, needed: &[&str], has_model: bool) -> Result<(), Failure> {
        for name in needed {
            match *name {
                "user_id" => drop(self.user()?),
                "model_id" => drop(self.id::<ModelId>(name)?),
                "dataset_id" => drop(self.id::<DatasetId>(name)?),
                _ => {}
            }
        }
        if has_model {
            self.framework()?;
            self.model_type()?;
        }
        Ok(())
    }

    /// Whether they are of a task, which only envelopes have.
    pub fn name_task(&self) -> bool {
        self.all.get("task_id").is_some_and(|id| !id.is_null())
    }

    /// The same, of a file with such numbers.
    pub fn with_bare_numbers(self) -> Self {
        Self { has_bare: true, ..self }
    }

    pub fn had_bare_numbers(&self) -> bool {
        self.has_bare
    }

    /// Whether they came as the output of a step.
    pub fn are_output(&self) -> bool {
        self.has_output
    }

    /// Whether all of these are there.
    pub fn have(&self, needed: &[&str]) -> bool {
        let has = |name: &&str| self.all.get(*name).or_else(|| self.root.get(*name));
        needed.iter().all(|name| has(name).is_some_and(|value| !value.is_null()))
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.read.borrow_mut().insert(name.to_owned());
        if self.all.contains_key(name) {
            return self.all.get(name).filter(|value| !value.is_null());
        }
        let value = self.root.get(name).filter(|value| !value.is_null())?;
        self.taken_from_root.borrow_mut().insert(name.to_owned());
        Some(value)
    }

    /// Returns what stands at the root of the file's envelope and belongs there: all that was not taken
    /// for a field of the input or output.
    pub fn root(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.root.iter().filter(|(name, _)| !self.taken_from_root.borrow().contains(*name))
    }

    /// # Errors
    /// A file gave an event of another type.
    pub fn check_type(&self, event_type: &str) -> Result<(), Failure> {
        match self.get("event_type").and_then(Value::as_str) {
            Some(other) if other != event_type => {
                Err(Failure::usage(format!("event_type is {other}, and this sends {event_type}"))
                    .hint("the generation of an event is chosen by --dialect form, flat or task"))
            }
            _ => Ok(()),
        }
    }

    /// Fills in what must be there: the user from the settings, the rest by asking where somebody
    /// can answer.
    ///
    /// # Errors
    /// Something is missing and nobody can be asked; all of it is named.
    pub fn complete(&mut self, context: &Context, needed: &[&str]) -> Result<(), Failure> {
        if needed.contains(&"user_id")
            && self.get("user_id").is_none()
            && let Some(user) = context.settings.user_id()?
        {
            self.all.insert("user_id".to_owned(), Value::from(user.as_str()));
        }
        let missing: Vec<&str> =
            needed.iter().copied().filter(|name| self.get(name).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if !context.ui.may_ask() {
            return Err(absent(&missing));
        }
        for name in missing {
            let words = name.replace('_', " ");
            let question = Question { prompt: &words, choices: &[], default: None };
            let answer = context.ui.ask(&question, context.deadline)?;
            self.all.insert(name.to_owned(), Value::from(answer));
        }
        Ok(())
    }

    /// A field that [`Fields::complete`] saw to, as an id.
    ///
    /// # Errors
    /// It is no such id.
    pub fn id<T: std::str::FromStr + std::fmt::Display>(
        &self,
        name: &str,
    ) -> Result<String, Failure>
    where
        Failure: From<T::Err>,
    {
        let text = self.text(name)?.unwrap_or_default();
        Ok(text.parse::<T>()?.to_string())
    }

    /// # Errors
    /// As [`Fields::id`].
    pub fn user(&self) -> Result<String, Failure> {
        self.id::<UserId>("user_id")
    }

    /// A text; numbers and truth values are taken as they are written.
    ///
    /// # Errors
    /// It is a list or an object.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
            Some(_) => Err(unfit(name, "text")),
        }
    }

    /// # Errors
    /// It is no number.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| unfit(name, "a number")),
        }
    }

    /// # Errors
    /// It is no whole number, or a negative one.
    pub fn count(&self, name: &str) -> Result<Option<u64>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| unfit(name, "a whole number")),
        }
    }

    /// # Errors
    /// It is neither true nor false.
    pub fn truth(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| unfit(name, "true or false")),
        }
    }

    /// # Errors
    /// It is no object.
    pub fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object.clone())),
            Some(_) => Err(unfit(name, "an object")),
        }
    }

    /// Any value.
    pub fn value(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }

    /// The version: `version` by its flag, or the name that envelopes have for it.
    ///
    /// # Errors
    /// It is a list or an object.
    pub fn model_version(&self) -> Result<String, Failure> {
        let long = self.text("model_version")?;
        Ok(long.or(self.text("version")?).unwrap_or_else(|| "v1".to_owned()))
    }

    /// # Errors
    /// The word is on no list of the service.
    pub fn framework(&self) -> Result<Option<String>, Failure> {
        word::<Framework>("--framework", self.text("framework")?.as_deref())
    }

    /// # Errors
    /// As [`Fields::framework`].
    pub fn model_type(&self) -> Result<Option<String>, Failure> {
        word::<ModelType>("--model-type", self.text("model_type")?.as_deref())
    }

    /// What a file said of the frame: it holds in place of what would be made now.
    pub fn frame(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        FRAME.into_iter().filter_map(|name| Some((name, self.get(name)?)))
    }

    /// What nothing has read so far and no flag gave: fields that the event does not know.
    pub fn extra(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.all.iter().filter(|(name, _)| !self.is_known(name) && !self.is_by_flag(name))
    }

    /// Flags for which the event has no field.
    pub fn idle_flags(&self) -> Vec<String> {
        let names = self.by_flag.iter().filter(|name| !self.is_known(name));
        names.map(|name| format!("--{}", name.replace('_', "-"))).collect()
    }

    fn is_known(&self, name: &str) -> bool {
        FRAME.contains(&name) || self.read.borrow().contains(name)
    }

    fn is_by_flag(&self, name: &str) -> bool {
        self.by_flag.contains(name)
    }
}

/// Splits a file into fields and what stands beside them at the root of an envelope. A file without
/// input and output is fields alone.
fn split_envelope(mut file: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let is_body = |name: &str| matches!(file.get(name), Some(Value::Object(_) | Value::Null));
    if !is_body("input") && !is_body("output") {
        return (file, Map::new());
    }
    let bodies = ["input", "output"].map(|name| file.remove(name));
    let (mut fields, root): (Map<String, Value>, Map<String, Value>) =
        file.into_iter().partition(|(name, _)| ENVELOPE.contains(&name.as_str()));
    for body in bodies.into_iter().flatten() {
        if let Value::Object(body) = body {
            fields.extend(body);
        }
    }
    (fields, root)
}

fn absent(missing: &[&str]) -> Failure {
    if *missing == ["user_id"] {
        return Failure::usage("the user is not given")
            .hint("add --user-id, or set DWCTL_USER_ID or user-id in a profile");
    }
    let flags: Vec<String> =
        missing.iter().map(|name| format!("--{}", name.replace('_', "-"))).collect();
    Failure::usage(format!("not everything is given: {} missing", flags.join(", ")))
        .hint("fields come from flags, from --from-json, or from --field NAME=VALUE")
}

fn unfit(name: &str, what: &str) -> Failure {
    Failure::usage(format!("the field {name} must be {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(file: &Value, flags: Vec<Given>, added: &[(&str, Value)]) -> Fields {
        let added = added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Fields::of(file.as_object().unwrap().clone(), flags, added)
    }

    #[test]
    fn the_later_layer_wins() {
        let flags = vec![("b", Some(json!("flag"))), ("c", Some(json!("flag"))), ("d", None)];
        let file = json!({"a": "file", "b": "file", "d": "file"});
        let fields = fields(&file, flags, &[("c", json!("added"))]);
        let read = ["a", "b", "c", "d"].map(|name| fields.text(name).unwrap().unwrap());
        assert_eq!(read, ["file", "flag", "added", "file"]);
    }

    #[test]
    fn what_is_not_read_is_extra_and_an_unread_flag_is_idle() {
        let flags = vec![("known", Some(json!(1))), ("task_type", Some(json!("x")))];
        let fields = fields(&json!({"event_type": "e", "note": 1.5}), flags, &[]);
        assert_eq!(fields.text("known").unwrap().unwrap(), "1");
        let extra: Vec<_> = fields.extra().collect();
        assert_eq!(extra, [(&"note".to_owned(), &json!(1.5))]);
        assert_eq!(fields.idle_flags(), ["--task-type"]);
    }

    #[test]
    fn an_envelopes_inner_fields_are_taken() {
        let event = json!({"task_id": "T", "event_type": "e", "input": {"user_id": "u"}});
        let fields = fields(&event, Vec::new(), &[]);
        assert_eq!(fields.user().unwrap(), "u");
        assert_eq!(fields.text("task_id").unwrap().unwrap(), "T");
        assert!(fields.check_type("e").is_ok() && fields.check_type("f").is_err());
    }

    #[test]
    fn what_stands_at_an_envelopes_root_stays_there() {
        let event = json!({
            "task_id": "T", "event_type": "e", "is_folder": true, "user_id": "root",
            "input": {"user_id": "u", "note": 1}, "dataset_id": "d",
        });
        let fields = fields(&event, Vec::new(), &[]);
        assert_eq!(fields.user().unwrap(), "u");
        assert_eq!(fields.text("dataset_id").unwrap().unwrap(), "d", "the input lacks it");
        let names = |fields: Vec<(&String, &Value)>| {
            fields.into_iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(fields.root().collect()), ["is_folder", "user_id"]);
        let _ = fields.value("task_id");
        assert_eq!(names(fields.extra().collect()), ["note"]);
    }

    #[test]
    fn a_failed_envelope_has_a_root_too() {
        let event = json!({"task_id": "T", "output": null, "failure": {}, "trace": "x"});
        let fields = fields(&event, Vec::new(), &[]);
        assert_eq!(fields.root().collect::<Vec<_>>(), [(&"trace".to_owned(), &json!("x"))]);
    }

    #[test]
    fn a_value_of_another_kind_is_refused_by_its_name() {
        let fields = fields(&json!({"a": [1], "b": "x"}), Vec::new(), &[]);
        assert!(fields.text("a").unwrap_err().message().contains('a'));
        for failure in [fields.number("b").unwrap_err(), fields.truth("b").unwrap_err()] {
            assert!(failure.message().contains("the field b must be"));
        }
    }
}
