//! An HTTP API that plays a script: one closure answers each request, well or badly. A test whose
//! API nobody called fails, and so does one whose script made a claim that did not hold.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Barrier, Condvar, Mutex, PoisonError};

use super::PATIENCE;

/// What the script does with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    Send {
        status: u16,
        content_type: &'static str,
        /// Header lines beside those that are always sent.
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Answers in JSON and closes at once, whatever is still coming: the kernel resets the connection.
    Slam { status: u16, body: Vec<u8> },
    /// Announces a longer body than it sends, and closes.
    CutOff { body: Vec<u8>, missing: usize },
    /// Closes the connection without a word.
    Break,
    /// Says nothing until the test is over.
    Stall,
    /// Announces a longer body than it sends, and sends no more until the test is over.
    Begin { body: Vec<u8>, missing: usize },
    /// Sends these bytes as they are, then the piece again and again until the client goes away.
    Drip { head: Vec<u8>, piece: Vec<u8> },
    /// Answers once the test has come to the barrier too.
    Held(Arc<Barrier>, Box<Answer>),
}

impl Answer {
    pub fn json(status: u16, body: &str) -> Self {
        Self::text(status, "application/json", body)
    }

    pub fn html(status: u16, body: &str) -> Self {
        Self::text(status, "text/html; charset=utf-8", body)
    }

    fn text(status: u16, content_type: &'static str, body: &str) -> Self {
        Self::Send { status, content_type, headers: Vec::new(), body: body.into() }
    }

    /// Bytes of a reply as they go out, with no end.
    pub fn drip(head: &str, piece: &str) -> Self {
        Self::Drip { head: head.into(), piece: piece.into() }
    }

    /// The same answer with one more header.
    #[track_caller]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        match &mut self {
            Self::Send { headers, .. } => headers.push((name, value.to_owned())),
            other => panic!("{other:?} sends no headers of the test's own"),
        }
        self
    }

    pub fn plain(status: u16, body: &str) -> Self {
        Self::text(status, "text/plain; charset=utf-8", body)
    }
}

/// A request whose body is read only when the script asks for it: an answer without asking comes
/// early, while the client still sends.
pub struct Request {
    pub method: String,
    /// With the query.
    pub path: String,
    headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// `None` at the end of the connection.
    fn read(mut reader: BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(Self { method, path, headers, reader, body: None })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body, waited for to its end.
    pub fn body(&mut self) -> &[u8] {
        let length = self.header("content-length").map_or(0, |text| text.parse().unwrap());
        self.body.get_or_insert_with(|| {
            let mut body = vec![0; length];
            self.reader.read_exact(&mut body).expect("the body ended early");
            body
        })
    }

    /// Waits for so many bytes of the body, and throws them away.
    pub fn some_of_body(&mut self, bytes: u64) {
        let came = std::io::copy(&mut (&mut self.reader).take(bytes), &mut std::io::sink());
        assert_eq!(came.expect("the body ended early"), bytes, "the body ended early");
    }

    /// Waits for the end of the connection; how many bytes came until then.
    pub fn rest_of_body(&mut self) -> u64 {
        let mut count = 0;
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = self.reader.read(&mut buffer) {
            count += read as u64;
        }
        count
    }

    fn is_read(&self) -> bool {
        self.body.is_some() || self.header("content-length").unwrap_or("0") == "0"
    }
}

type Script = dyn FnMut(&mut Request) -> Answer + Send;

#[derive(Default)]
struct State {
    calls: usize,
    /// Requests that the script has looked at.
    played: usize,
    broken_claim: Option<String>,
    over: bool,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// The API while its test lasts.
pub struct ScriptedApi {
    url: String,
    state: Shared,
}

impl ScriptedApi {
    pub fn start(script: impl FnMut(&mut Request) -> Answer + Send + 'static) -> Self {
        Self::start_at("127.0.0.1:0", script)
    }

    /// At an address of the test's own choice.
    pub fn start_at(
        address: &str,
        script: impl FnMut(&mut Request) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Shared::default();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(script));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, state) = (Arc::clone(&script), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &script, &state));
            }
        });
        Self { url, state }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn calls(&self) -> usize {
        lock(&self.state).calls
    }

    /// Waits until so many requests have come.
    #[track_caller]
    pub fn wait_for_calls(&self, count: usize) {
        self.wait_until(|state| state.calls >= count);
    }

    /// Waits until so many requests were answered by the script, which may have read their bodies.
    #[track_caller]
    pub fn wait_for_bodies(&self, count: usize) {
        self.wait_until(|state| state.played >= count);
    }

    #[track_caller]
    fn wait_until(&self, is_reached: impl Fn(&State) -> bool) {
        let (state, waited) = self
            .state
            .1
            .wait_timeout_while(lock(&self.state), PATIENCE, |state| !is_reached(state))
            .unwrap_or_else(PoisonError::into_inner);
        let (calls, played) = (state.calls, state.played);
        drop(state);
        assert!(!waited.timed_out(), "only {calls} requests came, {played} were answered");
    }
}

impl Drop for ScriptedApi {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.over = true;
        self.state.1.notify_all();
        let (calls, broken_claim) = (state.calls, state.broken_claim.take());
        drop(state);
        if !std::thread::panicking() {
            assert!(broken_claim.is_none(), "in the script: {}", broken_claim.unwrap_or_default());
            assert!(calls > 0, "nobody called the scripted API at {}", self.url);
        }
    }
}

fn lock(state: &Shared) -> std::sync::MutexGuard<'_, State> {
    state.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, script: &Mutex<Script>, state: &Shared) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = Request::read(reader) {
        lock(state).calls += 1;
        state.1.notify_all();
        let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
            (script.lock().unwrap_or_else(PoisonError::into_inner))(&mut request)
        }));
        let answer = played.unwrap_or_else(|claim| {
            let words = claim
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| claim.downcast_ref::<&str>().copied());
            lock(state).broken_claim.get_or_insert(words.unwrap_or("a panic").to_owned());
            Answer::Break
        });
        lock(state).played += 1;
        state.1.notify_all();
        if perform(&answer, request.is_read(), &mut writer, state).is_err() {
            return;
        }
        if !request.is_read() {
            return linger(&writer, request.reader);
        }
        reader = request.reader;
    }
}

/// Closes as a server does that has said enough: what still comes is read and thrown away, because
/// the kernel answers it with a reset otherwise, which can overtake the answer.
fn linger(writer: &TcpStream, mut reader: BufReader<TcpStream>) {
    // A client that has gone already needs no such care.
    let _ = writer.shutdown(Shutdown::Write);
    let _ = reader.get_ref().set_read_timeout(Some(PATIENCE));
    let _ = std::io::copy(&mut reader, &mut std::io::sink());
}

/// Time between two pieces of [`Answer::Drip`].
const PACE: std::time::Duration = std::time::Duration::from_millis(10);

/// An error ends the connection: the client went away, or the answer is to do so.
fn perform(
    answer: &Answer,
    keep: bool,
    writer: &mut TcpStream,
    state: &Shared,
) -> std::io::Result<()> {
    match answer {
        Answer::Send { status, content_type, headers, body } => {
            let mut head = format!(
                "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n",
                body.len()
            );
            for (name, value) in headers {
                head += &format!("{name}: {value}\r\n");
            }
            head += if keep { "\r\n" } else { "Connection: close\r\n\r\n" };
            writer.write_all(head.as_bytes())?;
            writer.write_all(body)
        }
        Answer::Slam { status, body } => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Scripted\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            // In one piece: the kernel holds a second one back until the first is acknowledged, and
            // throws it away when the connection is closed with bytes unread.
            writer.write_all(&[head.as_bytes(), body].concat())?;
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
        Answer::CutOff { body, missing } | Answer::Begin { body, missing } => {
            let length = body.len() + missing;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            );
            writer.write_all(head.as_bytes())?;
            writer.write_all(body)?;
            if matches!(answer, Answer::Begin { .. }) {
                drop(state.1.wait_while(lock(state), |state| !state.over));
            }
            Err(std::io::ErrorKind::UnexpectedEof.into())
        }
        Answer::Break => Err(std::io::ErrorKind::ConnectionAborted.into()),
        Answer::Stall => {
            let waiting = state.1.wait_while(lock(state), |state| !state.over);
            drop(waiting);
            Err(std::io::ErrorKind::TimedOut.into())
        }
        Answer::Drip { head, piece } => {
            writer.write_all(head)?;
            loop {
                writer.write_all(piece)?;
                let (over, _) = state
                    .1
                    .wait_timeout_while(lock(state), PACE, |state| !state.over)
                    .unwrap_or_else(PoisonError::into_inner);
                if over.over {
                    return Err(std::io::ErrorKind::TimedOut.into());
                }
            }
        }
        Answer::Held(barrier, answer) => {
            barrier.wait();
            perform(answer, keep, writer, state)
        }
    }
}
