//! Archives that grow without an end, from a server whose record agrees with them: a download ends in
//! time, and keeps nothing.

use serde_json::json;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::zips::{overlapping, repeated};

const SIZE: usize = 32 << 20;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("part-{index:03}.bin")).collect()
}

/// A download of an archive, by an API whose record has files of these names and [`SIZE`] bytes.
fn downloaded(names: &[String], archive: Vec<u8>, flags: &[&str]) -> (Environment, Outcome) {
    let file = |name: &String| {
        json!({
            "filename": name, "file_path": format!("models/u/m/v1/{name}"), "file_size": SIZE,
            "file_type": "bin", "file_hash": "0".repeat(32), "content_type": null,
            "is_primary": false, "description": null
        })
    };
    let record = json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp", "files": names.iter().map(file).collect::<Vec<_>>(),
        "created_at": "2026-11-23T13:19:20", "updated_at": "2026-11-23T13:19:20"
    })
    .to_string();
    let api = ScriptedApi::start(move |request| {
        if request.path.contains("/download") {
            Answer::Send {
                status: 200,
                content_type: "application/zip",
                headers: Vec::new(),
                body: archive.clone(),
            }
        } else {
            Answer::json(200, &record)
        }
    });
    let environment = Environment::new();
    let fixed = ["models", "download", "u/m@v1", "--output-dir", "back", "-u", api.url()];
    let outcome = environment.run([&fixed[..], flags].concat());
    (environment, outcome)
}

#[track_caller]
fn nothing_is_kept(environment: &Environment) {
    let left: Vec<_> = std::fs::read_dir(environment.path("back")).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn entries_that_share_their_bytes_are_refused_before_any_is_unpacked() {
    let names = names(200);
    let archive = overlapping(&names, &vec![0; SIZE]);
    for flags in [&[][..], &["--extract"]] {
        let (environment, outcome) = downloaded(&names, archive.clone(), flags);
        let outcome = outcome.expect(5);
        assert!(outcome.err().contains("its entries overlap"), "{outcome}");
        nothing_is_kept(&environment);
    }
}

#[test]
fn what_takes_longer_than_the_timeout_to_unpack_is_left_at_the_timeout() {
    let names = names(200);
    let archive = repeated(&names, &vec![0; SIZE]);
    for flags in [&["--timeout", "2s"][..], &["--extract", "--timeout", "2s"]] {
        let (environment, outcome) = downloaded(&names, archive.clone(), flags);
        let outcome = outcome.expect(7);
        assert!(outcome.err().contains("before the timeout"), "{outcome}");
        assert!(!outcome.err().contains("did not end in time"), "{outcome}");
        nothing_is_kept(&environment);
    }
}
