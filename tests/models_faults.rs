//! `dwctl models` against servers that send what they should not, and stops in the middle.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::run::{Running, Stream};
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::zips::{zipped, zipped_link};

/// `weights`, as `md5sum` has it.
const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";

/// The record of a model with these files of `weights`, or of so many bytes.
fn record(paths: &[&str], size: u64) -> Value {
    let file = |path: &&str| {
        json!({
            "filename": path.rsplit('/').next(), "file_path": format!("models/u/m/v1/{path}"),
            "file_size": size, "file_type": "pt", "file_hash": WEIGHTS_MD5, "content_type": null,
            "is_primary": false, "description": null
        })
    };
    json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp", "files": paths.iter().map(file).collect::<Vec<_>>(),
        "primary_file_path": null, "model_size_mb": 0.1, "dependencies": [], "tags": [],
        "custom_metadata": {}, "created_at": "2026-11-23T13:19:20.418000",
        "updated_at": "2026-11-23T13:19:20.418000", "is_active": true,
        "is_production_ready": false
    })
}

/// An API with this record, that answers a download so.
fn api(record: &Value, download: Answer) -> ScriptedApi {
    let record = record.to_string();
    ScriptedApi::start(move |request| {
        if request.path.contains("/download") {
            download.clone()
        } else {
            Answer::json(200, &record)
        }
    })
}

/// Names in a folder.
fn names(environment: &Environment, folder: &str) -> Vec<String> {
    let names = std::fs::read_dir(environment.path(folder)).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn download(environment: &Environment, api: &ScriptedApi, flags: &[&str]) -> Running {
    let fixed = ["models", "download", "u/m@v1", "--output-dir", "back", "-u", api.url()];
    environment.start([&fixed[..], flags].concat())
}

#[test]
fn no_more_is_taken_than_the_record_says() {
    let environment = Environment::new();
    let more = api(&record(&["m.pt"], 7), Answer::plain(200, "weights and more"));
    let outcome = download(&environment, &more, &[]).finish().expect(8);
    assert!(outcome.err().contains("more of u/m@v1 than its record says"), "{outcome}");
    let body = "x".repeat(1 << 20);
    let more = api(&record(&["a.pt", "b.pt"], 7), Answer::plain(200, &body));
    let outcome = download(&environment, &more, &[]).finish().expect(8);
    assert!(outcome.err().contains("more of u/m@v1 than its record says"), "{outcome}");
    assert_eq!(names(&environment, "back"), [""; 0]);
}

#[test]
fn an_archive_whose_names_lead_out_is_not_unpacked_though_the_record_agrees() {
    for name in ["../outside.pt", "a/../../outside.pt", "/tmp/outside.pt", "a\\b.pt"] {
        let environment = Environment::new();
        let body = zipped(&[(name, b"weights"), ("b.pt", b"weights")]);
        let archive = Answer::Send {
            status: 200,
            content_type: "application/zip",
            headers: Vec::new(),
            body,
        };
        let bad = api(&record(&[name, "b.pt"], 7), archive);
        let outcome = download(&environment, &bad, &["--extract"]).finish().expect(8);
        assert!(outcome.err().contains("failed to save what the API sent"), "{name}: {outcome}");
        assert!(!environment.path("outside.pt").exists());
        assert_eq!(names(&environment, "back"), [""; 0], "{name}: {outcome}");
    }
}

#[test]
fn an_archive_with_a_link_is_not_unpacked_though_the_record_agrees() {
    let environment = Environment::new();
    let archive = Answer::Send {
        status: 200,
        content_type: "application/zip",
        headers: Vec::new(),
        // The text of a link is its target: by its size and MD5 it is the file of the record.
        body: zipped_link("m.pt", "weights"),
    };
    let bad = api(&record(&["m.pt"], 7), archive);
    let outcome = download(&environment, &bad, &["--extract"]).finish().expect(8);
    assert!(outcome.err().contains("m.pt is a symbolic link"), "{outcome}");
    assert_eq!(names(&environment, "back"), [""; 0]);
}

#[test]
fn an_interrupted_download_leaves_nothing() {
    let environment = Environment::new();
    let begun = Answer::Begin { body: b"wei".to_vec(), missing: 4 };
    let api = api(&record(&["m.pt"], 7), begun);
    let running = download(&environment, &api, &[]);
    // Four tenths of it: the first bytes are on the disk.
    running.wait_for(Stream::Err, "u/m@v1: 42 %");
    assert_eq!(names(&environment, "back"), ["m.pt.part"]);
    running.signal(Signal::INT);
    drop(running.finish().expect(130));
    assert_eq!(names(&environment, "back"), [""; 0]);
}

#[test]
fn a_file_that_is_downloaded_already_is_left_to_the_other_run() {
    let environment = Environment::new();
    let begun = Answer::Begin { body: b"wei".to_vec(), missing: 4 };
    let slow = api(&record(&["m.pt"], 7), begun);
    let first = download(&environment, &slow, &[]);
    first.wait_for(Stream::Err, "u/m@v1: 42 %");
    let quick = api(&record(&["m.pt"], 7), Answer::plain(200, "weights"));
    let outcome = download(&environment, &quick, &[]).finish().expect(8);
    assert!(outcome.err().contains("written by another dwctl"), "{outcome}");
    assert_eq!(names(&environment, "back"), ["m.pt.part"]);
}

#[test]
fn a_stop_does_not_wait_for_the_sum_of_a_large_file() {
    let environment = Environment::new();
    // Sparse: minutes to sum up, and no place on the disk.
    let file = std::fs::File::create(environment.path("m.pt")).unwrap();
    file.set_len(200 << 30).unwrap();
    let api = api(&record(&["m.pt"], 200 << 30), Answer::Break);
    let verify = ["models", "verify", "u/m@v1", "m.pt", "-v", "-u", api.url()];
    let running = environment.start(verify);
    running.wait_for(Stream::Err, "GET");
    running.signal(Signal::INT);
    drop(running.finish().expect(130));
    let late = environment.run([&verify[..], &["--timeout", "1s"]].concat()).expect(7);
    assert!(late.err().contains("m.pt before the timeout"), "{late}");
}
