//! The settings file: where it is looked for, and its text as layers of plain values.
//!
//! `$DWCTL_CONFIG`, else `.dwctl.toml` here or in a parent up to the repository's root, else
//! `$XDG_CONFIG_HOME/dwctl/config.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::keys::{KEYS, Key};
use super::{Environment, SettingsError};
use crate::base::nearest::nearest;
use crate::base::plain_text::read_text;

/// The name of the file that a project keeps beside its code.
const PROJECT_FILE: &str = ".dwctl.toml";

/// One level of a file: its top, or one profile.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    pub values: BTreeMap<Key, String>,
    /// librdkafka properties of the table `[kafka]`.
    pub kafka: BTreeMap<String, Property>,
}

/// A property's value as it stands in the file. A secret is read when its layer is put to use: a
/// profile that nobody asked for must not need its variables, nor run its commands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Property {
    Text(String),
    Secret(toml::Table),
}

impl Property {
    fn parse(key: &str, value: &toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Table(table) => Ok(Self::Secret(table.clone())),
            other => plain(key, other).map(Self::Text),
        }
    }

    /// The value itself, fetched from where a secret lies.
    pub(super) fn read(
        &self,
        key: &str,
        environment: &Environment,
    ) -> Result<String, SettingsError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Secret(table) => super::secret::read(key, table, environment),
        }
    }
}

/// A file that was read.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingsFile {
    pub path: Option<PathBuf>,
    pub top: Layer,
    pub profiles: BTreeMap<String, Layer>,
    /// The profile that holds where none is asked for.
    pub profile: Option<String>,
    pub warnings: Vec<String>,
}

/// The file that applies, if there is one. A file that was named must exist.
pub(super) fn locate(environment: &Environment, folder: &Path) -> Option<PathBuf> {
    if let Some(named) = environment.get("DWCTL_CONFIG") {
        return Some(PathBuf::from(named));
    }
    for parent in folder.ancestors() {
        let candidate = parent.join(PROJECT_FILE);
        if candidate.is_file() {
            return Some(candidate);
        }
        if parent.join(".git").exists() {
            break;
        }
    }
    environment
        .xdg("XDG_CONFIG_HOME", ".config")
        .map(|base| base.join("dwctl/config.toml"))
        .filter(|path| path.is_file())
}

pub(super) fn read(path: &Path) -> Result<SettingsFile, SettingsError> {
    let text = read_text(path)
        .map_err(|cause| SettingsError::Unreadable { path: path.to_owned(), cause })?;
    let mut file = parse(&text)
        .map_err(|message| SettingsError::Malformed { path: path.to_owned(), message })?;
    file.path = Some(path.to_owned());
    Ok(file)
}

/// Reads the text of a file; the error is what is wrong with it.
pub(super) fn parse(text: &str) -> Result<SettingsFile, String> {
    let mut table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let mut file = SettingsFile::default();
    if let Some(toml::Value::String(name)) = table.remove("profile") {
        file.profile = Some(name);
    }
    let profiles = table.remove("profiles");
    file.top = layer(&table, "", &mut file.warnings)?;
    if let Some(toml::Value::Table(profiles)) = profiles {
        for (name, profile) in &profiles {
            let toml::Value::Table(profile) = profile else {
                return Err(format!("profiles.{name} is no table"));
            };
            let place = format!("profiles.{name}.");
            file.profiles.insert(name.clone(), layer(profile, &place, &mut file.warnings)?);
        }
    }
    Ok(file)
}

fn layer(table: &toml::Table, place: &str, warnings: &mut Vec<String>) -> Result<Layer, String> {
    let mut layer = Layer::default();
    for (name, value) in table {
        match (name.as_str(), value) {
            ("kafka", toml::Value::Table(properties)) => {
                for (property, value) in properties {
                    layer.kafka.insert(property.clone(), Property::parse(property, value)?);
                }
            }
            ("topics", toml::Value::Table(topics)) => {
                for (name, value) in topics {
                    set(&mut layer, name, value, &format!("{place}topics."), true, warnings)?;
                }
            }
            _ => set(&mut layer, name, value, place, false, warnings)?,
        }
    }
    Ok(layer)
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

fn set(
    layer: &mut Layer,
    name: &str,
    value: &toml::Value,
    place: &str,
    is_topic: bool,
    warnings: &mut Vec<String>,
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
    warnings.push(format!("unknown setting {place}{name}{offer}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> SettingsFile {
        parse(text).unwrap_or_else(|_| panic!("{text}"))
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
    fn the_nearest_project_file_wins_up_to_the_repositorys_root() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("repo/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir(root.path().join("repo/.git")).unwrap();
        std::fs::write(root.path().join(PROJECT_FILE), "").unwrap();
        let nowhere = Environment::default();
        assert_eq!(locate(&nowhere, &deep), None, "files above the repository are not its own");
        let own = root.path().join("repo").join(PROJECT_FILE);
        std::fs::write(&own, "").unwrap();
        assert_eq!(locate(&nowhere, &deep), Some(own));
    }
}
