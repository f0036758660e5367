//! A place for one test: a folder of its own, and an environment in which nothing can be seen of the
//! person or the machine that runs the tests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::run::{Outcome, Running};

/// The program under test.
pub const DWCTL: &str = env!("CARGO_BIN_EXE_dwctl");

/// Removed with all that is in it when dropped.
pub struct Environment {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Environment {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("dwctl-test-").tempdir().unwrap();
        for name in [".git", "home", "config", "data", "cache"] {
            // `.git` ends the search for a settings file, so that none above the folder is found.
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, variables: Vec::new() }
    }

    /// Sets a variable for every program that is started from here.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file below the folder and says where it is.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes a project file that its user trusts.
    #[track_caller]
    pub fn write_trusted(&self, text: &str) -> PathBuf {
        let path = self.write(".dwctl.toml", text);
        self.run(["config", "trust"]).must_succeed();
        path
    }

    /// A program in the folder, with an environment made from nothing but the search path.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TZ", "UTC").env("LANG", "C.UTF-8");
        command.env("HOME", self.path("home"));
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command.env("XDG_DATA_HOME", self.path("data"));
        command.env("XDG_CACHE_HOME", self.path("cache"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `dwctl` with arguments, not started.
    pub fn dwctl<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(DWCTL);
        command.args(arguments);
        command
    }

    /// `dwctl` from start to end, without standard input.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Outcome {
        self.start(arguments).finish()
    }

    /// `dwctl` running beside the test.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Running {
        Running::start(self.dwctl(arguments))
    }

    /// A script for a shell that fails when any part of a pipe does; `$DWCTL` is the program.
    pub fn bash(&self, script: &str) -> Running {
        let mut command = self.command("bash");
        command.args(["-euo", "pipefail", "-c", script]).env("DWCTL", DWCTL);
        Running::start(command)
    }
}
