//! `dwctl topics`: what is there, and making what is not.

use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, unused_name};
use crate::support::stack::Stack;

#[test]
fn the_services_topics_are_listed_with_their_roles_and_counts() {
    let stack = Stack::start();
    stack.run(["send", "bias", "--dataset-id", "d", "--user-id", "u"]).must_succeed();
    let outcome = stack.run(["topics"]).expect(0);
    let row = |topic: &str| -> Vec<&str> {
        let line = outcome.out().lines().find(|line| line.starts_with(&format!("{topic} ")));
        line.unwrap_or_else(|| panic!("no {topic} in {outcome}")).split_whitespace().collect()
    };
    assert_eq!(row("bias-events")[..4], ["bias-events", "bias", "1", "1"]);
    let newest: jiff::Timestamp = row("bias-events")[4].parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(newest).as_secs().abs() < 600, "{outcome}");
    assert_eq!(row("automl-events"), ["automl-events", "automl", "1", "0"]);
    assert_eq!(row("TOPIC"), ["TOPIC", "ROLE", "PARTITIONS", "OFFSETS", "NEWEST"]);
}

#[test]
fn one_topic_is_shown_partition_by_partition() {
    let stack = Stack::start_with(&["--partitions", "2"]);
    let topics = stack.run(["topics", "xai-events", "-o", "json"]).expect(0).json();
    assert_eq!(topics["schema"], "dwctl.topics/1");
    let topic = &topics["topics"][0];
    assert_eq!((&topic["topic"], &topic["role"]), (&"xai-events".into(), &"xai".into()));
    let partitions = topic["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 2);
    assert_eq!((&partitions[1]["beginning"], &partitions[1]["end"]), (&0.into(), &0.into()));
    assert!(partitions[1]["newest"].is_null());
}

#[test]
fn a_topic_is_made_where_that_is_asked_for() {
    let Some(kafka) = Kafka::shared() else { return };
    let name = unused_name("mine");
    let make = ["topics", &name, "--create", "--partitions", "3", "-b", &kafka.brokers];
    let outcome = Environment::new().run(make).expect(0);
    assert!(outcome.err().contains(&format!("made {name}")), "{outcome}");
    assert_eq!(outcome.out().lines().count(), 4, "a head and three partitions:\n{outcome}");
    let again = Environment::new().run(make).expect(0);
    assert!(again.err().contains(&format!("{name} is there already")), "{again}");
}

#[test]
fn a_topic_that_differs_from_what_was_asked_for_is_a_failure() {
    let Some(kafka) = Kafka::shared() else { return };
    let name = unused_name("differs");
    let run = |flags: &[&str]| {
        let words = ["topics", &name, "-b", &kafka.brokers];
        Environment::new().run([&words[..], flags].concat())
    };
    run(&["--create", "--config", "retention.ms=60000", "--replication", "1"]).must_succeed();
    for flags in [
        &["--create"][..],
        &["--create", "--partitions", "1"],
        &["--create", "--replication", "1", "--config", "retention.ms=60000"],
    ] {
        let outcome = run(flags).expect(0);
        assert!(outcome.err().contains("is there already"), "{outcome}");
    }
    let alter = format!("dwctl topics {name} --alter --partitions 3");
    for (flags, words) in [
        (&["--partitions", "3"][..], &["exists with 1 partition, not 3", alter.as_str()][..]),
        (&["--replication", "2"], &["replication 1, not 2", "kafka-reassign-partitions.sh"]),
        (
            &["--config", "retention.ms=1"],
            &["retention.ms=60000, not 1", "--add-config retention.ms=1"],
        ),
        (&["--config", "no.such=1"], &["no.such=nothing, not 1"]),
        (
            &["--partitions", "3", "--replication", "1", "--config", "cleanup.policy=compact"],
            &["1 partition, not 3, cleanup.policy=delete, not compact"],
        ),
    ] {
        let outcome = run(&[&["--create"], flags].concat()).expect(8);
        for words in words {
            assert!(outcome.err().contains(words), "{outcome}");
        }
        assert!(outcome.out().is_empty(), "{outcome}");
    }
    let grown = run(&["--alter", "--partitions", "3"]).expect(0);
    assert!(grown.err().contains("3 in place of 1"), "{grown}");
    assert!(run(&["--alter", "--partitions", "3"]).expect(0).err().contains("already"));
    let fewer = run(&["--create", "--partitions", "2"]).expect(8);
    assert!(fewer.err().contains("partitions cannot be removed"), "{fewer}");
    let fewer = run(&["--alter", "--partitions", "2"]).expect(8);
    assert!(fewer.err().contains("partitions cannot be removed"), "{fewer}");
    assert!(run(&["--partitions", "2"]).expect(2).err().contains("--create or --alter"));
    assert!(run(&["--create", "--config", "x"]).expect(2).err().contains("is not NAME=VALUE"));
}

#[test]
fn a_topic_of_the_embedded_broker_is_compared_too() {
    let stack = Stack::start();
    let create = ["topics", "automl-events", "--create", "--partitions"];
    stack.run([&create[..], &["1"]].concat()).must_succeed();
    let outcome = stack.run([&create[..], &["3"]].concat()).expect(8);
    assert!(outcome.err().contains("exists with 1 partition, not 3"), "{outcome}");
    let outcome = stack.run(["topics", "automl-events", "--alter", "--partitions", "3"]).expect(2);
    assert!(outcome.err().contains("broker embedded in dwctl serve cannot do that"), "{outcome}");
}

#[test]
fn the_embedded_broker_says_at_once_that_it_makes_no_topics() {
    let stack = Stack::start();
    let outcome = stack.run(["topics", "mine", "--create", "--timeout", "5s"]).expect(2);
    assert!(outcome.err().contains("dwctl serve --topic NAME"), "{outcome}");
    assert!(outcome.err().contains("--brokers"), "{outcome}");
    let there = stack.run(["topics", "automl-events", "--create", "-o", "json"]).expect(0);
    assert!(there.err().contains("automl-events is there already"), "{there}");
}

#[test]
fn an_unknown_topic_is_answered_with_the_nearest_and_not_made() {
    let stack = Stack::start();
    let before = stack.run(["topics"]).expect(0);
    let outcome = stack.run(["topics", "automl-event", "-o", "json"]).expect(3);
    let error = outcome.error();
    assert_eq!(error["kind"], "not-found");
    assert!(
        error["hints"][0].as_str().unwrap().contains("did you mean automl-events"),
        "{outcome}"
    );
    assert_eq!(stack.run(["topics"]), before);
}

#[test]
fn brokers_that_are_none_are_told_apart() {
    let (http, silent) = (BrokenBroker::http(), BrokenBroker::silent());
    for (brokers, words) in [
        (DEAD, "connection refused"),
        (http.address(), "HTTP server, not a Kafka broker"),
        (silent.address(), silent.address()),
    ] {
        for arguments in [&["topics"][..], &["topics", "mine", "--create"]] {
            let arguments = [arguments, &["-b", brokers, "--timeout", "5s"]].concat();
            let outcome = Environment::new().run(arguments).expect(6);
            assert!(outcome.err().contains(words), "{outcome}");
        }
    }
}
