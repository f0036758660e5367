//! What `dwctl tail` says beside the records, and what it refuses rather than to pass over.

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::Stream;
use crate::support::stack::Stack;

#[test]
fn a_key_with_a_line_break_cannot_forge_a_record() {
    let stack = Stack::start();
    let key = "k\n  Event=null\nAutoML Message received\x1b[2J";
    put(&stack.brokers, &[text("automl-events", key, "{}")]);
    let outcome = stack.run(["tail", "automl", "--until", "end"]);
    assert_eq!(
        outcome.to_string(),
        "AutoML Message received\n  Partition=0 Offset=0\n\
         \x20 Key=k\\n  Event=null\\nAutoML Message received\\u001b[2J\n  Event={}\n--- exit 0\n"
    );
    let json = stack.run(["tail", "automl", "--until", "end", "-o", "json"]).expect(0);
    assert_eq!(json.json_lines()[0]["key"], key, "as it was sent");
}

#[test]
fn the_newest_records_are_shown_without_a_word_of_waiting() {
    let stack = Stack::start();
    put(&stack.brokers, &["a", "b", "c"].map(|value| text("automl-events", "k", value)));
    for flag in ["--last", "--last-per-partition"] {
        let outcome = stack.run(["tail", "automl", flag, "2", "-o", "raw"]);
        assert_eq!(outcome.to_string(), "b\nc\n--- exit 0\n", "{flag}");
    }
}

#[test]
fn an_unknown_topic_is_answered_with_what_its_broker_can_do() {
    let stack = Stack::start();
    let embedded = stack.run(["tail", "quite-another", "--until", "end"]).expect(3);
    assert!(embedded.err().contains("makes no topics by command"), "{embedded}");
    assert!(!embedded.err().contains("--create"), "{embedded}");
    let Some(kafka) = Kafka::shared() else { return };
    let name = unused_name("zzz-quite-another-zzz");
    let real = Environment::new().run(["topics", &name, "-b", &kafka.brokers]).expect(3);
    assert!(real.err().contains("dwctl topics NAME --create"), "{real}");
}

#[test]
fn two_forms_for_the_same_records_are_refused_before_any_connection() {
    let environment = Environment::new();
    for form in ["pretty", "json", "raw"] {
        let arguments = ["tail", "automl", "--format", "%s", "-o", form, "-b", "127.0.0.1:1"];
        let outcome = environment.run(arguments).expect(2);
        let words = format!("--output {form} and --format are two forms for the same records");
        assert!(outcome.err().contains(&words), "{outcome}");
    }
}

#[test]
fn a_format_takes_the_place_of_the_form_in_the_settings() {
    let stack = Stack::start_in(Environment::new().set("DWCTL_OUTPUT", "json"), &[]);
    put(&stack.brokers, &[text("automl-events", "k", "v")]);
    let outcome = stack.run(["tail", "automl", "--until", "end", "--format", "%k=%s\\n"]);
    assert_eq!(outcome.to_string(), "k=v\n--- exit 0\n");
}

#[test]
fn a_start_beyond_the_end_is_told() {
    let stack = Stack::start();
    put(&stack.brokers, &[text("automl-events", "k", "v")]);
    let bounded = ["tail", "automl-events", "--from", "99999", "--until", "end"];
    assert_eq!(
        stack.run(bounded).to_string(),
        "--- stderr\nwarning: the start is beyond the end: 99999 in automl-events[0], which ends \
         at 1\n--- exit 0\n"
    );
    for start in ["0", "1", "end"] {
        let arguments = ["tail", "automl-events", "--from", start, "--until", "end"];
        assert_eq!(stack.run(arguments).expect(0).err(), "", "{start}");
    }
    let live = stack.start_client(["tail", "automl-events", "--from", "2", "-n", "1", "-o", "raw"]);
    live.wait_for(Stream::Err, "the start is beyond the end: 2 in automl-events[0]");
    put(&stack.brokers, &["skipped", "wanted"].map(|value| text("automl-events", "k", value)));
    assert_eq!(live.finish().expect(0).out(), "wanted\n");
}

#[test]
fn the_library_is_heard_where_that_is_asked_for_and_nowhere_else() {
    let stack = Stack::start();
    let read = |flag: &str| stack.run(["tail", "bias", "--until", "end", flag]).expect(0);
    let heard = read("-vv");
    assert!(heard.err().lines().any(|line| line.starts_with("librdkafka STATE: ")), "{heard}");
    assert_eq!(heard.out(), "");
    assert!(!read("-v").err().contains("librdkafka"));
    let refused = stack.environment.run(["tail", "bias", "-vv", "-b", DEAD]).expect(6);
    assert!(refused.err().contains("librdkafka FAIL: "), "{refused}");
    assert!(refused.err().contains("error: connection refused at"), "{refused}");
}

#[test]
fn a_misspelt_role_comes_with_the_role() {
    let stack = Stack::start();
    for (typed, role) in [
        ("autml", "automl"),
        ("automll", "automl"),
        ("bais", "bias"),
        ("xai-triger", "xai-trigger"),
        ("datset", "dataset"),
        ("drift-triger", "drift-trigger"),
    ] {
        for command in [&["tail", typed, "--until", "end"][..], &["wait", typed, "--timeout", "9s"]]
        {
            let outcome = stack.run(command).expect(3);
            let hint = outcome.err().lines().find(|line| line.starts_with("hint: did you mean"));
            let words = hint.unwrap_or_default().replace('?', " ");
            assert!(words.split(' ').any(|word| word == role), "{typed}: {outcome}");
        }
    }
}
