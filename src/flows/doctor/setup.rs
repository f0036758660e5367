//! What is set, and what is set in vain.

use super::finding::{Area, Finding};
use crate::schema::role::{Dialect, Role};

/// A setting, as it may be shown.
#[derive(Clone, Debug)]
pub struct SettingFact {
    pub name: String,
    pub value: String,
    pub origin: String,
}

/// A variable that this program does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadVariable {
    pub name: String,
    /// What was probably meant.
    pub near: Option<&'static str>,
    /// Whether programs of the service read it.
    pub is_of_service: bool,
}

/// A system that is only the local default, while the other one is elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgottenFact {
    /// The setting that is missing.
    pub system: &'static str,
    pub seen: String,
    pub fix: String,
}

/// What the settings say, as far as a doctor looks at them.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub settings: Vec<SettingFact>,
    pub unread_variables: Vec<UnreadVariable>,
    /// Topics that were set for roles: the role, the topic, and where that stands.
    pub topics: Vec<(Role, String, String)>,
    pub forgotten: Option<ForgottenFact>,
    /// The proxy on the way to the API, as it may be shown.
    pub proxy: Option<String>,
    /// Warnings about settings files, and what to do about each.
    pub ignored: Vec<(String, Option<String>)>,
}

impl Setup {
    /// The topic of a role in a dialect, or the one that was set.
    pub(super) fn topic(&self, role: Role, dialect: Dialect) -> Option<&str> {
        let set = self.topics.iter().find(|(known, _, _)| *known == role);
        set.map(|(_, topic, _)| topic.as_str()).or_else(|| role.topic(dialect))
    }
}

/// Judges them.
pub(super) fn judge(setup: &Setup, dialect: Option<Dialect>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = setup
        .settings
        .iter()
        .map(|fact| {
            let seen = format!("{} (from {})", fact.value, fact.origin);
            Finding::good(Area::Settings, fact.name.as_str(), seen)
        })
        .collect();
    if let Some(proxy) = &setup.proxy {
        findings.push(Finding::good(
            Area::Settings,
            "proxy",
            format!("requests go through {proxy}"),
        ));
    }
    findings.extend(setup.ignored.iter().map(|(seen, fix)| {
        let fix = fix.as_deref().unwrap_or("correct the name; known settings: dwctl config show");
        Finding::good(Area::Settings, "file", seen).odd("ignored-settings", fix)
    }));
    findings.extend(setup.unread_variables.iter().map(judge_unread));
    if let Some(forgotten) = &setup.forgotten {
        let fault = if forgotten.system == "brokers" { "brokers-not-set" } else { "api-not-set" };
        findings.push(
            Finding::good(Area::Settings, forgotten.system, forgotten.seen.as_str())
                .odd(fault, forgotten.fix.as_str()),
        );
    }
    if dialect == Some(Dialect::Task) {
        findings.extend(setup.topics.iter().filter_map(of_older_name));
    }
    findings
}

fn judge_unread(variable: &UnreadVariable) -> Finding {
    let name = variable.name.as_str();
    if variable.is_of_service {
        let seen = "is read by the service's own programs, not by dwctl";
        return Finding::good(Area::Settings, name, seen);
    }
    let fix = match variable.near {
        Some(near) => format!("{near} is read: was that meant? Otherwise unset it"),
        None => "unset it; what is read: dwctl config show --origin".to_owned(),
    };
    Finding::good(Area::Settings, name, "is set, and nothing reads it").odd("unread-variable", fix)
}

/// An example file of the service still sets the names of the generation before: the service
/// publishes successes there, and failures elsewhere.
fn of_older_name((role, topic, origin): &(Role, String, String)) -> Option<Finding> {
    let is_older =
        role.topic(Dialect::Flat) == Some(topic) && role.topic(Dialect::Task) != Some(topic);
    let newer = role.topic(Dialect::Task).filter(|_| is_older)?;
    let seen = format!("{topic} is the topic of an older generation, set by {origin}");
    Some(Finding::good(Area::Settings, role.name(), seen).odd(
        "older-topic",
        format!("unset it: this API's topic is {newer}; where the service has it set too, its failures still go to {newer}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_generations_topic_is_told_to_the_newer_one_only() {
        let topics = vec![
            (Role::Automl, "automl-events".to_owned(), "$KAFKA_AUTOML_TOPIC".to_owned()),
            (Role::Dataset, "dataset-events".to_owned(), "$KAFKA_DATASET_TOPIC".to_owned()),
            (Role::Bias, "mine".to_owned(), "a file".to_owned()),
        ];
        let setup = Setup { topics, ..Setup::default() };
        let told = judge(&setup, Some(Dialect::Task));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].seen.contains("$KAFKA_AUTOML_TOPIC"));
        assert!(judge(&setup, Some(Dialect::Flat)).is_empty());
        assert_eq!(setup.topic(Role::Bias, Dialect::Task), Some("mine"));
        assert_eq!(setup.topic(Role::Xai, Dialect::Task), Some("xai-complete-events"));
    }
}
