//! Values that must not stand in a file or on a command line: `{ file = … }`, `{ env = … }` or
//! `{ command = … }` in place of a text, for any librdkafka property.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process};

use super::{Environment, SettingsError};
use crate::base::Deadline;

/// Where a secret comes from. It is read when a client that needs it is made, not before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SecretSource {
    /// An absolute path, or one that starts in the settings file's folder.
    File(PathBuf),
    Env(String),
    /// Runs in `folder`, that of the settings file.
    Command {
        line: String,
        folder: PathBuf,
    },
}

impl SecretSource {
    /// Parses a table `{ file | env | command = "…" }` of a settings file in `folder`.
    ///
    /// # Errors
    /// The form to write.
    pub fn parse(key: &str, table: &toml::Table, folder: &Path) -> Result<Self, String> {
        let mut entries = table.iter();
        let (Some((kind, toml::Value::String(text))), None) = (entries.next(), entries.next())
        else {
            return Err(format!(
                "{key} is no secret; write {{ file = \"…\" }}, {{ env = \"…\" }} or {{ command = \"…\" }}"
            ));
        };
        match kind.as_str() {
            "file" => Ok(Self::File(folder.join(text))),
            "env" => Ok(Self::Env(text.clone())),
            "command" => Ok(Self::Command { line: text.clone(), folder: folder.to_owned() }),
            _ => Err(format!("{key} has an unknown source; known are file, env and command")),
        }
    }

    /// Reads the secret; one trailing line break is cut.
    ///
    /// # Errors
    /// The source gives none, or its command runs past the deadline. The message does not show the
    /// command: it may hold a secret itself.
    pub fn read(
        &self,
        key: &str,
        environment: &Environment,
        deadline: Deadline,
    ) -> Result<String, SettingsError> {
        let fail = |place: String, reason: String| SettingsError::Secret {
            key: key.to_owned(),
            place,
            reason,
        };
        let text = match self {
            Self::File(path) => std::fs::read_to_string(path)
                .map_err(|error| fail(path.display().to_string(), error.to_string()))?,
            Self::Env(name) => environment
                .get(name)
                .map(str::to_owned)
                .ok_or_else(|| fail(format!("${name}"), "the variable is not set".into()))?,
            Self::Command { line, folder } => match run_command(line, folder, deadline) {
                Ok(Some(text)) => text,
                Ok(None) => return Err(SettingsError::SecretLate { key: key.to_owned() }),
                Err(reason) => return Err(fail("its command".to_owned(), reason)),
            },
        };
        let text = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        Ok(text.to_owned())
    }
}

/// Runs a line of the shell. Returns what it printed, or `None` if it did not end in time.
fn run_command(line: &str, folder: &Path, deadline: Deadline) -> Result<Option<String>, String> {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    if !folder.as_os_str().is_empty() {
        command.current_dir(folder);
    }
    let child = command.spawn().map_err(|error| error.to_string())?;
    let pid = Pid::from_child(&child);
    let (sender, ended) = mpsc::channel();
    // A process that the command left behind can hold its output open for ever.
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let ended = match deadline.remaining() {
        Some(left) => ended.recv_timeout(left).ok(),
        None => ended.recv().ok(),
    };
    let Some(output) = ended else {
        // It may have ended in this moment.
        let _ = kill_process(pid, Signal::KILL);
        return Ok(None);
    };
    let output = output.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map(Some).map_err(|_| "it did not print UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, folder: &Path) -> Result<SecretSource, String> {
        SecretSource::parse("k", &text.parse::<toml::Table>().unwrap(), folder)
    }

    #[test]
    fn a_secret_is_read_from_where_the_table_points() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("password"), "from file\r\n").unwrap();
        let environment = Environment::of([("PASSWORD", "from env")]);
        let read = |text: &str| {
            parse(text, folder.path()).unwrap().read("k", &environment, Deadline::NEVER)
        };
        assert_eq!(read("env = 'PASSWORD'").unwrap(), "from env");
        assert_eq!(read("command = 'echo from command'").unwrap(), "from command");
        assert_eq!(read("file = 'password'").unwrap(), "from file");
        assert_eq!(read("command = 'cat password'").unwrap(), "from file");
        for bad in ["env = 'MISSING'", "command = 'exit 3 # S3cret'", "file = 'missing'"] {
            let error = read(bad).unwrap_err().to_string();
            assert!(error.contains("secret k") && !error.contains("S3cret"), "{error}");
        }
    }

    #[test]
    fn a_command_is_not_waited_for_past_the_deadline() {
        let deadline = Deadline::after(std::time::Duration::from_millis(50));
        for line in ["sleep 600", "sleep 600 & echo early"] {
            let source = parse(&format!("command = '{line}'"), Path::new("")).unwrap();
            let error = source.read("k", &Environment::default(), deadline).unwrap_err();
            assert!(matches!(error, SettingsError::SecretLate { .. }), "{line}: {error}");
        }
    }

    #[test]
    fn a_table_that_names_no_source_is_refused() {
        for bad in ["other = 'x'", "", "env = 1", "env = 'A'\nfile = 'b'"] {
            assert!(parse(bad, Path::new("")).is_err(), "{bad}");
        }
    }
}
