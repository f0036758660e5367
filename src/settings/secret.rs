//! Values that must not stand in a file or on a command line: `{ file = … }`, `{ env = … }` or
//! `{ command = … }` in place of a text, for any librdkafka property.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Environment, SettingsError};

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
    /// Says how to write it.
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
    /// The source gives none. The message does not show the command: it may hold a secret itself.
    pub fn read(&self, key: &str, environment: &Environment) -> Result<String, SettingsError> {
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
            Self::Command { line, folder } => {
                run(line, folder).map_err(|reason| fail("its command".to_owned(), reason))?
            }
        };
        let text = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        Ok(text.to_owned())
    }
}

fn run(line: &str, folder: &Path) -> Result<String, String> {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    if !folder.as_os_str().is_empty() {
        command.current_dir(folder);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("it ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| "it did not print UTF-8".to_owned())
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
        let read = |text: &str| parse(text, folder.path()).unwrap().read("k", &environment);
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
    fn a_table_that_names_no_source_is_refused() {
        for bad in ["other = 'x'", "", "env = 1", "env = 'A'\nfile = 'b'"] {
            assert!(parse(bad, Path::new("")).is_err(), "{bad}");
        }
    }
}
