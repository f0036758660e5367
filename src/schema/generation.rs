//! Which generations of the service an event can belong to, and what narrows them: the topics that
//! exist, and what the API speaks. Pure (DESIGN's table of dialects and topics).

use std::fmt;
use std::str::FromStr;

use super::role::{Dialect, Role};

/// A set of dialects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialectSet(u8);

impl DialectSet {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0b111);

    /// Returns the set of one dialect.
    #[must_use]
    pub const fn only(dialect: Dialect) -> Self {
        Self(1 << dialect as u8)
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn contains(self, dialect: Dialect) -> bool {
        self.0 & Self::only(dialect).0 != 0
    }

    /// Returns the dialects that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the dialects of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Iterates over the dialects, oldest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Dialect> {
        Dialect::ALL.into_iter().filter(move |dialect| self.contains(*dialect))
    }

    #[must_use]
    pub fn oldest(self) -> Option<Dialect> {
        self.iter().next()
    }

    #[must_use]
    pub fn newest(self) -> Option<Dialect> {
        self.iter().next_back()
    }

    /// Whether it has more than one dialect.
    #[must_use]
    pub const fn is_several(self) -> bool {
        self.0.count_ones() > 1
    }

    /// Returns `form or flat`, for messages.
    #[must_use]
    pub fn choices(self) -> String {
        let names: Vec<&str> = self.iter().map(Dialect::name).collect();
        match names.as_slice() {
            [] => "none".to_owned(),
            [one] => (*one).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }
}

impl FromIterator<Dialect> for DialectSet {
    fn from_iter<I: IntoIterator<Item = Dialect>>(dialects: I) -> Self {
        dialects.into_iter().fold(Self::NONE, |set, dialect| set.union(Self::only(dialect)))
    }
}

impl fmt::Display for DialectSet {
    /// `form,flat,task`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Dialect::name).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for DialectSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(str::parse).collect()
    }
}

/// Returns the `event_type` that a role's event has in a dialect; `None` if that dialect has none.
#[must_use]
pub const fn event_type(role: Role, dialect: Dialect) -> Option<&'static str> {
    let [form, flat, task] = match role {
        Role::Automl => [Some("model.uploaded"), Some("model.uploaded"), Some("automl-complete")],
        Role::Bias => {
            [Some("bias.reported"), Some("bias.reported"), Some("bias-detection-complete")]
        }
        Role::Xai => [Some("xai.trigger"), Some("xai.reported"), Some("xai-complete")],
        Role::Dataset => [Some("dataset.uploaded"); 3],
        Role::Drift => [None, None, Some("concept-drift-complete")],
        Role::BiasTrigger => [None, Some("bias-trigger.reported"), Some("bias-detection-trigger")],
        Role::AutomlTrigger => [
            Some("automl-trigger.reported"),
            Some("automl-trigger.reported"),
            Some("automl-trigger"),
        ],
        Role::XaiTrigger => {
            [Some("xai.trigger"), Some("xai-trigger.reported"), Some("xai-trigger")]
        }
        Role::DriftTrigger => [None, None, Some("concept-drift-trigger")],
        Role::Model => [None, Some("model.updated"), Some("model.updated")],
    };
    match dialect {
        Dialect::Form => form,
        Dialect::Flat => flat,
        Dialect::Task => task,
    }
}

/// Returns the dialects that have an event for a role.
#[must_use]
pub fn dialects_of_role(role: Role) -> DialectSet {
    let has = |dialect: &Dialect| event_type(role, *dialect).is_some();
    Dialect::ALL.into_iter().filter(has).collect()
}

/// Returns the dialects that use a topic, in whatever role; none for a topic that is not the
/// service's.
#[must_use]
pub fn dialects_of_topic(topic: &str) -> DialectSet {
    let uses =
        |dialect: &Dialect| Role::ALL.into_iter().any(|role| role.topic(*dialect) == Some(topic));
    Dialect::ALL.into_iter().filter(uses).collect()
}

/// Returns the dialects that may be in use on a cluster: those that use every topic of the service
/// that exists. All of them, if none exists or several generations have left theirs.
#[must_use]
pub fn dialects_of_cluster(exists: impl Fn(&str) -> bool) -> DialectSet {
    let used = service_topics()
        .filter(|topic| exists(topic))
        .fold(DialectSet::ALL, |left, topic| left.intersection(dialects_of_topic(topic)));
    if used.is_empty() { DialectSet::ALL } else { used }
}

/// Returns the dialects that the existing topics of one role belong to; all, if none exists.
#[must_use]
pub fn dialects_of_role_topics(role: Role, exists: impl Fn(&str) -> bool) -> DialectSet {
    let own = Dialect::ALL.into_iter().filter_map(|dialect| role.topic(dialect));
    let used = own
        .filter(|topic| exists(topic))
        .fold(DialectSet::NONE, |all, topic| all.union(dialects_of_topic(topic)));
    if used.is_empty() { DialectSet::ALL } else { used }
}

fn service_topics() -> impl Iterator<Item = &'static str> {
    Role::ALL
        .into_iter()
        .filter(|role| role.is_of_service())
        .flat_map(|role| Dialect::ALL.into_iter().filter_map(move |dialect| role.topic(dialect)))
}

/// The dialects that are left for one event, while evidence narrows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialectCandidates {
    role: Role,
    left: DialectSet,
}

impl DialectCandidates {
    /// Begins with every dialect that has the event.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self { role, left: dialects_of_role(role) }
    }

    #[must_use]
    pub fn left(&self) -> DialectSet {
        self.left
    }

    /// Takes evidence into account.
    ///
    /// # Errors
    /// No dialect is left: the evidence contradicts what was known before.
    pub fn narrow(&mut self, evidence: DialectSet) -> Result<(), Contradiction> {
        let left = self.left.intersection(evidence);
        if left.is_empty() {
            return Err(Contradiction { known: self.left, evidence });
        }
        self.left = left;
        Ok(())
    }

    /// Returns the dialect, once all that are left have the same event on the same topic.
    #[must_use]
    pub fn decided(&self) -> Option<Dialect> {
        let first = self.left.oldest()?;
        let event = |dialect| (event_type(self.role, dialect), self.role.topic(dialect));
        self.left.iter().all(|dialect| event(dialect) == event(first)).then_some(first)
    }
}

/// Evidence that leaves no dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction {
    pub known: DialectSet,
    pub evidence: DialectSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics_of(dialect: Dialect) -> Vec<&'static str> {
        Role::ALL.into_iter().filter_map(|role| role.topic(dialect)).collect()
    }

    #[test]
    fn a_role_has_an_event_exactly_where_it_has_a_topic() {
        for role in Role::ALL {
            for dialect in Dialect::ALL {
                let is_event = event_type(role, dialect).is_some();
                assert_eq!(is_event, role.topic(dialect).is_some(), "{role} {dialect}");
            }
        }
    }

    #[test]
    fn the_topics_of_one_generation_tell_it() {
        for (dialect, told) in
            [(Dialect::Form, "form,flat"), (Dialect::Flat, "flat"), (Dialect::Task, "task")]
        {
            let topics = topics_of(dialect);
            let found = dialects_of_cluster(|name| topics.contains(&name));
            assert_eq!(found.to_string(), told);
        }
    }

    #[test]
    fn no_topic_and_topics_of_several_generations_tell_nothing() {
        assert_eq!(dialects_of_cluster(|_| false), DialectSet::ALL);
        assert_eq!(dialects_of_cluster(|_| true), DialectSet::ALL);
        assert_eq!(dialects_of_cluster(|name| name == "dataset-events"), DialectSet::ALL);
        assert_eq!(dialects_of_cluster(|name| name == "mine"), DialectSet::ALL);
    }

    #[test]
    fn a_topic_of_completions_does_not_make_the_seeds_trigger() {
        let exists = |name: &str| ["xai-events", "automl-events"].contains(&name);
        let own = dialects_of_role_topics(Role::XaiTrigger, exists);
        assert_eq!(own.to_string(), "form,flat");
    }

    #[test]
    fn a_choice_is_made_once_all_that_is_left_is_one_event() {
        for (role, evidence, decided) in [
            (Role::Bias, "form,flat", Some(Dialect::Form)),
            (Role::Xai, "form,flat", None),
            (Role::Xai, "flat", Some(Dialect::Flat)),
            (Role::AutomlTrigger, "flat,task", None),
            (Role::BiasTrigger, "form,flat", Some(Dialect::Flat)),
            (Role::Drift, "form,flat,task", Some(Dialect::Task)),
        ] {
            let mut choice = DialectCandidates::new(role);
            choice.narrow(evidence.parse().unwrap()).unwrap();
            assert_eq!(choice.decided(), decided, "{role} {evidence}");
        }
    }

    #[test]
    fn evidence_that_leaves_nothing_is_a_contradiction() {
        let mut choice = DialectCandidates::new(Role::Bias);
        choice.narrow(DialectSet::only(Dialect::Task)).unwrap();
        let contradiction = choice.narrow("form,flat".parse().unwrap()).unwrap_err();
        assert_eq!(contradiction.known, DialectSet::only(Dialect::Task));
        assert_eq!(choice.decided(), Some(Dialect::Task), "what was known stays");
    }

    #[test]
    fn sets_are_read_back() {
        for text in ["form", "form,flat,task", "flat,task"] {
            assert_eq!(text.parse::<DialectSet>().unwrap().to_string(), text);
        }
        assert!("form,".parse::<DialectSet>().is_err());
        assert_eq!(DialectSet::ALL.choices(), "form, flat or task");
    }
}
