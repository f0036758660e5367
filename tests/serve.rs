//! `dwctl serve` as a process: its addresses, what keeps it from starting, and that nothing it
//! answered for is lost, however it ends.

use std::net::TcpListener;
use std::path::Path;

use rustix::process::Signal;

use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::run::{Outcome, Running, Stream};
use crate::support::stack::Stack;

fn upload(stack: &Stack, model: &str) {
    let form = Multipart::new().file("file", "model.pt", b"weights").texts(&[
        ("user_id", "user123"),
        ("model_id", model),
        ("name", "Test Model"),
        ("framework", "pytorch"),
        ("model_type", "classification"),
    ]);
    drop(stack.call(&Call::post("/ai-models/upload/single", &form)).expect(200));
}

/// The models whose events are on the topic.
fn announced(stack: &Stack, count: usize) -> Vec<String> {
    let count = count.to_string();
    let arguments = ["tail", "automl", "--from", "beginning", "-n", &count, "-o", "json"];
    let lines = stack.run(arguments).expect(0).json_lines();
    lines.iter().map(|line| line["value"]["model_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn standard_output_holds_the_two_addresses_and_nothing_else() {
    let stack = Stack::start();
    let (api, brokers) = (stack.api_url.clone(), stack.brokers.clone());
    let addresses = format!("DWCTL_API_URL={api}\nKAFKA_BOOTSTRAP_SERVERS={brokers}\n");
    assert_eq!(std::fs::read_to_string(stack.environment.path("ready")).unwrap(), addresses);
    let (outcome, _) = stack.stop(Signal::INT);
    assert_eq!(outcome.out(), addresses);
}

#[test]
fn everything_listens_on_this_machine_alone() {
    let stack = Stack::start();
    for address in [stack.host(), &stack.brokers] {
        assert!(address.starts_with("127.0.0.1:"), "{address}");
    }
}

#[test]
fn the_services_variable_for_brokers_does_not_make_it_publish_elsewhere() {
    let environment = Environment::new().set("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092");
    let stack = Stack::start_in(environment, &[]);
    assert!(stack.brokers.starts_with("127.0.0.1:"), "{}", stack.brokers);
}

/// A server that cannot start, until it gives up.
fn serve(environment: &Environment, folder: &Path, arguments: &[&str]) -> Outcome {
    let mut command = environment.dwctl(["serve", "--data-dir"]);
    command.arg(folder).args(arguments);
    Running::start(command).finish()
}

const FREE_PORTS: [&str; 4] = ["--port", "0", "--broker-port", "0"];

#[test]
fn a_port_of_the_api_that_is_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = Environment::new();
    let arguments = ["--port", &port, "--broker-port", "0"];
    let outcome = serve(&environment, &environment.path("data"), &arguments).expect(2);
    assert_eq!(
        outcome.shown_with(&[(&port, "PORT")]),
        "--- stderr\n\
         error: failed to listen on 127.0.0.1:PORT for the API\n\
         \x20 cause: Address already in use (os error 98)\n\
         hint: choose another --port; 0 takes a free one\n\
         --- exit 2\n"
    );
}

#[test]
fn a_port_of_the_broker_that_is_in_use_points_to_the_real_kafka() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let environment = Environment::new();
    let arguments = ["--port", "0", "--broker-port", &port];
    let outcome = serve(&environment, &environment.path("data"), &arguments).expect(2);
    assert!(outcome.err().contains(&format!("127.0.0.1:{port} for the Kafka broker")), "{outcome}");
    assert!(outcome.err().contains("--brokers HOST:PORT"), "{outcome}");
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let stack = Stack::start();
    let outcome = serve(&stack.environment, &stack.data_dir(), &FREE_PORTS).expect(2);
    let folder = stack.data_dir().display().to_string();
    assert_eq!(
        outcome.shown_with(&[(&folder, "FOLDER")]),
        "--- stderr\n\
         error: another dwctl serve uses the data folder FOLDER\n\
         hint: stop the other server, or choose another --data-dir\n\
         --- exit 2\n"
    );
    upload(&stack, "the first one goes on");
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_with_its_cause() {
    let environment = Environment::new();
    let in_the_way = environment.write("in-the-way", "a file").join("data");
    // In /proc nobody can make a folder, not even root.
    for folder in [in_the_way.as_path(), Path::new("/proc/dwctl")] {
        let outcome = serve(&environment, folder, &FREE_PORTS).expect(2);
        let expected =
            format!("error: failed to use the data folder {}\n  cause: ", folder.display());
        assert!(outcome.err().starts_with(&expected), "{outcome}");
        assert!(outcome.err().contains("hint: choose another --data-dir"), "{outcome}");
    }
}

#[test]
fn an_address_of_another_machine_is_named_as_the_cause() {
    let environment = Environment::new();
    let arguments = [&FREE_PORTS[..], &["--host", "192.0.2.1"]].concat();
    let outcome = serve(&environment, &environment.path("data"), &arguments).expect(2);
    assert_eq!(
        outcome.shown_with(&[]),
        "--- stderr\n\
         error: failed to listen on \"192.0.2.1\": it is no address of this machine\n\
         \x20 cause: Cannot assign requested address (os error 99)\n\
         hint: --host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0\n\
         --- exit 2\n"
    );
}

#[test]
fn a_ready_file_that_cannot_be_is_refused_before_an_address_is_told() {
    let environment = Environment::new();
    let file = environment.path("not-there").join("ready");
    let data = environment.path("warehouse");
    let arguments = [&FREE_PORTS[..], &["--ready-file", file.to_str().unwrap()]].concat();
    let outcome = serve(&environment, &data, &arguments).expect(2);
    assert_eq!(outcome.out(), "");
    assert!(outcome.err().starts_with("error: failed to write "), "{outcome}");
    assert!(outcome.err().contains("hint: --ready-file takes a file in a folder"), "{outcome}");
    assert!(!data.exists(), "nothing was begun");
}

#[test]
fn a_signal_drains_and_ends_with_its_own_code() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let stack = Stack::start();
        upload(&stack, "m");
        let (outcome, _environment) = stack.stop(signal);
        let outcome = outcome.expect(code);
        assert!(outcome.err().contains("published automl-events[0]@0"), "{outcome}");
        assert!(outcome.err().contains("stopping: "), "{outcome}");
    }
}

#[test]
fn a_request_that_has_begun_is_finished_before_the_end() {
    let stack = Stack::start();
    let form = Multipart::new().file("file", "model.pt", &[7; 200_000]).texts(&[
        ("model_id", "m"),
        ("name", "M"),
        ("framework", "pytorch"),
        ("model_type", "nlp"),
    ]);
    let begun = Call::post("/ai-models/upload/single/user123", &form).begin(stack.host(), 100_000);
    stack.process().signal(Signal::INT);
    stack.process().wait_for(Stream::Err, "stopping: ");
    drop(begun.complete().expect(200));
    let (outcome, environment) = stack.wait();
    let outcome = outcome.expect(130);
    assert!(outcome.err().contains("published automl-events[0]@0"), "{outcome}");
    let stack = Stack::start_in(environment, &[]);
    drop(stack.call(&Call::get("/ai-models/user123/m")).expect(200));
}

#[test]
fn models_and_events_are_there_after_a_restart() {
    let stack = Stack::start();
    upload(&stack, "first");
    let (_, environment) = stack.stop(Signal::INT);
    let stack = Stack::start_in(environment, &[]);
    let model = stack.call(&Call::get("/ai-models/user123/first")).expect(200).json();
    assert_eq!(model["name"], "Test Model");
    upload(&stack, "second");
    assert_eq!(announced(&stack, 2), ["first", "second"]);
}

#[test]
fn what_was_answered_for_is_there_after_a_kill_and_is_announced() {
    let mut environment = Environment::new();
    let mut expected = Vec::new();
    for round in 0..4 {
        let stack = Stack::start_in(environment, &[]);
        let model = format!("model-{round}");
        upload(&stack, &model);
        // Killed right after the reply, and killed once the event is out: the embedded broker forgets
        // it, the store does not.
        if round % 2 == 1 {
            stack.process().wait_for(Stream::Err, &format!("key=user123_{model}"));
        }
        expected.push(model);
        environment = stack.stop(Signal::KILL).1;
    }
    let stack = Stack::start_in(environment, &[]);
    assert_eq!(announced(&stack, expected.len()), expected);
}

#[test]
fn the_embedded_broker_warns_before_it_drops_what_it_has_no_room_for() {
    let stack = Stack::start_with(&["--topic", "small", "--topic", "large"]);
    let send = |topic: &str, lines: usize| {
        let text = format!("{}\n", "x".repeat(1023)).repeat(lines);
        let file = stack.environment.write("lines", text);
        let sent = ["send", "raw", topic, file.to_str().unwrap(), "-X", "compression.type=none"];
        stack.run(sent).expect(0)
    };
    drop(send("small", 3_000));
    drop(send("large", 3_000));
    drop(send("large", 1_200));
    let line = stack.process().wait_for(Stream::Err, "large[0] nears the 5 MiB");
    assert!(line.contains("drop the oldest records") && line.contains("--brokers"), "{line}");
    // At that time nothing is lost; and it is said once, and of no other.
    let read = ["tail", "large", "--from", "beginning", "--until", "end", "-o", "raw"];
    assert_eq!(stack.run(read).expect(0).out().lines().count(), 4_200);
    drop(send("large", 3_000));
    let (outcome, _) = stack.stop(Signal::INT);
    assert_eq!(outcome.err().matches("nears the").count(), 1, "{outcome}");
}

#[test]
fn the_ready_file_is_gone_before_the_start_and_after_the_end() {
    let environment = Environment::new();
    environment.write("ready", "DWCTL_API_URL=http://127.0.0.1:1\n");
    // An address of documents, which no machine has.
    let arguments =
        [&["serve"], &FREE_PORTS[..], &["--host", "203.0.113.1", "--ready-file", "ready"]].concat();
    assert_ne!(environment.run(arguments).code(), Some(0));
    assert!(!environment.path("ready").exists());
    let stack = Stack::start_in(environment, &[]);
    assert!(stack.environment.path("ready").exists());
    let (_, environment) = stack.stop(Signal::TERM);
    assert!(!environment.path("ready").exists());
    assert!(!environment.path("ready.part").exists());
}
