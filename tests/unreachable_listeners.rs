//! Brokers that answer at the address that is set, and advertise one that cannot be reached: it is
//! named before anything is done, also while the topic does not exist.

use crate::support::environment::Environment;
use crate::support::kafka::OwnKafka;
use crate::support::stack::Stack;

#[test]
fn it_is_named_before_anything_is_uploaded_and_by_those_that_would_wait_for_a_topic() {
    let Some(kafka) = OwnKafka::planned() else { return };
    let mut kafka = kafka.guarded(&[]);
    let _plain = kafka.start();
    let stack = Stack::start();
    let upload = [
        "upload",
        "model.pt",
        "--user-id",
        "u",
        "--model-id",
        "m",
        "--framework",
        "pytorch",
        "--model-type",
        "nlp",
        "--wait-event=5s",
    ];
    let commands: &[&[&str]] = &[
        &upload,
        &["forward"],
        &["wait", "automl"],
        &["wait", "automl", "--cursor"],
        &["tail", "automl"],
        &["tail", "automl", "--group", "g"],
        &["smoke"],
    ];
    for door in kafka.doors_to_nowhere() {
        for command in commands {
            let environment = Environment::new();
            environment.write("model.pt", b"weights");
            let to = ["-b", &door, "-u", &stack.api_url, "--timeout", "20s"];
            let outcome = environment.run([command, &to[..]].concat());
            assert_eq!(outcome.code(), Some(6), "{command:?}: {outcome}");
            assert!(outcome.to_string().contains("advertises"), "{command:?}: {outcome}");
            assert!(!outcome.to_string().contains("u/m@v1"), "{command:?}: {outcome}");
        }
    }
    let list = ["models", "list", "--user-id", "u"];
    assert_eq!(
        stack.run([&list[..], &["-o", "json"]].concat()).expect(0).json()["models"],
        serde_json::json!([])
    );
}
