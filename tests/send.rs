//! `dwctl send`: events with every field in its order, their place once they are acknowledged, and
//! what is said when they cannot be sent.

use serde_json::{Value, json};

use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::stack::Stack;

/// Every flag of an event, so that no field is left at its default.
const BIAS: &[&str] = &[
    "send",
    "bias",
    "--dataset-id",
    "dataset123",
    "--user-id",
    "user123",
    "--bias-report-id",
    "r1",
    "--has-transformation-report",
    "--target-column-name",
    "target",
    "--task-type",
    "classification",
];
const AUTOML: &[&str] = &[
    "send",
    "automl",
    "--model-id",
    "my-model",
    "--user-id",
    "user123",
    "--dataset-id",
    "dataset123",
    "--version",
    "v2",
    "--framework",
    "pytorch",
    "--model-type",
    "classification",
    "--algorithm",
    "ResNet50",
    "--model-size-mb",
    "98.5",
    "--training-accuracy",
    "0.95",
    "--validation-accuracy",
    "0.93",
    "--test-accuracy",
    "0.92",
];
const XAI: &[&str] = &[
    "send",
    "xai",
    "--model-id",
    "my-model",
    "--dataset-id",
    "dataset123",
    "--user-id",
    "user123",
    "--version",
    "v2",
    "--framework",
    "pytorch",
    "--model-type",
    "classification",
];

/// The document of a dry run: topic, key and value.
#[track_caller]
fn dry_run(arguments: &[&str]) -> Value {
    let flags = ["--dialect", "form", "--dry-run", "-o", "json", "-b", DEAD];
    let arguments = [arguments, &flags].concat();
    let document = Environment::new().run(arguments).expect(0).json();
    assert_eq!((&document["schema"], &document["dry_run"]), (&json!("dwctl.send/1"), &json!(true)));
    document
}

/// Takes what differs from run to run out of an event, after a look at its form.
#[track_caller]
fn without_time(mut event: Value) -> Value {
    let stamp = event["timestamp"].as_str().unwrap().to_owned();
    let is_naive = stamp.len() == 26 && stamp.as_bytes()[10] == b'T' && !stamp.ends_with('Z');
    assert!(is_naive, "{stamp} is not what Python's utcnow().isoformat() writes");
    event["timestamp"] = json!("NOW");
    if let Some(id) = event.get("event_id").and_then(Value::as_str).map(str::to_owned) {
        let (words, seconds) = id.rsplit_once('_').unwrap();
        assert!(seconds.len() == 10 && seconds.parse::<u64>().is_ok(), "{id}");
        event["event_id"] = json!(format!("{words}_SECONDS"));
    }
    event
}

/// The same JSON text means the same fields in the same order.
#[track_caller]
fn assert_event(document: &Value, expected: &str) {
    assert_eq!(without_time(document["value"].clone()).to_string(), expected);
}

#[test]
fn a_bias_event_has_every_field_in_order() {
    let document = dry_run(BIAS);
    assert_eq!(
        (&document["topic"], &document["key"]),
        (&json!("bias-events"), &json!("dataset123"))
    );
    assert_event(
        &document,
        r#"{"event_type":"bias.reported","dataset_id":"dataset123","user_id":"user123","bias_report_id":"r1","has_transformation_report":true,"target_column_name":"target","task_type":"classification","timestamp":"NOW"}"#,
    );
}

#[test]
fn an_automl_event_has_every_field_in_order() {
    let document = dry_run(AUTOML);
    assert_eq!(
        (&document["topic"], &document["key"]),
        (&json!("automl-events"), &json!("user123_my-model"))
    );
    assert_event(
        &document,
        r#"{"event_type":"model.uploaded","event_id":"model_uploaded_my-model_SECONDS","timestamp":"NOW","user_id":"user123","model_id":"my-model","dataset_id":"dataset123","version":"v2","framework":"pytorch","model_type":"classification","algorithm":"ResNet50","model_size_mb":98.5,"training_accuracy":0.95,"validation_accuracy":0.93,"test_accuracy":0.92}"#,
    );
}

#[test]
fn an_xai_event_has_every_field_in_order() {
    let document = dry_run(XAI);
    assert_eq!(
        (&document["topic"], &document["key"]),
        (&json!("xai-events"), &json!("user123_my-model"))
    );
    assert_event(
        &document,
        r#"{"event_type":"xai.trigger","event_id":"xai_trigger_my-model_SECONDS","timestamp":"NOW","user_id":"user123","model_id":"my-model","dataset_id":"dataset123","version":"v2","framework":"pytorch","model_type":"classification","source_event":"model.uploaded"}"#,
    );
}

#[test]
fn what_is_not_given_is_null_as_the_service_sends_it() {
    assert_event(
        &dry_run(&["send", "bias", "--dataset-id", "d", "--user-id", "u"]),
        r#"{"event_type":"bias.reported","dataset_id":"d","user_id":"u","bias_report_id":null,"has_transformation_report":false,"target_column_name":null,"task_type":null,"timestamp":"NOW"}"#,
    );
    assert_event(
        &dry_run(&["send", "automl", "--model-id", "m", "--user-id", "u"]),
        r#"{"event_type":"model.uploaded","event_id":"model_uploaded_m_SECONDS","timestamp":"NOW","user_id":"u","model_id":"m","dataset_id":null,"version":"v1","framework":null,"model_type":null,"algorithm":null,"model_size_mb":null,"training_accuracy":null,"validation_accuracy":null,"test_accuracy":null}"#,
    );
}

#[test]
fn a_dry_run_shows_topic_key_and_value_and_needs_no_broker() {
    let arguments = [BIAS, &["--dialect", "flat", "--dry-run", "-b", DEAD]].concat();
    let outcome = Environment::new().run(arguments).expect(0);
    let lines: Vec<&str> = outcome.out().lines().collect();
    assert_eq!(lines[..2], ["topic bias-events", "key   dataset123"]);
    assert!(lines[2].starts_with("value {\"event_type\":\"bias.reported\","), "{outcome}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn key_and_topic_can_be_chosen() {
    let document = dry_run(&[BIAS, &["--key", "mine", "--topic", "my-topic"]].concat());
    assert_eq!((&document["topic"], &document["key"]), (&json!("my-topic"), &json!("mine")));
}

#[test]
fn the_services_variable_chooses_the_topic_and_ours_the_user() {
    let environment = Environment::new()
        .set("KAFKA_BIAS_TOPIC", "bias-detection-complete-events")
        .set("DWCTL_USER_ID", "user9");
    let api = format!("http://{DEAD}");
    let arguments = ["send", "bias", "--dataset-id", "d", "--dry-run", "-o", "json", "-b", DEAD];
    let document = environment.run([&arguments[..], &["-u", &api]].concat()).expect(0).json();
    assert_eq!(document["topic"], "bias-detection-complete-events");
    // The name of the topic is that of one generation only.
    assert_eq!(document["value"]["output"]["user_id"], "user9");
}

#[test]
fn each_event_is_acknowledged_at_the_next_offset_of_its_topic() {
    let stack = Stack::start();
    for (arguments, topic) in
        [(BIAS, "bias-events"), (AUTOML, "automl-events"), (XAI, "xai-events")]
    {
        for offset in 0..2 {
            let outcome = stack.run(arguments);
            assert_eq!(outcome.to_string(), format!("{topic}[0]@{offset}\n--- exit 0\n"));
        }
    }
}

#[test]
fn the_place_is_a_document_where_json_is_asked_for_and_the_event_is_there() {
    let stack = Stack::start();
    let sent = stack.run([BIAS, &["-o", "json"]].concat()).expect(0).json();
    assert_eq!(sent["schema"], "dwctl.send/1");
    assert_eq!(
        (&sent["topic"], &sent["partition"], &sent["offset"], &sent["key"]),
        (&json!("bias-events"), &json!(0), &json!(0), &json!("dataset123"))
    );
    let read = stack.run(["tail", "bias", "--until", "end", "-o", "json"]).expect(0).json();
    assert_eq!((&read["key"], &read["value"]), (&sent["key"], &sent["value"]));
}

#[test]
fn an_unknown_topic_is_answered_with_the_nearest_and_not_made() {
    let stack = Stack::start();
    let before = stack.run(["topics"]).expect(0);
    let outcome = stack.run([BIAS, &["--topic", "bias-event"]].concat());
    let given = stack.run([BIAS, &["--topic", "bias-event", "--dialect", "flat"]].concat());
    assert_eq!(outcome, given);
    assert_eq!(
        outcome.shown_with(&[(&stack.brokers, "BROKERS")]),
        "--- stderr\n\
         error: there is no topic \"bias-event\" on BROKERS\n\
         hint: did you mean bias-events?\n\
         --- exit 3\n"
    );
    assert_eq!(stack.run(["topics"]), before);
}

/// The command's own deadline is the five seconds that a failure may take: were it slower, it
/// would end with the deadline's code.
fn send_to(brokers: &str) -> Outcome {
    Environment::new().run([BIAS, &["-b", brokers, "--timeout", "5s"]].concat())
}

#[test]
fn a_dead_port_is_told_with_its_cause_and_address() {
    let outcome = send_to(DEAD).expect(6);
    assert!(
        outcome.err().starts_with(&format!("error: connection refused at {DEAD}")),
        "{outcome}"
    );
    assert!(outcome.err().contains("hint: ") && outcome.err().contains("dwctl serve"), "{outcome}");
}

#[test]
fn an_http_server_on_the_brokers_port_is_called_by_its_name() {
    let broker = BrokenBroker::http();
    let outcome = send_to(broker.address()).expect(6);
    assert!(outcome.err().contains(broker.address()), "{outcome}");
    assert!(outcome.err().contains("HTTP server, not a Kafka broker"), "{outcome}");
}

#[test]
fn a_broker_that_says_nothing_is_unreachable() {
    let broker = BrokenBroker::silent();
    let outcome = send_to(broker.address()).expect(6);
    assert!(outcome.err().contains(broker.address()), "{outcome}");
}

#[test]
fn a_name_without_an_address_is_named() {
    let outcome = send_to("kafka.invalid:9092").expect(6);
    assert!(outcome.err().contains("kafka.invalid"), "{outcome}");
}

/// Refused before anything is sent: the broker is dead, and nobody notices.
#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let outcome = Environment::new().run([arguments, &["-b", DEAD]].concat()).expect(2);
    for word in words {
        assert!(outcome.err().contains(word), "{word:?} is not in {outcome}");
    }
}

#[test]
fn metadata_that_cannot_be_is_refused_before_anything_is_sent() {
    let automl = &["send", "automl", "--model-id", "m", "--user-id", "u"][..];
    refused(
        &[automl, &["--framework", "pytorh"]].concat(),
        &[
            "--framework cannot be \"pytorh\"",
            "did you mean pytorch?",
            "allowed: pytorch, tensorflow",
        ],
    );
    refused(
        &[automl, &["--model-type", "x"]].concat(),
        &["--model-type", "allowed: classification"],
    );
    for number in ["NaN", "inf", "much"] {
        refused(&[automl, &["--training-accuracy", number]].concat(), &["--training-accuracy"]);
    }
    refused(&["send", "bias", "--dataset-id", "a/b", "--user-id", "u"], &["a/b"]);
    refused(&["send", "automl", "--model-id", "m/1", "--user-id", "u"], &["m/1"]);
    refused(&["send", "automl", "--model-id", "m", "--user-id", "a/b"], &["a/b"]);
    refused(&["send", "automl", "--model-id", "", "--user-id", "u"], &["error: "]);
    refused(&["send", "bias", "--dataset-id", "d"], &["the user is not given", "--user-id"]);
}
