//! What a request's head says beyond its path: the task that it belongs to, and with it the dialect
//! that answers. Failures of a task's request are announced, too.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::App;
use super::refusal::Refused;
use crate::base::Stamp;
use crate::schema::events::{Envelope, Event, StepOutput};
use crate::schema::role::Dialect;
use crate::serve::store::OutboxEvent;

const TASK_ID: &str = "X-Task-ID";

/// Who answers, and for which task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub dialect: Dialect,
    /// Only in the `task` dialect; an empty header is none.
    pub task_id: Option<String>,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let task_id = parts
            .headers
            .get(TASK_ID)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .filter(|id| !id.is_empty() && app.spoken.has(Dialect::Task));
        Ok(Self { dialect: app.spoken.answers(task_id.is_some()), task_id })
    }
}

impl Asked {
    /// The paths without a user know no tasks.
    pub fn form() -> Self {
        Self { dialect: Dialect::Form, task_id: None }
    }

    /// Returns the scope of a request whose body is of this dialect. A task decides; without one the
    /// form of the body does.
    pub fn in_form_of(self, dialect: Dialect) -> Self {
        let dialect = if self.task_id.is_some() { self.dialect } else { dialect };
        Self { dialect, ..self }
    }

    /// Announces a refusal as the failure of the task's step, and gives the outcome back. The service
    /// does so for a few failures only, so that whoever waits for the task waits for ever (contract
    /// B5); a request that does not fit its form (422) is no step at all.
    pub async fn settle<O: StepOutput, T>(
        &self,
        app: &App,
        outcome: Result<T, Refused>,
    ) -> Result<T, Refused> {
        if let Err(refused) = &outcome
            && let Some(task_id) = &self.task_id
            && let Some(sentence) = refused.sentence()
        {
            let now = app.clock.now();
            let event = Envelope::<O>::failure(task_id, sentence, now);
            if let Err(error) = app.store.add_event(outgoing(&event, Dialect::Task, now)).await {
                app.reporter.trouble(&format!(
                    "the failure of task {task_id} cannot be announced: {error}"
                ));
            }
        }
        outcome
    }
}

/// An event on its way to its role's topic.
pub(super) fn outgoing<E: Event>(event: &E, dialect: Dialect, now: Stamp) -> OutboxEvent {
    let topic = E::ROLE.topic(dialect).unwrap_or_default();
    // The events' types hold nothing that JSON cannot carry.
    let value = event.to_json().unwrap_or_default();
    OutboxEvent { topic: topic.to_owned(), key: event.key(), value, created: now }
}
