//! Code 10: a real Kafka that asks who one is, and allows each user something else.

use crate::support::environment::Environment;
use crate::support::kafka::OwnKafka;
use crate::support::records::{put, text};
use crate::support::run::Outcome;

/// May read topics but join no group; may see topics but not read them; may nothing; may all.
const USERS: &[&str] = &["loner", "watcher", "nobody", "member"];

struct House {
    kafka: OwnKafka,
    topic: String,
}

impl House {
    /// A topic with one record, and what each user may do.
    fn open() -> Option<Self> {
        let mut kafka = OwnKafka::planned()?.guarded(USERS);
        let plain = kafka.start();
        let topic = plain.topic("guarded", 1);
        put(&plain.brokers, &[text(&topic, "k", "v")]);
        kafka.allow("loner", &["--operation", "Read", "--topic", "*"]);
        kafka.allow("watcher", &["--operation", "Describe", "--topic", "*"]);
        kafka.allow("watcher", &["--operation", "Read", "--group", "*"]);
        kafka.allow("member", &["--operation", "All", "--topic", "*", "--group", "*"]);
        Some(Self { kafka, topic })
    }

    fn run(&self, user: &str, arguments: &[&str]) -> Outcome {
        Self::run_with(&self.kafka.flags_of(user), arguments)
    }

    fn run_with(flags: &[String], arguments: &[&str]) -> Outcome {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Environment::new().run([arguments, &flags, &["--timeout", "20s"]].concat())
    }

    #[track_caller]
    fn is_denied(&self, user: &str, arguments: &[&str], words: &str) {
        let outcome = self.run(user, arguments).expect(10);
        assert!(outcome.err().contains(words), "{words:?} is not in {outcome}");
    }
}

const BOUNDED: [&str; 6] = ["--from", "beginning", "--until", "end", "-o", "raw"];

#[test]
fn whoever_may_not_is_told_so_with_code_10() {
    let Some(house) = House::open() else { return };
    let topic = house.topic.as_str();
    let tail = [&["tail", topic], &BOUNDED[..]].concat();
    let in_group = [&tail[..], &["--group", "g"]].concat();
    let send = [
        "send",
        "bias",
        "--dataset-id",
        "d",
        "--user-id",
        "u",
        "--dialect",
        "flat",
        "--topic",
        topic,
    ];
    let file = Environment::new();
    let lines = file.write("lines", "x\n".repeat(3_000));
    let raw = ["send", "raw", topic, lines.to_str().unwrap()];

    // Nothing in a list of topics says that there is one which one may not see.
    house.is_denied("nobody", &tail, &format!("failed to see topic {topic:?}"));
    house.is_denied("nobody", &in_group, "topic authorization failed");
    house.is_denied("nobody", &["topics", topic], &format!("failed to see topic {topic:?}"));
    house.is_denied("nobody", &send, &format!("failed to send to {topic:?}"));
    house.is_denied("nobody", &raw, "topic authorization failed");
    house.is_denied("nobody", &["wait", topic, "--match", "a=b"], "topic authorization failed");
    assert_eq!(house.run("nobody", &["topics"]).expect(0).out().lines().count(), 1);

    // A role's topics are no other, and are not waited for.
    for role in [
        &["tail", "automl"][..],
        &["tail", "automl", "--until", "end"],
        &["tail", "automl", "--group", "g"],
        &["wait", "automl", "--match", "a=b"],
        &["wait", "automl", "--cursor"],
        &["forward"],
    ] {
        house.is_denied("nobody", role, "failed to see topic \"automl-");
    }

    house.is_denied("watcher", &tail, &format!("failed to read {topic:?}"));
    house.is_denied("watcher", &in_group, "topic authorization failed");
    // It is refused by the broker, and once: not each of the lines on its own.
    house.is_denied("watcher", &raw, "0 acknowledged");
    house.run("watcher", &["topics", topic]).must_succeed();

    assert_eq!(house.run("loner", &tail).expect(0).out(), "v\n");
    house.is_denied("loner", &in_group, "group authorization failed");
    house.is_denied("loner", &send, &format!("failed to send to {topic:?}"));
}

#[test]
fn a_wrong_password_is_told_so_with_code_10() {
    let Some(house) = House::open() else { return };
    let wrong = ["-X", "sasl.password=wrong"];
    let flags = house.kafka.flags_of("loner");
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let arguments = [&["tail", &house.topic], &BOUNDED[..], &flags, &wrong].concat();
    let outcome = Environment::new().run(arguments).expect(10);
    assert!(outcome.err().to_lowercase().contains("authentication"), "{outcome}");
    assert!(!outcome.to_string().contains("wrong"), "{outcome}");
}

#[test]
fn over_tls_whoever_logs_in_sends_and_reads_and_joins_a_group() {
    let Some(house) = House::open() else { return };
    let topic = house.topic.as_str();
    let member = house.kafka.sealed_flags_of("member");
    let send = [
        "send",
        "bias",
        "--dataset-id",
        "d",
        "--user-id",
        "u",
        "--dialect",
        "flat",
        "--topic",
        topic,
        "-o",
        "json",
    ];
    House::run_with(&member, &send).must_succeed();
    let tail = [&["tail", topic], &BOUNDED[..]].concat();
    let whole = House::run_with(&member, &tail).expect(0);
    let read = whole.out();
    assert!(read.starts_with("v\n{") && read.contains(r#""dataset_id":"d""#), "{read}");
    let in_group = ["tail", topic, "--group", "g", "--from", "beginning", "-n", "2", "-o", "raw"];
    assert_eq!(House::run_with(&member, &in_group).expect(0).out(), read);
    // The same door without the authority, and with nothing allowed behind it.
    let is_authority = |pair: &[String]| pair[1].starts_with("ssl.ca.pem");
    let distrustful: Vec<String> =
        member.chunks(2).filter(|pair| !is_authority(pair)).flatten().cloned().collect();
    let outcome = House::run_with(&distrustful, &tail).expect(6);
    assert!(outcome.err().contains("certificate"), "{outcome}");
    let nobody = house.kafka.sealed_flags_of("nobody");
    let refused = House::run_with(&nobody, &tail).expect(10);
    assert!(refused.err().contains("failed to see topic"), "{refused}");
}
