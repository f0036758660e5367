//! Small uploads on connections that stay open, from any number of clients at once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

const BOUNDARY: &str = "bench-boundary-7f3a";
const FIELDS: [(&str, &str); 4] = [
    ("name", "m"),
    ("framework", "pytorch"),
    ("model_type", "classification"),
    ("training_dataset", "d1"),
];

/// A connection to `HOST:PORT`.
pub struct Client {
    host: String,
    reader: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { host: host.to_owned(), reader: BufReader::new(stream) })
    }

    /// Uploads a model and waits for the reply, which must be a 200.
    pub fn upload(&mut self, model: &str, payload: &[u8]) -> Result<()> {
        let mut body = Vec::new();
        for (name, value) in [("model_id", model)].into_iter().chain(FIELDS) {
            write!(
                body,
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )?;
        }
        write!(
            body,
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"m.pt\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        )?;
        body.extend_from_slice(payload);
        write!(body, "\r\n--{BOUNDARY}--\r\n")?;
        let mut request = format!(
            "POST /ai-models/upload/single/u1 HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        )
        .into_bytes();
        request.append(&mut body);
        self.call(&request)?;
        Ok(())
    }

    pub fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        self.call(format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host).as_bytes())
    }

    /// The body of a reply of known length.
    fn call(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.reader.get_mut().write_all(request)?;
        let mut status = String::new();
        self.reader.read_line(&mut status)?;
        let mut length = None;
        let mut line = String::new();
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse()?);
            }
        }
        let mut body = vec![0; length.context("a reply without a length")?];
        self.reader.read_exact(&mut body)?;
        ensure!(
            status.starts_with("HTTP/1.1 200 "),
            "{}: {}",
            status.trim_end(),
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}

/// Uploads so many models of 1 KiB, shared out among clients, and gives uploads a second. No model
/// comes twice in this process.
pub fn uploads_a_second(host: &str, clients: u64, count: u64) -> Result<f64> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let each = (count / clients).max(1);
    let start = Arc::new(Barrier::new(usize::try_from(clients)? + 1));
    let mut threads = Vec::new();
    for _ in 0..clients {
        let mut client = Client::connect(host)?;
        let start = Arc::clone(&start);
        threads.push(std::thread::spawn(move || {
            start.wait();
            (0..each).try_for_each(|_| {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                client.upload(&format!("model-{number}"), &[b'w'; 1024])
            })
        }));
    }
    start.wait();
    let began = Instant::now();
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a client panicked"))??;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let all = (each * clients) as f64;
    Ok(all / began.elapsed().as_secs_f64())
}
