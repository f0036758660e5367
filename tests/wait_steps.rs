//! `dwctl wait --success` and `--failure`: only events that complete a step count, and no read of the
//! automl role takes updates and deletions of models for completions.

use crate::support::records::{put, text};
use crate::support::run::Outcome;
use crate::support::stack::Stack;

/// Events that complete no step, of every kind that was seen on topics of completions.
const NO_COMPLETIONS: [&str; 8] = [
    r#"{"event_type":"model.updated","user_id":"u","model_id":"m","changed":["name"]}"#,
    r#"{"event_type":"model.deleted","user_id":"u","model_id":"m"}"#,
    r#"{"event_type":"xai.trigger","user_id":"u","model_id":"m","dataset_id":"d"}"#,
    r#"{"event_type":"bias-trigger.reported","user_id":"u","model_id":"m"}"#,
    r#"{"task_id":"T","event_type":"automl-trigger","input":{"model_id":"m"},"model_id":"m"}"#,
    r#"{"event_type":"something.else","model_id":"m","failure":"x"}"#,
    r#"{"model_id":"m"}"#,
    "no json with model_id m",
];
const SUCCESSES: [&str; 3] = [
    r#"{"event_type":"model.uploaded","user_id":"u","model_id":"m"}"#,
    r#"{"event_type":"bias.reported","user_id":"u","model_id":"m"}"#,
    r#"{"task_id":"T","event_type":"automl-complete","output":{},"failure":null,"model_id":"m"}"#,
];
const FAILURES: [&str; 2] = [
    r#"{"task_id":"T","event_type":"automl-complete","output":null,"failure":{"error_type":"E"},"model_id":"m"}"#,
    r#"{"event_type":"dataset.upload.failed","error_message":"no annotations","model_id":"m"}"#,
];

fn read(stack: &Stack, words: &[&str]) -> Outcome {
    stack.run([&["--timeout", "2s"], words].concat())
}

#[test]
fn only_the_end_of_a_step_decides() {
    let stack = Stack::start_with(&["--topic", "none", "--topic", "good", "--topic", "bad"]);
    for (topic, values) in [("none", &NO_COMPLETIONS[..]), ("good", &SUCCESSES), ("bad", &FAILURES)]
    {
        let records: Vec<_> = values.iter().map(|value| text(topic, "k", value)).collect();
        put(&stack.brokers, &records);
    }
    let wait = |topic: &str, more: &[&str]| {
        read(&stack, &[&["wait", topic, "--from", "beginning"], more].concat())
    };
    for more in [&["--success"][..], &["--failure"], &["--success", "--match", "model_id=m"]] {
        drop(wait("none", more).expect(7));
    }
    for number in 0..SUCCESSES.len() {
        let from = number.to_string();
        read(&stack, &["wait", "good", "--from", &from, "--success"]).must_succeed();
        let refused = read(&stack, &["wait", "good", "--from", &from, "--failure"]).expect(8);
        assert!(refused.err().contains(&format!("good[0]@{number} tells of no failure")));
    }
    for number in 0..FAILURES.len() {
        let from = number.to_string();
        read(&stack, &["wait", "bad", "--from", &from, "--failure"]).must_succeed();
        let refused = read(&stack, &["wait", "bad", "--from", &from, "--success"]).expect(8);
        assert!(refused.err().contains(&format!("bad[0]@{number} tells of a failure")));
    }
    wait("none", &["-n", "8"]).must_succeed();
}

#[test]
fn no_read_of_the_automl_role_takes_an_update_or_a_deletion() {
    let stack = Stack::start_with(&["--dialect", "form"]);
    let lifecycle: Vec<_> =
        NO_COMPLETIONS[..2].iter().map(|value| text("automl-events", "k", value)).collect();
    put(&stack.brokers, &lifecycle);
    let from = ["--from", "beginning"];
    drop(read(&stack, &[&["wait", "automl"], &from[..]].concat()).expect(7));
    read(&stack, &[&["wait", "automl", "--absent"], &from[..]].concat()).must_succeed();
    for words in [&["--from", "beginning", "--until", "end"][..], &["--last", "5"]] {
        let tail = read(&stack, &[&["tail", "automl", "-o", "json"], words].concat()).expect(0);
        assert_eq!(tail.out(), "", "{tail}");
    }
    // By its name the topic shows all that is on it.
    let named = ["tail", "automl-events", "-o", "json", "--from", "beginning", "--until", "end"];
    assert_eq!(read(&stack, &named).expect(0).json_lines().len(), 2);
    put(&stack.brokers, &[text("automl-events", "k", SUCCESSES[0])]);
    let tail = read(&stack, &["tail", "automl", "-o", "json", "-n", "1", "--from", "beginning"]);
    assert_eq!(tail.expect(0).json()["offset"], 2);
    let grouped =
        ["tail", "automl", "--group", "g", "-o", "json", "--from", "beginning", "-n", "1"];
    let grouped = stack.run([&["--timeout", "60s"], &grouped[..]].concat()).expect(0);
    assert_eq!(grouped.json()["offset"], 2);
}
