//! Files that change while they are on their way, servers that stop taking, and bodies beyond four
//! gibibytes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openssl::hash::{Hasher, MessageDigest};
use serde_json::json;

use crate::support::environment::Environment;
use crate::support::scale::scaled;
use crate::support::scripted::{Answer, ScriptedApi};

/// More than kernel and client hold between the disk and the server.
const SIZE: u64 = 64 << 20;

/// A sparse file.
fn sparse(path: &Path, size: u64) {
    File::create(path).unwrap().set_len(size).unwrap();
}

fn upload(environment: &Environment, api: &ScriptedApi, flags: &[&str]) -> Vec<String> {
    let fixed = "upload model --user-id u --model-id m --framework pytorch --model-type nlp \
                 --training-dataset d --dialect form -u";
    assert!(environment.path("model").exists());
    let words = fixed.split_whitespace().chain([api.url()]).chain(flags.iter().copied());
    words.map(str::to_owned).collect()
}

type Change = fn(&Path);

fn grow(path: &Path) {
    File::options().append(true).open(path).unwrap().write_all(b"more").unwrap();
}

fn shrink(path: &Path) {
    File::options().write(true).open(path).unwrap().set_len(SIZE / 2).unwrap();
}

fn rewrite(path: &Path) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.write_all(b"other bytes").unwrap();
    // A clock that ticks slowly must not hide it.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    file.set_modified(later).unwrap();
}

fn vanish(path: &Path) {
    std::fs::remove_file(path).unwrap();
}

/// Uploads `model`; when the server has some of it, `changed` changes so. Gives what is said.
fn with_change(environment: &Environment, changed: PathBuf, change: Change) -> String {
    let (announced, came) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (length, count) = (Arc::clone(&announced), Arc::clone(&came));
    let api = ScriptedApi::start(move |request| {
        length.store(request.header("content-length").unwrap().parse().unwrap(), Ordering::SeqCst);
        request.some_of_body(1 << 20);
        change(&changed);
        count.store((1 << 20) + request.rest_of_body(), Ordering::SeqCst);
        Answer::Break
    });
    let outcome = environment.run(upload(environment, &api, &[])).expect(8);
    assert_eq!((api.calls(), outcome.out()), (1, ""), "{outcome}");
    let (announced, came) = (announced.load(Ordering::SeqCst), came.load(Ordering::SeqCst));
    assert!(came < announced, "all {announced} bytes were sent: {outcome}");
    outcome.err().to_owned()
}

#[test]
fn a_file_that_changes_under_way_ends_the_upload_before_its_last_byte() {
    for (change, words) in
        [(grow as Change, "it grew"), (shrink, "it shrank"), (rewrite, "it was written to")]
    {
        let environment = Environment::new();
        let path = environment.path("model");
        sparse(&path, SIZE);
        let told = with_change(&environment, path, change);
        assert!(told.contains(&format!("model changed while it was read: {words}")), "{told}");
    }
}

#[test]
fn a_file_of_a_folder_that_changes_before_its_turn_ends_it_too() {
    for (change, words) in [
        (grow as Change, "it grew"),
        (shrink, "it shrank"),
        (rewrite, "it was written to"),
        (vanish, "it vanished"),
    ] {
        let environment = Environment::new();
        std::fs::create_dir(environment.path("model")).unwrap();
        // Entries go out in the order of their names.
        for name in ["a.bin", "b.bin", "c.bin"] {
            sparse(&environment.path("model").join(name), SIZE);
        }
        let last = environment.path("model/c.bin");
        let told = with_change(&environment, last, change);
        assert!(told.contains(&format!("c.bin changed while it was read: {words}")), "{told}");
    }
}

#[test]
fn a_server_that_stops_taking_ends_the_upload_at_the_deadline_or_when_nothing_moves() {
    let environment = Environment::new();
    sparse(&environment.path("model"), SIZE);
    let stalled = || {
        ScriptedApi::start(|request| {
            request.some_of_body(1 << 20);
            Answer::Stall
        })
    };
    let api = stalled();
    let late = environment.run(upload(&environment, &api, &["--timeout", "2s"])).expect(7);
    assert!(late.err().contains("failed to upload u/m before the timeout"), "{late}");
    assert_eq!(late.out(), "");
    // A minute in which nothing moves; too long for every day.
    if scaled(false, true) {
        let api = stalled();
        // By itself: it lasts longer than any run of a test may.
        let words = upload(&environment, &api, &["--retries", "0"]);
        let stall = environment.dwctl(words).output().unwrap();
        let told = String::from_utf8_lossy(&stall.stderr);
        assert!(told.contains("did nothing for 60 s while taking the body"), "{told}");
        assert_eq!((stall.status.code(), stall.stdout.len()), (Some(6), 0), "{told}");
    }
}

/// The MD5 of so many zeros.
fn md5_of_zeros(size: u64) -> String {
    let mut hasher = Hasher::new(MessageDigest::md5()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..size >> 20 {
        hasher.update(&zeros).unwrap();
    }
    hasher.finish().unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_file_and_an_entry_beyond_four_gibibytes_arrive_with_every_byte_announced() {
    let size: u64 = scaled(128 << 20, 5 << 30);
    let sum = md5_of_zeros(size);
    for (path, name) in [("model", "model"), ("model/big.bin", "big.bin")] {
        let environment = Environment::new();
        let place = environment.path(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        sparse(&place, size);
        let record = json!({
            "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
            "model_type": "nlp",
            "files": [{
                "filename": name, "file_path": format!("models/u/m/v1/{name}"), "file_size": size,
                "file_type": "bin", "file_hash": sum, "content_type": null, "is_primary": false,
                "description": null
            }],
            "created_at": "2026-11-23T10:00:00", "updated_at": "2026-11-23T10:00:00"
        });
        let record = record.to_string();
        let api = ScriptedApi::start(move |request| {
            let announced: u64 = request.header("content-length").unwrap().parse().unwrap();
            assert!(announced > size);
            request.some_of_body(announced);
            Answer::json(200, &record)
        });
        let outcome = environment.run(upload(&environment, &api, &[])).expect(0);
        assert_eq!(outcome.out(), "u/m@v1\n", "{outcome}");
    }
}
