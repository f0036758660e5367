//! The commands of the API against an API that fails in every way it can.

use super::{BOUND, Complaints};
use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};

/// Each with what it needs to get as far as its first request. The dialect is given, so that this
/// request is the command's own.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "upload",
        &[
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
            "--dialect",
            "form",
            "--retries",
            "0",
        ],
    ),
    ("models list", &["models", "list", "--user-id", "u"]),
    ("models show", &["models", "show", "u/m@v1"]),
    ("models files", &["models", "files", "u/m@v1"]),
    ("models download", &["models", "download", "u/m@v1"]),
    ("models verify", &["models", "verify", "u/m@v1", "model.pt"]),
    ("models update", &["models", "update", "u/m@v1", "--name", "other"]),
    ("models delete", &["models", "delete", "u/m@v1", "--yes"]),
];

fn run(command: &[&str], api_url: &str, timeout: &[&str]) -> Outcome {
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    environment.run([command, &["-o", "json", "-q", "-u", api_url], timeout].concat())
}

/// What the API answers to everything, the code that is due, and a word that must be said.
fn answers() -> Vec<(&'static str, Answer, u8, &'static str)> {
    let refusal = |status| Answer::json(status, r#"{"detail":"the reason"}"#);
    vec![
        ("400", refusal(400), 4, "the reason"),
        ("401", refusal(401), 10, "the reason"),
        ("403", refusal(403), 10, "the reason"),
        ("404", refusal(404), 3, "the reason"),
        ("409", refusal(409), 4, "the reason"),
        ("422", refusal(422), 4, "the reason"),
        ("500 in JSON", refusal(500), 5, "the reason"),
        ("503 in JSON", refusal(503), 5, "the reason"),
        ("500 as plain text", Answer::plain(500, "Internal Server Error"), 5, "Internal Server"),
        ("502 of a proxy", Answer::html(502, "<h1>Bad Gateway</h1>\nnginx"), 5, "Bad Gateway"),
        ("a page", Answer::html(200, "<!doctype html>\n<title>Login</title>"), 5, "<!doctype"),
        ("another document", Answer::json(200, r#"{"ok": true}"#), 5, ""),
        ("half a document", Answer::json(200, r#"{"model_id": "m", "#), 5, ""),
        ("a reply cut off", Answer::CutOff { body: b"{\"m".to_vec(), missing: 100 }, 6, "lost"),
        ("a connection closed", Answer::Break, 6, "lost"),
    ]
}

#[test]
fn every_command_of_the_api_tells_every_failure_of_the_api() {
    let mut complaints = Complaints::default();
    for (fault, answer, code, word) in answers() {
        for (name, command) in COMMANDS {
            let answer = answer.clone();
            let api = ScriptedApi::start(move |request| {
                request.body();
                answer.clone()
            });
            let outcome = run(command, api.url(), &BOUND);
            complaints.check(&format!("{name}, {fault}"), &outcome, &[code], &[word]);
        }
    }
    complaints.conclude(100);
}

#[test]
fn every_command_of_the_api_tells_that_nobody_is_there() {
    let silent = BrokenBroker::silent();
    let mut complaints = Complaints::default();
    for (name, command) in COMMANDS {
        for (fault, url, word) in [
            ("a dead port", format!("http://{DEAD}"), "connection refused"),
            ("no such host", "http://api.invalid:8000".to_owned(), "api.invalid"),
            ("no such host of TLS", "https://api.invalid:8000".to_owned(), "api.invalid"),
        ] {
            let outcome = run(command, &url, &BOUND);
            complaints.check(&format!("{name}, {fault}"), &outcome, &[6], &[word]);
        }
        let outcome = run(command, &format!("http://{}", silent.address()), &["--timeout", "1s"]);
        complaints.check(&format!("{name}, silence"), &outcome, &[7], &[silent.address()]);
    }
    complaints.conclude(30);
}
