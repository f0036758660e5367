//! `dwctl tail` on the embedded broker: forms, starts, ends, and what is said while nothing comes.

use std::fs::File;
use std::io::PipeReader;
use std::time::Instant;

use dwctl::kafka::Outgoing;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::PATIENCE;
use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::environment::Environment;
use crate::support::records::{put, text};
use crate::support::run::Stream;
use crate::support::stack::Stack;

const EVENT: &str = r#"{"event_type":"model.uploaded","model_size_mb":1.10,"dataset_id":null}"#;

/// A stack with `count` records on `automl-events`, `{"n":0}` and so on.
fn with_records(count: usize) -> Stack {
    let stack = Stack::start();
    let values: Vec<String> = (0..count).map(|n| format!("{{\"n\":{n}}}")).collect();
    let records: Vec<Outgoing<'_>> =
        values.iter().map(|value| text("automl-events", "k", value)).collect();
    put(&stack.brokers, &records);
    stack
}

#[test]
fn an_event_is_shown_as_the_seed_text_shows_it() {
    let stack = Stack::start();
    put(&stack.brokers, &[text("automl-events", "user123_test-model-1", EVENT)]);
    assert_eq!(
        stack.run(["tail", "automl", "-n", "1", "--from", "beginning"]).to_string(),
        "AutoML Message received\n\
         \x20 Partition=0 Offset=0\n\
         \x20 Key=user123_test-model-1\n\
         \x20 Event={\n\
         \x20   \"event_type\": \"model.uploaded\",\n\
         \x20   \"model_size_mb\": 1.10,\n\
         \x20   \"dataset_id\": null\n\
         \x20 }\n\
         --- exit 0\n"
    );
}

#[test]
fn each_role_has_its_title_and_a_topic_without_one_its_name() {
    let stack = Stack::start();
    for (argument, topic, title) in [
        ("bias", "bias-events", "Bias"),
        ("xai", "xai-complete-events", "XAI"),
        ("dataset", "dataset-events", "Dataset"),
        ("drift", "concept-drift-complete-events", "Concept drift"),
        ("automl-trigger", "automl-trigger-events", "AutoML trigger"),
        ("bias-events", "bias-events", "Bias"),
        ("my-topic", "my-topic", "my-topic"),
    ] {
        put(&stack.brokers, &[text(topic, "k", "{}")]);
        let outcome = stack.run(["tail", argument, "--from", "-1", "-n", "1"]).expect(0);
        assert_eq!(
            outcome.out().lines().next(),
            Some(format!("{title} Message received").as_str())
        );
    }
}

#[test]
fn several_sources_are_read_at_once_and_each_record_says_its_topic() {
    let stack = Stack::start();
    let topics = ["automl-events", "bias-events", "mine"];
    put(&stack.brokers, &topics.map(|topic| text(topic, "k", "{}")));
    let outcome = stack.run(["tail", "automl", "bias", "mine", "--until", "end"]).expect(0);
    let mut places: Vec<&str> =
        outcome.out().lines().filter(|line| line.contains("Partition=")).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "  Partition=0 Offset=0 Topic=automl-events",
            "  Partition=0 Offset=0 Topic=bias-events",
            "  Partition=0 Offset=0 Topic=mine"
        ]
    );
}

#[test]
fn a_role_reads_the_topics_of_every_generation() {
    let stack = Stack::start();
    put(
        &stack.brokers,
        &[text("automl-events", "k", "1"), text("automl-complete-events", "k", "2")],
    );
    let outcome = stack.run(["tail", "automl", "--until", "end", "-o", "raw"]).expect(0);
    let mut lines: Vec<&str> = outcome.out().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1", "2"]);
}

#[test]
fn a_variable_of_the_service_replaces_a_roles_topics() {
    let stack = Stack::start_in(Environment::new().set("KAFKA_AUTOML_TOPIC", "mine"), &[]);
    put(&stack.brokers, &[text("automl-events", "k", "theirs"), text("mine", "k", "ours")]);
    let outcome = stack.run(["tail", "automl", "--until", "end"]).expect(0);
    assert!(outcome.out().starts_with("AutoML Message received\n"), "{outcome}");
    assert!(outcome.out().contains("Event=ours") && !outcome.out().contains("theirs"), "{outcome}");
}

#[test]
fn a_json_line_holds_the_record_and_the_value_as_it_was_sent() {
    let stack = Stack::start();
    let headers: [(&str, Option<&[u8]>); 1] = [("trace", Some(b"7"))];
    let record = Outgoing {
        headers: &headers,
        timestamp: Some(1_795_439_960_418),
        ..text("automl-events", "k", r#"{"a": 1.10, "b": 1E5, "z": "\u00fc"}"#)
    };
    put(&stack.brokers, &[record]);
    assert_eq!(
        stack.run(["tail", "automl", "--until", "end", "-o", "json"]).to_string(),
        "{\"topic\":\"automl-events\",\"partition\":0,\"offset\":0,\"timestamp\":1795439960418,\
         \"timestamp_type\":\"create_time\",\"key\":\"k\",\"headers\":[{\"key\":\"trace\",\
         \"value\":\"7\"}],\"value\":{\"a\": 1.10, \"b\": 1E5, \"z\": \"\\u00fc\"}}\n--- exit 0\n"
    );
}

#[test]
fn timestamp_and_headers_are_shown_when_asked_for() {
    let stack = Stack::start();
    let headers: [(&str, Option<&[u8]>); 2] = [("trace", Some(b"7")), ("blob", Some(b"\xff"))];
    let record = Outgoing {
        headers: &headers,
        timestamp: Some(1_795_439_960_418),
        ..text("automl-events", "k", "{}")
    };
    put(&stack.brokers, &[record]);
    let outcome =
        stack.run(["tail", "automl", "--until", "end", "--timestamps", "--headers"]).expect(0);
    let place = outcome.out().lines().nth(1).unwrap();
    assert_eq!(
        place,
        "  Partition=0 Offset=0 Timestamp=2026-11-23T13:19:20.418Z Headers=[trace:7, blob:0xff]"
    );
}

#[test]
fn what_is_not_json_is_shown_as_text_or_digits_and_nothing_as_null() {
    let stack = Stack::start();
    let topic = "dataset-events";
    let records = [
        text(topic, "", "plain words"),
        Outgoing::new(topic, Some(b"\xfe"), b"\xff\x00"),
        Outgoing { value: None, ..Outgoing::new(topic, None, b"") },
        text(topic, "k", r#"{"drift":NaN,"far":-Infinity}"#),
    ];
    put(&stack.brokers, &records);
    let outcome = stack.run(["tail", topic, "--until", "end"]).expect(0);
    let shown: Vec<&str> = outcome
        .out()
        .lines()
        .filter(|line| !line.contains("Partition=") && !line.contains("Message received"))
        .collect();
    assert_eq!(
        shown,
        [
            "  Key=",
            "  Event=plain words",
            "  Key=0xfe",
            "  Event=0xff00",
            "  Key=null",
            "  Event=null (tombstone)",
            "  Key=k",
            "  Event={",
            "    \"drift\": NaN,",
            "    \"far\": -Infinity",
            "  }"
        ]
    );
    let lines = stack.run(["tail", topic, "--until", "end", "-o", "json"]).expect(0).json_lines();
    assert_eq!(
        (&lines[0]["value"], &lines[0]["value_encoding"]),
        (&json!("plain words"), &json!("text"))
    );
    assert_eq!(
        (&lines[1]["value"], &lines[1]["value_encoding"]),
        (&json!("/wA="), &json!("base64"))
    );
    assert_eq!((&lines[2]["key"], &lines[2]["value"]), (&json!(null), &json!(null)));
    assert_eq!(lines[3]["value"], json!({"drift": null, "far": null}));
    assert_eq!(lines[3]["value_encoding"], "normalized");
    assert_eq!(lines[3]["value_text"], r#"{"drift":NaN,"far":-Infinity}"#);
}

/// The values that a read of `count` records shows, from `n` on.
#[track_caller]
fn assert_reads(stack: &Stack, flags: &[&str], expected: &[usize]) {
    let arguments = [&["tail", "automl", "-o", "raw"], flags].concat();
    let outcome = stack.run(&arguments).expect(0);
    let expected: Vec<String> = expected.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(outcome.out().lines().collect::<Vec<_>>(), expected, "{arguments:?}: {outcome}");
}

#[test]
fn a_read_starts_where_it_is_told_and_ends_at_the_end_or_after_a_count() {
    let stack = with_records(5);
    assert_reads(&stack, &["--until", "end"], &[0, 1, 2, 3, 4]);
    assert_reads(&stack, &["--from", "beginning", "-n", "2"], &[0, 1]);
    assert_reads(&stack, &["--from", "-2", "-n", "2"], &[3, 4]);
    assert_reads(&stack, &["--from", "-3", "-n", "1"], &[2]);
    assert_reads(&stack, &["--from=-99", "--until", "end"], &[0, 1, 2, 3, 4]);
    assert_reads(&stack, &["--from", "3", "--until", "end"], &[3, 4]);
    assert_reads(&stack, &["--from", "+4", "--until", "end"], &[4]);
    assert_reads(&stack, &["--from", "0=2", "--until", "end"], &[2, 3, 4]);
    assert_reads(&stack, &["--from", "end", "--until", "end"], &[]);
    assert_reads(&stack, &["-n", "0"], &[]);
}

#[test]
fn fewer_records_than_asked_for_are_enough_where_the_end_is_the_limit() {
    let outcome = with_records(2).run(["tail", "automl", "--until", "end", "-n", "5", "-o", "raw"]);
    assert_eq!(
        outcome.to_string(),
        "{\"n\":0}\n{\"n\":1}\n--- stderr\nnote: 2 of 5 records were there\n--- exit 0\n"
    );
}

#[test]
fn an_empty_topic_ends_at_once() {
    assert_eq!(Stack::start().run(["tail", "bias", "--until", "end"]).to_string(), "--- exit 0\n");
}

#[test]
fn silence_ends_a_read_where_that_is_asked_for() {
    let stack = with_records(2);
    assert_reads(&stack, &["--from", "beginning", "--idle", "300ms"], &[0, 1]);
}

#[test]
fn too_few_records_before_the_timeout_are_a_failure_of_their_own() {
    let outcome = with_records(1).run(["tail", "automl", "-n", "2", "--timeout", "500ms", "-q"]);
    assert_eq!(
        outcome.to_string(),
        "--- stderr\n\
         error: only 0 of 2 records came on automl-events, automl-complete-events before the timeout\n\
         hint: what is there already: --from beginning\n\
         --- exit 7\n"
    );
}

#[test]
fn a_timeout_ends_a_read_that_asked_for_no_count() {
    let stack = with_records(1);
    assert_reads(&stack, &["--from", "beginning", "--timeout", "500ms"], &[0]);
}

#[test]
fn a_quiet_topic_says_once_what_is_waited_for_and_then_shows_what_comes() {
    let stack = with_records(1);
    let tail = stack.start_client(["tail", "automl", "-n", "1", "-o", "raw"]);
    tail.wait_for(Stream::Err, "hint: ");
    put(&stack.brokers, &[text("automl-events", "k", "fresh")]);
    assert_eq!(
        tail.finish().to_string(),
        "fresh\n--- stderr\n\
         waiting for new records on automl-events, automl-complete-events\n\
         hint: what is there already: --from beginning\n--- exit 0\n"
    );
}

#[test]
fn a_record_is_shown_when_it_comes_and_not_when_a_buffer_is_full() {
    let stack = Stack::start();
    let tail = stack.start_client(["tail", "automl", "-o", "raw"]);
    tail.wait_for(Stream::Err, "waiting for new records");
    for value in ["one", "two"] {
        put(&stack.brokers, &[text("automl-events", "k", value)]);
        tail.wait_for(Stream::Out, value);
    }
    tail.signal(Signal::INT);
    assert_eq!(tail.finish().expect(130).out(), "one\ntwo\n");
}

#[test]
fn a_signal_ends_a_read_with_its_own_code() {
    let stack = Stack::start();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let tail = stack.start_client(["tail", "automl"]);
        tail.wait_for(Stream::Err, "waiting for new records");
        tail.signal(signal);
        let outcome = tail.finish().expect(code);
        assert!(!outcome.err().contains("error"), "{outcome}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_read_quietly_also_while_nothing_comes() {
    let stack = with_records(2);
    let script =
        format!("$DWCTL tail automl -q --from beginning -o raw -b {} | head -1", stack.brokers);
    assert_eq!(stack.environment.bash(&script).finish().to_string(), "{\"n\":0}\n--- exit 0\n");
}

#[test]
fn a_topic_that_does_not_exist_is_answered_with_the_nearest_and_not_made() {
    let stack = Stack::start();
    let before = stack.run(["topics"]).expect(0);
    for flags in [&[][..], &["--until", "end"]] {
        let outcome = stack.run([&["tail", "automl-event"], flags].concat()).expect(3);
        assert!(outcome.err().contains("there is no topic \"automl-event\""), "{outcome}");
        assert!(outcome.err().contains("did you mean automl-events"), "{outcome}");
    }
    assert_eq!(stack.run(["topics"]), before);
}

#[test]
fn a_partition_that_does_not_exist_is_not_found() {
    let outcome = Stack::start().run(["tail", "automl", "-p", "7", "--until", "end"]).expect(3);
    assert!(outcome.err().contains("has no partition 7"), "{outcome}");
}

#[test]
fn a_position_that_is_none_is_refused_with_the_nearest() {
    let outcome =
        Environment::new().run(["tail", "automl", "--from", "begining", "-b", DEAD]).expect(2);
    assert!(outcome.err().contains("did you mean beginning?"), "{outcome}");
}

#[test]
fn brokers_that_are_none_are_told_apart() {
    let http = BrokenBroker::http();
    for (brokers, words) in
        [(DEAD, "connection refused"), (http.address(), "HTTP server, not a Kafka broker")]
    {
        let arguments = ["tail", "automl", "-n", "1", "-b", brokers, "--timeout", "5s"];
        let outcome = Environment::new().run(arguments).expect(6);
        assert!(outcome.err().contains(words) && outcome.err().contains(brokers), "{outcome}");
    }
}

#[test]
fn an_expression_that_never_ends_does_not_outlast_the_timeout_or_a_signal() {
    let stack = Stack::start();
    stack.environment.write("in", "{}\n");
    stack
        .run(["send", "raw", "xai-events", stack.environment.path("in").to_str().unwrap()])
        .must_succeed();
    let endless = ["tail", "xai-events", "--from", "beginning", "--jq", "def f: f; f"];
    let late = stack.run([&endless[..], &["--timeout", "1s"]].concat()).expect(7);
    assert!(late.err().contains("the --jq expression does not end"), "{late}");
    let running = stack.start_client([&endless[..], &["-v"]].concat());
    running.wait_for(Stream::Err, "xai-events");
    running.signal(Signal::TERM);
    drop(running.finish().expect(143));
}

#[test]
fn offsets_of_some_partitions_leave_the_others_alone_however_long_it_follows() {
    let stack = Stack::start_with(&["--partitions", "3"]);
    let all = "{\"value\":1,\"partition\":0}\n{\"value\":2,\"partition\":1}\n{\"value\":3,\"partition\":2}\n";
    stack.environment.write("in", all);
    let input = stack.environment.path("in");
    let send = ["send", "raw", "xai-events", "--json", input.to_str().unwrap()];
    stack.run(send).must_succeed();
    let tail = ["tail", "xai-events", "--format", "%p@%o %s\n"];
    // Longer than the cluster is left unasked for new partitions.
    let followed = stack.run([&tail[..], &["--from", "0=0", "--timeout", "7s"]].concat()).expect(0);
    assert_eq!(followed.out(), "0@0 1\n");
    for (flags, words) in [
        (&["--from", "0=0", "--until", "1=1"][..], "--from names partition 0, and --until 1"),
        (&["-p", "0", "--from", "1=0"], "--from has no offset for partition 0"),
        (&["--from", "0=0,0=1"], "is no position"),
    ] {
        let refused = stack.run([&tail[..], flags].concat()).expect(2);
        assert!(refused.err().contains(words), "{refused}");
    }
    for none in [["--last", "0"], ["--last-per-partition", "0"]] {
        let outcome = stack.run([&tail[..], &none].concat()).expect(0);
        assert_eq!(outcome.out(), "");
    }
    let until = stack.run([&tail[..], &["--until", "2040-01-01", "--timeout", "1s"]].concat());
    assert!(until.err().contains("until 2040-01-01T"), "{until}");
}

#[test]
fn a_read_that_the_timeout_cuts_off_before_its_end_is_no_success() {
    let stack = Stack::start();
    let lines = "a line of some length that fills batches\n".repeat(400_000);
    stack.environment.write("in", &lines);
    stack
        .run(["send", "raw", "xai-events", stack.environment.path("in").to_str().unwrap()])
        .must_succeed();
    // A reader that looks away for longer than the read may take.
    let script = "\"$DWCTL\" tail xai-events --until end -o raw --timeout 1s -b $B | \
                  (read -r line; \"$DWCTL\" wait bias --absent --timeout 2s -q -b $B; cat > /dev/null)";
    let script = script.replace("$B", &stack.brokers);
    let outcome = stack.environment.bash(&script).finish().expect(7);
    assert!(!outcome.err().is_empty(), "{outcome}");
}

#[test]
fn a_value_of_thousands_of_levels_ends_no_reader() {
    let stack = Stack::start();
    let deep = format!("{}{}\n1\n", "[".repeat(100_000), "]".repeat(100_000));
    stack.environment.write("in", deep);
    stack
        .run(["send", "raw", "xai-events", stack.environment.path("in").to_str().unwrap()])
        .must_succeed();
    let tail = ["tail", "xai-events", "--until", "end", "--jq", "."];
    let outcome = stack.run(tail).expect(9);
    assert_eq!(outcome.out(), "1\n");
    assert!(outcome.err().contains("deeper than 2000 levels"), "{outcome}");
}

#[test]
fn a_reader_that_does_not_read_holds_no_stop_and_no_timeout() {
    let stack = Stack::start();
    let lines = "a line of some length that fills the pipe\n".repeat(100_000);
    stack.environment.write("in", &lines);
    let input = stack.environment.path("in");
    stack.run(["send", "raw", "xai-events", input.to_str().unwrap()]).must_succeed();
    for (flags, stop, code) in [
        (&["--timeout", "5s"][..], None, 7),
        (&[], Some(Signal::TERM), 143),
        (&[], Some(Signal::INT), 130),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        let told = stack.environment.path("told");
        let mut command = stack.environment.dwctl(["tail", "xai-events", "--from", "beginning"]);
        command.args(["-o", "raw", "-b", &stack.brokers]).args(flags);
        command.stdout(writer).stderr(File::create(&told).unwrap());
        let mut tail = command.spawn().unwrap();
        until_full(&reader);
        if let Some(signal) = stop {
            kill_process(Pid::from_child(&tail), signal).unwrap();
        }
        let status = tail.wait().unwrap();
        let told = std::fs::read_to_string(told).unwrap();
        assert_eq!(status.code(), Some(code), "{flags:?}: {told}");
        assert!(told.contains("whoever should read"), "{flags:?}: {told}");
    }
}

/// Waits until a pipe that nobody reads has no room: whoever fills it stands in a write.
fn until_full(reader: &PipeReader) {
    let capacity = rustix::pipe::fcntl_getpipe_size(reader).unwrap();
    let end = Instant::now() + PATIENCE;
    while rustix::io::ioctl_fionread(reader).unwrap() < capacity as u64 {
        assert!(Instant::now() < end, "the pipe does not become full");
        std::thread::yield_now();
    }
}
