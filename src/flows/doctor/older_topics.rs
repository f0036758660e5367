//! Whether an API of tasks publishes on the topics of an older generation: an example file of the
//! service sets their names, and then successes go there and failures elsewhere (contract B26).

use std::time::Duration;

use super::finding::{Area, Finding};
use super::survey::Survey;
use crate::base::{Deadline, Failure, Shutdown, Stamp};
use crate::flows::follow::{
    FollowPlan, Newest, Notice, Position, RecordSink, Source, Taken, follow,
};
use crate::kafka::wire::TopicState;
use crate::kafka::{Properties, Record, TopicId};
use crate::schema::json;
use crate::schema::role::{Dialect, Role};

/// How long the look at the newest records may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns the topics of older generations that exist, with their roles.
pub(super) fn existing(survey: &Survey) -> Vec<(Role, &'static str)> {
    let Some(cluster) = &survey.cluster else { return Vec::new() };
    let exists = |name: &str| {
        let is_there = |state: &TopicState| matches!(state, TopicState::There { .. });
        cluster.topics.iter().any(|(known, state)| known == name && is_there(state))
    };
    Role::ALL
        .into_iter()
        .filter(|role| !role.is_trigger() && role.topic(Dialect::Flat) != role.topic(Dialect::Task))
        .filter_map(|role| Some((role, role.topic(Dialect::Flat)?)))
        .filter(|(_, topic)| exists(topic))
        .collect()
}

/// Looks at the newest record of each partition of these topics. Blocks.
pub(super) fn examine(
    properties: &Properties,
    topics: &[(Role, &'static str)],
    deadline: Deadline,
) -> Vec<Finding> {
    let sources = topics.iter().map(|(_, topic)| Source::Topic((*topic).to_owned())).collect();
    let plan = FollowPlan {
        newest: Some(Newest::OfEachPartition(1)),
        ..FollowPlan::new(sources, Position::End)
    };
    let mut envelopes = Envelopes::default();
    // What cannot be read is named where rights are looked at; what was found is found.
    let _ = follow(properties, &plan, &mut envelopes, &Shutdown::new(), deadline.within(PATIENCE));
    let found = topics.iter().filter_map(|(role, topic)| {
        let (_, millis) = envelopes.0.iter().filter(|(name, _)| name == topic).max()?;
        Some(describe(*role, topic, *millis))
    });
    found.collect()
}

fn describe(role: Role, topic: &str, millis: i64) -> Finding {
    let expected = role.topic(Dialect::Task).unwrap_or_default();
    let variable = role.name().to_uppercase();
    let time = Stamp::from_micros(millis.saturating_mul(1_000)).aware();
    let seen = format!(
        "the topic of an older generation, and its newest record ({time}) is an envelope: this API publishes there, not on {expected}"
    );
    Finding::good(Area::Topics, topic, seen).odd(
        "older-topic-in-use",
        format!("unset KAFKA_{variable}_TOPIC in the API's environment and restart it: readers of {expected} miss these events"),
    )
}

/// The topics whose newest records are envelopes, with their times.
#[derive(Default)]
struct Envelopes(Vec<(String, i64)>);

impl RecordSink for Envelopes {
    fn topic(&mut self, _: TopicId, _: &str, _: Option<Role>) {}

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        let value = record.value.unwrap_or_default();
        let has = |name: &str| json::find(value, &[name]).is_some();
        if has("task_id") && has("event_type") && (has("output") || has("failure")) {
            let millis = record.timestamp.map_or(0, |(millis, _)| millis);
            self.0.push((record.topic.to_owned(), millis));
        }
        Ok(Taken::Counted)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice<'_>) {}
}
