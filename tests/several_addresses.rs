//! One name with several addresses, of which one is silent: the other one is used within the
//! deadline, or the dead one is named.

use std::net::TcpListener;

use crate::support::environment::Environment;
use crate::support::resolver::{NAME, with_addresses};
use crate::support::stack::Stack;

/// A port that takes connections at this address and says nothing.
fn silent(address: &str, port: &str) -> TcpListener {
    TcpListener::bind(format!("{address}:{port}")).unwrap()
}

/// An environment in which the name means a silent address and that of the stack, and the broker
/// under that name.
fn half_dead(stack: &Stack) -> Option<(Environment, TcpListener, String)> {
    let port = stack.brokers.rsplit_once(':').unwrap().1;
    // Twice, so that no order of the library's own choice begins with the good one only.
    let environment = with_addresses(&["127.0.0.2", "127.0.0.2", "127.0.0.1"])?;
    Some((environment, silent("127.0.0.2", port), format!("{NAME}:{port}")))
}

#[test]
fn every_command_uses_the_address_that_answers() {
    let stack = Stack::start();
    let Some((environment, _silent, brokers)) = half_dead(&stack) else { return };
    let commands: &[&[&str]] = &[
        &["topics"],
        &["topics", "automl-events"],
        &["send", "bias", "--user-id", "u", "--dataset-id", "d"],
        &["tail", "bias-events", "--from", "beginning", "--until", "end"],
        &["tail", "bias", "--from", "-1", "--until", "end"],
        &["wait", "bias-events", "--from", "beginning"],
        &["wait", "bias", "--cursor"],
        &["forward", "--idle", "1s"],
    ];
    for command in commands {
        let to = ["-b", &brokers, "--timeout", "60s", "-u", &stack.api_url];
        let outcome = environment.run([command, &to[..]].concat());
        assert_eq!(outcome.code(), Some(0), "{command:?}: {outcome}");
    }
}

#[test]
fn the_dead_address_is_named_when_the_time_is_too_short() {
    let stack = Stack::start();
    let Some((environment, _silent, brokers)) = half_dead(&stack) else { return };
    let mut named = 0;
    for _ in 0..4 {
        let to = ["-b", &brokers, "--timeout", "2900ms"];
        let outcome = environment.run([&["topics"], &to[..]].concat());
        // The library begins with an address of its own choice: it may be the good one.
        if outcome.code() == Some(0) {
            continue;
        }
        let outcome = outcome.expect(6);
        let told = outcome.err();
        assert!(told.contains("means 127.0.0.2:") && told.contains("does not answer"), "{outcome}");
        assert!(told.contains(&format!("--brokers {}", stack.brokers)), "{outcome}");
        named += 1;
    }
    assert!(named > 0, "the library never began with the silent address");
}

#[test]
fn an_api_whose_first_address_is_silent_is_reached_at_the_next_one() {
    let stack = Stack::start_with(&["--advertise", NAME]);
    let port = stack.api_url.rsplit_once(':').unwrap().1;
    let Some(environment) = with_addresses(&["127.0.0.3", "127.0.0.1"]) else { return };
    // Nothing listens at the first address, which refuses.
    let url = format!("http://{NAME}:{port}");
    let outcome = environment.run(["models", "list", "--user-id", "u", "-u", &url]);
    outcome.must_succeed();
}

#[test]
fn a_login_by_tokens_without_a_source_of_tokens_is_refused_by_name() {
    let stack = Stack::start();
    let oauth = ["-X", "security.protocol=sasl_plaintext", "-X", "sasl.mechanism=OAUTHBEARER"];
    let commands: &[&[&str]] = &[
        &["topics"],
        &["tail", "bias-events", "--until", "end"],
        &["tail", "bias-events", "--group", "g", "--until", "end"],
        &["send", "bias", "--user-id", "u", "--dataset-id", "d"],
        &["wait", "bias", "--cursor"],
        &["lag", "g"],
        &["forward"],
    ];
    for command in commands {
        let to = ["-b", &stack.brokers, "--timeout", "10s", "-u", &stack.api_url];
        let outcome = Environment::new().run([command, &oauth[..], &to].concat()).expect(2);
        assert!(outcome.err().contains("no source of tokens"), "{command:?}: {outcome}");
    }
}
