//! `dwctl send` without a dialect: it follows the topics that exist, then the API, and never guesses.

use dwctl::kafka::native::mock::MockBroker;
use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

/// Every event, with what any generation of it needs.
const EVENTS: [(&str, &[&str]); 8] = [
    ("automl", &["--model-id", "m", "--user-id", "u"]),
    ("bias", &["--dataset-id", "d", "--user-id", "u"]),
    ("xai", &["--model-id", "m", "--dataset-id", "d", "--user-id", "u"]),
    ("drift", &["--model-id", "m", "--user-id", "u"]),
    (
        "bias-trigger",
        &["--dataset-id", "d", "--user-id", "u", "--target-column-name", "y", "--task-type", "t"],
    ),
    (
        "automl-trigger",
        &["--dataset-id", "d", "--user-id", "u", "--target-column-name", "y", "--task-type", "t"],
    ),
    (
        "xai-trigger",
        &["--model-id", "m", "--dataset-id", "d", "--dataset-version", "v1", "--user-id", "u"],
    ),
    (
        "drift-trigger",
        &[
            "--model-id",
            "m",
            "--dataset-id",
            "d",
            "--dataset-version",
            "v1",
            "--user-id",
            "u",
            "--target-column-name",
            "y",
        ],
    ),
];

/// `event_type on topic` of an event in each generation, as the service has it.
fn expected(event: &str, dialect: &str) -> Option<&'static str> {
    Some(match (event, dialect) {
        ("automl", "form" | "flat") => "model.uploaded on automl-events",
        ("automl", "task") => "automl-complete on automl-complete-events",
        ("bias", "form" | "flat") => "bias.reported on bias-events",
        ("bias", "task") => "bias-detection-complete on bias-detection-complete-events",
        ("xai", "form") => "xai.trigger on xai-events",
        ("xai", "flat") => "xai.reported on xai-events",
        ("xai", "task") => "xai-complete on xai-complete-events",
        ("drift", "task") => "concept-drift-complete on concept-drift-complete-events",
        ("bias-trigger", "flat") => "bias-trigger.reported on bias-trigger-events",
        ("bias-trigger", "task") => "bias-detection-trigger on bias-detection-trigger-events",
        ("automl-trigger", "form" | "flat") => "automl-trigger.reported on automl-trigger-events",
        ("automl-trigger", "task") => "automl-trigger on automl-trigger-events",
        ("xai-trigger", "form") => "xai.trigger on xai-events",
        ("xai-trigger", "flat") => "xai-trigger.reported on xai-trigger-events",
        ("xai-trigger", "task") => "xai-trigger on xai-trigger-events",
        ("drift-trigger", "task") => "concept-drift-trigger on concept-drift-trigger-events",
        _ => return None,
    })
}

/// The service's topics in a generation, without those of triggers that only its orchestrator makes.
const FLAT_TOPICS: [&str; 4] =
    ["automl-events", "bias-events", "xai-events", "bias-trigger-events"];
const TASK_TOPICS: [&str; 3] =
    ["automl-complete-events", "bias-detection-complete-events", "dataset-events"];

fn seen(document: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    format!("{} on {}", text(&document["value"]["event_type"]), text(&document["topic"]))
}

/// An API of one generation, or of several.
fn api(dialects: &[&str]) -> ScriptedApi {
    let header = json!([{"in": "header", "name": "X-Task-ID"}]);
    let mut paths = serde_json::Map::new();
    for dialect in dialects {
        let (path, parameters) = match *dialect {
            "form" => ("/ai-models/upload/single", json!([])),
            "flat" => ("/ai-models/upload/single/{user_id}", json!([])),
            _ => ("/ai-models/upload/single/{user_id}", header.clone()),
        };
        paths.insert(path.to_owned(), json!({"post": {"parameters": parameters}}));
    }
    let document = json!({ "paths": paths }).to_string();
    ScriptedApi::start(move |_| Answer::json(200, &document))
}

fn send(brokers: &str, api_url: &str, event: &str, words: &[&str], more: &[&str]) -> Outcome {
    let common = ["send", event, "-q", "-o", "json", "-b", brokers, "-u", api_url];
    Environment::new().run([&common, words, more].concat())
}

fn nobody() -> String {
    format!("http://{DEAD}")
}

/// A broker with these topics, which makes others when they are written to.
fn broker_with(topics: &[&str]) -> MockBroker {
    let broker = MockBroker::start().unwrap();
    topics.iter().for_each(|topic| broker.create_topic(topic, 1).unwrap());
    broker
}

#[test]
fn on_topics_of_one_generation_every_event_is_of_it_whatever_the_api() {
    for (topics, dialect) in [(&FLAT_TOPICS[..], "flat"), (&TASK_TOPICS[..], "task")] {
        let broker = broker_with(topics);
        for (event, words) in EVENTS {
            let outcome = send(&broker.address(), &nobody(), event, words, &[]);
            match expected(event, dialect) {
                Some(expected) => {
                    assert_eq!(seen(&outcome.clone().expect(0).json()), expected, "{outcome}");
                }
                // The generation has none.
                None => drop(outcome.expect(2)),
            }
        }
    }
}

#[test]
fn without_any_topic_the_api_decides_and_without_it_nobody() {
    let broker = broker_with(&[]);
    for dialect in ["form", "flat", "task"] {
        let api = api(&[dialect]);
        for (event, words) in EVENTS {
            let outcome = send(&broker.address(), api.url(), event, words, &["--dry-run"]);
            match expected(event, dialect) {
                Some(expected) => {
                    assert_eq!(seen(&outcome.clone().expect(0).json()), expected, "{outcome}");
                }
                // Only one generation has it: that needs no API.
                None if event.starts_with("drift") => drop(outcome.expect(0)),
                None => drop(outcome.expect(2)),
            }
        }
    }
    for (event, words) in EVENTS.iter().filter(|(event, _)| !event.starts_with("drift")) {
        let outcome = send(&broker.address(), &nobody(), event, words, &[]);
        let outcome = outcome.expect(2);
        let hints = outcome.error()["hints"].to_string();
        assert!(hints.contains("add --dialect task to send"), "{event}: {outcome}");
    }
}

#[test]
fn a_stack_of_all_generations_takes_the_seeds_completions_and_todays_triggers() {
    let stack = Stack::start();
    for (event, words) in EVENTS {
        let dialect = if event.ends_with("trigger") || event == "drift" { "task" } else { "form" };
        let outcome = stack.run([&["send", event, "-o", "json"], words].concat());
        let document = outcome.clone().expect(0).json();
        assert_eq!(Some(&*seen(&document)), expected(event, dialect), "{outcome}");
        let is_told = outcome.err().contains("the newest that this API speaks");
        let is_choice = event.ends_with("trigger") && event != "drift-trigger";
        assert_eq!(is_told, is_choice, "{outcome}");
    }
}

#[test]
fn a_stack_of_one_generation_takes_its_own() {
    for dialect in ["form", "flat", "task"] {
        let stack = Stack::start_with(&["--dialect", dialect]);
        for (event, words) in EVENTS {
            let Some(expected) = expected(event, dialect) else { continue };
            let outcome = stack.run([&["send", event, "-o", "json"], words].concat());
            assert_eq!(seen(&outcome.clone().expect(0).json()), expected, "{outcome}");
        }
    }
}

#[test]
fn a_dialect_that_contradicts_the_topics_is_refused_with_the_choices() {
    for (topics, given, other) in
        [(&FLAT_TOPICS[..], "task", "flat"), (&TASK_TOPICS[..], "flat", "task")]
    {
        let broker = broker_with(topics);
        for (event, words) in EVENTS {
            let (Some(wanted), Some(_)) = (expected(event, given), expected(event, other)) else {
                continue;
            };
            let topic = |text: &str| text.rsplit_once(' ').unwrap().1.to_owned();
            let outcome = send(&broker.address(), &nobody(), event, words, &["--dialect", given]);
            let outcome = outcome.expect(2);
            let hint = format!("add --dialect {other} to send");
            assert!(outcome.error()["hints"].to_string().contains(&hint), "{event}: {outcome}");
            let topics = Environment::new().run(["topics", "-b", &broker.address()]).expect(0);
            assert!(!topics.out().contains(&format!("{}  ", topic(wanted))), "{topics}");
        }
    }
}

#[test]
fn a_topic_that_is_set_needs_a_generation_too() {
    let stack = Stack::start_with(&["--topic", "mine"]);
    let words = EVENTS[5].1;
    let flag = ["--topic", "mine"];
    let outcome = send(&stack.brokers, &nobody(), "automl-trigger", words, &flag).expect(2);
    assert!(outcome.err().contains("add --dialect"), "{outcome}");
    let given = [&flag[..], &["--dialect", "flat"]].concat();
    let document =
        send(&stack.brokers, &nobody(), "automl-trigger", words, &given).expect(0).json();
    assert_eq!(seen(&document), "automl-trigger.reported on mine");
    // A name of one generation tells it, whoever sets it.
    let variable = Environment::new()
        .set("KAFKA_BIAS_TRIGGER_TOPIC", "bias-detection-trigger-events")
        .set("KAFKA_BOOTSTRAP_SERVERS", &stack.brokers)
        .set("DWCTL_API_URL", &nobody());
    let arguments = [&["send", "bias-trigger", "-o", "json"], EVENTS[4].1].concat();
    let document = variable.run(arguments).expect(0).json();
    assert_eq!(seen(&document), "bias-detection-trigger on bias-detection-trigger-events");
    // And one that contradicts the API's generation is refused.
    let task = api(&["task"]);
    let named = ["--topic", "automl-events"];
    drop(send(&stack.brokers, task.url(), "automl", EVENTS[0].1, &named).expect(2));
}

#[test]
fn a_preview_without_brokers_and_api_names_the_choices() {
    for (event, words) in EVENTS.iter().filter(|(event, _)| !event.starts_with("drift")) {
        let outcome = send(DEAD, &nobody(), event, words, &["--dry-run"]).expect(2);
        assert!(outcome.err().contains("add --dialect"), "{outcome}");
        send(DEAD, &nobody(), event, words, &["--dry-run", "--dialect", "flat"]).must_succeed();
    }
}

#[test]
fn what_stands_at_the_root_of_an_envelope_in_a_file_is_sent_there() {
    let environment = Environment::new();
    let extra = json!({"is_folder": true, "file_count": 2, "trace": {"a": [1]}, "user_id": "root"});
    for (event, event_type, body, ids) in [
        (
            "xai-trigger",
            "xai-trigger",
            "input",
            json!({"model_id": "m", "dataset_id": "d", "dataset_version": "v1", "user_id": "u"}),
        ),
        (
            "bias-trigger",
            "bias-detection-trigger",
            "input",
            json!({"dataset_id": "d", "user_id": "u", "target_column_name": "y", "task_type": "t"}),
        ),
        (
            "automl-trigger",
            "automl-trigger",
            "input",
            json!({"dataset_id": "d", "user_id": "u", "target_column_name": "y", "task_type": "t"}),
        ),
        (
            "drift-trigger",
            "concept-drift-trigger",
            "input",
            json!({"model_id": "m", "dataset_id": "d", "dataset_version": "v1", "user_id": "u", "target_column": "y"}),
        ),
        ("automl", "automl-complete", "output", json!({"model_id": "m", "user_id": "u"})),
        ("bias", "bias-detection-complete", "output", json!({"dataset_id": "d", "user_id": "u"})),
        (
            "xai",
            "xai-complete",
            "output",
            json!({"model_id": "m", "dataset_id": "d", "user_id": "u"}),
        ),
        ("drift", "concept-drift-complete", "output", json!({"model_id": "m", "user_id": "u"})),
        (
            "bias",
            "bias-detection-complete",
            "failure",
            json!({"error_type": "E", "error_message": "m"}),
        ),
    ] {
        let mut file = json!({"task_id": "T", "event_type": event_type, "timestamp": "t"});
        if body == "failure" {
            file["output"] = Value::Null;
        }
        file[body] = ids;
        file.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        environment.write("event.json", file.to_string());
        let arguments =
            ["send", event, "--from-json", "event.json", "--dry-run", "-o", "json", "-b", DEAD];
        let value = environment.run(arguments).expect(0).json()["value"].clone();
        for (name, given) in extra.as_object().unwrap() {
            assert_eq!(&value[name], given, "{event}: {value}");
            if name != "user_id" {
                assert!(value[body].get(name).is_none(), "{event}: {value}");
            }
        }
    }
}
