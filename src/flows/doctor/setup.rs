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

/// What the settings say, as far as a doctor looks at them.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub settings: Vec<SettingFact>,
    /// Variables that nothing reads, and the one that was meant, where there is one.
    pub unread_variables: Vec<(String, Option<&'static str>)>,
    /// Topics that were set for roles: the role, the topic, and where that stands.
    pub topics: Vec<(Role, String, String)>,
    /// Whether the brokers are the default, beside an API that is somewhere else.
    pub forgets_brokers: bool,
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
    for (variable, near) in &setup.unread_variables {
        let fix = match near {
            Some(near) => format!("{near} is read: was that meant? Otherwise unset it"),
            None => "unset it; what is read: dwctl config show --origin".to_owned(),
        };
        findings.push(
            Finding::good(Area::Settings, variable, "is set, and nothing reads it")
                .odd("unread-variable", fix),
        );
    }
    if setup.forgets_brokers {
        let seen = "are those of this machine, while the API is on another";
        findings.push(Finding::good(Area::Settings, "brokers", seen).odd(
            "brokers-not-set",
            "name the brokers that the API publishes to: --brokers or KAFKA_BOOTSTRAP_SERVERS",
        ));
    }
    if dialect == Some(Dialect::Task) {
        findings.extend(setup.topics.iter().filter_map(of_older_name));
    }
    findings
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
