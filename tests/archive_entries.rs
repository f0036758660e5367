//! Ready archives whose entries are odd: what would be lost is refused before a byte is sent, and what
//! an unpacker makes right is held against the record as the unpacker names it.

use serde_json::{Value, json};
use zip::CompressionMethod;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;
use crate::support::zips::{encrypted, packed, patched, stored, with_method, zipped_link};

const UPLOAD: &str = "upload bundle.zip --user-id u --model-id m --framework pytorch \
                      --model-type nlp --training-dataset d --dialect flat";

fn upload(environment: &Environment, url: &str, flags: &[&str]) -> Outcome {
    let words = UPLOAD.split_whitespace().chain(["-u", url]).chain(flags.iter().copied());
    environment.run(words)
}

/// An address where nothing listens: what is refused has sent nothing.
const NOWHERE: &str = "http://127.0.0.1:1";

#[test]
fn an_archive_of_which_a_file_would_be_lost_is_refused_before_anything_is_sent() {
    let one: &[(&str, &[u8])] = &[("model.pt", b"weights")];
    let twice = patched(stored(&[("a.pt", b"1"), ("b.pt", b"2")]), b"b.pt", b"a.pt");
    for (archive, words) in [
        (encrypted(stored(one)), "model.pt is encrypted"),
        // As AES is marked: the method stands in an extra field.
        (with_method(encrypted(stored(one)), 99), "model.pt is encrypted"),
        (with_method(stored(one), 9), "model.pt is compressed with Deflate64"),
        (with_method(stored(one), 93), "model.pt is compressed with Zstd"),
        (with_method(stored(one), 98), "model.pt is compressed with Ppmd"),
        (stored(&[("dir\\model.pt", b"1")]), "dir\\model.pt has a backslash in its name"),
        (stored(&[("dir\\", b""), ("x", b"1")]), "dir\\ has a backslash in its name"),
        (stored(&[("..\\..\\model.pt", b"1")]), "has a backslash in its name"),
        (twice, "a.pt stands in it more than once"),
        (stored(&[("a", b"1"), ("./a", b"2")]), "./a stands in it more than once"),
        (stored(&[("d//a", b"1"), ("d/a", b"2")]), "d/a stands in it more than once"),
        (stored(&[("d/../a", b"1"), ("d/a", b"2")]), "d/a stands in it more than once"),
        (stored(&[("/a", b"1"), ("a", b"2")]), "a stands in it more than once"),
        (stored(&[("a", b"1"), ("a/b", b"2")]), "a is a file and a folder"),
        (stored(&[("a/./b/c", b"1"), ("a/b", b"2")]), "a/b is a file and a folder"),
        (stored(&[("..", b"1"), ("x", b"2")]), ".. has a name that no file can have"),
        (zipped_link("model.pt", "weights.pt"), "model.pt is a symbolic link"),
    ] {
        let environment = Environment::new();
        environment.write("bundle.zip", archive);
        for flags in [&[][..], &["--dry-run"], &["--if-exists", "skip"], &["--print-curl"]] {
            let outcome = upload(&environment, NOWHERE, flags).expect(2);
            assert!(outcome.err().contains(words), "{words}: {outcome}");
            assert!(outcome.err().contains("--as-file"), "{outcome}");
            assert!(outcome.stdout.is_empty(), "{outcome}");
        }
        let manifest = r#"[{"path": "bundle.zip", "model_id": "m"}]"#;
        environment.write("list.json", manifest);
        let batch = "upload --manifest list.json --user-id u --framework onnx --model-type nlp \
                     --dry-run";
        let outcome = environment.run(batch.split_whitespace()).expect(2);
        assert!(outcome.err().contains(words), "{words}: {outcome}");
        // As one file it is nobody's business what is in it.
        upload(&environment, NOWHERE, &["--dry-run", "--as-file"]).must_succeed();
    }
}

#[test]
fn names_are_compared_as_an_unpacker_makes_them() {
    let stack = Stack::start();
    let entries: &[(&str, &[u8])] = &[
        ("./model.pt", b"weights"),
        ("d//a.json", b"{}"),
        ("././d/./b.json", b"[]"),
        ("e/f./.g", b"1"),
    ];
    for (model, method) in [
        ("m0", CompressionMethod::Stored),
        ("m1", CompressionMethod::Deflated),
        ("m2", CompressionMethod::Bzip2),
    ] {
        stack.environment.write("bundle.zip", packed(entries, method));
        let flags = ["--if-exists", "skip", "--model-id", model, "-o", "json"];
        let send = || {
            let words = UPLOAD.replace("--model-id m ", "");
            stack.run(words.split_whitespace().chain(flags)).expect(0).json()
        };
        assert_eq!(send()["status"], "created", "{method}");
        let again = send();
        assert_eq!(
            (&again["status"], &again["model"]["version"]),
            (&json!("unchanged"), &json!("v1"))
        );
        let names: Vec<&str> = again["sent"]["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["model.pt", "d/a.json", "d/b.json", "e/f./.g"]);
        let reference = format!("u/{model}");
        let verified = stack.run(["models", "verify", &reference, "bundle.zip"]).expect(0);
        assert!(verified.out().contains("4 of 4 files are the same"), "{verified}");
        let download = ["models", "download", &reference, "--extract", "--output-dir", "back"];
        stack.run(download).must_succeed();
        let folder = format!("back/{model}_v1");
        stack.run(["models", "verify", &reference, &folder]).must_succeed();
    }
}

/// An API that stores what it gets under these paths, as `weights` each.
fn storing(paths: &'static [&'static str]) -> ScriptedApi {
    let file = |path: &&str| {
        json!({
            "filename": path.rsplit('/').next(), "file_path": format!("models/u/m/v1/{path}"),
            "file_size": 7, "file_type": "pt", "file_hash": "63f4f1e9b725370f459720575cd5f953"
        })
    };
    let record = json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp", "files": paths.iter().map(file).collect::<Vec<_>>(),
        "created_at": "2026-11-23T13:19:20.418000"
    });
    ScriptedApi::start(move |request| {
        let _ = request.body();
        Answer::json(200, &record.to_string())
    })
}

#[test]
fn names_that_lead_out_are_warned_of_and_compared_as_the_service_stores_them() {
    let weights: &[u8] = b"weights";
    for (name, path) in
        [("a/../b.pt", &["a/b.pt"][..]), ("/b.pt", &["b.pt"]), ("../../b.pt", &["b.pt"])]
    {
        let environment = Environment::new();
        environment.write("bundle.zip", stored(&[(name, weights)]));
        let api = storing(path);
        let outcome = upload(&environment, api.url(), &[]).expect(0);
        let words =
            format!("{name} leads out of the archive: the service stores it as {}", path[0]);
        assert!(outcome.err().contains(&words), "{outcome}");
        let api = storing(&["c.pt"]);
        drop(upload(&environment, api.url(), &[]).expect(8));
    }
}

#[test]
fn names_that_are_not_marked_as_utf_8_are_compared_as_either_reader_makes_them() {
    let unmarked = |name: &str| {
        // Written as ASCII of the same length, so that no flag is set.
        let plain = "x".repeat(name.len());
        patched(stored(&[(plain.as_str(), b"weights")]), plain.as_bytes(), name.as_bytes())
    };
    for paths in [&["caf\u{e9}.pt"][..], &["caf\u{251c}\u{2310}.pt"]] {
        let environment = Environment::new();
        environment.write("bundle.zip", unmarked("caf\u{e9}.pt"));
        let api = storing(paths);
        let outcome = upload(&environment, api.url(), &[]).expect(0);
        assert!(outcome.err().contains("is not marked as UTF-8"), "{outcome}");
        let verify = ["models", "verify", "u/m@v1", "bundle.zip", "-u", api.url()];
        environment.run(verify).must_succeed();
    }
    let environment = Environment::new();
    environment.write("bundle.zip", unmarked("caf\u{e9}.pt"));
    let api = storing(&["cafe.pt"]);
    drop(upload(&environment, api.url(), &[]).expect(8));
}

#[test]
fn what_macos_adds_is_warned_of_and_never_taken_for_the_model() {
    let stack = Stack::start();
    let large = vec![7; 1 << 16];
    let entries: &[(&str, &[u8])] = &[
        ("model.bin", b"weights"),
        ("__MACOSX/._model.bin", &large),
        ("__MACOSX/sub/._model.onnx", b"\0\x05\x16\x07"),
        ("sub/._model.pt", b"\0\x05\x16\x07"),
    ];
    stack.environment.write("bundle.zip", stored(entries));
    let outcome = stack.run(UPLOAD.split_whitespace().chain(["-o", "json"])).expect(0);
    let words = "__MACOSX/._model.bin and 2 more are files that macOS adds";
    assert!(outcome.err().contains(words), "{outcome}");
    let files = outcome.json()["model"]["files"].as_array().unwrap().clone();
    let primary: Vec<&Value> = files.iter().filter(|file| file["is_primary"] == true).collect();
    assert_eq!(primary.len(), 1, "{files:?}");
    assert_eq!(primary[0]["filename"], "model.bin");
    let dry = stack.run(UPLOAD.split_whitespace().chain(["--dry-run", "-o", "json"])).expect(0);
    let warnings = dry.json()["warnings"].as_array().unwrap().clone();
    assert!(warnings.iter().any(|warning| warning["kind"] == "sidecar"), "{warnings:?}");
    // In a folder it is left out, with a note.
    let folder =
        "upload folder --user-id u --model-id f --framework other --model-type nlp -o json";
    for (name, content) in entries {
        stack.environment.write(&format!("folder/{name}"), content);
    }
    let outcome = stack.run(folder.split_whitespace()).expect(0);
    assert!(outcome.err().contains("left out: __MACOSX/, sub/._model.pt"), "{outcome}");
    assert_eq!(outcome.json()["model"]["files"].as_array().unwrap().len(), 1);
}

#[test]
fn names_that_are_one_elsewhere_are_warned_of_in_an_archive_too() {
    for (names, flags, warned) in [
        (["a/W.pt", "a/w.pt"], &[][..], true),
        (["caf\u{e9}.pt", "cafe\u{301}.pt"], &[], true),
        (["w.pt", "w.pt."], &[], true),
        (["a/W.pt", "b/w.pt"], &[], false),
        (["a/W.pt", "b/w.pt"], &["--preserve-structure", "false"], true),
    ] {
        let environment = Environment::new();
        let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &b"1"[..])).collect();
        environment.write("bundle.zip", stored(&entries));
        let flags = [flags, &["--dry-run", "-o", "json"]].concat();
        let outcome = upload(&environment, NOWHERE, &flags).expect(0);
        let warnings = outcome.json()["warnings"].as_array().unwrap().clone();
        let is_warned = warnings.iter().any(|warning| warning["kind"] == "name-clash");
        assert_eq!(is_warned, warned, "{names:?} {flags:?}: {outcome}");
    }
}

#[test]
fn a_record_that_differs_in_what_cannot_be_read_is_no_proof() {
    let environment = Environment::new();
    let whole = stored(&[("a.pt", b"weights")]);
    environment.write("bundle.zip", patched(whole, b"weights\x50\x4b", b"weightz\x50\x4b"));
    let api = storing(&["a.pt"]);
    let outcome = upload(&environment, api.url(), &[]).expect(8);
    assert!(outcome.err().contains("a.pt was not compared"), "{outcome}");
    let outcome = environment.run(["models", "verify", "u/m@v1", "bundle.zip", "-u", api.url()]);
    let outcome = outcome.expect(8);
    assert!(outcome.err().contains("is not proved to be what lies here"), "{outcome}");
}
