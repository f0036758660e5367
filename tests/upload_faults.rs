//! What goes wrong on the way to the API, and what a person is told to do next.

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};

/// `weights`, as `md5sum` has it.
const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";

/// An upload in the `form` dialect, so that the first request is the upload itself.
fn upload(api: &ScriptedApi, content: &[u8], flags: &[&str]) -> Outcome {
    let environment = Environment::new();
    environment.write("model.pt", content);
    let fixed = [
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
        "-u",
        api.url(),
    ];
    environment.run([&fixed[..], flags].concat())
}

/// The record of the uploaded model in this version.
fn record(version: &str) -> Value {
    json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": version, "framework": "pytorch",
        "model_type": "nlp",
        "files": [{
            "filename": "model.pt", "file_path": format!("models/u/m/{version}/model.pt"),
            "file_size": 7, "file_type": "pt", "file_hash": WEIGHTS_MD5,
            "content_type": "application/octet-stream", "is_primary": false, "description": null
        }],
        "primary_file_path": null, "model_size_mb": 0.1, "dependencies": [], "tags": [],
        "custom_metadata": {}, "created_at": "2026-11-23T13:19:20.418000",
        "updated_at": "2026-11-23T13:19:20.418000", "is_active": true,
        "is_production_ready": false
    })
}

#[test]
fn a_question_to_a_port_that_never_speaks_ends_soon_and_names_what_is_wrong() {
    let api = ScriptedApi::start(|_| Answer::Stall);
    let environment = Environment::new();
    let outcome = environment.run(["models", "list", "--user-id", "u", "-u", api.url()]).expect(6);
    assert!(outcome.err().contains("did not answer within 10 s"), "{outcome}");
    assert!(outcome.err().contains("HTTP server"), "{outcome}");
    assert_eq!(api.calls(), 2, "the question, and the one that costs nothing");
}

#[test]
fn an_upload_that_broke_off_says_where_to_look() {
    let api = ScriptedApi::start(|_| Answer::Break);
    let outcome = upload(&api, &vec![7; 50_000_000], &["--retries", "1"]).expect(6);
    assert!(outcome.err().contains("lost while taking the body"), "{outcome}");
    assert!(outcome.err().contains("dwctl models list --user-id u"), "{outcome}");
}

#[test]
fn an_upload_without_a_reply_says_that_it_may_be_stored() {
    let api = ScriptedApi::start(|request| {
        request.body();
        Answer::Break
    });
    let outcome = upload(&api, b"weights", &[]).expect(6);
    assert!(outcome.err().contains("dwctl models show u/m"), "{outcome}");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_with_the_flag_for_another() {
    let api = ScriptedApi::start(move |_| Answer::json(200, &record("v1").to_string()));
    let environment = Environment::new();
    environment.write("file", "in the way");
    let flags = ["models", "download", "u/m@v1", "--output-dir", "file/inside", "-u", api.url()];
    let outcome = environment.run(flags).expect(2);
    assert!(outcome.err().contains("--output-dir chooses another folder"), "{outcome}");
}
