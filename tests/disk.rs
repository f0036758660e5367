//! The data folder of `dwctl serve`: what it does when the disk is full, what it clears away at its
//! start, and what it gives back to a broker that has forgotten everything.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart, Reply};
use crate::support::run::Stream;
use crate::support::small_disk::on_a_disk_of;
use crate::support::stack::Stack;

fn form(model: &str, content: &[u8], dataset: &str) -> Multipart {
    Multipart::new().file("file", "model.pt", content).texts(&[
        ("model_id", model),
        ("name", "M"),
        ("framework", "pytorch"),
        ("model_type", "nlp"),
        ("training_dataset", dataset),
    ])
}

fn upload(host: &str, model: &str, content: &[u8], dataset: &str) -> Reply {
    Call::post("/ai-models/upload/single/u", &form(model, content, dataset)).send(host)
}

fn outbox(host: &str) -> Value {
    Call::get("/health").send(host).expect(200).json()["outbox"].clone()
}

/// The values on the topic of uploads, in the order of their offsets.
fn announced(stack: &Stack) -> Vec<Value> {
    let arguments = ["tail", "automl-events", "--until", "end", "-o", "json"];
    let lines = stack.run(arguments).expect(0).json_lines();
    lines.iter().map(|line| line["value"].clone()).collect()
}

#[test]
fn a_full_disk_is_said_with_507_and_nothing_is_half_registered() {
    let environment = Environment::new();
    let Some((_process, host, brokers)) = on_a_disk_of(12, &environment) else { return };
    drop(upload(&host, "small", b"weights", "d").expect(200));
    let too_large = upload(&host, "large", &vec![7; 16 << 20], "d").expect(507);
    // Whoever waits for the task of such an upload hears of it.
    let of_task = form("of-task", &vec![7; 16 << 20], "d");
    let call = Call::post("/ai-models/upload/single/u", &of_task).header("X-Task-ID", "T-full");
    drop(call.send(&host).expect(507));
    let failed = environment.run([
        "wait",
        "automl",
        "-b",
        &brokers,
        "--from",
        "beginning",
        "--failure",
        "--match",
        "task_id=T-full",
        "--timeout",
        "30s",
    ]);
    assert!(failed.expect(0).out().contains("No space is left"));
    assert_eq!(too_large.text(), r#"{"detail":"No space is left in the data folder"}"#);
    // What was written of it has made room again.
    drop(upload(&host, "fits", &vec![7; 6 << 20], "d").expect(200));
    // Small ones fill the database.
    let replies = (0..400).map(|number| upload(&host, &format!("m-{number}"), &[7; 50_000], "d"));
    let mut stored = vec!["small".to_owned(), "fits".to_owned()];
    for (number, reply) in replies.enumerate() {
        if reply.status == 507 {
            break;
        }
        drop(reply.expect(200));
        stored.push(format!("m-{number}"));
    }
    assert!(stored.len() < 402, "all of it fits");
    drop(upload(&host, "refused", &[7; 50_000], "d").expect(507));
    let models = Call::get("/ai-models/u?limit=1000").send(&host).expect(200).json();
    let models = models.as_array().unwrap().iter().rev();
    let models: Vec<_> = models.map(|model| model["model_id"].as_str().unwrap()).collect();
    assert_eq!(models, stored);
    for model in ["small", "fits", &stored[stored.len() - 1]] {
        let path = format!("/ai-models/u/{model}/download?filename=model.pt");
        drop(Call::get(&path).send(&host).expect(200));
    }
}

#[test]
fn what_was_staged_is_gone_after_a_start_and_all_other_files_stay() {
    let stack = Stack::start();
    let content = vec![7; 100_000];
    drop(upload(stack.host(), "m", &content, "d").expect(200));
    let data = stack.data_dir();
    let (_, environment) = stack.stop(Signal::KILL);
    // As a kill leaves it: under a name that the server gives.
    let left = "0123456789abcdef0123456789abcdef";
    std::fs::write(data.join("staging").join(left), "x").unwrap();
    // And somebody's own.
    std::fs::write(data.join("blobs/notes.txt"), "mine").unwrap();
    std::fs::create_dir(data.join("staging/mine")).unwrap();
    let stack = Stack::start_in(environment, &[]);
    let count = |folder: &str| std::fs::read_dir(data.join(folder)).unwrap().count();
    assert_eq!((count("blobs"), count("staging")), (2, 1));
    assert_eq!(std::fs::read(data.join("blobs/notes.txt")).unwrap(), b"mine");
    let path = "/ai-models/u/m/download?filename=model.pt";
    assert_eq!(stack.call(&Call::get(path)).expect(200).body, content);
}

#[test]
fn what_waits_how_long_and_why_is_shown_and_said() {
    let stack = Stack::start_with(&["--brokers", DEAD]);
    for model in ["one", "two"] {
        drop(upload(stack.host(), model, b"weights", "d").expect(200));
    }
    let line = stack.process().wait_for(Stream::Err, "events wait (");
    assert!(line.contains(" in the outbox, the oldest for "), "{line}");
    assert!(line.contains("connection refused"), "{line}");
    let outbox = outbox(stack.host());
    assert_eq!(outbox["waiting"], 2, "{outbox}");
    assert!(outbox["oldest_age_ms"].is_u64(), "{outbox}");
    assert!(outbox["last_error"].as_str().unwrap().contains("connection refused"), "{outbox}");
    let health = stack.call(&Call::get("/health")).expect(200).json();
    assert_eq!(health["services"]["kafka"], "unreachable");
}

#[test]
fn a_broker_that_forgot_gets_the_last_events_back_in_their_order() {
    let stack = Stack::start();
    // More than is kept of a topic: 4 MiB.
    let long = "d".repeat(100_000);
    for number in 1..=50 {
        drop(upload(stack.host(), "m", b"weights", &format!("{number}-{long}")).expect(200));
    }
    stack.wait_until_published();
    let (_, environment) = stack.stop(Signal::KILL);
    let stack = Stack::start_in(environment, &[]);
    stack.wait_until_published();
    let versions: Vec<String> = announced(&stack)
        .iter()
        .map(|event| event["version"].as_str().unwrap().to_owned())
        .collect();
    let kept = versions.len();
    assert!((30..50).contains(&kept), "{kept} events of 100 kB are back");
    let expected: Vec<String> = (51 - kept..=50).map(|number| format!("v{number}")).collect();
    assert_eq!(versions, expected);
}
