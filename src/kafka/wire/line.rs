//! A connection to whatever listens at one socket: bytes out, one reply in, and what it was that
//! answered where it was no broker.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use openssl::ssl::SslStream;

use super::message::{Malformed, Reply, Request};
use crate::base::Deadline;
use crate::tls::without_codes;

/// How long a connection may take to come about, and an answer to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes that no reply to a question of ours has.
const LARGEST: usize = 64 * 1024 * 1024;

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The other side closed the connection.
    Closed,
    /// It holds the connection and says nothing.
    Silent,
    /// It answered as an HTTP server does.
    Http,
    /// It answered with an alert of TLS.
    TlsAlert,
    /// It answered something else.
    Foreign,
    /// OpenSSL's words for an alert that came after the handshake.
    Tls(String),
}

impl From<Malformed> for Broken {
    fn from(_: Malformed) -> Self {
        Broken::Foreign
    }
}

/// What bytes go over.
pub(super) enum Line {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

impl Line {
    fn socket(&self) -> &TcpStream {
        match self {
            Line::Plain(socket) => socket,
            Line::Tls(stream) => stream.get_ref(),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Line::Plain(socket) => socket.write_all(bytes),
            Line::Tls(stream) => stream.write_all(bytes),
        }
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Plain(socket) => socket.read(room),
            Line::Tls(stream) => stream.read(room),
        }
    }
}

/// Connects a socket, with timeouts of [`PATIENCE`] for whatever is done on it.
pub(super) fn connect(socket: &SocketAddr, deadline: Deadline) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(socket, step(deadline))?;
    stream.set_nodelay(true)?;
    limit(&stream, deadline)?;
    Ok(stream)
}

fn limit(stream: &TcpStream, deadline: Deadline) -> io::Result<()> {
    stream.set_read_timeout(Some(step(deadline)))?;
    stream.set_write_timeout(Some(step(deadline)))
}

fn step(deadline: Deadline) -> Duration {
    // A timeout of zero means none at all to the standard library.
    deadline.slice(PATIENCE).max(Duration::from_millis(1))
}

/// A line on which Kafka is spoken.
pub struct Connection {
    line: Line,
    correlation: i32,
    deadline: Deadline,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("correlation", &self.correlation).finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn over(line: Line, deadline: Deadline) -> Self {
        // The four letters that the older probe sends too: they are seen in a broker's log.
        Self { line, correlation: 0x6477_6374, deadline }
    }

    /// Asks one question and waits for its answer.
    pub(super) fn ask(
        &mut self,
        (key, version): (i16, i16),
        body: impl FnOnce(Request) -> Request,
    ) -> Result<Reply, Broken> {
        self.correlation = self.correlation.wrapping_add(1);
        let request = body(Request::new(key, version, self.correlation)).finish();
        limit(self.line.socket(), self.deadline).map_err(|error| broken(&error))?;
        self.line.write_all(&request).map_err(|error| broken(&error))?;
        let head = self.read_exactly(8)?;
        let length = length_of(&head)?;
        let is_ours = head[4..] == self.correlation.to_be_bytes();
        if !is_ours {
            return Err(Broken::Foreign);
        }
        Ok(Reply::new(self.read_exactly(length - 4)?))
    }

    fn read_exactly(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        let mut bytes = Vec::new();
        let mut room = [0; 16 * 1024];
        while bytes.len() < length {
            if self.deadline.has_passed() {
                return Err(Broken::Silent);
            }
            let wanted = (length - bytes.len()).min(room.len());
            match self.line.read(&mut room[..wanted]) {
                Ok(0) => return Err(what_began(&bytes).unwrap_or(Broken::Closed)),
                Ok(read) => bytes.extend_from_slice(&room[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(what_began(&bytes).unwrap_or_else(|| broken(&error))),
            }
        }
        Ok(bytes)
    }
}

/// What an answer that never became whole was the beginning of.
fn what_began(bytes: &[u8]) -> Option<Broken> {
    if bytes.starts_with(b"HTTP") {
        Some(Broken::Http)
    } else if bytes.starts_with(&[0x15, 3]) {
        Some(Broken::TlsAlert)
    } else {
        (!bytes.is_empty()).then_some(Broken::Foreign)
    }
}

/// The length that a reply claims to have behind its first four bytes.
fn length_of(head: &[u8]) -> Result<usize, Broken> {
    if let Some(other @ (Broken::Http | Broken::TlsAlert)) = what_began(head) {
        return Err(other);
    }
    let claimed = head[..4].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    if (4..=LARGEST).contains(&claimed) { Ok(claimed) } else { Err(Broken::Foreign) }
}

fn broken(error: &io::Error) -> Broken {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Broken::Silent,
        _ if error.to_string().contains("alert") => Broken::Tls(without_codes(&error.to_string())),
        _ => Broken::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answered_by(reply: &'static [u8]) -> Result<String, Broken> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 26];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(reply).unwrap();
        });
        let deadline = Deadline::after(Duration::from_secs(20));
        let line = Line::Plain(connect(&socket, deadline).unwrap());
        let mut reply = Connection::over(line, deadline).ask((18, 0), |request| request)?;
        server.join().unwrap();
        Ok(reply.string()?)
    }

    #[test]
    fn an_answer_is_told_from_what_is_none() {
        assert_eq!(answered_by(b"\0\0\0\x08dwcu\0\x02ok").unwrap(), "ok");
        for (reply, what) in [
            (&b"\0\0\0\x08dwct\0\x02ok"[..], Broken::Foreign),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", Broken::Http),
            (b"SSH-2.0-x\r\n", Broken::Foreign),
            (b"\x15\x03\x01\0\x02\x02\x28", Broken::TlsAlert),
            (b"", Broken::Closed),
            (b"\0\0", Broken::Foreign),
        ] {
            assert_eq!(answered_by(reply).unwrap_err(), what, "{reply:?}");
        }
    }
}
