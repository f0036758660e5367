//! A model that was uploaded has it explained: the AutoML step's events, and the XAI trigger that
//! follows.

use super::event::{Form, failure, id, open, text};
use super::{Decision, Wanted};
use crate::flows::forward::source::Place;
use crate::flows::forward::trigger::{Outbound, Terms, derived_id, outbound, stamp};
use crate::schema::document::Document;
use crate::schema::events::{
    AutomlOutput, Event, ModelUploaded, StepOutput, Trigger, XaiInput, XaiTrigger,
    XaiTriggerRequest, model_key,
};
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::Model;
use crate::schema::role::Dialect;

/// The version that the API shows when none is asked for (contract 2.4).
const FIRST_VERSION: &str = "v1";
/// How XAI is asked to explain, as the service's orchestrator asks.
const LEVEL: &str = "beginner";
const REPORT_TYPE: &str = "lime";

/// An upload that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub form: Form,
    pub user: UserId,
    pub model: ModelId,
    pub version: Version,
    pub dataset_version: Option<String>,
}

impl Upload {
    pub(super) fn key(&self) -> String {
        model_key(self.user.as_str(), self.model.as_str())
    }
}

/// Reads a record's value.
pub(super) fn route(value: Option<&[u8]>) -> Decision {
    let (document, event_type) = match open(value) {
        Ok(read) => read,
        Err(reason) => return Decision::Poison(reason),
    };
    let read = match event_type.as_str() {
        ModelUploaded::EVENT_TYPE => flat(&document),
        <AutomlOutput as StepOutput>::EVENT_TYPE => {
            if let Some(reason) = failure(&document, "AutoML") {
                return Decision::Ignore(reason);
            }
            envelope(&document)
        }
        other => return Decision::Ignore(format!("{other} asks for no explanation")),
    };
    match read {
        Ok((upload, dataset)) => Decision::Find(Wanted::Model { upload, dataset }),
        Err(reason) => Decision::Poison(reason),
    }
}

/// An upload and the dataset that the model was trained on.
type Read = Result<(Upload, Option<String>), String>;

fn flat(document: &Document) -> Read {
    let upload = Upload {
        form: Form::Flat,
        user: id(document, &["user_id"], UserId::parse)?,
        model: id(document, &["model_id"], ModelId::parse)?,
        version: version(document, &["version"])?,
        dataset_version: None,
    };
    Ok((upload, text(document, &["dataset_id"])))
}

fn envelope(document: &Document) -> Read {
    let upload = Upload {
        form: Form::Envelope,
        user: id(document, &["output", "user_id"], UserId::parse)?,
        model: id(document, &["output", "model_id"], ModelId::parse)?,
        version: version(document, &["output", "model_version"])?,
        dataset_version: text(document, &["output", "dataset_version"]),
    };
    Ok((upload, text(document, &["output", "dataset_id"])))
}

fn version(document: &Document, path: &[&str]) -> Result<Version, String> {
    let text = text(document, path).unwrap_or_else(|| FIRST_VERSION.to_owned());
    Version::parse(&text).map_err(|invalid| invalid.to_string())
}

/// The trigger for a model of which the API has this record.
///
/// # Errors
/// Never: the events of `schema` hold nothing that JSON cannot carry.
pub(super) fn trigger(
    upload: &Upload,
    dataset: &str,
    model: &Model,
    place: &Place,
    terms: &Terms,
) -> Result<Outbound, serde_json::Error> {
    let dialect = terms.dialect_after(upload.form);
    let topic = terms.topics.of_dialect(dialect);
    match dialect {
        Dialect::Form => outbound(topic, &seed_trigger(upload, dataset, model, place)),
        Dialect::Flat => outbound(topic, &flat_trigger(upload, dataset, model, place)),
        Dialect::Task => outbound(topic, &task_trigger(upload, dataset, model, place)),
    }
}

fn flat_trigger(upload: &Upload, dataset: &str, model: &Model, place: &Place) -> XaiTriggerRequest {
    XaiTriggerRequest {
        event_type: XaiTriggerRequest::EVENT_TYPE.to_owned(),
        user_id: upload.user.to_string(),
        dataset_id: dataset.to_owned(),
        model_id: upload.model.to_string(),
        version: Some(model.version.clone()),
        level: Some(LEVEL.to_owned()),
        timestamp: stamp(place).naive(),
    }
}

fn seed_trigger(upload: &Upload, dataset: &str, model: &Model, place: &Place) -> XaiTrigger {
    XaiTrigger {
        event_type: XaiTrigger::EVENT_TYPE.to_owned(),
        event_id: derived_id("xai_trigger", upload.model.as_str(), place),
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
    Trigger::new(&derived_id("xai_task", upload.model.as_str(), place), input, stamp(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::forward::trigger::TriggerDialects;
    use crate::schema::role::Role;

    fn routed(value: &str) -> Decision {
        route(Some(value.as_bytes()))
    }

    fn upload(value: &str) -> (Upload, String) {
        match routed(value) {
            Decision::Find(Wanted::Model { upload, dataset: Some(dataset) }) => (upload, dataset),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_flat_upload_is_forwarded_with_the_version_it_names() {
        let (upload, dataset) = upload(
            r#"{"event_type":"model.uploaded","user_id":"u","model_id":"m","dataset_id":"d","version":"v3","training_accuracy":NaN}"#,
        );
        assert_eq!((upload.form, upload.user.as_str()), (Form::Flat, "u"));
        assert_eq!((upload.model.as_str(), upload.version.as_str()), ("m", "v3"));
        assert_eq!(dataset, "d");
    }

    #[test]
    fn an_envelope_is_read_from_its_output() {
        let (upload, dataset) = upload(
            r#"{"task_id":"T","event_type":"automl-complete","timestamp":"t","output":{"model_id":"m","model_version":"v2","dataset_id":"d","dataset_version":"v7","user_id":"u"},"failure":null}"#,
        );
        assert_eq!((upload.form, upload.version.as_str()), (Form::Envelope, "v2"));
        assert_eq!((dataset.as_str(), upload.dataset_version.as_deref()), ("d", Some("v7")));
    }

    #[test]
    fn a_dataset_that_is_null_or_empty_is_none() {
        for dataset in ["null", "\"\""] {
            let value = format!(
                r#"{{"event_type":"model.uploaded","user_id":"u","model_id":"m","dataset_id":{dataset}}}"#
            );
            match routed(&value) {
                Decision::Find(Wanted::Model { upload, dataset: None }) => {
                    assert_eq!(upload.version.as_str(), "v1");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_failure_and_other_events_ask_for_nothing() {
        let failed = routed(
            r#"{"task_id":"T","event_type":"automl-complete","output":{"model_id":"m","user_id":"u"},"failure":{"error_type":"AutoMLError","error_message":"no data"}}"#,
        );
        assert_eq!(
            failed,
            Decision::Ignore("the AutoML step failed: AutoMLError: no data".to_owned())
        );
        assert!(matches!(routed(r#"{"event_type":"model.deleted"}"#), Decision::Ignore(_)));
    }

    #[test]
    fn what_nothing_can_be_done_with_is_poison_and_says_why() {
        for (value, reason) in [
            ("{\"event_type\":", "not JSON"),
            ("[1]", "no event_type"),
            (r#"{"event_type":"model.uploaded","model_id":"m"}"#, "no user_id"),
            (r#"{"event_type":"model.uploaded","user_id":5,"model_id":"m"}"#, "no user_id"),
            (r#"{"event_type":"model.uploaded","user_id":"u","model_id":"a/b"}"#, "a/b"),
            (r#"{"event_type":"automl-complete","output":null,"failure":null}"#, "no user_id"),
        ] {
            match routed(value) {
                Decision::Poison(said) => assert!(said.contains(reason), "{value}: {said}"),
                other => panic!("{value}: {other:?}"),
            }
        }
        assert_eq!(route(None), Decision::Poison("it has no value".to_owned()));
        assert!(matches!(route(Some(&[0xff])), Decision::Poison(_)));
    }

    const AS_EVENT: TriggerDialects = TriggerDialects::as_event(Dialect::Form);
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

    fn built(event: &str, offset: i64, dialects: TriggerDialects) -> Outbound {
        let (upload, dataset) = upload(event);
        let model: Model = serde_json::from_str(
            r#"{"model_id":"m","user_id":"u","name":"n","version":"v1","framework":"pytorch","model_type":"classification","created_at":"c","updated_at":"c"}"#,
        )
        .unwrap();
        let terms = Terms { dialects, ..Terms::of(Role::XaiTrigger) };
        trigger(&upload, &dataset, &model, &place(offset), &terms).unwrap()
    }

    #[test]
    fn a_flat_event_causes_the_seeds_trigger_with_its_ten_fields() {
        let trigger = built(FLAT, 7, AS_EVENT);
        assert_eq!((trigger.topic.as_str(), trigger.key.as_str()), ("xai-events", "u_m"));
        assert_eq!(
            trigger.value,
            r#"{"event_type":"xai.trigger","event_id":"xai_trigger_m_1795439960_automl-events_2_7","timestamp":"2026-11-23T13:19:20.418000","user_id":"u","model_id":"m","dataset_id":"d","version":"v1","framework":"pytorch","model_type":"classification","source_event":"model.uploaded"}"#
        );
    }

    #[test]
    fn an_envelope_causes_an_envelope() {
        let trigger = built(ENVELOPE, 7, AS_EVENT);
        let id = "xai_task_m_1795439960_automl-events_2_7";
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
        assert_eq!(built(FLAT, 7, TriggerDialects::all(Dialect::Task)).event_type, "xai-trigger");
        let flat = built(FLAT, 7, TriggerDialects::as_event(Dialect::Flat));
        assert_eq!((flat.topic.as_str(), flat.key.as_str()), ("xai-trigger-events", "u_m"));
        assert_eq!(
            flat.value,
            r#"{"event_type":"xai-trigger.reported","user_id":"u","dataset_id":"d","model_id":"m","version":"v1","level":"beginner","timestamp":"2026-11-23T13:19:20.418000"}"#
        );
        let flat = built(ENVELOPE, 7, TriggerDialects::all(Dialect::Form));
        assert!(flat.value.ends_with(r#""source_event":"automl-complete"}"#), "{}", flat.value);
    }

    #[test]
    fn a_redelivery_repeats_every_byte_and_another_record_has_another_id() {
        let first = built(FLAT, 7, AS_EVENT);
        assert_eq!(first, built(FLAT, 7, AS_EVENT));
        assert_ne!(first, built(FLAT, 8, AS_EVENT));
    }
}
