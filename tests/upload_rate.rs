//! `--limit-rate`: what is sent and taken under it is whole, it holds whatever the kernel would take,
//! and neither a stop nor a deadline waits for a turn. How steady the flow is, is shown beside the
//! timetable itself.

use std::sync::mpsc;

use rustix::process::Signal;
use serde_json::json;

use crate::support::environment::Environment;
use crate::support::run::Stream;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

const MODEL: [&str; 8] =
    ["--user-id", "u", "--model-id", "m", "--framework", "pytorch", "--model-type", "nlp"];

#[test]
fn what_goes_up_and_comes_back_under_a_limit_is_whole() {
    let stack = Stack::start();
    let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    stack.environment.write("folder/a.pt", &content);
    stack.environment.write("folder/b/c.pt", &content[..1]);
    let upload = [&["upload", "folder"], &MODEL[..], &["--limit-rate", "8M"]].concat();
    stack.run(upload).must_succeed();
    let download = ["models", "download", "u/m", "--extract", "--limit-rate", "8M"];
    stack.run(download).must_succeed();
    assert!(std::fs::read(stack.environment.path("m_v1/a.pt")).unwrap() == content);
    assert_eq!(std::fs::read(stack.environment.path("m_v1/b/c.pt")).unwrap(), content[..1]);
}

#[test]
fn a_limited_upload_holds_back_what_the_kernel_would_take_and_stops_when_asked() {
    let (begun, has_begun) = mpsc::channel();
    let (counted, count) = mpsc::channel();
    let api = ScriptedApi::start(move |request| {
        request.some_of_body(1);
        begun.send(()).unwrap();
        counted.send(request.rest_of_body()).unwrap();
        Answer::Break
    });
    let environment = Environment::new();
    environment.write("m.pt", vec![7; 20_000_000]);
    let flags = ["--limit-rate", "1k", "--dialect", "form", "-u", api.url()];
    let upload = [&["upload", "m.pt"], &MODEL[..], &flags].concat();
    drop(environment.run([&upload[..], &["--timeout", "1s"]].concat()).expect(7));
    // All of it is there within the second where nothing holds it back.
    let arrived = count.recv().unwrap();
    assert!(arrived < 1_000_000, "{arrived} bytes arrived");
    has_begun.recv().unwrap();
    let running = environment.start(&upload);
    has_begun.recv().unwrap();
    running.signal(Signal::INT);
    drop(running.finish().expect(130));
}

#[test]
fn a_limited_download_ends_at_the_deadline_and_leaves_nothing() {
    let record = json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp",
        "files": [{
            "filename": "m.pt", "file_path": "models/u/m/v1/m.pt", "file_size": 1_000_000,
            "file_type": "pt", "file_hash": "63f4f1e9b725370f459720575cd5f953",
            "content_type": null, "is_primary": true, "description": null
        }],
        "primary_file_path": null, "model_size_mb": 0.1, "dependencies": [], "tags": [],
        "custom_metadata": {}, "created_at": "2026-11-23T13:19:20.418000",
        "updated_at": "2026-11-23T13:19:20.418000", "is_active": true,
        "is_production_ready": false
    });
    let api = ScriptedApi::start(move |request| {
        if request.path.contains("/download") {
            Answer::plain(200, &"x".repeat(1_000_000))
        } else {
            Answer::json(200, &record.to_string())
        }
    });
    let environment = Environment::new();
    let flags = ["--limit-rate", "1k", "--output-dir", "back", "-u", api.url()];
    let download = [&["models", "download", "u/m@v1"], &flags[..]].concat();
    let late = environment.run([&download[..], &["--timeout", "1s"]].concat()).expect(7);
    assert!(late.err().contains("before the timeout"), "{late}");
    assert_eq!(std::fs::read_dir(environment.path("back")).unwrap().count(), 0);
    let running = environment.start([&download[..], &["-v"]].concat());
    running.wait_for(Stream::Err, "/download");
    running.signal(Signal::INT);
    drop(running.finish().expect(130));
    assert_eq!(std::fs::read_dir(environment.path("back")).unwrap().count(), 0);
}
