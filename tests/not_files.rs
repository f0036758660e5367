//! FIFOs, devices, sockets and folders in place of files: nothing waits for them without an end.

use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::stack::Stack;

fn fifo(environment: &Environment, name: &str) {
    let path = environment.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // What is there already makes room.
    let _ = std::fs::remove_file(&path);
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
}

/// A folder with one of each kind that is no file.
fn strange() -> (Environment, UnixListener) {
    let environment = Environment::new();
    fifo(&environment, "fifo");
    std::fs::create_dir(environment.path("folder")).unwrap();
    let listener = UnixListener::bind(environment.path("socket")).unwrap();
    (environment, listener)
}

#[track_caller]
fn refused(what: &str, outcome: &Outcome) {
    assert!(matches!(outcome.code(), Some(2 | 3)), "{what}: {outcome}");
    assert!(!outcome.err().contains("did not end in time"), "{what}: {outcome}");
}

const UPLOADED: [&str; 8] =
    ["--user-id", "u", "--model-id", "m", "--framework", "pytorch", "--model-type", "nlp"];

const KINDS: [&str; 4] = ["fifo", "folder", "socket", "/dev/zero"];

#[test]
fn what_a_command_reads_as_a_file_must_be_one() {
    let (environment, _listener) = strange();
    environment.write("model.pt", b"weights");
    for kind in KINDS {
        refused(
            kind,
            &environment.run(["config", "show", "--timeout", "20s"]).or_with(kind, &environment),
        );
        refused(kind, &environment.run(["upload", kind, "--dry-run", "--user-id", "u"]));
        let key = format!("ssl.key.location={kind}");
        let tls = ["-X", "security.protocol=ssl", "-X", &key];
        refused(kind, &environment.run([&["topics", "-b", "127.0.0.1:1"], &tls[..]].concat()));
        refused(
            kind,
            &environment
                .run(["send", "bias", "--from-json", kind, "--timeout", "1s"])
                .past_end(kind),
        );
    }
}

/// Helpers that read like the table above.
trait Replaced {
    /// The same command with `DWCTL_CONFIG` on something that is no file.
    fn or_with(self, kind: &str, environment: &Environment) -> Outcome;
    /// A pipe is a legitimate input: without a writer it ends at the timeout.
    fn past_end(self, kind: &str) -> Outcome;
}

impl Replaced for Outcome {
    fn or_with(self, kind: &str, environment: &Environment) -> Outcome {
        self.must_succeed();
        let mut command = environment.dwctl(["config", "show"]);
        command.env("DWCTL_CONFIG", Path::new(kind));
        crate::support::run::Running::start(command).finish()
    }

    fn past_end(self, kind: &str) -> Outcome {
        if kind != "fifo" {
            return self;
        }
        let outcome = self.expect(7);
        assert!(outcome.err().contains("did not end in time"), "{outcome}");
        Environment::new().run(["upload", "missing", "--dry-run"])
    }
}

#[test]
fn a_fifo_in_place_of_a_file_of_our_own_is_passed_over() {
    let stack = Stack::start();
    let environment = Environment::new();
    environment.write("model.pt", b"weights");
    let list = ["models", "list", "--user-id", "u", "-u", &stack.api_url];
    let upload = [&["upload", "model.pt"], &UPLOADED[..], &["-u", &stack.api_url]].concat();
    environment.run(&upload).must_succeed();
    // The cache of dialects, whatever its name.
    let cache = environment.path("cache/dwctl/dialects");
    let names: Vec<_> = std::fs::read_dir(&cache).unwrap().flatten().collect();
    assert_eq!(names.len(), 1);
    for name in names {
        let name = format!("cache/dwctl/dialects/{}", name.file_name().to_str().unwrap());
        fifo(&environment, &name);
    }
    environment.run(&upload).must_succeed();
    environment.run(list).must_succeed();
    // A settings file in the folder, and one in the home.
    fifo(&environment, ".dwctl.toml");
    fifo(&environment, "config/dwctl/config.toml");
    environment.run(list).must_succeed();
}

#[test]
fn an_ignore_file_a_card_and_a_ready_file_that_are_fifos_do_not_hold_a_command() {
    let stack = Stack::start();
    let environment = Environment::new();
    environment.write("model/model.pt", b"weights");
    fifo(&environment, "model/.dwignore");
    let upload = [&["upload", "model"], &UPLOADED[..], &["-u", &stack.api_url]].concat();
    refused("an ignore file", &environment.run(&upload));
    std::fs::remove_file(environment.path("model/.dwignore")).unwrap();
    fifo(&environment, "model/README.md");
    refused("a model card", &environment.run(&upload));
    fifo(&environment, "ready.part");
    let wait = ["wait", "bias-events", "--ready-file", "ready", "-b", &stack.brokers];
    refused("a ready file", &environment.run(wait));
    fifo(&environment, "rejects");
    let send = ["send", "raw", "bias-events", "model/model.pt", "--reject", "rejects"];
    refused("rejects", &environment.run([&send[..], &["-b", &stack.brokers]].concat()));
}

#[test]
fn a_pipe_that_a_user_hands_over_is_read() {
    let stack = Stack::start();
    let script = format!(
        "\"$DWCTL\" send bias --dialect form --from-json <(echo '{{\"user_id\": \"u\", \"dataset_id\": \"d\"}}') -b {}",
        stack.brokers
    );
    stack.environment.bash(&script).finish().must_succeed();
}
