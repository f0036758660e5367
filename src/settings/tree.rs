//! A file that a person wrote for a command, in TOML or JSON, as one tree of values: what the command
//! makes of it is its own affair.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::SettingsError;
use crate::base::plain_text::read_input_text;

/// A text that was read and where it came from.
#[derive(Clone, Debug)]
pub struct TreeFile {
    /// As it was named.
    pub path: PathBuf,
    pub tree: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Toml,
    Json,
}

impl TreeFile {
    /// Reads a file; its extension decides about the language, and where that is another one its
    /// first characters.
    ///
    /// # Errors
    /// It is not there, cannot be read, or is neither.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = read_input_text(path).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound => SettingsError::Missing { path: path.to_owned() },
            _ => SettingsError::Unreadable { path: path.to_owned(), cause },
        })?;
        Self::parse(path, &text)
    }

    /// Takes a text that came from elsewhere than a file.
    ///
    /// # Errors
    /// It is neither TOML nor JSON.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingsError> {
        let tree = match language(path, text) {
            Language::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
            Language::Toml => text
                .parse::<toml::Table>()
                .map_err(|error| error.to_string().trim_end().to_owned())
                .and_then(|table| converted(toml::Value::Table(table), "")),
        };
        match tree {
            Ok(tree) => Ok(Self { path: path.to_owned(), tree }),
            Err(message) => Err(SettingsError::Malformed { path: path.to_owned(), message }),
        }
    }
}

fn language(path: &Path, text: &str) -> Language {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => return Language::Json,
        Some("toml") => return Language::Toml,
        _ => {}
    }
    let mut characters = text.chars().filter(|c| !c.is_whitespace());
    match (characters.next(), characters.next()) {
        // A table of TOML begins with a name or a second bracket.
        (Some('{'), _) | (Some('['), Some('{' | ']')) => Language::Json,
        _ => Language::Toml,
    }
}

/// TOML's values as JSON's. A number that JSON does not have is refused: as a null it would be lost.
fn converted(value: toml::Value, place: &str) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Float(number) if number.is_finite() => Value::from(number),
        toml::Value::Float(number) => {
            return Err(format!("{place} is {number}, which is no number"));
        }
        toml::Value::Array(items) => {
            let items = items.into_iter().enumerate();
            let item = |(index, item)| converted(item, &format!("{place}[{index}]"));
            Value::Array(items.map(item).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let member = |(name, value): (String, toml::Value)| {
                let below = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                Ok((name, converted(value, &below)?))
            };
            Value::Object(table.into_iter().map(member).collect::<Result<Map<_, _>, String>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parsed(name: &str, text: &str) -> Result<Value, String> {
        let read = TreeFile::parse(Path::new(name), text);
        read.map(|file| file.tree).map_err(|error| error.to_string())
    }

    #[test]
    fn the_extension_decides_and_else_the_first_characters() {
        let wanted = json!({"models": [{"path": "a"}]});
        let (toml, json) = ("[[models]]\npath = 'a'\n", " {\"models\": [{\"path\": \"a\"}]}");
        for (name, text) in [("m.toml", toml), ("m.json", json), ("m", toml), ("-", json)] {
            assert_eq!(parsed(name, text).as_ref(), Ok(&wanted), "{name}");
        }
        assert_eq!(parsed("m", "\n[\n {\"path\": 1}]"), Ok(json!([{"path": 1}])));
        assert!(parsed("m.toml", json).is_err() && parsed("m.json", toml).is_err());
    }

    #[test]
    fn a_number_that_json_does_not_have_is_refused_with_its_place() {
        let error = parsed("m.toml", "[[models]]\n[[models]]\naccuracy = nan").unwrap_err();
        assert!(error.contains("models[1].accuracy is NaN"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let error = parsed("m.toml", "a = 1\nb = \n").unwrap_err();
        assert!(error.contains("failed to read m.toml") && error.contains("line 2"), "{error}");
        let error = parsed("m.json", "{\n  \"a\": }").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
    }
}
