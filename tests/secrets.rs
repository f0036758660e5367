//! Secrets are hidden by where they stand, in every command and at every level of talk.

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};

const SECRET: &str = "S3cr3t-Value";

/// Commands that show settings, make clients, fail on them or talk about them.
const COMMANDS: &[&[&str]] = &[
    &["config", "show", "--origin"],
    &["config", "show", "-o", "json"],
    &["topics", "-vv"],
    &["topics", "-o", "json"],
    &["models", "list", "--user-id", "u", "-vv"],
    &["models", "list", "--user-id", "u", "-o", "json"],
    &["send", "raw", "t", "-vv"],
    &["tail", "t", "--group", "g", "-vv"],
    &["topics", "t", "--create"],
    &["doctor"],
    &["doctor", "-o", "json"],
    &[
        "upload",
        "model.bin",
        "--user-id",
        "u",
        "--model-id",
        "m",
        "--framework",
        "other",
        "--model-type",
        "other",
        "--dialect",
        "flat",
        "--print-curl",
    ],
];

#[track_caller]
fn assert_hidden(outcome: &Outcome, what: &str) {
    for part in [SECRET, "S3cr3t", "t-Value"] {
        assert!(!outcome.to_string().contains(part), "{what}: {outcome}");
    }
}

/// Runs every command with these flags and variables.
#[track_caller]
fn assert_hidden_everywhere(flags: &[String], set: &[(&str, String)]) {
    for command in COMMANDS {
        let environment = set
            .iter()
            .fold(Environment::new(), |environment, (name, value)| environment.set(name, value));
        environment.write("model.bin", "bytes");
        let mut line: Vec<&str> = command.to_vec();
        line.extend(["--timeout", "2s"]);
        line.extend(flags.iter().map(String::as_str));
        let outcome = environment.run(&line);
        assert_hidden(&outcome, &format!("{line:?} {set:?}"));
    }
}

#[test]
fn a_property_is_shown_only_if_it_is_known_to_hold_no_secret() {
    for property in [
        "sasl.password",
        "sasl.pasword",
        "SASL.password",
        "ssl.key.password",
        "ssl.key.pem",
        "ssl.keystore.password",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.client.secret",
        "sasl.jaas.config",
        "plugin.library.paths",
        "password",
    ] {
        let flags = ["-X".to_owned(), format!("{property}={SECRET}"), "-b".into(), DEAD.into()];
        assert_hidden_everywhere(&flags, &[]);
    }
}

#[test]
fn what_the_library_repeats_of_a_secret_is_hidden() {
    for properties in [
        &[
            "security.protocol=sasl_plaintext",
            "sasl.mechanism=PLAIN",
            "sasl.username=u",
            "debug=all",
        ][..],
        &[
            "security.protocol=sasl_plaintext",
            "sasl.mechanism=OAUTHBEARER",
            "enable.sasl.oauthbearer.unsecure.jwt=true",
            "debug=all",
        ],
        &["security.protocol=ssl", "debug=all"],
    ] {
        let secrets = [
            "sasl.password",
            "sasl.oauthbearer.config",
            "ssl.key.password",
            "ssl.key.pem",
            "ssl.ca.pem",
        ];
        for secret in secrets {
            let mut flags: Vec<String> = properties
                .iter()
                .flat_map(|property| ["-X".to_owned(), (*property).to_owned()])
                .collect();
            flags.extend(["-X".to_owned(), format!("{secret}={SECRET}"), "-b".into(), DEAD.into()]);
            for command in [&["topics", "-vv"][..], &["send", "raw", "t", "-vv"], &["doctor"]] {
                let mut line: Vec<&str> = command.to_vec();
                line.extend(["--timeout", "2s"]);
                line.extend(flags.iter().map(String::as_str));
                assert_hidden(&Environment::new().run(&line), &format!("{line:?}"));
            }
        }
    }
}

#[test]
fn what_is_no_property_is_not_shown_at_all() {
    for text in [SECRET.to_owned(), format!("={SECRET}"), format!("sasl.password: {SECRET}")] {
        let outcome = Environment::new().run(["topics", "-X", &text]).expect(2);
        assert_hidden(&outcome, &text);
    }
}

#[test]
fn an_address_is_shown_without_user_password_and_query() {
    for form in [
        "u:{}@127.0.0.1:1",
        "http://u:{}@127.0.0.1:1",
        "http://{}@127.0.0.1:1",
        "http://u:p@{}@127.0.0.1:1",
        "https://127.0.0.1:1/?token={}",
        "http://127.0.0.1:1/#{}",
        "ftp://u:{}@127.0.0.1:1",
        "http://u:{}@127.0.0.1:port",
        "SASL_SSL://u:{}@127.0.0.1:1",
        "127.0.0.1:1,u:{}@127.0.0.1:2",
    ] {
        let address = form.replace("{}", SECRET);
        let property = format!("bootstrap.servers={address}");
        assert_hidden_everywhere(
            &["-u".into(), address.clone(), "-b".into(), address.clone()],
            &[],
        );
        assert_hidden_everywhere(&["-X".into(), property], &[]);
        assert_hidden_everywhere(&[], &[("API_BASE", address.clone()), ("DWCTL_BROKERS", address)]);
    }
}

#[test]
fn a_proxy_is_shown_without_user_and_password() {
    for form in [
        "http://u:{}@127.0.0.1:1",
        "u:{}@127.0.0.1:1",
        "https://{}@127.0.0.1:1",
        "socks5h://u:{}@127.0.0.1:1",
        "http://u:p@{}@127.0.0.1:1",
        "quic://u:{}@127.0.0.1:1",
        "http://u:{}@127.0.0.1:port",
        "http://127.0.0.1:1/{}",
    ] {
        let proxy = form.replace("{}", SECRET);
        let flags = ["-u".to_owned(), "http://warehouse.invalid".into(), "-b".into(), DEAD.into()];
        assert_hidden_everywhere(&flags, &[("all_proxy", proxy)]);
    }
}

#[test]
fn a_settings_file_shows_no_secret_however_it_is_written() {
    for text in [
        "[kafka]\n'sasl.password' = '{}'\n",
        "[kafka]\n'sasl.pasword' = '{}'\n",
        "[kafka]\n'ssl.key.password' = { command = 'echo {}' }\n",
        "[kafka]\n'ssl.key.password' = { command = 'exit 3; echo {}' }\n",
        "[kafka]\n'sasl.password' = {}\n",
        "[kafka]\n'sasl.password' = '{}\n",
        "[kafka]\n'sasl.password' = ['{}']\n",
        "[kafka]\n'sasl.password' = { password = '{}' }\n",
        "api-url = 'http://u:{}@127.0.0.1:1'\n",
        "brokers = 'u:{}@127.0.0.1:1'\n",
        "timeout = 'http://u:{}@127.0.0.1:1'\n",
    ] {
        for command in COMMANDS {
            let environment = Environment::new();
            environment.write("model.bin", "bytes");
            let braces = text.replace("{}", SECRET);
            environment.write("config/dwctl/config.toml", &braces);
            let outcome = environment.run(*command);
            assert_hidden(&outcome, &format!("{command:?} {braces}"));
        }
    }
}

#[test]
fn the_place_that_the_api_redirects_to_is_shown_without_its_query() {
    let api = ScriptedApi::start(|_| {
        Answer::plain(302, "").with_header(
            "Location",
            &format!("https://u:{SECRET}@login.example/start?state={SECRET}"),
        )
    });
    let outcome = Environment::new()
        .run(["models", "list", "--user-id", "u", "-vv", "-u", api.url()])
        .expect(4);
    assert_hidden(&outcome, "a redirect");
    assert!(outcome.err().contains("https://***@login.example/start?***"), "{outcome}");
}
