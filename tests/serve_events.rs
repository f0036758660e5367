//! Which events `dwctl serve` sends: one for each step, on the topic of the step, in the form of the
//! request; and changes of models apart from the steps.

use serde_json::{Value, json};

use crate::support::http::{Call, Multipart};
use crate::support::stack::Stack;
use crate::support::zips::zipped;

const FIELDS: [(&str, &str); 5] = [
    ("model_id", "m"),
    ("name", "M"),
    ("framework", "pytorch"),
    ("model_type", "nlp"),
    ("training_dataset", "d"),
];

/// Every event on every topic: the topic and the value, in the order of the topics.
fn events(stack: &Stack) -> Vec<(String, Value)> {
    stack.wait_until_published();
    let arguments = ["tail", "^.*-events$", "--until", "end", "-o", "json"];
    let lines = stack.run(arguments).expect(0).json_lines();
    let event = |line: &Value| (line["topic"].as_str().unwrap().to_owned(), line["value"].clone());
    let mut events: Vec<_> = lines.iter().map(event).collect();
    events.sort_by(|a, b| a.0.cmp(&b.0));
    events
}

/// Topic and type of each.
fn kinds(stack: &Stack) -> Vec<(String, String)> {
    let kind = |value: &Value| value["event_type"].as_str().unwrap().to_owned();
    events(stack).into_iter().map(|(topic, value)| (topic, kind(&value))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(topic, kind)| ((*topic).to_owned(), (*kind).to_owned())).collect()
}

fn upload_dataset(stack: &Stack) {
    let form = Multipart::new()
        .file("file", "d.csv", b"a\n1\n")
        .texts(&[("dataset_id", "d"), ("name", "D")]);
    drop(stack.call(&Call::post("/datasets/upload/u", &form)).expect(200));
}

/// A model that is uploaded, updated and deleted again.
fn upload_and_change(stack: &Stack, dialect: &str) {
    let form = Multipart::new().file("file", "m.pt", b"w").texts(&FIELDS);
    let call = match dialect {
        "form" => Call::post("/ai-models/upload/single", &form.texts(&[("user_id", "u")])),
        _ => Call::post("/ai-models/upload/single/u", &form).header("X-Task-ID", "T-1"),
    };
    drop(stack.call(&call).expect(200));
    let update = Call::new("PUT", "/ai-models/u/m");
    let update = update.body("application/json", br#"{"name":"N"}"#.to_vec());
    drop(stack.call(&update).expect(200));
    drop(stack.call(&Call::new("DELETE", "/ai-models/u/m")).expect(200));
}

#[test]
fn changes_of_models_are_announced_on_a_topic_of_their_own() {
    let stack = Stack::start();
    upload_and_change(&stack, "all");
    assert_eq!(
        kinds(&stack),
        pairs(&[
            ("automl-complete-events", "automl-complete"),
            ("model-events", "model.updated"),
            ("model-events", "model.deleted"),
        ])
    );
    let read = stack.run(["tail", "model", "--until", "end", "-o", "pretty"]).expect(0);
    assert!(read.out().starts_with("Model Message received\n"), "{read}");
    assert_eq!(read.out().matches("  Key=u_m\n").count(), 2, "{read}");
}

#[test]
fn an_exact_dialect_announces_no_change() {
    for (dialect, topic, kind) in [
        ("form", "automl-events", "model.uploaded"),
        ("flat", "automl-events", "model.uploaded"),
        ("task", "automl-complete-events", "automl-complete"),
    ] {
        let stack = Stack::start_with(&["--dialect", dialect]);
        upload_and_change(&stack, dialect);
        assert_eq!(kinds(&stack), pairs(&[(topic, kind)]), "{dialect}");
        let topics = stack.run(["topics", "-o", "json"]).expect(0);
        assert!(!topics.out().contains("model-events"), "{dialect}: {topics}");
    }
}

/// The worker of today's service posts its report without a task and announces the step itself.
#[test]
fn a_bias_step_has_one_event_whichever_worker_does_it() {
    let today = json!({"user_id": "u", "dataset_id": "d", "dataset_version": "v1", "report": {}});
    let early = json!({"user_id": "u", "dataset_id": "d", "report": {}});
    let (flat, task) = ("bias-events", "bias-detection-complete-events");
    for (body, header, expected) in [
        (&today, None, None),
        (&today, Some("T-1"), Some((task, "bias-detection-complete"))),
        (&early, None, Some((flat, "bias.reported"))),
        (&early, Some("T-1"), Some((task, "bias-detection-complete"))),
    ] {
        let stack = Stack::start();
        upload_dataset(&stack);
        let call = Call::post_json("/bias-reports/", &body.to_string());
        let call = header.map_or(call.clone(), |task| call.header("X-Task-ID", task));
        drop(stack.call(&call).expect(200));
        let mut found = kinds(&stack);
        found.retain(|(topic, _)| topic.starts_with("bias"));
        let expected: Vec<_> = expected.into_iter().collect();
        assert_eq!(found, pairs(&expected), "{body} of {header:?}");
    }
}

#[test]
fn flat_events_say_what_is_a_folder() {
    let archive = zipped(&[("a.pt", b"a"), ("b/c.json", b"{}"), ("d.txt", b"d")]);
    for arguments in [&["--dialect", "flat"][..], &[]] {
        let stack = Stack::start_with(arguments);
        upload_dataset(&stack);
        let single = Multipart::new().file("file", "m.pt", b"w").texts(&FIELDS);
        drop(stack.call(&Call::post("/ai-models/upload/single/u", &single)).expect(200));
        let folder = Multipart::new().file("zip_file", "m.zip", &archive).texts(&FIELDS);
        drop(stack.call(&Call::post("/ai-models/upload/folder/u", &folder)).expect(200));
        let report = json!({
            "user_id": "u", "dataset_id": "d", "report": {}, "is_folder": true, "file_count": 7
        });
        let call = Call::post_json("/bias-reports/", &report.to_string());
        drop(stack.call(&call).expect(200));
        let events = events(&stack);
        let of = |topic: &str| {
            let here = events.iter().filter(|(name, _)| name == topic);
            here.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let facts = |value: &Value| {
            ["is_folder", "file_count", "is_model_folder", "model_file_count"]
                .map(|field| value[field].clone())
        };
        let models = of("automl-events");
        assert_eq!(facts(&models[0]), [json!(false), json!(1), json!(false), json!(1)]);
        assert_eq!(facts(&models[1]), [json!(false), json!(1), json!(true), json!(3)]);
        let report = &of("bias-events")[0];
        assert_eq!((&report["is_folder"], &report["file_count"]), (&json!(true), &json!(7)));
        let dataset = &of("dataset-events")[0]["dataset"];
        assert_eq!((&dataset["is_folder"], &dataset["file_count"]), (&json!(false), &json!(1)));
    }
}
