//! The commands of Kafka at the doors of a real broker: at one they must log in, at others they are
//! sent on to where no broker is.

use super::BOUND;
use super::brokers::{Fault, hold};
use crate::support::kafka::OwnKafka;
use crate::support::records::{put, text};

#[test]
fn every_command_of_kafka_tells_what_is_wrong_at_a_real_brokers_door() {
    let Some(kafka) = OwnKafka::planned() else { return };
    let mut kafka = kafka.guarded(&["guest"]);
    let plain = kafka.start();
    plain.make("bias-events", 1);
    put(&plain.brokers, &[text("bias-events", "k", "{}")]);
    let [lost, blind] = kafka.doors_to_nowhere();
    let flags = kafka.flags_of("guest");
    let (door, set) = (flags[1].as_str(), flags[2..].iter().map(String::as_str));
    let wrong: Vec<&str> = BOUND.into_iter().chain(set).chain(["-X", "sasl.password=no"]).collect();
    let fault = |name, brokers, more, codes, words| Fault { name, brokers, more, codes, words };
    let name = "broker-1.kafka.invalid:9092";
    hold(&[
        fault("an advertised name that nobody has", &lost, &BOUND, &[6], &["advertises", name]),
        fault("an advertised port that is dead", &blind, &BOUND, &[6], &["advertises"]),
        fault("no login", door, &BOUND, &[6], &[door, "login"]),
        fault("a wrong password", door, &wrong, &[10], &[door, "authentication failed"]),
    ]);
}
