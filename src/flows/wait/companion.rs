//! The command that is run while its event is waited for.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::base::{Deadline, Failure, Kind, Shutdown};

/// How late the end of the command may be noticed once nothing else is waited for.
const SLICE: Duration = Duration::from_millis(5);

/// A running command. It ends with its owner: who stops waiting stops it.
#[derive(Debug)]
pub(super) struct Companion {
    name: String,
    child: Child,
    status: Option<ExitStatus>,
}

impl Companion {
    /// Starts it. Its output goes to standard error, because standard output holds the event.
    ///
    /// # Errors
    /// There is no such command, or it cannot be run.
    pub fn start(words: &[OsString]) -> Result<Option<Self>, Failure> {
        let Some((program, arguments)) = words.split_first() else { return Ok(None) };
        let name = program.to_string_lossy().into_owned();
        let refused = |error: std::io::Error| {
            Failure::wrap(Kind::Usage, error).context(format!("failed to run {name}"))
        };
        let talk = std::io::stderr().as_fd().try_clone_to_owned().map_err(refused)?;
        let child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::from(talk))
            .spawn()
            .map_err(refused)?;
        Ok(Some(Self { name, child, status: None }))
    }

    /// Whether it has ended well; `false` while it runs.
    ///
    /// # Errors
    /// It has failed.
    pub fn has_ended(&mut self) -> Result<bool, Failure> {
        if self.status.is_none() {
            self.status = self.child.try_wait().map_err(|error| {
                Failure::wrap(Kind::Internal, error)
                    .context(format!("failed to learn how {} ended", self.name))
            })?;
        }
        match self.status {
            None => Ok(false),
            Some(status) if status.success() => Ok(true),
            Some(status) => Err(self.failed(status)),
        }
    }

    fn failed(&self, status: ExitStatus) -> Failure {
        let name = &self.name;
        match status.code() {
            Some(code) => {
                Failure::new(Kind::CheckFailed, format!("{name} failed with exit code {code}"))
                    .fact("command_exit", i64::from(code))
            }
            None => Failure::new(Kind::CheckFailed, format!("{name} was ended: {status}")),
        }
    }

    /// Waits for its end once the event is there.
    ///
    /// # Errors
    /// It fails, or it still runs at the deadline.
    pub fn finish(&mut self, shutdown: &Shutdown, deadline: Deadline) -> Result<(), Failure> {
        while !self.has_ended()? {
            if shutdown.is_requested() {
                return Ok(());
            }
            if deadline.has_passed() {
                let message =
                    format!("the event came, but {} still runs at the deadline", self.name);
                return Err(Failure::new(Kind::Deadline, message));
            }
            std::thread::sleep(deadline.slice(SLICE));
        }
        Ok(())
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended since.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}
