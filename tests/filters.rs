//! Which records `dwctl tail` and `dwctl wait` take, and what they say if a filter takes none.

use serde_json::json;

use crate::support::records::{put, text};
use crate::support::stack::Stack;

const TOPIC: &str = "xai-events";

fn with_values(values: &[&str]) -> Stack {
    let stack = Stack::start();
    let records: Vec<_> = values.iter().map(|value| text(TOPIC, "k", value)).collect();
    put(&stack.brokers, &records);
    stack
}

const MODELS: [&str; 4] = [
    r#"{"model_id":"bert-v1","size":10}"#,
    r#"{"model_id":"bert-v2","size":9}"#,
    r#"{"output":{"model_id":"onnx*"},"size":100}"#,
    r#"{"dataset":{"id":"d"}}"#,
];

#[test]
fn match_takes_patterns_and_only_events_with_the_field() {
    let stack = with_values(&MODELS);
    for (condition, expected) in [
        ("model_id=bert*", &[0, 1][..]),
        ("model_id=bert-v?", &[0, 1]),
        ("model_id=bert-v[2-9]", &[1]),
        ("model_id=/^ONNX/i", &[2]),
        ("value.model_id=*", &[0, 1, 2]),
        ("model_id!=bert*", &[2]),
        ("model_id!=bert-v1", &[1, 2]),
        ("model_id!~^bert", &[2]),
        (r#"model_id="onnx*""#, &[2]),
        (r#"model_id="bert*""#, &[]),
        (r"model_id=onnx\*", &[2]),
        ("size>9", &[0, 2]),
        ("size=1*", &[0, 2]),
        ("dataset.id=d", &[3]),
        (r#"dataset={"id": "d"}"#, &[3]),
    ] {
        let outcome =
            stack.run(["tail", TOPIC, "--until", "end", "-o", "raw", "--match", condition]);
        let values: Vec<&str> = expected.iter().map(|index: &usize| MODELS[*index]).collect();
        let outcome = outcome.expect(0);
        assert_eq!(outcome.out().lines().collect::<Vec<_>>(), values, "{condition}");
        assert!(outcome.err().is_empty(), "{condition}: {outcome}");
    }
}

#[test]
fn a_field_that_no_event_has_is_noted_at_every_end() {
    let stack = with_values(&MODELS);
    let note = "note: --match modl_id: none of the 4 events read is one with this field; \
                did you mean model_id or output.model_id?";
    for flags in [
        &["--until", "end"][..],
        &["--from", "beginning", "--idle", "300ms"],
        &["--from", "beginning", "--timeout", "2s"],
        &["--last", "9"],
        &["--group", "g1", "--from", "beginning", "--until", "end"],
    ] {
        for condition in ["modl_id=x", "modl_id!=x"] {
            let words = [&["tail", TOPIC, "--match", condition], flags].concat();
            let outcome = stack.run(words);
            assert!(outcome.err().contains(note), "{flags:?}: {outcome}");
            assert!(outcome.out().is_empty(), "{flags:?}: {outcome}");
            // A group reads each record once.
            if flags.contains(&"--group") {
                break;
            }
        }
    }
    let quiet = ["tail", TOPIC, "--until", "end", "--match", "modl_id=x", "-q"];
    assert!(stack.run(quiet).expect(0).err().is_empty());
    let key = ["tail", TOPIC, "--until", "end", "--match", "key=k"];
    assert!(stack.run(key).expect(0).err().contains("--key PATTERN filters by the key"));
}

#[test]
fn a_wait_notes_the_field_that_no_event_had() {
    let stack = with_values(&MODELS);
    let from = ["wait", TOPIC, "--from", "beginning", "--timeout", "2s", "--match"];
    let outcome = stack.run([&from[..], &["modl_id=x"]].concat()).expect(7);
    assert!(outcome.err().contains("did you mean model_id"), "{outcome}");
    let outcome = stack.run([&from[..], &["modl_id=x", "--absent"]].concat()).expect(0);
    assert!(outcome.err().contains("did you mean model_id"), "{outcome}");
    let outcome = stack.run([&from[..], &["model_id=*v2"]].concat()).expect(0);
    assert!(!outcome.err().contains("did you mean"), "{outcome}");
}

#[test]
fn an_expression_that_failed_is_no_success() {
    let stack = with_values(&["1", "{\"a\":{\"b\":2}}", "hello"]);
    let tail = ["tail", TOPIC, "--until", "end", "--jq"];
    for (code, exit, out) in [
        (".a.b", 9, "2\n"),
        (".a.b?", 9, "2\n"),
        ("{(1):2}", 8, ""),
        (".[\"x\"] | tostring | test(\"(\")", 8, ""),
        ("error(\"always\")", 8, ""),
    ] {
        let outcome = stack.run([&tail[..], &[code]].concat()).expect(exit);
        assert_eq!(outcome.out(), out, "{code}");
        assert!(outcome.err().contains("--jq expression failed on"), "{outcome}");
    }
    let json = ["--grep", "{", "--jq", ".a.b", "--until", "end"];
    assert_eq!(stack.run([&["tail", TOPIC][..], &json].concat()).expect(0).out(), "2\n");
    let enough = ["tail", TOPIC, "--from", "beginning", "-n", "1", "--jq", ".a.b"];
    assert_eq!(stack.run(enough).expect(0).out(), "2\n");
    let absent = ["wait", TOPIC, "--from", "beginning", "--absent", "--timeout", "2s"];
    let outcome = stack.run([&absent[..], &["--jq", ".a.b == 3"]].concat()).expect(8);
    assert!(outcome.err().contains("the --jq expression failed on 2 events"), "{outcome}");
    let late = ["wait", TOPIC, "--from", "beginning", "--timeout", "2s", "--jq", ".a.b == 3"];
    let outcome = stack.run(late).expect(7);
    assert!(outcome.err().contains("the --jq expression failed on 2 events"), "{outcome}");
}

#[test]
fn more_records_than_are_allowed_end_a_read_at_once() {
    let stack = with_values(&["1", "2", "3"]);
    let tail = ["tail", TOPIC, "-o", "raw", "--from", "beginning"];
    for (flags, exit, out) in [
        (&["--until", "end", "--at-most", "3"][..], 0, "1\n2\n3\n"),
        (&["--until", "end", "--at-most", "2"], 8, "1\n2\n3\n"),
        (&["--at-most", "0"], 8, "1\n"),
        (&["--at-most", "1", "--match", "x=1", "--until", "end"], 0, ""),
        (&["--at-most", "2", "--grep", "/[12]/", "--until", "end"], 0, "1\n2\n"),
        (&["--at-most", "1", "--jq", "., .", "--until", "end"], 8, "1\n1\n"),
        (&["--at-least", "3", "--at-most", "3", "--until", "end"], 0, "1\n2\n3\n"),
        (&["--at-most", "1", "-n", "3"], 8, "1\n2\n"),
    ] {
        let outcome = stack.run([&tail[..], flags].concat()).expect(exit);
        assert_eq!(outcome.out(), out, "{flags:?}");
        let is_told = outcome.err().contains("more than") && outcome.err().contains("were there");
        assert_eq!(is_told, exit == 8, "{flags:?}: {outcome}");
    }
    for flags in [
        &["--at-most", "2", "--at-least", "3"][..],
        &["--at-most", "2", "-n", "2"],
        &["--at-most", "-1"],
    ] {
        drop(stack.run([&tail[..], flags].concat()).expect(2));
    }
    let last = ["tail", TOPIC, "-o", "raw", "--last", "2", "--at-most", "1"];
    assert_eq!(stack.run(last).expect(8).out(), "2\n3\n");
}

#[test]
fn json_that_no_strict_parser_takes_keeps_its_fields_and_its_bytes() {
    let values = [
        r#"{"model_id":"m1","drift":NaN,"far":[-Infinity,1.10]}"#,
        "{\n  \"model_id\": \"m1\"\n}\n",
        "{\"model_id\":\"m1\"}",
    ];
    let stack = with_values(&values);
    let tail = ["tail", TOPIC, "--until", "end"];
    let outcome = stack.run([&tail[..], &["-o", "json"]].concat()).expect(0);
    for line in outcome.json_lines() {
        assert_eq!(line["value"]["model_id"], "m1", "{line}");
    }
    assert_eq!(outcome.json_lines()[0]["value"]["far"], json!([null, 1.1]));
    let file = stack.environment.write("records", outcome.stdout.clone());
    let send = ["send", "raw", "bias-events", "--json", file.to_str().unwrap()];
    stack.run(send).must_succeed();
    let copy = stack.run(["tail", "bias-events", "--until", "end", "--format", "%s|"]).expect(0);
    assert_eq!(copy.out(), values.map(|value| format!("{value}|")).concat());
}
