//! Replies that never end, or not as replies do: every command ends by its timeout, and a reply that
//! cannot be right ends it at once.

use rustix::process::Signal;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;

const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A reply without an end: its name, what it begins with, and what then comes again and again.
const ENDLESS: &[(&str, &str, &str)] = &[
    ("a page in chunks", CHUNKED, "13\r\n<p>Please log in</p\r\n"),
    ("blanks in chunks", CHUNKED, "1\r\n \r\n"),
    (
        "a list in chunks",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"a\":[\r\n",
        "2\r\n1,\r\n",
    ),
    (
        "a text in chunks",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"a\":\"\r\n",
        "4\r\nxxxx\r\n",
    ),
    ("chunks that grow in their extension", CHUNKED, "1;x"),
    ("a page until the end of the connection", "HTTP/1.1 200 OK\r\n\r\n", "<p>Please log in</p>"),
    ("blanks until the end of the connection", "HTTP/1.1 200 OK\r\n\r\n", " "),
    ("a page of a length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "<p>"),
    ("nothing of a length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", ""),
    ("headers", "HTTP/1.1 200 OK\r\n", "X-More: and more\r\n"),
    ("one header", "HTTP/1.1 200 OK\r\nX-More: ", "and more "),
    ("a status line", "HTTP/1.1 200 ", "O"),
    ("interim replies", "", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
    ("no HTTP", "", "+OK "),
    ("a refusal", "HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"),
    ("a fault", "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
];

fn answered(head: &'static str, piece: &'static str) -> ScriptedApi {
    ScriptedApi::start(move |request| {
        request.body();
        Answer::drip(head, piece)
    })
}

/// The error of a run that failed as it should: the API's fault or the time.
#[track_caller]
fn failed(name: &str, outcome: &Outcome) {
    let code = outcome.code();
    assert!(matches!(code, Some(4..=8)), "{name}: {outcome}");
    assert!(!outcome.err().contains("did not end in time"), "the last resort, {name}: {outcome}");
    assert!(!outcome.err().contains("did not end before"), "the last resort, {name}: {outcome}");
}

#[test]
fn an_upload_ends_by_its_timeout_whatever_the_reply_is() {
    for (name, head, piece) in ENDLESS {
        let api = answered(head, piece);
        let environment = Environment::new();
        environment.write("model.pt", b"weights");
        let flags = ["--dialect", "form", "--timeout", "2s", "-u", api.url()];
        failed(name, &environment.run([&UPLOAD[..], &flags].concat()));
    }
}

const UPLOAD: [&str; 12] = [
    "upload",
    "model.pt",
    "--user-id",
    "u",
    "--model-id",
    "m",
    "--framework",
    "pytorch",
    "--model-type",
    "nlp",
    "--training-dataset",
    "d",
];

#[test]
fn questions_changes_and_downloads_end_by_their_timeout_too() {
    let commands: &[&[&str]] = &[
        &["models", "list", "--user-id", "u"],
        &["models", "show", "u/m@v1"],
        &["models", "files", "u/m@v1"],
        &["models", "download", "u/m@v1"],
        &["models", "verify", "u/m@v1", "model.pt"],
        &["models", "update", "u/m@v1", "--name", "n"],
        &["models", "delete", "u/m@v1", "--yes"],
        &["doctor"],
    ];
    // Each command meets some of the replies; all together meet all of them.
    for (index, (name, head, piece)) in ENDLESS.iter().enumerate() {
        let command = commands[index % commands.len()];
        let api = answered(head, piece);
        let environment = Environment::new();
        environment.write("model.pt", b"weights");
        let flags = ["--timeout", "2s", "-u", api.url()];
        failed(&format!("{command:?}, {name}"), &environment.run([command, &flags].concat()));
    }
}

#[test]
fn a_smoke_test_ends_by_its_timeout_whatever_its_upload_is_answered() {
    let stack = Stack::start();
    for (name, head, piece) in ENDLESS {
        let (head, piece) = (*head, *piece);
        let api = ScriptedApi::start(move |request: &mut Request| match request.method.as_str() {
            "POST" => {
                request.body();
                Answer::drip(head, piece)
            }
            "GET" if request.path == "/openapi.json" => {
                Answer::json(200, r#"{"paths":{"/ai-models/upload/single":{}}}"#)
            }
            _ => Answer::json(404, r#"{"detail":"Model not found"}"#),
        });
        let flags = ["smoke", "--timeout", "4s", "-u", api.url(), "-b", &stack.brokers];
        failed(name, &Environment::new().run(flags));
    }
}

#[test]
fn a_page_in_pieces_in_place_of_a_record_ends_an_upload_without_any_timeout() {
    let api = answered(CHUNKED, "13\r\n<p>Please log in</p\r\n");
    let environment = Environment::new();
    environment.write("model.pt", b"weights");
    let flags = ["--dialect", "form", "-u", api.url()];
    let outcome = environment.run([&UPLOAD[..], &flags].concat()).expect(5);
    assert!(outcome.err().contains("what is no JSON: <p>Please log in</p"), "{outcome}");
}

#[test]
fn the_silence_after_the_last_byte_is_bounded_by_the_patience_with_the_event() {
    let stack = Stack::start();
    let run = |retries: &str| {
        let api = ScriptedApi::start(|request| {
            request.body();
            match request.method.as_str() {
                "POST" => Answer::Stall,
                _ => Answer::json(200, "[]"),
            }
        });
        let environment = Environment::new();
        environment.write("model.pt", b"weights");
        let flags = ["--dialect", "flat", "--wait-event=1s", "--retries", retries];
        let to = ["-u", api.url(), "-b", &stack.brokers];
        environment.run([&UPLOAD[..], &flags, &to].concat()).expect(7)
    };
    for retries in ["0", "1"] {
        let outcome = run(retries);
        let told = outcome.err();
        assert!(told.contains("has every byte and has not answered in 1 s"), "{outcome}");
        assert!(told.contains("dwctl models show u/m"), "{outcome}");
        assert_eq!(told.contains("looking whether it is stored"), retries == "1", "{outcome}");
    }
}

#[test]
fn a_stop_while_the_server_works_says_what_may_be_stored_and_where_to_look() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let api = ScriptedApi::start(|request| {
            request.body();
            Answer::drip("", "")
        });
        let environment = Environment::new();
        environment.write("model.pt", b"weights");
        environment.write("other.pt", b"weights");
        let flags = ["--dialect", "form", "-q", "-u", api.url()];
        let running = environment.start([&UPLOAD[..], &flags].concat());
        api.wait_for_bodies(1);
        running.signal(signal);
        let outcome = running.finish().expect(code);
        assert!(outcome.err().contains("may be stored: see dwctl models show u/m"), "{outcome}");

        let several =
            ["upload", "model.pt", "other.pt", "--user-id", "u", "--framework", "pytorch"];
        let flags = ["--model-type", "nlp", "--dialect", "form", "-u", api.url()];
        let running = environment.start([&several[..], &flags].concat());
        api.wait_for_bodies(3);
        running.signal(signal);
        let outcome = running.finish().expect(code);
        for model in ["u/model", "u/other"] {
            let look = format!("may be stored: see dwctl models show {model}");
            assert!(outcome.err().contains(&look), "{outcome}");
        }

        let delete = ["models", "delete", "u/m@v1", "--yes", "-u", api.url()];
        let running = environment.start(delete);
        api.wait_for_calls(4);
        running.signal(signal);
        let outcome = running.finish().expect(code);
        assert!(outcome.err().contains("see dwctl models show u/m@v1"), "{outcome}");
    }
}
