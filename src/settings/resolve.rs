//! The layers put over one another, and typed reading of the result.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::{self, Layer, SettingsFile};
use super::keys::{KEYS, Key};
use super::{Environment, SettingsError, secret};
use crate::base::duration::parse_duration;
use crate::schema::ids::UserId;
use crate::schema::role::{Dialect, Role};

/// Which layer a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Flag(String),
    Variable(&'static str),
    Profile(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => f.write_str(flag),
            Origin::Variable(name) => write!(f, "${name}"),
            Origin::Profile(name) => write!(f, "profile {name}"),
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A setting's text and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub text: String,
    pub origin: Origin,
}

/// What the command line said, made by whoever parsed it.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub values: Vec<(Key, String)>,
    /// `-X key=value`, as typed.
    pub properties: Vec<String>,
    pub profile: Option<String>,
}

/// Which dialect to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialectChoice {
    /// The newest that the API has, found out by asking it.
    Auto,
    Given(Dialect),
}

/// Every setting of one run.
#[derive(Clone, Debug)]
pub struct Settings {
    values: BTreeMap<Key, Value>,
    kafka: BTreeMap<String, Value>,
    environment: Environment,
    file: Option<PathBuf>,
    profile: Option<String>,
    warnings: Vec<String>,
}

impl Settings {
    /// Puts the layers over one another; `folder` is where a project's file is looked for.
    ///
    /// # Errors
    /// A file that cannot be read, a profile that does not exist, a malformed `-X`.
    pub fn resolve(
        overrides: &Overrides,
        environment: Environment,
        folder: &Path,
    ) -> Result<Self, SettingsError> {
        let file = match file::locate(&environment, folder) {
            Some(path) => file::read(&path)?,
            None => SettingsFile::default(),
        };
        let profile = profile_name(overrides, &environment, &file)?;
        let mut settings = Self {
            values: BTreeMap::new(),
            kafka: BTreeMap::new(),
            environment,
            file: file.path.clone(),
            profile: profile.clone(),
            warnings: file.warnings.clone(),
        };
        settings.lay(&defaults(), &Origin::Default)?;
        if let Some(path) = &file.path {
            settings.lay(&file.top, &Origin::File(path.clone()))?;
        }
        if let Some(name) = profile {
            settings.lay(&file.profiles[&name], &Origin::Profile(name.clone()))?;
        }
        settings.lay_environment();
        settings.lay_overrides(overrides)?;
        Ok(settings)
    }

    fn lay(&mut self, layer: &Layer, origin: &Origin) -> Result<(), SettingsError> {
        for (key, text) in &layer.values {
            self.values.insert(*key, Value { text: text.clone(), origin: origin.clone() });
        }
        for (property, value) in &layer.kafka {
            let text = value.read(property, &self.environment)?;
            self.kafka.insert(property.clone(), Value { text, origin: origin.clone() });
        }
        Ok(())
    }

    fn lay_environment(&mut self) {
        for row in KEYS {
            let found =
                row.variables.iter().find_map(|name| Some((*name, self.environment.get(name)?)));
            if let Some((name, text)) = found {
                let value = Value { text: text.to_owned(), origin: Origin::Variable(name) };
                self.values.insert(row.key, value);
            }
        }
    }

    fn lay_overrides(&mut self, overrides: &Overrides) -> Result<(), SettingsError> {
        for (key, text) in &overrides.values {
            let flag = key.row().flag.unwrap_or(key.row().name).to_owned();
            self.values.insert(*key, Value { text: text.clone(), origin: Origin::Flag(flag) });
        }
        for text in &overrides.properties {
            let (property, value) = text
                .split_once('=')
                .filter(|(property, _)| !property.is_empty())
                .ok_or_else(|| SettingsError::NotAProperty { text: text.clone() })?;
            let value = Value { text: value.to_owned(), origin: Origin::Flag("-X".into()) };
            self.kafka.insert(property.to_owned(), value);
        }
        Ok(())
    }

    /// A setting as text with its origin.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&Value> {
        self.values.get(&key)
    }

    fn text(&self, key: Key) -> &str {
        self.get(key).map_or("", |value| value.text.as_str())
    }

    fn parsed<T, E: fmt::Display>(
        &self,
        key: Key,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, SettingsError> {
        self.get(key)
            .map(|value| {
                parse(&value.text).map_err(|reason| SettingsError::BadValue {
                    key: key.path(),
                    value: value.text.clone(),
                    origin: value.origin.to_string(),
                    reason: reason.to_string(),
                })
            })
            .transpose()
    }

    /// Base address of the API without a trailing slash.
    #[must_use]
    pub fn api_url(&self) -> &str {
        self.text(Key::ApiUrl).trim_end_matches('/')
    }

    /// Bootstrap servers, `HOST:PORT` with commas between.
    ///
    /// # Errors
    /// One of them is no address.
    pub fn brokers(&self) -> Result<&str, SettingsError> {
        self.parsed(Key::Brokers, check_brokers)?;
        Ok(self.text(Key::Brokers))
    }

    /// The owner of models, where one is set.
    ///
    /// # Errors
    /// What is set cannot be an id.
    pub fn user_id(&self) -> Result<Option<UserId>, SettingsError> {
        self.parsed(Key::UserId, UserId::parse)
    }

    /// # Errors
    /// What is set is no dialect.
    pub fn dialect(&self) -> Result<DialectChoice, SettingsError> {
        let parse = |text: &str| match text {
            "auto" => Ok(DialectChoice::Auto),
            other => other.parse().map(DialectChoice::Given),
        };
        Ok(self.parsed(Key::Dialect, parse)?.unwrap_or(DialectChoice::Auto))
    }

    /// The bound on the whole command, where one is set.
    ///
    /// # Errors
    /// What is set is no duration.
    pub fn timeout(&self) -> Result<Option<Duration>, SettingsError> {
        self.parsed(Key::Timeout, parse_duration)
    }

    /// The topic that a flag, profile or variable put in place of a role's default names.
    #[must_use]
    pub fn topic(&self, role: Role) -> Option<&str> {
        self.get(Key::Topic(role)).map(|value| value.text.as_str())
    }

    /// The consumer group of `forward` and `worker`.
    #[must_use]
    pub fn consumer_group(&self) -> &str {
        self.text(Key::ConsumerGroup)
    }

    /// Where `serve` keeps its data: what is set, else `$XDG_DATA_HOME/dwctl`, else `./dwctl-data`.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        match self.get(Key::DataDir) {
            Some(value) => PathBuf::from(&value.text),
            None => self
                .environment
                .xdg("XDG_DATA_HOME", ".local/share")
                .map_or_else(|| PathBuf::from("dwctl-data"), |base| base.join("dwctl")),
        }
    }

    /// Where what may be forgotten is kept.
    #[must_use]
    pub fn cache_dir(&self) -> Option<PathBuf> {
        Some(self.environment.xdg("XDG_CACHE_HOME", ".cache")?.join("dwctl"))
    }

    /// librdkafka properties from `-X` and the tables `[kafka]`, in the order of their names.
    pub fn kafka_properties(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.kafka.iter().map(|(property, value)| (property.as_str(), value))
    }

    /// A property's value as it may be shown: secrets are `***`.
    #[must_use]
    pub fn shown<'a>(property: &str, value: &'a str) -> &'a str {
        if secret::is_secret(property) { "***" } else { value }
    }

    /// A setting's value as it may be shown: credentials in an address, which no address of ours
    /// takes, are `***`.
    #[must_use]
    pub fn without_credentials(value: &str) -> String {
        match value.split_once("://") {
            Some((scheme, rest)) => match rest.rsplit_once('@') {
                Some((_, host)) => format!("{scheme}://***@{host}"),
                None => value.to_owned(),
            },
            None => value.to_owned(),
        }
    }

    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The file that was read, if one was.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// What is odd about the file and does not stop anything.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn defaults() -> Layer {
    match file::parse(include_str!("defaults.toml")) {
        Ok(file) => file.top,
        Err(_) => unreachable!("the built-in defaults are parsed by a test"),
    }
}

fn profile_name(
    overrides: &Overrides,
    environment: &Environment,
    file: &SettingsFile,
) -> Result<Option<String>, SettingsError> {
    let asked =
        overrides.profile.clone().or_else(|| environment.get("DWCTL_PROFILE").map(str::to_owned));
    let Some(name) = asked.or_else(|| file.profile.clone()) else {
        return Ok(None);
    };
    if file.profiles.contains_key(&name) {
        return Ok(Some(name));
    }
    let known = file.profiles.keys().cloned().collect();
    Err(SettingsError::NoProfile { name, known, place: file.path.clone() })
}

/// Whether every part of a list is `[PROTOCOL://]HOST[:PORT]`. Where they are is not asked.
fn check_brokers(list: &str) -> Result<(), &'static str> {
    for part in list.split(',') {
        let (scheme, address) = part.trim().rsplit_once("://").unwrap_or(("", part.trim()));
        if scheme.to_ascii_lowercase().starts_with("http") {
            return Err("brokers speak no HTTP; write HOST:PORT, with commas between several");
        }
        let (host, port) = match address.rsplit_once(':') {
            // An IPv6 address without a port.
            Some((_, rest)) if rest.ends_with(']') => (address, None),
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err("a host is missing; write HOST:PORT, with commas between several");
        }
        if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
            return Err("a port is a number from 1 to 65535; write HOST:PORT");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        folder: tempfile::TempDir,
        environment: Vec<(&'static str, &'static str)>,
        overrides: Overrides,
    }

    impl Case {
        fn with_file(text: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(".dwctl.toml"), text).unwrap();
            Self { folder, environment: Vec::new(), overrides: Overrides::default() }
        }

        fn resolve(&self) -> Result<Settings, SettingsError> {
            Settings::resolve(
                &self.overrides,
                Environment::of(self.environment.clone()),
                self.folder.path(),
            )
        }
    }

    #[test]
    fn brokers_are_addresses() {
        for list in ["a", "a:1", "a:1,b:2", "SSL://a:9093, b", "[::1]:9092", "[::1]"] {
            assert_eq!(check_brokers(list), Ok(()), "{list}");
        }
        for list in
            ["", "a:1,", ",a", "a:abc", "a:0", "a:99999", ":9092", "a b:1", "a:", "http://a:1"]
        {
            assert!(check_brokers(list).is_err(), "{list}");
        }
    }

    #[test]
    fn the_defaults_are_well_formed_and_stay_on_this_machine() {
        let settings = Case::with_file("").resolve().unwrap();
        assert_eq!(settings.api_url(), "http://127.0.0.1:8000");
        assert_eq!(settings.brokers().unwrap(), "127.0.0.1:9092");
        assert_eq!(settings.dialect().unwrap(), DialectChoice::Auto);
    }

    #[test]
    fn each_layer_beats_the_one_below() {
        let mut case = Case::with_file("brokers = 'file:1'\n[profiles.p]\nbrokers = 'profile:1'\n");
        assert_eq!(case.resolve().unwrap().brokers().unwrap(), "file:1");
        case.overrides.profile = Some("p".into());
        assert_eq!(case.resolve().unwrap().brokers().unwrap(), "profile:1");
        case.environment.push(("KAFKA_BOOTSTRAP_SERVERS", "service:1"));
        assert_eq!(case.resolve().unwrap().brokers().unwrap(), "service:1");
        case.environment.push(("DWCTL_BROKERS", "ours:1"));
        assert_eq!(case.resolve().unwrap().brokers().unwrap(), "ours:1");
        case.overrides.values.push((Key::Brokers, "flag:1".into()));
        let settings = case.resolve().unwrap();
        assert_eq!(settings.brokers().unwrap(), "flag:1");
        assert_eq!(settings.get(Key::Brokers).unwrap().origin.to_string(), "--brokers");
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let mut case = Case::with_file("");
        case.environment.push(("KAFKA_AUTOML_TOPIC", ""));
        assert_eq!(case.resolve().unwrap().topic(Role::Automl), None);
    }

    #[test]
    fn a_missing_profile_is_not_found_and_the_nearest_is_named() {
        let mut case = Case::with_file("[profiles.staging]\n");
        case.overrides.profile = Some("stagin".into());
        let error = case.resolve().unwrap_err();
        assert!(matches!(&error, SettingsError::NoProfile { known, .. } if known == &["staging"]));
    }

    #[test]
    fn a_bad_value_names_its_origin() {
        let mut case = Case::with_file("");
        case.environment.push(("DWCTL_TIMEOUT", "soon"));
        let message = case.resolve().unwrap().timeout().unwrap_err().to_string();
        assert!(message.contains("$DWCTL_TIMEOUT") && message.contains("soon"), "{message}");
    }

    #[test]
    fn a_profile_that_is_not_used_needs_none_of_its_secrets() {
        let mut case = Case::with_file("[profiles.p.kafka]\n'sasl.password' = { env = 'P' }\n");
        assert_eq!(case.resolve().unwrap().kafka_properties().count(), 0);
        case.overrides.profile = Some("p".into());
        assert!(matches!(case.resolve(), Err(SettingsError::Secret { .. })));
    }

    #[test]
    fn properties_come_from_the_file_and_the_flag_and_secrets_are_not_shown() {
        let mut case = Case::with_file("[kafka]\n'sasl.password' = { env = 'P' }\n'a' = 1\n");
        case.environment.push(("P", "hidden"));
        case.overrides.properties.push("a=2".into());
        let settings = case.resolve().unwrap();
        let properties: Vec<_> =
            settings.kafka_properties().map(|(k, v)| (k, v.text.as_str())).collect();
        assert_eq!(properties, [("a", "2"), ("sasl.password", "hidden")]);
        assert_eq!(Settings::shown("sasl.password", "hidden"), "***");
        let address = "http://me:hid@den@127.0.0.1:8000/api";
        assert_eq!(Settings::without_credentials(address), "http://***@127.0.0.1:8000/api");
        for harmless in ["http://127.0.0.1:8000", "a@b", "localhost:9092"] {
            assert_eq!(Settings::without_credentials(harmless), harmless);
        }
        case.overrides.properties.push("nonsense".into());
        assert!(case.resolve().is_err());
    }
}
