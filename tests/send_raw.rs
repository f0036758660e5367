//! `dwctl send raw`: every line accounted for, and records that `tail -o json` wrote arriving as they
//! were, byte for byte.

use dwctl::kafka::Outgoing;
use rustix::process::Signal;

use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, unused_name};
use crate::support::records::put;
use crate::support::run::{Outcome, Stream};
use crate::support::stack::Stack;

/// A linear congruential generator: records that differ, the same on every run.
struct Lottery(u64);

impl Lottery {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A record with its own memory.
struct Sample {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(&'static str, Option<&'static [u8]>)>,
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
    .chain([None, Some(vec![b'x'; 700_000])])
    .collect();
    let headers: [(&'static str, Option<&'static [u8]>); 5] = [
        ("h", Some(b"1")),
        ("h", Some(b"2")),
        ("h", None),
        ("", Some(b"")),
        ("bin", Some(b"\xff")),
    ];
    (0..count)
        .map(|n| Sample {
            key: lottery.pick(&texts[..texts.len() - 1]),
            value: texts[n % texts.len()].clone(),
            headers: (0..lottery.below(4)).map(|_| lottery.pick(&headers)).collect(),
            timestamp: 1_700_000_000_000 + i64::try_from(n).unwrap(),
        })
        .collect()
}

fn fill(brokers: &str, topic: &str, partitions: i32, samples: &[Sample]) {
    let records: Vec<Outgoing<'_>> = samples
        .iter()
        .zip((0..partitions).cycle())
        .map(|(sample, partition)| Outgoing {
            topic,
            key: sample.key.as_deref(),
            value: sample.value.as_deref(),
            headers: &sample.headers,
            partition: Some(partition),
            timestamp: Some(sample.timestamp),
        })
        .collect();
    put(brokers, &records);
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
    fill(&kafka.brokers, &from, 3, &samples(90));
    let run =
        |arguments: &[&str]| Environment::new().run([arguments, &["-b", &kafka.brokers]].concat());
    assert_identity(run, &from, &to);
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
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["line"].as_i64().unwrap()
        })
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
fn the_pretty_form_of_a_sent_line_is_its_text() {
    let stack = Stack::start();
    let reader = stack.start_client(["tail", "xai-events", "--from", "beginning", "-n", "1"]);
    let files = Environment::new();
    let input = files.write("in", "hello\n");
    stack.run(["send", "raw", "xai-events", input.to_str().unwrap()]).must_succeed();
    reader.wait_for(Stream::Out, "  Event=hello");
    reader.finish().must_succeed();
}
