//! What the API wants to know of a model: every form field is a flag of its name with dashes. What is
//! missing is asked for on a terminal, and refused by name elsewhere.

use clap::Args;

use super::unknown_word;
use crate::base::Failure;
use crate::context::Context;
use crate::schema::ids::UserId;
use crate::schema::model::{Framework, ModelType};
use crate::ui::Question;
use crate::warehouse::check_field;

/// The fields of an upload form (contract 2.2).
#[derive(Clone, Debug, Args)]
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
}

/// Whether what is missing may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Questions {
    /// On a terminal.
    Allowed,
    /// Several models: nobody answers the same question for each of them.
    Never,
}

/// Metadata that is complete.
#[derive(Debug)]
pub(super) struct Metadata {
    pub model_id: String,
    /// Every other field, in the order of the contract.
    pub fields: Vec<(String, String)>,
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
        let answer =
            context.ui.ask(&Question { prompt: "User id", choices: &[], default: None })?;
        return Ok(UserId::parse(&answer)?);
    }
    Err(no_user())
}

fn no_user() -> Failure {
    Failure::usage("the user is not given: add --user-id")
        .hint("or set DWCTL_USER_ID, or user-id in a profile")
}

impl MetadataArgs {
    pub fn preserves_structure(&self) -> bool {
        self.preserve_structure.unwrap_or(true)
    }

    /// The owner, who is asked for where that is allowed.
    ///
    /// # Errors
    /// None is given anywhere, or what is given is no id.
    pub fn owner(&self, context: &Context, questions: Questions) -> Result<UserId, Failure> {
        match (&self.user_id, questions) {
            (None, Questions::Never) => context.settings.user_id()?.ok_or_else(no_user),
            (flag, _) => resolve_user(context, flag.as_deref()),
        }
    }

    /// Takes a field of a manifest where no flag gives it. Whether there is such a field.
    pub fn take(&mut self, name: &str, text: &str) -> bool {
        let switch = match name {
            "is_primary" => Some(&mut self.is_primary),
            "preserve_structure" => Some(&mut self.preserve_structure),
            _ => None,
        };
        if let Some(switch) = switch {
            *switch = switch.or(text.parse().ok());
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
        place.get_or_insert_with(|| text.to_owned());
        true
    }

    /// Takes fields of a manifest that have no flag, as `NAME=VALUE`, where no flag gives them.
    pub fn take_others(&mut self, others: Vec<String>) {
        let name = |text: &str| text.split_once('=').map(|(name, _)| name.to_owned());
        for text in others {
            if !self.field.iter().any(|known| name(known) == name(&text)) {
                self.field.push(text);
            }
        }
    }

    /// Checks what is given and asks for what is missing, where that is allowed.
    ///
    /// # Errors
    /// A value that the API would refuse, or one that is missing and cannot be asked for.
    pub fn resolve(&self, context: &Context, questions: Questions) -> Result<Metadata, Failure> {
        self.check_words()?;
        let model_id = self.model_id.clone();
        let framework = self.framework.clone();
        let model_type = self.model_type.clone();
        if questions == Questions::Never || !context.ui.may_ask() {
            self.refuse_missing()?;
        }
        let or_ask = |value: Option<String>, prompt, choices: &[&str]| match value {
            Some(value) => Ok(value),
            None => context.ui.ask(&Question { prompt, choices, default: None }),
        };
        let model_id = or_ask(model_id, "Model id", &[])?;
        let framework = or_ask(framework, "Framework", Framework::WORDS)?;
        let model_type = or_ask(model_type, "Model type", ModelType::WORDS)?;
        let name = self.name.clone().unwrap_or_else(|| model_id.clone());
        let mut fields = vec![
            ("name".to_owned(), name),
            ("framework".to_owned(), framework),
            ("model_type".to_owned(), model_type),
        ];
        fields.extend(self.optional()?);
        for (name, value) in &fields {
            check_field(name, value)?;
        }
        Ok(Metadata { model_id, fields })
    }

    fn check_words(&self) -> Result<(), Failure> {
        if let Some(word) = &self.framework {
            word.parse::<Framework>().map_err(|unknown| unknown_word("--framework", &unknown))?;
        }
        if let Some(word) = &self.model_type {
            word.parse::<ModelType>().map_err(|unknown| unknown_word("--model-type", &unknown))?;
        }
        Ok(())
    }

    /// Names everything that is missing at once, where nobody can be asked.
    fn refuse_missing(&self) -> Result<(), Failure> {
        let required = [
            ("--model-id", self.model_id.is_some(), &[] as &[&str]),
            ("--framework", self.framework.is_some(), Framework::WORDS),
            ("--model-type", self.model_type.is_some(), ModelType::WORDS),
        ];
        let missing: Vec<_> = required.iter().filter(|(_, given, _)| !given).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let flags: Vec<&str> = missing.iter().map(|(flag, ..)| *flag).collect();
        let failure = Failure::usage(format!("the upload needs {}", flags.join(", ")));
        Err(missing
            .iter()
            .filter(|(.., words)| !words.is_empty())
            .fold(failure, |failure, (flag, _, words)| {
                failure.hint(format!("{flag}: {}", words.join(", ")))
            }))
    }

    /// Fields that may be absent, as texts.
    fn optional(&self) -> Result<Vec<(String, String)>, Failure> {
        let flag = |value: Option<bool>| value.map(|value| value.to_string());
        let texts = [
            ("description", self.description.clone()),
            ("algorithm", self.algorithm.clone()),
            ("is_primary", flag(self.is_primary)),
            ("tags", self.tags.clone()),
            ("training_dataset", self.training_dataset.clone()),
            ("training_dataset_version", self.training_dataset_version.clone()),
            (
                "training_accuracy",
                number("--training-accuracy", self.training_accuracy.as_deref())?,
            ),
            (
                "validation_accuracy",
                number("--validation-accuracy", self.validation_accuracy.as_deref())?,
            ),
            ("test_accuracy", number("--test-accuracy", self.test_accuracy.as_deref())?),
            ("training_loss", number("--training-loss", self.training_loss.as_deref())?),
            ("python_version", self.python_version.clone()),
            ("hardware_requirements", self.hardware_requirements.clone()),
            ("preserve_structure", flag(self.preserve_structure)),
        ];
        let given = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
        given.map(Ok).chain(self.field.iter().map(|text| pair(text))).collect()
    }
}

/// A number as it was typed, once it is known to be one that JSON carries.
fn number(flag: &str, text: Option<&str>) -> Result<Option<String>, Failure> {
    text.map(|text| match super::send::finite(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(reason) => Err(Failure::usage(format!("{flag} cannot be {text:?}: {reason}"))),
    })
    .transpose()
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
    fn a_number_is_checked_and_sent_as_it_was_typed() {
        assert_eq!(number("--x", Some("0.950")).unwrap().as_deref(), Some("0.950"));
        for bad in ["nan", "inf", "high", ""] {
            assert!(number("--x", Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_field_is_a_name_and_anything() {
        assert_eq!(pair("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert!(pair("a").is_err() && pair("=x").is_err());
    }
}
