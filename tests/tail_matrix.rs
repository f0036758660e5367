//! Every stop rule of `dwctl tail` on every state in which a topic can be, on a real Apache Kafka: what
//! is printed and with which code it ends. That it ends at all is watched over by each run's patience.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use dwctl::base::Deadline;
use dwctl::kafka::{Durability, Outgoing, Producer};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::support::PATIENCE;
use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, OwnKafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Running, Stream};

/// A topic and the values on it that are to be seen.
struct Case<'a> {
    kafka: &'a Kafka,
    environment: Environment,
    topic: &'a str,
    values: &'a [&'a str],
}

impl<'a> Case<'a> {
    fn new(kafka: &'a Kafka, topic: &'a str, values: &'a [&'a str]) -> Self {
        Self { kafka, environment: Environment::new(), topic, values }
    }

    fn start(&self, flags: &str) -> Running {
        let line = format!("tail {} -o raw -q -b {} {flags}", self.topic, self.kafka.brokers);
        self.environment.start(line.split_whitespace())
    }

    /// Every rule, all of them at once.
    #[track_caller]
    fn holds_for_every_rule(&self) {
        let (all, more) = (self.values.len(), self.values.len() + 1);
        let mut rules = vec![
            (format!("--from beginning -n {more} --timeout 4s"), 7),
            (format!("--until end -n {more}"), 0),
            ("--until end".to_owned(), 0),
            ("--from beginning --idle 2s".to_owned(), 0),
            (format!("--from beginning --idle 2s -n {more}"), 0),
            ("--from beginning --timeout 4s".to_owned(), 0),
            (format!("--until end --at-least {all}"), 0),
            (format!("--until end --at-least {more}"), 8),
            (format!("--from beginning --idle 2s --at-least {all}"), 0),
            (format!("--from beginning --idle 2s --at-least {more}"), 8),
            (format!("--from beginning --timeout 4s --at-least {more}"), 7),
            (format!("--until end --at-most {all}"), 0),
            (format!("--from beginning --idle 2s --at-most {all}"), 0),
            (format!("--from beginning --timeout 4s --at-least {all} --at-most {all}"), 0),
        ];
        if all > 0 {
            rules.push((format!("--from beginning -n {all}"), 0));
            // It stops at the first that is too many, which is shown.
            let less = all - 1;
            rules.push((format!("--from beginning --at-most {less}"), 8));
            rules.push((format!("--until end --at-most {less} --at-least {less}"), 8));
        }
        // Each as a member of a group of its own.
        for (flags, code) in [
            ("--until end".to_owned(), 0),
            ("--idle 2s".to_owned(), 0),
            (format!("--until end --at-least {more}"), 8),
            (format!("-n {more} --timeout 12s"), 7),
            (format!("--until end --at-most {all}"), 0),
        ] {
            let group = unused_name("group");
            rules.push((format!("--group {group} --from beginning {flags}"), code));
        }
        let running: Vec<Running> = rules.iter().map(|(flags, _)| self.start(flags)).collect();
        for ((flags, code), running) in rules.iter().zip(running) {
            assert_ended(flags, running.finish(), self.values, *code);
        }
    }

    /// One rule whose outcome is of this case alone.
    #[track_caller]
    fn holds_for(&self, flags: &str, values: &[&str], code: i32) {
        assert_ended(flags, self.start(flags).finish(), values, code);
    }
}

/// Partitions answer in any order.
#[track_caller]
fn assert_ended(flags: &str, outcome: Outcome, values: &[&str], code: i32) {
    let outcome = outcome.expect(code);
    let mut shown: Vec<&str> = outcome.out().lines().collect();
    shown.sort_unstable();
    assert_eq!(shown, values, "{flags}: {outcome}");
    assert_eq!(outcome.err().is_empty(), code == 0, "{flags}: {outcome}");
}

fn in_partition<'a>(topic: &'a str, partition: i32, value: &'a str) -> Outgoing<'a> {
    Outgoing { partition: Some(partition), ..text(topic, "k", value) }
}

#[test]
fn an_empty_topic() {
    let Some(kafka) = Kafka::shared() else { return };
    Case::new(&kafka, &kafka.topic("empty", 2), &[]).holds_for_every_rule();
}

#[test]
fn empty_partitions_beside_one_with_records() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("empty-partition", 3);
    put(&kafka.brokers, &["a", "b"].map(|value| in_partition(&topic, 1, value)));
    Case::new(&kafka, &topic, &["a", "b"]).holds_for_every_rule();
}

#[test]
fn a_short_partition_beside_a_long_one() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("short-partition", 2);
    put(&kafka.brokers, &["a", "b", "c", "d"].map(|value| in_partition(&topic, 0, value)));
    put(&kafka.brokers, &[in_partition(&topic, 1, "e")]);
    let case = Case::new(&kafka, &topic, &["a", "b", "c", "d", "e"]);
    case.holds_for_every_rule();
    case.holds_for("--from 3 --until end", &["d"], 0);
    case.holds_for("--from=-2 --until end", &["c", "d", "e"], 0);
    case.holds_for("--from 0=1,1=0 --until 0=2,1=1", &["b", "e"], 0);
    // The short one has no offset 1 yet, for which it is waited.
    case.holds_for("--until 2 --timeout 4s", &["a", "b", "e"], 0);
    case.holds_for("--until 2 --idle 2s --at-least 4", &["a", "b", "e"], 8);
}

/// Sends values in a transaction each; `true` commits it.
fn put_in_transactions(kafka: &Kafka, topic: &str, values: &[(&str, bool)]) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("transactional.id", unused_name("transactions"))
        .create()
        .unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    for (value, commits) in values {
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::<str, str>::to(topic).partition(0).payload(*value)).unwrap();
        producer.flush(PATIENCE).unwrap();
        if *commits {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
}

#[test]
fn a_committed_transaction_at_the_tail() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("committed", 1);
    put(&kafka.brokers, &[text(&topic, "k", "a")]);
    put_in_transactions(&kafka, &topic, &[("b", true)]);
    Case::new(&kafka, &topic, &["a", "b"]).holds_for_every_rule();
}

#[test]
fn aborted_transactions_at_the_tail() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("aborted", 1);
    put(&kafka.brokers, &[text(&topic, "k", "a")]);
    put_in_transactions(&kafka, &topic, &[("b", true), ("lost", false), ("lost too", false)]);
    let case = Case::new(&kafka, &topic, &["a", "b"]);
    case.holds_for_every_rule();
    let everything = ["a", "b", "lost", "lost too"];
    case.holds_for("--until end --isolation uncommitted", &everything, 0);
    case.holds_for("--until end --isolation uncommitted --at-least 5", &everything, 8);
}

#[test]
fn nothing_but_aborted_transactions() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("all-aborted", 1);
    put_in_transactions(&kafka, &topic, &[("lost", false), ("lost too", false)]);
    Case::new(&kafka, &topic, &[]).holds_for_every_rule();
}

/// A topic of which the cleaner takes what a newer record of the same key replaces, as soon as it can.
fn compacted_topic(kafka: &Kafka) -> String {
    let settings = [
        ("cleanup.policy", "compact"),
        ("min.cleanable.dirty.ratio", "0.001"),
        // The cleaner leaves the newest segment alone, and a record begins a new one where its time
        // is so much later than that of the segment's first.
        ("segment.ms", "100"),
    ];
    kafka.topic_with("compacted", &settings)
}

#[test]
fn a_compacted_tail() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = compacted_topic(&kafka);
    let begin = 1_795_439_960_000;
    let records: Vec<Outgoing<'_>> =
        [("a", "a"), ("k", "old"), ("k", "older"), ("k", "b"), ("l", "c")]
            .into_iter()
            .zip(0..)
            .map(|((key, value), second)| Outgoing {
                timestamp: Some(begin + second * 1_000),
                ..text(&topic, key, value)
            })
            .collect();
    put(&kafka.brokers, &records);
    let case = Case::new(&kafka, &topic, &["a", "b", "c"]);
    let end = Instant::now() + PATIENCE;
    loop {
        let outcome = case.start("--until end").finish().expect(0);
        if outcome.out() == "a\nb\nc\n" {
            break;
        }
        assert!(Instant::now() < end, "the cleaner did not come:\n{outcome}");
    }
    case.holds_for_every_rule();
    // Ends in the hole that the cleaner left, and starts there.
    case.holds_for("--until 2", &["a"], 0);
    case.holds_for("--until 2 --at-least 2", &["a"], 8);
    case.holds_for("--from 2 --until end", &["b", "c"], 0);
    case.holds_for("--from 1 --until 3", &[], 0);
}

#[test]
fn a_live_producer() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("live", 1);
    put(&kafka.brokers, &["0", "1", "2"].map(|value| text(&topic, "k", value)));
    let case = Case::new(&kafka, &topic, &[]);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let live = scope.spawn(|| {
            let mut producer =
                Producer::open(&kafka.properties(), Durability::Acknowledged).unwrap();
            let mut sent = 3;
            while !is_over.load(Ordering::Relaxed) {
                let value = sent.to_string();
                let record = text(&topic, "k", &value);
                producer.send(&record, Deadline::after(PATIENCE)).unwrap();
                sent += 1;
            }
            sent
        });
        let idle = case.start("--from beginning --idle 2s --at-least 4");
        let rules = [
            ("--until end", 0),
            ("--until end --at-least 3", 0),
            ("--until end --at-least 9999999", 8),
            ("--from beginning --timeout 4s", 0),
            ("--from beginning --timeout 4s -n 9999999", 7),
            ("--from beginning --timeout 4s --idle 3s", 0),
            ("--from beginning -n 20", 0),
            ("--from beginning -n 20 --at-least 20", 0),
        ];
        let running = rules.map(|(flags, _)| case.start(flags));
        for ((flags, code), running) in rules.into_iter().zip(running) {
            let shown = assert_counts_up(flags, &running.finish().expect(code));
            assert!(shown >= 3, "{flags}: {shown} records, of which three were there before");
            assert!(!flags.contains("-n 20") || shown == 20, "{flags}: {shown} records");
        }
        is_over.store(true, Ordering::Relaxed);
        let sent = live.join().unwrap();
        let shown = assert_counts_up("--idle", &idle.finish().expect(0));
        assert_eq!(shown, sent, "silence came only with the end of the producer");
    });
}

/// Every record from the first on, without a gap; says how many.
#[track_caller]
fn assert_counts_up(flags: &str, outcome: &Outcome) -> usize {
    let shown: Vec<&str> = outcome.out().lines().collect();
    let expected: Vec<String> = (0..shown.len()).map(|n| n.to_string()).collect();
    assert_eq!(shown, expected, "{flags}");
    shown.len()
}

#[test]
fn a_broker_that_stops_and_comes_back() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let kafka = own.start();
    let topic = kafka.topic("outage", 1);
    put(&kafka.brokers, &["a", "b"].map(|value| text(&topic, "k", value)));
    let case = Case::new(&kafka, &topic, &[]);
    // What ends while the broker is away, and what outlasts it.
    let during = [("--from beginning --timeout 8s", 0), ("--from beginning --timeout 8s -n 3", 7)];
    let after = [
        ("--from beginning -n 3", 0),
        ("--until 3", 0),
        ("--until 3 --at-least 3", 0),
        ("--from beginning --idle 10s --max-outage 5m", 0),
        ("--from beginning --idle 10s --at-least 4", 8),
    ];
    let [during_running, after_running] = [&during[..], &after[..]]
        .map(|rules| rules.iter().map(|(flags, _)| case.start(flags)).collect::<Vec<Running>>());
    for running in during_running.iter().chain(&after_running) {
        running.wait_for(Stream::Out, "b");
    }
    own.kill();
    for ((flags, code), running) in during.into_iter().zip(during_running) {
        assert_ended(flags, running.finish(), &["a", "b"], code);
    }
    own.start();
    put(&kafka.brokers, &[text(&topic, "k", "c")]);
    for ((flags, code), running) in after.into_iter().zip(after_running) {
        assert_ended(flags, running.finish(), &["a", "b", "c"], code);
    }
}
