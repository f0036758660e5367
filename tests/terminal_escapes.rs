//! No text of events, servers, files and arguments acts on a terminal, whichever command shows it.

use dwctl::kafka::Outgoing;
use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::peers;
use crate::support::records::put;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;
use crate::support::terminal::{HOSTILE, foreign_controls, start_at_terminal};

#[track_caller]
fn assert_harmless(line: &str, outcome: &Outcome) {
    let shown = String::from_utf8_lossy(&outcome.stdout);
    assert_eq!(foreign_controls(&shown), [""; 0], "dwctl {line}: {shown:?}");
    assert!(!shown.trim().is_empty() && outcome.code() != Some(101), "dwctl {line}: {outcome}");
}

/// Events whose every part is hostile: JSON, text, and bytes that are not text.
fn put_hostile(stack: &Stack) {
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let value = format!(r#"{{"event_type":{quoted},{quoted}:[{quoted}],"user_id":"u"}}"#);
    let headers = [(HOSTILE, Some(HOSTILE.as_bytes())), ("bytes", Some(b"\x9b2J\x1b[2J"))];
    let record = |value| Outgoing {
        headers: &headers,
        ..Outgoing::new("automl-events", Some(HOSTILE.as_bytes()), value)
    };
    // The length of the last begins an escape code, which the value goes on with.
    let values =
        [value.as_bytes(), HOSTILE.as_bytes(), b"\x9b2J\xc2", b"[2J************************"];
    put(&stack.brokers, &values.map(record));
}

const FORMS: [&str; 11] = [
    "",
    "--color always",
    "--color never --timestamps --headers",
    "--color always --timestamps --headers",
    "-o json",
    "-o raw",
    "--format '%t|%k|%s|%h|%v{event_type}\\n'",
    "--format '%R%s\\n'",
    "--jq '.value, .key, .headers'",
    "--jq '.value, .key, .headers' -o raw",
    "--jq 'error(.value)'",
];

#[test]
fn events_act_on_no_terminal_in_any_form() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    put_hostile(&stack);
    for form in FORMS {
        let line = format!("tail automl --from beginning --until end {form} -b {}", stack.brokers);
        assert_harmless(&line, &start_at_terminal(&stack.environment, &line).finish());
    }
    for form in ["", "-o json", "-o raw"] {
        let line = format!("wait automl --from beginning -n 4 {form} -b {}", stack.brokers);
        assert_harmless(&line, &start_at_terminal(&stack.environment, &line).finish());
    }
}

#[test]
fn json_of_events_is_the_same_on_a_terminal() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    put_hostile(&stack);
    let arguments = ["tail", "automl", "--from", "beginning", "--until", "end", "-q", "-o", "json"];
    let piped = stack.run(arguments).expect(0);
    assert!(piped.out().contains('\u{9b}'), "elsewhere it is as it was sent");
    let line = format!("{} -b {}", arguments.join(" "), stack.brokers);
    let shown = start_at_terminal(&stack.environment, &line).finish().expect(0);
    assert_eq!(shown.json_lines(), piped.json_lines());
}

#[test]
fn forward_shows_hostile_events_without_their_codes() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    put_hostile(&stack);
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let ids = format!(
        r#"{{"event_type":"model.uploaded","user_id":{quoted},"model_id":{quoted},"version":{quoted}}}"#
    );
    put(&stack.brokers, &[Outgoing::new("automl-events", None, ids.as_bytes())]);
    let line = format!("forward -n 5 --idle 5s -b {} -u {}", stack.brokers, stack.api_url);
    assert_harmless(&line, &start_at_terminal(&stack.environment, &line).finish());
}

/// A record of the API with hostile text in every field that is not asked for by its value.
fn record(has_own_ids: bool) -> Value {
    let id = |id: &str| if has_own_ids { id.to_owned() } else { HOSTILE.to_owned() };
    json!({
        "user_id": id("u"), "model_id": id("m"), "version": id("v1"),
        "name": HOSTILE, "description": HOSTILE, "framework": HOSTILE, "model_type": HOSTILE,
        "algorithm": HOSTILE, "tags": [HOSTILE], "custom_metadata": { HOSTILE: HOSTILE },
        "created_at": HOSTILE, "updated_at": HOSTILE, "is_active": true,
        "files": [{
            "filename": HOSTILE, "file_path": format!("models/u/m/v1/{HOSTILE}"), "file_size": 7,
            "file_type": HOSTILE, "file_hash": "63f4f1e9b725370f459720575cd5f953",
            "content_type": HOSTILE, "is_primary": true, "description": HOSTILE,
        }],
    })
}

const COMMANDS: [&str; 10] = [
    "models list --user-id u",
    "models show u/m@v1",
    "models show u/m@v1 -o json",
    "models show u/m",
    "models files u/m@v1",
    "models verify u/m@v1 model.pt",
    "models download u/m@v1 --output-dir back --force",
    "models update u/m@v1 --description D",
    "models delete u/m@v1 --yes",
    "upload model.pt --user-id u --model-id m --framework pytorch --model-type nlp --dialect flat",
];

fn answers() -> Vec<(u16, &'static str, String)> {
    let mut answers = Vec::new();
    for has_own_ids in [true, false] {
        let record = record(has_own_ids);
        answers.push((200, "application/json", record.to_string()));
        answers.push((200, "application/json", json!([record]).to_string()));
        answers.push((200, "application/json", json!(record["files"]).to_string()));
    }
    for status in [400, 401, 404, 409, 422, 503] {
        answers.push((status, "application/json", json!({"detail": HOSTILE}).to_string()));
        let detail = json!([{"loc": ["body", HOSTILE], "msg": HOSTILE, "type": HOSTILE}]);
        answers.push((status, "application/json", json!({"detail": detail}).to_string()));
        answers.push((status, "text/plain", HOSTILE.to_owned()));
    }
    answers.push((200, "text/html", format!("<title>{HOSTILE}</title>")));
    answers
}

#[test]
fn answers_of_the_api_act_on_no_terminal() {
    if !peers::has("script") {
        return;
    }
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    for (status, content_type, body) in answers() {
        let answer = match content_type {
            "application/json" => Answer::json(status, &body),
            "text/html" => Answer::html(status, &body),
            _ => Answer::plain(status, &body),
        };
        let api = ScriptedApi::start(move |request| {
            if request.path.contains("/download") {
                Answer::plain(200, "weights")
            } else {
                answer.clone()
            }
        });
        // All in one terminal: each line shows something, and starting a terminal takes its time.
        let flags = format!("--timeout 4s -u {}", api.url());
        let dwctl = crate::support::environment::DWCTL;
        let lines = COMMANDS.map(|line| format!("{line} {flags}")).join(&format!("; {dwctl} "));
        assert_harmless(&lines, &start_at_terminal(&environment, &lines).finish());
    }
}

#[test]
fn a_downloaded_name_is_shown_escaped_or_refused() {
    if !peers::has("script") {
        return;
    }
    let names = ["a\u{202e}b.pt", "a\u{200b}b.pt", "\u{feff}a.pt", "a\u{2066}.pt", "a\u{ad}.pt"];
    for (name, code) in
        names.map(|name| (name, 0)).into_iter().chain([("a\u{9b}2J.pt", 8), ("a\x1b[2J", 8)])
    {
        let environment = Environment::new();
        let mut record = record(true);
        record["files"][0]["filename"] = name.into();
        record["files"][0]["file_path"] = format!("models/u/m/v1/{name}").into();
        let body = record.to_string();
        let api = ScriptedApi::start(move |request| {
            if request.path.contains("/download") {
                Answer::plain(200, "weights")
            } else {
                Answer::json(200, &body)
            }
        });
        let line = format!("models download u/m@v1 --output-dir back -u {}", api.url());
        let outcome = start_at_terminal(&environment, &line).finish().expect(code);
        assert_harmless(&line, &outcome);
        // A name with control characters is refused; one that hides or reorders is kept as it is.
        assert_eq!(environment.path("back").join(name).exists(), code == 0, "{name:?}");
        assert!(outcome.out().contains("\\u"), "{outcome}");
        let piped = environment.run([
            "models",
            "download",
            "u/m@v1",
            "--output-dir",
            "again",
            "-u",
            api.url(),
        ]);
        assert_eq!(
            piped.out().contains(name),
            code == 0,
            "elsewhere the path is as it is: {piped}"
        );
    }
}

#[test]
fn arguments_and_names_of_files_act_on_no_terminal() {
    if !peers::has("script") {
        return;
    }
    let environment = Environment::new();
    environment.write(&format!("{HOSTILE}.pt"), "weights");
    let settings = format!("{0} = {0}\n", serde_json::to_string("odd\u{9b}2J").unwrap());
    environment.write(".dwctl.toml", settings);
    for line in [
        format!("'{HOSTILE}'"),
        format!("tail '{HOSTILE}' -b 127.0.0.1:1 --timeout 1s"),
        format!("tail automl '--{HOSTILE}'"),
        format!("tail automl -o '{HOSTILE}'"),
        format!("tail automl --match '{HOSTILE}'"),
        format!("tail automl --jq '{HOSTILE}'"),
        format!("tail automl --format '%{HOSTILE}'"),
        format!("tail automl -b '{HOSTILE}'"),
        format!("models show 'u/{HOSTILE}' -u http://127.0.0.1:1"),
        format!("models list --user-id u -u 'http://{HOSTILE}'"),
        format!("models list --user-id u --framework '{HOSTILE}'"),
        format!("help '{HOSTILE}'"),
        format!("man '{HOSTILE}'"),
        format!("config show --profile '{HOSTILE}'"),
        format!("upload '{HOSTILE}'"),
        format!("upload '{HOSTILE}.pt' --print-meta"),
        format!(
            "upload '{HOSTILE}.pt' --user-id u --model-id m --framework pytorch --model-type nlp --dialect flat --dry-run"
        ),
        format!(
            "upload '{HOSTILE}.pt' --user-id u --model-id m --framework pytorch --model-type nlp --dialect flat --print-curl"
        ),
        "config show".to_owned(),
    ] {
        assert_harmless(&line, &start_at_terminal(&environment, &line).finish());
    }
}
