//! The layers put over one another, and typed reading of the result.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::broker_address::check_brokers;
use super::file::{self, Layer, Property};
use super::keys::{KEYS, Key};
use super::locate::{AppliedFiles, SettingsWarning, read_files};
use super::trust::Trust;
use super::{Environment, SettingsError};
use crate::base::Deadline;
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

/// A setting as `config show` and `doctor` list it: secrets are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSetting {
    /// `None` for a librdkafka property.
    pub key: Option<Key>,
    pub name: String,
    pub value: String,
    pub origin: Origin,
}

/// A librdkafka property and where it came from.
#[derive(Clone, Debug)]
struct KafkaProperty {
    value: Property,
    origin: Origin,
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
    kafka: BTreeMap<String, KafkaProperty>,
    environment: Environment,
    file: Option<PathBuf>,
    trust: Option<Trust>,
    profile: Option<String>,
    /// What an untrusted file sets in the profile that the user named.
    withheld_profile: Vec<String>,
    warnings: Vec<SettingsWarning>,
}

impl Settings {
    /// Puts the layers over one another; `folder` is where a project's file is looked for. No secret
    /// is read and no command is run.
    ///
    /// # Errors
    /// A file that cannot be read, a profile that does not exist, a malformed `-X`.
    pub fn resolve(
        overrides: &Overrides,
        environment: Environment,
        folder: &Path,
    ) -> Result<Self, SettingsError> {
        let applied = read_files(&environment, folder)?;
        Self::assemble(overrides, environment, applied)
    }

    /// Settings of flags and variables alone, for commands that need no file: help must work in every
    /// folder.
    ///
    /// # Errors
    /// A malformed `-X`.
    pub fn without_file(
        overrides: &Overrides,
        environment: Environment,
    ) -> Result<Self, SettingsError> {
        let overrides = Overrides { profile: None, ..overrides.clone() };
        let mut settings = Self::empty(environment);
        settings.lay(&defaults(), &Origin::Default);
        settings.lay_environment();
        settings.lay_overrides(&overrides)?;
        Ok(settings)
    }

    fn empty(environment: Environment) -> Self {
        Self {
            values: BTreeMap::new(),
            kafka: BTreeMap::new(),
            environment,
            file: None,
            trust: None,
            profile: None,
            withheld_profile: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn assemble(
        overrides: &Overrides,
        environment: Environment,
        applied: AppliedFiles,
    ) -> Result<Self, SettingsError> {
        let named = overrides
            .profile
            .clone()
            .or_else(|| environment.get("DWCTL_PROFILE").map(str::to_owned));
        let mut settings = Self::empty(environment);
        settings.file = applied.files.last().map(|file| file.path.clone());
        settings.trust = applied.trust;
        settings.profile = profile_name(named.as_ref(), &applied)?;
        if let Some(name) = &named {
            let place = format!("profiles.{name}.");
            let of_profile = |name: &&String| name.starts_with(&place);
            settings.withheld_profile =
                applied.withheld.iter().filter(of_profile).cloned().collect();
        }
        settings.lay(&defaults(), &Origin::Default);
        for file in &applied.files {
            settings.lay(&file.top, &Origin::File(file.path.clone()));
        }
        if let Some(name) = settings.profile.clone() {
            for layer in applied.files.iter().filter_map(|file| file.profiles.get(&name)) {
                settings.lay(layer, &Origin::Profile(name.clone()));
            }
        }
        settings.warnings = applied.warnings;
        settings.lay_environment();
        settings.lay_overrides(overrides)?;
        Ok(settings)
    }

    fn lay(&mut self, layer: &Layer, origin: &Origin) {
        for (key, text) in &layer.values {
            self.values.insert(*key, Value { text: text.clone(), origin: origin.clone() });
        }
        for (property, value) in &layer.kafka {
            self.set_property(property, value.clone(), origin.clone());
        }
    }

    /// Sets a librdkafka property. The list of brokers has its own setting, by either of its
    /// property names.
    fn set_property(&mut self, property: &str, value: Property, origin: Origin) {
        match (property, value) {
            ("bootstrap.servers" | "metadata.broker.list", Property::Text(text)) => {
                self.values.insert(Key::Brokers, Value { text, origin });
            }
            (_, value) => {
                self.kafka.insert(property.to_owned(), KafkaProperty { value, origin });
            }
        }
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
                .ok_or(SettingsError::NotAProperty { reason: "it has no =" })?;
            if property.is_empty() {
                return Err(SettingsError::NotAProperty { reason: "no name stands before the =" });
            }
            let value = Property::Text(value.to_owned());
            self.set_property(property, value, Origin::Flag("-X".into()));
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
                    value: key.redact(&value.text),
                    origin: value.origin.to_string(),
                    reason: key.redact_within(&reason.to_string(), &value.text),
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

    /// Names of the librdkafka properties from `-X` and the tables `[kafka]`, in order.
    pub fn kafka_property_names(&self) -> impl Iterator<Item = &str> {
        self.kafka.keys().map(String::as_str)
    }

    /// Reads the librdkafka properties for a client. Only here are secrets fetched: files are read and
    /// commands run.
    ///
    /// # Errors
    /// A secret cannot be read, or the profile that was named is not trusted.
    pub fn read_kafka_properties(
        &self,
        deadline: Deadline,
    ) -> Result<Vec<(&str, String)>, SettingsError> {
        self.check_profile()?;
        self.kafka
            .iter()
            .map(|(name, property)| {
                Ok((name.as_str(), property.value.read(name, &self.environment, deadline)?))
            })
            .collect()
    }

    /// Refuses to ignore the settings of a profile that the user named: the command would act on other
    /// systems.
    ///
    /// # Errors
    /// The profile was named, and its file is not trusted.
    pub fn check_profile(&self) -> Result<(), SettingsError> {
        match (&self.profile, &self.file) {
            (Some(name), Some(path)) if !self.withheld_profile.is_empty() => {
                Err(SettingsError::UntrustedProfile {
                    name: name.clone(),
                    path: path.clone(),
                    withheld: self.withheld_profile.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Returns every setting that has a value, as it may be shown.
    #[must_use]
    pub fn shown(&self) -> Vec<ShownSetting> {
        let table = KEYS.iter().filter_map(|row| {
            let value = self.get(row.key)?;
            Some(ShownSetting {
                key: Some(row.key),
                name: row.key.path(),
                value: row.key.redact(&value.text),
                origin: value.origin.clone(),
            })
        });
        let properties = self.kafka.iter().map(|(name, property)| ShownSetting {
            key: None,
            name: format!("kafka.{name}"),
            value: property.value.redacted(name),
            origin: property.origin.clone(),
        });
        table.chain(properties).collect()
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

    /// Whether the project file is trusted, if one applies.
    #[must_use]
    pub fn trust(&self) -> Option<Trust> {
        self.trust
    }

    /// What is odd about the files and does not stop anything.
    #[must_use]
    pub fn warnings(&self) -> &[SettingsWarning] {
        &self.warnings
    }
}

fn defaults() -> Layer {
    match file::parse(include_str!("defaults.toml"), Path::new("")) {
        Ok(file) => file.top,
        Err(_) => unreachable!("the built-in defaults are parsed by a test"),
    }
}

/// The profile that the user named, else that of the strongest file that names one.
fn profile_name(
    named: Option<&String>,
    applied: &AppliedFiles,
) -> Result<Option<String>, SettingsError> {
    let files = &applied.files;
    let by_file = || files.iter().rev().find_map(|file| file.profile.clone());
    let Some(name) = named.cloned().or_else(by_file) else {
        return Ok(None);
    };
    if files.iter().any(|file| file.profiles.contains_key(&name)) {
        return Ok(Some(name));
    }
    let known = files.iter().flat_map(|file| file.profiles.keys().cloned()).collect();
    let place = files.last().map(|file| file.path.clone());
    // Warnings are shown with what goes on; this ends here.
    let is_ignored = |warning: &&SettingsWarning| warning.message.starts_with("ignored ");
    let ignored = applied.warnings.iter().filter(is_ignored).map(|warning| warning.message.clone());
    Err(SettingsError::NoProfile { name, known, place, ignored: ignored.collect() })
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
        /// With a file that the user named, which is trusted.
        fn with_file(text: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("settings.toml"), text).unwrap();
            Self { folder, environment: Vec::new(), overrides: Overrides::default() }
        }

        fn resolve(&self) -> Result<Settings, SettingsError> {
            let path = self.folder.path().join("settings.toml");
            let mut environment = self.environment.clone();
            environment.push(("DWCTL_CONFIG", path.to_str().unwrap()));
            Settings::resolve(&self.overrides, Environment::of(environment), self.folder.path())
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
    fn secrets_are_read_for_a_client_only() {
        let mut case = Case::with_file("[profiles.p.kafka]\n'sasl.password' = { env = 'P' }\n");
        assert_eq!(case.resolve().unwrap().kafka_property_names().count(), 0);
        case.overrides.profile = Some("p".into());
        let settings = case.resolve().unwrap();
        assert_eq!(settings.shown().last().unwrap().value, "***");
        let read = settings.read_kafka_properties(Deadline::NEVER);
        assert!(matches!(read, Err(SettingsError::Secret { .. })));
    }

    #[test]
    fn properties_come_from_the_file_and_the_flag_and_secrets_are_not_shown() {
        let mut case = Case::with_file("[kafka]\n'sasl.password' = { env = 'P' }\n'a' = 1\n");
        case.environment.push(("P", "hidden"));
        case.overrides.properties.push("a=2".into());
        let settings = case.resolve().unwrap();
        let properties = settings.read_kafka_properties(Deadline::NEVER).unwrap();
        assert_eq!(properties, [("a", "2".to_owned()), ("sasl.password", "hidden".to_owned())]);
        let shown: Vec<_> = settings.shown().into_iter().filter(|s| s.key.is_none()).collect();
        assert!(shown.iter().all(|setting| setting.value == "***"), "{shown:?}");
        for nonsense in ["S3cret", "=S3cret"] {
            case.overrides.properties = vec![nonsense.to_owned()];
            let error = case.resolve().unwrap_err().to_string();
            assert!(!error.contains("S3cret"), "{error}");
        }
    }

    #[test]
    fn brokers_have_one_setting_under_both_property_names() {
        for property in ["bootstrap.servers", "metadata.broker.list"] {
            let mut case =
                Case::with_file(&format!("brokers = 'a:1'\n[kafka]\n'{property}' = 'b:2'"));
            let settings = case.resolve().unwrap();
            assert_eq!(settings.brokers().unwrap(), "b:2");
            assert_eq!(settings.kafka_property_names().count(), 0);
            case.overrides.properties.push(format!("{property}=c:3"));
            let settings = case.resolve().unwrap();
            assert_eq!(settings.get(Key::Brokers).unwrap().origin, Origin::Flag("-X".into()));
        }
    }

    #[test]
    fn credentials_in_an_address_stand_in_no_error() {
        for brokers in ["u:S3cret@h:1", "SASL_SSL://u:S3cret@h:1", "a:1?S3cret"] {
            let mut case = Case::with_file("");
            case.overrides.values.push((Key::Brokers, brokers.into()));
            let error = case.resolve().unwrap().brokers().unwrap_err().to_string();
            assert!(error.contains("***") && !error.contains("S3cret"), "{error}");
        }
    }
}
