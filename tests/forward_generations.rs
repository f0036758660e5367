//! `dwctl forward` sends the triggers that the generation in use reads: by the topics that exist, then
//! the API, and never by a guess.

use dwctl::kafka::native::mock::MockBroker;
use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::records::{put, text};
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, Request, ScriptedApi};

const FLAT_TOPICS: [&str; 5] =
    ["automl-events", "bias-events", "xai-events", "bias-trigger-events", "dataset-events"];
const FORM_TOPICS: [&str; 4] = ["automl-events", "bias-events", "xai-events", "dataset-events"];
const TASK_TOPICS: [&str; 3] =
    ["automl-complete-events", "bias-detection-complete-events", "dataset-events"];

const FLAT_UPLOAD: &str = r#"{"event_type":"model.uploaded","user_id":"u","model_id":"m","dataset_id":"d","version":"v1"}"#;
const TASK_UPLOAD: &str = r#"{"task_id":"T","event_type":"automl-complete","output":{"model_id":"m","model_version":"v1","dataset_id":"d","user_id":"u"},"failure":null}"#;
const FLAT_REPORT: &str =
    r#"{"event_type":"bias.reported","dataset_id":"d","user_id":"u","target_column_name":"y"}"#;
const DATASET: &str = r#"{"event_type":"dataset.uploaded","dataset":{"dataset_id":"d","user_id":"u","version":"v1"}}"#;

/// A service of these generations that has every model and every dataset.
fn api(dialects: &'static [&'static str]) -> ScriptedApi {
    ScriptedApi::start(move |request: &mut Request| {
        let path = request.path.split('?').next().unwrap();
        let record = match path.split('/').nth(1) {
            Some("openapi.json") => openapi(dialects),
            Some("datasets") => json!({
                "dataset_id": "d", "user_id": "u", "name": "N", "version": "v1", "file_type": "csv",
                "file_size": 8, "original_filename": "x.csv", "row_count": 3,
            }),
            _ => json!({
                "model_id": "m", "user_id": "u", "name": "N", "version": "v1",
                "framework": "pytorch", "model_type": "classification", "files": [],
                "created_at": "2026-11-23T08:38:21", "updated_at": "2026-11-23T08:38:21",
            }),
        };
        Answer::json(200, &record.to_string())
    })
}

fn openapi(dialects: &[&str]) -> Value {
    let mut paths = serde_json::Map::new();
    for dialect in dialects {
        let (path, parameters) = match *dialect {
            "form" => ("/ai-models/upload/single", json!([])),
            "flat" => ("/ai-models/upload/single/{user_id}", json!([])),
            _ => (
                "/ai-models/upload/single/{user_id}",
                json!([{"in": "header", "name": "X-Task-ID"}]),
            ),
        };
        paths.insert(path.to_owned(), json!({"post": {"parameters": parameters}}));
    }
    json!({ "paths": paths })
}

struct Case {
    broker: MockBroker,
    environment: Environment,
}

impl Case {
    fn on(topics: &[&str]) -> Self {
        let broker = MockBroker::start().unwrap();
        topics.iter().for_each(|topic| broker.create_topic(topic, 1).unwrap());
        Self { broker, environment: Environment::new() }
    }

    fn forward(&self, api_url: &str, route: &str, more: &[&str]) -> Outcome {
        let aim = ["--target-column-name", "y"];
        let aim = if route == "automl-to-xai" { &[][..] } else { &aim };
        let brokers = self.broker.address();
        let common = ["forward", "--route", route, "-b", &brokers, "-u", api_url, "-n", "1"];
        self.environment.run([&common[..], &["--timeout", "30s"], aim, more].concat())
    }

    /// What one event on a topic causes: `event_type to topic`.
    fn caused(&self, api_url: &str, route: &str, event: (&str, &str), more: &[&str]) -> String {
        put(&self.broker.address(), &[text(event.0, "k", event.1)]);
        let outcome = self.forward(api_url, route, more).expect(0);
        let sent = outcome.err().lines().find_map(|line| line.split_once(": sent "));
        let (_, sent) = sent.unwrap_or_else(|| panic!("{outcome}"));
        sent.split('[').next().unwrap().to_owned()
    }
}

#[test]
fn triggers_are_of_the_generation_in_use() {
    let (xai, bias, dataset) = ("automl-to-xai", "bias-to-automl", "dataset-to-bias");
    let upload = ("automl-events", FLAT_UPLOAD);
    let report = ("bias-events", FLAT_REPORT);
    let uploaded = ("dataset-events", DATASET);
    for (topics, dialects, route, event, sent) in [
        (
            &FLAT_TOPICS[..],
            &["flat"][..],
            xai,
            upload,
            "xai-trigger.reported to xai-trigger-events",
        ),
        (&FORM_TOPICS, &["flat"], xai, upload, "xai-trigger.reported to xai-trigger-events"),
        (&FORM_TOPICS, &["form"], xai, upload, "xai.trigger to xai-events"),
        (&FORM_TOPICS, &["form", "task"], xai, upload, "xai.trigger to xai-events"),
        (
            &TASK_TOPICS,
            &["task"],
            xai,
            ("automl-complete-events", TASK_UPLOAD),
            "xai-trigger to xai-trigger-events",
        ),
        (&TASK_TOPICS, &["task"], xai, upload, "xai-trigger to xai-trigger-events"),
        (&FLAT_TOPICS, &["flat"], bias, report, "automl-trigger.reported to automl-trigger-events"),
        (&TASK_TOPICS, &["task"], bias, report, "automl-trigger to automl-trigger-events"),
        (
            &FLAT_TOPICS,
            &["flat"],
            dataset,
            uploaded,
            "bias-trigger.reported to bias-trigger-events",
        ),
        (
            &TASK_TOPICS,
            &["task"],
            dataset,
            uploaded,
            "bias-detection-trigger to bias-detection-trigger-events",
        ),
        (
            &["dataset-events"],
            &["task"],
            dataset,
            uploaded,
            "bias-detection-trigger to bias-detection-trigger-events",
        ),
        (
            &["dataset-events"],
            &["flat"],
            dataset,
            uploaded,
            "bias-trigger.reported to bias-trigger-events",
        ),
    ] {
        let (case, api) = (Case::on(topics), api(dialects));
        // Another generation's events are left behind, and change nothing.
        let caused = case.caused(api.url(), route, event, &[]);
        assert_eq!(caused, sent, "{topics:?} {dialects:?} {route}");
        // Where the topics decide and nothing is looked up, nobody else calls it.
        drop(case.environment.run(["models", "list", "--user-id", "u", "-u", api.url()]));
    }
}

#[test]
fn the_form_can_be_chosen_and_contradicts_nothing_that_exists() {
    let (case, api) = (Case::on(&TASK_TOPICS), api(&["task"]));
    let refused = case.forward(api.url(), "dataset-to-bias", &["--trigger-form", "flat"]).expect(2);
    assert!(refused.err().contains("bias-trigger-events does not exist"), "{refused}");
    assert!(refused.err().contains("add --trigger-form task"), "{refused}");
    drop(case.forward(api.url(), "dataset-to-bias", &["--trigger-form", "form"]).expect(2));
    // A topic that is named is meant.
    let more = ["--trigger-form", "flat", "--trigger-topic", "mine"];
    let caused = case.caused(api.url(), "dataset-to-bias", ("dataset-events", DATASET), &more);
    assert_eq!(caused, "bias-trigger.reported to mine");
}

#[test]
fn where_nothing_decides_a_dataset_causes_no_guess() {
    let case = Case::on(&["dataset-events"]);
    let api = ScriptedApi::start(|_| Answer::json(404, r#"{"detail":"Not Found"}"#));
    let outcome = case.forward(api.url(), "dataset-to-bias", &[]).expect(2);
    assert!(outcome.err().contains("add --trigger-form flat to send bias-trigger.reported"));
    assert!(outcome.err().contains("add --trigger-form task"), "{outcome}");
}

#[test]
fn an_api_that_contradicts_the_topics_is_refused_with_the_choices() {
    let (case, api) = (Case::on(&["automl-events"]), api(&["task"]));
    let outcome = case.forward(api.url(), "automl-to-xai", &[]).expect(2);
    assert!(outcome.err().contains("the API is task, which is not form or flat"), "{outcome}");
    for dialect in ["form", "flat", "task"] {
        assert!(outcome.err().contains(&format!("add --trigger-form {dialect} to")), "{outcome}");
    }
}

#[test]
fn a_flat_report_has_a_flat_trigger_where_the_api_is_away() {
    let case = Case::on(&[]);
    let nobody = format!("http://{DEAD}");
    let caused = case.caused(&nobody, "bias-to-automl", ("bias-events", FLAT_REPORT), &[]);
    assert_eq!(caused, "automl-trigger.reported to automl-trigger-events");
}
