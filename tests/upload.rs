//! `dwctl upload` against the local stack: files, folders and archives in each dialect, the record as
//! the proof, and everything that is refused before a request is made.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::{Outcome, Running};
use crate::support::stack::Stack;
use crate::support::zips::zipped;

/// The flags that every upload needs.
const MODEL: [&str; 8] = [
    "--user-id",
    "user123",
    "--model-id",
    "m",
    "--framework",
    "pytorch",
    "--model-type",
    "classification",
];
/// `weights`, as `md5sum` has it.
const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";

fn upload(stack: &Stack, path: &str, flags: &[&str]) -> Outcome {
    stack.run([&["upload", path], &MODEL[..], flags].concat())
}

#[test]
fn a_file_is_stored_and_announced_in_each_dialect() {
    for (dialect, flags, coordinates) in [
        ("form", &["--version", "v7"][..], "user123/m@v7"),
        ("form", &[], "user123/m@v1"),
        ("flat", &[], "user123/m@v1"),
        ("auto", &[], "user123/m@v1"),
    ] {
        let stack = Stack::start();
        stack.environment.write("model.pt", "weights");
        let flags = [&["--dialect", dialect, "--training-dataset", "d"], flags].concat();
        let outcome = upload(&stack, "model.pt", &flags);
        assert_eq!(outcome.expect(0).out(), format!("{coordinates}\n"), "{dialect}");
        let read = ["tail", "automl", "--from", "beginning", "-n", "1", "-o", "json"];
        let event = stack.run(read).expect(0).json();
        assert_eq!(
            (&event["key"], &event["value"]["dataset_id"]),
            (&json!("user123_m"), &json!("d"))
        );
    }
}

#[test]
fn every_field_of_the_form_is_a_flag_of_its_name() {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let flags = [
        "--name",
        "Test Model",
        "--description",
        "two\nlines",
        "--version",
        "v3",
        "--algorithm",
        "ResNet50",
        "--is-primary",
        "--tags",
        "a,b",
        "--training-dataset",
        "d",
        "--training-accuracy",
        "0.95",
        "--validation-accuracy",
        "0.93",
        "--test-accuracy",
        "0.92",
        "--training-loss",
        "0.1",
        "--python-version",
        "3.11",
        "--hardware-requirements",
        "a GPU",
        "--dialect",
        "form",
        "-o",
        "json",
    ];
    let document = upload(&stack, "model.pt", &flags).expect(0).json();
    assert_eq!(
        (&document["schema"], &document["dialect"]),
        (&json!("dwctl.upload/1"), &json!("form"))
    );
    let model = &document["model"];
    for (field, value) in [
        ("name", json!("Test Model")),
        ("description", json!("two\nlines")),
        ("version", json!("v3")),
        ("algorithm", json!("ResNet50")),
        ("tags", json!(["a", "b"])),
        ("training_dataset", json!("d")),
        ("training_accuracy", json!(0.95)),
        ("validation_accuracy", json!(0.93)),
        ("test_accuracy", json!(0.92)),
        ("training_loss", json!(0.1)),
        ("python_version", json!("3.11")),
        ("hardware_requirements", json!("a GPU")),
        ("primary_file_path", json!("models/user123/m/v3/model.pt")),
    ] {
        assert_eq!(model[field], value, "{field}");
    }
    assert_eq!(
        document["sent"],
        json!({"bytes": 7, "files": [{"name": "model.pt", "size": 7, "md5": WEIGHTS_MD5}]})
    );
}

#[test]
fn a_folder_and_an_archive_are_unpacked_and_a_zip_can_be_kept_whole() {
    let stack = Stack::start();
    stack.environment.write("bert/weights/model.pt", "weights");
    stack.environment.write("bert/config.json", "{}");
    stack.environment.write("bundle.zip", zipped(&[("a/model.pt", b"weights"), ("b.json", b"{}")]));
    for (path, flags, files) in [
        ("bert", &[][..], &["config.json", "weights/model.pt"][..]),
        ("bundle.zip", &[], &["a/model.pt", "b.json"]),
        ("bundle.zip", &["--as-file"], &["bundle.zip"]),
    ] {
        let flags = [flags, &["--dialect", "flat", "-o", "json"]].concat();
        let document = upload(&stack, path, &flags).expect(0).json();
        let version = document["model"]["version"].as_str().unwrap();
        let mut stored: Vec<&str> = document["model"]["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["file_path"].as_str().unwrap())
            .map(|path| path.strip_prefix(&format!("models/user123/m/{version}/")).unwrap())
            .collect();
        stored.sort_unstable();
        assert_eq!(stored, files, "{path}");
    }
}

#[test]
fn without_a_training_dataset_a_note_says_what_does_not_follow() {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let outcome = upload(&stack, "model.pt", &["--dialect", "form"]).expect(0);
    assert!(outcome.err().contains("no XAI trigger"), "{outcome}");
    let quiet = upload(&stack, "model.pt", &["--dialect", "flat", "-q"]);
    assert_eq!(quiet.to_string(), "user123/m@v2\n--- exit 0\n");
}

#[test]
fn a_version_is_not_sent_where_the_server_assigns_it() {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let outcome = upload(&stack, "model.pt", &["--dialect", "flat", "--version", "v9"]).expect(0);
    assert_eq!(outcome.out(), "user123/m@v1\n");
    assert!(outcome.err().contains("warning: --version v9 was not sent"), "{outcome}");
}

#[test]
fn a_version_that_exists_is_named() {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    upload(&stack, "model.pt", &["--dialect", "form"]).must_succeed();
    let outcome = upload(&stack, "model.pt", &["--dialect", "form"]).expect(4);
    assert!(outcome.err().contains("error: user123/m@v1 exists already"), "{outcome}");
    assert!(outcome.err().contains("already exists"), "the server's own words: {outcome}");
    assert!(outcome.err().contains("--version"), "{outcome}");
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_needs_no_api() {
    let environment = Environment::new();
    environment.write("bert/model.pt", "weights");
    environment.write("bert/.git/config", "secret");
    let arguments = [&["upload", "bert"], &MODEL[..], &["--dry-run", "-o", "json"]].concat();
    let mut command = environment.dwctl(arguments);
    command.env("DWCTL_API_URL", format!("http://{DEAD}"));
    let document = Running::start(command).finish().expect(0).json();
    assert_eq!(document["dry_run"], true);
    assert_eq!(document["filename"], "bert.zip");
    assert_eq!(document["files"], json!([{"name": "model.pt", "size": 7}]));
    assert_eq!(document["fields"]["name"], "m", "the model's id where no name is given");
}

/// Refused although there is no API at all, so before any request.
#[track_caller]
fn refused(environment: &Environment, code: i32, arguments: &[&str], words: &[&str]) {
    let mut command = environment.dwctl([&["upload"], arguments].concat());
    command.env("DWCTL_API_URL", format!("http://{DEAD}"));
    let outcome = Running::start(command).finish().expect(code);
    assert!(outcome.stdout.is_empty(), "{outcome}");
    for word in words {
        assert!(outcome.err().contains(word), "{word:?} is not in {outcome}");
    }
}

#[track_caller]
fn path_refused(environment: &Environment, code: i32, path: &str, words: &[&str]) {
    refused(environment, code, &[&[path], &MODEL[..]].concat(), words);
}

#[test]
fn a_path_that_cannot_be_sent_is_refused_with_its_name() {
    let environment = Environment::new();
    environment.write("empty.pt", "");
    std::fs::create_dir_all(environment.path("hollow/within")).unwrap();
    environment.write("ignored/.git/config", "x");
    environment.write("broken.zip", "PK but no archive");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        environment.path("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    path_refused(&environment, 3, "nothing.pt", &["there is no file nothing.pt"]);
    path_refused(&environment, 2, "empty.pt", &["empty.pt is empty", "--allow-empty"]);
    path_refused(&environment, 2, "hollow", &["hollow holds no file"]);
    path_refused(&environment, 2, "ignored", &["ignored holds no file", "--no-default-excludes"]);
    path_refused(&environment, 2, "broken.zip", &["broken.zip is no zip archive"]);
    path_refused(&environment, 2, "pipe", &["pipe is "]);
}

#[test]
fn an_empty_file_is_sent_where_that_is_asked_for() {
    let stack = Stack::start();
    stack.environment.write("empty.pt", "");
    let outcome = upload(&stack, "empty.pt", &["--allow-empty", "--dialect", "form"]).expect(0);
    assert_eq!(outcome.out(), "user123/m@v1\n");
}

#[test]
fn an_unreadable_file_is_refused_with_its_name() {
    let environment = Environment::new();
    let path = environment.write("secret.pt", "weights");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::read(&path).is_err() {
        return path_refused(&environment, 2, "secret.pt", &["failed to read secret.pt"]);
    }
    // Root reads everything, but no one reads a process's memory from address zero.
    path_refused(&environment, 2, "/proc/self/mem", &["/proc/self/mem"]);
}

#[test]
fn missing_metadata_is_refused_with_the_flags_and_their_values() {
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    refused(
        &environment,
        2,
        &["model.pt", "--user-id", "u"],
        &[
            "the upload needs --model-id, --framework, --model-type",
            "--framework: pytorch, tensorflow, sklearn, onnx, keras, huggingface, other",
            "--model-type: classification, regression",
        ],
    );
    refused(&environment, 2, &["model.pt"], &["--user-id", "DWCTL_USER_ID"]);
}

#[test]
fn metadata_that_cannot_be_is_refused_with_what_could_be() {
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    let with = |flags: &[&'static str]| [&["model.pt"], &MODEL[..], flags].concat();
    for (flags, words) in [
        (&["--framework", "pytorh"][..], &["did you mean pytorch?", "allowed: pytorch"][..]),
        (&["--model-type", "clasification"], &["did you mean classification?"]),
        (&["--training-accuracy", "nan"], &["--training-accuracy"]),
        (&["--training-accuracy", "high"], &["--training-accuracy"]),
        (&["--model-id", "a/b"], &["a/b"]),
        (&["--user-id", "a/b"], &["a/b"]),
        (&["--field", "novalue"], &["NAME=VALUE"]),
        (&["--symlinks", "perhaps"], &["--symlinks"]),
        (&["--dialect", "latin"], &["latin"]),
    ] {
        let arguments = with(flags);
        // A flag that stands twice is clap's refusal, not the one that is looked for.
        let given: Vec<&str> = match arguments.iter().position(|word| *word == flags[0]) {
            Some(first) if first < arguments.len() - 2 => {
                [&arguments[..first], &arguments[first + 2..]].concat()
            }
            _ => arguments,
        };
        refused(&environment, 2, &given, words);
    }
}

#[test]
fn names_that_no_part_header_carries_are_refused_and_all_others_arrive_whole() {
    let environment = Environment::new();
    for name in ["line\nbreak.pt", "carriage\rreturn.pt", "back\\slash.pt"] {
        environment.write(name, "weights");
        path_refused(&environment, 2, name, &["cannot be sent"]);
    }
    let stack = Stack::start();
    for name in ["it's \"quoted\"; a=b.pt", "μοντέλο 模型.pt", "per%22cent.pt", "-dash.pt"]
    {
        stack.environment.write(name, "weights");
        let path = format!("./{name}");
        let document = upload(&stack, &path, &["--dialect", "flat", "-o", "json"]).expect(0).json();
        // Quotes go as %22, which is what browsers send and what servers see.
        let stored = name.replace('"', "%22");
        assert_eq!(document["model"]["files"][0]["filename"], stored);
    }
}

#[test]
fn a_file_name_that_is_no_utf8_is_refused_and_does_not_arrive_as_another() {
    use std::os::unix::ffi::OsStrExt;
    let environment = Environment::new();
    let name = std::ffi::OsStr::from_bytes(b"bad\xff.pt");
    std::fs::write(environment.folder().join(name), "weights").unwrap();
    let flags = ["--user-id", "u", "--model-id", "m", "--framework", "onnx", "--model-type", "nlp"];
    let mut command = environment.dwctl(["upload"]);
    command.arg(name).args(flags);
    let outcome = Running::start(command).finish().expect(2);
    assert!(outcome.err().contains(".pt is not UTF-8\nhint: rename it"), "{outcome}");
}

#[test]
fn names_that_are_one_on_other_systems_are_warned_of_and_sent() {
    let stack = Stack::start();
    for name in ["model/Weights.bin", "model/weights.bin", "model/caf\u{e9}", "model/cafe\u{301}"] {
        stack.environment.write(name, name);
    }
    let outcome = upload(&stack, "model", &["--dialect", "flat"]).expect(0);
    let warnings = outcome.err().lines().filter(|line| line.contains("are one name on Windows"));
    assert_eq!(warnings.count(), 2, "{outcome}");
    assert!(outcome.err().contains("Weights.bin and weights.bin"), "{outcome}");
}
