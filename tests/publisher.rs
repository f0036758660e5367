//! What `dwctl serve` promises of its events, on a real Kafka that is harmed: none is lost, none
//! overtakes another of its key, and what one record or one topic does holds nobody up.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::kafka::{Kafka, OwnKafka};
use crate::support::run::Stream;
use crate::support::stack::Stack;

const TOPIC: &str = "automl-events";

/// Uploads a version of one model; the event's size follows the id of its data set.
fn upload(stack: &Stack, version: usize, dataset: &str) {
    let version = format!("v{version}");
    let form = Multipart::new().file("file", "model.pt", b"weights").texts(&[
        ("user_id", "u"),
        ("model_id", "m"),
        ("version", &version),
        ("name", "M"),
        ("framework", "pytorch"),
        ("model_type", "nlp"),
        ("training_dataset", dataset),
    ]);
    drop(stack.call(&Call::post("/ai-models/upload/single", &form)).expect(200));
}

fn outbox(stack: &Stack) -> Value {
    stack.call(&Call::get("/health")).expect(200).json()["outbox"].clone()
}

/// The versions on the topic, in the order of their offsets.
fn versions(kafka: &Kafka) -> Vec<String> {
    let arguments = ["tail", TOPIC, "--until", "end", "-o", "json", "-b", &kafka.brokers];
    let lines = Environment::new().run(arguments).expect(0).json_lines();
    lines.iter().map(|line| line["value"]["version"].as_str().unwrap().to_owned()).collect()
}

/// The order in which versions came first: what comes twice comes again in its order.
fn first_seen(versions: &[String]) -> Vec<usize> {
    let mut seen = Vec::new();
    for version in versions {
        let number = version[1..].parse().unwrap();
        if !seen.contains(&number) {
            seen.push(number);
        }
    }
    seen
}

/// The last event is out, and with it all before it.
fn wait_until_drained(stack: &Stack, version: usize) {
    upload(stack, version, "the-last-one");
    let mut waiting = outbox(stack)["waiting"].clone();
    while waiting != 0 {
        stack.process().wait_for(Stream::Err, "published ");
        waiting = outbox(stack)["waiting"].clone();
    }
}

fn limit_records(kafka: &Kafka, bytes: &str) {
    let client: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create().unwrap();
    let change = AlterConfig::new(ResourceSpecifier::Topic(TOPIC)).set("max.message.bytes", bytes);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = AdminOptions::new();
    let changed = runtime.block_on(client.alter_configs([&change], &options)).unwrap();
    assert!(changed.iter().all(Result::is_ok), "{changed:?}");
}

#[test]
fn a_refused_record_is_set_aside_and_all_others_keep_their_order() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let absent = own.brokers();
    let stack = Stack::start_with(&["--brokers", &absent]);
    // Together they are more than the topic takes in one batch, and one of them is so alone.
    for version in 1..=40 {
        upload(&stack, version, &"d".repeat(if version == 20 { 4_000 } else { 100 }));
    }
    assert_eq!(outbox(&stack)["waiting"], 40);
    let (_, environment) = stack.stop(Signal::KILL);
    let kafka = own.start();
    let made = ["topics", TOPIC, "--create", "-b", &kafka.brokers];
    Environment::new().run(made).expect(0).must_succeed();
    limit_records(&kafka, "2000");
    let stack = Stack::start_in(environment, &["--brokers", &kafka.brokers]);
    stack.process().wait_for(Stream::Err, "event 20 is set aside: ");
    wait_until_drained(&stack, 41);
    let expected: Vec<usize> = (1..=41).filter(|version| *version != 20).collect();
    assert_eq!(first_seen(&versions(&kafka)), expected);
    let outbox = outbox(&stack);
    assert_eq!((&outbox["parked"], &outbox["last_error"]), (&1.into(), &Value::Null), "{outbox}");
}

#[test]
fn a_broker_that_hangs_or_dies_is_named_and_costs_no_event() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let kafka = own.start();
    let stack = Stack::start_with(&["--brokers", &kafka.brokers]);
    upload(&stack, 1, "before");
    stack.process().wait_for(Stream::Err, "published automl-events[0]@0");
    own.pause();
    // Answered although nothing is acknowledged.
    (2..=5).for_each(|version| upload(&stack, version, "while it hangs"));
    stack.process().wait_for(Stream::Err, "has acknowledged nothing for 5 s");
    let hanging = outbox(&stack);
    assert_eq!(hanging["waiting"], 4, "{hanging}");
    assert!(hanging["oldest_age_ms"].as_u64().unwrap() > 0, "{hanging}");
    own.resume();
    wait_until_drained(&stack, 6);
    assert_eq!(outbox(&stack)["last_error"], Value::Null);
    own.kill();
    (7..=9).for_each(|version| upload(&stack, version, "while it is gone"));
    stack.process().wait_for(Stream::Err, "connection refused");
    own.start();
    wait_until_drained(&stack, 10);
    assert_eq!(first_seen(&versions(&kafka)), (1..=10).collect::<Vec<_>>());
    assert_eq!(outbox(&stack)["last_error"], Value::Null);
}

#[test]
fn topics_of_a_broker_that_comes_late_have_the_partitions_that_serve_was_told() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let absent = own.brokers();
    let stack = Stack::start_with(&["--brokers", &absent, "--partitions", "3"]);
    upload(&stack, 1, "early");
    let kafka = own.start();
    stack.process().wait_for(Stream::Err, "published automl-events[");
    // Three, as serve was told; a broker that makes a topic by itself gives it one.
    let topics = Environment::new().run(["topics", TOPIC, "-o", "json", "-b", &kafka.brokers]);
    let topics = topics.expect(0).json();
    assert_eq!(topics["topics"][0]["partitions"].as_array().unwrap().len(), 3, "{topics}");
}
