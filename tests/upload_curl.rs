//! `--print-curl`: the printed script, run by a shell, sends what `dwctl upload` itself sends.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::mpsc::{Receiver, channel};

use crate::support::environment::Environment;
use crate::support::peers;
use crate::support::run::Running;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;
use crate::support::zips::zipped;

const MODEL: [&str; 8] =
    ["--user-id", "u[1] é", "--model-id", "m", "--framework", "pytorch", "--model-type", "nlp"];

/// What of a request must be the same.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    line: String,
    task_id: Option<String>,
    /// With the boundary, which is random, replaced.
    body: Vec<u8>,
}

/// An API that takes nothing, and what it was sent.
fn api() -> (ScriptedApi, Receiver<Sent>) {
    let (sender, sent) = channel();
    let api = ScriptedApi::start(move |request| {
        let content_type = request.header("content-type").unwrap().to_owned();
        let (kind, boundary) = content_type.split_once("; boundary=").unwrap();
        assert_eq!(kind, "multipart/form-data");
        let line = format!("{} {}", request.method, request.path);
        let task_id = request.header("x-task-id").map(str::to_owned);
        let body = replaced(request.body(), boundary.as_bytes(), b"BOUNDARY");
        sender.send(Sent { line, task_id, body }).unwrap();
        Answer::json(400, r#"{"detail":"thank you"}"#)
    });
    (api, sent)
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// What is sent for these arguments by `dwctl`, and by the script that it prints.
fn both(environment: &Environment, arguments: &[&str]) -> (Sent, Sent) {
    let (api, sent) = api();
    let arguments = [arguments, &["-u", api.url()]].concat();
    let refused = environment.run([&arguments[..], &["--retries", "0"]].concat()).expect(4);
    assert!(refused.err().contains("thank you"), "{refused}");
    let ours = sent.recv().unwrap();
    let printed = environment.run([&arguments[..], &["--print-curl"]].concat()).expect(0);
    assert_eq!(api.calls(), 1, "nothing was sent: {printed}");
    let mut shell = environment.command("sh");
    shell.args(["-c", printed.out()]);
    let curl = Running::start(shell).finish().expect(22);
    assert!(curl.out().contains("thank you"), "{curl}");
    (ours, sent.recv().unwrap())
}

/// Paths and values that shells and curl read in ways of their own.
fn hostile(environment: &Environment) -> Vec<String> {
    let folder = r#"we "ird; $(x) 'd',=\ é"#;
    let file = format!("{folder}/@\"m\"; type=x, 'é' $HOME.pt");
    let archive = format!("{folder}/b.zip");
    environment.write(&file, "weights\r\n--BOUNDARY\0\u{e9}");
    environment.write(&archive, zipped(&[("a/w.pt", b"weights"), ("config.json", b"{}")]));
    environment.write("-", "weights");
    vec![file, archive, "-".to_owned()]
}

const HOSTILE_VALUES: [&str; 8] = [
    "--name",
    "@/etc/passwd",
    "--description",
    "it's \"$HOME\" `id`;type=text/x\r\n\n--x\n",
    "--tags",
    "<b,é=1, \\",
    "--hardware-requirements",
    "",
];

#[test]
fn a_file_and_a_ready_archive_are_sent_byte_for_byte_in_each_dialect() {
    if !peers::has("curl") {
        return;
    }
    let environment = Environment::new();
    for path in hostile(&environment) {
        for (dialect, more) in [
            ("form", &["--version", "v7"][..]),
            ("flat", &[]),
            ("task", &["--task-id", "t'1 $x; \"y\""]),
        ] {
            let fixed = [&["upload", &path, "--dialect", dialect], &MODEL[..]].concat();
            let arguments = [&fixed[..], &HOSTILE_VALUES, more].concat();
            let (ours, theirs) = both(&environment, &arguments);
            assert_eq!((&theirs.line, &theirs.task_id), (&ours.line, &ours.task_id), "{path}");
            let (theirs, ours) = (theirs.body, ours.body);
            assert_eq!(
                String::from_utf8_lossy(&theirs),
                String::from_utf8_lossy(&ours),
                "{path} in {dialect}"
            );
            assert!(theirs == ours, "{path} in {dialect}");
        }
    }
}

/// The text of a body before its archive, and the archive's files.
fn taken_apart(body: &[u8]) -> (String, BTreeMap<String, Vec<u8>>) {
    let start = body.windows(4).position(|bytes| bytes == b"PK\x03\x04").unwrap();
    let end = body.len() - b"\r\n--BOUNDARY--\r\n".len();
    let mut archive = zip::ZipArchive::new(Cursor::new(&body[start..end])).unwrap();
    let files = (0..archive.len()).map(|index| {
        let mut entry = archive.by_index(index).unwrap();
        assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.name().unwrap().to_string(), content)
    });
    (String::from_utf8(body[..start].to_vec()).unwrap(), files.collect())
}

#[test]
fn of_a_folder_the_same_files_are_packed_and_sent() {
    if !peers::has("curl") || !peers::has("python3") {
        return;
    }
    let environment = Environment::new();
    for name in [" a", "b ", "-c", "FILES", "st*r", "é/\u{2028}x", "q'\"$HOME", "[x]", "@y"] {
        environment.write(&format!("-di'r/{name}"), name);
    }
    environment.write("-di'r/old", "old");
    let old = std::fs::File::options().write(true).open(environment.path("-di'r/old")).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    std::os::unix::fs::symlink("old", environment.path("-di'r/link")).unwrap();
    environment.write("-di'r/.env", "SECRET=1");
    environment.write("-di'r/notes.log", "x");
    let more = ["--exclude", "*.log", "--dialect", "flat"];
    let path = environment.path("-di'r").display().to_string();
    let arguments = [&["upload", &path], &MODEL[..], &more].concat();
    let (ours, theirs) = both(&environment, &arguments);
    assert_eq!(theirs.line, ours.line);
    let (ours, theirs) = (taken_apart(&ours.body), taken_apart(&theirs.body));
    assert_eq!(theirs, ours);
    assert_eq!(theirs.1.len(), 11);
}

#[test]
fn the_api_is_asked_for_its_dialect_and_nothing_else() {
    let stack = Stack::start();
    stack.environment.write("m.pt", "weights");
    stack.environment.write("n.pt", "weights");
    let flags = ["--user-id", "u", "--framework", "pytorch", "--model-type", "nlp"];
    let several = [&["upload", "m.pt", "n.pt", "--print-curl", "-o", "json"], &flags[..]].concat();
    let printed = stack.run(several).expect(0).json_lines();
    assert_eq!(printed.len(), 2);
    for (document, file) in printed.iter().zip(["m.pt", "n.pt"]) {
        assert_eq!(document["path"], file);
        let script = document["curl"].as_str().unwrap();
        let route = format!("{}/ai-models/upload/single/u", stack.api_url);
        assert!(script.ends_with(&route), "{script}");
    }
    let none = stack.run(["models", "list", "--user-id", "u"]).expect(0);
    assert!(none.err().contains("has no models"), "{none}");
}
