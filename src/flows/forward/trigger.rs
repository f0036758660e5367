//! The XAI trigger that follows from an upload. Its ids and its time come from the record that caused
//! it, so that a redelivery repeats it byte for byte and two records never share an id. Pure.

use crate::base::Stamp;
use crate::flows::forward::route::{Form, Upload};
use crate::flows::forward::source::Place;
use crate::schema::events::{
    AutomlOutput, Event, ModelUploaded, StepOutput, Trigger, XaiInput, XaiTrigger,
};
use crate::schema::model::Model;
use crate::schema::role::{Dialect, Role};

/// Which form triggers have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TriggerForm {
    /// That of the event: flat for flat, envelope for envelope.
    #[default]
    AsEvent,
    /// The seed's `xai.trigger`.
    Flat,
    /// `xai-trigger` in an envelope.
    Task,
}

/// Where triggers go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggerTopics {
    pub flat: String,
    pub task: String,
}

impl Default for TriggerTopics {
    fn default() -> Self {
        let name = |dialect| Role::XaiTrigger.topic(dialect).unwrap_or_default().to_owned();
        Self { flat: name(Dialect::Form), task: name(Dialect::Task) }
    }
}

/// A trigger ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    pub topic: String,
    pub key: String,
    /// JSON.
    pub value: String,
    /// Its `event_type`.
    pub event_type: &'static str,
}

/// How XAI is asked to explain, as the service's orchestrator asks.
const LEVEL: &str = "beginner";
const REPORT_TYPE: &str = "lime";

/// Builds the trigger for a model of which the API has this record.
///
/// # Errors
/// Never: the events of `schema` hold nothing that JSON cannot carry.
pub fn build(
    upload: &Upload,
    dataset: &str,
    model: &Model,
    place: &Place,
    form: TriggerForm,
    topics: &TriggerTopics,
) -> Result<Outbound, serde_json::Error> {
    let flat = match form {
        TriggerForm::AsEvent => upload.form == Form::Flat,
        TriggerForm::Flat => true,
        TriggerForm::Task => false,
    };
    if flat {
        outbound(&topics.flat, &flat_trigger(upload, dataset, model, place))
    } else {
        outbound(&topics.task, &task_trigger(upload, dataset, model, place))
    }
}

fn outbound<E: Event>(topic: &str, event: &E) -> Result<Outbound, serde_json::Error> {
    Ok(Outbound {
        topic: topic.to_owned(),
        key: event.key(),
        value: event.to_json()?,
        event_type: E::EVENT_TYPE,
    })
}

fn flat_trigger(upload: &Upload, dataset: &str, model: &Model, place: &Place) -> XaiTrigger {
    XaiTrigger {
        event_type: XaiTrigger::EVENT_TYPE.to_owned(),
        event_id: derived_id("xai_trigger", upload, place),
        timestamp: stamp(place).naive(),
        user_id: upload.user.to_string(),
        model_id: upload.model.to_string(),
        dataset_id: dataset.to_owned(),
        version: Some(model.version.clone()),
        framework: Some(model.framework.to_string()),
        model_type: Some(model.model_type.to_string()),
        source_event: Some(
            match upload.form {
                Form::Flat => ModelUploaded::EVENT_TYPE,
                Form::Envelope => <AutomlOutput as StepOutput>::EVENT_TYPE,
            }
            .to_owned(),
        ),
    }
}

fn task_trigger(upload: &Upload, dataset: &str, model: &Model, place: &Place) -> Trigger<XaiInput> {
    let input = XaiInput {
        user_id: upload.user.to_string(),
        dataset_id: dataset.to_owned(),
        dataset_version: upload.dataset_version.clone(),
        model_id: upload.model.to_string(),
        model_version: Some(model.version.clone()),
        level: Some(LEVEL.to_owned()),
        report_type: Some(REPORT_TYPE.to_owned()),
    };
    Trigger::new(&derived_id("xai_task", upload, place), input, stamp(place))
}

/// The time of the record that caused it: by the clock, a redelivery would differ.
fn stamp(place: &Place) -> Stamp {
    Stamp::from_micros(place.timestamp.unwrap_or(0).saturating_mul(1_000))
}

/// `PREFIX_MODEL_SECONDS_PARTITION_OFFSET`: the service's form with its seconds, which alone are not
/// unique, and the place of the record that caused it.
fn derived_id(prefix: &str, upload: &Upload, place: &Place) -> String {
    let seconds = place.timestamp.unwrap_or(0).div_euclid(1_000);
    format!("{prefix}_{}_{seconds}_{}_{}", upload.model, place.partition, place.offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::forward::route::{Decision, route};

    const FLAT: &str = r#"{"event_type":"model.uploaded","user_id":"u","model_id":"m","dataset_id":"d","version":"v1"}"#;
    const ENVELOPE: &str = r#"{"task_id":"T","event_type":"automl-complete","timestamp":"t","output":{"model_id":"m","model_version":"v1","dataset_id":"d","dataset_version":"v7","user_id":"u"},"failure":null}"#;

    fn place(offset: i64) -> Place {
        Place {
            topic: "automl-events".into(),
            partition: 2,
            offset,
            timestamp: Some(1_795_439_960_418),
        }
    }

    fn built(event: &str, offset: i64, form: TriggerForm) -> Outbound {
        let Decision::Trigger { upload, dataset } = route(Some(event.as_bytes())) else {
            panic!("{event}")
        };
        let model: Model = serde_json::from_str(
            r#"{"model_id":"m","user_id":"u","name":"n","version":"v1","framework":"pytorch","model_type":"classification","created_at":"c","updated_at":"c"}"#,
        )
        .unwrap();
        build(&upload, &dataset, &model, &place(offset), form, &TriggerTopics::default()).unwrap()
    }

    #[test]
    fn a_flat_event_causes_the_seeds_trigger_with_its_ten_fields() {
        let trigger = built(FLAT, 7, TriggerForm::AsEvent);
        assert_eq!((trigger.topic.as_str(), trigger.key.as_str()), ("xai-events", "u_m"));
        assert_eq!(
            trigger.value,
            r#"{"event_type":"xai.trigger","event_id":"xai_trigger_m_1795439960_2_7","timestamp":"2026-11-23T13:19:20.418000","user_id":"u","model_id":"m","dataset_id":"d","version":"v1","framework":"pytorch","model_type":"classification","source_event":"model.uploaded"}"#
        );
    }

    #[test]
    fn an_envelope_causes_an_envelope() {
        let trigger = built(ENVELOPE, 7, TriggerForm::AsEvent);
        let id = "xai_task_m_1795439960_2_7";
        assert_eq!((trigger.topic.as_str(), trigger.key.as_str()), ("xai-trigger-events", id));
        assert_eq!(
            trigger.value,
            format!(
                r#"{{"task_id":"{id}","event_type":"xai-trigger","timestamp":"2026-11-23T13:19:20.418000+00:00","input":{{"user_id":"u","dataset_id":"d","dataset_version":"v7","model_id":"m","model_version":"v1","level":"beginner","report_type":"lime"}}}}"#
            )
        );
    }

    #[test]
    fn the_form_can_be_chosen() {
        assert_eq!(built(FLAT, 7, TriggerForm::Task).event_type, "xai-trigger");
        let flat = built(ENVELOPE, 7, TriggerForm::Flat);
        assert!(flat.value.ends_with(r#""source_event":"automl-complete"}"#), "{}", flat.value);
    }

    #[test]
    fn a_redelivery_repeats_every_byte_and_another_record_has_another_id() {
        let first = built(FLAT, 7, TriggerForm::AsEvent);
        assert_eq!(first, built(FLAT, 7, TriggerForm::AsEvent));
        assert_ne!(first, built(FLAT, 8, TriggerForm::AsEvent));
    }
}
