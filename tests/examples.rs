//! What lies in `examples/` works: the walk-through runs, the settings resolve, the events are the
//! wire's, and every command line in the CI scripts is one that the program takes.

use std::path::{Path, PathBuf};

use clap::Parser;
use dwctl::cli::Cli;
use dwctl::schema::events::{
    AutomlOutput, BiasOutput, BiasReported, Envelope, Event, ModelUploaded, XaiTrigger,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::shell_lines::dwctl_commands;
use crate::support::broken_broker::DEAD;
use crate::support::environment::{DWCTL, Environment};
use crate::support::peers;
use crate::support::run::Running;
use crate::support::stack::Stack;

fn example(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(example(name)).unwrap()
}

#[test]
fn the_walkthrough_uploads_announces_and_reads_back() {
    if !peers::has("curl") {
        return;
    }
    let environment = Environment::new().set("DWCTL", DWCTL);
    let mut script = environment.command("bash");
    script.current_dir("/").arg(example("walkthrough.sh"));
    let outcome = Running::start(script).finish().expect(0);
    let shown = outcome.out();
    for (index, version) in ["v1", "v2"].into_iter().enumerate() {
        let head = format!(
            "AutoML Message received\n  Partition=0 Offset={index}\n  Key=user123_test-model-1\n  Event={{\n    \"event_type\": \"model.uploaded\",\n"
        );
        assert!(shown.contains(&head), "{outcome}");
        assert!(shown.contains(&format!("    \"version\": \"{version}\",\n")), "{outcome}");
    }
    for (index, dataset) in ["dataset123", "dataset456"].into_iter().enumerate() {
        let head = format!(
            "Bias Message received\n  Partition=0 Offset={index}\n  Key={dataset}\n  Event={{\n    \"event_type\": \"bias.reported\",\n"
        );
        assert!(shown.contains(&head), "{outcome}");
    }
    assert!(shown.contains("\nbias-events[0]@1\n"), "what send prints: {outcome}");
    assert!(shown.contains("\nuser123/test-model-1@v2\n"), "what upload prints: {outcome}");
}

#[test]
fn the_python_example_uploads() {
    let Some(python) = peers::python() else { return };
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let mut command = stack.environment.command(python);
    command.arg(example("upload.py")).arg("model.pt");
    command.env("DWCTL_API_URL", &stack.api_url);
    let outcome = Running::start(command).finish().expect(0);
    assert_eq!(outcome.out(), "63f4f1e9b725370f459720575cd5f953\n");
}

fn config(profile: &[&str]) -> Value {
    let environment = Environment::new()
        .set("DWCTL_CONFIG", example("dwctl.toml").to_str().unwrap())
        .set("STAGING_KAFKA_PASSWORD", "hidden");
    let shown = environment.run([&["config", "show", "-o", "json"], profile].concat()).expect(0);
    assert_eq!(shown.err(), "", "every key of the example is known");
    assert!(!shown.out().contains("hidden"), "{shown}");
    shown.json()
}

fn setting<'a>(config: &'a Value, key: &str) -> (&'a str, &'a str) {
    let found = config["settings"].as_array().unwrap().iter().find(|row| row["key"] == key);
    let row = found.unwrap_or_else(|| panic!("no {key} in {config:#}"));
    (row["value"].as_str().unwrap(), row["origin"].as_str().unwrap())
}

#[test]
fn the_settings_file_gives_the_local_stack_where_no_profile_is_named() {
    let local = config(&[]);
    assert_eq!(local["profile"], "local");
    assert_eq!(setting(&local, "brokers"), ("127.0.0.1:9092", "profile local"));
    assert_eq!(setting(&local, "user-id").0, "user123");
}

#[test]
fn the_settings_files_other_profile_brings_topics_and_properties() {
    let staging = config(&["--profile", "staging"]);
    assert_eq!(setting(&staging, "dialect"), ("flat", "profile staging"));
    assert_eq!(setting(&staging, "topics.automl").0, "staging-automl-events");
    assert_eq!(setting(&staging, "kafka.security.protocol").0, "SASL_SSL");
    assert_eq!(setting(&staging, "kafka.sasl.password").0, "***");
}

/// Reads an event as its type and writes it again: the same JSON, in the same order.
fn assert_is<E: Event + DeserializeOwned>(name: &str, key: &str) {
    let text = text(&format!("events/{name}"));
    let event: E = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let as_received: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(event.to_json().unwrap(), as_received.to_string(), "{name}");
    assert_eq!(as_received["event_type"], E::EVENT_TYPE, "{name}");
    assert_eq!(event.key(), key, "{name}");
}

#[test]
fn the_events_are_those_of_the_wire() {
    assert_is::<ModelUploaded>("model.uploaded.json", "user123_test-model-1");
    assert_is::<BiasReported>("bias.reported.json", "dataset123");
    assert_is::<XaiTrigger>("xai.trigger.json", "user123_test-model-1");
    assert_is::<Envelope<AutomlOutput>>("automl-complete.json", "T-1");
    assert_is::<Envelope<BiasOutput>>("bias-detection-complete.failed.json", "T-2");
    assert_eq!(std::fs::read_dir(example("events")).unwrap().count(), 5, "one is not looked at");
}

#[track_caller]
fn assert_accepted(name: &str, commands: &[Vec<String>], count: usize) {
    assert_eq!(commands.len(), count, "{commands:?}");
    for words in commands {
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{name}: {words:?}\n{error}");
        }
        // What `wait` runs is a command of ours again.
        if let Some(place) = words.iter().position(|word| word == "--") {
            Cli::try_parse_from(&words[place + 1..]).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

#[test]
fn the_commands_of_the_ci_scripts_are_accepted() {
    for name in ["ci/github-actions.yml", "ci/gitlab-ci.yml"] {
        assert_accepted(name, &dwctl_commands(&text(name)), 3);
    }
}

#[test]
fn the_commands_of_the_crontab_are_accepted() {
    let crontab = text("dwctl.cron");
    let is_entry = |line: &&str| line.starts_with('*');
    let commands: Vec<Vec<String>> = crontab
        .lines()
        .filter(is_entry)
        .flat_map(|line| {
            // The sixth field of a crontab's line, with all that follows, is what the shell gets.
            let after =
                |text: &str| text.trim_start().split_once(' ').map(|(_, rest)| rest.to_owned());
            let command = (0..5).try_fold(line.to_owned(), |rest, _| after(&rest));
            dwctl_commands(&command.expect("fewer than six fields"))
        })
        .collect();
    assert_accepted("dwctl.cron", &commands, 2);
}

#[test]
fn the_targets_of_the_makefile_prove_a_stack_and_publish_a_model() {
    if !peers::has("make") {
        return;
    }
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let make = |target: &str, api_url: &str| {
        let mut command = stack.environment.command("make");
        command.args(["-f", example("dwctl.mk").to_str().unwrap(), target]).env("DWCTL", DWCTL);
        command.env("DWCTL_API_URL", api_url).env("KAFKA_BOOTSTRAP_SERVERS", &stack.brokers);
        Running::start(command).finish()
    };
    make("smoke", &stack.api_url).must_succeed();
    let junit = std::fs::read_to_string(stack.environment.path("smoke.xml")).unwrap();
    assert!(junit.contains("<testsuite"), "{junit}");
    let published = make("publish", &stack.api_url).expect(0);
    assert!(published.out().contains("\"model_id\": \"nightly\""), "{published}");
    // make's own code for a target that failed.
    drop(make("smoke", &format!("http://{DEAD}")).expect(2));
}

#[test]
fn the_compose_file_sends_each_client_to_an_address_that_it_can_reach() {
    let compose = text("docker-compose.yml");
    let value = |name: &str| {
        let found = compose.lines().find_map(|line| line.trim().strip_prefix(name));
        found.unwrap_or_else(|| panic!("no {name}")).trim_matches([' ', '"', ':']).to_owned()
    };
    let service = compose.lines().skip_while(|line| *line != "services:").nth(1).unwrap().trim();
    let listeners = value("KAFKA_LISTENERS");
    for (listener, host) in [("HOST", "localhost:9092"), ("CONTAINERS", "kafka:19092")] {
        let port = host.split_once(':').unwrap().1;
        assert!(listeners.contains(&format!("{listener}://:{port}")), "{listeners}");
        let advertised = value("KAFKA_ADVERTISED_LISTENERS");
        assert!(advertised.contains(&format!("{listener}://{host}")), "{advertised}");
        let protocols = value("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP");
        assert!(protocols.contains(&format!("{listener}:PLAINTEXT")), "{protocols}");
    }
    assert_eq!(service, "kafka:", "containers know it by the name of its service");
    assert_eq!(value("- \"127.0.0.1"), "9092:9092", "the port that the host's listener names");
}
