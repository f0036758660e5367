//! `dwctl wait`: only what comes after the places were fixed counts, the command is part of it, and
//! every end has its code.

use std::path::Path;
use std::time::Instant;

use dwctl::kafka::Outgoing;
use rustix::process::Signal;

use crate::support::PATIENCE;
use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::environment::{DWCTL, Environment};
use crate::support::kafka::{Kafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Stream};
use crate::support::stack::Stack;

/// A timeout that is meant to pass, and long enough for a busy machine to have begun by then.
const SOON: &str = "2s";
const SEND: [&str; 6] = ["send", "bias", "--user-id", "u", "--dataset-id", "d"];

fn send(stack: &Stack) {
    stack.run(SEND).must_succeed();
}

/// Waits on the stack's `bias-events` with these arguments.
fn wait(stack: &Stack, arguments: &[&str]) -> Outcome {
    stack.run([&["wait", "bias-events"], arguments].concat())
}

/// Waits for a file that somebody else writes.
#[track_caller]
fn until_there(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(Instant::now() < deadline, "no {}", path.display());
        std::thread::yield_now();
    }
}

/// `dwctl send bias` as the command that causes the event.
fn causing() -> Vec<String> {
    let program = DWCTL.to_owned();
    ["--".to_owned(), program].into_iter().chain(SEND.map(str::to_owned)).collect()
}

#[test]
fn the_event_of_the_command_is_printed_with_its_place_and_earlier_ones_are_not() {
    let stack = Stack::start();
    send(&stack);
    let causing = causing();
    let mut arguments = vec!["-o", "json", "--match", "dataset_id=d", "--timeout", "60s"];
    arguments.extend(causing.iter().map(String::as_str));
    let outcome = wait(&stack, &arguments).expect(0);
    assert_eq!(outcome.json_lines().len(), 1, "{outcome}");
    let record = &outcome.json_lines()[0];
    assert_eq!((&record["topic"], &record["offset"]), (&"bias-events".into(), &1.into()));
    assert!(outcome.err().contains("bias-events[0]@1"), "the command's output is talk: {outcome}");
}

#[test]
fn as_many_as_were_asked_for_are_waited_for() {
    let stack = Stack::start();
    let waiting = stack.start_client(["wait", "bias", "-n", "2", "-o", "json"]);
    waiting.wait_for(Stream::Err, "waiting for an event on bias; without --timeout for ever");
    send(&stack);
    waiting.wait_for(Stream::Out, "\"offset\":0");
    send(&stack);
    assert_eq!(waiting.finish().expect(0).json_lines().len(), 2);
}

#[test]
fn the_deadline_is_code_7_and_an_earlier_match_is_named() {
    let stack = Stack::start();
    send(&stack);
    send(&stack);
    // The look back is a hint, for which the deadline leaves little time: a machine that is busy
    // elsewhere may not manage it at the first attempt.
    let last = Instant::now() + PATIENCE;
    loop {
        let outcome = wait(&stack, &["--match", "dataset_id=d", "--timeout", SOON]).expect(7);
        assert!(outcome.err().contains("no matching event came on bias-events"), "{outcome}");
        if outcome.err().contains("from before the wait matches: bias-events[0]@1") {
            break;
        }
        assert!(Instant::now() < last, "{outcome}");
    }
    let other = wait(&stack, &["--match", "dataset_id=other", "--timeout", SOON]).expect(7);
    assert!(!other.err().contains("from before"), "{other}");
    let partly = stack.start_client(["wait", "bias", "-n", "2", "--timeout", "5s"]);
    partly.wait_for(Stream::Err, "waiting for an event");
    send(&stack);
    let outcome = partly.finish().expect(7);
    assert!(outcome.err().contains("only 1 of 2 matching events came"), "{outcome}");
}

#[test]
fn the_commands_failure_ends_the_wait_with_its_status() {
    let stack = Stack::start();
    let outcome =
        wait(&stack, &["-q", "-o", "json", "--timeout", "60s", "--", "sh", "-c", "exit 3"]);
    let error = outcome.expect(8).error();
    assert_eq!((&error["command_exit"], &error["code"]), (&3.into(), &8.into()));
    assert_eq!(error["message"], "sh failed with exit code 3");
    let killed = wait(&stack, &["--timeout", "60s", "--", "sh", "-c", "kill -9 $$"]).expect(8);
    assert!(killed.err().contains("sh was ended by signal 9"), "{killed}");
    let missing = wait(&stack, &["--timeout", "60s", "--", "./no-such-command"]).expect(2);
    assert!(missing.err().contains("failed to run ./no-such-command"), "{missing}");
}

#[test]
fn a_command_that_fails_after_its_event_fails_the_wait() {
    let stack = Stack::start();
    let script = format!("\"{}\" {}; exit 5", DWCTL, SEND.join(" "));
    let outcome = wait(&stack, &["--timeout", "60s", "--", "sh", "-c", &script]).expect(8);
    assert!(outcome.err().contains("sh failed with exit code 5"), "{outcome}");
}

#[test]
fn a_command_that_still_runs_at_the_deadline_is_ended_with_the_wait() {
    let stack = Stack::start();
    let script = "trap 'echo > ended; exit 0' TERM; mkfifo never; read line < never";
    drop(wait(&stack, &["--timeout", SOON, "--", "sh", "-c", script]).expect(7));
    // The signal is on its way when the wait ends.
    until_there(&stack.environment.path("ended"));
}

#[test]
fn an_event_that_shall_not_come_fails_and_none_does_not() {
    let stack = Stack::start();
    send(&stack);
    assert_eq!(wait(&stack, &["--absent", "--timeout", SOON]).expect(0).out(), "");
    let watching = stack.start_client(["wait", "bias", "--absent", "--timeout", "60s"]);
    watching.wait_for(Stream::Err, "watching that no event comes on bias, at most 1 min 00 s");
    send(&stack);
    let outcome = watching.finish().expect(8);
    assert!(outcome.err().contains("an event came that shall not come: bias-events[0]@1"));
    assert!(outcome.out().contains("\"bias.reported\""), "{outcome}");
    let endless = wait(&stack, &["--absent"]).expect(2);
    assert!(endless.err().contains("--absent needs an end: add --timeout"), "{endless}");
}

#[test]
fn a_failure_where_success_was_hoped_for_ends_it_at_once_and_the_other_way_round() {
    let stack = Stack::start();
    let task = ["send", "automl", "--dialect", "task", "--task-id"];
    stack.run([&task[..], &["bad", "--failure", "OutOfMemory:all of it"]].concat()).must_succeed();
    stack.run([&task[..], &["good", "--user-id", "u", "--model-id", "m"]].concat()).must_succeed();
    let wait = |arguments: &[&str]| {
        let range = ["wait", "automl", "--from", "beginning", "--timeout", "60s"];
        stack.run([&range[..], arguments].concat())
    };
    let bad = wait(&["--match", "task_id=bad", "--success"]).expect(8);
    assert!(bad.err().contains("@0 tells of a failure: {"), "{bad}");
    assert!(bad.err().contains("all of it"), "{bad}");
    wait(&["--match", "task_id=bad", "--failure"]).must_succeed();
    wait(&["--match", "task_id=good", "--success"]).must_succeed();
    let good = wait(&["--match", "task_id=good", "--failure"]).expect(8);
    assert!(good.err().contains("@1 tells of no failure"), "{good}");
    let both = wait(&["--success", "--failure"]).expect(2);
    assert!(both.err().contains("cannot be used with"), "{both}");
}

#[test]
fn only_what_the_expression_says_yes_to_counts() {
    let stack = Stack::start();
    send(&stack);
    let wait = |code: &str| {
        stack.run(["wait", "bias", "--from", "beginning", "--timeout", SOON, "--jq", code])
    };
    wait(".dataset_id == \"d\"").must_succeed();
    wait("select(.dataset_id == \"d\") | .user_id").must_succeed();
    for code in [".dataset_id == \"e\"", ".nothing", "empty", ".dataset_id.x"] {
        drop(wait(code).expect(7));
    }
    assert!(wait(".dataset_id ==").expect(2).err().contains("jq"));
}

#[test]
fn what_comes_after_a_cursor_counts_though_it_came_before_the_wait() {
    let stack = Stack::start();
    send(&stack);
    let cursor = stack.run(["wait", "bias", "--cursor"]).expect(0);
    let cursor = cursor.out().trim_end();
    assert_eq!(cursor, "bias-detection-complete-events[0]@-1,bias-events[0]@0");
    let after = ["wait", "bias", "--after", cursor, "--timeout", SOON, "-o", "json"];
    drop(stack.run(after).expect(7));
    let place = stack.run(SEND).expect(0);
    assert_eq!(stack.run(after).expect(0).json()["offset"], 1);
    // What `send` printed is a cursor, too: after that record.
    let last = ["wait", "bias-events", "--after", place.out().trim_end(), "--timeout", SOON];
    drop(stack.run(last).expect(7));
    let refused = stack.run(["wait", "bias", "--after", "bias-events"]).expect(2);
    assert!(refused.err().contains("\"bias-events\" is no place in a topic"), "{refused}");
}

#[test]
fn the_ready_file_holds_the_places_once_they_are_fixed() {
    let stack = Stack::start();
    send(&stack);
    let file = stack.environment.path("waiting");
    let arguments = ["wait", "bias-events", "--ready-file", file.to_str().unwrap()];
    let waiting = stack.start_client(arguments);
    waiting.wait_for(Stream::Err, "waiting for an event");
    until_there(&file);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "bias-events[0]@0\n");
    send(&stack);
    waiting.finish().must_succeed();
}

#[test]
fn a_signal_ends_the_wait_and_its_command() {
    let stack = Stack::start();
    let script = "trap 'echo > ended; exit 0' TERM; mkfifo never; echo runs; read line < never";
    let waiting = stack.start_client(["wait", "bias", "--", "sh", "-c", script]);
    waiting.wait_for(Stream::Err, "runs");
    waiting.signal(Signal::TERM);
    drop(waiting.finish().expect(143));
    until_there(&stack.environment.path("ended"));
}

#[test]
fn a_topic_that_comes_into_being_meanwhile_counts_from_its_first_record() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = unused_name("later");
    let environment = Environment::new()
        .set("KAFKA_BOOTSTRAP_SERVERS", &kafka.brokers)
        .set("KAFKA_BIAS_TOPIC", &topic);
    let waiting = environment.start(["wait", "bias", "--match", "n=2", "--timeout", "60s"]);
    waiting.wait_for(Stream::Err, "waiting for an event");
    environment.run(["topics", &topic, "--create"]).must_succeed();
    put(&kafka.brokers, &[text(&topic, "k", r#"{"n":1}"#), text(&topic, "k", r#"{"n":2}"#)]);
    assert!(waiting.finish().expect(0).out().contains("Offset=1"));
    let typed = environment.run(["wait", &unused_name("typed"), "--timeout", "5s"]).expect(3);
    assert!(typed.err().contains("there is no topic"), "{typed}");
}

#[test]
fn an_event_of_any_partition_counts() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("spread", 3);
    let environment = Environment::new().set("KAFKA_BOOTSTRAP_SERVERS", &kafka.brokers);
    for partition in 0..3 {
        let waiting = environment.start(["wait", &topic, "--timeout", "60s", "-o", "json"]);
        waiting.wait_for(Stream::Err, "waiting for an event");
        let mut record = Outgoing::new(&topic, None, b"{}");
        record.partition = Some(partition);
        put(&kafka.brokers, &[record]);
        assert_eq!(waiting.finish().expect(0).json()["partition"], partition);
    }
}

#[test]
fn brokers_that_cannot_be_used_end_it_by_the_deadline() {
    let dead = Environment::new().run(["wait", "bias", "-b", DEAD, "--timeout", "60s"]).expect(6);
    assert!(dead.err().contains("connection refused"), "{dead}");
    let silent = BrokenBroker::silent();
    let arguments = ["wait", "bias", "-b", silent.address(), "--timeout", "500ms"];
    drop(Environment::new().run(arguments).expect(6));
}

#[test]
fn that_nothing_came_is_not_said_of_brokers_that_went_away() {
    let stack = Stack::start();
    let watching = stack.start_client(["wait", "bias", "--absent", "--timeout", "5s"]);
    watching.wait_for(Stream::Err, "watching that no event comes on bias");
    drop(stack.stop(Signal::KILL));
    let outcome = watching.finish().expect(6);
    let words = "failed to tell whether an event came on bias-events";
    assert!(outcome.err().contains(words), "{outcome}");
    assert!(outcome.err().contains("--after"), "{outcome}");
}

#[test]
fn nothing_came_on_a_topic_that_never_was() {
    let stack = Stack::start();
    let environment = Environment::new()
        .set("KAFKA_BOOTSTRAP_SERVERS", &stack.brokers)
        .set("KAFKA_BIAS_TOPIC", &unused_name("never"));
    let outcome = environment.run(["wait", "bias", "--absent", "--timeout", SOON]).expect(0);
    assert!(outcome.err().contains("watching that no event comes on bias"), "{outcome}");
}
