//! What the API wants to know of a model: every form field is a flag of its name with dashes. What no
//! flag says is looked for in the layers below; what is missing then is asked for on a terminal, and
//! refused by name elsewhere.

mod about;
mod complete;
mod layers;

use std::path::PathBuf;

use clap::Args;

pub(super) use about::{About, document, render};
pub(super) use complete::complete;
pub(super) use layers::{Subject, gather};

use crate::base::Failure;
use crate::context::Context;
use crate::schema::ids::UserId;
use crate::settings::metadata::{FIELDS, FieldOrigin, FieldValue, Layer};
use crate::ui::Question;

/// The fields of an upload form (contract 2.2).
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Model")]
pub(super) struct MetadataArgs {
    #[arg(
        long,
        value_name = "ID",
        help = "Owner of the model; also DWCTL_USER_ID, or user-id in a profile"
    )]
    pub user_id: Option<String>,
    /// Id of the model
    #[arg(long, value_name = "ID")]
    pub model_id: Option<String>,
    /// Name for people; the model's id where none is given
    #[arg(long)]
    name: Option<String>,
    /// What the model is and does
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Version, where the API does not assign it itself
    #[arg(long)]
    pub version: Option<String>,
    /// pytorch, tensorflow, sklearn, onnx, keras, huggingface or other
    #[arg(long)]
    framework: Option<String>,
    #[arg(long, help = "classification, regression, nlp, computer_vision, …")]
    model_type: Option<String>,
    /// How it was trained, such as random forest
    #[arg(long, value_name = "NAME")]
    algorithm: Option<String>,
    /// The file is the model's main one
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    is_primary: Option<bool>,
    /// Words to find it by, with commas between
    #[arg(long)]
    tags: Option<String>,
    /// Dataset that the model was trained on; without it no XAI trigger follows
    #[arg(long, value_name = "ID")]
    training_dataset: Option<String>,
    /// Version of that dataset
    #[arg(long, value_name = "VERSION")]
    training_dataset_version: Option<String>,
    /// Accuracy on the training data, such as 0.95
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    training_accuracy: Option<String>,
    /// Accuracy on the validation data
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    validation_accuracy: Option<String>,
    /// Accuracy on the test data
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    test_accuracy: Option<String>,
    /// Loss at the end of training
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    training_loss: Option<String>,
    /// Python that it needs
    #[arg(long, value_name = "VERSION")]
    python_version: Option<String>,
    /// Hardware that it needs, such as 16 GB of memory
    #[arg(long, value_name = "TEXT")]
    hardware_requirements: Option<String>,
    /// Keep the folders of an archive
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    preserve_structure: Option<bool>,
    /// Any other field of the form; may stand several times
    #[arg(long, value_name = "NAME=VALUE")]
    field: Vec<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "Fields in TOML or JSON, below flags and DWCTL_META_FIELD; dwctl.toml in the folder or beside the file otherwise"
    )]
    meta: Option<PathBuf>,
    /// What a manifest gave, by the names of the fields
    #[arg(skip)]
    from_manifest: Vec<String>,
}

/// Whether what is missing may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Questions {
    /// On a terminal.
    Allowed,
    /// Several models: nobody answers the same question for each of them.
    Never,
}

/// The user of a flag, else of the settings, else of an answer.
pub(super) fn resolve_user(context: &Context, flag: Option<&str>) -> Result<UserId, Failure> {
    if let Some(text) = flag {
        return Ok(UserId::parse(text)?);
    }
    if let Some(user) = context.settings.user_id()? {
        return Ok(user);
    }
    if context.ui.may_ask() {
        let question = Question { prompt: "User id", choices: &[], default: None };
        let answer = context.ui.ask(&question, context.deadline)?;
        return Ok(UserId::parse(&answer)?);
    }
    Err(no_user())
}

fn no_user() -> Failure {
    Failure::usage("the user is not given: add --user-id")
        .hint("or set DWCTL_USER_ID, or user-id in a profile")
}

impl MetadataArgs {
    /// Takes a field of a manifest where no flag gives it. Whether there is such a field.
    pub fn take(&mut self, name: &str, text: &str) -> bool {
        if self.text(name).is_some() {
            return true;
        }
        let switch = match name {
            "is_primary" => Some(&mut self.is_primary),
            "preserve_structure" => Some(&mut self.preserve_structure),
            _ => None,
        };
        if let Some(switch) = switch {
            *switch = text.parse().ok();
            self.from_manifest.push(name.to_owned());
            return true;
        }
        let place = match name {
            "user_id" => &mut self.user_id,
            "model_id" => &mut self.model_id,
            "name" => &mut self.name,
            "description" => &mut self.description,
            "version" => &mut self.version,
            "framework" => &mut self.framework,
            "model_type" => &mut self.model_type,
            "algorithm" => &mut self.algorithm,
            "tags" => &mut self.tags,
            "training_dataset" => &mut self.training_dataset,
            "training_dataset_version" => &mut self.training_dataset_version,
            "training_accuracy" => &mut self.training_accuracy,
            "validation_accuracy" => &mut self.validation_accuracy,
            "test_accuracy" => &mut self.test_accuracy,
            "training_loss" => &mut self.training_loss,
            "python_version" => &mut self.python_version,
            "hardware_requirements" => &mut self.hardware_requirements,
            _ => return false,
        };
        *place = Some(text.to_owned());
        self.from_manifest.push(name.to_owned());
        true
    }

    /// Takes fields of a manifest that have no flag, as `NAME=VALUE`, where no flag gives them.
    pub fn take_others(&mut self, others: Vec<String>) {
        let name = |text: &str| text.split_once('=').map(|(name, _)| name.to_owned());
        for text in others {
            if !self.field.iter().any(|known| name(known) == name(&text)) {
                self.from_manifest.extend(name(&text));
                self.field.push(text);
            }
        }
    }

    /// The text of a field of the table.
    fn text(&self, name: &str) -> Option<String> {
        let switch = |value: Option<bool>| value.map(|value| value.to_string());
        match name {
            "user_id" => self.user_id.clone(),
            "model_id" => self.model_id.clone(),
            "version" => self.version.clone(),
            "name" => self.name.clone(),
            "framework" => self.framework.clone(),
            "model_type" => self.model_type.clone(),
            "description" => self.description.clone(),
            "algorithm" => self.algorithm.clone(),
            "is_primary" => switch(self.is_primary),
            "tags" => self.tags.clone(),
            "training_dataset" => self.training_dataset.clone(),
            "training_dataset_version" => self.training_dataset_version.clone(),
            "training_accuracy" => self.training_accuracy.clone(),
            "validation_accuracy" => self.validation_accuracy.clone(),
            "test_accuracy" => self.test_accuracy.clone(),
            "training_loss" => self.training_loss.clone(),
            "python_version" => self.python_version.clone(),
            "hardware_requirements" => self.hardware_requirements.clone(),
            "preserve_structure" => switch(self.preserve_structure),
            _ => None,
        }
    }

    /// What flags and manifest say.
    fn layer(&self) -> Result<Layer, Failure> {
        let mut layer = Layer::default();
        for row in FIELDS {
            if let Some(text) = self.text(row.name) {
                layer.set(row, text, self.origin(row.name, row.flag()));
            }
        }
        for text in &self.field {
            let (name, text) = pair(text)?;
            if let Some(row) = FIELDS.iter().find(|row| row.name == name) {
                return Err(Failure::usage(format!("--field {name} has a flag of its own"))
                    .hint(format!("write {}", row.flag())));
            }
            let origin = self.origin(&name, "--field".to_owned());
            layer.others.push((name, FieldValue { text, origin }));
        }
        Ok(layer)
    }

    fn origin(&self, name: &str, flag: String) -> FieldOrigin {
        match self.from_manifest.iter().any(|known| known == name) {
            true => FieldOrigin::Manifest,
            false => FieldOrigin::Flag(flag),
        }
    }
}

fn pair(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::usage(format!("--field {text:?} is not NAME=VALUE"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_table_is_a_flag_and_a_key_of_a_manifest() {
        for row in FIELDS {
            let mut args = MetadataArgs::default();
            assert!(args.take(row.name, "true"), "{}", row.name);
            let layer = args.layer().unwrap();
            let value = layer.get(row.name).unwrap();
            assert_eq!((value.text.as_str(), &value.origin), ("true", &FieldOrigin::Manifest));
        }
    }

    #[test]
    fn a_field_with_a_flag_of_its_own_goes_by_no_other_way() {
        let args = MetadataArgs { field: vec!["model_id=m".into()], ..MetadataArgs::default() };
        let refused = args.layer().unwrap_err();
        assert!(refused.to_string().contains("--field model_id"), "{refused}");
        let args = MetadataArgs { field: vec!["shape=1".into()], ..MetadataArgs::default() };
        assert_eq!(args.layer().unwrap().others.len(), 1);
    }

    #[test]
    fn a_flag_beats_a_manifest() {
        let mut args = MetadataArgs { name: Some("flag".into()), ..MetadataArgs::default() };
        args.take("name", "manifest");
        let value = args.layer().unwrap().get("name").unwrap().clone();
        assert_eq!((value.text.as_str(), value.origin.layer()), ("flag", "flag"));
    }

    #[test]
    fn a_field_is_a_name_and_anything() {
        assert_eq!(pair("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert!(pair("a").is_err() && pair("=x").is_err());
    }
}
