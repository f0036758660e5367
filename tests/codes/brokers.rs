//! The commands of Kafka against brokers that are none, or that refuse.

use super::{BOUND, Complaints};
use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::stack::Stack;

const BIAS: &[&str] = &["send", "bias", "--dataset-id", "d", "--user-id", "u"];

/// Each with what it needs to get as far as the brokers. `forward` is not among them: it waits for
/// brokers that are away, as a service does.
pub(super) const COMMANDS: &[(&str, &[&str])] = &[
    ("send bias", BIAS),
    ("send raw", &["send", "raw", "bias-events", "lines"]),
    ("tail", &["tail", "bias-events", "-n", "1"]),
    ("tail --until end", &["tail", "bias-events", "--until", "end"]),
    ("tail --group", &["tail", "bias-events", "--group", "g", "-n", "1"]),
    ("wait", &["wait", "bias-events"]),
    ("wait --cursor", &["wait", "bias-events", "--cursor"]),
    ("topics", &["topics"]),
    ("topics NAME", &["topics", "bias-events"]),
    ("topics --create", &["topics", "new-events", "--create"]),
    ("lag", &["lag", "g"]),
];

fn run(command: &[&str], brokers: &str, more: &[&str]) -> Outcome {
    let environment = Environment::new();
    environment.write("lines", "a line\n");
    environment.run([command, &["-o", "json", "-q", "-b", brokers], more].concat())
}

/// One fault: its name, the brokers, further arguments, the codes that are due, what must be said.
pub(super) struct Fault<'a> {
    pub name: &'a str,
    pub brokers: &'a str,
    pub more: &'a [&'a str],
    pub codes: &'a [u8],
    pub words: &'a [&'a str],
}

/// Holds each command against each fault, all of them side by side: some are told after seconds only.
pub(super) fn hold(faults: &[Fault<'_>]) {
    let tell = |fault: &Fault<'_>, (name, command): &(&str, &[&str])| {
        let mut complaints = Complaints::default();
        let outcome = run(command, fault.brokers, fault.more);
        let cell = format!("{name}, {}", fault.name);
        complaints.check(&cell, &outcome, fault.codes, fault.words);
        complaints
    };
    let cells = || faults.iter().flat_map(|fault| COMMANDS.iter().map(move |line| (fault, line)));
    let all = std::thread::scope(|scope| {
        let told: Vec<_> =
            cells().map(|(fault, line)| scope.spawn(move || tell(fault, line))).collect();
        told.into_iter().map(|told| told.join().unwrap()).collect::<Vec<_>>()
    });
    let mut complaints = Complaints::default();
    all.into_iter().for_each(|one| complaints.add(one));
    complaints.conclude(faults.len() * COMMANDS.len());
}

#[test]
fn every_command_of_kafka_tells_that_there_is_no_broker() {
    let (http, silent) = (BrokenBroker::http(), BrokenBroker::silent());
    let fault = |name, brokers, words| Fault { name, brokers, more: &BOUND, codes: &[6], words };
    let said = [silent.address()];
    hold(&[
        fault("a dead port", DEAD, &["connection refused", DEAD]),
        fault("no such host", "kafka.invalid:9092", &["kafka.invalid:9092"]),
        fault("an HTTP server", http.address(), &["HTTP server"]),
        fault("silence", silent.address(), &said),
    ]);
}

#[test]
fn every_command_of_kafka_names_the_silent_broker_within_a_short_timeout() {
    let silent = BrokenBroker::silent();
    let said = [silent.address(), "does not answer"];
    hold(&[Fault {
        name: "silence",
        brokers: silent.address(),
        more: &["--timeout", "1s"],
        codes: &[6],
        words: &said,
    }]);
}

#[test]
fn every_command_of_kafka_tells_that_the_broker_speaks_no_tls_and_no_sasl() {
    let stack = Stack::start();
    let tls = [&BOUND[..], &["-X", "security.protocol=ssl"]].concat();
    let user = ["-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=u", "-X", "sasl.password=p"];
    let sasl = [&BOUND[..], &["-X", "security.protocol=sasl_plaintext"], &user].concat();
    let brokers = &stack.brokers;
    hold(&[
        Fault { name: "TLS", brokers, more: &tls, codes: &[6], words: &[brokers, "speaks no TLS"] },
        Fault {
            name: "SASL",
            brokers,
            more: &sasl,
            codes: &[10],
            words: &[brokers, "asks for no login"],
        },
    ]);
}

#[test]
fn every_command_of_a_topic_names_the_topic_that_is_not_there() {
    let stack = Stack::start();
    let mut complaints = Complaints::default();
    for (name, command) in COMMANDS {
        let Some(place) = command.iter().position(|word| *word == "bias-events") else { continue };
        // Waiting for a topic that is not there yet is what these are for.
        if name.starts_with("wait") {
            continue;
        }
        let mut command = command.to_vec();
        command[place] = "bias-event";
        let outcome = run(&command, &stack.brokers, &BOUND);
        complaints.check(name, &outcome, &[3], &["bias-event\\\"", "did you mean bias-events"]);
    }
    complaints.conclude(5);
}
