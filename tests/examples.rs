//! The examples and the README's commands, so that none of them shows what no longer works.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::environment::{DWCTL, Environment};
use crate::support::peers;
use crate::support::run::Running;
use crate::support::stack::Stack;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap()
}

#[test]
fn the_walk_through_script_runs_to_its_end() {
    if !peers::has("curl") {
        return;
    }
    let environment = Environment::new();
    let mut command = environment.command("bash");
    command.current_dir("/").arg(repository("examples/walkthrough.sh")).env("DWCTL", DWCTL);
    let outcome = Running::start(command).finish().expect(0);
    for line in ["AutoML Message received", "  Key=user123_test-model-1", "Bias Message received"] {
        assert_eq!(outcome.out().lines().filter(|shown| *shown == line).count(), 2, "{outcome}");
    }
}

#[test]
fn the_python_example_uploads() {
    let Some(python) = peers::python() else { return };
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let mut command = stack.environment.command(python);
    command.arg(repository("examples/upload.py")).arg("model.pt");
    command.env("DWCTL_API_URL", &stack.api_url);
    let outcome = Running::start(command).finish().expect(0);
    assert_eq!(outcome.out(), "63f4f1e9b725370f459720575cd5f953\n");
}

#[test]
fn the_settings_example_is_read_without_a_warning() {
    let environment = Environment::new()
        .set("DWCTL_CONFIG", repository("examples/dwctl.toml").to_str().unwrap())
        .set("STAGING_KAFKA_PASSWORD", "secret");
    for profile in ["local", "staging"] {
        let outcome = environment.run(["config", "show", "--profile", profile]).expect(0);
        assert_eq!(outcome.err(), "", "{profile}");
    }
}

#[test]
fn each_event_example_is_named_after_its_type() {
    let mut count = 0;
    for entry in std::fs::read_dir(repository("examples/events")).unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(name.strip_suffix(".failed").unwrap_or(name), event["event_type"], "{event}");
        count += 1;
    }
    assert!(count > 0);
}

/// The commands of ours in a text: lines that begin with the program's name, behind what a list item
/// of YAML puts before them, up to what their shell does with their output.
fn commands(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.trim().trim_start_matches("- ").trim_start_matches("run: "))
        .filter(|line| line.starts_with("dwctl "))
        .map(|line| line.split([';', '|', '>', '&']).next().unwrap().trim().to_owned())
        .collect()
}

#[test]
fn every_command_that_is_shown_has_flags_that_exist() {
    // What the services that run the jobs set.
    let environment = ["RUNNER_TEMP", "GITHUB_RUN_ID", "CI_PIPELINE_ID"]
        .into_iter()
        .fold(Environment::new(), |environment, name| environment.set(name, "7"));
    let mut shown = Vec::new();
    for path in ["README.md", "examples/ci/github-actions.yml", "examples/ci/gitlab-ci.yml"] {
        let found = commands(&read(path));
        assert!(!found.is_empty(), "no command in {path}");
        shown.extend(found);
    }
    for command in shown {
        // Whatever stands before it is parsed first, and refused if it does not exist.
        let script = format!("$DWCTL {} --help", command.strip_prefix("dwctl ").unwrap());
        let outcome = environment.bash(&script).finish();
        assert!(outcome.err().is_empty(), "{command}: {outcome}");
    }
}
