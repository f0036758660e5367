//! `dwctl forward`: every upload has its trigger whatever is killed when, what is sent twice is the
//! same twice, and what nothing can be done with stops nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::kafka::{Kafka, OwnKafka, unused_name};
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Running, Stream};
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;

/// The API's record of the model that a request asks for: its path names user, model and version.
fn record(request: &Request) -> Answer {
    let (path, query) = request.path.split_once('?').unwrap();
    let [user, model]: [&str; 2] =
        path.trim_start_matches("/ai-models/").split('/').collect::<Vec<_>>().try_into().unwrap();
    let version = query.strip_prefix("version=").unwrap();
    let record = json!({
        "model_id": model, "user_id": user, "name": "N", "version": version,
        "framework": "pytorch", "model_type": "classification", "files": [],
        "created_at": "2026-11-23T08:38:21", "updated_at": "2026-11-23T08:38:21",
    });
    Answer::json(200, &record.to_string())
}

/// The same with one file, whose content is `weights`.
fn record_of_weights(request: &Request) -> Answer {
    let Answer::Send { body, .. } = record(request) else { unreachable!("a record is sent") };
    let mut record: Value = serde_json::from_slice(&body).unwrap();
    record["files"] = json!([{
        "filename": "model.pt", "file_path": "models/u/m/v1/model.pt", "file_size": 7,
        "file_type": "pt", "file_hash": "63f4f1e9b725370f459720575cd5f953",
        "content_type": "application/octet-stream", "is_primary": true, "description": null,
    }]);
    Answer::json(200, &record.to_string())
}

fn uploaded(model: &str) -> String {
    format!(
        r#"{{"event_type":"model.uploaded","user_id":"u","model_id":"{model}","dataset_id":"d","version":"v1"}}"#
    )
}

/// Topics and a group that no other test has.
struct Case {
    kafka: Kafka,
    uploads: String,
    triggers: String,
    environment: Environment,
}

impl Case {
    /// On the shared Kafka, with so many partitions of uploads.
    fn start(partitions: i32) -> Option<Self> {
        Kafka::shared().map(|kafka| Self::on(kafka, partitions))
    }

    fn on(kafka: Kafka, partitions: i32) -> Self {
        let uploads = kafka.topic("uploads", partitions);
        let triggers = kafka.topic("triggers", 1);
        let environment = Environment::new()
            .set("KAFKA_BOOTSTRAP_SERVERS", &kafka.brokers)
            .set("KAFKA_AUTOML_TOPIC", &uploads)
            .set("KAFKA_CONSUMER_GROUP", &unused_name("group"))
            // The first generation: what exists on a shared broker decides nothing.
            .set("DWCTL_DIALECT", "form")
            .set("KAFKA_XAI_TOPIC", &triggers);
        Self { kafka, uploads, triggers, environment }
    }

    fn upload(&self, models: impl IntoIterator<Item = String>) {
        for model in models {
            put(&self.kafka.brokers, &[text(&self.uploads, &model, &uploaded(&model))]);
        }
    }

    /// A member that its group forgets soon after its death.
    fn forward(&self, api: &ScriptedApi, arguments: &[&str]) -> Running {
        let quick = ["-X", "session.timeout.ms=1000", "-X", "heartbeat.interval.ms=200"];
        self.environment.start(
            [&["forward", "-u", api.url(), "--timeout", "60s"], &quick[..], arguments].concat(),
        )
    }

    fn read(&self, topic: &str) -> Vec<Value> {
        let arguments = ["tail", topic, "--until", "end", "-o", "json"];
        self.environment.run(arguments).expect(0).json_lines()
    }

    fn triggers(&self) -> Vec<Value> {
        self.read(&self.triggers)
    }
}

/// The models that triggers are for, each once; a trigger that came twice must be the same twice.
#[track_caller]
fn models(triggers: &[Value]) -> BTreeSet<String> {
    let mut by_id: BTreeMap<&str, &Value> = BTreeMap::new();
    for trigger in triggers {
        let id = trigger["value"]["event_id"].as_str().unwrap();
        let first = by_id.entry(id).or_insert(trigger);
        assert_eq!(first["value"].to_string(), trigger["value"].to_string());
    }
    let models: Vec<&str> =
        by_id.values().map(|trigger| trigger["value"]["model_id"].as_str().unwrap()).collect();
    let distinct: BTreeSet<String> = models.iter().map(|&model| model.to_owned()).collect();
    assert_eq!(distinct.len(), models.len(), "a redelivery got an id of its own: {models:?}");
    distinct
}

fn names(range: std::ops::Range<u32>) -> BTreeSet<String> {
    range.map(|number| format!("m{number}")).collect()
}

#[test]
fn a_kill_between_trigger_and_commit_repeats_the_triggers_byte_for_byte() {
    let Some(case) = Case::start(1) else { return };
    case.upload(names(0..6));
    // The first look-up never ends, so that no position can be committed.
    let stalling = ScriptedApi::start(|request| match request.path.contains("/m0?") {
        true => Answer::Stall,
        false => record(request),
    });
    let killed = case.forward(&stalling, &[]);
    for number in 1..6 {
        killed.wait_for(Stream::Err, &format!("[0]@{number}: sent xai.trigger"));
    }
    killed.signal(Signal::KILL);
    drop(killed.finish());
    assert_eq!(models(&case.triggers()), names(1..6));

    let api = ScriptedApi::start(|request| record(request));
    case.forward(&api, &["-n", "6"]).finish().must_succeed();
    let triggers = case.triggers();
    assert_eq!((triggers.len(), models(&triggers)), (11, names(0..6)));
}

#[test]
fn kills_at_any_moment_of_a_stream_lose_nothing_and_poison_stops_nothing() {
    let Some(case) = Case::start(3) else { return };
    let dead_letters = case.kafka.topic("dead-letters", 1);
    let api = ScriptedApi::start(|request| record(request));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            case.upload(names(0..150));
            put(&case.kafka.brokers, &[text(&case.uploads, "poison", "{no json")]);
            case.upload(names(150..300));
        });
        for moment in ["sent xai.trigger", "m1", "sent xai.trigger"] {
            let stream = if moment == "m1" { Stream::Out } else { Stream::Err };
            let killed = case.forward(&api, &["--dead-letter", &dead_letters]);
            killed.wait_for(stream, moment);
            killed.signal(Signal::KILL);
            drop(killed.finish());
        }
    });
    let last = ["--dead-letter", &dead_letters, "--idle", "2s"];
    case.forward(&api, &last).finish().must_succeed();
    assert_eq!(models(&case.triggers()), names(0..300));
    let kept = case.read(&dead_letters);
    assert!(
        !kept.is_empty() && kept.iter().all(|letter| letter["value"] == "{no json"),
        "{kept:?}"
    );

    // All of it is committed: nothing comes again.
    let again = case.forward(&api, &last).finish().expect(0);
    assert_eq!(again.out(), "", "{again}");
}

#[test]
fn poison_is_kept_as_it_came_with_the_reason_beside_it() {
    let Some(case) = Case::start(1) else { return };
    let dead_letters = case.kafka.topic("dead-letters", 1);
    let headers: [(&str, Option<&[u8]>); 1] = [("trace", Some(b"7"))];
    let no_ids = r#"{"event_type":"model.uploaded","n":1.10}"#;
    put(
        &case.kafka.brokers,
        &[
            text(&case.uploads, "m0", &uploaded("m0")),
            dwctl::kafka::Outgoing { headers: &headers, ..text(&case.uploads, "k1", no_ids) },
            text(&case.uploads, "k2", &uploaded("gone")),
            text(&case.uploads, "m3", &uploaded("m3")),
        ],
    );
    let api = ScriptedApi::start(|request| match request.path.contains("/gone?") {
        true => Answer::json(404, r#"{"detail":"Model not found"}"#),
        false => record(request),
    });
    let arguments = ["-n", "4", "--dead-letter", &dead_letters];
    let outcome = case.forward(&api, &arguments).finish().expect(0);
    assert!(outcome.err().contains("4 records done: 2 triggers sent, 2 set aside"), "{outcome}");
    assert_eq!(models(&case.triggers()), BTreeSet::from(["m0".into(), "m3".into()]));

    let kept = case.read(&dead_letters);
    let header = |letter: &Value, name: &str| {
        let headers = letter["headers"].as_array().unwrap();
        let found = headers.iter().find(|header| header["key"] == name);
        found.map_or("", |header| header["value"].as_str().unwrap()).to_owned()
    };
    let shown: Vec<(String, String, String, String)> = kept
        .iter()
        .map(|letter| {
            let key = letter["key"].as_str().unwrap().to_owned();
            let offset = header(letter, "dwctl.source.offset");
            (key, offset, header(letter, "dwctl.reason"), header(letter, "trace"))
        })
        .collect();
    let of = |key: &str| shown.iter().find(|(other, ..)| other == key).unwrap().clone();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(of("k1"), ("k1".into(), "1".into(), "it has no user_id".into(), "7".into()));
    let (_, offset, reason, _) = of("k2");
    assert!(offset == "2" && reason.contains("404: Model not found"), "{reason}");
    let raw = case.environment.run(["tail", &dead_letters, "--until", "end", "-o", "raw"]);
    assert!(raw.expect(0).out().lines().any(|line| line == no_ids));
}

#[test]
fn without_a_place_for_it_poison_is_told_and_passed_by() {
    let Some(case) = Case::start(1) else { return };
    put(&case.kafka.brokers, &[text(&case.uploads, "k", "\u{1}")]);
    case.upload(names(1..2));
    let api = ScriptedApi::start(|request| record(request));
    let outcome = case.forward(&api, &["-n", "2"]).finish().expect(0);
    let said = format!("warning: {}[0]@0 is passed by: it is not JSON", case.uploads);
    assert!(outcome.err().contains(&said), "{outcome}");
    assert_eq!(models(&case.triggers()), names(1..2));
}

#[test]
fn an_api_that_is_away_is_waited_for() {
    for status in [503, 429] {
        let Some(case) = Case::start(1) else { return };
        case.upload(names(0..5));
        let mut calls = 0;
        let api = ScriptedApi::start(move |request| {
            calls += 1;
            if calls <= 7 { Answer::json(status, r#"{"detail":"busy"}"#) } else { record(request) }
        });
        let outcome = case.forward(&api, &["-n", "5"]).finish().expect(0);
        let said = outcome.err();
        assert_eq!(said.matches("waiting for the API").count(), 1, "{outcome}");
        assert!(said.contains(&format!("{status}: busy")), "{outcome}");
        assert!(said.contains("the API answers again"), "{outcome}");
        let triggers = case.triggers();
        assert_eq!((triggers.len(), models(&triggers)), (5, names(0..5)));
    }
}

#[test]
fn an_api_that_names_a_time_is_left_alone_until_then() {
    const ASKED: Duration = Duration::from_secs(2);
    // What is refused is a look-up, or a download.
    for (status, refused) in [(429, "?version="), (503, "/download")] {
        let Some(case) = Case::start(1) else { return };
        case.upload(names(0..2));
        let mut asked = None;
        let api = ScriptedApi::start(move |request| {
            if asked.is_none() && request.path.contains(refused) {
                asked = Some(Instant::now());
                let busy = Answer::json(status, r#"{"detail":"busy"}"#);
                return busy.with_header("Retry-After", "2");
            }
            assert!(asked.is_none_or(|asked| asked.elapsed() >= ASKED), "{} came", request.path);
            match request.path.contains("/download") {
                true => Answer::plain(200, "weights"),
                false => record_of_weights(request),
            }
        });
        // One at a time: what is on its way already cannot be called back.
        let arguments = ["-n", "2", "--lookups", "1", "--download-dir", "models"];
        let outcome = case.forward(&api, &arguments).finish().expect(0);
        assert_eq!(outcome.err().matches("waiting for the API").count(), 1, "{outcome}");
        assert_eq!(models(&case.triggers()), names(0..2));
    }
}

#[test]
fn files_go_to_their_folders_and_one_that_is_not_what_its_record_says_comes_again() {
    let Some(case) = Case::start(1) else { return };
    case.upload(names(0..2));
    let mut downloads_of_m0 = 0;
    let api = ScriptedApi::start(move |request| {
        if !request.path.contains("/download") {
            return record_of_weights(request);
        }
        let is_first = request.path.contains("/m0/") && {
            downloads_of_m0 += 1;
            downloads_of_m0 == 1
        };
        Answer::plain(200, if is_first { "weighty" } else { "weights" })
    });
    let arguments = ["-n", "2", "--download-dir", "models"];
    let outcome = case.forward(&api, &arguments).finish().expect(0);
    let again = format!("warning: {}[0]@0 is tried again", case.uploads);
    let told: Vec<&str> = outcome.err().lines().filter(|line| line.contains(&again)).collect();
    assert!(told.len() == 1 && told[0].contains("MD5"), "{outcome}");
    for model in ["m0", "m1"] {
        let path = format!("models/u/{model}/v1/model.pt");
        assert!(outcome.err().contains(&format!("downloaded to {path}")), "{outcome}");
        let content = std::fs::read_to_string(case.environment.path(&path)).unwrap();
        assert_eq!(content, "weights", "{model}");
    }
    assert_eq!(models(&case.triggers()), names(0..2));
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    let Some(case) = Case::start(1) else { return };
    case.upload(names(0..1));
    let mut calls = 0;
    let api = ScriptedApi::start(move |request| {
        calls += 1;
        if calls <= 2 { Answer::Break } else { record(request) }
    });
    case.forward(&api, &["-n", "1"]).finish().must_succeed();
    assert_eq!(models(&case.triggers()), names(0..1));
}

#[test]
fn an_api_that_refuses_us_ends_the_run_and_commits_nothing() {
    let Some(case) = Case::start(1) else { return };
    case.upload(names(0..1));
    let denying = ScriptedApi::start(|_| Answer::json(403, r#"{"detail":"no"}"#));
    drop(case.forward(&denying, &["-n", "1"]).finish().expect(10));
    let api = ScriptedApi::start(|request| record(request));
    case.forward(&api, &["-n", "1"]).finish().must_succeed();
    assert_eq!(models(&case.triggers()), names(0..1));
}

#[test]
fn a_broker_that_hangs_does_not_hold_the_deadline() {
    let Some(mut own) = OwnKafka::planned() else { return };
    let case = Case::on(own.start(), 1);
    let api = ScriptedApi::start(|request| record(request));
    case.upload(names(0..2));
    let forward = ["forward", "-u", api.url(), "-n", "3", "--timeout", "10s"];
    let forward = case.environment.start(forward);
    // Its deadline is two seconds later and it has no group: who is held by one ends after it.
    let later = ["tail", &case.uploads, "-n", "1", "--timeout", "12s"];
    let later = case.environment.start(later);
    later.wait_for(Stream::Err, "waiting for new records");
    forward.wait_for(Stream::Err, "[0]@1: sent");
    own.pause();
    drop(later.finish().expect(7));
    assert!(forward.has_ended(), "still held after the deadline");
    drop(forward.finish().expect(7));
    own.resume();
    case.upload(names(2..3));
    case.forward(&api, &["--idle", "3s"]).finish().must_succeed();
    assert_eq!(models(&case.triggers()), names(0..3));
}

#[test]
fn triggers_of_a_key_keep_the_order_of_its_events() {
    let Some(case) = Case::start(1) else { return };
    let versions: Vec<String> = (1..=20).map(|number| format!("v{number}")).collect();
    for version in &versions {
        let event = uploaded("m").replace("\"v1\"", &format!("\"{version}\""));
        put(&case.kafka.brokers, &[text(&case.uploads, "u_m", &event)]);
    }
    // The first of them is found last.
    let mut calls = 0;
    let api = ScriptedApi::start(move |request| {
        calls += 1;
        match request.path.ends_with("=v1") && calls <= 20 {
            true => Answer::json(500, r#"{"detail":"not yet"}"#),
            false => record(request),
        }
    });
    case.forward(&api, &["-n", "20"]).finish().must_succeed();
    let sent: Vec<String> = case
        .triggers()
        .iter()
        .map(|trigger| trigger["value"]["version"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sent, versions);
}

#[test]
fn members_hand_partitions_over_without_a_loss_or_a_repetition() {
    let Some(case) = Case::start(2) else { return };
    let api = ScriptedApi::start(|request| record(request));
    case.upload(names(0..20));
    let first = case.forward(&api, &[]);
    first.wait_for(Stream::Out, "m19");
    let second = case.forward(&api, &["--idle", "3s"]);
    first.wait_for(Stream::Err, "gave back");
    second.wait_for(Stream::Err, "joined group");
    case.upload(names(20..40));
    drop(second.finish().expect(0));
    // The second has gone with all it had; the first has the rest.
    first.signal(Signal::TERM);
    drop(first.finish().expect(143));
    case.forward(&api, &["--idle", "1s"]).finish().must_succeed();
    let triggers = case.triggers();
    assert_eq!((triggers.len(), models(&triggers)), (40, names(0..40)));
}

#[test]
fn members_that_come_and_go_under_load_leave_no_event_without_its_trigger() {
    let Some(case) = Case::start(4) else { return };
    let api = ScriptedApi::start(|request| record(request));
    let first = case.forward(&api, &[]);
    first.wait_for(Stream::Err, "joined group");
    let (halfway, half_is_out) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..300 {
                case.upload(names(number..number + 1));
                if number % 100 == 99 {
                    halfway.send(()).unwrap();
                }
            }
        });
        half_is_out.recv().unwrap();
        let second = case.forward(&api, &[]);
        second.wait_for(Stream::Err, "joined group");
        half_is_out.recv().unwrap();
        let third = case.forward(&api, &[]);
        third.wait_for(Stream::Err, "joined group");
        second.signal(Signal::KILL);
        drop(second.finish());
        third.signal(Signal::TERM);
        drop(third.finish().expect(143));
    });
    first.signal(Signal::TERM);
    drop(first.finish().expect(143));
    case.forward(&api, &["--idle", "4s"]).finish().must_succeed();
    assert_eq!(models(&case.triggers()), names(0..300));
}

#[test]
fn an_envelope_causes_an_envelope_and_a_failure_causes_nothing() {
    let Some(case) = Case::start(1) else { return };
    let requests = case.kafka.topic("requests", 1);
    let done = r#"{"task_id":"T","event_type":"automl-complete","timestamp":"t","output":{"model_id":"m","model_version":"v2","dataset_id":"d","dataset_version":"v7","user_id":"u"},"failure":null}"#;
    let failed = r#"{"task_id":"T","event_type":"automl-complete","timestamp":"t","output":null,"failure":{"error_type":"AutoMLError","error_message":"no data"}}"#;
    let no_dataset = uploaded("m").replace("\"d\"", "null");
    let records = [failed, done, &no_dataset].map(|value| text(&case.uploads, "T", value));
    put(&case.kafka.brokers, &records);
    let api = ScriptedApi::start(|request| record(request));
    let arguments = ["-n", "3", "--trigger-topic", &requests];
    let outcome = case.forward(&api, &arguments).finish().expect(0);
    let said = outcome.err();
    assert!(said.contains("the AutoML step failed: AutoMLError: no data"), "{outcome}");
    assert!(said.contains("[0]@2: no trigger: it names no dataset"), "{outcome}");
    let sent = case.read(&requests);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["key"], sent[0]["value"]["task_id"]);
    assert_eq!(
        sent[0]["value"]["input"].to_string(),
        r#"{"user_id":"u","dataset_id":"d","dataset_version":"v7","model_id":"m","model_version":"v2","level":"beginner","report_type":"lime"}"#
    );
}

#[test]
fn a_topic_that_is_not_there_yet_is_waited_for() {
    let Some(mut case) = Case::start(1) else { return };
    case.uploads = unused_name("later");
    case.environment = case.environment.set("KAFKA_AUTOML_TOPIC", &case.uploads);
    let api = ScriptedApi::start(|request| record(request));
    let forward = case.forward(&api, &["-n", "1"]);
    forward.wait_for(Stream::Err, &format!("a topic that does not exist yet: {}", case.uploads));
    case.upload(names(0..1));
    forward.finish().must_succeed();
    assert_eq!(models(&case.triggers()), names(0..1));
}

#[test]
fn fewer_records_than_asked_for_are_told_by_the_exit_code() {
    let Some(case) = Case::start(1) else { return };
    case.upload(names(0..1));
    let api = ScriptedApi::start(|request| record(request));
    let arguments = ["forward", "-u", api.url(), "-n", "2", "--timeout", "3s"];
    let outcome = case.environment.run(arguments).expect(7);
    assert!(outcome.err().contains("only 1 of 2 records came"), "{outcome}");
}

#[test]
fn what_is_read_cannot_be_what_is_written() {
    for flag in ["--trigger-topic", "--dead-letter"] {
        let arguments = ["forward", "--topic", "t", flag, "t", "-b", DEAD];
        let outcome = Environment::new().run(arguments).expect(2);
        assert!(outcome.err().contains("is the topic that is read"), "{outcome}");
    }
}

#[test]
fn brokers_that_cannot_be_used_are_named_at_once() {
    let outcome = Environment::new().run(["forward", "-b", DEAD]).expect(6);
    assert!(outcome.err().contains("connection refused"), "{outcome}");
}

/// A stack with its own broker, and `forward` on it with these flags, to its end.
fn forward_on(stack: &Stack, flags: &[&str]) -> Outcome {
    stack.run([&["forward", "--timeout", "60s"], flags].concat())
}

fn triggers_on(stack: &Stack, topic: &str) -> Vec<Value> {
    stack.run(["tail", topic, "--until", "end", "-o", "json"]).expect(0).json_lines()
}

#[test]
fn a_page_of_a_proxy_is_no_word_about_a_model() {
    let Some(case) = Case::start(1) else { return };
    case.upload(["m".to_owned()]);
    let mut pages = 2;
    let api = ScriptedApi::start(move |request| {
        if pages > 0 {
            pages -= 1;
            return Answer::html(404, "<html>nginx</html>");
        }
        record(request)
    });
    let outcome = case.forward(&api, &["-n", "1"]).finish().expect(0);
    assert_eq!(case.triggers().len(), 1, "{outcome}");
}

#[test]
fn a_group_that_starts_at_the_end_has_every_upload_since_its_first_start() {
    let stack = Stack::start();
    let upload = |model: &str| {
        stack.environment.write("model.pt", model);
        let line = format!(
            "upload model.pt --user-id u --model-id {model} --framework pytorch --model-type nlp \
             --training-dataset d --dialect flat --wait-event"
        );
        stack.run(line.split_whitespace()).must_succeed();
    };
    upload("before");
    let from_end = ["--from", "end", "--group", "late"];
    let first = forward_on(&stack, &[&from_end[..], &["--idle", "1s"]].concat()).expect(0);
    assert!(first.err().contains("joined group late"), "{first}");
    assert_eq!(triggers_on(&stack, "xai-events").len(), 0);
    upload("between");
    forward_on(&stack, &[&from_end[..], &["-n", "1"]].concat()).must_succeed();
    let triggers = triggers_on(&stack, "xai-events");
    assert_eq!(models(&triggers), BTreeSet::from(["between".to_owned()]));
}

#[test]
fn events_of_two_topics_in_one_second_have_triggers_of_their_own() {
    let stack = Stack::start();
    let envelope = r#"{"task_id":"T","event_type":"automl-complete","timestamp":"t","output":{"model_id":"m","model_version":"v1","dataset_id":"d","dataset_version":null,"user_id":"u"},"failure":null}"#;
    stack.environment.write("model.pt", "weights");
    let line = "upload model.pt --user-id u --model-id m --framework pytorch --model-type nlp \
                --training-dataset d --dialect flat";
    stack.run(line.split_whitespace()).must_succeed();
    put(&stack.brokers, &[text("automl-complete-events", "T", envelope)]);
    forward_on(&stack, &["--trigger-form", "task", "-n", "2"]).must_succeed();
    let triggers = triggers_on(&stack, "xai-trigger-events");
    let ids: BTreeSet<&str> =
        triggers.iter().map(|trigger| trigger["value"]["task_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{triggers:?}");
}
