//! The topics that the API's dialect needs: whether they are there, led, replicated, and what may be
//! done with them.

use super::finding::{Area, Finding};
use super::survey::Survey;
use crate::base::Kind;
use crate::kafka::wire::{ClusterView, PartitionState, Rights, TopicState};

/// Judges the topics that somebody needs. `dialect` is the word for who needs them, where known:
/// without it nothing has to be there.
pub(super) fn judge(survey: &Survey, wanted: &[String], dialect: Option<&str>) -> Vec<Finding> {
    let Some(cluster) = &survey.cluster else { return Vec::new() };
    let state = |name: &String| cluster.topics.iter().find(|(known, _)| known == name);
    let all: Vec<&(String, TopicState)> = wanted.iter().filter_map(state).collect();
    let of = |is: &dyn Fn(&TopicState) -> bool| -> Vec<&str> {
        all.iter().filter(|(_, state)| is(state)).map(|(name, _)| name.as_str()).collect()
    };
    let mut findings = Vec::new();
    let there = of(&|state| matches!(state, TopicState::There { .. }));
    if !there.is_empty() {
        findings.push(Finding::good(Area::Topics, count(&there), summary(&all, dialect)));
    }
    let missing = of(&|state| *state == TopicState::Missing);
    if !missing.is_empty() && dialect.is_some() {
        findings.push(missing_topics(&missing, survey.makes_topics));
    } else if there.is_empty() && dialect.is_none() {
        let seen = "none of any generation is there";
        findings.push(Finding::good(Area::Topics, "0 topics", seen).odd(
            "missing-topic",
            "they appear with the first events, or with: dwctl topics NAME --create",
        ));
    }
    let hidden = of(&|state| *state == TopicState::Hidden);
    findings.extend(denied(&hidden, "may not be seen", "no-describe", "--operation Describe"));
    let lacks = |right: fn(Rights) -> Option<bool>| {
        of(
            &move |state| matches!(state, TopicState::There { rights, .. } if right(*rights) == Some(false)),
        )
    };
    let unread = lacks(Rights::may_read);
    findings.extend(denied(&unread, "may not be read", "no-read", "--operation Read"));
    let unwritten = lacks(Rights::may_write);
    findings.extend(denied(&unwritten, "may not be written to", "no-write", "--operation Write"));
    findings.extend(partitions(&all, cluster));
    findings
}

fn count(names: &[&str]) -> String {
    match names {
        [one] => (*one).to_owned(),
        many => format!("{} topics", many.len()),
    }
}

fn states<'a>(
    all: &'a [&(String, TopicState)],
) -> impl Iterator<Item = (&'a str, &'a [PartitionState])> {
    all.iter().filter_map(|(name, state)| match state {
        TopicState::There { partitions, .. } => Some((name.as_str(), partitions.as_slice())),
        _ => None,
    })
}

/// `of the task dialect, 1 to 3 partitions, 1 replica`.
fn summary(all: &[&(String, TopicState)], dialect: Option<&str>) -> String {
    let range = |numbers: Vec<usize>, word: &str| {
        let (least, most) = (numbers.iter().min(), numbers.iter().max());
        match (least.copied().unwrap_or(0), most.copied().unwrap_or(0)) {
            (1, 1) => format!("1 {word}"),
            (least, most) if least == most => format!("{least} {word}s"),
            (least, most) => format!("{least} to {most} {word}s"),
        }
    };
    let partitions = states(all).map(|(_, partitions)| partitions.len()).collect();
    let replicas = states(all).flat_map(|(_, partitions)| partitions).map(|p| p.replicas).collect();
    let whose = dialect.map_or_else(String::new, |dialect| format!("of the {dialect} dialect, "));
    format!(
        "{whose}{} each, {} of each",
        range(partitions, "partition"),
        range(replicas, "replica")
    )
}

fn missing_topics(missing: &[&str], makes_topics: Option<bool>) -> Finding {
    let names = missing.join(", ");
    let create = format!("dwctl topics {} --create", missing[0]);
    let finding = |seen| Finding::good(Area::Topics, count(missing), seen);
    match makes_topics {
        Some(false) => finding(format!(
            "missing, and the brokers make none by themselves: {names}"
        ))
        .bad("missing-topic", Kind::CheckFailed, format!("make them: {create}")),
        Some(true) => finding(format!("missing, and made by their first event: {names}")).odd(
            "missing-topic",
            format!("a reader that must not miss the first event wants it before: {create}"),
        ),
        None => finding(format!("missing: {names}")).odd("missing-topic", create),
    }
}

fn denied(names: &[&str], what: &str, fault: &'static str, operation: &str) -> Option<Finding> {
    let first = names.first()?;
    let seen = format!("{what} with this login: {}", names.join(", "));
    Some(Finding::good(Area::Topics, count(names), seen).bad(
        fault,
        Kind::Denied,
        format!("kafka-acls --add --allow-principal User:NAME {operation} --topic {first}"),
    ))
}

/// Partitions that nobody leads, and those with fewer copies than they should have.
fn partitions(all: &[&(String, TopicState)], cluster: &ClusterView) -> Vec<Finding> {
    let named = |is: &dyn Fn(&PartitionState) -> bool| -> Vec<String> {
        states(all)
            .flat_map(|(name, partitions)| {
                partitions.iter().filter(|p| is(p)).map(move |p| format!("{name}[{}]", p.id))
            })
            .collect()
    };
    let mut findings = Vec::new();
    let tell = |places: &[String], what: &str| {
        let subject = match places {
            [one] => one.clone(),
            many => format!("{} partitions", many.len()),
        };
        Finding::good(Area::Topics, subject, format!("{what}: {}", places.join(", ")))
    };
    let leaderless = named(&|partition| partition.leader < 0);
    if !leaderless.is_empty() {
        findings.push(tell(&leaderless, "without a leader").bad(
            "no-leader",
            Kind::CheckFailed,
            "a broker that holds them is away: start it",
        ));
    }
    let behind =
        named(&|partition| partition.leader >= 0 && partition.in_sync < partition.replicas);
    if !behind.is_empty() {
        findings.push(
            tell(&behind, "not all copies are in step")
                .odd("under-replicated", "a broker is away or slow: look at its log"),
        );
    }
    let single = named(&|partition| partition.replicas == 1);
    if cluster.brokers.len() > 1 && !single.is_empty() {
        findings.push(tell(&single, "one copy only, on a cluster of several brokers").odd(
            "one-replica",
            "each is away whenever its broker is: kafka-reassign-partitions, or make them anew",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(topics: Vec<(&str, TopicState)>, makes_topics: Option<bool>) -> Survey {
        let topics = topics.into_iter().map(|(name, state)| (name.to_owned(), state)).collect();
        Survey {
            bootstrap: Vec::new(),
            cluster: Some(ClusterView { topics, ..ClusterView::default() }),
            advertised: Vec::new(),
            makes_topics,
            groups: None,
            group: None,
        }
    }

    fn there(leader: i32, replicas: usize, in_sync: usize) -> TopicState {
        let partition = PartitionState { id: 0, leader, replicas, in_sync };
        TopicState::There { partitions: vec![partition], rights: Rights::default() }
    }

    fn faults(survey: &Survey) -> Vec<(&'static str, bool)> {
        let wanted = ["a".to_owned(), "b".to_owned()];
        judge(survey, &wanted, Some("task"))
            .iter()
            .filter_map(|found| Some((found.trouble()?.fault, found.is_bad())))
            .collect()
    }

    #[test]
    fn a_topic_that_is_missing_matters_where_nobody_makes_it() {
        let topics = || vec![("a", there(1, 1, 1)), ("b", TopicState::Missing)];
        for (makes, is_bad) in [(Some(false), true), (Some(true), false), (None, false)] {
            assert_eq!(faults(&survey(topics(), makes)), [("missing-topic", is_bad)], "{makes:?}");
        }
    }

    #[test]
    fn partitions_without_a_leader_and_without_copies_are_told() {
        let topics = vec![("a", there(-1, 1, 0)), ("b", there(1, 3, 2))];
        let found = faults(&survey(topics, None));
        assert_eq!(found, [("no-leader", true), ("under-replicated", false)]);
        let hidden = vec![("a", TopicState::Hidden), ("b", there(1, 1, 1))];
        assert_eq!(faults(&survey(hidden, None)), [("no-describe", true)]);
    }
}
