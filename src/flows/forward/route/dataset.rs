//! A dataset that was uploaded is examined for bias: the dataset step's events, and the trigger that
//! follows. Datasets are announced in one form by every generation.

use serde_json::{Map, Value};

use super::event::{Form, id, open, value};
use super::{Decision, Wanted, reason_to_skip};
use crate::flows::forward::source::Place;
use crate::flows::forward::trigger::{Outbound, Terms, derived_id, outbound, stamp};
use crate::schema::dataset::Dataset;
use crate::schema::document::Document;
use crate::schema::events::{BiasInput, BiasTrigger, DatasetUploaded, Event, Trigger};
use crate::schema::ids::{DatasetId, UserId, Version};
use crate::schema::role::Dialect;
use crate::warehouse::Received;

/// What is to be done with the data, as the service's orchestrator has it.
const TASK_TYPE: &str = "classification";
/// The mark of what the bias step itself uploads.
const MITIGATED: &str = "mitigated";

/// Reads a record's value.
pub(super) fn route(value: Option<&[u8]>) -> Decision {
    let (document, event_type) = match open(value) {
        Ok(read) => read,
        Err(reason) => return Decision::Poison(reason),
    };
    if event_type != DatasetUploaded::EVENT_TYPE {
        return Decision::Ignore(format!("{event_type} asks for no examination"));
    }
    if is_mitigated(&document) {
        let reason = "it came from the bias step, which would go round in a circle";
        return Decision::Ignore(reason.to_owned());
    }
    match wanted(&document) {
        Err(reason) => Decision::Poison(reason),
        Ok((wanted, None)) => Decision::Find(wanted),
        Ok((_, Some(reason))) => Decision::Ignore(reason.to_owned()),
    }
}

/// The dataset, and why nothing follows for it.
fn wanted(document: &Document) -> Result<(Wanted, Option<&'static str>), String> {
    let user = id(document, &["dataset", "user_id"], UserId::parse)?;
    let dataset = id(document, &["dataset", "dataset_id"], DatasetId::parse)?;
    let version = id(document, &["dataset", "version"], Version::parse)?;
    let reason = reason_to_skip(&dataset);
    Ok((Wanted::Dataset { user, dataset, version }, reason))
}

/// Whether it is what the bias step made of another version: it says so by a tag or by a fact.
fn is_mitigated(document: &Document) -> bool {
    let tags: Vec<String> = value(document, &["dataset", "tags"]).unwrap_or_default();
    let fact: Option<bool> = value(document, &["dataset", "custom_metadata", "is_mitigated"]);
    fact == Some(true) || tags.iter().any(|tag| tag == MITIGATED)
}

/// The trigger for a dataset of which the API has this record.
///
/// # Errors
/// The record is no JSON object, which no reply that was read as one is.
pub(super) fn trigger(
    record: &Received<Dataset>,
    place: &Place,
    terms: &Terms,
) -> Result<Outbound, serde_json::Error> {
    let dialect = terms.dialect_after(Form::Flat);
    let topic = terms.topics.of_dialect(dialect);
    match dialect {
        Dialect::Task => outbound(topic, &task_trigger(&record.value, place, terms)),
        Dialect::Form | Dialect::Flat => {
            let metadata = serde_json::from_str(record.text.get())?;
            outbound(topic, &flat_trigger(&record.value, metadata, place, terms))
        }
    }
}

fn task_type(terms: &Terms) -> String {
    terms.aim.task_type.clone().unwrap_or_else(|| TASK_TYPE.to_owned())
}

fn flat_trigger(
    dataset: &Dataset,
    metadata: Map<String, Value>,
    place: &Place,
    terms: &Terms,
) -> BiasTrigger {
    BiasTrigger {
        event_type: BiasTrigger::EVENT_TYPE.to_owned(),
        dataset_id: dataset.dataset_id.clone(),
        user_id: dataset.user_id.clone(),
        target_column_name: terms.aim.target_column_name.clone(),
        task_type: Some(task_type(terms)),
        timestamp: stamp(place).naive(),
        metadata,
        record_count: dataset.row_count,
        is_folder: None,
        file_count: None,
    }
}

fn task_trigger(dataset: &Dataset, place: &Place, terms: &Terms) -> Trigger<BiasInput> {
    let input = BiasInput {
        user_id: dataset.user_id.clone(),
        dataset_id: dataset.dataset_id.clone(),
        dataset_version: Some(dataset.version.clone()),
        target_column_name: terms.aim.target_column_name.clone(),
        task_type: Some(task_type(terms)),
        task_category: terms.aim.task_category.clone(),
    };
    Trigger::new(&derived_id("bias_task", &dataset.dataset_id, place), input, stamp(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::forward::trigger::{Aim, TriggerDialects};
    use crate::schema::role::Role;
    use serde_json::value::RawValue;

    const UPLOADED: &str = r#"{"event_type":"dataset.uploaded","event_id":"dataset.uploaded_d_1","timestamp":"t","dataset":{"dataset_id":"d","user_id":"u","version":"v2","tags":["a"],"custom_metadata":{}}}"#;
    const RECORD: &str = r#"{"dataset_id":"d","user_id":"u","name":"D","description":null,"version":"v2","file_type":"csv","file_size":8,"original_filename":"x.csv","columns":["a"],"row_count":3,"data_types":{"a":"int64"},"tags":[],"custom_metadata":{},"news":1,"created_at":"c","updated_at":"c","file_hash":"h"}"#;

    fn routed(value: &str) -> Decision {
        route(Some(value.as_bytes()))
    }

    fn made(dialect: Dialect) -> Outbound {
        let record = Received {
            value: serde_json::from_str(RECORD).unwrap(),
            text: RawValue::from_string(RECORD.to_owned()).unwrap(),
        };
        let place = Place {
            topic: "dataset-events".into(),
            partition: 0,
            offset: 4,
            timestamp: Some(1_795_439_960_418),
        };
        let aim = Aim { target_column_name: Some("target".into()), ..Aim::default() };
        let dialects = TriggerDialects::as_event(dialect);
        let terms = Terms { dialects, aim, ..Terms::of(Role::BiasTrigger) };
        trigger(&record, &place, &terms).unwrap()
    }

    #[test]
    fn the_version_that_was_announced_is_looked_up() {
        let Decision::Find(wanted) = routed(UPLOADED) else { panic!("it was not looked up") };
        let Wanted::Dataset { version, .. } = &wanted else { panic!("{wanted:?}") };
        assert_eq!((version.as_str(), wanted.lane()), ("v2", "u/d".to_owned()));
    }

    #[test]
    fn the_flat_trigger_carries_the_record_as_the_api_has_it() {
        let trigger = made(Dialect::Flat);
        assert_eq!((trigger.topic.as_str(), trigger.key.as_str()), ("bias-trigger-events", "d"));
        assert_eq!(
            trigger.value,
            format!(
                r#"{{"event_type":"bias-trigger.reported","dataset_id":"d","user_id":"u","target_column_name":"target","task_type":"classification","timestamp":"2026-11-23T13:19:20.418000","metadata":{RECORD},"record_count":3}}"#
            )
        );
    }

    #[test]
    fn the_envelope_carries_the_version() {
        let trigger = made(Dialect::Task);
        let id = "bias_task_d_1795439960_dataset-events_0_4";
        let topic = "bias-detection-trigger-events";
        assert_eq!((trigger.topic.as_str(), trigger.key.as_str()), (topic, id));
        assert_eq!(
            trigger.value,
            format!(
                r#"{{"task_id":"{id}","event_type":"bias-detection-trigger","timestamp":"2026-11-23T13:19:20.418000+00:00","input":{{"user_id":"u","dataset_id":"d","dataset_version":"v2","target_column_name":"target","task_type":"classification"}}}}"#
            )
        );
    }

    #[test]
    fn what_the_bias_step_uploaded_is_not_examined_again() {
        for mark in [
            UPLOADED.replace(r#"["a"]"#, r#"["a","mitigated"]"#),
            UPLOADED.replace("{}", r#"{"is_mitigated":true}"#),
        ] {
            let Decision::Ignore(reason) = routed(&mark) else { panic!("{mark}") };
            assert!(reason.contains("circle"), "{reason}");
        }
    }

    #[test]
    fn other_events_ask_for_nothing_and_what_names_no_dataset_is_poison() {
        let failed = r#"{"event_type":"dataset.upload.failed","dataset_id":"d","user_id":"u"}"#;
        assert!(matches!(routed(failed), Decision::Ignore(_)));
        let nameless = UPLOADED.replace(r#""version":"v2","#, "");
        assert_eq!(routed(&nameless), Decision::Poison("it has no version".to_owned()));
        let nothing = r#"{"event_type":"dataset.uploaded"}"#;
        assert_eq!(routed(nothing), Decision::Poison("it has no user_id".to_owned()));
    }
}
