//! Files that a store would lose: refused before they are sent, and never verified by a record alone.

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;
use crate::support::zips::stored;

const FIELDS: &str =
    "--user-id u --model-id m --framework pytorch --model-type nlp --training-dataset d";
/// An address where nothing listens: what is refused has sent nothing.
const NOWHERE: &str = "http://127.0.0.1:1";

/// A place with the folder `model` and the archive `model.zip` of these files.
fn place(files: &[&str]) -> Environment {
    let environment = Environment::new();
    let entries: Vec<(&str, &[u8])> = files.iter().map(|name| (*name, name.as_bytes())).collect();
    environment.write("model.zip", stored(&entries));
    for name in files {
        environment.write(&format!("model/{name}"), name);
    }
    environment
}

#[test]
fn equal_base_names_without_their_folders_are_refused_however_that_is_said() {
    for files in
        [&["tok.txt", "sub/tok.txt"][..], &["a/w.pt", "b/w.pt", "c/w.pt"], &["a/b/c/x", "a/x", "y"]]
    {
        let environment = place(files);
        environment.write("meta.toml", "preserve_structure = false\n");
        environment.write("fields.toml", "[fields]\npreserve_structure = \"0\"\n");
        for path in ["model", "model.zip"] {
            for flags in [
                &["--preserve-structure", "false"][..],
                &["--preserve-structure=false", "--dry-run"],
                &["--preserve-structure=false", "--print-curl"],
                &["--preserve-structure=false", "--if-exists", "skip"],
                &["--meta", "meta.toml"],
                &["--meta", "fields.toml"],
            ] {
                let upload = ["upload", path, "-u", NOWHERE, "--dialect", "task"];
                let words =
                    upload.into_iter().chain(FIELDS.split(' ')).chain(flags.iter().copied());
                let outcome = environment.run(words).expect(2);
                assert!(outcome.err().contains("would lose files"), "{outcome}");
                assert!(outcome.err().contains("--preserve-structure"), "{outcome}");
            }
            let mut command = environment.dwctl(["upload", path, "-u", NOWHERE, "--dry-run"]);
            command.args(FIELDS.split(' ')).env("DWCTL_META_PRESERVE_STRUCTURE", "false");
            drop(crate::support::run::Running::start(command).finish().expect(2));
            let keeps = ["upload", path, "-u", NOWHERE, "--dry-run"];
            environment.run(keeps.into_iter().chain(FIELDS.split(' '))).must_succeed();
        }
        let list = r#"[{"path": "model", "preserve_structure": false}]"#;
        environment.write("list.json", list);
        let batch = ["upload", "--manifest", "list.json", "--dry-run"];
        let outcome = environment.run(batch.into_iter().chain(FIELDS.split(' '))).expect(2);
        assert!(outcome.err().contains("would lose files"), "{outcome}");
    }
}

#[test]
fn different_base_names_go_up_without_their_folders_and_are_verified() {
    let stack = Stack::start();
    stack.environment.write("model/a/w.pt", "weights");
    stack.environment.write("model/b/v.pt", "others");
    let upload = ["upload", "model", "--preserve-structure", "false", "--if-exists", "skip"];
    for status in ["created", "unchanged"] {
        let words = upload.into_iter().chain(FIELDS.split(' ')).chain(["-o", "json"]);
        assert_eq!(stack.run(words).expect(0).json()["status"], status);
    }
    let outcome = stack.run(["models", "verify", "u/m", "model", "-o", "json"]).expect(0);
    let document = outcome.json();
    assert_eq!(document["compared_by"], "base_name");
    assert_eq!(document["compared_with"], "record");
    assert_eq!(document["not_compared"], json!([]));
}

/// A record with these files: path in the store below the version, and content's MD5.
fn record(files: &[(&str, &str)]) -> Value {
    let file = |(path, md5): &(&str, &str)| {
        json!({
            "filename": path.rsplit('/').next(), "file_path": format!("models/u/m/v1/{path}"),
            "file_size": 1, "file_type": "", "file_hash": md5
        })
    };
    json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp", "files": files.iter().map(file).collect::<Vec<_>>(),
        "created_at": "2026-11-23T13:19:20.418000"
    })
}

const MD5_1: &str = "c4ca4238a0b923820dcc509a6f75849b";
const MD5_2: &str = "c81e728d9d4c2f636f067f89cc14862c";

#[test]
fn a_record_with_two_files_in_one_place_verifies_nothing_whatever_its_sums() {
    let environment = Environment::new();
    environment.write("model/tok.txt", "1");
    environment.write("model/sub/tok.txt", "2");
    // As today's service lists what it has overwritten (contract B16).
    for files in [
        [("tok.txt", MD5_1), ("tok.txt", MD5_2)],
        [("tok.txt", MD5_2), ("tok.txt", MD5_1)],
        [("tok.txt", MD5_1), ("tok.txt", MD5_1)],
    ] {
        let text = record(&files).to_string();
        let api = ScriptedApi::start(move |_| Answer::json(200, &text));
        let verify = ["models", "verify", "u/m@v1", "model", "-u", api.url()];
        let outcome = environment.run(verify).expect(8);
        assert!(outcome.err().contains("tok.txt is recorded more than once"), "{outcome}");
        let document = environment.run([&verify[..], &["-o", "json"]].concat()).expect(8).json();
        assert_eq!(document["ok"], false);
    }
}

#[test]
fn an_archive_that_hides_a_file_verifies_nothing() {
    let environment = Environment::new();
    let doubled = stored(&[("a.pt", b"1"), ("./a.pt", b"2")]);
    environment.write("model.zip", doubled);
    let text = record(&[("a.pt", MD5_1), ("a.pt", MD5_2)]).to_string();
    let other = record(&[("a.pt", MD5_2)]).to_string();
    for text in [text, other] {
        let api = ScriptedApi::start(move |_| Answer::json(200, &text));
        let verify = ["models", "verify", "u/m@v1", "model.zip", "-u", api.url(), "-o", "json"];
        let outcome = environment.run(verify).expect(8);
        assert_eq!(outcome.json()["not_compared"], json!(["./a.pt"]), "{outcome}");
    }
}
