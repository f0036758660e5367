//! The matrix of exit codes: every command that talks to the API or to brokers against every kind of
//! failure, on the real binary. Each cell has its code, names what failed, says what to do next, and
//! ends by itself long before its own `--timeout`, which would give another code.

mod api;
mod brokers;
mod doors;
mod ends;

use serde_json::Value;

use crate::support::run::Outcome;

/// A bound on each run, far above what a failure may take: a run that needs it ends with the code of
/// a deadline, which no cell but those of a silent peer asks for.
const BOUND: [&str; 2] = ["--timeout", "20s"];

/// What is wrong with a cell; `None` where it is as it should be. The run was asked for JSON.
fn complaint(outcome: &Outcome, codes: &[u8], words: &[&str]) -> Option<String> {
    let Some(code) = outcome.code() else { return Some("ended by a signal".to_owned()) };
    if !codes.iter().any(|wanted| i32::from(*wanted) == code) {
        return Some(format!("code {code}, not {codes:?}"));
    }
    let Some(error) = last_error(outcome) else { return Some("no error object".to_owned()) };
    let message = error["message"].as_str().unwrap_or_default();
    if error["code"] != code {
        return Some(format!("the object's code is {}, the process's {code}", error["code"]));
    }
    let all = error.to_string();
    if let Some(missing) = words.iter().find(|word| !all.contains(**word)) {
        return Some(format!("{missing:?} is not named"));
    }
    if message.is_empty() || message.ends_with('.') || message.contains('\n') {
        return Some(format!("the message is no line: {message:?}"));
    }
    let hints = error["hints"].as_array().map_or(0, Vec::len);
    (hints == 0).then(|| "no next step".to_owned())
}

/// The error object, which is the last line of standard error.
fn last_error(outcome: &Outcome) -> Option<Value> {
    let line = outcome.err().lines().last()?;
    let document: Value = serde_json::from_str(line).ok()?;
    document.get("error").cloned()
}

/// Collects what is wrong with all cells, so that one run shows the whole matrix.
#[derive(Default)]
struct Complaints {
    cells: usize,
    found: Vec<String>,
}

impl Complaints {
    fn check(&mut self, cell: &str, outcome: &Outcome, codes: &[u8], words: &[&str]) {
        self.cells += 1;
        if let Some(complaint) = complaint(outcome, codes, words) {
            self.found.push(format!("{cell}: {complaint}\n{outcome}"));
        }
    }

    fn add(&mut self, other: Self) {
        self.cells += other.cells;
        self.found.extend(other.found);
    }

    #[track_caller]
    fn conclude(self, at_least: usize) {
        let Self { cells, found } = self;
        assert!(found.is_empty(), "{} of {cells} cells:\n{}", found.len(), found.join("\n"));
        assert!(cells >= at_least, "only {cells} cells");
    }
}
