//! A file of metadata, TOML or JSON: the API's fields by their names, with dashes or underscores, and
//! a table `fields` for those that have no flag.

use std::path::Path;

use serde_json::{Map, Value};

use super::fields::{FieldKind, FieldRow};
use super::layer::{FieldOrigin, FieldValue, Layer, unknown};
use crate::settings::{KEYS, SettingsError, TreeFile};

/// The file that is read without being asked for, in a model's folder or beside its file.
pub const META_FILE: &str = "dwctl.toml";

/// Reads a file of either language.
///
/// # Errors
/// It cannot be read, or holds what no field can be.
pub fn file_layer(path: &Path) -> Result<Layer, SettingsError> {
    let malformed = |message| SettingsError::Malformed { path: path.to_owned(), message };
    let Value::Object(table) = TreeFile::read(path)?.tree else {
        return Err(malformed("it is no table".to_owned()));
    };
    layer(&table, path).map_err(malformed)
}

fn layer(table: &Map<String, Value>, path: &Path) -> Result<Layer, String> {
    let mut layer = Layer::default();
    let origin = FieldOrigin::File(path.to_owned());
    for (name, value) in table {
        match (FieldRow::named(name), name.as_str(), value) {
            (Some(row), ..) => {
                if let Some(text) = field(name, row.kind, value)? {
                    layer.set(row, text, origin.clone());
                }
            }
            (None, "fields", Value::Object(others)) => {
                for (name, value) in others {
                    if let Some(text) = field(name, FieldKind::Text, value)? {
                        let value = FieldValue { text, origin: origin.clone() };
                        layer.others.push((name.clone(), value));
                    }
                }
            }
            _ => layer.warnings.push(misplaced(path, name)),
        }
    }
    Ok(layer)
}

/// A field's text; none of a null.
fn field(name: &str, kind: FieldKind, value: &Value) -> Result<Option<String>, String> {
    match (value, kind) {
        (Value::Null, _) => Ok(None),
        (Value::String(text), _) => Ok(Some(text.clone())),
        (Value::Number(number), _) => Ok(Some(number.to_string())),
        (Value::Bool(switch), _) => Ok(Some(switch.to_string())),
        (Value::Array(words), FieldKind::Tags) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            let words = words.ok_or_else(|| format!("{name} must be a list of texts"))?;
            Ok(Some(words.join(",")))
        }
        (Value::Array(_) | Value::Object(_), _) => {
            Err(format!("{name} must be a text, a number, true or false"))
        }
    }
}

/// A file of settings is easily taken for one of metadata: both are dwctl's.
fn misplaced(path: &Path, name: &str) -> String {
    let place = format!("{name} in {}", path.display());
    let is_setting = KEYS.iter().any(|row| row.name == name)
        || ["profile", "profiles", "topics", "kafka"].contains(&name);
    if is_setting {
        return format!("{place} is a setting; settings stand in .dwctl.toml");
    }
    unknown(&place, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Layer, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        file_layer(&path)
    }

    fn text<'a>(layer: &'a Layer, name: &str) -> &'a str {
        &layer.get(name).unwrap().text
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let as_toml = "framework = 'keras'\nmodel-type = 'nlp'\ntags = ['a', 'b']\ntraining_accuracy = 0.95\nis_primary = true\n[fields]\nextra = 7\n";
        let as_json = r#"{"framework":"keras","model-type":"nlp","tags":["a","b"],"training_accuracy":0.95,"is_primary":true,"description":null,"fields":{"extra":7}}"#;
        for (name, content) in [("m.toml", as_toml), ("m.json", as_json), ("m.txt", as_toml)] {
            let layer = read(name, content).unwrap();
            assert_eq!(text(&layer, "framework"), "keras");
            assert_eq!(text(&layer, "model_type"), "nlp");
            assert_eq!(text(&layer, "tags"), "a,b");
            assert_eq!(text(&layer, "training_accuracy"), "0.95");
            assert_eq!(text(&layer, "is_primary"), "true");
            assert_eq!(layer.get("description"), None);
            assert_eq!(layer.others[0].0, "extra");
            assert_eq!(layer.others[0].1.text, "7");
        }
    }

    #[test]
    fn what_no_field_can_be_is_refused() {
        for (name, content) in [
            ("m.toml", "framework = ['a']"),
            ("m.toml", "tags = [1]"),
            ("m.toml", "no toml"),
            ("m.json", "[]"),
            ("m.json", "{\"name\":{}}"),
        ] {
            let error = read(name, content).unwrap_err();
            assert!(matches!(error, SettingsError::Malformed { .. }), "{content}: {error}");
        }
    }

    #[test]
    fn unknown_keys_and_settings_are_told_apart() {
        let warnings = read("m.toml", "framwork = 'x'\nbrokers = 'x'").unwrap().warnings;
        let (brokers, framwork) = match warnings.as_slice() {
            [one, two] if one.starts_with("brokers") => (one, two),
            [one, two] => (two, one),
            other => panic!("{other:?}"),
        };
        assert!(brokers.ends_with("is a setting; settings stand in .dwctl.toml"), "{brokers}");
        assert!(framwork.ends_with("did you mean framework?"), "{framwork}");
    }
}
