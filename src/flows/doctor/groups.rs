//! The groups of the pipeline's workers: whether ours may be joined, and how far each is behind.
//! None of them is joined.

use super::finding::{Area, Finding};
use super::survey::Survey;
use crate::base::duration::spoken;
use crate::base::{Clock, Deadline, Kind};
use crate::flows::lag::{GroupLag, measure_lag};
use crate::kafka::wire::{ClusterView, GroupState};
use crate::kafka::{KafkaError, Properties};

/// Groups that the service's own workers are known to use.
const WORKERS: &[&str] = &[
    "automl-consumer",
    "xai-consumer",
    "bias-trigger-consumer",
    "concept-drift-consumer",
    "agentic-core-dataset-consumer",
    "agentic-core-bias-consumer",
    "agentic-core-automl-consumer",
    "agentic-core-concept-drift-consumer",
    "agentic-core-xai-consumer",
];

/// Judges the group of `forward` and those of the workers that are there. Blocks.
pub(super) fn judge(
    survey: &Survey,
    properties: &Properties,
    group: &str,
    clock: &Clock,
    deadline: Deadline,
) -> Vec<Finding> {
    let Some(cluster) = &survey.cluster else { return Vec::new() };
    let own = of_state(survey, cluster, group);
    let is_denied = own.is_bad();
    let mut findings = vec![own];
    let names = survey.groups.as_deref().unwrap_or(&[]);
    let is_known = |name: &&String| name.as_str() == group || WORKERS.contains(&name.as_str());
    for name in names.iter().filter(is_known) {
        if is_denied && name == group {
            continue;
        }
        findings.extend(of_lag(measure_lag(properties, name, || clock.now(), deadline), name));
    }
    findings
}

fn of_state(survey: &Survey, cluster: &ClusterView, group: &str) -> Finding {
    let tell = |seen: String| Finding::good(Area::Groups, group, seen);
    let denied = |seen: &str| {
        tell(seen.to_owned()).bad(
            "no-join",
            Kind::Denied,
            format!(
                "kafka-acls --add --allow-principal User:NAME --operation Read --group {group}"
            ),
        )
    };
    match &survey.group {
        Some(GroupState::Denied) => denied("may not be joined with this login"),
        Some(GroupState::Described { rights, .. }) if rights.may_read() == Some(false) => {
            denied("may not be joined with this login")
        }
        Some(GroupState::Described { state, members, .. }) if state != "Dead" => {
            let plural = if *members == 1 { "" } else { "s" };
            tell(format!("may be joined: {state}, {members} member{plural}"))
        }
        Some(GroupState::Failing(code)) => {
            tell(format!("its coordinator answers with error {code} of Kafka's protocol"))
                .odd("group-failing", "the topic __consumer_offsets may have no leader")
        }
        Some(_) => tell("may be joined: nobody has been in it yet".to_owned()),
        None if cluster.is_embedded() => {
            tell("may be joined: the embedded broker lists no groups".to_owned())
        }
        None => tell("the brokers do not tell how it stands".to_owned())
            .odd("group-not-told", format!("try it: dwctl lag {group}")),
    }
}

fn of_lag(lag: Result<GroupLag, KafkaError>, name: &str) -> Option<Finding> {
    let lag = match lag {
        Ok(lag) => lag,
        // It was there a moment ago.
        Err(KafkaError::UnknownGroup { .. }) => return None,
        Err(error) => {
            let seen = format!("its lag cannot be measured: {error}");
            let fix = format!("try it: dwctl lag {name}");
            return Some(Finding::good(Area::Groups, name, seen).odd("lag-not-told", fix));
        }
    };
    if lag.partitions.is_empty() {
        return None;
    }
    let unread = lag.lag();
    let age = lag.age().map_or_else(String::new, |age| format!(", the oldest {} old", spoken(age)));
    let seen = format!("{unread} unread{age}");
    let finding = Finding::good(Area::Groups, name, seen);
    let is_alone =
        lag.facts.as_ref().is_some_and(|facts| facts.members == 0 && !facts.state.is_empty());
    Some(if is_alone && unread > 0 {
        finding.odd("nobody-reads", format!("start its worker; watch it: dwctl lag {name} --watch"))
    } else {
        finding
    })
}
