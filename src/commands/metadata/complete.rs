//! Metadata made complete: values checked, what is missing asked for or refused by name.

use super::Questions;
use crate::archive::Inspection;
use crate::base::Failure;
use crate::commands::unknown_word;
use crate::context::Context;
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::{Framework, ModelType};
use crate::settings::metadata::{FIELDS, FieldKind, FieldOrigin, FieldRow, FieldValue, Layer};
use crate::ui::Question;
use crate::warehouse::check_field;

/// Metadata that can be sent.
#[derive(Debug)]
pub(in crate::commands) struct Metadata {
    pub user: UserId,
    pub model: ModelId,
    pub version: Option<Version>,
    /// Every other field, in the order of the contract.
    pub fields: Vec<(String, String)>,
    /// The type for dialects that know the early words only, where no person chose it.
    pub early_model_type: Option<ModelType>,
    pub preserves_structure: bool,
    /// All of it with its origins.
    pub layer: Layer,
}

/// What has to be there, with the words that it may be.
const REQUIRED: [(&str, &[&str]); 3] =
    [("model_id", &[]), ("framework", Framework::WORDS), ("model_type", ModelType::WORDS)];

/// Checks what is given and asks for what is missing, where that is allowed.
///
/// # Errors
/// A value that the API would refuse, or one that is missing and cannot be asked for.
pub(in crate::commands) fn complete(
    context: &Context,
    mut layer: Layer,
    inspection: &Inspection,
    questions: Questions,
) -> Result<Metadata, Failure> {
    check(&layer)?;
    let may_ask = questions == Questions::Allowed && context.ui.may_ask();
    if layer.get("user_id").is_none() {
        if !may_ask {
            return Err(super::no_user());
        }
        answer(context, &mut layer, "user_id", "User id", &[], None)?;
    }
    let missing = missing(&layer);
    if !missing.is_empty() && !may_ask {
        return Err(refusal(&missing, inspection));
    }
    for (name, words) in missing {
        let prompt = match name {
            "model_id" => "Model id",
            "framework" => "Framework",
            _ => "Model type",
        };
        answer(context, &mut layer, name, prompt, words, guess(name, inspection).as_deref())?;
    }
    finished(layer.with_name())
}

fn missing(layer: &Layer) -> Vec<(&'static str, &'static [&'static str])> {
    REQUIRED.into_iter().filter(|(name, _)| layer.get(name).is_none()).collect()
}

/// The fields that an upload would be refused for, in the order of the table.
pub(super) fn names_missing(layer: &Layer) -> Vec<&'static str> {
    let user = layer.get("user_id").is_none().then_some("user_id");
    user.into_iter().chain(missing(layer).into_iter().map(|(name, _)| name)).collect()
}

fn answer(
    context: &Context,
    layer: &mut Layer,
    name: &str,
    prompt: &str,
    choices: &[&str],
    default: Option<&str>,
) -> Result<(), Failure> {
    let answer = context.ui.ask(&Question { prompt, choices, default }, context.deadline)?;
    if let Some(row) = FieldRow::named(name) {
        layer.set(row, answer, FieldOrigin::Answer);
    }
    Ok(())
}

/// What the name of a file suggests and its content does not prove.
fn guess(name: &str, inspection: &Inspection) -> Option<String> {
    let found = inspection.recognition.as_ref()?;
    (name == "framework").then_some(())?;
    found.framework.as_ref().map(|found| found.value.to_string())
}

/// Names everything that is missing at once.
fn refusal(missing: &[(&str, &[&str])], inspection: &Inspection) -> Failure {
    let flag = |name: &str| format!("--{}", name.replace('_', "-"));
    let flags: Vec<String> = missing.iter().map(|(name, _)| flag(name)).collect();
    let failure = Failure::usage(format!("the upload needs {}", flags.join(", ")));
    let failure = missing
        .iter()
        .filter(|(_, words)| !words.is_empty())
        .fold(failure, |failure, (name, words)| {
            failure.hint(format!("{}: {}", flag(name), words.join(", ")))
        });
    let guessed = inspection.recognition.as_ref().and_then(|found| found.framework.as_ref());
    match guessed.filter(|_| missing.iter().any(|(name, _)| *name == "framework")) {
        Some(found) => failure.hint(format!(
            "it could be of {}, but nothing says so: {}",
            found.value, found.evidence
        )),
        None => failure,
    }
}

/// Checks every value that holds; a bad one that is covered by a better one is no matter.
pub(super) fn check(layer: &Layer) -> Result<(), Failure> {
    for row in FIELDS {
        if let Some(value) = layer.get(row.name) {
            check_value(row, value)?;
        }
    }
    Ok(())
}

fn check_value(row: &FieldRow, value: &FieldValue) -> Result<(), Failure> {
    let label = match &value.origin {
        FieldOrigin::Flag(flag) => flag.clone(),
        origin => format!("{} from {origin}", row.name),
    };
    let text = value.text.as_str();
    match row.kind {
        FieldKind::Framework => {
            text.parse::<Framework>().map_err(|unknown| unknown_word(&label, &unknown))?;
        }
        FieldKind::ModelType => {
            text.parse::<ModelType>().map_err(|unknown| unknown_word(&label, &unknown))?;
        }
        FieldKind::Number => {
            crate::commands::send::finite(text).map_err(|reason| {
                Failure::usage(format!("{label} cannot be {text:?}: {reason}"))
            })?;
        }
        FieldKind::Switch => {
            text.parse::<bool>().map_err(|_| {
                Failure::usage(format!("{label} cannot be {text:?}: it is true or false"))
            })?;
        }
        FieldKind::Text | FieldKind::Tags => {}
    }
    Ok(())
}

fn finished(layer: Layer) -> Result<Metadata, Failure> {
    let text = |name: &str| layer.get(name).map(|value| value.text.as_str());
    let ids = ["user_id", "model_id", "version"];
    let fields: Vec<(String, String)> = layer
        .values()
        .filter(|(name, _)| !ids.contains(name))
        .map(|(name, value)| (name.to_owned(), value.text.clone()))
        .collect();
    for (name, value) in &fields {
        check_field(name, value)?;
    }
    let early = layer
        .get("model_type")
        .filter(|value| !value.origin.is_explicit())
        .and_then(|value| Some(ModelType::known(&value.text)?.early()));
    Ok(Metadata {
        user: UserId::parse(text("user_id").unwrap_or_default())?,
        model: ModelId::parse(text("model_id").unwrap_or_default())?,
        version: text("version").map(Version::parse).transpose()?,
        early_model_type: early,
        preserves_structure: preserves_structure(&fields),
        fields,
        layer,
    })
}

/// Whether the server keeps the folders of an archive, by every word that it takes for no.
fn preserves_structure(fields: &[(String, String)]) -> bool {
    let values = fields.iter().filter(|(name, _)| name == "preserve_structure");
    let is_no = |text: &str| {
        let no = ["false", "f", "0", "no", "n", "off"];
        no.iter().any(|word| text.trim().eq_ignore_ascii_case(word))
    };
    !values.into_iter().any(|(_, text)| is_no(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str, text: &str, origin: FieldOrigin) -> Layer {
        let mut layer = Layer::default();
        layer.set(FieldRow::named(name).unwrap(), text, origin);
        layer
    }

    #[test]
    fn a_bad_value_is_refused_under_the_name_of_its_origin() {
        let flag = FieldOrigin::Flag("--test-accuracy".into());
        let refused = |name, text, origin| check(&layer(name, text, origin)).unwrap_err().message();
        assert!(refused("test_accuracy", "nan", flag).starts_with("--test-accuracy cannot be"));
        let variable = FieldOrigin::Variable("DWCTL_META_FRAMEWORK".into());
        assert_eq!(
            refused("framework", "torch", variable),
            "framework from $DWCTL_META_FRAMEWORK cannot be \"torch\""
        );
        let file = FieldOrigin::File("m.toml".into());
        assert!(refused("is_primary", "yes", file).ends_with("it is true or false"));
        assert!(check(&layer("test_accuracy", "0.950", FieldOrigin::Answer)).is_ok());
    }

    #[test]
    fn folders_are_kept_unless_any_field_says_no() {
        let field = |text: &str| [("preserve_structure".to_owned(), text.to_owned())];
        assert!(preserves_structure(&[]) && preserves_structure(&field("true")));
        for text in ["false", "False", "0", "off", "No", "f", " n "] {
            assert!(!preserves_structure(&field(text)), "{text}");
        }
    }

    #[test]
    fn only_a_type_that_nobody_chose_has_an_early_word() {
        let early = |origin| {
            let ids = layer("user_id", "u", FieldOrigin::Answer).over(layer(
                "model_id",
                "m",
                FieldOrigin::Answer,
            ));
            finished(ids.over(layer("model_type", "masked_lm", origin))).unwrap().early_model_type
        };
        assert_eq!(early(FieldOrigin::Recognised("x".into())), Some(ModelType::Nlp));
        assert_eq!(early(FieldOrigin::Flag("--model-type".into())), None);
    }
}
