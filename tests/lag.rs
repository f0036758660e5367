//! `dwctl lag`: a group's positions beside the ends, told by somebody who is no member.

use std::time::Duration;

use dwctl::base::Deadline;
use dwctl::kafka::{Done, GroupConsumer, GroupStart, Polled, Properties};
use rustix::process::Signal;

use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Stream};
use crate::support::stack::Stack;

/// A member that reads so many records of a topic, commits them and goes on being one.
fn member(brokers: &str, group: &str, topic: &str, count: usize) -> GroupConsumer {
    let deadline = Deadline::after(Duration::from_secs(60));
    let mut member =
        GroupConsumer::open(&Properties::new(brokers), group, &[topic], GroupStart::Beginning)
            .unwrap();
    let mut done = 0;
    while done < count {
        assert!(!deadline.has_passed(), "only {done} records came");
        if let Polled::Record(delivery) = member.poll(Duration::from_millis(50)).unwrap() {
            let ticket = delivery.into_ticket();
            member.done(ticket, &Done::Handled);
            done += 1;
        }
    }
    member.settle(deadline).unwrap();
    member
}

/// What is there of one group on a real Kafka: two of five records of one partition are done.
struct Case {
    kafka: Kafka,
    group: String,
    topic: String,
}

impl Case {
    fn start() -> Option<Self> {
        let kafka = Kafka::shared()?;
        let (group, topic) = (unused_name("readers"), kafka.topic("lag", 1));
        let records: Vec<_> = (0..2).map(|_| text(&topic, "k", "v")).collect();
        put(&kafka.brokers, &records);
        drop(member(&kafka.brokers, &group, &topic, 2));
        let records: Vec<_> = (0..3).map(|_| text(&topic, "k", "v")).collect();
        put(&kafka.brokers, &records);
        Some(Self { kafka, group, topic })
    }

    fn lag(&self, arguments: &[&str]) -> Outcome {
        let all = [&["lag", &self.group, "-b", &self.kafka.brokers], arguments].concat();
        Environment::new().run(all)
    }
}

#[test]
fn what_is_not_read_is_counted_and_dated() {
    let Some(case) = Case::start() else { return };
    let lag = case.lag(&["-o", "json"]).expect(0).json();
    assert_eq!(lag["schema"], "dwctl.lag/1");
    assert_eq!((&lag["group"], &lag["lag"]), (&case.group.as_str().into(), &3.into()));
    let partition = &lag["partitions"][0];
    assert_eq!(partition["topic"], case.topic);
    let numbers = ["partition", "committed", "beginning", "end", "lag", "missed"];
    assert_eq!(numbers.map(|name| partition[name].as_i64().unwrap()), [0, 2, 0, 5, 3, 0]);
    assert!(lag["oldest_age_ms"].as_i64().unwrap() >= 0, "{lag}");
    let shown = case.lag(&[]).expect(0);
    let row: Vec<&str> = shown.out().lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..5], [case.topic.as_str(), "0", "2", "5", "3"]);
    assert!(shown.out().contains(": 3 unread, the oldest "), "{shown}");
}

#[test]
fn a_threshold_that_is_passed_is_code_8_and_one_that_is_kept_is_not() {
    let Some(case) = Case::start() else { return };
    case.lag(&["--max", "3", "--max-age", "1h"]).must_succeed();
    let over = case.lag(&["--max", "2"]).expect(8);
    let words = format!("error: the lag of {} is 3, over --max 2", case.group);
    assert!(over.err().contains(&words), "{over}");
    let old = case.lag(&["--max-age", "0ms"]).expect(8);
    assert!(old.err().contains("over --max-age 0 ms"), "{old}");
}

#[test]
fn asking_neither_joins_nor_moves_the_group() {
    let Some(case) = Case::start() else { return };
    let member = member(&case.kafka.brokers, &case.group, &case.topic, 1);
    let first = case.lag(&["-o", "json"]).expect(0).json();
    assert_eq!((&first["state"], &first["members"]), (&"Stable".into(), &1.into()));
    assert_eq!(first["lag"], 2);
    assert_eq!(case.lag(&["-o", "json"]).expect(0).json()["members"], 1);
    drop(member);
}

#[test]
fn an_unknown_group_is_answered_with_the_nearest() {
    let Some(case) = Case::start() else { return };
    let mistyped = format!("{}x", case.group);
    let arguments = ["lag", &mistyped, "-b", &case.kafka.brokers];
    let outcome = Environment::new().run(arguments).expect(3);
    assert!(
        outcome.err().contains(&format!("there is no consumer group {mistyped:?}")),
        "{outcome}"
    );
    assert!(outcome.err().contains(&format!("hint: did you mean {}", case.group)), "{outcome}");
}

#[test]
fn the_embedded_broker_tells_the_lag_too() {
    let stack = Stack::start();
    for _ in 0..2 {
        stack.run(["send", "bias", "--dataset-id", "d", "--user-id", "u"]).must_succeed();
    }
    drop(member(&stack.brokers, "g", "bias-events", 2));
    assert_eq!(stack.run(["lag", "g"]).expect(0).out().lines().last(), Some("g: 0 unread"));
    stack.run(["send", "bias", "--dataset-id", "d", "--user-id", "u"]).must_succeed();
    drop(stack.run(["lag", "g", "--max", "0"]).expect(8));
    let unknown = stack.run(["lag", "other"]).expect(3);
    assert!(unknown.err().contains("there is no consumer group \"other\""), "{unknown}");
}

#[test]
fn watching_goes_on_until_a_threshold_is_passed_or_somebody_stops_it() {
    let stack = Stack::start();
    stack.run(["send", "bias", "--dataset-id", "d", "--user-id", "u"]).must_succeed();
    drop(member(&stack.brokers, "g", "bias-events", 1));
    let watch = ["lag", "g", "--watch=50ms"];
    let alarm = stack.start_client([&watch[..], &["--max", "0"]].concat());
    let stopped = stack.start_client(watch);
    for watching in [&alarm, &stopped] {
        watching.wait_for(Stream::Out, "g: 0 unread");
    }
    stack.run(["send", "bias", "--dataset-id", "d", "--user-id", "u"]).must_succeed();
    assert!(alarm.finish().expect(8).err().contains("over --max 0"));
    stopped.wait_for(Stream::Out, "g: 1 unread");
    stopped.signal(Signal::INT);
    drop(stopped.finish().expect(130));
}

#[test]
fn brokers_that_cannot_be_asked_are_told_with_their_cause() {
    let dead = Environment::new().run(["lag", "g", "-b", DEAD]).expect(6);
    assert!(dead.err().contains("connection refused"), "{dead}");
    let silent = BrokenBroker::silent();
    let asked = ["lag", "g", "-b", silent.address(), "--timeout", "1s"];
    let outcome = Environment::new().run(asked).expect(6);
    assert!(outcome.err().contains(silent.address()), "{outcome}");
}
