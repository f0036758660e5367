//! A model form's fields, checked as the service's framework checks them: in the order of the
//! route's parameters, all problems at once.

use serde_json::Value;

use super::form::Form;
use super::refusal::{self, Refused};
use crate::base::Stamp;
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::{Framework, Model, ModelType};
use crate::schema::role::Dialect;
use crate::schema::validation::Problem;
use crate::serve::store::VersionRule;

/// Who the model belongs to, as the route says.
pub(super) enum Owner {
    /// A form field, and the version too.
    InForm,
    /// The path; the server assigns the version.
    InPath(String),
}

/// What the fields said.
pub(super) struct Fields {
    /// Without files, version and storage keys.
    pub model: Model,
    pub rule: VersionRule,
    pub is_primary: bool,
    pub preserve_structure: bool,
    /// Goes into the envelope and nowhere else.
    pub training_dataset_version: Option<String>,
}

/// Which words a model's type may be, and whether they are stored as today's service does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Types {
    pub words: &'static [&'static str],
    pub normalised: bool,
}

impl Types {
    /// `newest` is the newest dialect that the path speaks: its words are taken, whoever answers.
    pub fn of(newest: Dialect, answers: Dialect) -> Self {
        let words = match newest {
            Dialect::Form | Dialect::Flat => ModelType::early_words(),
            Dialect::Task => ModelType::todays_words(),
        };
        Self { words, normalised: answers == Dialect::Task }
    }

    fn stored(self, word: &str) -> ModelType {
        let known = ModelType::known(word).unwrap_or(ModelType::Other);
        if self.normalised { known.normalised() } else { known }
    }
}

/// Checks a form against a route's parameters.
pub(super) fn check(
    form: &Form,
    owner: &Owner,
    types: Types,
    file_field: &str,
    now: Stamp,
) -> Result<Fields, Refused> {
    let mut check = Check { form, problems: Vec::new() };
    check.file(file_field);
    let user_id = match owner {
        Owner::InForm => check.id("user_id", |text| UserId::parse(text).map(drop)),
        Owner::InPath(user) => user.clone(),
    };
    let model_id = check.id("model_id", |text| ModelId::parse(text).map(drop));
    let name = check.required("name");
    let framework = check.word("framework", Framework::WORDS);
    let model_type = check.word("model_type", types.words);
    let rule = match owner {
        Owner::InPath(_) => VersionRule::Next,
        Owner::InForm => check.version(),
    };
    let is_primary = check.boolean("is_primary", false);
    let preserve_structure = check.boolean("preserve_structure", true);
    let stamp = now.stored();
    let model = Model {
        model_id,
        user_id,
        name,
        description: check.optional("description"),
        version: String::new(),
        framework: Framework::known(&framework).unwrap_or(Framework::Other),
        model_type: types.stored(&model_type),
        algorithm: check.optional("algorithm"),
        files: Vec::new(),
        primary_file_path: None,
        input_shape: None,
        output_shape: None,
        num_parameters: None,
        model_size_mb: None,
        training_dataset: check.optional("training_dataset"),
        training_accuracy: check.number("training_accuracy"),
        validation_accuracy: check.number("validation_accuracy"),
        test_accuracy: check.number("test_accuracy"),
        training_loss: check.number("training_loss"),
        python_version: check.optional("python_version"),
        dependencies: Vec::new(),
        hardware_requirements: check.optional("hardware_requirements"),
        tags: tags(form.text("tags").unwrap_or("")),
        custom_metadata: serde_json::Map::new(),
        created_at: stamp.clone(),
        updated_at: stamp,
        is_active: true,
        is_production_ready: false,
    };
    let training_dataset_version = check.optional("training_dataset_version");
    if check.problems.is_empty() {
        Ok(Fields { model, rule, is_primary, preserve_structure, training_dataset_version })
    } else {
        Err(Refused::problems(check.problems))
    }
}

/// A comma list as the service reads it: trimmed, empty ones left out.
pub(super) fn tags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// A truth value in the words that the service's framework takes.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "t" | "y" | "yes" => Some(true),
        "false" | "0" | "off" | "f" | "n" | "no" => Some(false),
        _ => None,
    }
}

struct Check<'f> {
    form: &'f Form,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn file(&mut self, field: &str) {
        if !self.form.has_file(field) {
            self.problems.push(match self.form.raw_text(field) {
                Some(text) => refusal::not_a_file("body", field, text),
                None => refusal::missing("body", field, Value::Null),
            });
        }
    }

    fn required(&mut self, field: &str) -> String {
        match self.form.text(field) {
            Some(text) => text.to_owned(),
            None => {
                self.problems.push(refusal::missing("body", field, Value::Null));
                String::new()
            }
        }
    }

    fn optional(&self, field: &str) -> Option<String> {
        self.form.text(field).map(str::to_owned)
    }

    /// An id that a path can carry: one with a slash could never be asked for again.
    fn id<E: std::fmt::Display>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<(), E>,
    ) -> String {
        let text = self.required(field);
        if !text.is_empty()
            && let Err(reason) = parse(&text)
        {
            self.problems.push(refusal::bad_value("body", field, &text, &reason.to_string()));
        }
        text
    }

    fn word(&mut self, field: &str, words: &[&str]) -> String {
        let text = self.required(field);
        if !text.is_empty() && !words.contains(&text.as_str()) {
            self.problems.push(refusal::not_listed("body", field, &text, words));
        }
        text
    }

    fn version(&mut self) -> VersionRule {
        let text = self.form.text("version").unwrap_or("v1");
        match Version::parse(text) {
            Ok(version) => VersionRule::Given(version),
            Err(reason) => {
                self.problems.push(refusal::bad_value(
                    "body",
                    "version",
                    text,
                    &reason.to_string(),
                ));
                VersionRule::Next
            }
        }
    }

    fn boolean(&mut self, field: &str, default: bool) -> bool {
        let Some(text) = self.form.text(field) else { return default };
        boolean(text).unwrap_or_else(|| {
            self.problems.push(refusal::not_a_boolean("body", field, text));
            default
        })
    }

    fn number(&mut self, field: &str) -> Option<f64> {
        let text = self.form.text(field)?;
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Some(number),
            Ok(_) => {
                self.problems.push(refusal::not_finite("body", field, text));
                None
            }
            Err(_) => {
                self.problems.push(refusal::not_a_number("body", field, text));
                None
            }
        }
    }
}
