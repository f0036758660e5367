//! `dwctl send` beyond the seed's three events: triggers and completions of every generation, from
//! flags, from files, and with fields of one's own.

use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::stack::Stack;

const IDS: &[&str] = &["--dataset-id", "d", "--user-id", "u"];
const AIM: &[&str] = &["--target-column-name", "y", "--task-type", "classification"];
const FLAT: &[&str] = &["--dialect", "flat"];
const V7: &[&str] = &["--dataset-version", "v7", "--target-column-name", "y"];
const MODEL: &[&str] = &["--model-id", "m", "--dataset-id", "d", "--user-id", "u"];

fn run_in(environment: &Environment, event: &str, arguments: &[&[&str]]) -> Outcome {
    let arguments =
        [&["send", event, "--dry-run", "-o", "json", "-b", DEAD], &arguments.concat()[..]];
    environment.run(arguments.concat())
}

/// What would be sent: topic, key, and the value with its time taken out.
#[track_caller]
fn sent(event: &str, arguments: &[&[&str]]) -> (String, String, String) {
    let document = run_in(&Environment::new(), event, arguments).expect(0).json();
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let mut value = document["value"].clone();
    let stamp = value["timestamp"].as_str().unwrap().to_owned();
    assert_eq!(stamp.ends_with("+00:00"), value.get("task_id").is_some(), "{stamp}");
    value["timestamp"] = json!("NOW");
    (text("topic"), text("key"), value.to_string())
}

#[track_caller]
fn assert_sent(event: &str, arguments: &[&[&str]], topic: &str, key: &str, value: &str) {
    assert_eq!(sent(event, arguments), (topic.to_owned(), key.to_owned(), value.to_owned()));
}

#[test]
fn flat_triggers_have_every_field_in_order() {
    let task = &["--target-column-name", "y", "--task-type", "classification"];
    assert_sent(
        "bias-trigger",
        &[IDS, FLAT, task, &["--record-count", "3"]],
        "bias-trigger-events",
        "d",
        r#"{"event_type":"bias-trigger.reported","dataset_id":"d","user_id":"u","target_column_name":"y","task_type":"classification","timestamp":"NOW","metadata":{"dataset_id":"d","user_id":"u"},"record_count":3}"#,
    );
    assert_sent(
        "automl-trigger",
        &[IDS, FLAT, task, &["--time-budget", "20"]],
        "automl-trigger-events",
        "d",
        r#"{"event_type":"automl-trigger.reported","dataset_id":"d","user_id":"u","target_column_name":"y","task_type":"classification","time_budget":"20","timestamp":"NOW"}"#,
    );
    assert_sent(
        "xai-trigger",
        &[MODEL, &["--dialect", "flat", "--version", "v2", "--level", "expert"]],
        "xai-trigger-events",
        "u_m",
        r#"{"event_type":"xai-trigger.reported","user_id":"u","dataset_id":"d","model_id":"m","version":"v2","level":"expert","timestamp":"NOW"}"#,
    );
    let (topic, key, value) = sent("xai-trigger", &[MODEL, &["--dialect", "form"]]);
    assert_eq!((topic.as_str(), key.as_str()), ("xai-events", "u_m"));
    assert!(
        value.starts_with(r#"{"event_type":"xai.trigger","event_id":"xai_trigger_m_"#),
        "{value}"
    );
    assert!(value.ends_with(r#""source_event":"model.uploaded"}"#), "{value}");
}

#[test]
fn triggers_in_envelopes_have_every_field_in_order() {
    let task = &["--task-id", "T", "--dataset-version", "v7"];
    let column = &["--target-column-name", "y", "--task-type", "classification"];
    assert_sent(
        "bias-trigger",
        &[IDS, task, column, &["--task-category", "tabular"]],
        "bias-detection-trigger-events",
        "T",
        r#"{"task_id":"T","event_type":"bias-detection-trigger","timestamp":"NOW","input":{"user_id":"u","dataset_id":"d","dataset_version":"v7","target_column_name":"y","task_type":"classification","task_category":"tabular"}}"#,
    );
    assert_sent(
        "automl-trigger",
        &[
            IDS,
            task,
            column,
            &["--task-category", "vision", "--label-column", "l", "--filename-column", "f"],
        ],
        "automl-trigger-events",
        "T",
        r#"{"task_id":"T","event_type":"automl-trigger","timestamp":"NOW","input":{"user_id":"u","dataset_id":"d","dataset_version":"v7","task_category":"vision","target_column_name":"y","task_type":"classification","time_budget":"60","filename_column":"f","label_column":"l"}}"#,
    );
    assert_sent(
        "xai-trigger",
        &[MODEL, task, &["--version", "v2"]],
        "xai-trigger-events",
        "T",
        r#"{"task_id":"T","event_type":"xai-trigger","timestamp":"NOW","input":{"user_id":"u","dataset_id":"d","dataset_version":"v7","model_id":"m","model_version":"v2","level":"beginner","report_type":"lime"}}"#,
    );
    assert_sent(
        "drift-trigger",
        &[MODEL, task, &["--target-column", "y"]],
        "concept-drift-trigger-events",
        "T",
        r#"{"task_id":"T","event_type":"concept-drift-trigger","timestamp":"NOW","input":{"user_id":"u","dataset_id":"d","dataset_version":"v7","model_id":"m","model_version":"v1","target_column_name":"y","window_size":100}}"#,
    );
}

#[test]
fn completions_in_envelopes_have_every_field_in_order() {
    let task = &["--task-id", "T", "--dataset-version", "v7"];
    assert_sent(
        "bias",
        &[IDS, task, &["--bias-report-id", "r", "--mitigated-dataset-version", "v8"]],
        "bias-detection-complete-events",
        "T",
        r#"{"task_id":"T","event_type":"bias-detection-complete","timestamp":"NOW","output":{"bias_report_id":"r","dataset_id":"d","dataset_version":"v7","user_id":"u","mitigated_dataset_version":"v8"},"failure":null}"#,
    );
    assert_sent(
        "automl",
        &[MODEL, task, &["--version", "v2"]],
        "automl-complete-events",
        "T",
        r#"{"task_id":"T","event_type":"automl-complete","timestamp":"NOW","output":{"model_id":"m","model_version":"v2","dataset_id":"d","dataset_version":"v7","user_id":"u"},"failure":null}"#,
    );
    assert_sent(
        "xai",
        &[MODEL, task, &["--xai-report-id", "r", "--success"]],
        "xai-complete-events",
        "T",
        r#"{"task_id":"T","event_type":"xai-complete","timestamp":"NOW","output":{"xai_report_id":"r","dataset_id":"d","dataset_version":"v7","user_id":"u","model_id":"m","model_version":"v1"},"failure":null}"#,
    );
    assert_sent(
        "drift",
        &[MODEL, task, &["--drift-detected", "false", "--message", "none"]],
        "concept-drift-complete-events",
        "T",
        r#"{"task_id":"T","event_type":"concept-drift-complete","timestamp":"NOW","output":{"model_id":"m","model_version":"v1","dataset_id":"d","dataset_version":"v7","user_id":"u","drift_detected":false,"message":"none"},"failure":null}"#,
    );
}

#[test]
fn a_failure_needs_nothing_but_its_words() {
    for (event, failure, kind) in [
        ("automl", "ValueError: no column y", "ValueError"),
        ("bias", "no column y", "BiasDetectionError"),
        ("xai", "no column y", "XAIError"),
        ("drift", "no column y", "ConceptDriftError"),
    ] {
        let (_, key, value) = sent(event, &[&["--failure", failure, "--task-id", "T"]]);
        assert_eq!(key, "T");
        let value: Value = serde_json::from_str(&value).unwrap();
        let expected = json!({"error_type": kind, "error_message": "no column y"});
        assert_eq!((&value["output"], &value["failure"]), (&Value::Null, &expected));
    }
}

#[test]
fn a_task_that_is_not_given_is_made_and_told() {
    let outcome = run_in(&Environment::new(), "drift-trigger", &[MODEL, V7]).expect(0);
    let key = outcome.json()["key"].as_str().unwrap().to_owned();
    let digits = key.strip_prefix("manual-drift-").unwrap();
    assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    assert_eq!(outcome.err(), format!("note: the task is {key}\n"));
    assert_eq!(outcome.json()["value"]["task_id"], key);
}

#[test]
fn fields_come_from_a_file_then_flags_then_field_by_field() {
    let environment = Environment::new();
    let file = r#"{"user_id": "u", "dataset_id": "d", "model_id": "file", "dataset_version": "v7", "level": "expert", "note": 1.5}"#;
    environment.write("trigger.json", file);
    let layers = &["--from-json", "trigger.json", "--model-id", "flag", "--dialect", "task"];
    let added = &["--field", "report_type=shap", "--field", "depth={\"max\":3}", "--task-id", "T"];
    let document = run_in(&environment, "xai-trigger", &[layers, added]).expect(0).json();
    assert_eq!(
        document["value"]["input"].to_string(),
        r#"{"user_id":"u","dataset_id":"d","dataset_version":"v7","model_id":"flag","model_version":"v1","level":"expert","report_type":"shap","note":1.5,"depth":{"max":3}}"#
    );
}

#[test]
fn a_whole_event_in_a_file_comes_out_the_same() {
    let event = r#"{"task_id":"T-1","event_type":"automl-complete","timestamp":"2026-11-23T08:38:21.441969+00:00","output":{"model_id":"m","model_version":"v2","dataset_id":"d","dataset_version":"v7","user_id":"u"},"failure":null}"#;
    let environment = Environment::new();
    environment.write("event.json", event);
    let layers = &["--from-json", "event.json", "--dialect", "task"];
    let document = run_in(&environment, "automl", &[layers]).expect(0).json();
    assert_eq!(document["value"].to_string(), event);
    assert_eq!(document["key"], "T-1");

    let outcome = run_in(&environment, "xai", &[layers]).expect(2);
    assert_eq!(
        outcome.error()["message"],
        "event_type is automl-complete, and this sends xai-complete"
    );
}

#[test]
fn a_file_can_be_standard_input() {
    let environment = Environment::new();
    let arguments = ["send", "bias-trigger", "--from-json", "-", "--dry-run", "-o", "json"];
    let input = r#"{"user_id": "u", "dataset_id": "d", "metadata": {"rows": NaN}}"#;
    let all = [&arguments[..], AIM, FLAT].concat().join(" ");
    let script = format!("echo '{input}' | \"$DWCTL\" {all}");
    let outcome = environment.bash(&script).finish().expect(0);
    assert_eq!(outcome.json()["value"]["metadata"], json!({"rows": null}));
    assert!(outcome.err().contains("NaN and Infinity are sent as null"), "{outcome}");
}

#[test]
fn what_an_event_has_no_field_for_is_told() {
    let outcome =
        run_in(&Environment::new(), "automl", &[MODEL, FLAT, &["--dataset-version", "v7"]]);
    let outcome = outcome.expect(0);
    let words = "warning: model.uploaded has no field for --dataset-version: it is not sent\n";
    assert_eq!(outcome.err(), words);
    assert!(outcome.json()["value"].get("dataset_version").is_none());
}

#[test]
fn what_cannot_be_sent_is_refused_with_the_way_out() {
    let environment = Environment::new();
    environment.write("list.json", "[1]");
    for (event, arguments, code, words) in [
        ("xai-trigger", &[][..], 2, "--model-id, --dataset-id, --user-id missing"),
        ("automl-trigger", IDS, 2, "--task-type, --target-column-name missing"),
        ("xai-trigger", &[MODEL, &["--task-id", "T"]].concat(), 2, "--dataset-version missing"),
        ("bias", &["--dataset-id", "d"], 2, "the user is not given"),
        ("automl", &["--dialect", "flat", "--failure", "x"], 2, "the flat dialect have no task"),
        ("drift", &["--dialect", "form"], 2, "the form dialect has no event for drift"),
        ("bias", &["--from-json", "list.json"], 2, "list.json holds no JSON object"),
        ("bias", &["--from-json", "gone.json"], 3, "failed to read gone.json"),
        ("bias", &["--field", "x"], 2, "is not NAME=VALUE"),
        (
            "automl",
            &["--task-id", "T", "--failure", "x", "--field", "a=1"],
            2,
            "a failure has no output",
        ),
    ] {
        let outcome = run_in(&environment, event, &[arguments]).expect(code);
        let said = format!("{}", outcome.error());
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
}

#[test]
fn each_event_is_acknowledged_on_its_topic() {
    let stack = Stack::start();
    let task = &["--task-id", "T"][..];
    for (event, ids, more, topic) in [
        ("bias-trigger", IDS, &[AIM, FLAT].concat()[..], "bias-trigger-events"),
        ("bias-trigger", IDS, &[AIM, task].concat(), "bias-detection-trigger-events"),
        ("automl-trigger", IDS, &[AIM, FLAT].concat(), "automl-trigger-events"),
        ("xai-trigger", MODEL, &[V7[..2].to_vec(), task.to_vec()].concat(), "xai-trigger-events"),
        ("drift-trigger", MODEL, &[V7, task].concat(), "concept-drift-trigger-events"),
        ("automl", MODEL, task, "automl-complete-events"),
        ("bias", IDS, task, "bias-detection-complete-events"),
        ("xai", MODEL, task, "xai-complete-events"),
        ("drift", MODEL, task, "concept-drift-complete-events"),
    ] {
        let outcome = stack.run([&["send", event], ids, more].concat());
        assert_eq!(outcome.to_string(), format!("{topic}[0]@0\n--- exit 0\n"));
    }
}

#[test]
fn a_failure_is_sent_from_a_file_as_it_stands_there() {
    let environment = Environment::new();
    let example =
        concat!(env!("CARGO_MANIFEST_DIR"), "/examples/events/bias-detection-complete.failed.json");
    let document = run_in(&environment, "bias", &[&["--from-json", example]]).expect(0).json();
    let text = std::fs::read_to_string(example).unwrap();
    assert_eq!(document["value"], serde_json::from_str::<Value>(&text).unwrap());
    assert_eq!(document["topic"], "bias-detection-complete-events");
    // The drift worker says what its failure is about.
    let both = json!({
        "task_id": "T", "event_type": "concept-drift-complete", "timestamp": "t",
        "output": {"model_id": "m", "model_version": "v2", "dataset_id": null,
                   "dataset_version": null, "user_id": "u"},
        "failure": {"error_type": "DriftError", "error_message": "no data"},
    });
    environment.write("both.json", both.to_string());
    let document = run_in(&environment, "drift", &[&["--from-json", "both.json"]]).expect(0).json();
    assert_eq!(document["value"], both);
    let flags = [MODEL, &["--failure", "DriftError: no data", "--task-id", "T"]];
    let document = run_in(&environment, "drift", &flags).expect(0).json();
    assert_eq!(document["value"]["output"]["dataset_id"], "d");
    let bias = [IDS, &["--failure", "no data", "--task-id", "T"]];
    let outcome = run_in(&environment, "bias", &bias).expect(0);
    assert_eq!(outcome.json()["value"]["output"], Value::Null);
    assert!(outcome.err().contains("has no output where it failed"), "{outcome}");
}

#[test]
fn the_later_layer_wins_under_either_name_and_for_the_task_too() {
    let environment = Environment::new();
    let file =
        json!({"task_id": "F", "output": {"model_id": "m", "user_id": "u", "model_version": "v1"}});
    environment.write("file.json", file.to_string());
    let from = ["--from-json", "file.json"];
    let value = |event: &str, more: &[&str]| {
        run_in(&environment, event, &[&from, more]).expect(0).json()["value"].clone()
    };
    assert_eq!(value("drift", &["--version", "v7"])["output"]["model_version"], "v7");
    assert_eq!(value("automl", &["--field", "version=v8"])["output"]["model_version"], "v8");
    assert_eq!(value("drift", &[])["task_id"], "F");
    assert_eq!(value("drift", &["--task-id", "T"])["task_id"], "T");
    assert_eq!(value("drift", &["--task-id", "T", "--field", "task_id=Z"])["task_id"], "Z");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (event, flags) in [
        ("drift", &["--task-id", ""][..]),
        ("drift", &["--failure", ""]),
        ("drift", &["--field", "output=1"]),
        ("xai-trigger", &["--field", "input={}"]),
        ("xai-trigger", &["--level", "guru"]),
        ("automl-trigger", &["--task-category", "banana"]),
    ] {
        drop(run_in(&Environment::new(), event, &[MODEL, flags]).expect(2));
    }
}
