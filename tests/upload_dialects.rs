//! `dwctl upload` when the API behind an address changes its generation, or announces elsewhere than
//! it is expected to: no verdict and no hint comes from an old answer.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::records::{put, text};
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;

/// `weights`, as `md5sum` has it.
const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";
const UPLOAD: &[&str] = &[
    "upload",
    "model.pt",
    "--user-id",
    "u",
    "--model-id",
    "m",
    "--framework",
    "pytorch",
    "--model-type",
    "nlp",
    "--training-dataset",
    "d",
];
const GENERATIONS: [&str; 3] = ["form", "flat", "task"];

/// The value of a form's field.
fn field(body: &[u8], name: &str) -> String {
    let body = String::from_utf8_lossy(body).into_owned();
    let start = body.find(&format!("name=\"{name}\"")).unwrap();
    body[start..].split("\r\n\r\n").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
}

fn record(model: &str) -> String {
    json!({
        "model_id": model, "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp", "training_dataset": "d",
        "files": [{
            "filename": "model.pt", "file_path": "models/u/m/v1/model.pt", "file_size": 7,
            "file_type": "pt", "file_hash": WEIGHTS_MD5, "is_primary": false
        }],
        "created_at": "2026-11-23T13:19:20", "updated_at": "2026-11-23T13:19:20"
    })
    .to_string()
}

fn openapi(dialect: &str) -> String {
    let header = json!([{"in": "header", "name": "X-Task-ID"}]);
    let parameters = if dialect == "task" { header } else { json!([]) };
    let path = match dialect {
        "form" => "/ai-models/upload/single",
        _ => "/ai-models/upload/single/{user_id}",
    };
    json!({"paths": {path: {"post": {"parameters": parameters}}}}).to_string()
}

/// What an API has announced: on which topic, and with what.
type Announce = dyn Fn(Option<&str>) -> (&'static str, String) + Send;

/// A service that can be renewed behind its address.
struct Service {
    generation: Arc<Mutex<&'static str>>,
    requests: Arc<Mutex<Vec<String>>>,
    api: ScriptedApi,
}

impl Service {
    fn start() -> Self {
        Self::announcing(String::new(), Box::new(|_| ("", String::new())))
    }

    /// One that announces each upload; without brokers nothing.
    fn announcing(brokers: String, announce: Box<Announce>) -> Self {
        let generation = Arc::new(Mutex::new("task"));
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let api = ScriptedApi::start({
            let (generation, requests) = (Arc::clone(&generation), Arc::clone(&requests));
            move |request: &mut Request| {
                requests.lock().unwrap().push(format!("{} {}", request.method, request.path));
                if request.path == "/openapi.json" {
                    return Answer::json(200, &openapi(*generation.lock().unwrap()));
                }
                if request.method != "POST" {
                    return Answer::json(404, r#"{"detail":"Model not found"}"#);
                }
                let task = request.header("x-task-id").map(str::to_owned);
                let model = field(request.body(), "model_id");
                if !brokers.is_empty() {
                    let (topic, value) = announce(task.as_deref());
                    put(&brokers, &[text(topic, "k", &value)]);
                }
                Answer::json(200, &record(&model))
            }
        });
        Self { generation, requests, api }
    }

    fn renew(&self, generation: &'static str) {
        *self.generation.lock().unwrap() = generation;
        self.requests.lock().unwrap().clear();
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn upload(&self, environment: &Environment, more: &[&str]) -> Outcome {
        environment.run([UPLOAD, &["-u", self.api.url()], more].concat())
    }
}

fn place() -> Environment {
    let environment = Environment::new();
    environment.write("model.pt", b"weights");
    environment
}

fn flat_event() -> String {
    r#"{"event_type":"model.uploaded","user_id":"u","model_id":"m","version":"v1"}"#.to_owned()
}

fn envelope(task: &str) -> String {
    format!(r#"{{"task_id":"{task}","event_type":"automl-complete","output":{{}},"failure":null}}"#)
}

#[test]
fn a_task_is_sent_or_refused_by_the_generation_that_is_there_now() {
    for before in GENERATIONS {
        for after in GENERATIONS {
            let (service, environment) = (Service::start(), place());
            service.renew(before);
            service.upload(&environment, &[]).must_succeed();
            service.renew(after);
            let outcome = service.upload(&environment, &["--task-id", "T-1"]).expect(0);
            let is_warned = outcome.err().contains("--task-id T-1 is not sent");
            assert_eq!(is_warned, after != "task", "{before} to {after}: {outcome}");
        }
    }
}

#[test]
fn the_event_is_awaited_where_the_generation_that_is_there_now_sends_it() {
    let stack = Stack::start();
    for (before, after) in [("task", "flat"), ("flat", "task"), ("form", "flat")] {
        let service = Service::announcing(
            stack.brokers.clone(),
            Box::new(|task| match task {
                Some(task) => ("automl-complete-events", envelope(task)),
                None => ("automl-events", flat_event()),
            }),
        );
        let environment = place();
        service.renew(before);
        service.upload(&environment, &[]).must_succeed();
        service.renew(after);
        let wait = ["--wait-event=30s", "-b", &stack.brokers, "-o", "json"];
        let document = service.upload(&environment, &wait).expect(0).json();
        let topic = if after == "task" { "automl-complete-events" } else { "automl-events" };
        assert_eq!(document["event"]["topic"], topic, "{before} to {after}");
        assert_eq!(document["dialect"], after);
    }
}

#[test]
fn a_plain_upload_asks_nothing_again() {
    let (service, environment) = (Service::start(), place());
    service.renew("flat");
    service.upload(&environment, &[]).must_succeed();
    service.renew("flat");
    service.upload(&environment, &[]).must_succeed();
    assert_eq!(service.requests(), ["POST /ai-models/upload/single/u"]);
}

#[test]
fn what_depends_on_the_dialect_for_more_than_its_request_asks_again() {
    for more in [&["--if-exists", "fail"][..], &["--task-id", "T"], &["--print-curl"]] {
        let (service, environment) = (Service::start(), place());
        service.renew("flat");
        service.upload(&environment, &[]).must_succeed();
        service.renew("form");
        drop(service.upload(&environment, more));
        assert_eq!(service.requests()[0], "GET /openapi.json", "{more:?}");
    }
}

#[test]
fn that_no_event_follows_is_said_of_the_generation_that_is_there_now() {
    let (service, environment) = (Service::start(), place());
    for (generation, is_said) in [("task", true), ("flat", false), ("task", true)] {
        service.renew(generation);
        // Its own cached answer is of the other generation.
        let again = service.upload(&environment, &["--if-exists", "new"]).expect(0);
        let said = again.err().contains("no event follows");
        if generation == "flat" {
            assert_eq!(said, is_said, "{generation}: {again}");
        }
        let fresh = service.upload(&place(), &[]).expect(0);
        assert_eq!(fresh.err().contains("no event follows"), is_said, "{generation}: {fresh}");
    }
    service.renew("task");
    let with_task = service.upload(&environment, &["--task-id", "T"]).expect(0);
    assert!(!with_task.err().contains("no event follows"), "{with_task}");
}

#[test]
fn what_a_stack_announces_is_not_said_to_be_missing() {
    for (arguments, is_said) in
        [(&[][..], false), (&["--dialect", "task"], true), (&["--dialect", "flat"], false)]
    {
        let stack = Stack::start_with(arguments);
        stack.environment.write("model.pt", b"weights");
        let outcome = stack.run(UPLOAD).expect(0);
        assert_eq!(outcome.err().contains("no event follows"), is_said, "{arguments:?}: {outcome}");
    }
}

#[test]
fn a_folder_is_not_announced_by_todays_service_with_or_without_a_task() {
    let service = Service::start();
    let environment = Environment::new();
    environment.write("folder/model.pt", b"weights");
    let arguments: Vec<&str> = UPLOAD
        .iter()
        .map(|word| match *word {
            "model.pt" => "folder",
            word => word,
        })
        .collect();
    for more in [&[][..], &["--task-id", "T"]] {
        let all = [&arguments[..], &["-u", service.api.url()], more].concat();
        let outcome = environment.run(all).expect(0);
        assert!(outcome.err().contains("announces no folder uploads"), "{outcome}");
    }
    service.renew("flat");
    let outcome = environment.run([&arguments[..], &["-u", service.api.url()]].concat()).expect(0);
    assert!(!outcome.err().contains("announces no folder"), "{outcome}");
}

#[test]
fn several_models_are_told_of_once() {
    let (service, environment) = (Service::start(), Environment::new());
    environment.write("m.pt", b"weights");
    let manifest = r#"{"models": [{"path": "model.pt", "model_id": "m1"}, {"path": "model.pt", "model_id": "m2"}]}"#;
    environment.write("model.pt", b"weights");
    environment.write("models.json", manifest);
    let arguments = [
        "upload",
        "--manifest",
        "models.json",
        "--user-id",
        "u",
        "--framework",
        "pytorch",
        "--model-type",
        "nlp",
        "-u",
        service.api.url(),
    ];
    let outcome = environment.run(arguments).expect(0);
    assert_eq!(outcome.err().matches("no event follows").count(), 1, "{outcome}");
    assert!(outcome.err().contains("2 of 2 models: no event follows"), "{outcome}");
}

/// Events on the other name of the role are found, and the variable is named.
#[test]
fn an_event_on_an_older_topic_is_found_with_the_variable_that_put_it_there() {
    let stack = Stack::start();
    for (set, topic) in [
        (None, "automl-events"),
        (Some("automl-complete-events"), "automl-events"),
        (Some("automl-events"), "automl-complete-events"),
        (Some("bias-events"), "automl-events"),
    ] {
        let service = Service::announcing(
            stack.brokers.clone(),
            Box::new(move |task| (topic, envelope(task.unwrap()))),
        );
        let mut environment = place();
        if let Some(set) = set {
            environment = environment.set("KAFKA_AUTOML_TOPIC", set);
        }
        let wait = ["--wait-event=30s", "-b", &stack.brokers, "-o", "json"];
        let outcome = service.upload(&environment, &wait).expect(0);
        let event: Value = outcome.json()["event"].clone();
        assert_eq!(event["topic"], topic, "{set:?}: {outcome}");
        assert!(outcome.err().contains(&format!("the event came on {topic}")), "{outcome}");
        assert!(outcome.err().contains("KAFKA_AUTOML_TOPIC"), "{outcome}");
    }
}

#[test]
fn an_event_that_does_not_come_is_missed_on_both_topics() {
    let (stack, service) = (Stack::start(), Service::start());
    let wait = ["--wait-event=1s", "-b", &stack.brokers];
    let outcome = service.upload(&place(), &wait).expect(7);
    let words = "no event of it came on automl-complete-events in time, nor on automl-events";
    assert!(outcome.err().contains(words), "{outcome}");
}
