//! Settings files that another user may have written: they run nothing and redirect nothing until
//! their user trusts them, and a file that others may write does not count at all.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use dwctl::settings::{KEYS, Key};
use serde_json::Value;

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::skip::skip;

/// A project file that leaves a trace for each source of a secret that is read.
const HOSTILE: &str = "\
api-url = 'http://127.0.0.1:1'
[kafka]
'sasl.password' = { command = 'echo run >> $TRACE; echo secret' }
'ssl.key.password' = { command = 'echo run >> $TRACE; echo secret' }
";

/// Commands that make no Kafka client.
const WITHOUT_CLIENT: &[&[&str]] = &[
    &["help"],
    &["help", "tail"],
    &["man"],
    &["man", "tail"],
    &["completions", "bash"],
    &["--help"],
    &["--version"],
    &["config", "show", "--origin"],
    &["config", "path"],
    &["models", "list"],
    &["models", "show", "u/m"],
    &["models", "delete", "u/m@v1", "--yes"],
    &["upload", "model.bin", "--user-id", "u", "--model-id", "m", "--dry-run"],
    &["upload", "model.bin", "--user-id", "u", "--model-id", "m", "--print-meta"],
    &["send", "automl", "--model-id", "m", "--user-id", "u", "--dialect", "form", "--dry-run"],
];

/// Commands that make one.
const WITH_CLIENT: &[&[&str]] = &[
    &["topics"],
    &["topics", "t", "--create"],
    &["lag", "g"],
    &["tail", "t", "-n", "1"],
    &["tail", "t", "--group", "g"],
    &["wait", "t"],
    &["wait", "t", "--cursor"],
    &["send", "automl", "--model-id", "m", "--user-id", "u", "--dialect", "form"],
    &["forward"],
    &["doctor"],
];

fn environment() -> Environment {
    let environment = Environment::new();
    environment.write("model.bin", "bytes");
    let trace = environment.path("trace");
    environment.set("TRACE", trace.to_str().unwrap())
}

fn has_trace(environment: &Environment) -> bool {
    environment.path("trace").exists()
}

/// Runs a command against brokers that refuse at once.
fn run(environment: &Environment, command: &[&str]) -> Outcome {
    environment.run([command, &["-b", DEAD, "--timeout", "3s"]].concat())
}

#[test]
fn no_command_runs_what_an_untrusted_file_says() {
    let environment = environment();
    environment.write(".dwctl.toml", HOSTILE);
    for command in WITHOUT_CLIENT.iter().chain(WITH_CLIENT) {
        let outcome = run(&environment, command);
        assert!(!has_trace(&environment), "{command:?}: {outcome}");
    }
}

#[test]
fn a_trusted_secret_is_read_only_for_a_client_that_needs_it() {
    let environment = environment();
    environment.write_trusted(HOSTILE);
    for command in WITHOUT_CLIENT {
        let outcome = run(&environment, command);
        assert!(!has_trace(&environment), "{command:?}: {outcome}");
    }
    run(&environment, &["topics"]).expect(6).to_string();
    assert!(has_trace(&environment), "a client was made");
}

/// A value of each setting that is no other setting's default.
fn sample(key: Key) -> &'static str {
    match key {
        Key::ApiUrl => "http://127.0.0.1:1",
        Key::Dialect => "flat",
        Key::Timeout => "77s",
        Key::Output => "json",
        Key::Color => "never",
        Key::NoInput => "true",
        _ => "other",
    }
}

fn shown(environment: &Environment) -> (Value, Outcome) {
    let outcome = environment.run(["config", "show", "-o", "json"]).expect(0);
    (outcome.json(), outcome)
}

fn value_of<'d>(document: &'d Value, name: &str) -> Option<&'d str> {
    let settings = document["settings"].as_array().unwrap();
    settings.iter().find(|setting| setting["key"] == name)?["value"].as_str()
}

#[test]
fn an_untrusted_file_redirects_nothing() {
    let properties = ["security.protocol", "sasl.username", "bootstrap.servers", "debug"];
    let settings = KEYS.iter().map(|row| {
        let table = if let Key::Topic(_) = row.key { "[topics]\n" } else { "" };
        let line = format!("{table}{} = '{}'", row.name, sample(row.key));
        (row.key.path(), line, sample(row.key), row.key.is_harmless())
    });
    let properties = properties.map(|name| {
        let path = format!("kafka.{name}");
        (path, format!("[kafka]\n'{name}' = 'other'"), "other", false)
    });
    for (path, line, value, is_harmless) in settings.chain(properties) {
        let environment = Environment::new();
        let file = environment.write(".dwctl.toml", &line);
        let (document, outcome) = shown(&environment);
        // The list of brokers has one name in the table.
        let name = if path == "kafka.bootstrap.servers" { "brokers" } else { &path };
        assert_eq!(value_of(&document, name) == Some(value), is_harmless, "{path}: {outcome}");
        assert_eq!(document["trust"], "untrusted", "{outcome}");
        let is_named = outcome.err().contains(&format!("is not trusted; ignored: {path}"));
        assert_eq!(is_named, !is_harmless, "{path}: {outcome}");
        assert_eq!(outcome.err().contains("dwctl config trust"), !is_harmless, "{outcome}");
        environment.run(["config", "trust", file.to_str().unwrap()]).must_succeed();
        let (document, outcome) = shown(&environment);
        assert_eq!(value_of(&document, name), Some(value), "{path}: {outcome}");
        assert_eq!(document["trust"], "trusted", "{outcome}");
        assert!(outcome.stderr.is_empty(), "{outcome}");
    }
}

#[test]
fn an_untrusted_file_does_not_hide_the_users_own() {
    let environment = Environment::new();
    environment.write(
        "config/dwctl/config.toml",
        "brokers = 'own:1'\noutput = 'text'\n[kafka]\n'security.protocol' = 'ssl'\n[profiles.lab]\nbrokers = 'lab:1'\n",
    );
    environment.write(".dwctl.toml", "profile = 'lab'\nbrokers = 'other:1'\ndialect = 'flat'\n");
    let (document, outcome) = shown(&environment);
    assert_eq!(value_of(&document, "brokers"), Some("own:1"), "{outcome}");
    assert_eq!(value_of(&document, "kafka.security.protocol"), Some("ssl"), "{outcome}");
    assert_eq!(value_of(&document, "dialect"), Some("flat"), "{outcome}");
    assert!(outcome.err().contains("ignored: brokers, profile"), "{outcome}");
}

#[test]
fn a_profile_that_was_named_is_not_replaced_by_defaults() {
    let environment = Environment::new();
    environment.write(".dwctl.toml", "[profiles.lab]\nbrokers = 'lab:1'\napi-url = 'http://lab'\n");
    for command in [&["models", "list", "--user-id", "u"][..], &["topics"], &["tail", "t"]] {
        let outcome = environment.run([command, &["--profile", "lab"]].concat()).expect(2);
        assert!(outcome.err().contains("failed to use profile \"lab\""), "{outcome}");
        assert!(
            outcome.err().contains("hint: read the file, then run dwctl config trust"),
            "{outcome}"
        );
    }
}

#[test]
fn trust_ends_when_the_content_changes_and_when_it_is_taken_back() {
    let environment = Environment::new();
    let file = environment.write_trusted("brokers = 'other:1'\n");
    let list = environment.path("home/.local/state/dwctl/trusted-files.json");
    assert_eq!(std::fs::metadata(&list).unwrap().permissions().mode() & 0o777, 0o600);
    environment.write(".dwctl.toml", "brokers = 'third:1'\n");
    let (document, outcome) = shown(&environment);
    assert_eq!(
        (&document["trust"], value_of(&document, "brokers")),
        (&"changed".into(), Some("127.0.0.1:9092"))
    );
    assert!(
        outcome.err().contains("has changed since you trusted it; ignored: brokers"),
        "{outcome}"
    );
    let outcome = environment.run(["config", "path"]).expect(0);
    assert!(outcome.err().contains("is not trusted: it has changed"), "{outcome}");
    // By its folder, from elsewhere, and as a document.
    let folder = environment.folder().to_str().unwrap().to_owned();
    let outcome = environment.bash(&format!("cd /; $DWCTL config trust -o json {folder}")).finish();
    assert_eq!(outcome.expect(0).json()["path"], file.to_str().unwrap());
    let outcome = environment.run(["config", "path"]).expect(0);
    assert_eq!(
        outcome.to_string(),
        format!("{0}\n--- stderr\n{0} is trusted\n--- exit 0\n", file.display())
    );
    environment.run(["config", "untrust"]).must_succeed();
    assert_eq!(shown(&environment).0["trust"], "untrusted");
    let outcome = environment.run(["config", "untrust"]).expect(0);
    assert!(outcome.err().contains("was not trusted"), "{outcome}");
}

#[test]
fn a_list_that_others_may_write_trusts_nothing() {
    let environment = Environment::new();
    environment.write_trusted("brokers = 'other:1'\n");
    let list = environment.path("home/.local/state/dwctl/trusted-files.json");
    std::fs::set_permissions(&list, std::fs::Permissions::from_mode(0o666)).unwrap();
    let (document, outcome) = shown(&environment);
    assert_eq!(value_of(&document, "brokers"), Some("127.0.0.1:9092"), "{outcome}");
    assert!(outcome.err().contains("trusted-files.json (mode 666)"), "{outcome}");
    let refusal = environment.run(["config", "trust"]).expect(2);
    assert!(refusal.err().contains("failed to use the list of trusted files"), "{refusal}");
}

#[test]
fn what_cannot_be_trusted_is_refused_with_its_reason() {
    let environment = Environment::new();
    let outcome = environment.run(["config", "trust"]).expect(3);
    assert!(outcome.err().contains("there is no file"), "{outcome}");
    environment.write("other.toml", "");
    let outcome = environment.run(["config", "trust", "other.toml"]).expect(2);
    assert!(outcome.err().contains("other.toml is not a project file"), "{outcome}");
    let file = environment.write(".dwctl.toml", "brokers = \n");
    let outcome = environment.run(["config", "trust"]).expect(2);
    assert!(outcome.err().contains("line 1, column "), "{outcome}");
    environment.write(".dwctl.toml", "brokers = 'x:1'\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o622)).unwrap();
    let outcome = environment.run(["config", "trust"]).expect(2);
    assert!(
        outcome.err().contains(&format!("hint: run chmod go-w {}", file.display())),
        "{outcome}"
    );
}

/// Whether the file in the folder decides about the form of the output.
#[track_caller]
fn assert_counts(environment: &Environment, counts: bool, what: &str) {
    let outcome = environment.run(["config", "path"]).expect(0);
    assert_eq!(outcome.stdout.is_empty(), !counts, "{what}: {outcome}");
    let ignored = outcome.err().matches("warning: ignored ").count();
    assert_eq!(ignored, usize::from(!counts), "{what}: {outcome}");
    for command in [&["help"][..], &["man"], &["completions", "zsh"], &["config", "show"]] {
        environment.run(command).must_succeed();
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_that_others_may_write_does_not_count() {
    for (file_mode, folder_mode, counts) in [
        (0o644, 0o755, true),
        (0o600, 0o700, true),
        (0o664, 0o755, false),
        (0o646, 0o755, false),
        (0o644, 0o775, false),
        (0o644, 0o757, false),
        (0o644, 0o1777, false),
    ] {
        let environment = Environment::new();
        let file = environment.write(".dwctl.toml", "dialect = 'flat'");
        set_mode(&file, file_mode);
        set_mode(environment.folder(), folder_mode);
        assert_counts(&environment, counts, &format!("{file_mode:o} {folder_mode:o}"));
    }
}

#[test]
fn the_users_own_file_is_held_to_the_same_rules_and_a_named_one_is_not() {
    let environment = Environment::new();
    let file = environment.write("config/dwctl/config.toml", "dialect = 'flat'");
    assert_counts(&environment, true, "own");
    set_mode(&file, 0o666);
    assert_counts(&environment, false, "writable");
    let environment = environment.set("DWCTL_CONFIG", file.to_str().unwrap());
    assert_counts(&environment, true, "named");
}

#[test]
fn a_link_counts_only_if_no_other_user_may_change_its_target() {
    let environment = Environment::new();
    let target = environment.write("inner/settings.toml", "dialect = 'flat'");
    symlink(&target, environment.path(".dwctl.toml")).unwrap();
    assert_counts(&environment, true, "a link");
    set_mode(&environment.path("inner"), 0o777);
    assert_counts(&environment, false, "the folder of the target");
    set_mode(&environment.path("inner"), 0o755);
    set_mode(&target, 0o666);
    assert_counts(&environment, false, "the target");
    std::fs::remove_file(&target).unwrap();
    assert_counts(&environment, false, "a link that leads nowhere");
    std::fs::create_dir(&target).unwrap();
    assert_counts(&environment, false, "a folder");
}

#[test]
fn a_file_of_another_user_does_not_count_but_for_root_under_sudo() {
    if !rustix::process::geteuid().is_root() {
        skip("DWCTL_REQUIRE_ROOT", "only root can give files to another user");
        return;
    }
    const OTHER: u32 = 54321;
    let give = |path: &Path, user: u32| chown(path, Some(user), None).unwrap();
    let environment = Environment::new();
    let file = environment.write(".dwctl.toml", "dialect = 'flat'");
    give(&file, OTHER);
    assert_counts(&environment, false, "the file");
    give(&file, 0);
    give(environment.folder(), OTHER);
    assert_counts(&environment, false, "the folder");
    give(&file, OTHER);
    assert_counts(&environment, false, "both");
    let sudo = environment.set("SUDO_UID", &OTHER.to_string());
    assert_counts(&sudo, true, "the caller of sudo");
    let other = sudo.set("SUDO_UID", "54322");
    assert_counts(&other, false, "another caller");
}

#[test]
fn without_a_repository_only_this_folder_counts() {
    let environment = Environment::new();
    let file = environment.write(".dwctl.toml", "dialect = 'flat'");
    environment.write("deep/down/file", "");
    let path = |script: &str| environment.bash(script).finish().expect(0).out().to_owned();
    let below = "cd deep/down; $DWCTL config path";
    assert_eq!(path(below), format!("{}\n", file.display()));
    std::fs::remove_dir(environment.path(".git")).unwrap();
    assert_eq!(path(below), "");
    assert_eq!(path("$DWCTL config path"), format!("{}\n", file.display()));
    // A repository within ends the search as well.
    std::fs::create_dir(environment.path(".git")).unwrap();
    std::fs::create_dir(environment.path("deep/.git")).unwrap();
    assert_eq!(path(below), "");
}

#[test]
fn paths_and_commands_of_a_file_start_in_its_folder() {
    let environment = environment();
    environment.write("deep/file", "");
    environment.write("password", "secret");
    environment.write_trusted(
        "[kafka]\n'sasl.password' = { file = 'password' }\n'ssl.key.password' = { command = 'cat password; touch here' }\n",
    );
    let script = format!("cd deep; $DWCTL topics -b {DEAD}");
    environment.bash(&script).finish().expect(6).to_string();
    assert!(environment.path("here").exists());
}
