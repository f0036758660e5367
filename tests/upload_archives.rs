//! The archive of a folder as others read it: Python, unzip and Java, each with its own idea of what
//! an archive is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::environment::Environment;
use crate::support::peers;
use crate::support::run::Running;
use crate::support::scale::scaled;
use crate::support::scripted::{Answer, ScriptedApi};

/// Names and sizes by a program in Python, after every checksum.
const PYTHON: &str = r"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    for entry in archive.infolist():
        print(entry.file_size, entry.filename)
";

/// The same by a stream that sees no directory at the end.
const JAVA: &str = r#"
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.zip.*;

public class Read {
    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        try (ZipInputStream archive = new ZipInputStream(
                new BufferedInputStream(new FileInputStream(arguments[0]), 1 << 20))) {
            byte[] buffer = new byte[1 << 16];
            for (ZipEntry entry; (entry = archive.getNextEntry()) != null; ) {
                long size = 0;
                for (int read; (read = archive.read(buffer)) > 0; ) size += read;
                out.println(size + " " + entry.getName());
            }
        }
        out.flush();
    }
}
"#;

/// Packs a folder by an upload whose body is kept, and gives the archive's place.
fn packed(environment: &Environment, flags: &[&str]) -> PathBuf {
    let kept = environment.path("body");
    let place = kept.clone();
    let api = ScriptedApi::start(move |request| {
        std::fs::write(&place, request.body()).unwrap();
        Answer::json(413, r#"{"detail":"kept"}"#)
    });
    let upload = "upload model --user-id u --model-id m --framework pytorch --model-type nlp \
                  --training-dataset d --dialect form -u";
    let outcome =
        environment.run(upload.split_whitespace().chain([api.url()]).chain(flags.iter().copied()));
    assert_eq!(outcome.code(), Some(4), "{outcome}");
    let body = std::fs::read(&kept).unwrap();
    let begin = body.windows(4).position(|four| four == b"PK\x03\x04").unwrap();
    let end = body.windows(4).rposition(|four| four == b"PK\x05\x06").unwrap() + 22;
    environment.write("model.zip", &body[begin..end])
}

fn read(environment: &Environment, program: &str, arguments: &[&str]) -> BTreeMap<String, u64> {
    let mut command = environment.command(program);
    command.args(arguments);
    let outcome = Running::start(command).finish().expect(0);
    outcome
        .out()
        .lines()
        .map(|line| {
            let (size, name) = line.split_once(' ').unwrap();
            (name.to_owned(), size.parse().unwrap())
        })
        .collect()
}

#[test]
fn what_is_packed_is_read_by_python_by_unzip_and_as_a_stream_by_java() {
    for program in ["python3", "unzip", "java"] {
        if !peers::has(program) {
            return;
        }
    }
    let environment = Environment::new();
    let mut wanted = BTreeMap::new();
    let mut add = |name: &str, size: u64| {
        let path = environment.write(&format!("model/{name}"), "");
        let file = std::fs::File::options().write(true).open(path).unwrap();
        // Sparse: what was not written is zeros.
        file.set_len(size).unwrap();
        wanted.insert(name.to_owned(), size);
    };
    for (name, size) in [
        ("config.json", 2),
        ("empty", 0),
        ("deep/er/and/deeper.bin", 70_000),
        ("with space and 'quotes'", 1),
        ("Größe/模型.bin", 3_000_000),
        ("large.bin", 40 << 20),
    ] {
        add(name, size);
    }
    for number in 0..scaled(300, 70_000) {
        add(&format!("many/{number:05}"), 3);
    }
    for (name, size) in [("vocab.txt", 200_000_usize), ("many/one.json", 9)] {
        environment
            .write(&format!("model/{name}"), &"text ".repeat(size / 5 + 1).as_bytes()[..size]);
        wanted.insert(name.to_owned(), size as u64);
    }
    let script = environment.write("read.py", PYTHON);
    let class = environment.write("Read.java", JAVA);
    let mut sizes = Vec::new();
    for flags in [&[][..], &["--compress"]] {
        let archive = packed(&environment, flags);
        sizes.push(archive.metadata().unwrap().len());
        let archive = archive.to_str().unwrap();
        assert_eq!(read(&environment, "python3", &[script.to_str().unwrap(), archive]), wanted);
        let java = ["-XX:TieredStopAtLevel=1", class.to_str().unwrap(), archive];
        assert_eq!(read(&environment, "java", &java), wanted);
        let mut command = environment.command("unzip");
        command.args(["-tq", archive]);
        let outcome = Running::start(command).finish().expect(0);
        assert!(outcome.out().contains("No errors detected"), "{outcome}");
    }
    assert!(sizes[1] < sizes[0] - 190_000, "nothing was compressed: {sizes:?}");
}
