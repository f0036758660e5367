//! Records that a real Apache Kafka refuses: each is reported with the cause, and what can be done.

use serde_json::Value;

use crate::support::environment::Environment;
use crate::support::kafka::Kafka;
use crate::support::run::Outcome;

fn send(kafka: &Kafka, topic: &str, lines: &str, flags: &[&str]) -> (Outcome, Vec<Value>) {
    let environment = Environment::new();
    let input = environment.write("in", lines);
    let rejects = environment.path("rejects");
    let words = ["send", "raw", topic, "-b", &kafka.brokers, "--reject", rejects.to_str().unwrap()];
    let outcome = environment.run([&words[..], flags, &[input.to_str().unwrap()]].concat());
    let rejected = std::fs::read_to_string(rejects).unwrap();
    (outcome, rejected.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn each_refused_record_is_reported_with_its_cause() {
    let Some(kafka) = Kafka::shared() else { return };
    let large = format!("k:{}\nk:small\n", "x".repeat(5_000));
    for (settings, lines, flags, refused, cause, advice) in [
        (
            &[("cleanup.policy", "compact")][..],
            "k:one\ntwo\nk:three\nfour\n",
            &["-K", ":"][..],
            &[2, 4][..],
            "it has no key, as a topic with cleanup.policy=compact demands",
            "give the record a key, with --key",
        ),
        (
            &[("max.message.bytes", "1000")],
            &large,
            &["-K", ":", "-z", "none"],
            &[1],
            "the record has 5001 bytes",
            "max.message.bytes",
        ),
        (
            &[("message.timestamp.before.max.ms", "60000")],
            "{\"value\":1}\n{\"value\":2,\"timestamp\":1000}\n",
            &["--json"],
            &[2],
            "timestamp",
            "message.timestamp.before.max.ms",
        ),
    ] {
        for idempotence in ["--idempotent", "--no-idempotent"] {
            let topic = kafka.topic_with("refusing", settings);
            let (outcome, rejected) =
                send(&kafka, &topic, lines, &[flags, &[idempotence]].concat());
            let outcome = outcome.expect(9);
            let numbers: Vec<u64> =
                rejected.iter().map(|one| one["line"].as_u64().unwrap()).collect();
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, refused, "{outcome}");
            for one in &rejected {
                let reason = one["reason"].as_str().unwrap();
                assert!(reason.contains(cause), "{reason}");
            }
            assert!(outcome.err().contains(cause), "{outcome}");
            assert!(outcome.err().contains(advice), "{outcome}");
            let good = lines.lines().count() - refused.len();
            let records = if good == 1 { "record" } else { "records" };
            assert_eq!(outcome.out(), format!("{good} {records} acknowledged on {topic}\n"));
        }
    }
}

#[test]
fn an_event_that_is_refused_names_the_cause() {
    let Some(kafka) = Kafka::shared() else { return };
    let small = kafka.topic_with("small", &[("max.message.bytes", "80")]);
    let words = ["send", "bias", "--dataset-id", "d", "--user-id", "u", "--dialect", "form"];
    let to = ["--topic", &small, "-b", &kafka.brokers];
    let outcome = Environment::new().run([&words[..], &to].concat()).expect(4);
    assert!(outcome.err().contains("bytes"), "{outcome}");
    assert!(outcome.err().contains("max.message.bytes"), "{outcome}");
}
