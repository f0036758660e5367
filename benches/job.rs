//! One run of a program, or of a pipe of programs in a shell: how long it took, what it cost, and how
//! much came out.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::workshop::FOLDER;

/// What a program reads.
#[derive(Clone, Debug)]
enum Input {
    Nothing,
    File(PathBuf),
}

/// Where its output goes.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// `/dev/null`
    Null,
    /// A pipe that is read as fast as it fills.
    Pipe,
    /// A pipe whose reader looks away for so long after the first bytes.
    BlockedPipe(Duration),
}

/// A command line with its surroundings.
#[derive(Clone, Debug)]
pub struct Job {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    input: Input,
    output: Output,
}

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub wall: Duration,
    /// User and system time of the process and of those that it waited for.
    pub cpu: Duration,
    /// Largest resident set of any one of them.
    pub peak_bytes: u64,
    /// What came through the pipe, if there was one.
    pub lines: u64,
}

impl Job {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            input: Input::Nothing,
            output: Output::Null,
        }
    }

    /// A script for `sh`, which waits for all that it starts.
    pub fn shell(script: &str) -> Self {
        Self::new("sh").args(["-c", script])
    }

    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.variables.push((variable.to_owned(), value.to_owned()));
        self
    }

    pub fn reading(mut self, file: &Path) -> Self {
        self.input = Input::File(file.to_owned());
        self
    }

    pub fn into(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// Program and arguments as one would type them.
    pub fn typed(&self) -> String {
        let program = Path::new(&self.program).file_name().unwrap_or(&self.program);
        let words = std::iter::once(program).chain(self.arguments.iter().map(OsString::as_os_str));
        words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    /// The same with its streams, and without where this machine keeps the files of a run.
    pub fn shown(&self) -> String {
        let mut shown = vec![self.typed()];
        if let Input::File(path) = &self.input {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            shown.push(format!("< {name}"));
        }
        match self.output {
            Output::Null => shown.push("> /dev/null".to_owned()),
            Output::Pipe => shown.push("| (read)".to_owned()),
            Output::BlockedPipe(wait) => shown.push(format!("| (sleep {}; read)", wait.as_secs())),
        }
        shown.join(" ").replace(FOLDER, "$BENCH")
    }

    /// Runs it once. Anything but success is an error with what it said.
    pub fn run(&self) -> Result<Sample> {
        let talk = tempfile::tempfile()?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(self.variables.iter().map(|(k, v)| (k, v)));
        command.stdin(match &self.input {
            Input::Nothing => Stdio::null(),
            Input::File(path) => {
                File::open(path).with_context(|| format!("no {}", path.display()))?.into()
            }
        });
        command.stderr(talk.try_clone()?);
        command.stdout(if matches!(self.output, Output::Null) {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("failed: {}", self.shown()))?;
        let lines = self.drain(&mut child)?;
        let usage = reap(child.id())?;
        let wall = start.elapsed();
        if usage.status != 0 {
            bail!("{} ended with status {}: {}", self.shown(), usage.status, said(talk));
        }
        Ok(Sample { wall, cpu: usage.cpu, peak_bytes: usage.peak_bytes, lines })
    }

    /// Reads what the program writes, and counts its lines.
    fn drain(&self, child: &mut Child) -> Result<u64> {
        let Some(mut pipe) = child.stdout.take() else { return Ok(0) };
        let mut buffer = vec![0; 64 * 1024];
        let mut lines = 0;
        let mut look_away = match self.output {
            Output::BlockedPipe(wait) => Some(wait),
            Output::Null | Output::Pipe => None,
        };
        loop {
            let read = pipe.read(&mut buffer)?;
            if read == 0 {
                return Ok(lines);
            }
            lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
            if let Some(wait) = look_away.take() {
                // The subject of the measurement: a reader that does not read.
                std::thread::sleep(wait);
            }
        }
    }
}

fn said(mut file: File) -> String {
    use std::io::{Seek, SeekFrom};
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
    read.map_or_else(|error| error.to_string(), |_| text.trim().to_owned())
}

fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@+%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

struct Usage {
    status: i32,
    cpu: Duration,
    peak_bytes: u64,
}

/// Waits for a child and takes what the kernel counted for it. The caller must not wait again.
#[expect(unsafe_code, reason = "the standard library waits without telling what a child cost")]
fn reap(pid: u32) -> Result<Usage> {
    let pid = libc::pid_t::try_from(pid)?;
    let mut status = 0;
    // SAFETY: `rusage` is numbers only, for all of which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to locals that outlive the call.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } < 0 {
        let error = std::io::Error::last_os_error();
        ensure!(error.kind() == std::io::ErrorKind::Interrupted, "failed to wait: {error}");
    }
    let time = |value: libc::timeval| {
        Duration::from_secs(value.tv_sec.unsigned_abs())
            + Duration::from_micros(value.tv_usec.unsigned_abs())
    };
    Ok(Usage {
        status,
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_bytes: usage.ru_maxrss.unsigned_abs() * 1024,
    })
}
