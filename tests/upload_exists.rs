//! `dwctl upload --if-exists`: what is done where the model is there already, and that nothing is sent
//! where nothing has to be.

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;
use crate::support::zips::{patched, stored};

const MODEL: [&str; 10] = [
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

fn upload(stack: &Stack, path: &str, flags: &[&str]) -> Outcome {
    stack.run([&["upload", path], &MODEL[..], flags].concat())
}

/// The versions of the model, oldest first.
fn versions(stack: &Stack) -> Vec<String> {
    let models = stack.run(["models", "list", "--user-id", "u", "-o", "json"]).expect(0).json();
    let list = models["models"].as_array().unwrap().clone();
    list.iter().rev().map(|model| model["version"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_same_files_are_not_sent_again_and_the_document_says_so() {
    for dialect in ["form", "task"] {
        let stack = Stack::start();
        stack.environment.write("bert/weights.pt", "weights");
        stack.environment.write("bert/config.json", "{}");
        let flags = ["--if-exists", "skip", "--dialect", dialect, "-o", "json"];
        let first = upload(&stack, "bert", &flags).expect(0).json();
        assert_eq!((&first["status"], &first["sent"]["bytes"] != 0), (&json!("created"), true));
        let again = upload(&stack, "bert", &flags).expect(0);
        assert!(again.err().contains("u/m@v1 has the same files already"), "{again}");
        let again = again.json();
        assert_eq!(again["status"], "unchanged", "{dialect}");
        assert_eq!(again["model"], first["model"]);
        assert_eq!(again["sent"], json!({"bytes": 0, "files": first["sent"]["files"]}));
        assert_eq!(versions(&stack), ["v1"], "{dialect}");
    }
}

#[test]
fn other_files_become_the_next_version_where_the_api_makes_them() {
    let stack = Stack::start();
    let skip = ["--if-exists", "skip", "--dialect", "flat"];
    for (content, version, words) in [
        ("weights", "v1", ""),
        ("weightz", "v2", "u/m@v1 differs: model.pt has MD5"),
        ("longer weights", "v3", "model.pt has 7 bytes there and 14 here"),
        ("longer weights", "v3", "the same files"),
        ("weights", "v4", "u/m@v3 differs"),
    ] {
        stack.environment.write("model.pt", content);
        let outcome = upload(&stack, "model.pt", &skip).expect(0);
        assert_eq!(outcome.out(), format!("u/m@{version}\n"));
        assert!(outcome.err().contains(words), "{outcome}");
    }
}

#[test]
fn other_files_under_a_version_that_is_taken_are_refused_unsent() {
    let stack = Stack::start();
    let flags = ["--if-exists", "skip", "--dialect", "form", "--version", "final"];
    stack.environment.write("model.pt", "weights");
    upload(&stack, "model.pt", &flags).must_succeed();
    stack.environment.write("model.pt", "weightz");
    let outcome = upload(&stack, "model.pt", &flags).expect(4);
    assert!(
        outcome.err().contains("error: u/m@final exists already with other files"),
        "{outcome}"
    );
    assert!(outcome.err().contains("nothing was sent") && outcome.stdout.is_empty(), "{outcome}");
    upload(&stack, "model.pt", &[&flags[..5], &["another"]].concat()).must_succeed();
}

#[test]
fn a_model_that_must_not_be_there_is_refused_unsent() {
    for dialect in ["form", "flat"] {
        let stack = Stack::start();
        stack.environment.write("model.pt", "weights");
        let flags = ["--if-exists", "fail", "--dialect", dialect, "-o", "json"];
        upload(&stack, "model.pt", &flags).must_succeed();
        let error = upload(&stack, "model.pt", &flags).expect(4).error();
        assert_eq!((&error["kind"], &error["code"]), (&json!("rejected"), &json!(4)));
        assert_eq!(error["message"], "u/m@v1 exists already; nothing was sent");
        assert_eq!(versions(&stack), ["v1"], "{dialect}");
    }
}

#[test]
fn an_entry_without_a_sum_is_never_taken_for_the_same() {
    let stack = Stack::start();
    let flags = ["--if-exists", "skip", "--dialect", "flat"];
    let archive = stored(&[("weights.pt", b"weights")]);
    stack.environment.write("bundle.zip", &archive);
    upload(&stack, "bundle.zip", &flags).must_succeed();
    // Other bytes under the old checksum: whether they are those of the record nobody can say.
    let broken = patched(archive, b"weights\x50\x4b", b"weightz\x50\x4b");
    stack.environment.write("bundle.zip", &broken);
    let outcome = upload(&stack, "bundle.zip", &flags);
    assert!(outcome.err().contains("weights.pt was not compared"), "{outcome}");
    assert!(!outcome.err().contains("nothing was sent"), "{outcome}");
}

#[test]
fn an_api_that_cannot_say_what_is_there_gets_nothing() {
    let record: Value = json!({"ok": true});
    for (answer, code) in
        [(Answer::json(403, r#"{"detail":"no"}"#), 10), (Answer::json(200, &record.to_string()), 5)]
    {
        let api = ScriptedApi::start(move |request| {
            assert_eq!(request.method, "GET");
            answer.clone()
        });
        let environment = Environment::new();
        environment.write("model.pt", "weights");
        let flags = ["--if-exists", "skip", "--dialect", "form", "-u", api.url()];
        let outcome =
            environment.run([&["upload", "model.pt"], &MODEL[..], &flags].concat()).expect(code);
        assert!(outcome.stdout.is_empty(), "{outcome}");
    }
}
