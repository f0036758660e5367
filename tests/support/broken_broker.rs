//! Addresses at which no Kafka answers: nothing, an HTTP server, silence.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// Nothing listens here: port 1 (tcpmux) is below those that a user may open.
pub const DEAD: &str = "127.0.0.1:1";

/// A listener that behaves badly until it is dropped.
pub struct BrokenBroker {
    address: String,
    // A connection to a listener that nobody accepts from is made by the kernel, and stays silent.
    _silent: Option<TcpListener>,
}

impl BrokenBroker {
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Takes connections and never says a word.
    pub fn silent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { address: listener.local_addr().unwrap().to_string(), _silent: Some(listener) }
    }

    /// An HTTP server: waits for the end of a request's head, then answers 400 and closes.
    pub fn http() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer_as_http(stream));
            }
        });
        Self { address, _silent: None }
    }
}

fn answer_as_http(mut stream: TcpStream) {
    let (mut head, mut chunk) = (Vec::new(), [0; 256]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        head.extend_from_slice(&chunk[..read]);
        if head.windows(4).any(|window| window == b"\r\n\r\n") {
            // The client may have gone; it was answered all the same.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            return;
        }
    }
}
