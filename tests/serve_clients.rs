//! Clients of `dwctl serve` that do not do their part, and those that wait behind them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::support::PATIENCE;
use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::run::{Running, Stream};
use crate::support::stack::Stack;

fn form(content: &[u8]) -> Multipart {
    Multipart::new().file("file", "m.pt", content).texts(&[
        ("model_id", "m"),
        ("name", "N"),
        ("framework", "pytorch"),
        ("model_type", "nlp"),
    ])
}

fn upload(content: &[u8]) -> Call {
    Call::post("/ai-models/upload/single/u", &form(content))
}

/// A connection on which these bytes were sent.
fn half(host: &str, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    stream
}

/// What comes until the server closes.
fn to_the_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

const HEAD: &str = "POST /ai-models/upload/single/u HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n";
const JSON: &str = "POST /bias-reports/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n";
const PART: &str =
    "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"m.pt\"\r\n\r\nabc";
const WHOLE: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn what_is_left_half_done_is_closed_after_a_time() {
    let stack = Stack::start_with(&["--idle-timeout", "300ms"]);
    for (sent, reply) in [
        ("", ""),
        ("GET /hea", ""),
        ("GET /health HTTP/1.1\r\nHost: localh", ""),
        (WHOLE, "HTTP/1.1 200"),
        (HEAD, "HTTP/1.1 408"),
        (&format!("{HEAD}{PART}"), "HTTP/1.1 408"),
        (JSON, "HTTP/1.1 408"),
        (&format!("{JSON}{{\"user_id\":"), "HTTP/1.1 408"),
        (&format!("{WHOLE}{WHOLE}GET /"), "HTTP/1.1 200"),
    ] {
        let answer = to_the_end(half(stack.host(), sent));
        assert!(
            answer.starts_with(reply) && answer.is_empty() == reply.is_empty(),
            "{sent}: {answer}"
        );
    }
    stack.process().wait_for(Stream::Err, "408: The request is incomplete");
    let staged = std::fs::read_dir(stack.data_dir().join("staging")).unwrap().count();
    assert_eq!(staged, 0);
}

#[test]
fn a_byte_now_and_then_is_not_enough() {
    let stack = Stack::start_with(&["--idle-timeout", "500ms"]);
    for start in ["GET /health HTTP/1.1\r\nX-Slow: ".to_owned(), format!("{HEAD}{PART}")] {
        let mut stream = half(stack.host(), &start);
        stream.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
        // Until the server closes: a byte each time that nothing comes.
        let mut byte = [0];
        loop {
            match stream.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if stream.write_all(b"x").is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
    }
}

#[test]
fn a_client_that_takes_nothing_of_its_download_is_let_go() {
    let stack = Stack::start_with(&["--idle-timeout", "500ms"]);
    drop(stack.call(&upload(&vec![7; 64 << 20])).expect(200));
    let stream = half(
        stack.host(),
        "GET /ai-models/u/m/download HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    // The server is asked for its open files: the download's is closed again.
    let blobs = stack.data_dir().join("blobs");
    let opened = || {
        let files =
            std::fs::read_dir(format!("/proc/{}/fd", stack.process().pid().as_raw_nonzero()))
                .unwrap();
        let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        links.filter(|link| link.starts_with(&blobs)).count()
    };
    let begin = std::time::Instant::now();
    while opened() == 0 {
        assert!(begin.elapsed() < PATIENCE, "the download does not begin");
        std::thread::yield_now();
    }
    while opened() > 0 {
        assert!(begin.elapsed() < PATIENCE, "the download does not end");
        std::thread::yield_now();
    }
    drop(stream);
}

#[test]
fn a_slow_upload_that_goes_on_is_taken_whole() {
    let stack = Stack::start_with(&["--idle-timeout", "1s"]);
    let begun = upload(&[7; 300_000]).begin(stack.host(), 100_000);
    // Others come and go meanwhile.
    for _ in 0..3 {
        drop(to_the_end(half(stack.host(), "GET /health HTTP/1.0\r\n\r\n")));
    }
    drop(begun.complete().expect(200));
}

/// A server with few descriptors: its process, and the address of its API.
fn with_descriptors(count: u32, environment: &Environment) -> (Running, String) {
    let serve = environment.dwctl(["serve", "--port", "0", "--broker-port", "0", "--data-dir"]);
    let mut command = environment.command("sh");
    command.args(["-c", "ulimit -n \"$1\"; shift; exec \"$@\"", "sh", &count.to_string()]);
    command.arg(serve.get_program()).args(serve.get_args()).arg(environment.path("warehouse"));
    let process = Running::start(command);
    let line = process.wait_for(Stream::Out, "DWCTL_API_URL=http://");
    let host = line.trim().trim_start_matches("DWCTL_API_URL=http://").to_owned();
    process.wait_for(Stream::Err, "Ctrl-C stops");
    (process, host)
}

#[test]
fn with_few_descriptors_new_clients_are_served_and_uploads_go_on() {
    let environment = Environment::new();
    let (_process, host) = with_descriptors(64, &environment);
    let begun = upload(&[7; 300_000]).begin(&host, 100_000);
    let sent = ["", "GET /hea", WHOLE];
    let idle: Vec<_> = (0..120).map(|number| half(&host, sent[number % 3])).collect();
    drop(Call::get("/health").send(&host).expect(200));
    drop(upload(&[8; 200_000]).send(&host).expect(200));
    drop(begun.complete().expect(200));
    for version in ["v1", "v2"] {
        let path = format!("/ai-models/u/m/download?version={version}&filename=m.pt");
        drop(Call::get(&path).send(&host).expect(200));
    }
    drop(idle);
}

#[test]
fn uploads_that_were_left_make_room_too() {
    let environment = Environment::new();
    let (_process, host) = with_descriptors(64, &environment);
    let left: Vec<_> = (0..60).map(|_| half(&host, &format!("{HEAD}{PART}"))).collect();
    drop(Call::get("/health").send(&host).expect(200));
    drop(left);
}

#[test]
fn a_client_that_has_said_all_it_will_say_is_still_answered() {
    let stack = Stack::start();
    let stream =
        half(stack.host(), "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.shutdown(Shutdown::Write).unwrap();
    // Half a request has no end that could be waited for.
    let cut = half(stack.host(), &format!("{HEAD}{PART}"));
    cut.shutdown(Shutdown::Write).unwrap();
    drop(to_the_end(cut));
    drop(to_the_end(stream));
    drop(stack.call(&Call::get("/health")).expect(200));
}
