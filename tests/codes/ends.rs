//! How commands end that are told to, or that cannot say what they have: signals, readers that go
//! away, full disks.

use std::time::Instant;

use rustix::process::Signal;

use super::Complaints;
use crate::support::PATIENCE;
use crate::support::environment::Environment;
use crate::support::kafka::unused_name;
use crate::support::records::{put, text};
use crate::support::run::{Running, Stream};
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

/// What shows that a command has begun.
enum Sign {
    /// Talk.
    Says(&'static str),
    /// The first line of data.
    Prints,
}

use Sign::{Prints, Says};

/// Commands that run until they are stopped. `GROUP` becomes a group that nobody has.
const ENDLESS: &[(&str, Sign)] = &[
    ("tail bias", Says("waiting for new records")),
    ("tail bias --from beginning", Prints),
    ("tail bias --group GROUP --from beginning", Prints),
    ("wait bias", Says("waiting for an event")),
    ("forward --group GROUP", Prints),
    ("lag readers --watch=10s -o json", Prints),
    ("serve --port 0 --broker-port 0 --data-dir GROUP", Says("Ctrl-C stops")),
    ("demo --keep", Says("Ctrl-C stops")),
];

const SIGNALS: [(Signal, i32); 2] = [(Signal::INT, 130), (Signal::TERM, 143)];

/// A stack with a record for each reader, and a group that has read.
fn stack() -> Stack {
    let stack = Stack::start();
    put(&stack.brokers, &[text("bias-events", "k", "{}"), text("automl-events", "k", "{}")]);
    let reading = ["tail", "bias", "--group", "readers", "--from", "beginning", "-n", "1"];
    stack.run(reading).must_succeed();
    stack
}

fn begin(stack: &Stack, line: &str, sign: &Sign) -> Running {
    let line = line.replace("GROUP", &unused_name("end"));
    let running = stack.start_client(line.split(' '));
    match sign {
        Says(words) => running.wait_for(Stream::Err, words),
        Prints => running.wait_for(Stream::Out, ""),
    };
    running
}

#[test]
fn a_signal_ends_every_command_that_has_no_end_with_its_code() {
    let stack = stack();
    for (line, sign) in ENDLESS {
        for (signal, code) in SIGNALS {
            let running = begin(&stack, line, sign);
            running.signal(signal);
            let outcome = running.finish();
            assert_eq!(outcome.code(), Some(code), "{line}: {outcome}");
            assert!(!outcome.err().contains("error: "), "{line}: {outcome}");
        }
    }
}

/// Commands that wait for the API; each ends without its answer.
const ASKING: &[&str] = &[
    "upload model.pt --user-id u --model-id m --framework pytorch --model-type nlp \
     --training-dataset d --dialect form",
    "models list --user-id u",
    "models show u/m@v1",
    "models download u/m@v1",
    "models delete u/m@v1 --yes",
    "smoke --dialect form",
    "doctor",
];

#[test]
fn a_signal_ends_every_command_that_waits_for_the_api() {
    let stack = stack();
    for line in ASKING {
        for (signal, code) in SIGNALS {
            let api = ScriptedApi::start(|request| {
                // The signal may come before the last of the body.
                request.rest_of_body();
                Answer::Stall
            });
            let environment = Environment::new().set("KAFKA_BOOTSTRAP_SERVERS", &stack.brokers);
            environment.write("model.pt", "weights");
            let running = environment.start(line.split_whitespace().chain(["-u", api.url()]));
            until_asked(&api);
            running.signal(signal);
            let outcome = running.finish();
            assert_eq!(outcome.code(), Some(code), "{line}: {outcome}");
        }
    }
}

fn until_asked(api: &ScriptedApi) {
    let end = Instant::now() + PATIENCE;
    while api.calls() == 0 {
        assert!(Instant::now() < end, "nobody asks {}", api.url());
        std::thread::yield_now();
    }
}

#[test]
fn a_second_signal_does_not_wait_for_what_is_still_to_be_sent() {
    let stack = Stack::start();
    let mut sending = stack.start_with_input(["send", "raw", "bias-events"]);
    sending.write("a line\n");
    let read = ["tail", "bias-events", "--from", "beginning", "-n", "1", "-o", "raw"];
    stack.run(read).must_succeed();
    // The broker goes; what comes now cannot be acknowledged any more.
    let (_, _environment) = stack.stop(Signal::KILL);
    sending.write("another line\n");
    sending.signal(Signal::INT);
    sending.signal(Signal::TERM);
    let outcome = sending.finish();
    assert!(matches!(outcome.code(), Some(130 | 143)), "{outcome}");
}

/// Commands with data on standard output, from which its reader may go away at any moment.
const PRINTING: &[&str] = &[
    "tail bias --until end",
    "tail bias --until end -o json",
    "tail bias --until end --format %o\\n",
    "wait bias --from beginning",
    "send bias --dataset-id d --user-id u",
    "topics",
    "topics bias-events -o json",
    "lag readers",
    "lag readers -o json",
    "models list --user-id u",
    "models list --user-id u -o json",
    "config show",
    "completions bash",
    "man",
    "help",
    "smoke",
    "doctor",
];

fn shell(stack: &Stack, script: &str) -> Running {
    let addresses = format!(
        "export DWCTL_API_URL={} KAFKA_BOOTSTRAP_SERVERS={}; {script}",
        stack.api_url, stack.brokers
    );
    stack.environment.bash(&addresses)
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_any_command() {
    let stack = stack();
    for line in PRINTING {
        let outcome = shell(&stack, &format!("\"$DWCTL\" {line} | :")).finish();
        assert_eq!(outcome.code(), Some(0), "{line}: {outcome}");
        assert!(!outcome.err().contains("error: "), "{line}: {outcome}");
    }
}

#[test]
fn a_full_disk_under_standard_output_is_told_by_every_command() {
    let stack = stack();
    let mut complaints = Complaints::default();
    for line in PRINTING {
        let outcome = shell(&stack, &format!("DWCTL_OUTPUT=json \"$DWCTL\" {line} -q > /dev/full"));
        complaints.check(line, &outcome.finish(), &[2], &["No space left", "where there is room"]);
    }
    complaints.conclude(PRINTING.len());
}
