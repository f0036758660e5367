//! Files that a person wrote, in the encodings of editors and shells: with a byte order mark, in
//! UTF-16, with the ends of line of Windows.

use crate::support::environment::Environment;
use crate::support::run::Outcome;

/// The same text as editors write it.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let windows = text.replace('\n', "\r\n");
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    [text, &windows]
        .iter()
        .flat_map(|text| {
            [
                text.as_bytes().to_vec(),
                [b"\xef\xbb\xbf", text.as_bytes()].concat(),
                utf16(text, u16::to_le_bytes),
                utf16(text, u16::to_be_bytes),
            ]
        })
        .collect()
}

const FLAGS: [&str; 8] =
    ["--user-id", "u", "--framework", "onnx", "--model-type", "nlp", "--dry-run", "-q"];

fn dry_run(environment: &Environment, words: &[&str]) -> Outcome {
    environment.run([&["upload"], words, &FLAGS, &["-o", "json"]].concat())
}

#[test]
fn what_an_ignore_file_keeps_out_is_never_sent_whatever_its_encoding() {
    for bytes in encodings("secret.txt\nlogs/\n") {
        let environment = Environment::new();
        environment.write("model/w.bin", "weights");
        environment.write("model/secret.txt", "x");
        environment.write("model/logs/a", "x");
        environment.write("model/.dwignore", &bytes);
        let outcome = dry_run(&environment, &["model", "--model-id", "m"]).expect(0);
        let document = outcome.json();
        assert_eq!(document["files"].as_array().unwrap().len(), 1, "{bytes:?} {outcome}");
        assert_eq!(document["files"][0]["name"], "w.bin");
    }
}

#[test]
fn manifests_and_metadata_are_read_in_every_encoding() {
    let toml = "[[models]]\npath = 'w.bin'\nmodel_id = 'm'\ndescription = 'Größe'\n";
    let json =
        "{\"models\": [{\"path\": \"w.bin\", \"model_id\": \"m\", \"description\": \"Größe\"}]}\n";
    let meta = "model_id = 'm'\ndescription = 'Größe'\n";
    let card = "---\ndescription: Größe\n---\n# A model\n";
    for (name, text, words) in [
        ("list.toml", toml, &["--manifest", "list.toml"][..]),
        ("list.json", json, &["--manifest", "list.json"]),
        ("list", json, &["--manifest", "list"]),
        ("meta.toml", meta, &["w.bin", "--meta", "meta.toml"]),
        ("dwctl.toml", meta, &["w.bin"]),
        ("README.md", card, &["w.bin", "--model-id", "m"]),
    ] {
        for bytes in encodings(text) {
            let environment = Environment::new();
            environment.write("w.bin", "weights");
            environment.write(name, &bytes);
            let outcome = dry_run(&environment, words).expect(0);
            let document = outcome.json();
            assert_eq!(document["model_id"], "m", "{name} {bytes:?}");
            assert_eq!(document["fields"]["description"], "Größe", "{name} {bytes:?}");
        }
    }
    for bytes in encodings(toml) {
        let environment = Environment::new();
        environment.write("w.bin", "weights");
        environment.write("list", &bytes);
        let script = format!("\"$DWCTL\" upload --manifest - {} -o json < list", FLAGS.join(" "));
        let document = environment.bash(&script).finish().expect(0).json();
        assert_eq!(document["fields"]["description"], "Größe", "{bytes:?}");
    }
}

#[test]
fn settings_are_read_in_every_encoding() {
    for bytes in encodings("user-id = 'größe'\n") {
        let environment = Environment::new();
        environment.write("config/dwctl/config.toml", &bytes);
        let outcome = environment.run(["config", "show", "-o", "json"]).expect(0);
        assert!(outcome.out().contains("größe"), "{bytes:?} {outcome}");
    }
}

#[test]
fn an_event_in_a_file_is_read_in_every_encoding() {
    let event = "{\"user_id\": \"u\", \"dataset_id\": \"größe\", \"dataset_version\": \"v1\", \"model_id\": \"m\"}\n";
    for bytes in encodings(event) {
        let environment = Environment::new();
        environment.write("trigger.json", &bytes);
        let send = ["send", "xai-trigger", "--from-json", "trigger.json", "--dialect", "task"];
        let flags = ["--task-id", "T", "--dry-run", "-o", "json"];
        let outcome = environment.run([&send[..], &flags].concat()).expect(0);
        assert_eq!(outcome.json()["value"]["input"]["dataset_id"], "größe", "{bytes:?}");
    }
}

#[test]
fn lines_that_are_sent_as_they_are_are_warned_of_where_a_mark_begins_them() {
    for (bytes, words) in [
        (&b"\xff\xfea\0"[..], "lines.txt is UTF-16"),
        (b"\xfe\xff\0a", "lines.txt is UTF-16"),
        (b"\xef\xbb\xbfa\n", "lines.txt begins with a byte order mark"),
    ] {
        let environment = Environment::new();
        environment.write("lines.txt", bytes);
        let send = ["send", "raw", "t", "lines.txt", "-b", "127.0.0.1:1", "--timeout", "2s"];
        let outcome = environment.run(send);
        assert!(outcome.err().contains(words), "{outcome}");
        assert_ne!(outcome.code(), Some(0), "{outcome}");
    }
}

#[test]
fn what_is_no_text_is_refused_by_name() {
    for (name, words) in [
        ("list.json", &["--manifest", "list.json"][..]),
        ("meta.toml", &["w.bin", "--meta", "meta.toml"]),
        ("model/.dwignore", &["model", "--model-id", "m"]),
    ] {
        for bytes in [&b"a = '\xff'"[..], b"a\0=\0", b"\xff\xfea"] {
            let environment = Environment::new();
            environment.write("w.bin", "weights");
            environment.write("model/w.bin", "weights");
            environment.write(name, bytes);
            let outcome = dry_run(&environment, words).expect(2);
            assert!(outcome.err().contains(name), "{outcome}");
        }
    }
}
