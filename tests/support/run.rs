//! A program's run as a value: what it wrote on both streams and how it ended, and a running program
//! whose lines can be waited for. No wait is without an end, and each one that ends in vain shows
//! what was seen until then.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use super::PATIENCE;

/// A finished run. Its display is a snapshot of all there is to see.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a run whose outcome nobody looks at proves nothing"]
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    status: ExitStatus,
}

impl Outcome {
    /// The exit code; `None` for a program that a signal ended.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Passes the outcome on if the program ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "the exit code, of this run:\n{self}");
        self
    }

    /// For runs that only prepare something.
    #[track_caller]
    pub fn must_succeed(self) {
        drop(self.expect(0));
    }

    /// Standard output as text.
    #[track_caller]
    pub fn out(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output is not UTF-8")
    }

    /// Standard error as text.
    #[track_caller]
    pub fn err(&self) -> &str {
        std::str::from_utf8(&self.stderr).expect("standard error is not UTF-8")
    }

    /// The document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("standard output is no JSON, {error}:\n{self}"))
    }

    /// The objects on standard output, one a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let read = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON, {error}:\n{self}"))
        };
        self.out().lines().map(read).collect()
    }

    /// The error object on standard error.
    #[track_caller]
    pub fn error(&self) -> Value {
        let document: Value = serde_json::from_slice(&self.stderr)
            .unwrap_or_else(|error| panic!("standard error is no JSON, {error}:\n{self}"));
        document["error"].clone()
    }

    /// The snapshot with what differs from run to run replaced.
    pub fn shown_with(&self, replacements: &[(&str, &str)]) -> String {
        replacements.iter().fold(self.to_string(), |shown, (from, to)| shown.replace(from, to))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.stdout))?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", String::from_utf8_lossy(&self.stderr))?;
        }
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => writeln!(f, "--- exit {code}"),
            (None, signal) => writeln!(f, "--- killed by signal {}", signal.unwrap_or(0)),
        }
    }
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

/// One of a program's two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

#[derive(Default)]
struct Seen {
    out: Vec<u8>,
    err: Vec<u8>,
    closed: u8,
}

impl Seen {
    fn of(&self, stream: Stream) -> &Vec<u8> {
        match stream {
            Stream::Out => &self.out,
            Stream::Err => &self.err,
        }
    }
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

/// A test that failed while it looked leaves what was seen as it was.
fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program that runs beside the test; killed with all that it started when dropped.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    seen: Shared,
    shown: String,
}

impl Running {
    /// Without standard input.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        Self::start_with(command, Stdio::null())
    }

    /// With standard input that the test writes.
    #[track_caller]
    pub fn start_with_input(command: Command) -> Self {
        Self::start_with(command, Stdio::piped())
    }

    #[track_caller]
    fn start_with(mut command: Command, stdin: Stdio) -> Self {
        let shown = format!("{command:?}");
        command.stdin(stdin);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("failed to start {shown}: {error}"));
        let seen = Shared::default();
        collect(child.stdout.take().unwrap(), Stream::Out, &seen);
        collect(child.stderr.take().unwrap(), Stream::Err, &seen);
        let stdin = child.stdin.take();
        Self { child, stdin, seen, shown }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Writes to standard input; the program must be there to read it.
    #[track_caller]
    pub fn write(&mut self, text: &str) {
        self.stdin.as_mut().expect("started with input").write_all(text.as_bytes()).unwrap();
    }

    /// Waits until a text stands on standard output, in a line that may not be complete.
    #[track_caller]
    pub fn wait_for_text(&self, text: &str) {
        self.wait_until(&format!("{text:?}"), |seen| {
            String::from_utf8_lossy(&seen.out).contains(text).then_some(())
        });
    }

    /// Waits until one of the texts stands on standard output.
    #[track_caller]
    pub fn wait_until_any(&self, texts: &[String]) {
        self.wait_until(&format!("one of {texts:?}"), |seen| {
            let shown = String::from_utf8_lossy(&seen.out);
            texts.iter().any(|text| shown.contains(text)).then_some(())
        });
    }

    /// Waits until a line with this text stands on a stream, and gives the line.
    #[track_caller]
    pub fn wait_for(&self, stream: Stream, text: &str) -> String {
        let find = |seen: &Seen| {
            let shown = String::from_utf8_lossy(seen.of(stream)).into_owned();
            let complete = &shown[..shown.rfind('\n').map_or(0, |end| end + 1)];
            complete.lines().find(|line| line.contains(text)).map(str::to_owned)
        };
        self.wait_until(&format!("a line with {text:?}"), find)
    }

    #[track_caller]
    fn wait_until<T>(&self, what: &str, look: impl Fn(&Seen) -> Option<T>) -> T {
        let (seen, changed) = &*self.seen;
        let end = Instant::now() + PATIENCE;
        let mut seen = lock(seen);
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && seen.closed < 2,
                "waited in vain for {what} from {}; {}:\n{}--- stderr\n{}",
                self.shown,
                if seen.closed < 2 { "it still runs, and wrote" } else { "it ended, and wrote" },
                String::from_utf8_lossy(&seen.out),
                String::from_utf8_lossy(&seen.err)
            );
            seen = changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Sends a signal to the program itself.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Whether it has closed both of its streams.
    pub fn has_ended(&self) -> bool {
        lock(&self.seen.0).closed == 2
    }

    /// Closes standard input and waits for the end.
    #[track_caller]
    pub fn finish(mut self) -> Outcome {
        drop(self.stdin.take());
        {
            let (seen, changed) = &*self.seen;
            let (seen, waited) =
                changed.wait_timeout_while(lock(seen), PATIENCE, |seen| seen.closed < 2).unwrap();
            assert!(
                !waited.timed_out(),
                "{} did not end; it wrote:\n{}--- stderr\n{}",
                self.shown,
                String::from_utf8_lossy(&seen.out),
                String::from_utf8_lossy(&seen.err)
            );
        }
        let status = self.child.wait().unwrap();
        let mut seen = lock(&self.seen.0);
        Outcome {
            stdout: std::mem::take(&mut seen.out),
            stderr: std::mem::take(&mut seen.err),
            status,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Once waited for, the number may belong to somebody else.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

fn collect(mut from: impl Read + Send + 'static, stream: Stream, shared: &Shared) {
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).unwrap_or(0);
            let (seen, changed) = &*shared;
            let mut seen = lock(seen);
            match (read, stream) {
                (0, _) => seen.closed += 1,
                (read, Stream::Out) => seen.out.extend_from_slice(&buffer[..read]),
                (read, Stream::Err) => seen.err.extend_from_slice(&buffer[..read]),
            }
            changed.notify_all();
            if read == 0 {
                return;
            }
        }
    });
}
