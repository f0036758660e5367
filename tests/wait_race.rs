//! `dwctl wait` beside a producer that never stops: whatever comes before, while and just after the
//! position is fixed, the first record behind the position is the one that is found, and no other.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use dwctl::base::Deadline;
use dwctl::kafka::{Durability, Outgoing, Producer, Properties};

use crate::support::PATIENCE;
use crate::support::environment::Environment;
use crate::support::kafka::Kafka;
use crate::support::scale::scaled;
use crate::support::stack::Stack;

/// What the producer has reached.
struct Producing {
    /// The offset that was acknowledged last.
    acknowledged: AtomicI64,
    is_over: AtomicBool,
}

/// Sends without a pause until it is over.
fn produce(brokers: &str, topic: &str, producing: &Producing) {
    let mut producer = Producer::open(&Properties::new(brokers), Durability::Acknowledged).unwrap();
    while !producing.is_over.load(Ordering::SeqCst) {
        let sent = producer.send(&Outgoing::new(topic, None, b"{}"), Deadline::after(PATIENCE));
        producing.acknowledged.store(sent.unwrap().offset(), Ordering::SeqCst);
    }
}

/// The offset in `TOPIC[0]@OFFSET`.
fn offset_of(cursor: &str) -> i64 {
    cursor.trim_end().rsplit_once('@').unwrap().1.parse().unwrap()
}

/// One wait: what came before it began is not counted, and the first record after its position is.
fn wait_once(environment: &Environment, topic: &str, ready: &Path, producing: &Producing) {
    let before = producing.acknowledged.load(Ordering::SeqCst);
    let arguments = ["wait", topic, "-o", "json", "-q", "--timeout", "60s", "--ready-file"];
    let (ready, kept) = (ready.to_str().unwrap(), ready.with_extension("kept"));
    // The file goes with the wait; the command begins when it has its text.
    let keep = [ready, "--", "cp", ready, kept.to_str().unwrap()];
    let outcome = environment.run(arguments.into_iter().chain(keep)).expect(0);
    let position = offset_of(&std::fs::read_to_string(&kept).unwrap());
    assert!(position >= before, "fixed at {position}, though {before} was there: {outcome}");
    assert_eq!(outcome.json()["offset"], position + 1, "fixed at {position}: {outcome}");
}

fn race(brokers: &str, topic: &str, runs: u32) {
    let environment = Environment::new().set("KAFKA_BOOTSTRAP_SERVERS", brokers);
    let ready = environment.path("ready");
    let producing = Producing { acknowledged: AtomicI64::new(-1), is_over: AtomicBool::new(false) };
    std::thread::scope(|scope| {
        let producer = scope.spawn(|| produce(brokers, topic, &producing));
        let waited = scope.spawn(|| {
            for _ in 0..runs {
                wait_once(&environment, topic, &ready, &producing);
            }
        });
        let waited = waited.join();
        producing.is_over.store(true, Ordering::SeqCst);
        producer.join().unwrap();
        waited.unwrap();
    });
}

#[test]
fn none_is_missed_and_none_from_before_is_counted_on_the_embedded_broker() {
    let stack = Stack::start();
    race(&stack.brokers, "bias-events", scaled(20, 1_000));
}

#[test]
fn none_is_missed_and_none_from_before_is_counted_on_a_real_kafka() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("race", 1);
    race(&kafka.brokers, &topic, scaled(20, 1_000));
}
