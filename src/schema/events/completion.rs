//! Which events say that a step of the pipeline came to its end, and how.

use crate::schema::json;

/// The flat events that end a step. Envelopes are told by their fields, whatever their step is.
const FLAT: [&str; 4] = ["model.uploaded", "bias.reported", "xai.reported", "dataset.uploaded"];
/// The flat event of a step that failed, and the field with its reason.
const FLAT_FAILURE: (&str, &str) = ("dataset.upload.failed", "error_message");

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEnd<'v> {
    Success,
    /// What the event says of it, as it stands there.
    Failure(&'v [u8]),
}

impl<'v> StepEnd<'v> {
    /// Reads a record's value; `None` if the event ends no step: triggers, updates and deletions of
    /// models, and records that are no events of the pipeline.
    #[must_use]
    pub fn of(value: &'v [u8]) -> Option<Self> {
        let kind = json::find(value, &["event_type"])?;
        let is = |name: &str| kind == format!("\"{name}\"").as_bytes();
        if is(FLAT_FAILURE.0) {
            let reason = json::find(value, &[FLAT_FAILURE.1]).unwrap_or(kind);
            return Some(Self::Failure(reason));
        }
        if !FLAT.into_iter().any(is) && !is_envelope(value) {
            return None;
        }
        let failure = json::find(value, &["failure"]).filter(|raw| *raw != b"null");
        Some(failure.map_or(Self::Success, Self::Failure))
    }
}

/// Whether a value has the frame of a completion. An older sender leaves `failure` out.
fn is_envelope(value: &[u8]) -> bool {
    let has = |name: &str| json::find(value, &[name]).is_some();
    has("task_id") && has("event_type") && (has("output") || has("failure")) && !has("input")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(value: &str) -> Option<StepEnd<'_>> {
        StepEnd::of(value.as_bytes())
    }

    #[test]
    fn completions_of_every_generation_end_a_step() {
        for kind in FLAT {
            let value = format!(r#"{{"event_type":"{kind}","user_id":"u"}}"#);
            assert_eq!(end_of(&value), Some(StepEnd::Success), "{kind}");
        }
        for kind in ["automl-complete", "xai-complete", "a-step-of-tomorrow-complete"] {
            let value =
                format!(r#"{{"task_id":"T","event_type":"{kind}","output":{{}},"failure":null}}"#);
            assert_eq!(end_of(&value), Some(StepEnd::Success), "{kind}");
        }
    }

    #[test]
    fn a_failure_is_told_also_beside_an_output() {
        let value = r#"{"task_id":"T","event_type":"concept-drift-complete","output":{},"failure":{"error_type":"E"}}"#;
        assert_eq!(end_of(value), Some(StepEnd::Failure(br#"{"error_type":"E"}"#)));
        let value = r#"{"event_type":"dataset.upload.failed","error_message":"no annotations"}"#;
        assert_eq!(end_of(value), Some(StepEnd::Failure(br#""no annotations""#)));
    }

    #[test]
    fn triggers_lifecycle_events_and_other_records_end_no_step() {
        for value in [
            r#"{"event_type":"model.updated","user_id":"u"}"#,
            r#"{"event_type":"model.deleted","user_id":"u"}"#,
            r#"{"event_type":"xai.trigger","user_id":"u"}"#,
            r#"{"event_type":"bias-trigger.reported"}"#,
            r#"{"task_id":"T","event_type":"automl-trigger","timestamp":"t","input":{}}"#,
            r#"{"task_id":"T","event_type":"automl-trigger","input":{"failure":1}}"#,
            r#"{"n":1}"#,
            r#"{"failure":"x"}"#,
            r#"{"event_type":"mine","failure":"x"}"#,
            "no json",
            "",
        ] {
            assert_eq!(end_of(value), None, "{value}");
        }
    }
}
