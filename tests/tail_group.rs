//! `dwctl tail --group`: goes on where the group is and commits what was printed, nothing else.

use rustix::process::Signal;

use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, OwnKafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Stream};
use crate::support::stack::Stack;

/// A topic of one partition and a group that nobody else has.
struct Case {
    kafka: Kafka,
    topic: String,
    group: String,
    environment: Environment,
}

impl Case {
    fn start(partitions: i32) -> Option<Self> {
        Kafka::shared().map(|kafka| Self::on(kafka, partitions))
    }

    fn on(kafka: Kafka, partitions: i32) -> Self {
        let (topic, group) = (kafka.topic("shared", partitions), unused_name("readers"));
        let environment = Environment::new().set("KAFKA_BOOTSTRAP_SERVERS", &kafka.brokers);
        Self { kafka, topic, group, environment }
    }

    fn put(&self, values: &[&str]) {
        let records: Vec<_> = values.iter().map(|value| text(&self.topic, "k", value)).collect();
        put(&self.kafka.brokers, &records);
    }

    fn arguments<'a>(&'a self, further: &[&'a str]) -> Vec<&'a str> {
        let read = ["tail", &self.topic, "--group", &self.group, "-o", "raw", "--timeout", "60s"];
        [&read[..], further].concat()
    }

    fn tail(&self, further: &[&str]) -> Outcome {
        self.environment.run(self.arguments(further))
    }

    /// The group's position in the first partition.
    fn position(&self) -> Option<i64> {
        let lag = self.environment.run(["lag", &self.group, "-o", "json"]).expect(0).json();
        lag["partitions"][0]["committed"].as_i64()
    }
}

#[test]
fn each_run_goes_on_where_the_one_before_it_ended() {
    let Some(case) = Case::start(1) else { return };
    case.put(&["a", "b", "c"]);
    let first = case.tail(&["--from", "beginning", "-n", "2"]).expect(0);
    assert_eq!(first.out(), "a\nb\n");
    assert_eq!(case.position(), Some(2), "what was fetched beyond the second is not committed");
    assert_eq!(case.tail(&["--until", "end"]).expect(0).out(), "c\n");
    assert_eq!(case.tail(&["--until", "end"]).expect(0).out(), "");
    case.put(&["d"]);
    assert_eq!(case.tail(&["--idle", "3s"]).expect(0).out(), "d\n");
    assert_eq!(case.position(), Some(4));
}

#[test]
fn without_a_position_a_group_starts_where_from_says() {
    let Some(case) = Case::start(1) else { return };
    case.put(&["a"]);
    assert_eq!(case.tail(&["--from", "end", "--until", "end"]).expect(0).out(), "");
    let waiting = case.environment.start(case.arguments(&["-n", "1"]));
    waiting.wait_for(Stream::Err, "as a member of group");
    case.put(&["b"]);
    assert_eq!(waiting.finish().expect(0).out(), "b\n");
}

#[test]
fn what_could_not_be_printed_is_not_committed() {
    let Some(case) = Case::start(1) else { return };
    case.put(&["a", "b"]);
    let script =
        format!("\"$DWCTL\" {} > /dev/full", case.arguments(&["--from", "beginning"]).join(" "));
    let outcome = case.environment.bash(&script).finish().expect(2);
    assert!(outcome.err().contains("No space left on device"), "{outcome}");
    assert_eq!(case.tail(&["--until", "end"]).expect(0).out(), "a\nb\n");
}

#[test]
fn a_member_that_is_killed_has_committed_no_more_than_it_printed() {
    let Some(case) = Case::start(1) else { return };
    let values: Vec<String> = (0..500).map(|index| index.to_string()).collect();
    case.put(&values.iter().map(String::as_str).collect::<Vec<_>>());
    let reading = case.environment.start(case.arguments(&["--from", "beginning"]));
    reading.wait_for(Stream::Out, "100");
    reading.signal(Signal::KILL);
    let printed = reading.finish().out().lines().count() as i64;
    // Nothing may have been committed at all.
    let lag = case.environment.run(["lag", &case.group, "-o", "json"]).expect(0).json();
    if let Some(position) = lag["partitions"][0]["committed"].as_i64() {
        assert!(position <= printed, "{position} committed, {printed} printed");
    }
    let rest = case.tail(&["--until", "end"]).expect(0);
    let first: i64 = rest.out().lines().next().map_or(500, |line| line.parse().unwrap());
    assert!(first <= printed, "from {first} on after {printed} were printed");
    assert_eq!(rest.out().lines().count() as i64, 500 - first);
}

#[test]
fn a_signal_commits_what_was_printed_and_leaves_the_group() {
    let Some(case) = Case::start(1) else { return };
    case.put(&["a", "b"]);
    let reading = case.environment.start(case.arguments(&["--from", "beginning"]));
    reading.wait_for(Stream::Out, "b");
    reading.signal(Signal::INT);
    drop(reading.finish().expect(130));
    assert_eq!(case.position(), Some(2));
    let lag = case.environment.run(["lag", &case.group, "-o", "json"]).expect(0).json();
    assert_eq!((&lag["state"], &lag["members"]), (&"Empty".into(), &0.into()));
}

#[test]
fn a_broker_that_hangs_does_not_hold_the_deadline() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let case = Case::on(own.start(), 1);
    case.put(&["a", "b"]);
    let read = ["tail", &case.topic, "--group", &case.group, "-o", "raw", "--from", "beginning"];
    let member = case.environment.start([&read[..], &["-n", "3", "--timeout", "10s"]].concat());
    // Its deadline is two seconds later and it has no group: who is held by one ends after it.
    let later = ["tail", &case.topic, "-o", "raw", "-n", "1", "--timeout", "12s"];
    let later = case.environment.start(later);
    later.wait_for(Stream::Err, "waiting for new records");
    member.wait_for(Stream::Out, "b");
    own.pause();
    drop(later.finish().expect(7));
    assert!(member.has_ended(), "still held after the deadline");
    drop(member.finish().expect(7));
    own.resume();
    // What it had committed before is passed by; nothing else is.
    case.put(&["c"]);
    let rest = case.tail(&["--from", "beginning", "--until", "end"]).expect(0);
    assert!(["c\n", "a\nb\nc\n"].contains(&rest.out()), "{rest}");
}

#[test]
fn a_filter_passes_by_what_it_does_not_print() {
    let Some(case) = Case::start(1) else { return };
    case.put(&[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#]);
    let arguments = ["--from", "beginning", "--match", "n=2", "--until", "end"];
    assert_eq!(case.tail(&arguments).expect(0).out(), "{\"n\":2}\n");
    assert_eq!(case.position(), Some(3));
}

#[test]
fn two_members_share_the_partitions_and_print_every_record() {
    let Some(case) = Case::start(2) else { return };
    let first = case.environment.start(case.arguments(&["--from", "beginning"]));
    first.wait_for(Stream::Err, "as a member of group");
    let second = case.environment.start(case.arguments(&["--from", "beginning"]));
    second.wait_for(Stream::Err, "as a member of group");
    let values: Vec<String> = (0..40).map(|index| format!("value-{index}-")).collect();
    let keys: Vec<String> = (0..40).map(|index| index.to_string()).collect();
    let records: Vec<_> =
        keys.iter().zip(&values).map(|(key, value)| text(&case.topic, key, value)).collect();
    put(&case.kafka.brokers, &records);
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    loop {
        let lag = case.environment.run(["lag", &case.group, "-o", "json"]).expect(0).json();
        let committed = lag["partitions"].as_array().unwrap();
        if lag["lag"] == 0 && committed.len() == 2 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{lag}");
    }
    let mut printed = String::new();
    for member in [first, second] {
        member.signal(Signal::INT);
        printed += member.finish().expect(130).out();
    }
    for value in values {
        assert!(printed.contains(&value), "{value} was printed by nobody:\n{printed}");
    }
}

#[test]
fn the_embedded_broker_has_groups_too() {
    let stack = Stack::start();
    let send = ["send", "bias", "--dataset-id", "d", "--user-id", "u"];
    stack.run(send).must_succeed();
    stack.run(send).must_succeed();
    let tail =
        ["tail", "bias", "--group", "g", "--from", "beginning", "--until", "end", "-o", "raw"];
    assert_eq!(stack.run(tail).expect(0).out().lines().count(), 2);
    assert_eq!(stack.run(["lag", "g"]).expect(0).out().lines().last(), Some("g: 0 unread"));
}

#[test]
fn positions_that_a_group_cannot_have_are_refused() {
    let environment = Environment::new();
    for (arguments, words) in [
        (&["--from", "-3"][..], "--from beside --group can only be beginning or end"),
        (&["--until", "now"], "--until beside --group can only be end"),
        (&["--last", "3"], "cannot be used with"),
        (&["-p", "0"], "cannot be used with"),
    ] {
        let all = [&["tail", "t", "--group", "g"], arguments].concat();
        let outcome = environment.run(all).expect(2);
        assert!(outcome.err().contains(words), "{outcome}");
    }
}
