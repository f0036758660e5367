//! The roles that topics play in the pipeline, and the names they had in each generation of the
//! service (DESIGN's table of dialects and topics).

use std::fmt;
use std::str::FromStr;

/// A generation of the warehouse's API and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// User and version are form fields; flat events.
    Form,
    /// The user is in the path, the server assigns the version; flat events.
    Flat,
    /// As `Flat`, with `X-Task-ID` and event envelopes.
    Task,
}

impl Dialect {
    pub const ALL: [Dialect; 3] = [Dialect::Form, Dialect::Flat, Dialect::Task];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Form => "form",
            Dialect::Flat => "flat",
            Dialect::Task => "task",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.name() == text)
            .ok_or_else(|| format!("{text:?} is no dialect: form, flat or task"))
    }
}

/// What a topic is for, whatever its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Automl,
    Bias,
    Xai,
    Dataset,
    Drift,
    BiasTrigger,
    AutomlTrigger,
    XaiTrigger,
    DriftTrigger,
    /// Updates and deletions of models. Only `serve` announces them; the service sends none.
    Model,
}

/// One line of the table: a role's name, its title, and its topics by generation, oldest first.
struct Row {
    name: &'static str,
    title: &'static str,
    form: Option<&'static str>,
    flat: Option<&'static str>,
    task: Option<&'static str>,
    /// Distinct names, in the order in which the generations came.
    all: &'static [&'static str],
}

impl Role {
    pub const ALL: [Role; 10] = [
        Role::Automl,
        Role::Bias,
        Role::Xai,
        Role::Dataset,
        Role::Drift,
        Role::BiasTrigger,
        Role::AutomlTrigger,
        Role::XaiTrigger,
        Role::DriftTrigger,
        Role::Model,
    ];

    const fn row(self) -> Row {
        match self {
            Role::Automl => Row {
                name: "automl",
                title: "AutoML",
                form: Some("automl-events"),
                flat: Some("automl-events"),
                task: Some("automl-complete-events"),
                all: &["automl-events", "automl-complete-events"],
            },
            Role::Bias => Row {
                name: "bias",
                title: "Bias",
                form: Some("bias-events"),
                flat: Some("bias-events"),
                task: Some("bias-detection-complete-events"),
                all: &["bias-events", "bias-detection-complete-events"],
            },
            Role::Xai => Row {
                name: "xai",
                title: "XAI",
                form: Some("xai-events"),
                flat: Some("xai-events"),
                task: Some("xai-complete-events"),
                all: &["xai-events", "xai-complete-events"],
            },
            Role::Dataset => Row {
                name: "dataset",
                title: "Dataset",
                form: Some("dataset-events"),
                flat: Some("dataset-events"),
                task: Some("dataset-events"),
                all: &["dataset-events"],
            },
            Role::Drift => Row {
                name: "drift",
                title: "Concept drift",
                form: None,
                flat: None,
                task: Some("concept-drift-complete-events"),
                all: &["concept-drift-complete-events"],
            },
            Role::BiasTrigger => Row {
                name: "bias-trigger",
                title: "Bias trigger",
                form: None,
                flat: Some("bias-trigger-events"),
                task: Some("bias-detection-trigger-events"),
                all: &["bias-trigger-events", "bias-detection-trigger-events"],
            },
            Role::AutomlTrigger => Row {
                name: "automl-trigger",
                title: "AutoML trigger",
                form: Some("automl-trigger-events"),
                flat: Some("automl-trigger-events"),
                task: Some("automl-trigger-events"),
                all: &["automl-trigger-events"],
            },
            Role::XaiTrigger => Row {
                name: "xai-trigger",
                title: "XAI trigger",
                form: Some("xai-events"),
                flat: Some("xai-trigger-events"),
                task: Some("xai-trigger-events"),
                // `xai-events` carries completions too; reading the role reads the topic that is
                // its own, and the seed's trigger is read with the role `xai`.
                all: &["xai-trigger-events"],
            },
            Role::DriftTrigger => Row {
                name: "drift-trigger",
                title: "Concept drift trigger",
                form: None,
                flat: None,
                task: Some("concept-drift-trigger-events"),
                all: &["concept-drift-trigger-events"],
            },
            Role::Model => Row {
                name: "model",
                title: "Model",
                form: None,
                flat: Some("model-events"),
                task: Some("model-events"),
                all: &["model-events"],
            },
        }
    }

    /// The word for it on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The word for it in the pretty form's first line.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// The topic in one generation; `None` where that generation has none.
    #[must_use]
    pub const fn topic(self, dialect: Dialect) -> Option<&'static str> {
        match dialect {
            Dialect::Form => self.row().form,
            Dialect::Flat => self.row().flat,
            Dialect::Task => self.row().task,
        }
    }

    /// The topics of all generations, oldest first.
    #[must_use]
    pub const fn topics(self) -> &'static [&'static str] {
        self.row().all
    }

    /// Whether its events start a step.
    #[must_use]
    pub const fn is_trigger(self) -> bool {
        matches!(
            self,
            Role::BiasTrigger | Role::AutomlTrigger | Role::XaiTrigger | Role::DriftTrigger
        )
    }

    /// The role that a topic's default name belongs to.
    #[must_use]
    pub fn of_topic(topic: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.topics().contains(&topic))
    }

    /// Every default topic name of every role, each once.
    pub fn all_topics() -> impl Iterator<Item = &'static str> {
        Role::ALL.into_iter().flat_map(|role| role.topics().iter().copied())
    }

    /// Returns the topics that the service itself uses, in every generation, each once.
    pub fn service_topics() -> impl Iterator<Item = &'static str> {
        let roles = Role::ALL.into_iter().filter(|role| role.is_of_service());
        roles.flat_map(|role| role.topics().iter().copied())
    }

    /// Whether the service has the role in some generation. A system without the topics of the
    /// others is complete.
    #[must_use]
    pub const fn is_of_service(self) -> bool {
        !matches!(self, Role::Model)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| format!("{text:?} is no role"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_topic_belongs_to_one_role() {
        let mut topics: Vec<&str> = Role::all_topics().collect();
        topics.sort_unstable();
        let count = topics.len();
        topics.dedup();
        assert_eq!(topics.len(), count, "a topic stands in two roles");
        for topic in topics {
            assert!(Role::of_topic(topic).is_some_and(|role| role.topics().contains(&topic)));
        }
    }

    #[test]
    fn a_generations_topic_is_among_the_roles_topics() {
        for role in Role::ALL {
            for dialect in Dialect::ALL {
                let shared = role == Role::XaiTrigger && dialect == Dialect::Form;
                if let Some(topic) = role.topic(dialect).filter(|_| !shared) {
                    assert!(role.topics().contains(&topic), "{role} {dialect}");
                }
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().unwrap(), role);
        }
        for dialect in Dialect::ALL {
            assert_eq!(dialect.name().parse::<Dialect>().unwrap(), dialect);
        }
    }
}
