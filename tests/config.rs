//! Settings: which layer wins, where files are found, and what is said about those that cannot be
//! used.

use serde_json::Value;

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;

/// A setting's value and origin, as `config show` has them.
fn setting(document: &Value, key: &str) -> (String, String) {
    let settings = document["settings"].as_array().unwrap();
    let found = settings.iter().find(|setting| setting["key"] == key);
    let found = found.unwrap_or_else(|| panic!("{key} is not in {document}"));
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("value"), text("origin"))
}

#[track_caller]
fn assert_brokers(environment: &Environment, flags: &[&str], value: &str, origin: &str) {
    let arguments = [&["config", "show", "-o", "json"], flags].concat();
    let document = environment.run(arguments).expect(0).json();
    assert_eq!(setting(&document, "brokers"), (value.to_owned(), origin.to_owned()));
}

#[test]
fn defaults_stay_on_this_machine() {
    assert_eq!(
        Environment::new().run(["config", "show", "--origin"]).to_string(),
        "KEY             VALUE                  ORIGIN\n\
         api-url         http://127.0.0.1:8000  default\n\
         brokers         127.0.0.1:9092         default\n\
         dialect         auto                   default\n\
         output          text                   default\n\
         color           auto                   default\n\
         no-input        false                  default\n\
         consumer-group  automl-consumer        default\n\
         --- exit 0\n"
    );
}

#[test]
fn each_layer_beats_the_one_below() {
    let environment = Environment::new();
    let file =
        environment.write_trusted("brokers = 'file:1'\n[profiles.lab]\nbrokers = 'profile:1'\n");
    assert_brokers(&environment, &[], "file:1", file.to_str().unwrap());
    assert_brokers(&environment, &["--profile", "lab"], "profile:1", "profile lab");
    let environment = environment.set("KAFKA_BOOTSTRAP_SERVERS", "service:1");
    let lab = &["--profile", "lab"];
    assert_brokers(&environment, lab, "service:1", "$KAFKA_BOOTSTRAP_SERVERS");
    let environment = environment.set("DWCTL_BROKERS", "ours:1");
    assert_brokers(&environment, lab, "ours:1", "$DWCTL_BROKERS");
    assert_brokers(&environment, &["--profile", "lab", "-b", "flag:1"], "flag:1", "--brokers");
}

#[test]
fn a_projects_file_is_found_from_the_folders_below_it() {
    let environment = Environment::new();
    let file = environment.write(".dwctl.toml", "");
    environment.write("deep/down/here", "");
    let outcome = environment.bash("cd deep/down; $DWCTL config path").finish().expect(0);
    assert_eq!(outcome.out(), format!("{}\n", file.display()));
}

#[test]
fn without_a_projects_file_the_users_own_is_read() {
    let environment = Environment::new();
    let file = environment.write("config/dwctl/config.toml", "brokers = 'mine:1'");
    assert_brokers(&environment, &[], "mine:1", file.to_str().unwrap());
}

#[test]
fn a_file_named_by_a_variable_is_read_in_place_of_the_others() {
    let environment = Environment::new();
    environment.write(".dwctl.toml", "brokers = 'project:1'");
    let named = environment.write("other.toml", "brokers = 'named:1'");
    let environment = environment.set("DWCTL_CONFIG", named.to_str().unwrap());
    assert_brokers(&environment, &[], "named:1", named.to_str().unwrap());
}

#[test]
fn the_null_device_stands_for_no_settings_at_all() {
    let environment = Environment::new().set("DWCTL_CONFIG", "/dev/null");
    environment.write("config/dwctl/config.toml", "brokers = 'user:1'\n");
    assert_brokers(&environment, &[], "127.0.0.1:9092", "default");
}

#[test]
fn a_file_that_a_variable_names_and_that_is_not_there_is_refused() {
    let environment = Environment::new().set("DWCTL_CONFIG", "/nowhere/dwctl.toml");
    for arguments in [&["config", "show"][..], &["config", "path"], &["topics"]] {
        let outcome = environment.run(arguments).expect(3);
        assert!(outcome.err().contains("there is no file /nowhere/dwctl.toml"), "{outcome}");
    }
    for arguments in [&["help"][..], &["man"], &["completions", "bash"]] {
        environment.run(arguments).must_succeed();
    }
}

#[test]
fn without_a_file_the_path_says_where_one_could_be() {
    let outcome = Environment::new().run(["config", "path"]).expect(0);
    assert!(outcome.stdout.is_empty() && outcome.err().contains(".dwctl.toml"), "{outcome}");
}

#[test]
fn an_unknown_key_warns_with_the_nearest_and_stops_nothing() {
    let environment = Environment::new();
    let path = environment.write(".dwctl.toml", "broker = 'x:1'\n[topics]\nautom = 't'\n");
    let outcome = environment.run(["config", "path"]).expect(0);
    assert_eq!(
        outcome.err(),
        format!(
            "warning: unknown setting broker; did you mean brokers?\n\
             warning: unknown setting topics.autom; did you mean automl?\n\
             {} is not trusted\n",
            path.display()
        )
    );
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_path() {
    let environment = Environment::new();
    let file = environment.write(".dwctl.toml", "brokers = \n");
    let outcome = environment.run(["config", "show"]).expect(2);
    assert!(outcome.err().contains(&format!("failed to read {}", file.display())), "{outcome}");
}

#[test]
fn a_profile_that_does_not_exist_is_answered_with_the_nearest() {
    let environment = Environment::new();
    environment.write(".dwctl.toml", "[profiles.staging]\n[profiles.lab]\n");
    let outcome = environment.run(["config", "show", "--profile", "stagin"]).expect(3);
    assert!(outcome.err().contains("known profiles: staging"), "{outcome}");
}

#[test]
fn a_value_that_cannot_be_used_names_the_place_it_came_from() {
    let environment = Environment::new().set("DWCTL_TIMEOUT", "soon");
    let outcome = environment.run(["config", "show"]).expect(2);
    assert!(
        outcome.err().contains("$DWCTL_TIMEOUT") && outcome.err().contains("\"soon\""),
        "{outcome}"
    );
}

#[test]
fn the_services_variables_set_topics() {
    let environment = Environment::new()
        .set("KAFKA_AUTOML_TOPIC", "automl-complete-events")
        .set("KAFKA_BIAS_TRIGGER_TOPIC", "bias-detection-trigger-events");
    let document = environment.run(["config", "show", "-o", "json"]).expect(0).json();
    assert_eq!(document["schema"], "dwctl.config/1");
    assert_eq!(
        setting(&document, "topics.automl"),
        ("automl-complete-events".to_owned(), "$KAFKA_AUTOML_TOPIC".to_owned())
    );
    assert_eq!(setting(&document, "topics.bias-trigger").1, "$KAFKA_BIAS_TRIGGER_TOPIC");
}

#[test]
fn a_secret_is_read_from_where_the_file_points_and_never_shown() {
    let environment = Environment::new().set("KAFKA_PASSWORD", "hunter2");
    environment.write_trusted(
        "[kafka]\n'sasl.password' = { env = 'KAFKA_PASSWORD' }\n'sasl.username' = 'alice'\n",
    );
    for form in ["text", "json"] {
        let outcome = environment.run(["config", "show", "--origin", "-o", form]).expect(0);
        assert!(!outcome.to_string().contains("hunter2"), "{outcome}");
        assert!(outcome.out().contains("***") && outcome.out().contains("alice"), "{outcome}");
    }
}

#[test]
fn a_secret_that_cannot_be_read_names_its_key_and_place() {
    let environment = Environment::new();
    environment.write_trusted("[kafka]\n'sasl.password' = { file = '/nowhere/password' }\n");
    environment.run(["config", "show"]).must_succeed();
    let outcome = environment.run(["topics", "-b", DEAD]).expect(2);
    assert!(
        outcome.err().contains("sasl.password") && outcome.err().contains("/nowhere/password"),
        "{outcome}"
    );
}

#[test]
fn a_property_of_the_client_library_that_does_not_exist_is_refused() {
    let environment = Environment::new();
    let outcome = environment.run(["topics", "-b", DEAD, "-X", "no.such.property=1"]).expect(2);
    assert!(outcome.err().contains("no.such.property"), "{outcome}");
    let outcome = environment.run(["topics", "-b", DEAD, "-X", "no value"]).expect(2);
    assert!(outcome.err().contains("-X is not KEY=VALUE: it has no ="), "{outcome}");
}
