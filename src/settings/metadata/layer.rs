//! One layer of metadata: values with their origin. The layer above wins, field by field.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::fields::{FIELDS, FieldRow};
use crate::base::nearest::nearest;
use crate::settings::{Environment, Origin};

/// Variables with this beginning are metadata: `DWCTL_META_FRAMEWORK`.
pub(in crate::settings) const PREFIX: &str = "DWCTL_META_";

/// Who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldOrigin {
    Flag(String),
    Variable(String),
    /// A setting: the user.
    Setting(Origin),
    /// The manifest of several models.
    Manifest,
    /// `--meta FILE`, or the file beside the model.
    File(PathBuf),
    /// The front matter of a model card, with the key there.
    Card(PathBuf, String),
    /// The content of the files, with the evidence.
    Recognised(String),
    /// Made of another field.
    Derived(&'static str),
    /// A question on the terminal.
    Answer,
}

impl FieldOrigin {
    /// The name of the layer in documents.
    #[must_use]
    pub fn layer(&self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Variable(_) => "environment",
            Self::Setting(_) => "setting",
            Self::Manifest => "manifest",
            Self::File(_) => "file",
            Self::Card(..) => "card",
            Self::Recognised(_) => "recognised",
            Self::Derived(_) => "derived",
            Self::Answer => "answer",
        }
    }

    /// Whether a person chose the word, and knew the API's list when doing so.
    #[must_use]
    pub fn is_explicit(&self) -> bool {
        !matches!(self, Self::Card(..) | Self::Recognised(_) | Self::Derived(_))
    }
}

impl fmt::Display for FieldOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Setting(origin) => write!(f, "{origin}"),
            Self::Manifest => f.write_str("the manifest"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Card(path, key) => write!(f, "{} ({key})", path.display()),
            Self::Recognised(evidence) => write!(f, "recognised: {evidence}"),
            Self::Derived(from) => write!(f, "as {from}"),
            Self::Answer => f.write_str("answered"),
        }
    }
}

/// A field's text and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValue {
    pub text: String,
    pub origin: FieldOrigin,
}

/// The values of one origin, or of several laid over one another.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    values: BTreeMap<&'static str, FieldValue>,
    /// Fields of the form that have no flag of their own, in their order.
    pub others: Vec<(String, FieldValue)>,
    /// What is odd about it and stops nothing.
    pub warnings: Vec<String>,
}

impl Layer {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.values.get(name)
    }

    /// Sets a field of the table.
    pub fn set(&mut self, row: &'static FieldRow, text: impl Into<String>, origin: FieldOrigin) {
        self.values.insert(row.name, FieldValue { text: text.into(), origin });
    }

    /// Every field of the table that has a value, in the table's order, then the others.
    pub fn values(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        let known = FIELDS.iter().filter_map(|row| Some((row.name, self.values.get(row.name)?)));
        known.chain(self.others.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// Takes from the layer below what this one has not.
    #[must_use]
    pub fn over(mut self, below: Self) -> Self {
        for (name, value) in below.values {
            self.values.entry(name).or_insert(value);
        }
        for (name, value) in below.others {
            if !self.others.iter().any(|(known, _)| *known == name) {
                self.others.push((name, value));
            }
        }
        self.warnings.extend(below.warnings);
        self
    }
}

/// What the variables say. The user is a setting and stands in `DWCTL_USER_ID`.
#[must_use]
pub fn environment_layer(environment: &Environment) -> Layer {
    let mut layer = Layer::default();
    for (variable, text) in environment.starting_with(PREFIX) {
        let name = variable[PREFIX.len()..].to_lowercase();
        match FieldRow::named(&name).filter(|row| row.name != "user_id") {
            Some(row) => layer.set(row, text, FieldOrigin::Variable(variable.to_owned())),
            None => layer.warnings.push(unknown(&format!("${variable}"), &name)),
        }
    }
    layer
}

/// Names what no field is called, with the nearest that is.
pub(super) fn unknown(place: &str, name: &str) -> String {
    let near = nearest(&name.replace('-', "_"), FIELDS.iter().map(|row| row.name), 1);
    let offer = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("{place} is no field of an upload{offer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_above_wins_field_by_field() {
        let (name, tags) = (FieldRow::named("name").unwrap(), FieldRow::named("tags").unwrap());
        let (mut above, mut below) = (Layer::default(), Layer::default());
        above.set(name, "above", FieldOrigin::Flag("--name".into()));
        below.set(name, "below", FieldOrigin::Answer);
        below.set(tags, "a", FieldOrigin::Answer);
        let other = |text: &str| {
            ("x".to_owned(), FieldValue { text: text.into(), origin: FieldOrigin::Answer })
        };
        above.others.push(other("1"));
        below.others.push(other("2"));
        let both = above.over(below);
        assert_eq!(both.get("name").unwrap().text, "above");
        assert_eq!(both.get("tags").unwrap().text, "a");
        assert_eq!((both.others.len(), both.others[0].1.text.as_str()), (1, "1"));
    }

    #[test]
    fn variables_are_fields_and_misspelt_ones_are_named() {
        let environment = Environment::of([
            ("DWCTL_META_MODEL_TYPE", "nlp"),
            ("DWCTL_META_FRAMEWROK", "keras"),
            ("DWCTL_META_NAME", ""),
        ]);
        let layer = environment_layer(&environment);
        let value = layer.get("model_type").unwrap();
        assert_eq!(
            (value.text.as_str(), value.origin.to_string()),
            ("nlp", "$DWCTL_META_MODEL_TYPE".into())
        );
        assert_eq!(layer.get("name"), None);
        assert_eq!(
            layer.warnings,
            ["$DWCTL_META_FRAMEWROK is no field of an upload; did you mean framework?"]
        );
    }
}
