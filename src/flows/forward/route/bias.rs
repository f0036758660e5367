//! A dataset that was examined has a model trained on it: the bias step's events, and the AutoML
//! trigger that follows. All that it needs stands in the event, but for what the model is to learn,
//! which today's events leave out.

use super::event::{Form, failure, id, open, text};
use super::{Decision, dataset_lane, reason_to_skip};
use crate::flows::forward::source::Place;
use crate::flows::forward::trigger::{Outbound, Terms, derived_id, outbound, stamp};
use crate::schema::document::Document;
use crate::schema::events::{
    AutomlInput, AutomlTrigger, BiasOutput, BiasReported, Event, StepOutput, Trigger,
};
use crate::schema::ids::{DatasetId, UserId};
use crate::schema::role::Dialect;

/// What is trained where nobody says it, as the service's orchestrator has it.
const TASK_TYPE: &str = "classification";
const TASK_CATEGORY: &str = "tabular";
/// Seconds to train for, as each generation's own sender asks.
const FLAT_BUDGET: u64 = 10;
const TASK_BUDGET: u64 = 60;

/// A dataset that was examined.
struct Examined {
    form: Form,
    user: UserId,
    dataset: DatasetId,
    /// The mitigated version where there is one: training on it is what mitigation is for.
    version: Option<String>,
    target_column_name: Option<String>,
    task_type: Option<String>,
}

/// Reads a record's value.
pub(super) fn route(value: Option<&[u8]>, place: &Place, terms: &Terms) -> Decision {
    let (document, event_type) = match open(value) {
        Ok(read) => read,
        Err(reason) => return Decision::Poison(reason),
    };
    let read = match event_type.as_str() {
        BiasReported::EVENT_TYPE => flat(&document),
        <BiasOutput as StepOutput>::EVENT_TYPE => {
            if let Some(reason) = failure(&document, "bias") {
                return Decision::Ignore(reason);
            }
            envelope(&document)
        }
        other => return Decision::Ignore(format!("{other} asks for no training")),
    };
    let sent = read.and_then(|examined| {
        if let Some(reason) = reason_to_skip(&examined.dataset) {
            return Ok(Decision::Ignore(reason.to_owned()));
        }
        let trigger = trigger(&examined, place, terms)?;
        Ok(Decision::Send { lane: dataset_lane(&examined.user, &examined.dataset), trigger })
    });
    sent.unwrap_or_else(Decision::Poison)
}

fn flat(document: &Document) -> Result<Examined, String> {
    Ok(Examined {
        form: Form::Flat,
        user: id(document, &["user_id"], UserId::parse)?,
        dataset: id(document, &["dataset_id"], DatasetId::parse)?,
        version: None,
        target_column_name: text(document, &["target_column_name"]),
        task_type: text(document, &["task_type"]),
    })
}

fn envelope(document: &Document) -> Result<Examined, String> {
    let mitigated = text(document, &["output", "mitigated_dataset_version"]);
    Ok(Examined {
        form: Form::Envelope,
        user: id(document, &["output", "user_id"], UserId::parse)?,
        dataset: id(document, &["output", "dataset_id"], DatasetId::parse)?,
        version: mitigated.or_else(|| text(document, &["output", "dataset_version"])),
        target_column_name: None,
        task_type: None,
    })
}

/// The trigger, in which the event's own words go before those that were given for all.
fn trigger(examined: &Examined, place: &Place, terms: &Terms) -> Result<Outbound, String> {
    let aim = &terms.aim;
    let target = examined.target_column_name.as_ref().or(aim.target_column_name.as_ref());
    let target = target.ok_or("it names no target_column_name, and --target-column-name none")?;
    let task_type = examined.task_type.as_ref().or(aim.task_type.as_ref());
    let task_type = task_type.map_or(TASK_TYPE, String::as_str);
    let dialect = terms.dialect_after(examined.form);
    let topic = terms.topics.of_dialect(dialect);
    let made = match dialect {
        Dialect::Task => outbound(topic, &task_trigger(examined, target, task_type, place, terms)),
        Dialect::Form | Dialect::Flat => {
            outbound(topic, &flat_trigger(examined, target, task_type, place, terms))
        }
    };
    made.map_err(|error| error.to_string())
}

fn flat_trigger(
    examined: &Examined,
    target: &str,
    task_type: &str,
    place: &Place,
    terms: &Terms,
) -> AutomlTrigger {
    AutomlTrigger {
        event_type: AutomlTrigger::EVENT_TYPE.to_owned(),
        dataset_id: examined.dataset.to_string(),
        user_id: examined.user.to_string(),
        target_column_name: Some(target.to_owned()),
        task_type: Some(task_type.to_owned()),
        time_budget: Some(terms.aim.time_budget.unwrap_or(FLAT_BUDGET).to_string()),
        timestamp: stamp(place).naive(),
    }
}

fn task_trigger(
    examined: &Examined,
    target: &str,
    task_type: &str,
    place: &Place,
    terms: &Terms,
) -> Trigger<AutomlInput> {
    let category = terms.aim.task_category.as_deref().unwrap_or(TASK_CATEGORY);
    let input = AutomlInput {
        user_id: examined.user.to_string(),
        dataset_id: examined.dataset.to_string(),
        dataset_version: examined.version.clone(),
        task_category: Some(category.to_owned()),
        target_column_name: Some(target.to_owned()),
        task_type: Some(task_type.to_owned()),
        time_budget: Some(terms.aim.time_budget.unwrap_or(TASK_BUDGET).to_string()),
        filename_column: None,
        label_column: None,
        model_size: None,
        dataset_split: None,
    };
    let id = derived_id("automl_task", examined.dataset.as_str(), place);
    Trigger::new(&id, input, stamp(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::forward::trigger::{Aim, TriggerDialects};
    use crate::schema::role::Role;

    const FLAT: &str = r#"{"event_type":"bias.reported","dataset_id":"d","user_id":"u","bias_report_id":"b","has_transformation_report":false,"target_column_name":"income","task_type":"regression","timestamp":"2026-11-23T13:19:56.797760"}"#;
    const ENVELOPE: &str = r#"{"task_id":"T","event_type":"bias-detection-complete","timestamp":"t","output":{"bias_report_id":"b","dataset_id":"d","dataset_version":"v2","user_id":"u","mitigated_dataset_version":"v3"},"failure":null}"#;

    fn routed(value: &str, terms: &Terms) -> Decision {
        let place = Place {
            topic: "bias-events".into(),
            partition: 1,
            offset: 9,
            timestamp: Some(1_795_439_960_418),
        };
        route(Some(value.as_bytes()), &place, terms)
    }

    fn terms() -> Terms {
        Terms::of(Role::AutomlTrigger)
    }

    fn aimed() -> Terms {
        let aim = Aim { target_column_name: Some("label".into()), ..Aim::default() };
        Terms { aim, ..terms() }
    }

    fn sent(value: &str, terms: &Terms) -> Outbound {
        match routed(value, terms) {
            Decision::Send { lane, trigger } => {
                assert_eq!(lane, "u/d");
                trigger
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_follows_for_a_dataset_of_a_smoke_test() {
        for event in [FLAT, ENVELOPE] {
            let event =
                event.replace(r#""dataset_id":"d""#, r#""dataset_id":"dwctl-smoke-1-dataset""#);
            let Decision::Ignore(reason) = routed(&event, &aimed()) else { panic!("{event}") };
            assert!(reason.contains("smoke test"), "{reason}");
        }
    }

    #[test]
    fn a_flat_report_causes_a_flat_trigger_with_the_reports_own_aim() {
        let trigger = sent(FLAT, &aimed());
        assert_eq!((trigger.topic.as_str(), trigger.key.as_str()), ("automl-trigger-events", "d"));
        assert_eq!(
            trigger.value,
            r#"{"event_type":"automl-trigger.reported","dataset_id":"d","user_id":"u","target_column_name":"income","task_type":"regression","time_budget":"10","timestamp":"2026-11-23T13:19:20.418000"}"#
        );
    }

    #[test]
    fn an_envelope_causes_an_envelope_for_the_mitigated_version_with_the_aim_that_was_given() {
        let trigger = sent(ENVELOPE, &aimed());
        let id = "automl_task_d_1795439960_bias-events_1_9";
        assert_eq!((trigger.topic.as_str(), trigger.key.as_str()), ("automl-trigger-events", id));
        assert_eq!(
            trigger.value,
            format!(
                r#"{{"task_id":"{id}","event_type":"automl-trigger","timestamp":"2026-11-23T13:19:20.418000+00:00","input":{{"user_id":"u","dataset_id":"d","dataset_version":"v3","task_category":"tabular","target_column_name":"label","task_type":"classification","time_budget":"60"}}}}"#
            )
        );
        let plain = ENVELOPE.replace(r#","mitigated_dataset_version":"v3""#, "");
        assert!(sent(&plain, &aimed()).value.contains(r#""dataset_version":"v2""#));
    }

    #[test]
    fn what_was_given_for_all_stands_in_the_trigger() {
        let aim = Aim {
            task_type: Some("binary".into()),
            time_budget: Some(300),
            task_category: Some("vision".into()),
            ..aimed().aim
        };
        let value = sent(
            ENVELOPE,
            &Terms { aim, dialects: TriggerDialects::all(Dialect::Task), ..terms() },
        )
        .value;
        for part in
            [r#""task_category":"vision""#, r#""task_type":"binary""#, r#""time_budget":"300""#]
        {
            assert!(value.contains(part), "{value}");
        }
    }

    #[test]
    fn without_an_aim_nothing_can_be_trained() {
        let Decision::Poison(reason) = routed(ENVELOPE, &terms()) else { panic!("it was sent") };
        assert!(reason.contains("--target-column-name"), "{reason}");
    }

    #[test]
    fn a_failure_and_other_events_ask_for_nothing_and_what_names_no_dataset_is_poison() {
        let failed = ENVELOPE.replace(
            r#""failure":null"#,
            r#""failure":{"error_type":"BiasDetectionError","error_message":"no data"}"#,
        );
        let reason = "the bias step failed: BiasDetectionError: no data";
        assert_eq!(routed(&failed, &aimed()), Decision::Ignore(reason.to_owned()));
        let other = routed(r#"{"event_type":"model.uploaded"}"#, &aimed());
        assert!(matches!(other, Decision::Ignore(_)), "{other:?}");
        let nameless = routed(&FLAT.replace("dataset_id", "dataset"), &aimed());
        assert_eq!(nameless, Decision::Poison("it has no dataset_id".to_owned()));
    }
}
