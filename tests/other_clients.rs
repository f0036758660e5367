//! Other people's clients on the embedded broker: kcat and Python's aiokafka read what `dwctl` sends,
//! and `dwctl` reads what they send. The last ones speak with today's service, by tasks and envelopes.

use serde_json::Value;

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
    command.env("DWCTL_API_URL", &stack.api_url);
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

/// An upload to today's service, as its documents have it but for the port.
const TASK_CURL: &str = r#"curl -sS -X POST "$DWCTL_API_URL/ai-models/upload/single/user123" \
  -H "X-Task-ID: $1" \
  -F "file=@model.pt" \
  -F "model_id=test-model-1" \
  -F "name=Test Model" \
  -F "framework=pytorch" \
  -F "model_type=classification" \
  -F "training_dataset=dataset123" \
  -F "training_dataset_version=v7"
"#;

/// The same by Python's requests.
const TASK_UPLOAD: &str = r"
import os, requests, sys

reply = requests.post(
    os.environ['DWCTL_API_URL'] + '/ai-models/upload/single/user123',
    headers={'X-Task-ID': sys.argv[1]},
    files={'file': open('model.pt', 'rb')},
    data={
        'model_id': 'test-model-1',
        'name': 'Test Model',
        'framework': 'pytorch',
        'model_type': 'classification',
        'training_dataset': 'dataset123',
        'training_dataset_version': 'v7',
    },
)
reply.raise_for_status()
print(reply.json()['version'])
";

/// As a step of the pipeline reports its end.
const TASK_REPORT: &str = r"
import asyncio, json, os, sys
from aiokafka import AIOKafkaProducer

async def main(topic, task_id, version):
    producer = AIOKafkaProducer(
        bootstrap_servers=os.environ['KAFKA_BOOTSTRAP_SERVERS'],
        key_serializer=str.encode,
        value_serializer=lambda value: json.dumps(value).encode(),
    )
    await producer.start()
    output = {
        'model_id': 'test-model-1',
        'model_version': version,
        'dataset_id': 'dataset123',
        'dataset_version': 'v7',
        'user_id': 'user123',
    }
    event = {
        'task_id': task_id,
        'event_type': 'automl-complete',
        'timestamp': '2026-11-23T08:38:21.441969+00:00',
        'output': output,
        'failure': None,
    }
    try:
        await producer.send_and_wait(topic, event, key=task_id)
    finally:
        await producer.stop()

asyncio.run(main(*sys.argv[1:]))
";

const COMPLETED: &str = "automl-complete-events";

fn todays_service() -> Stack {
    let stack = Stack::start_with(&["--dialect", "task"]);
    stack.environment.write("model.pt", "weights");
    stack
}

fn upload_by_curl(stack: &Stack, task: &str) {
    let mut command = stack.environment.command("bash");
    command.args(["-euc", TASK_CURL, "bash", task]).env("DWCTL_API_URL", &stack.api_url);
    let reply = Running::start(command).finish().expect(0).json();
    assert_eq!(reply["user_id"], "user123", "{reply}");
}

fn read_by_kcat(stack: &Stack, topic: &str) -> Vec<(String, Value)> {
    let mut command = stack.environment.command("kcat");
    command.args(["-b", &stack.brokers, "-C", "-t", topic, "-o", "beginning", "-e", "-q"]);
    command.args(["-f", "%k %s\n"]);
    let outcome = Running::start(command).finish().expect(0);
    let records = outcome.out().lines().map(|line| {
        let (key, value) = line.split_once(' ').unwrap();
        (key.to_owned(), serde_json::from_str(value).unwrap())
    });
    records.collect()
}

/// The envelope of an upload, whoever read it.
#[track_caller]
fn assert_completed(key: &str, event: &Value, task: &str, version: &str) {
    assert_eq!((key, event["task_id"].as_str()), (task, Some(task)), "{event}");
    assert_eq!(event["event_type"], "automl-complete");
    assert_eq!(
        event["output"].to_string(),
        format!(
            r#"{{"model_id":"test-model-1","model_version":"{version}","dataset_id":"dataset123","dataset_version":"v7","user_id":"user123"}}"#
        )
    );
    assert_eq!(event["failure"], Value::Null);
}

#[test]
fn what_curl_uploads_for_a_task_is_an_envelope_to_kcat_and_to_us() {
    if !peers::has("curl") || !peers::has("kcat") {
        return;
    }
    let stack = todays_service();
    for (task, version) in [("T-1", "v1"), ("T-2", "v2")] {
        upload_by_curl(&stack, task);
        let wait = ["wait", "automl", "--from", "beginning", "--match"];
        let task_id = format!("task_id={task}");
        let ours = [&wait[..], &[&task_id, "--success", "--timeout", "60s", "-o", "json"]].concat();
        let ours = stack.run(ours).expect(0).json();
        assert_completed(ours["key"].as_str().unwrap(), &ours["value"], task, version);
    }
    let theirs = read_by_kcat(&stack, COMPLETED);
    assert_eq!(theirs.len(), 2, "{theirs:?}");
    assert_completed(&theirs[0].0, &theirs[0].1, "T-1", "v1");
    assert_completed(&theirs[1].0, &theirs[1].1, "T-2", "v2");
}

#[test]
fn what_python_uploads_for_a_task_is_an_envelope_to_a_python_consumer_in_its_group() {
    let stack = todays_service();
    let Some(version) = python(&stack, TASK_UPLOAD, &["T-3"]) else { return };
    let Some(shown) = python(&stack, CONSUMER, &[COMPLETED, "1"]) else { return };
    let [partition, offset, key, value]: [&str; 4] =
        shown.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((partition, offset), ("0", "0"));
    assert_completed(key, &serde_json::from_str(value).unwrap(), "T-3", version.trim());
}

#[test]
fn a_step_that_python_reports_is_shown_and_leads_to_an_envelope_that_kcat_reads() {
    if !peers::has("curl") || !peers::has("kcat") {
        return;
    }
    let stack = todays_service();
    // The model without a task, so that Python's report is the only one.
    upload_by_curl(&stack, "");
    if python(&stack, TASK_REPORT, &[COMPLETED, "T-4", "v1"]).is_none() {
        return;
    }
    let forward = stack.run(["forward", "-n", "1", "--timeout", "60s"]).expect(0);
    let head = "AutoML Message received\n  Partition=0 Offset=0\n  Key=T-4\n  Event={\n    \"task_id\": \"T-4\",\n    \"event_type\": \"automl-complete\",\n";
    assert!(forward.out().starts_with(head), "{forward}");
    let sent = read_by_kcat(&stack, "xai-trigger-events");
    let (key, trigger) = &sent[0];
    assert_eq!((sent.len(), &trigger["task_id"]), (1, &Value::from(key.as_str())), "{sent:?}");
    assert!(key.starts_with("xai_task_test-model-1_"), "{key}");
    assert_eq!(trigger["event_type"], "xai-trigger");
    assert_eq!(
        trigger["input"].to_string(),
        r#"{"user_id":"user123","dataset_id":"dataset123","dataset_version":"v7","model_id":"test-model-1","model_version":"v1","level":"beginner","report_type":"lime"}"#
    );
}
