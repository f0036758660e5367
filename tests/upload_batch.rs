//! `dwctl upload` of several models: by paths and by a manifest, beside each other, with what a
//! failure means for the rest.

use std::sync::{Arc, Barrier};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::{DWCTL, Environment};
use crate::support::peers;
use crate::support::run::{Outcome, Running, Stream};
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

/// `weights`, as `md5sum` has it.
const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";
/// What all models of a run have in common here.
const COMMON: [&str; 6] = ["--user-id", "u", "--framework", "onnx", "--model-type", "nlp"];

/// `upload` with these paths and flags.
fn arguments<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [&["upload"], words, &COMMON[..]].concat()
}

/// A place with these files, all of them the same.
fn with_files(environment: Environment, names: &[&str]) -> Environment {
    for name in names {
        environment.write(name, "weights");
    }
    environment
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Ids and versions of the models that the stack has of `u`.
fn stored(stack: &Stack) -> Vec<String> {
    let list = stack.run(["models", "list", "--user-id", "u", "-o", "json"]).expect(0).json();
    let name = |model: &Value| {
        format!("{}@{}", model["model_id"].as_str().unwrap(), model["version"].as_str().unwrap())
    };
    let mut names: Vec<String> = list["models"].as_array().unwrap().iter().map(name).collect();
    names.sort_unstable();
    names
}

/// A run that finds no API at all: whatever it says, it says before any request.
fn without_api(environment: &Environment, arguments: &[&str]) -> Outcome {
    let mut command = environment.dwctl(arguments);
    command.env("DWCTL_API_URL", format!("http://{DEAD}"));
    Running::start(command).finish()
}

/// The record of an upload of `weights` in the `form` dialect.
fn record(model: &str) -> String {
    json!({
        "model_id": model, "user_id": "u", "name": model, "version": "v1", "framework": "onnx",
        "model_type": "nlp",
        "files": [{
            "filename": format!("{model}.onnx"),
            "file_path": format!("models/u/{model}/v1/{model}.onnx"), "file_size": 7,
            "file_type": "onnx", "file_hash": WEIGHTS_MD5, "content_type": null,
            "is_primary": false, "description": null
        }],
        "primary_file_path": null, "model_size_mb": 0.1, "dependencies": [], "tags": [],
        "custom_metadata": {}, "created_at": "2026-11-23T13:19:20.418000",
        "updated_at": "2026-11-23T13:19:20.418000", "is_active": true,
        "is_production_ready": false
    })
    .to_string()
}

#[test]
fn several_paths_become_models_that_are_named_by_them() {
    let stack = Stack::start();
    for name in ["a.onnx", "b.v2.onnx", "folder.d/weights.onnx"] {
        stack.environment.write(name, "weights");
    }
    let words = arguments(&["a.onnx", "b.v2.onnx", "folder.d", "--dialect", "flat"]);
    let outcome = stack.run(words).expect(0);
    assert_eq!(sorted(outcome.out()), ["u/a@v1", "u/b.v2@v1", "u/folder.d@v1"]);
    assert_eq!(
        outcome.err(),
        "note: without a training dataset no XAI trigger follows 3 of these uploads\n"
    );
}

#[test]
fn in_json_each_model_is_an_object_a_line_with_its_path() {
    let stack = Stack::start();
    for name in ["a.onnx", "b.onnx"] {
        stack.environment.write(name, "weights");
    }
    let words = arguments(&["a.onnx", "b.onnx", "--jobs", "1", "--dialect", "flat", "-o", "json"]);
    let lines = stack.run(words).expect(0).json_lines();
    assert_eq!(lines.len(), 2);
    for (line, model) in lines.iter().zip(["a", "b"]) {
        assert_eq!(line["schema"], "dwctl.upload/1");
        assert_eq!(line["path"], format!("{model}.onnx"));
        assert_eq!(line["model"]["model_id"], model, "one at a time, in their order");
        assert_eq!(line["sent"]["files"][0]["md5"], WEIGHTS_MD5);
    }
}

#[test]
fn a_failure_lets_none_of_the_others_begin() {
    let stack = Stack::start();
    for name in ["a.onnx", "b.onnx", "c.onnx"] {
        stack.environment.write(name, "weights");
    }
    let form = |paths: &[&'static str]| {
        arguments(&[paths, &["--dialect", "form", "--jobs", "1"]].concat())
    };
    stack.run(form(&["b.onnx"])).must_succeed();
    let outcome = stack.run(form(&["a.onnx", "b.onnx", "c.onnx"])).expect(4);
    assert_eq!(outcome.out(), "u/a@v1\n");
    let told = "error: 1 of 3 models failed: b.onnx; not tried: c.onnx\nhint: --keep-going";
    assert!(outcome.err().contains("failed to upload b.onnx as u/b"), "{outcome}");
    assert!(outcome.err().contains("exists already") && outcome.err().contains(told), "{outcome}");
    assert_eq!(stored(&stack), ["a@v1", "b@v1"]);
}

#[test]
fn those_that_run_when_one_fails_come_to_their_end() {
    let both = Arc::new(Barrier::new(2));
    let held = Arc::clone(&both);
    let api = ScriptedApi::start(move |request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        if body.contains("filename=\"a.onnx\"") {
            return Answer::Held(Arc::clone(&held), Box::new(Answer::json(200, &record("a"))));
        }
        assert!(body.contains("filename=\"b.onnx\""), "the third must not begin");
        Answer::json(422, r#"{"detail":"not this one"}"#)
    });
    let environment = with_files(Environment::new(), &["a.onnx", "b.onnx", "c.onnx"]);
    let flags = ["--dialect", "form", "--jobs", "2", "-u", api.url()];
    let words = arguments(&[&["a.onnx", "b.onnx", "c.onnx"], &flags[..]].concat());
    let run = environment.start(words);
    run.wait_for(Stream::Err, "failed to upload b.onnx");
    both.wait();
    let outcome = run.finish().expect(4);
    assert_eq!(outcome.out(), "u/a@v1\n");
    assert!(outcome.err().contains("not tried: c.onnx"), "{outcome}");
}

#[test]
fn with_keep_going_all_are_tried_and_the_failed_ones_are_named() {
    let stack = Stack::start();
    for name in ["a.onnx", "b.onnx", "c.onnx"] {
        stack.environment.write(name, "weights");
    }
    let form = |paths: &[&'static str], flags: &[&'static str]| {
        arguments(&[paths, &["--dialect", "form", "--keep-going"], flags].concat())
    };
    stack.run(form(&["b.onnx"], &[])).must_succeed();
    let paths = ["a.onnx", "b.onnx", "nothing.onnx", "c.onnx"];
    let outcome = stack.run(form(&paths, &["-o", "json"])).expect(9);
    let mut done: Vec<String> =
        outcome.json_lines().iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    done.sort_unstable();
    assert_eq!(done, ["a.onnx", "c.onnx"]);
    let errors: Vec<Value> = outcome
        .err()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|line| line["error"].clone())
        .collect();
    let facts = |error: &Value| (error["code"].clone(), error["path"].clone());
    assert_eq!(facts(&errors[0]), (json!(3), json!("nothing.onnx")));
    assert_eq!(facts(&errors[1]), (json!(4), json!("b.onnx")));
    let last = &errors[2];
    assert_eq!(last["message"], "2 of 4 models failed: nothing.onnx, b.onnx");
    assert_eq!(
        [&last["code"], &last["uploaded"], &last["failed"], &last["not_tried"]],
        [&json!(9), &json!(2), &json!(2), &json!(0)]
    );
    let none = stack.run(form(&["a.onnx", "b.onnx"], &[])).expect(4);
    assert!(none.err().contains("2 of 2 models failed"), "{none}");
}

#[test]
fn one_path_of_a_pattern_is_named_by_its_file_too() {
    let stack = Stack::start();
    stack.environment.write("only.onnx", "weights");
    let outcome = stack.run(arguments(&["only.onnx", "--keep-going"])).expect(0);
    assert_eq!(outcome.out(), "u/only@v1\n");
}

#[test]
fn what_cannot_be_sent_is_told_before_anything_is() {
    let environment = with_files(Environment::new(), &["a.onnx", "b.onnx"]);
    environment.write("empty.onnx", "");
    let outcome = without_api(&environment, &arguments(&["a.onnx", "nothing.onnx", "empty.onnx"]));
    let shown = outcome.expect(3).to_string();
    for words in [
        "failed to prepare nothing.onnx\n  cause: there is no file nothing.onnx",
        "failed to prepare empty.onnx\n  cause: empty.onnx is empty",
        "error: 2 of 3 models cannot be uploaded; nothing was sent\nhint: --keep-going",
    ] {
        assert!(shown.contains(words), "{words:?} is not in {shown}");
    }
    let outcome = without_api(&environment, &["upload", "a.onnx", "b.onnx", "--user-id", "u"]);
    let shown = outcome.expect(2).to_string();
    assert_eq!(shown.matches("the upload needs --framework").count(), 1, "{shown}");
    assert!(shown.contains("failed to prepare any of the 2 models"), "{shown}");
}

#[test]
fn flags_that_can_be_meant_for_one_model_are_refused_for_several() {
    let environment = with_files(Environment::new(), &["a.onnx", "b.onnx", "d/a.onnx"]);
    for (words, told) in [
        (&["a.onnx", "b.onnx", "--model-id", "m"][..], "model_id in a --manifest"),
        (&["a.onnx", "b.onnx", "--task-id", "t"], "task_id in a --manifest"),
        (&["a.onnx", "d/a.onnx"], "it would be u/a as a.onnx is"),
        (&["a.onnx", "b.onnx", "--jobs", "0"], "--jobs"),
    ] {
        let outcome = without_api(&environment, &arguments(words)).expect(2);
        assert!(outcome.err().contains(told), "{told:?} is not in {outcome}");
    }
}

#[test]
fn a_manifest_lists_models_beside_it_with_their_metadata() {
    let stack = Stack::start();
    for name in ["list/a.onnx", "list/deep/bert/config.json"] {
        stack.environment.write(name, "weights");
    }
    let toml = "
        user_id = 'u'
        framework = 'onnx'
        [fields]
        leaderboard = 7
        [[models]]
        path = 'a.onnx'
        model-type = 'nlp'
        tags = ['x', 'y']
        training_accuracy = 0.95
        [[models]]
        path = 'deep/bert'
        model_id = 'other'
        model_type = 'nlp'
        framework = 'huggingface'
        description = 'two\\nlines'";
    stack.environment.write("list/models.toml", toml.replace("'two\\nlines'", "\"two\\nlines\""));
    let flags = ["--dialect", "flat", "--jobs", "1", "--tags", "z", "-o", "json"];
    let by_toml = [&["upload", "--manifest", "list/models.toml"], &flags[..]].concat();
    let lines = stack.run(by_toml).expect(0).json_lines();
    let (first, second) = (&lines[0]["model"], &lines[1]["model"]);
    assert_eq!([&first["model_id"], &first["framework"]], ["a", "onnx"]);
    assert_eq!((&first["tags"], &first["training_accuracy"]), (&json!(["z"]), &json!(0.95)));
    assert_eq!([&second["model_id"], &second["framework"]], ["other", "huggingface"]);
    assert_eq!(second["description"], "two\nlines");
    assert_eq!(lines[1]["path"], "list/deep/bert");
}

#[test]
fn a_manifest_may_be_json_and_come_from_standard_input() {
    let stack = Stack::start();
    stack.environment.write("a.onnx", "weights");
    let list = json!([{"path": "a.onnx", "model_id": "m"}]).to_string();
    stack.environment.write("list.json", &list);
    let flags = [&COMMON[..], &["--dialect", "flat"]].concat();
    let by_file = stack.run([&["upload", "--manifest", "list.json"], &flags[..]].concat());
    assert_eq!(by_file.expect(0).out(), "u/m@v1\n");
    let words = [&["upload", "--manifest", "-"], &flags[..]].concat();
    let mut by_input = stack.start_with_input(words);
    by_input.write(&list);
    assert_eq!(by_input.finish().expect(0).out(), "u/m@v2\n");
}

#[test]
fn a_manifest_that_cannot_be_meant_is_refused_with_its_place() {
    let environment = with_files(Environment::new(), &["a.onnx"]);
    environment.write("key.toml", "[[models]]\npath = 'a.onnx'\nmodeltype = 'nlp'\n");
    environment.write("line.toml", "[[models]]\npath = \n");
    environment.write("empty.json", "[]");
    environment.write("nan.toml", "[[models]]\npath = 'a.onnx'\ntraining_loss = nan\n");
    for (manifest, code, told) in [
        ("key.toml", 2, &["models[0].modeltype is no key", "did you mean model_type"][..]),
        ("line.toml", 2, &["failed to read line.toml", "line 2"]),
        ("empty.json", 2, &["the manifest empty.json", "lists no model"]),
        ("nan.toml", 2, &["models[0].training_loss is NaN"]),
        ("missing.toml", 3, &["there is no file missing.toml"]),
    ] {
        let words = arguments(&["--manifest", manifest]);
        let outcome = without_api(&environment, &words).expect(code);
        for words in told {
            assert!(outcome.err().contains(words), "{words:?} is not in {outcome}");
        }
    }
    let outcome = without_api(&environment, &arguments(&["a.onnx", "--manifest", "key.toml"]));
    assert!(outcome.expect(2).err().contains("cannot be used with"));
}

#[test]
fn a_dry_run_of_several_shows_each_and_needs_no_api() {
    let environment = with_files(Environment::new(), &["a.onnx", "b/x.onnx"]);
    let words = arguments(&["a.onnx", "b", "--dry-run", "-o", "json"]);
    let lines = without_api(&environment, &words).expect(0).json_lines();
    let shown: Vec<_> = lines
        .iter()
        .map(|line| (&line["dry_run"], &line["path"], &line["model_id"], &line["filename"]))
        .collect();
    assert_eq!(
        shown,
        [
            (&json!(true), &json!("a.onnx"), &json!("a"), &json!("a.onnx")),
            (&json!(true), &json!("b"), &json!("b"), &json!("b.zip")),
        ]
    );
}

#[test]
fn each_model_of_several_waits_for_its_own_event() {
    for dialect in ["flat", "task"] {
        let stack = Stack::start();
        for name in ["a.onnx", "b.onnx", "c/x.onnx"] {
            stack.environment.write(name, "weights");
        }
        let flags = ["--wait-event", "--dialect", dialect, "-o", "json"];
        let words = arguments(&[&["a.onnx", "b.onnx", "c"], &flags[..]].concat());
        let lines = stack.run(words).expect(0).json_lines();
        assert_eq!(lines.len(), 3);
        for line in &lines {
            let event = &line["event"]["value"];
            let told = if dialect == "task" { &event["output"] } else { event };
            assert_eq!(told["model_id"], line["model"]["model_id"], "{dialect}: {line}");
            if dialect == "task" {
                assert_eq!(event["task_id"], line["task_id"]);
            }
        }
    }
}

#[test]
fn an_interrupt_ends_all_of_them_and_says_what_was_on_its_way() {
    let api = ScriptedApi::start(|request| {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        if body.contains("filename=\"a.onnx\"") {
            Answer::json(200, &record("a"))
        } else {
            Answer::Stall
        }
    });
    let environment = with_files(Environment::new(), &["a.onnx", "b.onnx", "c.onnx", "d.onnx"]);
    let flags = ["--dialect", "form", "-u", api.url(), "--jobs", "2"];
    let words = arguments(&[&["a.onnx", "b.onnx", "c.onnx", "d.onnx"], &flags[..]].concat());
    let run = environment.start(words);
    for model in ["u/b", "u/c"] {
        run.wait_for(Stream::Err, &format!("{model}: sent, the server is working"));
    }
    run.signal(Signal::INT);
    let outcome = run.finish().expect(130);
    assert_eq!(outcome.out(), "u/a@v1\n");
    let told = "on their way, and not proved to be there: b.onnx, c.onnx";
    assert!(outcome.err().contains(told), "{outcome}");
    assert!(outcome.err().contains("1 of 4 models are uploaded"), "{outcome}");
}

#[test]
fn a_terminal_has_a_bar_for_each_that_runs() {
    if !peers::has("script") {
        return;
    }
    let api = ScriptedApi::start(|request| {
        request.body();
        Answer::Stall
    });
    let environment = with_files(Environment::new(), &["a.onnx", "b.onnx"]);
    let line = arguments(&["a.onnx", "b.onnx", "--dialect", "form", "-u", api.url()]).join(" ");
    let mut command = environment.command("script");
    command.args(["--quiet", "--return", "--command", &format!("{DWCTL} {line}"), "/dev/null"]);
    command.env("TERM", "xterm");
    let run = Running::start_with_input(command);
    for bar in ["u/a  100 %", "u/b  100 %", "the server is working"] {
        run.wait_for_text(bar);
    }
}

#[test]
fn the_example_of_a_manifest_is_one() {
    let environment = with_files(Environment::new(), &["intent.onnx", "bert/config.json"]);
    environment.write("models.toml", include_bytes!("../examples/models.toml"));
    let words = ["upload", "--manifest", "models.toml", "--dry-run", "-o", "json"];
    let lines = without_api(&environment, &words).expect(0).json_lines();
    assert_eq!([&lines[0]["model_id"], &lines[1]["model_id"]], ["intent", "bert-base"]);
    assert_eq!(lines[1]["fields"]["leaderboard"], "weekly");
    assert_eq!(lines[1]["fields"]["tags"], "nightly");
}
