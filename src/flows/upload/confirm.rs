//! Waiting for the event that an upload causes: the ends of the topics on which it can come are fixed
//! before the upload, so that nothing from before counts and nothing after is missed.

use std::time::Duration;

use crate::base::{Deadline, Failure, Kind, Shutdown};
use crate::flows::follow::{
    FollowPlan, Notice, Position, RecordSink, Source, Stop, StopRules, Taken, fix_ends_in, follow,
};
use crate::kafka::{KafkaError, Properties, Record, Session, TopicId};
use crate::schema::document::Document;
use crate::schema::model::Model;
use crate::schema::role::{Dialect, Role};

/// How to wait for the event.
#[derive(Clone, Debug)]
pub struct Confirmation {
    pub kafka: Properties,
    /// The topic that was set for the role, in place of the dialect's.
    pub topic: Option<String>,
    pub patience: Duration,
    pub shutdown: Shutdown,
}

/// Bytes of an upload that a server stores in a second, at least.
const STORED_PER_SECOND: u64 = 16 * 1024 * 1024;

impl Confirmation {
    /// Maximum time from the last byte of an upload to the reply: the patience with the event, and
    /// what the server needs to store so many bytes. A service whose broker was away when it started
    /// stores an upload and never answers (contract B2).
    pub(super) fn answer_within(&self, bytes: u64) -> Duration {
        self.patience.saturating_add(Duration::from_secs(bytes / STORED_PER_SECOND))
    }
}

/// What the event must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `model.uploaded` of this very version.
    Flat { user_id: String, model_id: String, version: String },
    /// The envelope of this task.
    Envelope { task_id: String },
}

impl Wanted {
    pub fn of(model: &Model, task_id: Option<&str>) -> Self {
        match task_id {
            Some(task_id) => Self::Envelope { task_id: task_id.to_owned() },
            None => Self::Flat {
                user_id: model.user_id.clone(),
                model_id: model.model_id.clone(),
                version: model.version.clone(),
            },
        }
    }

    fn is_met(&self, event: &Document) -> bool {
        let is = |field: &str, wanted: &str| event.string(&[field]).as_deref() == Some(wanted);
        match self {
            Self::Flat { user_id, model_id, version } => {
                is("event_type", "model.uploaded")
                    && is("user_id", user_id)
                    && is("model_id", model_id)
                    && is("version", version)
            }
            Self::Envelope { task_id } => is("task_id", task_id),
        }
    }
}

/// An event that was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    /// The event as it was sent.
    pub value: String,
}

impl std::fmt::Display for Confirmed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]@{}", self.topic, self.partition, self.offset)
    }
}

/// A place in every topic on which the event can come; from there on it counts.
#[derive(Clone, Debug)]
pub(super) struct Watchpoint {
    /// Where the event belongs.
    topic: String,
    sources: Vec<Source>,
    from: Position,
}

impl Watchpoint {
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Fixes the ends of a topic and of the role's other names, under which an API of another
    /// configuration sends (contract B26); one that does not exist yet counts from its first record.
    /// Blocks.
    pub fn fix(
        confirmation: &Confirmation,
        topic: &str,
        deadline: Deadline,
    ) -> Result<Self, KafkaError> {
        let sources = Source::all_of_role(Role::Automl, confirmation.topic.as_deref());
        let session = Session::open(&confirmation.kafka)?;
        let cluster = session.cluster(deadline)?;
        if cluster.topic(topic).is_none() {
            if let Some(denied) = session.denial_of(topic, deadline) {
                return Err(denied);
            }
            // The event could not be read once its topic exists.
            session.check_advertised(&cluster, deadline)?;
        }
        let ends = fix_ends_in(&session, &cluster, &sources, deadline)?;
        Ok(Self { topic: topic.to_owned(), sources, from: Position::After(ends) })
    }

    /// Reads until the event comes. Blocks.
    ///
    /// # Errors
    /// It does not come in time, it tells of a failure, or the brokers cannot be used.
    pub fn wait(
        self,
        confirmation: &Confirmation,
        wanted: Wanted,
        deadline: Deadline,
    ) -> Result<Confirmed, Failure> {
        let mut seeker = Seeker { wanted, found: None, failure: None };
        let plan = FollowPlan {
            stop: StopRules { count: Some(1), ..StopRules::default() },
            ..FollowPlan::new(self.sources.clone(), self.from.clone())
        };
        let deadline = deadline.within(confirmation.patience);
        let outcome =
            follow(&confirmation.kafka, &plan, &mut seeker, &confirmation.shutdown, deadline)?;
        match (seeker.found, seeker.failure, outcome.stop) {
            (Some(found), None, _) => Ok(found),
            (Some(found), Some(failure), _) => {
                let message = format!("the event {found} tells of a failure: {failure}");
                Err(Failure::new(Kind::CheckFailed, message))
            }
            (None, _, Stop::Shutdown) => Err(Failure::new(Kind::Interrupted, "stopped")),
            (None, ..) => Err(Failure::new(Kind::Deadline, self.absence())),
        }
    }

    fn absence(&self) -> String {
        let others: Vec<&str> = self
            .sources
            .iter()
            .flat_map(Source::candidates)
            .filter(|name| *name != self.topic)
            .collect();
        let (topic, others) = (&self.topic, others.join(", "));
        format!("no event of it came on {topic} in time, nor on {others}")
    }
}

/// Returns what to say of an event that came on another topic than its own.
pub(super) fn wrong_topic(event: &Confirmed, topic: &str) -> Option<String> {
    (event.topic != topic).then(|| other_topic(Role::Automl, &event.topic, topic))
}

/// Returns what an event on another name of a role's topic means: the API's environment names it.
#[must_use]
pub fn other_topic(role: Role, found: &str, expected: &str) -> String {
    let is_older = role.topic(Dialect::Flat) == Some(found);
    let variable = role.name().replace('-', "_").to_uppercase();
    let whose = if is_older { "the topic of an older generation" } else { "another topic" };
    format!(
        "the event came on {found}, {whose}, not on {expected}: KAFKA_{variable}_TOPIC in the API's environment says so; unset it there, since readers of {expected} miss these events"
    )
}

/// Looks at every record and keeps the one that is wanted.
struct Seeker {
    wanted: Wanted,
    found: Option<Confirmed>,
    /// What the event says of a failure.
    failure: Option<String>,
}

impl RecordSink for Seeker {
    fn topic(&mut self, _: TopicId, _: &str, _: Option<Role>) {}

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        // What is no JSON is nobody's event.
        let Ok(event) = Document::parse(record.value.unwrap_or_default()) else {
            return Ok(Taken::Skipped);
        };
        if !self.wanted.is_met(&event) {
            return Ok(Taken::Skipped);
        }
        self.failure = event
            .find(&["failure"])
            .filter(|failure| *failure != b"null")
            .map(|failure| String::from_utf8_lossy(failure).into_owned());
        self.found = Some(Confirmed {
            topic: record.topic.to_owned(),
            partition: record.partition,
            offset: record.offset,
            value: event.text().to_owned(),
        });
        Ok(Taken::Counted)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(wanted: &Wanted, text: &str) -> bool {
        wanted.is_met(&Document::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_reply_is_waited_for_as_long_as_the_event_and_longer_for_more_bytes() {
        let confirmation = Confirmation {
            kafka: Properties::new("127.0.0.1:1"),
            topic: None,
            patience: Duration::from_secs(15),
            shutdown: Shutdown::new(),
        };
        for (bytes, seconds) in [(1, 15), (1 << 30, 79), (100 << 30, 6_415)] {
            assert_eq!(confirmation.answer_within(bytes), Duration::from_secs(seconds), "{bytes}");
        }
    }

    #[test]
    fn only_the_event_of_this_version_counts() {
        let wanted =
            Wanted::Flat { user_id: "u".into(), model_id: "m".into(), version: "v2".into() };
        let event = |version: &str| {
            format!(
                r#"{{"event_type":"model.uploaded","user_id":"u","model_id":"m","version":"{version}"}}"#
            )
        };
        assert!(met(&wanted, &event("v2")) && !met(&wanted, &event("v1")));
        assert!(!met(
            &wanted,
            r#"{"event_type":"model.updated","user_id":"u","model_id":"m","version":"v2"}"#
        ));
    }

    #[test]
    fn an_envelope_is_known_by_its_task() {
        let wanted = Wanted::Envelope { task_id: "T-1".into() };
        assert!(met(&wanted, r#"{"task_id":"T-1","failure":null}"#));
        assert!(!met(&wanted, r#"{"task_id":"T-2"}"#));
    }
}
