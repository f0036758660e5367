//! `dwctl smoke` where the API announces on other topics than expected, and its bias step: through the
//! API, and without anything that a running `forward` acts on.

use serde_json::{Value, json};

use crate::support::http::Call;
use crate::support::records::{put, text};
use crate::support::run::Stream;
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;

fn step<'d>(document: &'d Value, name: &str) -> &'d Value {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("no {name}"))
}

/// The value of a form's field.
fn field(body: &[u8], name: &str) -> String {
    let body = String::from_utf8_lossy(body).into_owned();
    let start = body.find(&format!("name=\"{name}\"")).unwrap();
    body[start..].split("\r\n\r\n").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
}

/// The bytes of the form's only file.
fn file(body: &[u8]) -> Vec<u8> {
    let find = |from: usize, part: &[u8]| {
        from + body[from..].windows(part.len()).position(|found| found == part).unwrap()
    };
    let from = find(find(0, b"filename="), b"\r\n\r\n") + 4;
    let end = body.windows(4).rposition(|part| part == b"\r\n--").unwrap();
    body[from..end].to_vec()
}

fn md5_of(bytes: &[u8]) -> String {
    let mut digest = dwctl::archive::Digest::start().unwrap();
    digest.update(bytes).unwrap();
    dwctl::archive::hex(&digest.finish().unwrap())
}

/// Today's service, which publishes on this topic.
fn service(brokers: String, topic: &'static str) -> ScriptedApi {
    let mut stored: Option<(Value, Vec<u8>)> = None;
    ScriptedApi::start(move |request: &mut Request| {
        let path = request.path.split('?').next().unwrap().to_owned();
        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &words[..]) {
            ("GET", ["openapi.json"]) => {
                let header = json!([{"in": "header", "name": "X-Task-ID"}]);
                let upload = json!({"post": {"parameters": header}});
                let paths = json!({"/ai-models/upload/single/{user_id}": upload});
                Answer::json(200, &json!({ "paths": paths }).to_string())
            }
            ("POST", _) => {
                let task = request.header("x-task-id").unwrap().to_owned();
                let body = request.body().to_vec();
                let (model, bytes) = (field(&body, "model_id"), file(&body));
                let record = json!({
                    "model_id": model, "user_id": "dwctl-smoke", "name": field(&body, "name"),
                    "description": field(&body, "description"), "version": "v1",
                    "framework": "pytorch", "model_type": "classification",
                    "files": [{
                        "filename": "classifier.safetensors", "file_size": bytes.len(),
                        "file_hash": md5_of(&bytes), "file_path": "models/x",
                    }],
                });
                let event = json!({
                    "task_id": task, "event_type": "automl-complete", "failure": null,
                    "output": {"model_id": model, "model_version": "v1", "user_id": "dwctl-smoke"},
                });
                put(&brokers, &[text(topic, &task, &event.to_string())]);
                stored = Some((record.clone(), bytes));
                Answer::json(200, &record.to_string())
            }
            ("DELETE", _) => match stored.take() {
                Some(_) => Answer::json(200, r#"{"message": "deleted"}"#),
                None => Answer::json(404, r#"{"detail": "Model not found"}"#),
            },
            (_, words) => match (&stored, words.last()) {
                (None, _) => Answer::json(404, r#"{"detail": "Model not found"}"#),
                (Some((_, bytes)), Some(&"download")) => Answer::Send {
                    headers: Vec::new(),
                    status: 200,
                    content_type: "application/octet-stream",
                    body: bytes.clone(),
                },
                (Some((record, _)), Some(&"files")) => {
                    Answer::json(200, &record["files"].to_string())
                }
                (Some((record, _)), _) => Answer::json(200, &record.to_string()),
            },
        }
    })
}

#[test]
fn an_event_on_another_name_of_the_topic_is_found_and_named() {
    let stack = Stack::start();
    for (set, topic, is_named) in [
        (None, "automl-complete-events", false),
        (None, "automl-events", true),
        (Some("automl-events"), "automl-events", false),
        (Some("automl-events"), "automl-complete-events", true),
        (Some("xai-events"), "automl-events", true),
    ] {
        let api = service(stack.brokers.clone(), topic);
        let mut arguments = vec!["smoke", "-o", "json", "-u", api.url(), "--timeout", "60s"];
        arguments.extend(["-b", &stack.brokers]);
        let mut environment = crate::support::environment::Environment::new();
        if let Some(set) = set {
            environment = environment.set("KAFKA_AUTOML_TOPIC", set);
        }
        let outcome = environment.run(arguments).expect(0);
        let evidence = step(&outcome.json(), "event")["evidence"].to_string();
        let words = format!("the event came on {topic}");
        assert_eq!(evidence.contains(&words), is_named, "{set:?}: {outcome}");
        assert_eq!(outcome.err().contains(&words), is_named, "{outcome}");
        assert_eq!(outcome.err().contains("KAFKA_AUTOML_TOPIC"), is_named, "{outcome}");
    }
}

#[test]
fn the_bias_step_goes_through_the_api_and_starts_nothing() {
    for dialect in ["form", "flat", "task", "all"] {
        let arguments = ["--dialect", dialect];
        let stack = Stack::start_with(if dialect == "all" { &[] } else { &arguments });
        let routes = ["bias-to-automl", "dataset-to-bias"];
        let forwards: Vec<_> = routes
            .iter()
            .filter(|route| dialect != "form" || **route == "bias-to-automl")
            .map(|route| {
                let words = ["forward", "--target-column-name", "y", "--route", route];
                stack.start_client([&words[..], &["--group", route, "-n", "1"]].concat())
            })
            .collect();
        for forward in &forwards {
            forward.wait_for(Stream::Err, "joined group");
        }
        let smoke = ["smoke", "--bias", "-o", "json", "--timeout", "60s"];
        let outcome = stack.run(smoke).expect(0);
        let document = outcome.json();
        let evidence = step(&document, "bias event")["evidence"].to_string();
        assert!(evidence.contains("after POST /bias-reports/"), "{dialect}: {outcome}");
        let gone = step(&document, "delete")["evidence"].to_string();
        assert_eq!(gone.matches("is gone").count(), 3, "{dialect}: {outcome}");
        for forward in forwards {
            let forward = forward.finish().expect(0);
            assert!(forward.err().contains("no trigger"), "{dialect}: {forward}");
            assert!(forward.err().contains("0 triggers sent"), "{dialect}: {forward}");
        }
        let list = stack.call(&Call::get("/datasets/dwctl-smoke")).expect(200).json();
        assert_eq!(list, json!([]), "{dialect}");
    }
}
