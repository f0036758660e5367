//! Names and texts of any kind, as a multipart parser in Python sees them: the one that the service's
//! framework reads uploads with.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::environment::Environment;
use crate::support::peers;
use crate::support::run::{Running, Stream};
use crate::support::scale::scaled;

/// Answers each upload with a refusal, and writes what it saw of it.
const SERVER: &str = r"
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from python_multipart import parse_form

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        seen = {}
        def field(part):
            seen[part.field_name.decode()] = (part.value or b'').decode()
        def file(part):
            seen['FILE'] = part.file_name.decode()
        headers = {name.title(): value.encode() for name, value in self.headers.items()}
        parse_form(headers, self.rfile, field, file)
        body = json.dumps({'detail': json.dumps(seen)}).encode()
        self.send_response(413)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
";

/// Pieces that some parser or other has stumbled over.
const PIECES: &[&str] = &[
    "a",
    "Z",
    "0",
    ".",
    "-",
    "_",
    " ",
    "'",
    "\"",
    ";",
    "=",
    "%",
    "%22",
    "%0D%0A",
    ",",
    ":",
    "(",
    "<",
    "&",
    "+",
    "#",
    "?",
    "*",
    "~",
    "`",
    "$HOME",
    "filename=",
    "filename*=UTF-8''",
    "; name=x",
    "=?utf-8?q?x?=",
    "é",
    "e\u{301}",
    "μ",
    "模",
    "型",
    "\u{202e}",
    "🦀",
    "\u{feff}",
    "ﬁ",
    "İ",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }

    fn text(&mut self, further: &[&'static str]) -> String {
        let count = 1 + self.below(12);
        let sides = PIECES.len() + further.len();
        let piece =
            |place: usize| PIECES.get(place).unwrap_or_else(|| &further[place - PIECES.len()]);
        (0..count).map(|_| *piece(self.below(sides))).collect()
    }
}

/// What the parser saw of an upload of this file with this description.
fn seen(environment: &Environment, url: &str, name: &str, description: &str) -> Value {
    let upload = "upload --user-id u --model-id m --framework pytorch --model-type nlp \
                  --training-dataset d --dialect form -o json -q -u";
    let (file, text) = (format!("./{name}"), format!("--description={description}"));
    let words = upload.split_whitespace().chain([url, file.as_str(), text.as_str()]);
    let outcome = environment.run(words).expect(4);
    let error: Value = serde_json::from_str(outcome.err().lines().last().unwrap()).unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    let (_, seen) = message.split_once("413: ").unwrap_or_else(|| panic!("{outcome}"));
    serde_json::from_str(seen).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}

#[test]
fn any_name_and_any_text_arrives_whole_at_a_parser_of_the_services_kind() {
    let Some(python) = peers::python_and("multipart", &["python-multipart==0.0.20"]) else {
        return;
    };
    let environment = Environment::new();
    let script = environment.write("server.py", SERVER);
    let mut command = environment.command(python);
    command.arg(script);
    let server = Running::start(command);
    let port = server.wait_for(Stream::Out, "");
    let url = format!("http://127.0.0.1:{}", port.trim());
    let (next, count) = (AtomicUsize::new(1), scaled(60, 10_000));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let place = Environment::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number > count {
                        return;
                    }
                    // Each has dice of its own, so that a failure names all that is needed.
                    let seed = u64::try_from(number).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let mut dice = Dice(seed);
                    let name = format!("{}.pt", dice.text(&[]));
                    let text = dice.text(&["\n", "\r\n", "\\", "/", "\t", "--", "\u{1}"]);
                    let path = place.write(&name, "weights");
                    let seen = seen(&place, &url, &name, &text);
                    assert_eq!(seen["FILE"], name.replace('"', "%22"), "number {number}");
                    assert_eq!(seen["description"], text, "number {number}");
                    std::fs::remove_file(path).unwrap();
                }
            });
        }
    });
    server.signal(rustix::process::Signal::KILL);
    let _ = server.finish();
}
