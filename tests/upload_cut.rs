//! Connections that are cut at every stage of an upload: the whole file is sent again, exactly one
//! whole copy arrives, and nothing that failed is told as success.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use openssl::hash::{MessageDigest, hash};
use serde_json::json;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, Request, ScriptedApi};

/// More than the kernel takes in advance, so that the stages are stages to the client too.
const SIZE: usize = 12 * 1024 * 1024;

fn content() -> Vec<u8> {
    (0..SIZE).map(|place| u8::try_from(place * 7 % 251).unwrap()).collect()
}

/// The record of the whole file.
fn stored() -> Answer {
    let sum = hash(MessageDigest::md5(), &content()).unwrap();
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    let record = json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp",
        "files": [{
            "filename": "model.pt", "file_path": "models/u/m/v1/model.pt", "file_size": SIZE,
            "file_type": "pt", "file_hash": sum, "content_type": "application/octet-stream",
            "is_primary": false, "description": null
        }],
        "primary_file_path": null, "model_size_mb": 12.0, "dependencies": [], "tags": [],
        "custom_metadata": {}, "created_at": "2026-11-23T10:00:00", "updated_at": "2026-11-23T10:00:00",
        "is_active": true, "is_production_ready": false
    });
    Answer::json(200, &record.to_string())
}

fn upload(api: &ScriptedApi, flags: &[&str]) -> Outcome {
    let environment = Environment::new();
    environment.write("model.pt", content());
    let fixed = "upload model.pt --user-id u --model-id m --framework pytorch --model-type nlp \
                 --training-dataset d --dialect form -u";
    environment.run(fixed.split_whitespace().chain([api.url()]).chain(flags.iter().copied()))
}

/// Reads so many percent of the body. All of them are the whole body and not a byte less.
fn read(request: &mut Request, percent: u64) {
    if percent == 100 {
        let (body, head) = (request.body(), b"application/octet-stream\r\n\r\n");
        let begin = body.windows(head.len()).position(|part| part == head).unwrap() + head.len();
        assert!(body[begin..].starts_with(&content()), "another file");
        return;
    }
    let length: u64 = request.header("content-length").unwrap().parse().unwrap();
    request.some_of_body(length * percent / 100);
}

#[test]
fn a_connection_that_is_cut_at_any_stage_is_made_again_and_one_whole_file_arrives() {
    for percent in [0, 1, 50, 99, 100] {
        let (posts, whole) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, complete) = (Arc::clone(&posts), Arc::clone(&whole));
        let api = ScriptedApi::start(move |request| {
            if request.method == "GET" {
                return Answer::json(404, r#"{"detail":"Model not found"}"#);
            }
            if seen.fetch_add(1, Ordering::SeqCst) == 0 {
                read(request, percent);
                return Answer::Break;
            }
            read(request, 100);
            complete.fetch_add(1, Ordering::SeqCst);
            stored()
        });
        let outcome = upload(&api, &[]).expect(0);
        assert_eq!(outcome.out(), "u/m@v1\n", "{percent} %");
        let counted = (posts.load(Ordering::SeqCst), whole.load(Ordering::SeqCst));
        assert_eq!(counted, (2, 1), "{percent} %: {outcome}");
    }
}

#[test]
fn a_connection_that_is_always_cut_is_told_and_nothing_is_told_as_stored() {
    for percent in [0, 1, 50, 99, 100] {
        let api = ScriptedApi::start(move |request| {
            if request.method == "GET" {
                return Answer::json(404, r#"{"detail":"Model not found"}"#);
            }
            read(request, percent);
            Answer::Break
        });
        let outcome = upload(&api, &["--retries", "1"]).expect(6);
        assert_eq!(outcome.out(), "", "{percent} %: {outcome}");
        assert!(outcome.err().contains("error: "), "{percent} %: {outcome}");
    }
}
