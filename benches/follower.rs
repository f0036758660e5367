//! A program that follows a topic, and the moment at which each of its lines came.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Killed when dropped.
pub struct Follower {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Follower {
    pub fn start(command: &[&str]) -> Result<Self> {
        let (program, arguments) = command.split_first().context("no command")?;
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let (seen, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if seen.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// Sends until the follower shows something: then it is where it should be.
    pub fn settle(&self, mut send: impl FnMut() -> Result<()>) -> Result<()> {
        for _ in 0..100 {
            send()?;
            if self.lines.recv_timeout(Duration::from_millis(100)).is_ok() {
                return Ok(());
            }
        }
        bail!("the follower shows nothing")
    }

    /// The moment at which a line with this text came.
    pub fn moment_of(&self, text: &str) -> Result<Instant> {
        loop {
            let (at, line) = self.lines.recv_timeout(Duration::from_secs(10))?;
            if line.contains(text) {
                return Ok(at);
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
