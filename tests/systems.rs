//! Commands that act on two systems: one that is named elsewhere, and one that is only the local
//! default, belong to different people.

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

const API: (&str, &str) = ("API_BASE", "http://warehouse.example:8000");
const BROKERS: (&str, &str) = ("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092");

fn run(set: &[(&str, &str)], command: &[&str]) -> Outcome {
    let environment = set
        .iter()
        .fold(Environment::new(), |environment, (name, value)| environment.set(name, value));
    environment.write("model.bin", "bytes");
    environment.set("DWCTL_TIMEOUT", "1s").run(command)
}

const FORWARD: &[&str] = &["forward", "--idle", "1s"];
const SMOKE: &[&str] = &["smoke"];
const UPLOAD: &[&str] = &[
    "upload",
    "model.bin",
    "--user-id",
    "u",
    "--model-id",
    "m",
    "--framework",
    "other",
    "--model-type",
    "other",
    "--wait-event=1s",
    "--retries",
    "0",
];
const DELETE: &[&str] = &["models", "delete", "u/m@v1", "--yes"];
const UPDATE: &[&str] = &["models", "update", "u/m@v1", "--description", "d"];
const GROUP: &[&str] = &["tail", "t", "--group", "g"];
const SEND: &[&str] = &[
    "send",
    "automl-trigger",
    "--dataset-id",
    "d",
    "--user-id",
    "u",
    "--target-column-name",
    "t",
    "--task-type",
    "classification",
    "--dialect",
    "flat",
];
const RAW: &[&str] = &["send", "raw", "t"];
const CREATE: &[&str] = &["topics", "t", "--create"];
const ALTER: &[&str] = &["topics", "t", "--alter", "--partitions", "3"];

#[track_caller]
fn assert_refused(outcome: Outcome, missing: &str) {
    let outcome = outcome.expect(2);
    assert!(outcome.err().contains(missing), "{outcome}");
    assert!(outcome.err().contains("hint: name the "), "{outcome}");
}

#[test]
fn what_commits_deletes_or_triggers_refuses_a_forgotten_system() {
    const NO_BROKERS: &str = "the brokers are only the default 127.0.0.1:9092, but the API is at http://warehouse.example:8000 (from $API_BASE)";
    const NO_API: &str = "the API is only the default http://127.0.0.1:8000, but the brokers are at kafka.example:9092 (from $KAFKA_BOOTSTRAP_SERVERS)";
    for command in [FORWARD, SMOKE, UPLOAD, GROUP, SEND, RAW, CREATE, ALTER] {
        assert_refused(run(&[API], command), NO_BROKERS);
    }
    for command in [FORWARD, SMOKE, UPLOAD, DELETE, UPDATE] {
        assert_refused(run(&[BROKERS], command), NO_API);
    }
}

#[test]
fn it_does_not_matter_where_the_other_system_was_named() {
    let flag = ["-u", "http://warehouse.example"];
    for command in [FORWARD, SMOKE, GROUP] {
        assert_refused(run(&[], &[command, &flag].concat()), "(from --api-url)");
        let variable = [("DWCTL_API_URL", "https://warehouse.example/autodw")];
        assert_refused(run(&variable, command), "(from $DWCTL_API_URL)");
    }
    let property = ["-X", "bootstrap.servers=kafka.example:9092"];
    assert_refused(run(&[], &[FORWARD, &property].concat()), "(from -X)");
    let file = Environment::new();
    file.write("config/dwctl/config.toml", "brokers = 'kafka.example'\n");
    assert_refused(file.run(FORWARD), "config.toml)");
}

#[test]
fn two_systems_that_are_both_named_are_used() {
    for set in [
        &[("API_BASE", "http://127.0.0.1:1"), ("KAFKA_BOOTSTRAP_SERVERS", DEAD)][..],
        &[("API_BASE", "http://localhost:1"), ("KAFKA_BOOTSTRAP_SERVERS", "localhost:1")],
        &[("KAFKA_BOOTSTRAP_SERVERS", DEAD), ("API_BASE", "http://warehouse.invalid")],
    ] {
        for command in [FORWARD, SMOKE, DELETE, GROUP] {
            let outcome = run(set, command);
            assert!(!outcome.err().contains("only the default"), "{set:?} {command:?}: {outcome}");
        }
    }
}

#[test]
fn what_only_reads_says_so_and_what_sends_nothing_says_nothing() {
    let note = "note: the brokers are only the default 127.0.0.1:9092";
    for command in [&["topics"][..], &["lag", "g"], &["tail", "t"], &["wait", "t"]] {
        let outcome = run(&[API], command);
        assert!(outcome.err().contains(note) && outcome.code() != Some(2), "{outcome}");
    }
    let outcome = run(&[BROKERS], &["models", "list", "--user-id", "u"]);
    assert!(outcome.err().contains("note: the API is only the default"), "{outcome}");
    for command in [&[SEND, &["--dry-run"]].concat()[..], &["config", "show"], &["help"]] {
        let outcome = run(&[API], command).expect(0);
        assert!(!outcome.err().contains("only the default"), "{outcome}");
    }
}

#[test]
fn the_services_own_variable_names_the_api() {
    for suffix in ["", "/", "/autodw", "/autodw/"] {
        let prefix = suffix.trim_end_matches('/');
        let api = ScriptedApi::start(move |request| {
            assert!(request.path.starts_with(&format!("{prefix}/ai-models/")), "{}", request.path);
            Answer::json(200, "[]")
        });
        let environment = Environment::new().set("API_BASE", &format!("{}{suffix}", api.url()));
        let outcome = environment.run(["models", "list", "--user-id", "u"]).expect(0);
        assert!(api.calls() > 0, "{outcome}");
    }
    let both = Environment::new()
        .set("API_BASE", "http://base.example")
        .set("DWCTL_API_URL", "http://ours.example");
    let document = both.run(["config", "show", "-o", "json"]).expect(0).json();
    let first = &document["settings"][0];
    assert_eq!(first["value"], "http://ours.example", "{first}");
    let bad = Environment::new().set("API_BASE", "localhost:8000");
    let outcome = bad.run(["models", "list", "--user-id", "u"]).expect(2);
    assert!(outcome.err().contains("failed to use api-url from $API_BASE"), "{outcome}");
}

#[test]
fn the_doctor_lists_what_is_not_read_and_names_a_forgotten_system() {
    let stack = Stack::start();
    let set = [
        ("KAFKA_CLIENT_ID", "data-warehouse-api"),
        ("KAFKA_BIAS_TRIGGER_CONSUMER_GROUP", "g"),
        ("ROOT_PATH", "/autodw"),
        ("API_BASE_URL", "http://x"),
        ("API_BASE", stack.api_url.as_str()),
        ("KAFKA_BOOTSTRAP_SERVERS", stack.brokers.as_str()),
    ];
    let outcome = run(&set, &["doctor", "--timeout", "60s"]);
    for name in ["KAFKA_CLIENT_ID", "KAFKA_BIAS_TRIGGER_CONSUMER_GROUP", "ROOT_PATH"] {
        let line = format!("{name}: is read by the service's own programs, not by dwctl");
        assert!(outcome.out().contains(&line), "{outcome}");
    }
    assert!(outcome.out().contains("API_BASE is read: was that meant?"), "{outcome}");
    let outcome = run(&[API], &["doctor"]);
    assert!(outcome.out().contains("the brokers are only the default"), "{outcome}");
    let outcome = run(&[BROKERS], &["doctor"]);
    assert!(outcome.out().contains("the API is only the default"), "{outcome}");
}
