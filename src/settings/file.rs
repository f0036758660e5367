//! The text of a settings file as layers of plain values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::keys::{KEYS, Key};
use super::secret::SecretSource;
use super::{Environment, SettingsError};
use crate::base::Deadline;
use crate::base::nearest::nearest;
use crate::base::plain_text::decode_text;
use crate::base::redact::{HIDDEN, redact_property};

/// One level of a file: its top, or one profile.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub values: BTreeMap<Key, String>,
    /// librdkafka properties of the table `[kafka]`.
    pub kafka: BTreeMap<String, Property>,
}

impl Layer {
    /// Takes out what only a trusted file may set: all that decides where data, credentials and
    /// requests go. Returns the names of what was taken out.
    pub fn withhold(&mut self) -> Vec<String> {
        let mut names: Vec<String> =
            self.values.keys().filter(|key| !key.is_harmless()).map(|key| key.path()).collect();
        names.extend(self.kafka.keys().map(|property| format!("kafka.{property}")));
        self.values.retain(|key, _| key.is_harmless());
        self.kafka.clear();
        names
    }
}

/// A property's value as it stands in the file. A secret is read when a client is made: commands
/// that make none must not need its variables, nor run its command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Property {
    Text(String),
    Secret(SecretSource),
}

impl Property {
    fn parse(key: &str, value: &toml::Value, folder: &Path) -> Result<Self, String> {
        match value {
            toml::Value::Table(table) => SecretSource::parse(key, table, folder).map(Self::Secret),
            other => plain(key, other).map(Self::Text),
        }
    }

    /// Returns the value itself; a secret is fetched from its source.
    pub fn read(
        &self,
        key: &str,
        environment: &Environment,
        deadline: Deadline,
    ) -> Result<String, SettingsError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Secret(source) => source.read(key, environment, deadline),
        }
    }

    /// Returns the value as it may be shown.
    pub fn redacted(&self, key: &str) -> String {
        match self {
            Self::Text(text) => redact_property(key, text).into_owned(),
            Self::Secret(_) => HIDDEN.to_owned(),
        }
    }
}

/// A file that was read.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingsFile {
    pub path: PathBuf,
    pub top: Layer,
    pub profiles: BTreeMap<String, Layer>,
    /// The profile that holds if none is named.
    pub profile: Option<String>,
    pub warnings: Vec<String>,
}

impl SettingsFile {
    /// Takes out what only a trusted file may set, everywhere in it. Returns the names.
    pub fn withhold(&mut self) -> Vec<String> {
        let mut names = self.top.withhold();
        names.extend(self.profile.take().map(|_| "profile".to_owned()));
        for (name, profile) in &mut self.profiles {
            let place = |key: String| format!("profiles.{name}.{key}");
            names.extend(profile.withhold().into_iter().map(place));
        }
        names
    }
}

/// Parses the bytes of the file at `path`.
///
/// # Errors
/// It is not TOML, or a value has a type that its setting does not take. The error shows no line of the
/// file: a secret may stand there.
pub(super) fn parse_file(path: &Path, bytes: &[u8]) -> Result<SettingsFile, SettingsError> {
    let malformed = |message: String| SettingsError::Malformed { path: path.to_owned(), message };
    let text = decode_text(bytes).map_err(|error| malformed(error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut file = parse(&text, folder).map_err(malformed)?;
    file.path = path.to_owned();
    Ok(file)
}

/// Parses the text of a file; the error is what is wrong with it.
pub(super) fn parse(text: &str, folder: &Path) -> Result<SettingsFile, String> {
    let mut table: toml::Table = text.parse().map_err(|error| describe_place(text, &error))?;
    let mut file = SettingsFile::default();
    if let Some(value) = table.remove("profile") {
        file.profile = Some(plain("profile", &value)?);
    }
    let profiles = table.remove("profiles");
    let mut parser = LayerParser { folder, warnings: &mut file.warnings };
    file.top = parser.parse(&table, "")?;
    match profiles {
        None => {}
        Some(toml::Value::Table(profiles)) => {
            for (name, profile) in &profiles {
                let toml::Value::Table(profile) = profile else {
                    return Err(format!("profiles.{name} is not a table"));
                };
                let layer = parser.parse(profile, &format!("profiles.{name}."))?;
                file.profiles.insert(name.clone(), layer);
            }
        }
        Some(_) => return Err("profiles is not a table".to_owned()),
    }
    Ok(file)
}

/// The message of TOML's parser with its place, without the line itself.
fn describe_place(text: &str, error: &toml::de::Error) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return error.message().to_owned();
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: {}", error.message())
}

/// Reads tables as layers; what is not known becomes a warning.
struct LayerParser<'a> {
    folder: &'a Path,
    warnings: &'a mut Vec<String>,
}

impl LayerParser<'_> {
    fn parse(&mut self, table: &toml::Table, place: &str) -> Result<Layer, String> {
        let mut layer = Layer::default();
        for (name, value) in table {
            match (name.as_str(), value) {
                ("kafka", toml::Value::Table(properties)) => {
                    for (property, value) in properties {
                        let value = Property::parse(property, value, self.folder)?;
                        layer.kafka.insert(property.clone(), value);
                    }
                }
                ("topics", toml::Value::Table(topics)) => {
                    for (name, value) in topics {
                        let place = format!("{place}topics.");
                        self.set(&mut layer, name, value, &place, true)?;
                    }
                }
                _ => self.set(&mut layer, name, value, place, false)?,
            }
        }
        Ok(layer)
    }

    fn set(
        &mut self,
        layer: &mut Layer,
        name: &str,
        value: &toml::Value,
        place: &str,
        is_topic: bool,
    ) -> Result<(), String> {
        let fits = |key: Key| matches!(key, Key::Topic(_)) == is_topic;
        if let Some(row) = KEYS.iter().find(|row| row.name == name && fits(row.key)) {
            layer.values.insert(row.key, plain(name, value)?);
            return Ok(());
        }
        let known = KEYS
            .iter()
            .filter(|row| fits(row.key))
            .map(|row| row.name)
            .chain(["kafka", "topics", "profiles", "profile"]);
        let near = nearest(name, known, 1);
        let offer = near.first().map_or_else(String::new, |near| format!("; did you mean {near}?"));
        self.warnings.push(format!("unknown setting {place}{name}{offer}"));
        Ok(())
    }
}

fn plain(key: &str, value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        _ => Err(format!("{key} must be a text, a number, true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> SettingsFile {
        parse(text, Path::new("")).unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn top_level_profiles_topics_and_properties_are_told_apart() {
        let file = parsed(
            "brokers = 'a:1'\nprofile = 'p'\n[topics]\nautoml = 't'\n[kafka]\n'socket.timeout.ms' = 5\n[profiles.p]\nbrokers = 'b:2'\n",
        );
        assert_eq!(file.top.values[&Key::Brokers], "a:1");
        assert_eq!(file.top.values[&Key::Topic(crate::schema::role::Role::Automl)], "t");
        assert_eq!(file.top.kafka["socket.timeout.ms"], Property::Text("5".into()));
        assert_eq!(file.profiles["p"].values[&Key::Brokers], "b:2");
        assert_eq!(file.profile.as_deref(), Some("p"));
    }

    #[test]
    fn an_unknown_key_warns_with_the_nearest() {
        assert_eq!(
            parsed("broker = 'x'").warnings,
            ["unknown setting broker; did you mean brokers?"]
        );
        assert_eq!(parsed("[topics]\nzzz = 'x'").warnings, ["unknown setting topics.zzz"]);
    }

    #[test]
    fn a_file_that_is_not_trusted_keeps_only_what_redirects_nothing() {
        for row in KEYS {
            let table = if let Key::Topic(_) = row.key { "[topics]\n" } else { "" };
            let mut file = parsed(&format!("{table}{} = 'x'", row.name));
            let withheld = file.withhold();
            let is_kept = file.top.values.contains_key(&row.key);
            assert_eq!(withheld.is_empty(), is_kept, "{}", row.name);
            assert_eq!(is_kept, row.key.is_harmless(), "{}", row.name);
        }
        let mut file = parsed(
            "profile = 'p'\noutput = 'json'\n[kafka]\ndebug = 'all'\n[profiles.p]\nbrokers = 'b:2'\n",
        );
        assert_eq!(file.withhold(), ["kafka.debug", "profile", "profiles.p.brokers"]);
        assert_eq!(file.top.values[&Key::Output], "json");
        assert_eq!(file.profile, None);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_without_the_line() {
        for text in [
            "output = 'text'\n'sasl.password' = S3cret\n",
            "[kafka]\n'sasl.password' = 'S3cret\n",
            "[kafka]\n'sasl.password' = [ 'S3cret' ]\n",
            "[kafka]\n'sasl.password' = { S3cret = 'S3cret' }\n",
            "[kafka]\n'sasl.password' = { env = [ 'S3cret' ] }\n",
            "profile = ['S3cret']",
            "profiles = 'S3cret'",
            "[profiles]\np = 'S3cret'",
        ] {
            let error = parse_file(Path::new("f.toml"), text.as_bytes()).unwrap_err().to_string();
            assert!(
                error.contains("failed to read f.toml") && !error.contains("S3cret"),
                "{error}"
            );
        }
        let error = parse("a = 1\nb = \n", Path::new("")).unwrap_err();
        assert!(error.starts_with("line 2, column "), "{error}");
    }
}
