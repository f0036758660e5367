//! HTTP as curl writes it, byte for byte in the test's hands: a request can be as wrong as a test
//! needs it, which no client library allows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::PATIENCE;

/// A request on a connection of its own.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call {
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub fn post(path: &str, form: &Multipart) -> Self {
        let body = form.body();
        Self::new("POST", path).body(&Multipart::content_type(), body)
    }

    pub fn post_json(path: &str, body: &str) -> Self {
        Self::new("POST", path).body("application/json", body.as_bytes().to_vec())
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(self, content_type: &str, body: Vec<u8>) -> Self {
        let length = body.len().to_string();
        let call = self.header("Content-Type", content_type).header("Content-Length", &length);
        Self { body, ..call }
    }

    fn head(&self, host: &str) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "Connection: close\r\n\r\n"
    }

    /// Sends the request to `HOST:PORT` and reads the reply to its end.
    #[track_caller]
    pub fn send(&self, host: &str) -> Reply {
        self.try_send(host).unwrap()
    }

    /// Sends the request to `HOST:PORT` under another name of the server.
    #[track_caller]
    pub fn send_as(&self, host: &str, name: &str) -> Reply {
        self.send_head(host, &self.head(name)).unwrap()
    }

    /// The same to a server that may go away at any moment; half a reply is none.
    pub fn try_send(&self, host: &str) -> std::io::Result<Reply> {
        self.send_head(host, &self.head(host))
    }

    fn send_head(&self, host: &str, head: &str) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(head.as_bytes())?;
        // A server may answer and close before it has read everything; its answer counts.
        let _ = stream.write_all(&self.body);
        Reply::read(stream, &self.method)
    }

    /// Sends the head, waits until the server asks for the body, and sends its first bytes; the rest
    /// when the test asks for it.
    #[track_caller]
    pub fn begin(&self, host: &str, bytes: usize) -> Begun {
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let call = self.clone().header("Expect", "100-continue");
        stream.write_all(call.head(host).as_bytes()).unwrap();
        let mut interim = Vec::new();
        while !interim.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            interim.push(byte[0]);
        }
        let interim = String::from_utf8(interim).unwrap();
        assert!(interim.starts_with("HTTP/1.1 100 "), "{interim}");
        stream.write_all(&self.body[..bytes]).unwrap();
        Begun { stream, method: self.method.clone(), rest: self.body[bytes..].to_vec() }
    }
}

/// A request whose body is not complete. Dropping it goes away in the middle.
pub struct Begun {
    stream: TcpStream,
    method: String,
    rest: Vec<u8>,
}

impl Begun {
    #[track_caller]
    pub fn complete(mut self) -> Reply {
        self.stream.write_all(&self.rest).unwrap();
        Reply::read(self.stream, &self.method).unwrap()
    }
}

/// A reply, read to its end.
#[derive(Clone, Debug)]
#[must_use = "a reply that nobody looks at proves nothing"]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply to HEAD may say the length of a body that it does not have.
    fn read(stream: TcpStream, method: &str) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| broken(&format!("no status line but {line:?}")))?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Self { status, headers, body: Vec::new() };
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest)?;
        let length = reply.header("content-length").and_then(|length| length.parse().ok());
        if length.is_some_and(|length: usize| length != rest.len()) && method != "HEAD" {
            return Err(broken(&format!("{} bytes of {length:?}", rest.len())));
        }
        reply.body = if reply.header("transfer-encoding") == Some("chunked") {
            unchunked(&rest)
        } else {
            rest
        };
        Ok(reply)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }

    /// Passes the reply on if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the status of this reply: {}", self.text());
        self
    }
}

fn broken(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what)
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").expect("a chunk's length");
        let length = std::str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length.split(';').next().unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
}

/// A form as curl's `-F` writes it: its boundary, its part headers and its line ends.
#[derive(Clone, Debug, Default)]
pub struct Multipart {
    parts: Vec<u8>,
}

const BOUNDARY: &str = "------------------------d74496d66958873e";

impl Multipart {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        self.raw(head.as_bytes(), value.as_bytes())
    }

    /// Texts in one go.
    pub fn texts(self, pairs: &[(&str, &str)]) -> Self {
        pairs.iter().fold(self, |form, (name, value)| form.text(name, value))
    }

    pub fn file(self, name: &str, filename: &str, content: &[u8]) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: application/octet-stream"
        );
        self.raw(head.as_bytes(), content)
    }

    /// A part whose headers are the test's own.
    pub fn raw(mut self, head: &[u8], content: &[u8]) -> Self {
        self.parts.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        self.parts.extend_from_slice(head);
        self.parts.extend_from_slice(b"\r\n\r\n");
        self.parts.extend_from_slice(content);
        self.parts.extend_from_slice(b"\r\n");
        self
    }

    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    pub fn body(&self) -> Vec<u8> {
        let mut body = self.parts.clone();
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }
}
