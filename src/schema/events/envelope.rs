//! The `task` dialect's envelopes: triggers with an `input`, completions with an `output`, each of the
//! step's own. Success is `failure` being null, and nothing else: a failed drift step sends an
//! output too.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Event;
use crate::base::Stamp;
use crate::schema::presence::{Presence, present};
use crate::schema::role::Role;

/// What every output knows: the step that it belongs to.
pub trait StepOutput: Serialize + DeserializeOwned {
    const EVENT_TYPE: &'static str;
    const ROLE: Role;
    /// The `error_type` under which the service reports a failure of the step.
    const ERROR_TYPE: &'static str;
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFailure {
    pub error_type: String,
    pub error_message: String,
}

/// A step's end, keyed by its task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope<O> {
    pub task_id: String,
    pub event_type: String,
    /// With `+00:00` since January 2026, naive before.
    pub timestamp: String,
    pub output: Option<O>,
    pub failure: Option<TaskFailure>,
}

impl<O: StepOutput> Envelope<O> {
    #[must_use]
    pub fn success(task_id: &str, output: O, now: Stamp) -> Self {
        Self::new(task_id, Some(output), None, now)
    }

    /// A failure under the step's own `error_type`.
    #[must_use]
    pub fn failure(task_id: &str, message: &str, now: Stamp) -> Self {
        let failure =
            TaskFailure { error_type: O::ERROR_TYPE.to_owned(), error_message: message.to_owned() };
        Self::new(task_id, None, Some(failure), now)
    }

    fn new(task_id: &str, output: Option<O>, failure: Option<TaskFailure>, now: Stamp) -> Self {
        Self {
            task_id: task_id.to_owned(),
            event_type: O::EVENT_TYPE.to_owned(),
            timestamp: now.aware(),
            output,
            failure,
        }
    }
}

impl<O: StepOutput> Event for Envelope<O> {
    const EVENT_TYPE: &'static str = O::EVENT_TYPE;
    const ROLE: Role = O::ROLE;

    fn key(&self) -> String {
        self.task_id.clone()
    }
}

/// `automl-complete`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutomlOutput {
    pub model_id: String,
    pub model_version: String,
    #[serde(default)]
    pub dataset_id: Option<String>,
    #[serde(default)]
    pub dataset_version: Option<String>,
    pub user_id: String,
}

impl StepOutput for AutomlOutput {
    const EVENT_TYPE: &'static str = "automl-complete";
    const ROLE: Role = Role::Automl;
    const ERROR_TYPE: &'static str = "AutoMLError";
}

/// `bias-detection-complete`; the last two keys stand only where they apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasOutput {
    #[serde(default)]
    pub bias_report_id: Option<String>,
    pub dataset_id: String,
    #[serde(default)]
    pub dataset_version: Option<String>,
    pub user_id: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub mitigated_dataset_version: Presence<String>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub transformation_report_id: Presence<String>,
}

impl StepOutput for BiasOutput {
    const EVENT_TYPE: &'static str = "bias-detection-complete";
    const ROLE: Role = Role::Bias;
    const ERROR_TYPE: &'static str = "BiasDetectionError";
}

/// `xai-complete`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct XaiOutput {
    #[serde(default)]
    pub xai_report_id: Option<String>,
    pub dataset_id: String,
    #[serde(default)]
    pub dataset_version: Option<String>,
    pub user_id: String,
    pub model_id: String,
    #[serde(default)]
    pub model_version: Option<String>,
}

impl StepOutput for XaiOutput {
    const EVENT_TYPE: &'static str = "xai-complete";
    const ROLE: Role = Role::Xai;
    const ERROR_TYPE: &'static str = "XAIError";
}

/// `concept-drift-complete`; the worker adds the last two keys to what the API sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftOutput {
    pub model_id: String,
    pub model_version: String,
    #[serde(default)]
    pub dataset_id: Option<String>,
    #[serde(default)]
    pub dataset_version: Option<String>,
    pub user_id: String,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub drift_metrics: Presence<Value>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub drift_detected: Presence<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub message: Presence<String>,
}

impl StepOutput for DriftOutput {
    const EVENT_TYPE: &'static str = "concept-drift-complete";
    const ROLE: Role = Role::Drift;
    const ERROR_TYPE: &'static str = "ConceptDriftError";
}

/// What every input knows: the step that it asks for.
pub trait StepInput: Serialize + DeserializeOwned {
    const EVENT_TYPE: &'static str;
    const ROLE: Role;
}

/// A step's start, keyed by its task. The service's orchestrators use the key of the event before
/// it in the pipeline; its scripts and the Task Manager use the task's id, and so do we.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger<I> {
    pub task_id: String,
    pub event_type: String,
    pub timestamp: String,
    pub input: I,
}

impl<I: StepInput> Trigger<I> {
    #[must_use]
    pub fn new(task_id: &str, input: I, now: Stamp) -> Self {
        Self {
            task_id: task_id.to_owned(),
            event_type: I::EVENT_TYPE.to_owned(),
            timestamp: now.aware(),
            input,
        }
    }
}

impl<I: StepInput> Event for Trigger<I> {
    const EVENT_TYPE: &'static str = I::EVENT_TYPE;
    const ROLE: Role = I::ROLE;

    fn key(&self) -> String {
        self.task_id.clone()
    }
}

/// `bias-detection-trigger`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasInput {
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default)]
    pub dataset_version: Option<String>,
    #[serde(default)]
    pub target_column_name: Option<String>,
    #[serde(default)]
    pub task_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_category: Option<String>,
}

impl StepInput for BiasInput {
    const EVENT_TYPE: &'static str = "bias-detection-trigger";
    const ROLE: Role = Role::BiasTrigger;
}

/// `automl-trigger`; the last four keys belong to images and to split datasets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutomlInput {
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default)]
    pub dataset_version: Option<String>,
    /// `tabular` or `vision`.
    #[serde(default)]
    pub task_category: Option<String>,
    #[serde(default)]
    pub target_column_name: Option<String>,
    #[serde(default)]
    pub task_type: Option<String>,
    /// Seconds, as text.
    #[serde(default)]
    pub time_budget: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename_column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_size: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_split: Option<String>,
}

impl StepInput for AutomlInput {
    const EVENT_TYPE: &'static str = "automl-trigger";
    const ROLE: Role = Role::AutomlTrigger;
}

/// `xai-trigger`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct XaiInput {
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default)]
    pub dataset_version: Option<String>,
    pub model_id: String,
    #[serde(default)]
    pub model_version: Option<String>,
    /// `beginner` or `expert`.
    #[serde(default)]
    pub level: Option<String>,
    /// A method such as `lime`, or a kind of report.
    #[serde(default)]
    pub report_type: Option<String>,
}

impl StepInput for XaiInput {
    const EVENT_TYPE: &'static str = "xai-trigger";
    const ROLE: Role = Role::XaiTrigger;
}

/// `concept-drift-trigger`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftInput {
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default)]
    pub dataset_version: Option<String>,
    pub model_id: String,
    #[serde(default)]
    pub model_version: Option<String>,
    /// Read under its short name `target_column` too, as the worker does.
    #[serde(default, alias = "target_column")]
    pub target_column_name: Option<String>,
    /// Rows; the worker takes one of its own whatever stands here.
    #[serde(default)]
    pub window_size: Option<u64>,
}

impl StepInput for DriftInput {
    const EVENT_TYPE: &'static str = "concept-drift-trigger";
    const ROLE: Role = Role::DriftTrigger;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_sent_comes_back_the_same() {
        let sent = r#"{"task_id":"T-1","event_type":"automl-complete","timestamp":"2026-11-23T08:38:21.441969+00:00","output":{"model_id":"test-model-1","model_version":"v2","dataset_id":"dataset123","dataset_version":"v7","user_id":"user123"},"failure":null}"#;
        let event: Envelope<AutomlOutput> = serde_json::from_str(sent).unwrap();
        assert_eq!(event.to_json().unwrap(), sent);
        assert_eq!(event.key(), "T-1");
    }

    #[test]
    fn a_failure_carries_the_steps_own_error_type() {
        let event = Envelope::<BiasOutput>::failure("t", "no data", Stamp::from_micros(0));
        assert_eq!(
            event.to_json().unwrap(),
            r#"{"task_id":"t","event_type":"bias-detection-complete","timestamp":"1970-01-01T00:00:00+00:00","output":null,"failure":{"error_type":"BiasDetectionError","error_message":"no data"}}"#
        );
    }

    #[test]
    fn keys_that_apply_only_sometimes_stay_as_they_were() {
        for output in [
            r#"{"bias_report_id":"b","dataset_id":"d","dataset_version":"v1","user_id":"u"}"#,
            r#"{"bias_report_id":"b","dataset_id":"d","dataset_version":"v1","user_id":"u","mitigated_dataset_version":"v2","transformation_report_id":null}"#,
        ] {
            let read: BiasOutput = serde_json::from_str(output).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), output);
        }
    }

    fn again<I: StepInput + PartialEq + std::fmt::Debug>(sent: &str) -> String {
        let trigger: Trigger<I> = serde_json::from_str(sent).unwrap();
        assert_eq!(trigger.key(), "T-1");
        assert_eq!(trigger.event_type, <Trigger<I> as Event>::EVENT_TYPE);
        trigger.to_json().unwrap()
    }

    #[test]
    fn triggers_come_back_the_same() {
        let bias = r#"{"task_id":"T-1","event_type":"bias-detection-trigger","timestamp":"2026-01-02T03:04:05+00:00","input":{"user_id":"u","dataset_id":"d","dataset_version":"v2","target_column_name":"target","task_type":"classification"}}"#;
        assert_eq!(again::<BiasInput>(bias), bias);
        let automl = r#"{"task_id":"T-1","event_type":"automl-trigger","timestamp":"2026-01-02T03:04:05+00:00","input":{"user_id":"u","dataset_id":"d","dataset_version":"v3","task_category":"vision","target_column_name":"label","task_type":"classification","time_budget":"60","filename_column":"file","label_column":"label","model_size":"small","dataset_split":"train"}}"#;
        assert_eq!(again::<AutomlInput>(automl), automl);
        let xai = r#"{"task_id":"T-1","event_type":"xai-trigger","timestamp":"2026-01-02T03:04:05+00:00","input":{"user_id":"u","dataset_id":"d","dataset_version":"v3","model_id":"m","model_version":"v1","level":"beginner","report_type":"lime"}}"#;
        assert_eq!(again::<XaiInput>(xai), xai);
    }

    #[test]
    fn a_drift_triggers_column_has_two_names() {
        let sent = r#"{"task_id":"T-1","event_type":"concept-drift-trigger","timestamp":"2026-01-02T03:04:05+00:00","input":{"user_id":"u","dataset_id":"d","dataset_version":"v3","model_id":"m","model_version":"v1","target_column":"y","window_size":100}}"#;
        let written = sent.replace("target_column", "target_column_name");
        assert_eq!(again::<DriftInput>(sent), written);
        assert_eq!(again::<DriftInput>(&written), written);
    }
}
