//! From what was named to topics that exist.

use super::filter::TextPattern;
use crate::base::Deadline;
use crate::kafka::{Cluster, KafkaError, Session, TopicFacts};
use crate::schema::role::Role;

/// What a person named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A role: the topic that was set for it, else all of its default names that exist.
    Role { role: Role, set: Option<String> },
    /// A topic by its name.
    Topic(String),
    /// Every topic whose name has the pattern; the cluster's own only where it begins with `^__`.
    Pattern(TextPattern),
}

impl Source {
    /// Returns sources for every name of a role's topic: the one that was set, and its default ones.
    #[must_use]
    pub fn all_of_role(role: Role, set: Option<&str>) -> Vec<Self> {
        let own = set.filter(|topic| !role.topics().contains(topic));
        let own = own.map(|topic| Self::Role { role, set: Some(topic.to_owned()) });
        own.into_iter().chain([Self::Role { role, set: None }]).collect()
    }

    /// The topics that it may mean.
    #[must_use]
    pub fn candidates(&self) -> Vec<&str> {
        match self {
            Source::Role { set: Some(topic), .. } | Source::Topic(topic) => vec![topic],
            Source::Role { role, set: None } => role.topics().to_vec(),
            Source::Pattern(pattern) => vec![pattern.text()],
        }
    }

    /// The one topic that it may mean, where it is one.
    pub(super) fn only_topic(&self) -> Option<&str> {
        match self {
            Source::Role { set: Some(topic), .. } | Source::Topic(topic) => Some(topic),
            Source::Role { set: None, .. } | Source::Pattern(_) => None,
        }
    }

    /// The topics of a cluster that it means.
    fn pick<'c>(&self, cluster: &'c Cluster) -> Vec<&'c TopicFacts> {
        match self {
            Source::Pattern(pattern) => {
                let own = pattern.text().starts_with("^__");
                let named = |topic: &&TopicFacts| {
                    (own || !topic.name.starts_with("__")) && pattern.is_in(topic.name.as_bytes())
                };
                cluster.topics.iter().filter(named).collect()
            }
            _ => self.candidates().into_iter().filter_map(|name| cluster.topic(name)).collect(),
        }
    }

    pub(super) fn role_of(&self, topic: &str) -> Option<Role> {
        match self {
            Source::Role { role, .. } => Some(*role),
            Source::Topic(_) | Source::Pattern(_) => Role::of_topic(topic),
        }
    }

    /// Whether its topic may still come into being, so that a live read waits for it.
    #[must_use]
    pub fn may_come(&self) -> bool {
        matches!(self, Source::Role { .. } | Source::Pattern(_))
    }
}

/// A topic to read and the title under which its records are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub topic: TopicFacts,
    /// The role's title; `None` for a topic that has none.
    pub role: Option<Role>,
}

/// What of the sources exists. Sources of which nothing exists are given back: they are waited for
/// or refused.
pub(super) struct Resolved<'s> {
    pub targets: Vec<Target>,
    pub missing: Vec<&'s Source>,
}

/// Matches sources against a cluster; a topic that two sources mean is read once.
pub(super) fn resolve<'s>(sources: &'s [Source], cluster: &Cluster) -> Resolved<'s> {
    let mut resolved = Resolved { targets: Vec::new(), missing: Vec::new() };
    for source in sources {
        let found = source.pick(cluster);
        if found.is_empty() {
            resolved.missing.push(source);
        }
        for topic in found {
            if resolved.targets.iter().all(|target| target.topic.name != topic.name) {
                let role = source.role_of(&topic.name);
                resolved.targets.push(Target { topic: topic.clone(), role });
            }
        }
    }
    resolved
}

/// The error for a source of which a topic may not be seen. Which topics a pattern means nobody says.
fn denial(source: &Source, session: &Session, deadline: Deadline) -> Option<KafkaError> {
    if matches!(source, Source::Pattern(_)) {
        return None;
    }
    source.candidates().into_iter().find_map(|name| session.denial_of(name, deadline))
}

/// Refuses to wait for topics that may not be seen, or that could not be read once they exist.
pub(super) fn refuse_vain_wait(
    missing: &[&Source],
    session: &Session,
    cluster: &Cluster,
    deadline: Deadline,
) -> Result<(), KafkaError> {
    match missing.iter().find_map(|source| denial(source, session, deadline)) {
        Some(denied) => Err(denied),
        None => session.check_advertised(cluster, deadline),
    }
}

/// The error for a source of which nothing exists.
pub(super) fn refusal(
    source: &Source,
    session: &Session,
    cluster: &Cluster,
    deadline: Deadline,
) -> KafkaError {
    if let Some(denied) = denial(source, session, deadline) {
        return denied;
    }
    match (source, source.candidates().as_slice()) {
        // What was typed can be a misspelt role as well.
        (Source::Topic(name), _) => {
            session.unknown_source(name, &Role::ALL.map(Role::name), cluster)
        }
        (_, [name]) => session.unknown_topic(name, cluster),
        (_, names) => session.unknown_topic(&names.join(" or "), cluster),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::PartitionFacts;

    fn cluster(names: &[&str]) -> Cluster {
        let partition = PartitionFacts { id: 0, leader: 1, replicas: vec![1], in_sync: vec![1] };
        let topic = |name: &&str| TopicFacts {
            name: (*name).to_owned(),
            partitions: vec![partition.clone()],
        };
        Cluster { brokers: Vec::new(), topics: names.iter().map(topic).collect() }
    }

    fn names(resolved: &Resolved<'_>) -> Vec<String> {
        resolved.targets.iter().map(|target| target.topic.name.clone()).collect()
    }

    #[test]
    fn a_role_means_all_of_its_topics_that_exist() {
        let sources = [Source::Role { role: Role::Automl, set: None }];
        let both = cluster(&["automl-events", "automl-complete-events", "other"]);
        assert_eq!(names(&resolve(&sources, &both)), ["automl-events", "automl-complete-events"]);
        assert_eq!(names(&resolve(&sources, &cluster(&["automl-events"]))), ["automl-events"]);
        assert_eq!(resolve(&sources, &cluster(&["other"])).missing.len(), 1);
    }

    #[test]
    fn a_topic_that_was_set_for_a_role_replaces_its_names() {
        let sources = [Source::Role { role: Role::Automl, set: Some("mine".into()) }];
        let resolved = resolve(&sources, &cluster(&["automl-events", "mine"]));
        assert_eq!(names(&resolved), ["mine"]);
        assert_eq!(resolved.targets[0].role, Some(Role::Automl));
    }

    #[test]
    fn a_pattern_means_the_topics_that_have_it_but_not_the_clusters_own() {
        let all = cluster(&["__consumer_offsets", "a-complete-events", "b-complete-events", "c"]);
        let named = |text: &str| {
            names(&resolve(&[Source::Pattern(TextPattern::regex(text).unwrap())], &all))
        };
        assert_eq!(named("^.*-complete-events"), ["a-complete-events", "b-complete-events"]);
        assert_eq!(named("^__"), ["__consumer_offsets"]);
        assert_eq!(named("^c$"), ["c"]);
        assert!(named("^x").is_empty());
    }

    #[test]
    fn a_topic_named_twice_is_read_once() {
        let sources =
            [Source::Role { role: Role::Bias, set: None }, Source::Topic("bias-events".into())];
        assert_eq!(names(&resolve(&sources, &cluster(&["bias-events"]))), ["bias-events"]);
    }
}
