//! On a real Apache Kafka: the producer's places, the reader's starts and ends, and serve's publisher,
//! with what the embedded broker cannot show.

use std::collections::BTreeSet;
use std::time::Duration;

use dwctl::base::Deadline;
use dwctl::kafka::{Durability, Enqueued, Outgoing, Producer};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rustix::process::Signal;

use crate::support::PATIENCE;
use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::kafka::{Kafka, OwnKafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Stream};
use crate::support::stack::Stack;

/// `dwctl` as a client of the broker.
fn run(kafka: &Kafka, arguments: &[&str]) -> Outcome {
    Environment::new().run([arguments, &["-b", &kafka.brokers]].concat())
}

#[test]
fn keys_land_where_the_service_puts_them() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("keys", 3);
    for durability in [Durability::Acknowledged, Durability::Idempotent] {
        let mut producer = Producer::open(&kafka.properties(), durability).unwrap();
        // Where each key always lay on the service's three partitions.
        for (key, partition) in [("dataset123", 1), ("user123_test-model-1", 2), ("task-0001", 2)] {
            let record = Outgoing::new(&topic, Some(key.as_bytes()), b"{}");
            let place = producer.send(&record, Deadline::after(PATIENCE)).unwrap();
            assert_eq!(place.partition(), partition, "{key}");
        }
    }
}

#[test]
fn every_record_of_every_partition_is_read_once() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("read", 3);
    let keys: Vec<String> = (0..1_000).map(|n| format!("key-{n}")).collect();
    let mut producer = Producer::open(&kafka.properties(), Durability::Idempotent).unwrap();
    for (tag, key) in keys.iter().enumerate() {
        let record = text(&topic, key, "{\"n\":1}");
        assert_eq!(producer.enqueue(tag as u64, &record).unwrap(), Enqueued::Yes);
    }
    let deadline = Deadline::after(PATIENCE);
    while producer.in_flight() > 0 {
        assert!(!deadline.has_passed(), "{producer:?}");
        producer.collect(Duration::from_secs(1), |tag, report| {
            report.unwrap_or_else(|error| panic!("record {tag}: {error}"));
        });
    }
    let outcome = run(&kafka, &["tail", &topic, "--until", "end", "-o", "json"]).expect(0);
    let lines = outcome.json_lines();
    let mut seen: Vec<&str> = lines.iter().map(|line| line["key"].as_str().unwrap()).collect();
    seen.sort_unstable();
    let mut keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(seen, keys);
    let partitions: BTreeSet<String> =
        lines.iter().map(|line| line["partition"].to_string()).collect();
    assert_eq!(partitions.len(), 3, "the keys of one partition prove nothing of the others");
}

#[test]
fn a_sent_event_is_acknowledged_and_read_in_the_pretty_form() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("sent", 3);
    let send = [
        "send",
        "bias",
        "--dataset-id",
        "dataset123",
        "--user-id",
        "u",
        "--dialect",
        "flat",
        "--topic",
        &topic,
    ];
    for offset in 0..2 {
        let outcome = run(&kafka, &send);
        assert_eq!(outcome.to_string(), format!("{topic}[1]@{offset}\n--- exit 0\n"));
    }
    let outcome = run(&kafka, &["tail", &topic, "--from", "-1", "-n", "1"]).expect(0);
    let head = format!(
        "{topic} Message received\n  Partition=1 Offset=1\n  Key=dataset123\n  Event={{\n    \"event_type\": \"bias.reported\",\n"
    );
    assert!(outcome.out().starts_with(&head), "{outcome}");
}

#[test]
fn a_read_starts_and_ends_where_it_is_told() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("bounds", 1);
    let stamped: Vec<Outgoing<'_>> = ["a", "b", "c", "d"]
        .into_iter()
        .zip(1_i64..)
        .map(|(value, second)| Outgoing {
            timestamp: Some(1_795_439_960_000 + second * 1_000),
            ..text(&topic, "k", value)
        })
        .collect();
    put(&kafka.brokers, &stamped);
    for (flags, expected) in [
        (&["--until", "end"][..], "a\nb\nc\nd\n"),
        (&["--from", "-2", "--until", "end"], "c\nd\n"),
        (&["--from", "1", "-n", "2"], "b\nc\n"),
        (&["--from", "beginning", "-n", "1"], "a\n"),
        (&["--from", "end", "--until", "end"], ""),
        // By the broker's index of times, which the embedded one does not have.
        (&["--from", "2026-11-23T13:19:23Z", "--until", "end"], "c\nd\n"),
        (&["--from", "@1795439964000", "--until", "end"], "d\n"),
        (&["--from", "beginning", "--idle", "500ms"], "a\nb\nc\nd\n"),
    ] {
        let outcome = run(&kafka, &[&["tail", &topic, "-o", "raw", "-q"], flags].concat());
        assert_eq!(outcome.to_string(), format!("{expected}--- exit 0\n"), "{flags:?}");
    }
}

#[test]
fn a_read_ends_at_the_end_also_where_the_last_offsets_hold_no_records() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("transactions", 1);
    put(&kafka.brokers, &[text(&topic, "k", "before")]);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("transactional.id", &topic)
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    for (value, commits) in [("committed", true), ("aborted", false)] {
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::<str, str>::to(&topic).payload(value)).unwrap();
        producer.flush(PATIENCE).unwrap();
        if commits {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
    let outcome = run(&kafka, &["tail", &topic, "--until", "end", "-o", "raw"]);
    assert_eq!(outcome.to_string(), "before\ncommitted\n--- exit 0\n");
}

#[test]
fn looking_makes_no_topic_though_the_broker_would() {
    let Some(kafka) = Kafka::shared() else { return };
    let name = unused_name("looked-for");
    for arguments in [
        &["tail", &name, "--until", "end"][..],
        &["tail", &name, "-n", "1"],
        &["topics", &name],
        &["send", "bias", "--dataset-id", "d", "--user-id", "u", "--topic", &name],
    ] {
        let outcome = run(&kafka, arguments).expect(3);
        assert!(outcome.err().contains(&format!("there is no topic \"{name}\"")), "{outcome}");
    }
    let topics = run(&kafka, &["topics"]).expect(0);
    assert!(!topics.out().contains(&name), "{topics}");
}

#[test]
fn a_roles_topic_that_comes_later_is_waited_for_and_read_from_its_first_record() {
    let Some(kafka) = Kafka::shared() else { return };
    let name = unused_name("later");
    let environment = Environment::new().set("KAFKA_AUTOML_TOPIC", &name);
    let tail = environment.start(["tail", "automl", "-n", "1", "-b", &kafka.brokers]);
    tail.wait_for(Stream::Err, "waiting for a topic that does not exist yet");
    put(&kafka.brokers, &[text(&name, "k", "first")]);
    let outcome = tail.finish().expect(0);
    assert!(outcome.out().contains("Offset=0") && outcome.out().contains("first"), "{outcome}");
}

/// Uploads a model and gives the key of its event, which no other test has.
fn upload(stack: &Stack, user: &str) -> String {
    let form = Multipart::new().file("file", "model.pt", b"weights").texts(&[
        ("user_id", user),
        ("model_id", "m"),
        ("name", "M"),
        ("framework", "pytorch"),
        ("model_type", "classification"),
    ]);
    drop(stack.call(&Call::post("/ai-models/upload/single", &form)).expect(200));
    format!("{user}_m")
}

/// How many records with this key are on the service's topic.
fn count(kafka: &Kafka, key: &str) -> usize {
    let outcome = run(kafka, &["tail", "automl-events", "--until", "end", "-o", "json"]).expect(0);
    outcome.json_lines().iter().filter(|line| line["key"] == key).count()
}

#[test]
fn serve_publishes_to_it_and_makes_the_services_topics() {
    let Some(kafka) = Kafka::shared() else { return };
    let stack = Stack::start_with(&["--brokers", &kafka.brokers]);
    assert_eq!(stack.brokers, kafka.brokers);
    let key = upload(&stack, &unused_name("user"));
    stack.process().wait_for(Stream::Err, &format!("key={key}"));
    assert_eq!(count(&kafka, &key), 1);
    let topics = run(&kafka, &["topics"]).expect(0);
    for topic in ["automl-events", "bias-events", "xai-complete-events"] {
        assert!(topics.out().contains(topic), "{topics}");
    }
}

#[test]
fn what_was_answered_for_is_published_after_a_kill() {
    let Some(kafka) = Kafka::shared() else { return };
    let stack = Stack::start_with(&["--brokers", &kafka.brokers]);
    let user = unused_name("killed");
    let key = upload(&stack, &user);
    let (_, environment) = stack.stop(Signal::KILL);
    let stack = Stack::start_in(environment, &["--brokers", &kafka.brokers]);
    // What comes after it in the outbox is out: so is what came before.
    let next = upload(&stack, &unused_name("after"));
    stack.process().wait_for(Stream::Err, &format!("key={next}"));
    assert!(count(&kafka, &key) >= 1, "{key} is lost");
}

#[test]
fn the_reply_does_not_wait_for_kafka_and_the_event_is_published_once_it_is_there() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let stack = Stack::start_with(&["--brokers", &own.brokers()]);
    let key = upload(&stack, "early");
    let health = stack.call(&Call::get("/health")).expect(200).json();
    assert_eq!(health["outbox"]["waiting"], 1, "{health}");
    let kafka = own.start();
    stack.process().wait_for(Stream::Err, &format!("key={key}"));
    assert_eq!(count(&kafka, &key), 1);
    let health = stack.call(&Call::get("/health")).expect(200).json();
    assert_eq!(health["outbox"]["waiting"], 0, "{health}");
}
