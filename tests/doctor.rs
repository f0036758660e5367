//! `dwctl doctor`: each fault between here, the API and the brokers is named, with the line to
//! change, and nothing is changed by looking.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::broken_broker::{BrokenBroker, DEAD};
use crate::support::certificates::Shown;
use crate::support::environment::Environment;
use crate::support::http::Call;
use crate::support::kafka::OwnKafka;
use crate::support::records::{put, text};
use crate::support::run::{Outcome, Stream};
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;
use crate::support::tls_door::TlsDoor;

const DOCTOR: [&str; 4] = ["doctor", "-o", "json", "-q"];

fn findings(document: &Value) -> &[Value] {
    document["findings"].as_array().unwrap()
}

/// Area, fault and status of all that is not well, in order.
fn faults(document: &Value) -> Vec<(&str, &str, &str)> {
    findings(document)
        .iter()
        .filter(|finding| finding["status"] != "ok")
        .map(|finding| {
            let text = |field: &str| finding[field].as_str().unwrap();
            assert!(!text("fix").is_empty() && !text("seen").is_empty(), "{finding}");
            (text("area"), text("fault"), text("status"))
        })
        .collect()
}

fn finding<'d>(document: &'d Value, fault: &str) -> &'d Value {
    let found = findings(document).iter().find(|finding| finding["fault"] == fault);
    found.unwrap_or_else(|| panic!("no {fault} in {document:#}"))
}

/// A stack whose API is well, asked about other brokers.
fn ask(stack: &Stack, brokers: &str, more: &[&str]) -> Outcome {
    stack.run([&DOCTOR, &["-b", brokers][..], more].concat())
}

/// The API's own broker is well, so that what is found is about the brokers that are asked about.
#[track_caller]
fn is_found(outcome: &Outcome, code: i32, fault: &str) -> Value {
    assert_eq!(outcome.code(), Some(code), "{fault}: {outcome}");
    let document = outcome.json();
    assert_eq!(document["ok"], json!(false), "{document:#}");
    let found = finding(&document, fault).clone();
    assert_eq!(found["status"], "bad", "{found}");
    assert!(outcome.err().contains(found["fix"].as_str().unwrap()), "{outcome}");
    found
}

#[test]
fn a_stack_that_is_well_is_found_well_in_every_dialect() {
    for dialect in ["form", "flat", "task"] {
        let stack = Stack::start_with(&["--dialect", dialect]);
        let outcome = stack.run(DOCTOR).expect(0);
        let document = outcome.json();
        assert_eq!(
            (&document["schema"], &document["ok"]),
            (&"dwctl.doctor/1".into(), &true.into())
        );
        assert_eq!(faults(&document), [], "{document:#}");
        let areas: Vec<&str> =
            findings(&document).iter().map(|finding| finding["area"].as_str().unwrap()).collect();
        for area in ["settings", "api", "brokers", "topics", "groups"] {
            assert!(areas.contains(&area), "{dialect}: no {area} in {document:#}");
        }
        let text = stack.run(["doctor"]).expect(0);
        assert!(text.out().contains(&format!("speaks the {dialect} dialect")), "{text}");
        assert!(
            text.out().lines().last().unwrap().starts_with("Good: everything is well"),
            "{text}"
        );
    }
}

#[test]
fn ways_that_lead_to_no_broker_are_told_apart() {
    let stack = Stack::start();
    let (http, silent) = (BrokenBroker::http(), BrokenBroker::silent());
    let api = stack.host().to_owned();
    for (brokers, fault) in [
        (DEAD, "refused"),
        ("kafka.invalid:9092", "unknown-name"),
        (http.address(), "not-kafka"),
        (silent.address(), "hanging"),
        // The likeliest mistake: the API's own port.
        (api.as_str(), "not-kafka"),
    ] {
        let found = is_found(&ask(&stack, brokers, &[]), 6, fault);
        assert_eq!(found["area"], "brokers", "{found}");
    }
}

#[test]
fn one_address_that_fails_beside_one_that_serves_is_an_oddity() {
    let stack = Stack::start();
    let outcome = ask(&stack, &format!("{DEAD},{}", stack.brokers), &[]).expect(0);
    assert_eq!(faults(&outcome.json()), [("brokers", "refused", "odd")]);
}

#[test]
fn tls_and_logins_that_do_not_fit_are_told_apart() {
    let stack = Stack::start();
    let brokers = stack.brokers.clone();
    is_found(&ask(&stack, &brokers, &["-X", "security.protocol=ssl"]), 6, "no-tls");
    let login = ["-X", "security.protocol=sasl_plaintext", "-X", "sasl.mechanism=PLAIN"];
    is_found(&ask(&stack, &brokers, &login), 10, "wants-no-login");
    let door = TlsDoor::before(&brokers, Shown::Good);
    is_found(&ask(&stack, &door.address, &[]), 6, "wants-tls");
    let nowhere = ["-X", "security.protocol=ssl", "-X", "ssl.ca.location=/nowhere/ca.pem"];
    let found = is_found(&ask(&stack, &brokers, &nowhere), 8, "bad-property");
    assert_eq!(found["subject"], "ssl.ca.location");
}

#[test]
fn certificates_that_cannot_be_trusted_are_told_apart() {
    let stack = Stack::start();
    let other = TlsDoor::before(&stack.brokers, Shown::Good);
    for (shown, fault) in
        [(Shown::Expired, "certificate-expired"), (Shown::OtherName, "certificate-other-name")]
    {
        let door = TlsDoor::before(&stack.brokers, shown);
        let authority = format!("ssl.ca.pem={}", door.authority);
        let found = is_found(
            &ask(&stack, &door.address, &["-X", "security.protocol=ssl", "-X", &authority]),
            6,
            fault,
        );
        assert_eq!(found["area"], "brokers");
    }
    // Nobody's authority that is known here, and that of somebody else who has the same name.
    let door = TlsDoor::before(&stack.brokers, Shown::Good);
    let unknown = ask(&stack, &door.address, &["-X", "security.protocol=ssl"]);
    is_found(&unknown, 6, "certificate-unknown-authority");
    let tls = ["-X", "security.protocol=ssl", "-X"];
    let authority = format!("ssl.ca.pem={}", other.authority);
    let unknown = ask(&stack, &door.address, &[&tls[..], &[&authority]].concat());
    is_found(&unknown, 6, "certificate-unknown-authority");
    // The right one: the way in is good, and the address that the broker sends on to has no TLS.
    let authority = format!("ssl.ca.pem={}", door.authority);
    let outcome = ask(&stack, &door.address, &[&tls[..], &[&authority]].concat());
    let document = outcome.json();
    assert_eq!(faults(&document)[0], ("advertised", "no-tls", "bad"), "{document:#}");
    assert!(outcome.out().contains("certificate for 127.0.0.1, localhost"), "{outcome}");
}

/// May read topics but join no group; may see topics but not read them; may nothing.
const USERS: &[&str] = &["loner", "watcher", "nobody"];

#[test]
fn a_real_kafka_is_found_with_its_doors_its_rights_and_its_groups() {
    let Some(kafka) = OwnKafka::planned() else { return };
    let mut kafka = kafka.guarded(USERS);
    let plain = kafka.start();
    kafka.allow("loner", &["--operation", "Read", "--topic", "*"]);
    kafka.allow("watcher", &["--operation", "Describe", "--topic", "*"]);
    kafka.allow("watcher", &["--operation", "Read", "--group", "*"]);
    let stack = Stack::start_with(&["--dialect", "form"]);

    // Nothing is there yet, and nothing is there afterwards.
    let outcome = ask(&stack, &plain.brokers, &[]).expect(0);
    assert_eq!(faults(&outcome.json()), [("topics", "missing-topic", "odd")], "{outcome}");
    assert_eq!(stack.run(["topics", "-b", &plain.brokers]).expect(0).out().lines().count(), 1);
    for name in ["automl-events", "bias-events", "xai-events", "dataset-events"] {
        stack.run(["topics", name, "--create", "-b", &plain.brokers]).must_succeed();
    }
    stack.run(["topics", "automl-trigger-events", "--create", "-b", &plain.brokers]).must_succeed();
    let outcome = ask(&stack, &plain.brokers, &[]).expect(0);
    assert_eq!(faults(&outcome.json()), [], "{outcome}");

    let [lost, blind] = kafka.doors_to_nowhere();
    for (door, fault) in [(&lost, "advertised-unknown-name"), (&blind, "advertised-dead-port")] {
        let found = is_found(&ask(&stack, door, &[]), 6, fault);
        assert_eq!(found["area"], "advertised");
        assert!(found["fix"].as_str().unwrap().contains(door.as_str()), "{found}");
    }

    let of = |user: &str, more: &[&str]| {
        let flags = kafka.flags_of(user);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        stack.run([&DOCTOR[..], &flags, more].concat())
    };
    is_found(&of("loner", &[]), 10, "no-join");
    is_found(&of("watcher", &[]), 10, "no-read");
    is_found(&of("nobody", &[]), 10, "no-describe");
    is_found(&of("nobody", &["-X", "sasl.password=wrong"]), 10, "wrong-login");
    let scram = of("nobody", &["-X", "sasl.mechanism=SCRAM-SHA-256"]);
    let found = is_found(&scram, 10, "mechanism-not-offered");
    assert!(found["fix"].as_str().unwrap().ends_with("sasl.mechanism=PLAIN"), "{found}");
    let door = kafka.flags_of("nobody")[1].clone();
    is_found(&ask(&stack, &door, &[]), 10, "wants-login");

    // Somebody reads, goes away, and leaves something unread.
    let at = ["-b", &plain.brokers];
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
        "bias-events",
    ];
    stack.run([&send[..], &at].concat()).must_succeed();
    let group =
        ["tail", "bias-events", "--group", "automl-consumer", "-n", "1", "--from", "beginning"];
    stack.run([&group[..], &at].concat()).must_succeed();
    stack.run([&send[..], &at].concat()).must_succeed();
    let outcome = ask(&stack, &plain.brokers, &[]).expect(0);
    let document = outcome.json();
    assert!(finding(&document, "nobody-reads")["seen"].as_str().unwrap().starts_with("1 unread"));

    kafka.pause();
    let paused = ask(&stack, &plain.brokers, &[]);
    kafka.resume();
    is_found(&paused, 6, "hanging");
}

/// An API of the newest generation that says one thing of its health.
fn api(health: &'static str) -> impl FnMut(&mut Request) -> Answer + Send {
    move |request| match request.path.as_str() {
        "/openapi.json" => Answer::json(200, r#"{"paths": {"/ai-models/upload/single": {}}}"#),
        "/health" => Answer::json(200, health),
        other => Answer::plain(404, other),
    }
}

#[test]
fn an_api_that_cannot_be_used_is_named() {
    let stack = Stack::start();
    let doctor = |url: &str| stack.run([&DOCTOR[..], &["-u", url, "--timeout", "5s"]].concat());
    is_found(&doctor("http://127.0.0.1:1"), 6, "api-down");
    let (silent, http) = (BrokenBroker::silent(), BrokenBroker::http());
    is_found(&doctor(&format!("http://{}", silent.address())), 6, "api-hangs");
    is_found(&doctor(&format!("http://{}", http.address())), 8, "not-the-api");
    let ill = ScriptedApi::start(api(r#"{"status":"unhealthy"}"#));
    is_found(&doctor(ill.url()), 8, "api-unhealthy");
}

#[test]
fn an_api_without_a_broker_is_named_whatever_its_health_says() {
    let constant = ScriptedApi::start(api(r#"{"status":"healthy","services":{"api":"running"}}"#));
    let outcome =
        Environment::new().run([&DOCTOR[..], &["-u", constant.url(), "-b", DEAD]].concat());
    let document = outcome.expect(6).json();
    let found = faults(&document);
    assert_eq!(found, [("api", "api-without-broker", "odd"), ("brokers", "refused", "bad")]);
    // Ours looks, and says so once its publisher has tried.
    let (stack, cut_off) = (Stack::start(), Stack::start_with(&["--brokers", DEAD]));
    let end = Instant::now() + PATIENCE;
    while cut_off.call(&Call::get("/health")).json()["services"]["kafka"] == "connected" {
        assert!(Instant::now() < end, "it takes a dead port for a broker");
        std::thread::yield_now();
    }
    let found = stack.run([&DOCTOR[..], &["-u", &cut_off.api_url]].concat());
    let found = is_found(&found, 6, "api-without-broker");
    assert!(found["seen"].as_str().unwrap().contains("connection refused"), "{found}");
}

#[test]
fn a_clock_that_is_wrong_is_named() {
    let stack = Stack::start();
    let mut script = api(r#"{"status":"healthy"}"#);
    let late = ScriptedApi::start(move |request| {
        script(request).with_header("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
    });
    let outcome = stack.run([&DOCTOR[..], &["-u", late.url()]].concat()).expect(0);
    let document = outcome.json();
    let found = finding(&document, "clock-skew");
    assert!(found["seen"].as_str().unwrap().contains("behind this machine's"), "{found}");
}

#[test]
fn what_is_set_in_vain_is_named() {
    let environment = Environment::new()
        .set("KAFKA_GROUP_ID", "x")
        .set("KAFKA_BOOTSTRAP_SERVER", "a:1")
        .set("KAFKA_HEAP_OPTS", "-Xmx1g")
        .set("KAFKA_AUTOML_TOPIC", "automl-events");
    let stack = Stack::start_in(environment, &[]);
    let outcome = stack.run(DOCTOR).expect(0);
    let document = outcome.json();
    let unread: Vec<&str> = findings(&document)
        .iter()
        .filter(|finding| finding["fault"] == "unread-variable")
        .map(|finding| finding["subject"].as_str().unwrap())
        .collect();
    assert_eq!(unread, ["KAFKA_BOOTSTRAP_SERVER", "KAFKA_GROUP_ID"]);
    let older = finding(&document, "older-topic");
    assert!(older["fix"].as_str().unwrap().contains("automl-complete-events"), "{older}");
}

#[test]
fn secrets_are_not_shown() {
    let stack = Stack::start();
    let password = ["-X", "sasl.password=hidden-word", "-X", "security.protocol=plaintext"];
    for form in ["json", "text"] {
        let outcome = stack.run([&["doctor", "-o", form], &password[..]].concat()).expect(0);
        assert!(!outcome.out().contains("hidden-word"), "{outcome}");
    }
}

#[test]
fn it_waits_for_what_is_not_up_yet_and_gives_up_in_time() {
    let environment = Environment::new();
    let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let stack = Stack::start();
    let url = format!("http://{address}");
    let waiting = stack.start_client(["doctor", "--wait", "60s", "-o", "json", "-u", &url]);
    waiting.wait_for(Stream::Err, "not yet");
    let mut script = api(r#"{"status":"healthy"}"#);
    let late = ScriptedApi::start_at(&address.to_string(), move |request| script(request));
    assert_eq!(waiting.finish().code(), Some(0));
    drop(late);
    let given_up =
        environment.run(["doctor", "--wait", "1s", "-u", "http://127.0.0.1:1", "-b", DEAD]);
    assert_eq!(given_up.code(), Some(6), "{given_up}");
}

/// A service of today's generation, whose `/health` looks at nothing.
fn todays_service() -> ScriptedApi {
    ScriptedApi::start(|request: &mut Request| match request.path.as_str() {
        "/openapi.json" => {
            let header = json!([{"in": "header", "name": "X-Task-ID"}]);
            let path = json!({"post": {"parameters": header}});
            let paths = json!({"/ai-models/upload/single/{user_id}": path});
            Answer::json(200, &json!({ "paths": paths }).to_string())
        }
        _ => Answer::json(200, r#"{"status":"healthy","services":{"api":"running"}}"#),
    })
}

#[test]
fn an_api_that_publishes_on_older_topics_is_named_with_its_variable() {
    let (stack, api) = (Stack::start(), todays_service());
    let doctor = ["doctor", "-o", "json", "-q", "-u", api.url()];
    let is_found = |fault: &str| {
        let document = stack.run(doctor).expect(0).json();
        findings(&document).iter().any(|finding| finding["fault"] == fault)
    };
    assert!(!is_found("older-topic-in-use"));
    let flat = r#"{"event_type":"model.uploaded","model_id":"m"}"#;
    for (topic, variable) in [
        ("automl-events", "KAFKA_AUTOML_TOPIC"),
        ("bias-events", "KAFKA_BIAS_TOPIC"),
        ("xai-events", "KAFKA_XAI_TOPIC"),
    ] {
        put(&stack.brokers, &[text(topic, "k", flat)]);
        let envelope = r#"{"task_id":"T","event_type":"e","output":{},"failure":null}"#;
        put(&stack.brokers, &[text(topic, "T", envelope)]);
        let document = stack.run(doctor).expect(0).json();
        let found = findings(&document).iter().find(|finding| finding["subject"] == topic);
        let found = found.unwrap_or_else(|| panic!("no {topic} in {document:#}"));
        assert_eq!(
            (&found["fault"], &found["status"]),
            (&json!("older-topic-in-use"), &json!("odd"))
        );
        assert!(found["fix"].as_str().unwrap().contains(variable), "{found}");
        // An older generation's newest record is none of its own.
        put(&stack.brokers, &[text(topic, "k", flat)]);
        assert!(!is_found("older-topic-in-use"), "{topic}");
    }
}

#[test]
fn what_cannot_be_seen_from_here_is_said_last() {
    let (stack, api) = (Stack::start(), todays_service());
    let outcome = stack.run(["doctor", "-u", api.url()]).expect(0);
    let last = outcome.out().lines().last().unwrap();
    let words = "the API's own way to Kafka cannot be seen from here; prove it: dwctl smoke";
    assert_eq!(last, words);
    let document = stack.run(["doctor", "-o", "json", "-u", api.url()]).expect(0).json();
    assert_eq!(document["unseen"], words);
    // The stack says it itself.
    let document = stack.run(["doctor", "-o", "json"]).expect(0).json();
    assert_eq!(document["unseen"], Value::Null);
}
