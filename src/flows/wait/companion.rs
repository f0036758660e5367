//! The command that is run while its event is waited for. It ends with its owner, and so does
//! whatever it started and left behind.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

use super::descendants::{ProcessFacts, Processes, adopt_orphans, own_group};
use crate::base::{Deadline, Failure, Kind, Shutdown};

/// How late the end of the command may be noticed once nothing else is waited for.
const SLICE: Duration = Duration::from_millis(5);
/// How long processes may take to end by SIGTERM before they are killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long killed processes may take to be gone; one in a read of a dead disk never is.
const DEATH: Duration = Duration::from_secs(1);

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Code(i32),
    Signal(i32),
}

/// A running command. Unless it is released it is ended when dropped, with all that it started.
#[derive(Debug)]
pub(super) struct Companion {
    name: String,
    child: Child,
    pid: Pid,
    /// Whether it leads a process group of its own.
    leads_group: bool,
    is_released: bool,
    /// What it was seen to have started. One that makes a session of its own and loses its parent
    /// while the command is ended is known from before.
    started: BTreeSet<ProcessFacts>,
}

impl Companion {
    /// Starts it. Its output goes to standard error, because standard output holds the event. At a
    /// terminal it stays in the foreground with its owner, so that it may ask there and Ctrl-C reaches
    /// both; elsewhere it gets a process group of its own.
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
        let leads_group = !is_in_foreground();
        adopt_orphans();
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::from(talk));
        if leads_group {
            command.process_group(0);
        }
        let child = command.spawn().map_err(refused)?;
        let pid = Pid::from_child(&child);
        let started = BTreeSet::new();
        Ok(Some(Self { name, child, pid, leads_group, is_released: false, started }))
    }

    /// Whether it has ended well; `false` while it runs.
    ///
    /// # Errors
    /// It has failed.
    pub fn has_ended(&mut self) -> Result<bool, Failure> {
        match self.ended()? {
            None => Ok(false),
            Some(Ended::Code(0)) => Ok(true),
            Some(ended) => Err(self.failed(ended)),
        }
    }

    /// How it ended. It is not waited for: until it is dropped its number belongs to nobody else.
    fn ended(&self) -> Result<Option<Ended>, Failure> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.pid), options).map_err(|error| {
            Failure::wrap(Kind::Internal, std::io::Error::from(error))
                .context(format!("failed to learn how {} ended", self.name))
        })?;
        Ok(status.map(|status| match status.exit_status() {
            Some(code) => Ended::Code(code),
            None => Ended::Signal(status.terminating_signal().unwrap_or_default()),
        }))
    }

    fn failed(&self, ended: Ended) -> Failure {
        let name = &self.name;
        match ended {
            Ended::Code(code) => {
                Failure::new(Kind::CheckFailed, format!("{name} failed with exit code {code}"))
                    .fact("command_exit", i64::from(code))
            }
            Ended::Signal(signal) => {
                Failure::new(Kind::CheckFailed, format!("{name} was ended by signal {signal}"))
            }
        }
    }

    /// Waits for its end once the event is there, and releases what it leaves running.
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
        self.is_released = true;
        Ok(())
    }

    /// What of it still runs; `None` where the system does not tell.
    fn running(&mut self) -> Option<Vec<Pid>> {
        let processes = Processes::read()?;
        self.started.extend(processes.started_by(self.pid));
        let running = self.started.iter().filter(|seen| processes.has(seen));
        Some(running.filter_map(ProcessFacts::pid).collect())
    }

    fn is_running(&mut self) -> bool {
        match self.running() {
            Some(running) => !running.is_empty(),
            None => matches!(self.ended(), Ok(None)),
        }
    }

    /// Sends a signal to all that runs of it. What has ended meanwhile needs none.
    fn signal(&mut self, signal: Signal) {
        // Before the group is told: those whose parents end by it are known then.
        let running = self.running().unwrap_or_else(|| vec![self.pid]);
        if self.leads_group {
            let _ = kill_process_group(self.pid, signal);
        }
        for pid in running {
            let _ = kill_process(pid, signal);
        }
    }

    fn end(&mut self) {
        self.signal(Signal::TERM);
        // One that is stopped takes nothing else.
        self.signal(Signal::CONT);
        if self.runs_past(Deadline::after(GRACE)) {
            let death = Deadline::after(DEATH);
            while self.is_running() && !death.has_passed() {
                self.signal(Signal::KILL);
                std::thread::sleep(SLICE);
            }
        }
    }

    fn runs_past(&mut self, deadline: Deadline) -> bool {
        while self.is_running() {
            if deadline.has_passed() {
                return true;
            }
            std::thread::sleep(SLICE);
        }
        false
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if !self.is_released && self.is_running() {
            self.end();
        }
        // It has ended, or cannot be ended.
        let _ = self.child.try_wait();
    }
}

/// Whether this process is of the foreground of its terminal; false without one.
fn is_in_foreground() -> bool {
    let flags =
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let terminal = rustix::fs::open("/dev/tty", flags, rustix::fs::Mode::empty());
    let foreground = terminal.and_then(rustix::termios::tcgetpgrp);
    foreground.is_ok_and(|group| group.as_raw_nonzero().get() == own_group())
}
