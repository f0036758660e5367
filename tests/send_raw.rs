//! `dwctl send raw`: every line accounted for, and records that `tail -o json` wrote arriving as they
//! were, byte for byte.

use std::time::{Duration, Instant};

use dwctl::base::Deadline;
use dwctl::kafka::{Durability, Outgoing, Producer, Properties};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message, OwnedMessage};
use rdkafka::{Offset, TopicPartitionList};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::PATIENCE;

use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, unused_name};
use crate::support::run::{Outcome, Stream};
use crate::support::stack::Stack;

/// A linear congruential generator: records that differ, the same on every run.
struct Lottery(u64);

impl Lottery {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A record with its own memory.
#[derive(Debug, PartialEq)]
struct Sample {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
    timestamp: i64,
}

/// Records of every kind that is easily lost on the way through text.
fn samples(count: usize) -> Vec<Sample> {
    let mut lottery = Lottery(11);
    let texts: Vec<Option<Vec<u8>>> = [
        &b""[..],
        b"plain",
        b"null",
        b" null",
        b"true",
        b"\"a string\"",
        b" {\"padded\": 1} ",
        b"{\"a\": 1.10, \"b\": 1E5, \"c\": 12345678901234567890}",
        b"{\"nan\": NaN, \"inf\": -Infinity}",
        b"{\n  \"lines\": [1,\n 2]\n}",
        b"\xff\xfe\x00 no text",
        "μ\u{2028}\u{0}\u{7f}\"\\".as_bytes(),
        b"{\"dup\": 1, \"dup\": 2}",
    ]
    .into_iter()
    .map(|text| Some(text.to_vec()))
    .chain([None, Some(vec![b'x'; 1 << 20])])
    .collect();
    let header = |lottery: &mut Lottery| {
        let name = lottery.pick(&["h", "h", "", "μ \"quoted\""]).to_owned();
        (name, (lottery.below(4) > 0).then(|| lottery.bytes(40)))
    };
    (0..count)
        .map(|n| {
            let is_known = n % 2 == 0;
            let (key, value) = if is_known {
                (lottery.pick(&texts[..texts.len() - 1]), texts[n / 2 % texts.len()].clone())
            } else {
                (Some(lottery.bytes(30)), Some(lottery.bytes(300)))
            };
            let headers = (0..lottery.below(4)).map(|_| header(&mut lottery)).collect();
            Sample { key, value, headers, timestamp: 1_700_000_000_000 + i64::try_from(n).unwrap() }
        })
        .collect()
}

fn fill(brokers: &str, topic: &str, partitions: i32, samples: &[Sample]) {
    let properties =
        Properties::new(brokers).set("message.max.bytes", "2097152").set("compression.type", "lz4");
    let mut producer = Producer::open(&properties, Durability::Acknowledged).unwrap();
    for (sample, partition) in samples.iter().zip((0..partitions).cycle()) {
        let headers: Vec<_> =
            sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        let record = Outgoing {
            topic,
            key: sample.key.as_deref(),
            value: sample.value.as_deref(),
            headers: &headers,
            partition: Some(partition),
            timestamp: Some(sample.timestamp),
        };
        producer.send(&record, Deadline::after(PATIENCE)).unwrap();
    }
}

/// What lies on a topic, as the library itself reads it: partition by partition, from its beginning.
fn stored(brokers: &str, topic: &str, partitions: i32) -> Vec<Vec<Sample>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "identity")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut found: Vec<Vec<Sample>> = (0..partitions).map(|_| Vec::new()).collect();
    let (end, mut ended) = (Instant::now() + PATIENCE, 0);
    while ended < partitions {
        assert!(Instant::now() < end, "{topic} is not read to its end");
        match consumer.poll(Duration::from_millis(100)) {
            None => {}
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(record) => {
                let record = record.unwrap().detach();
                found[usize::try_from(record.partition()).unwrap()].push(sample(&record));
            }
        }
    }
    found
}

fn sample(record: &OwnedMessage) -> Sample {
    let headers = record.headers().map_or_else(Vec::new, |headers| {
        let owned = |value: &[u8]| value.to_vec();
        headers.iter().map(|header| (header.key.to_owned(), header.value.map(owned))).collect()
    });
    Sample {
        key: record.key().map(<[u8]>::to_vec),
        value: record.payload().map(<[u8]>::to_vec),
        headers,
        timestamp: record.timestamp().to_millis().unwrap(),
    }
}

/// The lines of a topic in the order of partition and offset, without the topic's name.
fn lines(outcome: Outcome, topic: &str) -> Vec<String> {
    let name = format!("\"topic\":\"{topic}\",");
    let mut lines: Vec<String> =
        outcome.expect(0).out().lines().map(|line| line.replacen(&name, "", 1)).collect();
    lines.sort();
    lines
}

const ALL: [&str; 6] = ["--from", "beginning", "--until", "end", "-o", "json"];

/// Copies a topic through two processes and compares what both hold.
fn assert_identity(run: impl Fn(&[&str]) -> Outcome, from: &str, to: &str) {
    let environment = Environment::new();
    let original = run(&[&["tail", from][..], &ALL].concat());
    let file = environment.write("records.jsonl", &original.stdout);
    let sent = run(&["send", "raw", to, "--json", file.to_str().unwrap()]).expect(0);
    let before = lines(original, from);
    assert_eq!(sent.out(), format!("{} records acknowledged on {to}\n", before.len()));
    let after = lines(run(&[&["tail", to][..], &ALL].concat()), to);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn what_tail_wrote_is_sent_as_it_was_on_the_embedded_broker() {
    let stack = Stack::start();
    fill(&stack.brokers, "bias-events", 1, &samples(45));
    assert_identity(|arguments| stack.run(arguments), "bias-events", "xai-events");
}

#[test]
fn what_tail_wrote_is_sent_as_it_was_on_a_real_kafka() {
    let Some(kafka) = Kafka::shared() else { return };
    let (from, to) = (kafka.topic("identity", 3), kafka.topic("copy", 3));
    let samples = samples(180);
    fill(&kafka.brokers, &from, 3, &samples);
    let run =
        |arguments: &[&str]| Environment::new().run([arguments, &["-b", &kafka.brokers]].concat());
    assert_identity(run, &from, &to);
    // And not only in the eyes of the program that copied it.
    let mut expected: Vec<Vec<Sample>> = (0..3).map(|_| Vec::new()).collect();
    for (sample, partition) in samples.into_iter().zip((0..3).cycle()) {
        expected[partition].push(sample);
    }
    let found = stored(&kafka.brokers, &to, 3);
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found, expected);
}

/// Sends lines of JSON to a topic of a real Kafka.
fn send_json(kafka: &Kafka, topic: &str, lines: &str) -> Outcome {
    let environment = Environment::new();
    let input = environment.write("in", lines);
    let words = ["send", "raw", topic, "--json", "-o", "json", "-b", &kafka.brokers];
    environment.run([&words[..], &[input.to_str().unwrap()]].concat())
}

#[test]
fn a_record_that_the_broker_refuses_takes_no_other_of_its_batch_along() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic("bad-time", 1);
    // Kafka takes no time that is far ahead.
    let times = [1_700_000_000_001, 1_700_000_000_002, 9_999_999_999_999, 1_700_000_000_004_i64];
    let lines: String =
        times.iter().map(|time| format!("{{\"value\":1,\"timestamp\":{time}}}\n")).collect();
    let told = send_json(&kafka, &topic, &lines).expect(9).json();
    assert_eq!((&told["acknowledged"], &told["refused"]), (&3.into(), &1.into()), "{told}");
    let mut stored: Vec<i64> =
        stored(&kafka.brokers, &topic, 1)[0].iter().map(|sample| sample.timestamp).collect();
    stored.sort_unstable();
    assert_eq!(stored, [times[0], times[1], times[3]]);
}

#[test]
fn a_topic_that_takes_small_batches_only_gets_every_record_that_fits() {
    let Some(kafka) = Kafka::shared() else { return };
    let topic = kafka.topic_with("small-batches", &[("max.message.bytes", "2000")]);
    let environment = Environment::new();
    let lines: String = (0..100).map(|n| format!("{n}-{}\n", "x".repeat(400))).collect();
    let input = environment.write("in", lines + &"y".repeat(9_000));
    let words = ["send", "raw", &topic, "-z", "none", "-o", "json", "-b", &kafka.brokers];
    let told = environment.run([&words[..], &[input.to_str().unwrap()]].concat()).expect(9).json();
    assert_eq!((&told["acknowledged"], &told["refused"]), (&100.into(), &1.into()), "{told}");
    assert_eq!(stored(&kafka.brokers, &topic, 1)[0].len(), 100);
}

#[test]
fn a_partition_that_no_record_could_reach_is_refused_before_anything_is_read() {
    let stack = Stack::start();
    let outcome = stack.run(["send", "raw", "xai-events", "-p", "9", "/dev/null"]).expect(3);
    assert!(outcome.err().contains("no partition 9: it has 1"), "{outcome}");
}

#[test]
fn a_file_that_is_read_is_not_emptied_for_what_is_rejected() {
    let stack = Stack::start();
    let files = Environment::new();
    let input = files.write("in", "nonsense\n");
    let path = input.to_str().unwrap();
    let outcome =
        stack.run(["send", "raw", "xai-events", "--json", path, "--reject", path]).expect(2);
    assert!(outcome.err().contains("which is read"), "{outcome}");
    assert_eq!(std::fs::read_to_string(input).unwrap(), "nonsense\n");
}

#[test]
fn a_full_disk_for_what_is_rejected_ends_it_with_what_was_acknowledged() {
    let stack = Stack::start();
    let files = Environment::new();
    let input = files.write("in", format!("{{\"value\":1}}\n{}", "nonsense\n".repeat(10_000)));
    let words = ["send", "raw", "xai-events", "--json", "--reject", "/dev/full"];
    let outcome = stack.run([&words[..], &[input.to_str().unwrap()]].concat()).expect(2);
    assert_eq!(outcome.out(), "1 record acknowledged on xai-events\n");
    assert!(outcome.err().contains("failed to write /dev/full"), "{outcome}");
    assert!(outcome.err().contains("1 acknowledged, 0 not acknowledged"), "{outcome}");
}

#[test]
fn keys_headers_and_files_become_records_in_their_order() {
    let stack = Stack::start();
    let files = Environment::new();
    let (one, two) = (files.write("one", "a:1\nb:2\n"), files.write("two", "3"));
    let sent = stack.run([
        "send",
        "raw",
        "xai-events",
        "-K",
        ":",
        "-H",
        "from=test",
        one.to_str().unwrap(),
        two.to_str().unwrap(),
    ]);
    assert_eq!(
        sent.expect(0).out(),
        "3 records acknowledged on xai-events
"
    );
    let shown = stack.run(["tail", "xai-events", "--until", "end", "--format", "%k=%s %h\\n"]);
    assert_eq!(shown.expect(0).out(), "a=1 from=test\nb=2 from=test\n=3 from=test\n");
}

#[test]
fn lines_that_are_no_records_are_kept_and_make_it_partial() {
    let stack = Stack::start();
    let files = Environment::new();
    let input = files.write("in", "{\"value\":1}\nnonsense\n{\"partition\":7,\"value\":2}\n");
    let rejected = files.path("rejected");
    let outcome = stack
        .run([
            "send",
            "raw",
            "xai-events",
            "--json",
            input.to_str().unwrap(),
            "--reject",
            rejected.to_str().unwrap(),
            "-o",
            "json",
        ])
        .expect(9);
    let told = outcome.json();
    assert_eq!(
        (&told["acknowledged"], &told["invalid"], &told["refused"]),
        (&1.into(), &1.into(), &1.into())
    );
    let kept = std::fs::read_to_string(rejected).unwrap();
    let numbers: Vec<i64> = kept
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["line"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [2, 3], "{kept}");
}

#[test]
fn a_topic_that_is_not_there_is_not_made() {
    let stack = Stack::start();
    let topic = unused_name("raw");
    let outcome = stack.run(["send", "raw", &topic, "/dev/null"]).expect(3);
    assert!(outcome.err().contains(&topic), "{outcome}");
    let looked = stack.run(["topics", &topic]).expect(3);
    assert!(looked.stdout.is_empty(), "{looked}");
}

#[test]
fn a_stop_tells_what_was_acknowledged() {
    let stack = Stack::start();
    let mut sending = stack.start_with_input(["send", "raw", "xai-events"]);
    sending.write("a\nb\n");
    let shown = stack.run(["tail", "xai-events", "--from", "beginning", "-n", "2", "-o", "raw"]);
    assert_eq!(shown.expect(0).out(), "a\nb\n");
    sending.signal(Signal::INT);
    // Its input stays open until it has said so: the stop is not the end of the input.
    sending.wait_for(Stream::Err, "2 acknowledged, 0 not acknowledged");
    let outcome = sending.finish().expect(130);
    assert_eq!(outcome.out(), "2 records acknowledged on xai-events\n");
}

#[test]
fn lines_that_nobody_acknowledged_are_kept_by_their_numbers() {
    let stack = Stack::start();
    let files = Environment::new();
    let rejects = files.path("rejects");
    let words = ["send", "raw", "xai-events", "--timeout", "60s", "--reject"];
    let mut sending = stack.start_with_input([&words[..], &[rejects.to_str().unwrap()]].concat());
    sending.write("a\n");
    let shown = stack.run(["tail", "xai-events", "--from", "beginning", "-n", "1", "-o", "raw"]);
    assert_eq!(shown.expect(0).out(), "a\n");
    drop(stack.stop(Signal::KILL));
    sending.write("b\nc\n");
    let outcome = sending.finish().expect(6);
    assert!(outcome.err().contains("1 acknowledged, 2 not acknowledged"), "{outcome}");
    assert!(!outcome.err().contains("advertise"), "it went away: {outcome}");
    let kept = std::fs::read_to_string(rejects).unwrap();
    let lines: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["line"], &lines[1]["line"]), (&json!(2), &json!(3)), "{kept}");
    assert_eq!(lines.len(), 2, "{kept}");
}

#[test]
fn what_would_prove_less_than_it_says_is_refused() {
    let environment = Environment::new();
    environment.write("in", "a\n");
    for (flag, words) in [
        (&["-X", "acks=0"][..], "with acks=0 a record would count as acknowledged"),
        (&["-X", "acks=1"], "with acks=1"),
        (&["-b", "http://127.0.0.1:1"], "brokers speak no HTTP"),
        (&["-K", r"\q"], r"there is no escape \q"),
    ] {
        let outcome = environment.run([&["send", "raw", "t", "in"], flag].concat());
        assert!(outcome.err().contains(words), "{outcome}");
    }
}

#[test]
fn the_pretty_form_of_a_sent_line_is_its_text() {
    let stack = Stack::start();
    let reader = stack.start_client(["tail", "xai-events", "--from", "beginning", "-n", "1"]);
    let files = Environment::new();
    let input = files.write("in", "hello\n");
    stack.run(["send", "raw", "xai-events", input.to_str().unwrap()]).must_succeed();
    reader.wait_for(Stream::Out, "  Event=hello");
    reader.finish().must_succeed();
}
