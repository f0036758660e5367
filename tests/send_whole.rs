//! `dwctl send raw`: what of its input is a record, and what is said if that is not what was meant.

use std::path::PathBuf;

use crate::support::run::Outcome;
use crate::support::stack::Stack;

const TOPIC: &str = "xai-events";
const PRETTY: &str = "{\n  \"a\": [\n    1\n  ]\n}\n";

fn send(stack: &Stack, flags: &[&str], files: &[PathBuf]) -> Outcome {
    let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    stack.run([&["send", "raw", TOPIC], flags, &files].concat())
}

fn values(stack: &Stack) -> String {
    stack.run(["tail", TOPIC, "--until", "end", "--format", "%k=%s|"]).expect(0).out().to_owned()
}

#[test]
fn a_whole_file_is_one_record_with_every_byte() {
    let stack = Stack::start();
    let binary = b"\0\xff\n\n\r\0".to_vec();
    let one = stack.environment.write("one.json", PRETTY);
    let two = stack.environment.write("two.bin", &binary);
    let sent = send(&stack, &["--whole", "--key", "k"], &[one.clone(), two]).expect(0);
    assert_eq!(sent.out(), format!("2 records acknowledged on {TOPIC}\n"));
    assert!(sent.err().is_empty(), "{sent}");
    let shown = stack.run(["tail", TOPIC, "--until", "end", "--format", "%k=%s|"]).expect(0);
    let expected = [b"k=", PRETTY.as_bytes(), b"|k=", &binary, b"|"].concat();
    assert_eq!(shown.stdout, expected);
    let empty = stack.environment.write("empty", "");
    let outcome = send(&stack, &["--whole"], &[empty, one]).expect(9);
    assert_eq!(outcome.out(), format!("1 record acknowledged on {TOPIC}\n"));
    assert!(outcome.err().contains("it is empty"), "{outcome}");
}

#[test]
fn standard_input_can_be_one_record_or_several_between_nuls() {
    let stack = Stack::start();
    let run = |script: &str| {
        let script = format!("{script} -b {}", stack.brokers);
        stack.environment.bash(&script).finish().must_succeed();
    };
    run(&format!("printf 'a\\nb\\n' | \"$DWCTL\" send raw {TOPIC} --whole"));
    run(&format!("printf 'k:c\\nd\\0k:e\\0' | \"$DWCTL\" send raw {TOPIC} -0 -K : -"));
    assert_eq!(values(&stack), "=a\nb\n|k=c\nd|k=e|");
}

#[test]
fn a_document_over_several_lines_is_warned_of() {
    let stack = Stack::start();
    let write = |name: &str, text: &str| stack.environment.write(name, text);
    let warning = |outcome: &Outcome| outcome.err().contains("are one JSON document");
    for (name, text, flags, is_warned) in [
        ("pretty", PRETTY, &[][..], true),
        ("array", "[\n1,\n2\n]\n", &[], true),
        ("several", "{\n\"a\":1\n}\n{\n\"a\":2\n}\n", &[], true),
        ("keyed", PRETTY, &["-K", ":"], true),
        ("lines", "{\"a\":1}\n{\"a\":2}\n", &[], false),
        ("compact array", "[{\"a\":1},{\"a\":2}]\n", &[], false),
        ("csv", "a,b\n\"1\n2\",3\n", &[], false),
        ("text", "{ not\n json }\n", &[], false),
    ] {
        let outcome = send(&stack, flags, &[write(name, text)]).expect(0);
        assert_eq!(warning(&outcome), is_warned, "{name}: {outcome}");
        let hint = "--whole sends each file as one record";
        assert_eq!(outcome.err().contains(hint), is_warned, "{name}: {outcome}");
        assert_eq!(outcome.err().contains("jq -c '.[]'"), name == "array", "{name}: {outcome}");
    }
    let two = [write("first", "line\n"), write("second", PRETTY)];
    let outcome = send(&stack, &[], &two).expect(0);
    assert!(outcome.err().contains("lines 2 to 6 are one JSON document"), "{outcome}");
    let record = "{\n\"value\": 1\n}\n";
    let outcome = send(&stack, &["--json"], &[write("record", record)]).expect(9);
    assert!(warning(&outcome), "{outcome}");
    let script = format!("cat pretty | \"$DWCTL\" send raw {TOPIC} -b {}", stack.brokers);
    let outcome = stack.environment.bash(&script).finish().expect(0);
    assert!(warning(&outcome), "{outcome}");
}

#[test]
fn records_are_sent_without_duplicates_unless_speed_is_asked_for() {
    let stack = Stack::start();
    let input = stack.environment.write("in", "a\n");
    // An idempotent producer allows at most five requests in flight.
    let many = ["-X", "max.in.flight=9"];
    let outcome = send(&stack, &many, std::slice::from_ref(&input)).expect(2);
    assert!(outcome.err().contains("add --no-idempotent"), "{outcome}");
    for flags in [
        &["--no-idempotent", "-X", "max.in.flight=9"][..],
        &["--no-idempotent"],
        &["--idempotent"],
        &["--no-idempotent", "--idempotent"],
        &["-X", "enable.idempotence=false", "-X", "max.in.flight=9"],
        &[],
    ] {
        send(&stack, flags, std::slice::from_ref(&input)).must_succeed();
    }
    let outcome = send(&stack, &["--no-idempotent", "--idempotent", many[0], many[1]], &[input]);
    assert!(outcome.expect(2).err().contains("--no-idempotent"), "the last of the two holds");
}
