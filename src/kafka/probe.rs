//! A question of our own to a port that librdkafka says nothing about: does Kafka answer there at
//! all? An HTTP server on a broker's port makes the library wait in silence.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::resolve::resolve_name;
use super::wire::Endpoint;
use crate::base::Deadline;

/// What a port answered to an `ApiVersions` request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A reply with our correlation id.
    Kafka,
    /// A reply that starts as HTTP does.
    Http,
    /// A reply that is something else.
    Other,
    /// The connection was made and closed without a reply.
    Closed,
    /// The connection was made and nothing came.
    Silence,
    Refused,
    /// The name has no address.
    UnknownName(String),
    /// No connection came about in time.
    NoConnection(String),
}

/// `ApiVersions`, version 0 (Kafka protocol, key 18): four bytes of length, then key, version,
/// correlation id, and a client id of length zero.
const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0x64, 0x77, 0x63, 0x74, 0, 0];
const CORRELATION: [u8; 4] = [0x64, 0x77, 0x63, 0x74];

/// What each address of a name answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NameAnswers(Vec<(SocketAddr, Answer)>);

impl NameAnswers {
    /// Returns the best answer: that of a broker, else that of the last address.
    pub fn best(&self) -> Answer {
        let kafka = self.0.iter().find(|(_, answer)| *answer == Answer::Kafka);
        let best = kafka.or(self.0.last()).map(|(_, answer)| answer.clone());
        best.unwrap_or(Answer::UnknownName("no address".to_owned()))
    }

    /// Returns an address at which Kafka answers, and those at which the library would wait in vain.
    pub fn split(&self) -> Option<(SocketAddr, Vec<(SocketAddr, Answer)>)> {
        let (good, _) = self.0.iter().find(|(_, answer)| *answer == Answer::Kafka)?;
        let is_silent = |(_, answer): &&(SocketAddr, Answer)| {
            matches!(answer, Answer::Silence | Answer::NoConnection(_) | Answer::Http)
        };
        let silent: Vec<_> = self.0.iter().filter(is_silent).cloned().collect();
        (!silent.is_empty()).then_some((*good, silent))
    }
}

/// Asks one `HOST:PORT`, at most until the deadline and never longer than two seconds a step.
pub(super) fn ask(address: &str, deadline: Deadline) -> Answer {
    ask_each(address, deadline).map_or_else(|answer| answer, |answers| answers.best())
}

/// Asks every address of a `HOST:PORT` side by side, of which some may hang.
///
/// # Errors
/// The answer in place of all: the name has no address.
pub(super) fn ask_each(address: &str, deadline: Deadline) -> Result<NameAnswers, Answer> {
    let Endpoint { host, port } = Endpoint::parse(address);
    let sockets = resolve_name(&host, port, deadline.within(Duration::from_secs(3)))
        .map_err(Answer::UnknownName)?;
    Ok(NameAnswers(std::thread::scope(|scope| {
        let asked: Vec<_> = sockets
            .iter()
            .map(|socket| (*socket, scope.spawn(move || ask_socket(socket, deadline))))
            .collect();
        let joined = asked.into_iter().filter_map(|(socket, one)| Some((socket, one.join().ok()?)));
        joined.collect()
    })))
}

fn step(deadline: Deadline) -> Duration {
    // A timeout of zero means none at all to the standard library.
    deadline.slice(Duration::from_secs(2)).max(Duration::from_millis(1))
}

fn ask_socket(socket: &SocketAddr, deadline: Deadline) -> Answer {
    let mut stream = match TcpStream::connect_timeout(socket, step(deadline)) {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Answer::Refused,
        Err(error) => return Answer::NoConnection(error.to_string()),
    };
    let prepared = stream
        .set_read_timeout(Some(step(deadline)))
        .and_then(|()| stream.set_write_timeout(Some(step(deadline))))
        .and_then(|()| stream.write_all(&REQUEST))
        // An HTTP server waits for the end of a line before it answers.
        .and_then(|()| stream.write_all(b"\r\n\r\n"));
    if prepared.is_err() {
        return Answer::Closed;
    }
    let mut reply = [0; 8];
    match stream.read(&mut reply) {
        Ok(0) => Answer::Closed,
        Ok(read) if reply[..read].starts_with(b"HTTP") => Answer::Http,
        Ok(8) if reply[4..] == CORRELATION => Answer::Kafka,
        Ok(_) => Answer::Other,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Answer::Silence
        }
        Err(_) => Answer::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn answered_by(reply: &'static [u8]) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 14];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(reply).unwrap();
        });
        let answer = ask(&address, Deadline::after(Duration::from_secs(5)));
        server.join().unwrap();
        answer
    }

    #[test]
    fn replies_are_told_apart() {
        assert_eq!(answered_by(b"\0\0\0\x0adwct\0\0"), Answer::Kafka);
        assert_eq!(answered_by(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Answer::Http);
        assert_eq!(answered_by(b"SSH-2.0-x\r\n"), Answer::Other);
        assert_eq!(answered_by(b""), Answer::Closed);
    }

    #[test]
    fn a_dead_port_is_refused() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        assert_eq!(ask(&address, Deadline::after(Duration::from_secs(5))), Answer::Refused);
    }
}
