//! What a download leaves of the files that are there, and what it says of archives that are damaged.

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::zips::{encrypted, patched, stored, with_field, with_method};

const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";

fn record(paths: &[&str]) -> Value {
    let file = |path: &&str| {
        json!({
            "filename": path.rsplit('/').next(), "file_path": format!("models/u/m/v1/{path}"),
            "file_size": 7, "file_type": "pt", "file_hash": WEIGHTS_MD5
        })
    };
    json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp", "files": paths.iter().map(file).collect::<Vec<_>>(),
        "created_at": "2026-11-23T13:19:20.418000"
    })
}

fn zip(body: Vec<u8>) -> Answer {
    Answer::Send { status: 200, content_type: "application/zip", headers: Vec::new(), body }
}

fn download(environment: &Environment, url: &str, flags: &[&str]) -> Outcome {
    let fixed = ["models", "download", "u/m@v1", "--output-dir", "back", "-u", url];
    environment.run([&fixed[..], flags].concat())
}

fn names(environment: &Environment) -> Vec<String> {
    let names = std::fs::read_dir(environment.path("back")).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What may come into being at a path while something is downloaded to it.
const OCCUPANTS: [&str; 4] = ["file", "empty folder", "full folder", "link"];

fn occupy(path: &std::path::Path, how: &str) {
    match how {
        "file" => std::fs::write(path, "mine").unwrap(),
        "link" => std::os::unix::fs::symlink("elsewhere", path).unwrap(),
        "empty folder" => std::fs::create_dir(path).unwrap(),
        _ => {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("mine"), "mine").unwrap();
        }
    }
}

/// What a path is, as far as a download could change it.
fn seen(path: &std::path::Path) -> String {
    let kind = path.symlink_metadata().unwrap().file_type();
    let inside =
        std::fs::read_to_string(path.join("mine")).or_else(|_| std::fs::read_to_string(path));
    format!("{kind:?} {:?}", inside.ok())
}

#[test]
fn what_appears_during_a_download_is_never_replaced() {
    for (paths, flags, target) in [
        (&["m.pt"][..], &[][..], "m.pt"),
        (&["m.pt", "n.pt"], &[], "m_v1.zip"),
        (&["m.pt", "n.pt"], &["--extract"], "m_v1"),
        (&["d/m.pt", "n.pt"], &["--file", "d/m.pt"], "m.pt"),
    ] {
        for how in OCCUPANTS {
            let environment = Environment::new();
            let path = environment.path("back").join(target);
            let entries: Vec<(&str, &[u8])> =
                paths.iter().map(|path| (*path, &b"weights"[..])).collect();
            let (body, record) = (stored(&entries), record(paths).to_string());
            let place = path.clone();
            let api = ScriptedApi::start(move |request| {
                if !request.path.contains("/download") {
                    return Answer::json(200, &record);
                }
                // Its folder is there by now, and its name was free a moment before.
                occupy(&place, how);
                match request.path.contains("filename=") {
                    true => Answer::plain(200, "weights"),
                    false => zip(body.clone()),
                }
            });
            let outcome = download(&environment, api.url(), flags).expect(8);
            assert!(outcome.err().contains("appeared while it was downloaded"), "{outcome}");
            assert!(outcome.err().contains("--force"), "{outcome}");
            let fresh = Environment::new();
            occupy(&fresh.path("same"), how);
            assert_eq!(seen(&path), seen(&fresh.path("same")), "{how}");
            assert_eq!(names(&environment), [target], "nothing else is left");
        }
    }
}

#[test]
fn a_damaged_archive_is_a_failed_check_and_none_of_the_disk() {
    let whole = stored(&[("m.pt", b"weights"), ("n.pt", b"weights")]);
    let content = |bytes: &[u8]| patched(whole.clone(), b"weights", bytes);
    let row = |at: usize, value: u16| with_field(whole.clone(), at, at + 2, value);
    let doubled = patched(
        stored(&[("m.pt", b"weights"), ("n.pt", b"weights"), ("o.pt", b"weights")]),
        b"o.pt",
        b"m.pt",
    );
    for (name, body, code, words) in [
        ("another content", content(b"weightz"), 8, "m.pt was not compared"),
        ("encrypted", encrypted(whole.clone()), 8, "is encrypted"),
        ("unknown method", with_method(whole.clone(), 93), 8, "is compressed with Zstd"),
        ("a name twice", doubled, 8, "m.pt was not compared"),
        ("a checksum", row(14, 0), 8, ""),
        ("cut off", whole[..whole.len() - 30].to_vec(), 5, "is no zip archive"),
        ("cut in a file", whole[..40].to_vec(), 5, "is no zip archive"),
        ("no archive", b"<html>".to_vec(), 5, "is no zip archive"),
        (
            "other names",
            stored(&[("m.pt", b"weights"), ("o.pt", b"weights")]),
            8,
            "o.pt is not there",
        ),
        (
            "too short",
            stored(&[("m.pt", b"weight"), ("n.pt", b"weights")]),
            8,
            "m.pt has 7 bytes there and 6 here",
        ),
    ] {
        for flags in [&[][..], &["--extract"]] {
            let environment = Environment::new();
            let (record, body) = (record(&["m.pt", "n.pt"]).to_string(), body.clone());
            let api = ScriptedApi::start(move |request| match request.path.contains("/download") {
                true => zip(body.clone()),
                false => Answer::json(200, &record),
            });
            let outcome = download(&environment, api.url(), flags).expect(code);
            assert!(outcome.err().contains(words), "{name}: {outcome}");
            assert!(!outcome.err().contains("--output-dir"), "{name}: {outcome}");
            assert_eq!(names(&environment), [""; 0], "{name}");
        }
    }
}

#[test]
fn standard_output_is_no_folder_to_download_into() {
    let environment = Environment::new();
    for arguments in [
        &["models", "download", "u/m", "--output-dir", "-"][..],
        &["models", "download", "u/m", "--output-dir=-", "--extract"],
        &["forward", "--download-dir", "-"],
        &["serve", "--data-dir", "-"],
    ] {
        let outcome = environment.run(arguments).expect(2);
        assert!(outcome.err().contains("./- is a folder of that name"), "{outcome}");
        assert!(!environment.path("-").exists());
    }
}
