//! `dwctl smoke`: every step is proved in every dialect, faults have their names, and nothing is left
//! behind, however the run ends.

use std::collections::HashMap;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::http::Call;
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Stream};
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;

/// The steps of a document, with their status.
fn steps(document: &Value) -> Vec<(&str, &str)> {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().map(|s| (s["step"].as_str().unwrap(), s["status"].as_str().unwrap())).collect()
}

fn step<'d>(document: &'d Value, name: &str) -> &'d Value {
    let steps = document["steps"].as_array().unwrap();
    steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[track_caller]
fn nothing_is_left(stack: &Stack) {
    let models = stack.call(&Call::get("/ai-models/dwctl-smoke")).expect(200).json();
    assert_eq!(models, json!([]));
}

#[test]
fn every_step_is_proved_in_every_dialect_and_nothing_is_left() {
    for (dialect, form) in
        [("form", ", flat, key"), ("flat", ", flat, key"), ("task", ", envelope")]
    {
        let stack = Stack::start_with(&["--dialect", dialect]);
        let outcome = stack.run(["smoke", "-o", "json", "--bias", "--timeout", "60s"]).expect(0);
        let document = outcome.json();
        assert_eq!((&document["schema"], &document["ok"]), (&"dwctl.smoke/1".into(), &true.into()));
        let names = [
            "api",
            "brokers",
            "upload",
            "metadata",
            "files",
            "download",
            "bias event",
            "event",
            "delete",
        ];
        assert_eq!(steps(&document), names.map(|name| (name, "passed")), "{dialect}");
        let evidence = |name| step(&document, name)["evidence"].as_str().unwrap().to_owned();
        assert!(evidence("api").ends_with(&format!("dialect {dialect}")), "{outcome}");
        assert!(evidence("event").contains(form), "{dialect}: {outcome}");
        assert!(evidence("download").starts_with("MD5 "), "{outcome}");
        if dialect != "form" {
            nothing_is_left(&stack);
        }
    }
}

#[test]
fn a_folder_and_the_forwarder_are_proved_where_that_is_asked_for() {
    let stack = Stack::start();
    let forward = stack.start_client(["forward", "--group", "g"]);
    forward.wait_for(Stream::Err, "joined group g");
    let outcome = stack
        .run(["smoke", "--folder", "--through-forward", "--timeout", "60s", "-o", "json"])
        .expect(0);
    let document = outcome.json();
    for name in ["folder upload", "folder download", "folder event", "xai trigger"] {
        assert_eq!(step(&document, name)["status"], "passed", "{outcome}");
    }
    let trigger = step(&document, "xai trigger")["evidence"].as_str().unwrap();
    assert!(trigger.starts_with("xai"), "{outcome}");
    nothing_is_left(&stack);
}

#[test]
fn without_a_forwarder_that_is_the_finding() {
    let stack = Stack::start();
    let outcome =
        stack.run(["smoke", "--through-forward", "--timeout", "4s", "-o", "json"]).expect(8);
    let document = outcome.json();
    assert_eq!(step(&document, "event")["status"], "passed", "{outcome}");
    assert_eq!(step(&document, "xai trigger")["fault"]["name"], "not-forwarded", "{outcome}");
    nothing_is_left(&stack);
}

#[test]
fn the_table_ends_with_the_verdict_and_the_junit_file_has_every_step() {
    let stack = Stack::start();
    let outcome = stack.run(["smoke", "--timeout", "60s", "--junit", "smoke.xml"]).expect(0);
    assert!(
        outcome.out().lines().last().unwrap().starts_with("It works: 8 steps in "),
        "{outcome}"
    );
    let junit = std::fs::read_to_string(stack.environment.path("smoke.xml")).unwrap();
    assert!(junit.contains("tests=\"8\" failures=\"0\" errors=\"0\" skipped=\"0\""), "{junit}");
    assert_eq!(junit.matches("<testcase ").count(), 8, "{junit}");
}

#[test]
fn a_junit_file_that_cannot_be_written_is_refused_before_anything_is_done() {
    let outcome =
        Environment::new().run(["smoke", "-b", DEAD, "--junit", "none/smoke.xml"]).expect(2);
    assert!(outcome.err().contains("--junit takes a file in a folder that exists"), "{outcome}");
}

#[test]
fn many_runs_go_on_side_by_side() {
    let stack = Stack::start();
    let start = |_| stack.start_client(["smoke", "--folder", "--timeout", "60s", "-o", "json"]);
    let runs: Vec<_> = (0..6).map(start).collect();
    let ended: Vec<Outcome> = runs.into_iter().map(|run| run.finish().expect(0)).collect();
    let mut tokens: Vec<String> = ended.iter().map(|it| it.json()["run"].to_string()).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 6);
    nothing_is_left(&stack);
}

#[test]
fn whoever_is_away_is_code_6_and_the_other_is_still_looked_at() {
    let stack = Stack::start();
    let dead_api = format!("http://{DEAD}");
    let outcome = stack.run(["smoke", "-u", &dead_api, "--timeout", "20s", "-o", "json"]).expect(6);
    let document = outcome.json();
    let seen = &steps(&document)[..3];
    assert_eq!(
        seen,
        [("api", "failed"), ("brokers", "passed"), ("upload", "skipped")],
        "{outcome}"
    );
    let outcome = stack.run(["smoke", "-b", DEAD, "--timeout", "20s", "-o", "json"]).expect(6);
    let document = outcome.json();
    let seen = &steps(&document)[..3];
    assert_eq!(
        seen,
        [("api", "passed"), ("brokers", "failed"), ("upload", "skipped")],
        "{outcome}"
    );
    assert_eq!(step(&document, "delete")["evidence"], "nothing was stored");
}

/// How a scripted service misbehaves.
#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    /// Nothing but that it announces nothing.
    Silent,
    /// Answers and forgets the model.
    Forgets,
    /// Has the record and not the bytes.
    LosesFiles,
    /// Stores and never answers.
    Hangs,
    /// Stores and answers with an error.
    Errs,
    /// Stores and announces, but cannot show what it stored: an accuracy of NaN does that.
    Poisons,
    /// Stores files of one name over each other.
    Overwrites,
}

/// A service of today's generation with a flaw, and what it has stored.
#[derive(Default)]
struct Service {
    /// Record and bytes of each model's file by model id.
    models: HashMap<String, (Value, Vec<u8>)>,
    /// Where it announces.
    brokers: String,
}

/// The value of a form's field.
fn field(body: &[u8], name: &str) -> String {
    let body = String::from_utf8_lossy(body).into_owned();
    let start = body.find(&format!("name=\"{name}\"")).unwrap();
    body[start..].split("\r\n\r\n").nth(1).unwrap().split("\r\n").next().unwrap().to_owned()
}

impl Service {
    fn answer(&mut self, request: &mut Request, flaw: Flaw) -> Answer {
        let path = request.path.split('?').next().unwrap().to_owned();
        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &words[..]) {
            ("GET", ["openapi.json"]) => Answer::json(200, &openapi().to_string()),
            ("POST", ["ai-models", "upload", shape, _]) => {
                let is_folder = *shape == "folder";
                let body = request.body().to_vec();
                self.store(&body, is_folder, flaw)
            }
            ("DELETE", ["ai-models", _, model]) => match self.models.remove(*model) {
                Some(_) => Answer::json(200, r#"{"message": "Model deleted successfully"}"#),
                None => Answer::json(404, r#"{"detail": "Model not found"}"#),
            },
            ("GET", ["ai-models", _, model, rest @ ..]) => match (self.models.get(*model), rest) {
                (Some(_), _) if flaw == Flaw::Poisons => {
                    Answer::plain(500, "Internal Server Error")
                }
                (Some((record, _)), []) => Answer::json(200, &record.to_string()),
                (Some((record, _)), ["files"]) => Answer::json(200, &record["files"].to_string()),
                (Some(_), ["download"]) if flaw == Flaw::LosesFiles => {
                    Answer::json(404, r#"{"detail": "Model file not found"}"#)
                }
                (Some((_, bytes)), ["download"]) => Answer::Send {
                    headers: Vec::new(),
                    status: 200,
                    content_type: "application/octet-stream",
                    body: bytes.clone(),
                },
                _ => Answer::json(404, r#"{"detail": "Model not found"}"#),
            },
            other => panic!("unexpected {other:?}"),
        }
    }

    fn store(&mut self, body: &[u8], is_folder: bool, flaw: Flaw) -> Answer {
        let model = field(body, "model_id");
        let bytes = sent(body);
        let files = match is_folder {
            false => {
                let name = "classifier.safetensors";
                vec![file(&model, name, bytes.len() as u64, &md5_of(&bytes))]
            }
            true => unpacked(&bytes, &model, flaw),
        };
        let record = json!({
            "model_id": model, "user_id": "dwctl-smoke", "name": field(body, "name"),
            "description": field(body, "description"), "version": "v1",
            "framework": field(body, "framework"), "model_type": "classification", "files": files,
        });
        let answer = Answer::json(200, &record.to_string());
        let announced = model.clone();
        if flaw != Flaw::Forgets {
            self.models.insert(model, (record, bytes));
        }
        match flaw {
            Flaw::Hangs => Answer::Stall,
            Flaw::Poisons => {
                let value = format!(
                    r#"{{"event_type":"automl-complete","output":{{"model_id":"{announced}"}},"failure":null}}"#
                );
                put(&self.brokers, &[text("automl-complete-events", "task", &value)]);
                Answer::plain(500, "Internal Server Error")
            }
            Flaw::Errs => Answer::plain(500, "Internal Server Error"),
            _ => answer,
        }
    }
}

fn openapi() -> Value {
    let header = json!([{"in": "header", "name": "X-Task-ID"}]);
    json!({"paths": {"/ai-models/upload/single/{user_id}": {"post": {"parameters": header}}}})
}

/// The bytes of the form's only file.
fn sent(body: &[u8]) -> Vec<u8> {
    let find = |from: usize, part: &[u8]| {
        from + body[from..].windows(part.len()).position(|found| found == part).unwrap()
    };
    let from = find(find(0, b"filename="), b"\r\n\r\n") + 4;
    let end = body.windows(4).rposition(|part| part == b"\r\n--").unwrap();
    body[from..end].to_vec()
}

fn file(model: &str, path: &str, size: u64, md5: &dwctl::archive::Md5) -> Value {
    json!({
        "filename": path.rsplit('/').next().unwrap(), "file_size": size,
        "file_hash": dwctl::archive::hex(md5),
        "file_path": format!("models/dwctl-smoke/{model}/v1/{path}"),
    })
}

/// What a folder's archive holds, as a service lists it.
fn unpacked(bytes: &[u8], model: &str, flaw: Flaw) -> Vec<Value> {
    let place = Environment::new();
    let zip = dwctl::archive::ReadyZip::open(&place.write("folder.zip", bytes)).unwrap();
    let listed = zip.sums().unwrap().into_iter().map(|found| {
        let base = found.name.rsplit('/').next().unwrap();
        let path = if flaw == Flaw::Overwrites { base } else { &*found.name };
        file(model, path, found.size, found.sum.md5().unwrap())
    });
    listed.collect()
}

fn md5_of(bytes: &[u8]) -> dwctl::archive::Md5 {
    let mut digest = dwctl::archive::Digest::start().unwrap();
    digest.update(bytes).unwrap();
    digest.finish().unwrap()
}

/// A run against a service with a flaw, on the brokers of a stack, and its document.
fn run_against(flaw: Flaw, arguments: &[&str]) -> (Outcome, Value) {
    let stack = Stack::start();
    let mut service = Service { brokers: stack.brokers.clone(), ..Service::default() };
    let (sender, deleted) = std::sync::mpsc::channel();
    let api = ScriptedApi::start(move |request: &mut Request| {
        let answer = service.answer(request, flaw);
        if request.method == "DELETE" {
            sender.send(service.models.len()).unwrap();
        }
        answer
    });
    let arguments = [&["smoke", "-q", "-o", "json", "-u", api.url()], arguments].concat();
    let outcome = stack.run(arguments).expect(8);
    assert_eq!(deleted.try_iter().last(), Some(0), "something was left: {outcome}");
    let document = outcome.json();
    (outcome, document)
}

#[test]
fn the_faults_of_a_service_have_names() {
    for (flaw, name, fault) in [
        (Flaw::Silent, "event", "event-lost"),
        (Flaw::Forgets, "metadata", "model-lost"),
        (Flaw::LosesFiles, "download", "files-lost"),
        (Flaw::Hangs, "upload", "no-reply"),
        (Flaw::Errs, "upload", "stored-behind-error"),
        (Flaw::Poisons, "upload", "stored-behind-error"),
    ] {
        let (outcome, document) = run_against(flaw, &["--timeout", "3s"]);
        let found = step(&document, name);
        assert_eq!(found["status"], "failed", "{outcome}");
        assert_eq!(found["fault"]["name"], fault, "{outcome}");
        let hints = outcome.error()["hints"].to_string();
        assert!(hints.contains(fault), "the fault is no hint: {outcome}");
    }
}

#[test]
fn files_of_one_name_that_overwrite_each_other_have_a_name() {
    let (outcome, document) = run_against(Flaw::Overwrites, &["--folder", "--timeout", "3s"]);
    assert_eq!(step(&document, "folder upload")["fault"]["name"], "files-overwritten", "{outcome}");
}

#[test]
fn a_folder_that_todays_service_does_not_announce_has_a_name_of_its_own() {
    let (outcome, document) = run_against(Flaw::Silent, &["--folder", "--timeout", "3s"]);
    assert_eq!(step(&document, "folder download")["status"], "passed", "{outcome}");
    let fault = &step(&document, "folder event")["fault"]["name"];
    assert_eq!(fault, "folder-unannounced", "{outcome}");
}

#[test]
fn a_stop_while_the_service_hangs_removes_what_it_stored() {
    let stack = Stack::start();
    let mut service = Service::default();
    let (sender, calls) = std::sync::mpsc::channel();
    let api = ScriptedApi::start(move |request: &mut Request| {
        let answer = service.answer(request, Flaw::Hangs);
        sender.send((request.method.clone(), service.models.len())).unwrap();
        answer
    });
    let run = stack.start_client(["smoke", "-u", api.url(), "--timeout", "60s"]);
    while calls.recv_timeout(crate::support::PATIENCE).unwrap().0 != "POST" {}
    run.signal(Signal::INT);
    let outcome = run.finish().expect(130);
    assert!(calls.try_iter().any(|call| call == ("DELETE".to_owned(), 0)), "{outcome}");
}

#[test]
fn a_stop_in_the_middle_leaves_nothing() {
    let stack = Stack::start();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        // It waits for a trigger that nobody sends.
        let run = stack.start_client(["smoke", "--through-forward", "--timeout", "60s", "-v"]);
        run.wait_for(Stream::Err, "/download");
        run.signal(signal);
        let outcome = run.finish().expect(code);
        assert!(outcome.out().contains("is gone"), "{outcome}");
        nothing_is_left(&stack);
    }
}
