//! `dwctl models`: what the warehouse has, and getting it back.

use serde_json::json;

use crate::support::environment::Environment;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";

/// A stack with `u/one` in two versions and the folder `u/two`.
fn with_models() -> Stack {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    stack.environment.write("folder/a/model.pt", "weights");
    stack.environment.write("folder/config.json", "{}");
    for (path, model) in [("model.pt", "one"), ("model.pt", "one"), ("folder", "two")] {
        let arguments = [
            "upload",
            path,
            "--user-id",
            "u",
            "--model-id",
            model,
            "--framework",
            "pytorch",
            "--model-type",
            "nlp",
            "--dialect",
            "flat",
            "--tags",
            model,
        ];
        stack.run(arguments).must_succeed();
    }
    stack
}

#[test]
fn a_users_models_are_listed_newest_first() {
    let stack = with_models();
    let outcome = stack.run(["models", "list", "--user-id", "u"]).expect(0);
    let rows: Vec<Vec<&str>> =
        outcome.out().lines().map(|line| line.split_whitespace().take(5).collect()).collect();
    assert_eq!(rows[0], ["MODEL", "VERSION", "FRAMEWORK", "TYPE", "FILES"]);
    assert_eq!(rows[1], ["two", "v1", "pytorch", "nlp", "2"]);
    assert_eq!(rows[2..].iter().map(|row| row[1]).collect::<Vec<_>>(), ["v2", "v1"]);
    let tagged = stack.run(["models", "list", "--user-id", "u", "--tags", "one", "-o", "json"]);
    let document = tagged.expect(0).json();
    assert_eq!(document["schema"], "dwctl.models.list/1");
    assert_eq!(document["models"].as_array().unwrap().len(), 2);
}

#[test]
fn a_user_without_models_is_no_failure() {
    let outcome = Stack::start().run(["models", "list", "--user-id", "nobody"]);
    assert_eq!(outcome.to_string(), "--- stderr\nnobody has no models\n--- exit 0\n");
}

#[test]
fn a_model_is_shown_in_its_latest_version_unless_one_is_named() {
    let stack = with_models();
    for (reference, version) in [("u/one", "v2"), ("u/one@v1", "v1")] {
        let document = stack.run(["models", "show", reference, "-o", "json"]).expect(0).json();
        assert_eq!(document["model"]["version"], version);
    }
    let outcome = stack.run(["models", "show", "one", "--user-id", "u", "--version", "v1"]);
    assert!(outcome.expect(0).out().contains("model_id"));
}

#[test]
fn files_are_listed_with_their_sizes_and_sums() {
    let stack = with_models();
    let outcome = stack.run(["models", "files", "u/two"]).expect(0);
    let row = outcome.out().lines().find(|line| line.starts_with("a/model.pt"));
    let row: Vec<&str> = row.unwrap_or_else(|| panic!("{outcome}")).split_whitespace().collect();
    assert_eq!(row, ["a/model.pt", "7", WEIGHTS_MD5, "yes"]);
}

#[test]
fn a_model_of_one_file_comes_back_as_that_file() {
    let stack = with_models();
    let flags = ["--output-dir", "back", "-o", "json"];
    let document =
        stack.run([&["models", "download", "u/one"], &flags[..]].concat()).expect(0).json();
    assert_eq!(document["model"], "u/one@v2");
    assert_eq!(document["files"], json!([{"name": "model.pt", "size": 7, "md5": WEIGHTS_MD5}]));
    assert_eq!(std::fs::read(stack.environment.path("back/model.pt")).unwrap(), b"weights");
}

#[test]
fn a_folder_comes_back_as_an_archive_or_as_a_folder() {
    let stack = with_models();
    let zip = stack.run(["models", "download", "u/two", "--output-dir", "back"]).expect(0);
    assert_eq!(zip.out(), "back/two_v1.zip\n");
    stack.run(["models", "download", "u/two", "--output-dir", "back", "--extract"]).must_succeed();
    let back = stack.environment.path("back/two_v1");
    assert_eq!(std::fs::read(back.join("a/model.pt")).unwrap(), b"weights");
    assert_eq!(std::fs::read(back.join("config.json")).unwrap(), b"{}");
    let one = ["models", "download", "u/two", "--file", "a/model.pt", "--output-dir", "one"];
    stack.run(one).must_succeed();
    assert_eq!(std::fs::read(stack.environment.path("one/model.pt")).unwrap(), b"weights");
}

#[test]
fn what_is_there_already_is_not_replaced_unless_asked() {
    let stack = with_models();
    stack.environment.write("back/model.pt", "mine");
    let download = ["models", "download", "u/one", "--output-dir", "back"];
    let outcome = stack.run(download).expect(2);
    assert!(outcome.err().contains("is there already") && outcome.err().contains("--force"));
    assert_eq!(std::fs::read(stack.environment.path("back/model.pt")).unwrap(), b"mine");
    stack.run([&download[..], &["--force"]].concat()).must_succeed();
    assert_eq!(std::fs::read(stack.environment.path("back/model.pt")).unwrap(), b"weights");
}

#[test]
fn what_is_not_there_is_answered_with_the_nearest() {
    let stack = with_models();
    let outcome = stack.run(["models", "show", "u/onee"]).expect(3);
    assert!(outcome.err().contains("did you mean u/one?"), "{outcome}");
    let outcome = stack.run(["models", "show", "u/one@v9"]).expect(3);
    assert!(outcome.err().contains("v9"), "{outcome}");
    let download = ["models", "download", "u/two", "--file", "config.jsn", "--output-dir", "x"];
    let outcome = stack.run(download).expect(3);
    assert!(outcome.err().contains("config.json"), "{outcome}");
}

#[test]
fn verbose_shows_each_request_with_its_answer_and_its_time_and_otherwise_none() {
    let stack = with_models();
    let list = ["models", "list", "--user-id", "u"];
    assert_eq!(stack.run(list).expect(0).err(), "");
    let outcome = stack.run([&list[..], &["-v"]].concat()).expect(0);
    let request = format!("GET {}/ai-models/u?skip=0&limit=1000 200 ", stack.api_url);
    assert!(outcome.err().starts_with(&request), "{outcome}");
    assert_eq!(outcome.err().lines().count(), 1, "{outcome}");
}

#[test]
fn a_hidden_file_is_saved_only_where_that_is_said() {
    let stack = Stack::start();
    stack.environment.write(".profile", "weights");
    let flags = ["--user-id", "u", "--framework", "other", "--model-type", "other"];
    stack.run([&["upload", ".profile", "--model-id", "m"], &flags[..]].concat()).must_succeed();
    let download = ["models", "download", "u/m", "--output-dir", "back"];
    let outcome = stack.run(download).expect(8);
    assert!(outcome.err().contains("hidden file") && outcome.err().contains("--file"), "{outcome}");
    assert!(!stack.environment.path("back/.profile").exists());
    stack.run([&download[..], &["--file", ".profile"]].concat()).must_succeed();
    stack.run([&download[..], &["--extract"]].concat()).must_succeed();
    assert!(stack.environment.path("back/m_v1/.profile").exists());
}

#[test]
fn a_version_and_all_versions_are_not_meant_together() {
    let stack = with_models();
    let delete = ["models", "delete", "u/one@v1", "--all-versions", "--yes"];
    let outcome = stack.run(delete).expect(2);
    assert!(outcome.err().contains("v1 is one version"), "{outcome}");
    stack.run(["models", "show", "u/one@v1"]).must_succeed();
}

#[test]
fn an_extracted_folder_is_replaced_as_a_whole_and_leaves_nothing_beside_it() {
    let stack = with_models();
    let download = ["models", "download", "u/two", "--extract", "--output-dir", "back"];
    stack.run(download).must_succeed();
    stack.environment.write("back/two_v1/mine", "mine");
    assert!(stack.run(download).expect(2).err().contains("is there already"));
    stack.run([&download[..], &["--force"]].concat()).must_succeed();
    let names: Vec<_> = std::fs::read_dir(stack.environment.path("back"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["two_v1"]);
    assert!(!stack.environment.path("back/two_v1/mine").exists());
}

#[test]
fn a_version_or_a_model_that_does_not_exist_comes_with_those_that_do() {
    let stack = Stack::start();
    stack.environment.write("m.pt", "weights");
    for _ in 0..2 {
        let upload = ["upload", "m.pt", "--user-id", "u", "--model-id", "bert"];
        let rest = ["--framework", "pytorch", "--model-type", "nlp"];
        stack.run(upload.iter().chain(&rest)).must_succeed();
    }
    for command in [
        &["show", "u/bert@v99"][..],
        &["files", "u/bert@v99"],
        &["download", "u/bert@v99"],
        &["verify", "u/bert@v99", "m.pt"],
        &["update", "u/bert@v99", "--description", "D"],
        &["delete", "u/bert@v99", "--yes"],
    ] {
        let outcome = stack.run(["models"].iter().chain(command)).expect(3);
        assert!(outcome.err().contains("u/bert has no version v99"), "{command:?}: {outcome}");
        let hint = "versions that exist: u/bert@v1, u/bert@v2";
        assert!(outcome.err().contains(hint), "{command:?}: {outcome}");
    }
    for command in [&["show", "u/bart"][..], &["show", "u/bart@v1"], &["files", "u/bart@v1"]] {
        let outcome = stack.run(["models"].iter().chain(command)).expect(3);
        assert!(outcome.err().contains("did you mean u/bert?"), "{command:?}: {outcome}");
    }
    let outcome = stack.run(["models", "show", "u s/zzz"]).expect(3);
    assert!(outcome.err().contains("dwctl models list --user-id 'u s'"), "{outcome}");
}

#[test]
fn a_field_of_any_length_is_shown() {
    let description = "d".repeat(70_000);
    let record = serde_json::json!({
        "user_id": "u", "model_id": "m", "version": "v1", "name": "N", "description": description,
        "framework": "pytorch", "model_type": "nlp", "files": [],
        "created_at": "2026-11-23T08:38:21", "updated_at": "2026-11-23T08:38:21",
    });
    let api = ScriptedApi::start(move |_| Answer::json(200, &record.to_string()));
    let environment = Environment::new();
    let outcome = environment.run(["models", "show", "u/m@v1", "-u", api.url()]).expect(0);
    assert!(outcome.out().contains(&format!("description  {description}\n")));
}
