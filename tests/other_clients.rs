//! Other people's clients on the embedded broker: kcat and Python's aiokafka read what `dwctl` sends,
//! and `dwctl` reads what they send.

use crate::support::peers;
use crate::support::records::{put, text};
use crate::support::run::Running;
use crate::support::stack::Stack;

/// As the warehouse's own consumers are written: a group, from the beginning, one line a record.
const CONSUMER: &str = r"
import asyncio, os, sys
from aiokafka import AIOKafkaConsumer

async def main(topic, count):
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=os.environ['KAFKA_BOOTSTRAP_SERVERS'],
        group_id='automl-consumer',
        auto_offset_reset='earliest',
    )
    await consumer.start()
    try:
        async for message in consumer:
            key = message.key.decode()
            print(message.partition, message.offset, key, message.value.decode(), flush=True)
            count -= 1
            if count == 0:
                break
    finally:
        await consumer.stop()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
";

/// As the warehouse's own producer is written.
const PRODUCER: &str = r"
import asyncio, json, os, sys
from aiokafka import AIOKafkaProducer

async def main(topic):
    producer = AIOKafkaProducer(bootstrap_servers=os.environ['KAFKA_BOOTSTRAP_SERVERS'])
    await producer.start()
    try:
        for key in sys.argv[2:]:
            value = json.dumps({'key': key, 'name': 'μ'}).encode()
            sent = await producer.send_and_wait(topic, value, key=key.encode())
            print(sent.partition, sent.offset, key, flush=True)
    finally:
        await producer.stop()

asyncio.run(main(sys.argv[1]))
";

/// Runs a Python program as a client of the stack.
fn python(stack: &Stack, program: &str, arguments: &[&str]) -> Option<String> {
    let python = peers::python()?;
    let path = stack.environment.write("client.py", program);
    let mut command = stack.environment.command(python);
    command.arg(path).args(arguments).env("KAFKA_BOOTSTRAP_SERVERS", &stack.brokers);
    Some(Running::start(command).finish().expect(0).out().to_owned())
}

/// The records of a topic as `dwctl` has them: partition, offset, key, value.
fn read(stack: &Stack, topic: &str) -> Vec<String> {
    let lines = stack.run(["tail", topic, "--until", "end", "-o", "json"]).expect(0);
    let mut records: Vec<String> = lines
        .json_lines()
        .iter()
        .zip(lines.out().lines())
        .map(|(record, line)| {
            let value = line.split_once("\"value\":").unwrap().1.strip_suffix('}').unwrap();
            let key = record["key"].as_str().unwrap();
            format!("{} {} {key} {value}", record["partition"], record["offset"])
        })
        .collect();
    records.sort();
    records
}

fn with_events() -> Stack {
    let stack = Stack::start_with(&["--partitions", "3"]);
    let records = ["user123_test-model-1", "dataset123", "task-0001", "dataset123"]
        .map(|key| text("automl-events", key, r#"{"accuracy":0.950,"name":"\u03bc"}"#));
    put(&stack.brokers, &records);
    stack
}

#[test]
fn kcat_sees_the_same_records() {
    if !peers::has("kcat") {
        return;
    }
    let stack = with_events();
    let mut command = stack.environment.command("kcat");
    command.args([
        "-b",
        &stack.brokers,
        "-C",
        "-t",
        "automl-events",
        "-o",
        "beginning",
        "-e",
        "-q",
    ]);
    command.args(["-f", "%p %o %k %s\n"]);
    let outcome = Running::start(command).finish().expect(0);
    let mut lines: Vec<&str> = outcome.out().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines, read(&stack, "automl-events"));
}

#[test]
fn what_kcat_sends_is_read() {
    if !peers::has("kcat") {
        return;
    }
    let stack = Stack::start();
    let mut command = stack.environment.command("kcat");
    command.args(["-b", &stack.brokers, "-P", "-t", "bias-events", "-K", "|"]);
    let mut kcat = Running::start_with_input(command);
    kcat.write("k|{\"a\": 1.10}\n");
    kcat.finish().must_succeed();
    assert_eq!(read(&stack, "bias-events"), ["0 0 k {\"a\": 1.10}"]);
}

#[test]
fn a_python_consumer_in_a_group_sees_the_same_records() {
    let stack = with_events();
    let Some(shown) = python(&stack, CONSUMER, &["automl-events", "4"]) else { return };
    let mut lines: Vec<&str> = shown.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, read(&stack, "automl-events"));
}

#[test]
fn a_python_producer_puts_each_key_on_the_same_partition_as_we_do() {
    let keys = ["user123_test-model-1", "dataset123", "task-0001", "", "μ"];
    let stack = Stack::start_with(&["--partitions", "3"]);
    let arguments = [&["automl-events"], &keys[..]].concat();
    let Some(shown) = python(&stack, PRODUCER, &arguments) else { return };
    let theirs: Vec<&str> = shown.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let ours: Vec<String> = keys
        .iter()
        .map(|key| {
            let send = ["send", "bias", "--dataset-id", "d", "--user-id", "u", "--key", key];
            let sent = stack.run([&send[..], &["-o", "json"]].concat()).expect(0).json();
            sent["partition"].to_string()
        })
        .collect();
    assert_eq!(theirs, ours);
    assert!(read(&stack, "automl-events")[0].contains(r#""name": "\u03bc""#), "sent as it was");
}
