//! Other people's clients: kcat, curl, and Python with the libraries that the warehouse's users have.
//! Where one is not there, its tests are skipped, by name.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::skip::{is_installed, skip};

const REQUIRED: &str = "DWCTL_REQUIRE_PEERS";
const PYTHON_LIBRARIES: [&str; 2] = ["aiokafka==0.14.0", "requests==2.34.2"];

/// Whether a program is there; skips the test where it is not.
#[track_caller]
pub fn has(program: &str) -> bool {
    let installed = is_installed(program);
    if !installed {
        skip(REQUIRED, &format!("{program} is not installed"));
    }
    installed
}

/// A Python with `requests` and `aiokafka`, in an environment made once under the target folder.
#[track_caller]
pub fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PYTHON.get_or_init(make_python) {
        Ok(python) => Some(python.clone()),
        Err(reason) => {
            skip(REQUIRED, reason);
            None
        }
    }
}

/// The Python of an environment of this name with these libraries.
#[track_caller]
pub fn python_and(name: &str, libraries: &[&str]) -> Option<PathBuf> {
    match python_with(name, libraries) {
        Ok(python) => Some(python),
        Err(reason) => {
            skip(REQUIRED, &reason);
            None
        }
    }
}

fn make_python() -> Result<PathBuf, String> {
    python_with("python", &PYTHON_LIBRARIES)
}

/// The Python of an environment of this name that has exactly these libraries.
pub fn python_with(name: &str, libraries: &[&str]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let (python, complete) = (folder.join("venv/bin/python"), folder.join("complete"));
    let wanted = libraries.join("\n");
    if std::fs::read_to_string(&complete).is_ok_and(|known| known == wanted) {
        return Ok(python);
    }
    complete_run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv")))?;
    complete_run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(libraries),
    )?;
    std::fs::write(&complete, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn complete_run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{shown} did not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{shown} failed: {}", said.lines().last().unwrap_or("it said nothing")))
}
