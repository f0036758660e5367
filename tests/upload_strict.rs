//! What would look like success and is none: replies about something else, flags that cannot hold for
//! what they stand beside, and an output that goes nowhere.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

/// The record of a model of one file of `weights`.
fn record(user: &str, model: &str, version: &str) -> Value {
    json!({
        "model_id": model, "user_id": user, "name": model, "version": version,
        "framework": "pytorch", "model_type": "nlp",
        "files": [{
            "filename": "model.pt", "file_path": format!("models/{user}/{model}/{version}/model.pt"),
            // `weights`, as `md5sum` has it.
            "file_size": 7, "file_type": "pt", "file_hash": "63f4f1e9b725370f459720575cd5f953",
            "content_type": null, "is_primary": false, "description": null
        }],
        "created_at": "2026-11-23T10:00:00", "updated_at": "2026-11-23T10:00:00"
    })
}

const UPLOAD: &str = "upload model.pt --user-id u --model-id m --framework pytorch \
                      --model-type nlp --training-dataset d";

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn upload(api: &ScriptedApi, flags: &str) -> Outcome {
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    environment.run([words(UPLOAD), words(flags), vec!["-u", api.url()]].concat())
}

/// What a command line gives without any API: a usage error in these words.
#[track_caller]
fn refused(environment: &Environment, line: &str, telling: &str) {
    // A request would find nothing there, which is code 6.
    let outcome = environment.run([words(line), vec!["-u", "http://127.0.0.1:1"]].concat());
    let outcome = outcome.expect(2);
    assert!(outcome.err().contains(telling), "{line}: {outcome}");
}

#[test]
fn a_reply_about_another_model_is_no_proof() {
    for (user, model, version, dialect) in
        [("other", "m", "v1", "flat"), ("u", "other", "v1", "task"), ("u", "m", "v2", "form")]
    {
        let reply = record(user, model, version).to_string();
        let api = ScriptedApi::start(move |request| {
            request.body();
            Answer::json(200, &reply)
        });
        let flags = format!("--dialect {dialect} --version v1");
        let outcome = upload(&api, &flags).expect(8);
        let told = format!("the reply tells of {user}/{model}@{version}, and u/m");
        assert!(outcome.err().contains(&told) && outcome.stdout.is_empty(), "{outcome}");
    }
}

#[test]
fn a_reply_larger_than_any_record_is_not_taken_to_its_end() {
    let reply = format!("{}{}", record("u", "m", "v1"), " ".repeat(3 << 20));
    let api = ScriptedApi::start(move |request| {
        request.body();
        Answer::json(200, &reply)
    });
    let outcome = upload(&api, "--dialect flat").expect(5);
    assert!(outcome.err().contains("answered 200 with more than"), "{outcome}");
}

#[test]
fn an_earlier_upload_of_the_same_file_under_another_description_is_not_this_one() {
    let (posts, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (seen, looked) = (Arc::clone(&posts), Arc::clone(&asked));
    let api = ScriptedApi::start(move |request| {
        let mut stored = record("u", "m", "v1");
        // No stamp at all, so that the files and texts alone must tell.
        stored["created_at"] = json!("");
        stored["description"] = json!("the first");
        stored["training_dataset"] = json!("d");
        if request.method == "GET" {
            looked.fetch_add(1, Ordering::SeqCst);
            return Answer::json(200, &json!([stored]).to_string());
        }
        request.body();
        if seen.fetch_add(1, Ordering::SeqCst) == 0 {
            return Answer::Break;
        }
        stored["version"] = json!("v2");
        stored["description"] = json!("the-second");
        Answer::json(200, &stored.to_string())
    });
    let outcome = upload(&api, "--dialect flat --description the-second").expect(0);
    assert_eq!(outcome.out(), "u/m@v2\n");
    assert_eq!((posts.load(Ordering::SeqCst), asked.load(Ordering::SeqCst)), (2, 1), "{outcome}");
}

#[test]
fn a_change_that_the_api_passed_over_is_code_8() {
    let api = ScriptedApi::start(|request| {
        request.body();
        Answer::json(200, &record("u", "m", "v1").to_string())
    });
    let update = format!("models update u/m@v1 --description new -u {}", api.url());
    let outcome = Environment::new().run(words(&update)).expect(8);
    assert!(outcome.err().contains("u/m@v1 is not changed as asked: description"), "{outcome}");
    assert!(outcome.stdout.is_empty(), "{outcome}");
}

#[test]
fn a_list_that_never_ends_is_ended() {
    let page: Vec<Value> = (0..1000).map(|n| record("u", &format!("m{n}"), "v1")).collect();
    let page = json!(page).to_string();
    let api = ScriptedApi::start(move |_| Answer::json(200, &page));
    let list = format!("models list --user-id u -u {}", api.url());
    let outcome = Environment::new().run(words(&list)).expect(5);
    assert!(outcome.err().contains("the same page of models again"), "{outcome}");
    assert_eq!(api.calls(), 2);
}

#[test]
fn flags_that_contradict_or_cannot_hold_are_refused_before_any_request() {
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    let more = |flags: &str| format!("{UPLOAD} {flags}");
    for (line, telling) in [
        ("models delete u/m@v1 --version v2 --yes", "contradict"),
        ("models show u1/m --user-id u2", "\"u1/m\" and --user-id u2 contradict"),
        ("models verify u/m@v1 model.pt --include *.pt", "--include can choose files of a folder"),
        (&more("--exclude *.env"), "--exclude can choose files of a folder only, and model.pt"),
        (&more("--field description=x"), "write --description"),
        (&more("--wait-event=0s"), "would wait for nothing"),
        (&more("--wait-event 3s"), "did you mean --wait-event=3s?"),
    ] {
        refused(&environment, line, telling);
    }
}

#[test]
fn in_a_batch_files_that_no_pattern_can_reach_are_named() {
    let environment = Environment::new();
    environment.write("a.pt", "weights");
    environment.write("b/b.pt", "weights");
    let line = "upload a.pt b --user-id u --framework pytorch --model-type nlp --dry-run \
                --exclude *.log";
    let outcome = environment.run(words(line)).expect(0);
    assert!(outcome.err().contains("--exclude leave a.pt as it is"), "{outcome}");
    assert!(!outcome.err().contains("b.zip as it is"), "{outcome}");
}

#[test]
fn one_file_of_a_model_of_many_is_not_the_model() {
    let stack = Stack::start();
    stack.environment.write("model/a/model.pt", "weights");
    stack.environment.write("model/b/config.json", "{}");
    let line = "upload model --user-id u --model-id m --framework pytorch --model-type nlp";
    stack.run(words(line)).must_succeed();
    stack.run(["models", "verify", "u/m", "model"]).must_succeed();
    let one = stack.run(["models", "verify", "u/m", "model/a/model.pt"]).expect(8);
    assert!(one.err().contains("b/config.json is there and not here"), "{one}");
    assert!(one.err().contains("name the folder"), "{one}");
    // Without structure the record has base names only, which is said.
    let flat = format!("{line} --preserve-structure false");
    stack.run(words(&flat)).must_succeed();
    let flat = stack.run(["models", "verify", "u/m", "model"]).expect(0);
    assert!(flat.err().contains("compared by their base names"), "{flat}");
}

#[test]
fn what_would_be_skipped_is_foretold_and_other_texts_are_named() {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let first = stack.run([words(UPLOAD), words("--description one")].concat()).expect(0);
    assert_eq!(first.out(), "u/m@v1\n");
    let flags = "--dry-run --if-exists skip --description two";
    let again = stack.run([words(UPLOAD), words(flags)].concat()).expect(0);
    assert!(again.err().contains("u/m@v1 has the same files already"), "{again}");
    assert!(again.err().contains("its description stays as it is"), "{again}");
    drop(stack.run([words(UPLOAD), words("--dry-run --if-exists fail")].concat()).expect(4));
    stack.environment.write("model.pt", "weightz");
    let other = stack.run([words(UPLOAD), words(flags)].concat()).expect(0);
    assert!(other.out().starts_with("u/m as model.pt, 7 bytes"), "{other}");
    let list = stack.run(["models", "list", "--user-id", "u", "-o", "json"]).expect(0).json();
    assert_eq!(list["models"].as_array().map(Vec::len), Some(1), "nothing was sent");
    let none = stack.run(words("models list --user-id u --search nothing-like-it")).expect(0);
    assert!(none.err().contains("u has no models that fit"), "{none}");
}

#[test]
fn an_output_that_is_full_does_not_hide_that_the_model_is_stored() {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let script = format!("\"$DWCTL\" {UPLOAD} -u {} > /dev/full", stack.api_url);
    let outcome = stack.environment.bash(&script).finish().expect(2);
    assert!(outcome.err().contains("u/m@v1 is stored, with every file as sent"), "{outcome}");
}

#[test]
fn clashing_names_are_told_to_programs_too() {
    let environment = Environment::new();
    environment.write("model/Weights.pt", "a");
    environment.write("model/weights.pt", "b");
    let line = "upload model --user-id u --model-id m --framework pytorch --model-type nlp \
                --dry-run -o json";
    let plan = environment.run(words(line)).expect(0).json();
    let warning = &plan["warnings"][0];
    assert_eq!(warning["kind"], "name-clash", "{plan}");
    assert_eq!((&warning["path"], &warning["other"]), (&json!("Weights.pt"), &json!("weights.pt")));
}

#[test]
fn a_proxy_that_is_away_and_a_port_without_tls_are_named() {
    // A port that was free a moment ago, on which nothing listens.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxied = Environment::new().set("http_proxy", &format!("http://me:secret@{free}"));
    let outcome = proxied.run(words("models list --user-id u -u http://dw.test:8000")).expect(6);
    assert!(outcome.err().contains(&format!("through the proxy http://{free}")), "{outcome}");
    assert!(!outcome.err().contains("secret"), "{outcome}");
    let stack = Stack::start();
    let tls = stack.api_url.replace("http://", "https://");
    let list = format!("models list --user-id u -u {tls}");
    let outcome = Environment::new().run(words(&list)).expect(6);
    assert!(outcome.err().contains("it speaks no TLS: it answers without it"), "{outcome}");
}
