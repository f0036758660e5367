//! `dwctl forward --route`: datasets are examined, what was examined is trained on, each with the
//! promises of the usual route.

use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::kafka::{Kafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Stream};
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;
use rustix::process::Signal;

const NOBODY: &str = "http://127.0.0.1:1";

/// Topics that no other test has, under the service's variables.
struct Case {
    kafka: Kafka,
    events: String,
    triggers: String,
    dead_letters: String,
    environment: Environment,
}

impl Case {
    fn start(events_variable: &str, triggers_variable: &str) -> Option<Self> {
        let kafka = Kafka::shared()?;
        let [events, triggers, dead_letters] =
            ["events", "triggers", "dead-letters"].map(|name| kafka.topic(name, 1));
        let environment = Environment::new()
            .set("KAFKA_BOOTSTRAP_SERVERS", &kafka.brokers)
            .set(events_variable, &events)
            .set(triggers_variable, &triggers);
        Some(Self { kafka, events, triggers, dead_letters, environment })
    }

    fn put(&self, values: &[&str]) {
        let records: Vec<_> = values.iter().map(|value| text(&self.events, "k", value)).collect();
        put(&self.kafka.brokers, &records);
    }

    fn arguments<'a>(&'a self, api: &'a str, group: &'a str, words: &'a str) -> Vec<&'a str> {
        let quick = ["-X", "session.timeout.ms=1000", "-X", "heartbeat.interval.ms=200"];
        let common = ["forward", "-u", api, "--timeout", "60s", "--group", group, "--dead-letter"];
        [&common[..], &[&self.dead_letters], &quick]
            .concat()
            .into_iter()
            .chain(words.split(' '))
            .collect()
    }

    fn forward(&self, api: &str, words: &str) -> Outcome {
        self.environment.run(self.arguments(api, &unused_name("group"), words)).expect(0)
    }

    fn read(&self, topic: &str) -> Vec<Value> {
        let arguments = ["tail", topic, "--until", "end", "-o", "json"];
        self.environment.run(arguments).expect(0).json_lines()
    }
}

fn uploaded(dataset: &str, tags: &str) -> String {
    format!(
        r#"{{"event_type":"dataset.uploaded","timestamp":"t","dataset":{{"dataset_id":"{dataset}","user_id":"u","version":"v2","tags":{tags},"custom_metadata":{{}}}}}}"#
    )
}

/// The API's record of the dataset that a request asks for.
fn record(request: &Request) -> Answer {
    let [user, dataset, _, version]: [&str; 4] = request
        .path
        .trim_start_matches("/datasets/")
        .split('/')
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let record = json!({
        "dataset_id": dataset, "user_id": user, "name": "N", "version": version,
        "file_type": "csv", "file_size": 8, "original_filename": "x.csv", "row_count": 3,
    });
    Answer::json(200, &record.to_string())
}

const EXAMINED: &str = r#"{"task_id":"T","event_type":"bias-detection-complete","timestamp":"t","output":{"bias_report_id":"b","dataset_id":"d","dataset_version":"v2","user_id":"u","mitigated_dataset_version":"v3"},"failure":null}"#;

#[test]
fn a_dataset_is_looked_up_and_examined_and_what_the_bias_step_made_is_not() {
    let Some(case) = Case::start("KAFKA_DATASET_TOPIC", "KAFKA_BIAS_TRIGGER_TOPIC") else { return };
    case.put(&[
        &uploaded("d", "[]"),
        &uploaded("d", r#"["mitigated"]"#),
        "no",
        &uploaded("gone", "[]"),
    ]);
    let api = ScriptedApi::start(|request| match request.path.contains("/gone/") {
        true => Answer::json(404, r#"{"detail":"Dataset not found"}"#),
        false => record(request),
    });
    let words = "--route dataset-to-bias --target-column-name income --trigger-form flat -n 4";
    let outcome = case.forward(api.url(), words);
    assert!(outcome.out().starts_with("Dataset Message received\n"), "{outcome}");
    let said = format!("{}[0]@1: no trigger: it came from the bias step", case.events);
    assert!(outcome.err().contains(&said), "{outcome}");
    let sent = case.read(&case.triggers);
    assert_eq!((sent.len(), &sent[0]["key"]), (1, &json!("d")), "{sent:?}");
    let value = &sent[0]["value"];
    assert_eq!(value["event_type"], "bias-trigger.reported");
    assert_eq!(value["target_column_name"], "income");
    assert_eq!(value["metadata"]["original_filename"], "x.csv");
    assert_eq!(value["record_count"], 3);
    let kept: Vec<Value> =
        case.read(&case.dead_letters).iter().map(|letter| letter["value"].clone()).collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.contains(&json!("no")), "{kept:?}");
}

#[test]
fn what_was_examined_is_trained_on_without_a_question_to_the_api() {
    let Some(case) = Case::start("KAFKA_BIAS_TOPIC", "KAFKA_AUTOML_TRIGGER_TOPIC") else { return };
    let flat = r#"{"event_type":"bias.reported","dataset_id":"d","user_id":"u","target_column_name":"income","task_type":"regression"}"#;
    let failed = EXAMINED
        .replace("null}", r#"{"error_type":"BiasDetectionError","error_message":"no data"}}"#);
    case.put(&[flat, EXAMINED, &failed]);
    let outcome = case.forward(NOBODY, "--route bias-to-automl --trigger-form flat -n 3");
    assert!(outcome.out().starts_with("Bias Message received\n"), "{outcome}");
    assert!(
        outcome.err().contains("the bias step failed: BiasDetectionError: no data"),
        "{outcome}"
    );
    let sent = case.read(&case.triggers);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["value"]["event_type"], "automl-trigger.reported");
    assert_eq!(sent[0]["value"]["target_column_name"], "income");
    // The envelope names no column, and nobody else did: it is kept for later.
    let kept = case.read(&case.dead_letters);
    assert_eq!((kept.len(), &kept[0]["value"]["task_id"]), (1, &json!("T")), "{kept:?}");
}

#[test]
fn a_kill_between_trigger_and_commit_repeats_the_trigger_of_every_route() {
    let routes = [
        (
            "KAFKA_BIAS_TOPIC",
            "KAFKA_AUTOML_TRIGGER_TOPIC",
            "bias-to-automl",
            "automl-trigger",
            EXAMINED.to_owned(),
        ),
        (
            "KAFKA_DATASET_TOPIC",
            "KAFKA_BIAS_TRIGGER_TOPIC",
            "dataset-to-bias",
            "bias-detection-trigger",
            uploaded("d", "[]"),
        ),
    ];
    for (events, triggers, route, sent, event) in routes {
        let Some(case) = Case::start(events, triggers) else { return };
        case.put(&[&event, &event]);
        // Only one of them asks the API anything.
        let api =
            route.starts_with("dataset").then(|| ScriptedApi::start(|request| record(request)));
        let api_url = api.as_ref().map_or(NOBODY, ScriptedApi::url);
        let group = unused_name("group");
        let words = format!("--route {route} --target-column-name income --trigger-form task");
        let killed = case.environment.start(case.arguments(api_url, &group, &words));
        killed.wait_for(Stream::Err, &format!("[0]@0: sent {sent}"));
        killed.signal(Signal::KILL);
        drop(killed.finish());
        // Whatever was committed by then: what was not comes again, and nothing else does.
        let words = format!("{words} --idle 2s");
        let next = case.environment.run(case.arguments(api_url, &group, &words));
        next.must_succeed();
        // And all of it from the beginning, as after a commit that never came.
        drop(case.forward(api_url, &format!("{words} -n 2")));
        let sent = case.read(&case.triggers);
        let mut by_id = std::collections::BTreeMap::new();
        for trigger in &sent {
            let id = trigger["value"]["task_id"].as_str().unwrap();
            let text = trigger["value"].to_string();
            assert_eq!(*by_id.entry(id).or_insert_with(|| text.clone()), text);
            assert_eq!(trigger["key"], id);
        }
        assert_eq!(by_id.len(), 2, "two events, two tasks, whatever came twice: {sent:?}");
        assert!(sent.len() >= 4, "{sent:?}");
    }
}

#[test]
fn a_dataset_in_the_local_stack_leads_to_its_examination() {
    let stack = Stack::start();
    let form = Multipart::new().texts(&[("dataset_id", "d1"), ("name", "D")]).file(
        "file",
        "d.csv",
        b"income,age\n1,2\n",
    );
    let _ = stack.call(&Call::post("/datasets/upload/u1", &form)).expect(200);
    let words = ["forward", "--route", "dataset-to-bias", "--target-column-name", "income"];
    let forward = stack.run([&words[..], &["-n", "1", "--timeout", "60s"]].concat()).expect(0);
    assert!(forward.err().contains("bias-detection-trigger is sent, the newest"), "{forward}");
    let topic = "bias-detection-trigger-events";
    let read = ["tail", topic, "-n", "1", "--from", "beginning", "-o", "json"];
    let sent = stack.run(read).expect(0).json();
    assert_eq!(sent["value"]["input"]["dataset_id"], "d1");
    assert_eq!(sent["value"]["input"]["dataset_version"], "v1");
}

#[test]
fn what_a_route_has_no_use_for_or_cannot_be_without_is_said_at_once() {
    for (words, said) in [
        ("--route dataset-to-bias", "needs --target-column-name"),
        ("--route bias-to-automl --download-dir x", "downloads no models"),
        ("--target-column-name x", "trains and examines nothing"),
    ] {
        let arguments = ["forward", "-b", DEAD].into_iter().chain(words.split(' '));
        let outcome = Environment::new().run(arguments).expect(2);
        assert!(outcome.err().contains(said), "{outcome}");
    }
}
