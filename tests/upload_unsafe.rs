//! What an upload says of files that run code, cannot be looked into or are incomplete: in text, in
//! JSON, and as a refusal before anything is sent.

use serde_json::Value;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::zips::zipped;

const SYSTEM: &[u8] = b"cos\nsystem\n(S'id'\ntR.";
const INDEX: &str = r#"{"weight_map":{"a":"model-00001-of-00002.safetensors"}}"#;
const FLAGS: [&str; 8] =
    ["--user-id", "u", "--model-id", "m", "--framework", "other", "--model-type", "other"];

fn upload(environment: &Environment, path: &str, more: &[&str]) -> Outcome {
    environment.run([&["upload", path], &FLAGS[..], more].concat())
}

/// Refuses an upload by its content. A request would find nothing there, which is another code.
#[track_caller]
fn refused(environment: &Environment, path: &str, more: &[&str], words: &str) {
    let strict = ["--fail-on-unsafe", "-u", "http://127.0.0.1:1"];
    let outcome = upload(environment, path, &[&strict, more].concat()).expect(8);
    assert!(outcome.err().contains("nothing was sent"), "{path}: {outcome}");
    assert!(outcome.err().contains(words), "{path}: {outcome}");
}

#[test]
fn an_unsafe_upload_is_refused_in_every_form_of_source() {
    let environment = Environment::new();
    let inner = zipped(&[("w/model.bin", SYSTEM)]);
    environment.write("notes.txt", SYSTEM);
    environment.write("bundle.zip", zipped(&[("a/inner.pt", &inner), ("a/readme.txt", b"hello")]));
    environment.write("folder/deep/model.keras", &inner);
    environment.write("packed.bin", b"7z\xbc\xaf\x27\x1c and more");
    environment.write("bert/model.safetensors.index.json", INDEX);
    environment.write("model-00002-of-00003.gguf", "GGUF");
    refused(&environment, "notes.txt", &[], "a pickle that imports os.system");
    refused(&environment, "bundle.zip", &[], "w/model.bin has a pickle");
    refused(&environment, "bundle.zip", &["--as-file"], "a/inner.pt: w/model.bin has a pickle");
    refused(&environment, "folder", &[], "deep/model.keras: w/model.bin");
    refused(&environment, "packed.bin", &[], "packed by 7-Zip and cannot be looked into");
    refused(&environment, "bert", &[], "names files that are missing");
    refused(&environment, "model-00002-of-00003.gguf", &[], "cut off");
}

#[test]
fn findings_have_their_kinds_in_json_and_notes_refuse_nothing() {
    let environment = Environment::new();
    environment.write("m/model.safetensors", b"\x02\0\0\0\0\0\0\0{}");
    environment.write("m/model.safetensors.index.json", INDEX);
    environment.write("m/train.py", "print()");
    let dry = upload(&environment, "m", &["--dry-run", "--fail-on-unsafe", "-o", "json"]).expect(0);
    assert_eq!(
        warnings(&dry),
        ["note m/model.safetensors.index.json", "note m/train.py"]
            .map(|line| line.replace("m/", ""))
    );
    environment.write("m/w.bin", SYSTEM);
    environment.write("m/packed", "Rar!\u{1a}\u{7}");
    let dry = upload(&environment, "m", &["--dry-run", "-o", "json"]).expect(0);
    let expected = [
        "runs-code w.bin",
        "not-inspected packed",
        "note model.safetensors.index.json",
        "note train.py",
    ];
    assert_eq!(warnings(&dry), expected);
    let dry = upload(&environment, "m", &["--dry-run"]).expect(0);
    assert!(dry.err().contains("packed is packed by RAR"), "{dry}");
    assert!(dry.err().contains("unpack it, and upload the folder"), "{dry}");
}

/// The kind and the path of each warning.
#[track_caller]
fn warnings(outcome: &Outcome) -> Vec<String> {
    let document = outcome.json();
    let warnings = document["warnings"].as_array().expect("a list of warnings");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    warnings
        .iter()
        .map(|warning| format!("{} {}", text(&warning["kind"]), text(&warning["path"])))
        .collect()
}

#[test]
fn harmless_files_pass() {
    let environment = Environment::new();
    environment.write("licence.txt", "(c) 2026\ncat\ndog\n");
    environment.write("words", "config\nbuild\n.env\n");
    environment.write("ok/model.safetensors", b"\x02\0\0\0\0\0\0\0{}");
    environment.write("ok.zip", zipped(&[("model.safetensors", b"\x02\0\0\0\0\0\0\0{}")]));
    for path in ["licence.txt", "words", "ok", "ok.zip"] {
        let outcome = upload(&environment, path, &["--fail-on-unsafe", "--dry-run"]).expect(0);
        assert!(!outcome.err().contains("warning"), "{path}: {outcome}");
    }
}
