//! The command line as a whole: help, refusals, exit codes, colour, and a reader that goes away.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;

const COMMANDS: [&str; 16] = [
    "demo",
    "serve",
    "upload",
    "models",
    "send",
    "forward",
    "tail",
    "wait",
    "smoke",
    "doctor",
    "topics",
    "lag",
    "config",
    "completions",
    "man",
    "help",
];

#[test]
fn help_is_data_and_lists_every_command() {
    let outcome = Environment::new().run(["--help"]).expect(0);
    assert!(outcome.stderr.is_empty(), "{outcome}");
    for command in COMMANDS {
        let listed = outcome.out().lines().any(|line| line.trim_start().starts_with(command));
        assert!(listed, "{command} is not listed:\n{outcome}");
    }
}

#[test]
fn every_command_has_its_own_help() {
    let environment = Environment::new();
    for command in COMMANDS {
        let outcome = environment.run([command, "--help"]).expect(0);
        assert!(outcome.out().contains(&format!("Usage: dwctl {command}")), "{outcome}");
    }
}

#[test]
fn without_arguments_the_help_is_shown_and_the_code_is_2() {
    let outcome = Environment::new().run::<&str>([]).expect(2);
    assert!(outcome.stdout.is_empty() && outcome.err().contains("Usage: dwctl"), "{outcome}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let outcome = Environment::new().run(["--version"]).expect(0);
    assert_eq!(outcome.out(), format!("dwctl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_misspelt_command_is_refused_with_the_nearest() {
    let outcome = Environment::new().run(["tial"]).expect(2);
    assert!(outcome.stdout.is_empty() && outcome.err().contains("'tail'"), "{outcome}");
}

#[test]
fn a_flag_that_does_not_exist_is_refused() {
    for arguments in [
        &["tail", "automl", "--form", "end"][..],
        &["serve", "--port", "eighty"],
        &["serve", "--partitions", "0"],
        &["tail"],
        &["tail", "automl", "-n", "-1"],
        &["tail", "automl", "--idle", "soon"],
        &["send", "bias"],
        &["config", "show", "-o", "yaml"],
        &["topics", "--create"],
        &["config", "show", "-q", "-v"],
    ] {
        let outcome = Environment::new().run(arguments).expect(2);
        assert!(outcome.stdout.is_empty() && outcome.err().starts_with("error: "), "{outcome}");
    }
}

#[test]
fn refused_arguments_are_an_object_where_json_is_asked_for() {
    for form in [&["-o", "json"][..], &["-ojson"], &["--output=json"], &["--output", "json"]] {
        let arguments = [&["tail", "automl", "--form", "end"], form].concat();
        let outcome = Environment::new().run(&arguments).expect(2);
        let error = outcome.error();
        assert_eq!((&error["kind"], &error["code"]), (&"usage".into(), &2.into()), "{outcome}");
        assert!(error["message"].as_str().unwrap().contains("--form"), "{outcome}");
    }
}

#[test]
fn a_failure_is_one_object_on_standard_error_where_json_is_asked_for() {
    let outcome = Environment::new().run(["topics", "-b", DEAD, "-o", "json"]).expect(6);
    assert!(outcome.stdout.is_empty(), "{outcome}");
    assert_eq!(outcome.err().lines().count(), 1, "{outcome}");
    let error = outcome.error();
    let fields: Vec<&String> = error.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["kind", "code", "message", "hints", "cause"]);
    assert_eq!((&error["kind"], &error["code"]), (&"unreachable".into(), &6.into()));
}

#[test]
fn a_failure_is_lines_for_a_person_elsewhere() {
    let outcome = Environment::new().run(["config", "show", "--profile", "staging"]);
    assert_eq!(
        outcome.to_string(),
        "--- stderr\n\
         error: there is no profile \"staging\" in any settings file\n\
         hint: a profile is a table [profiles.NAME] in .dwctl.toml or config.toml\n\
         --- exit 3\n"
    );
}

#[test]
fn a_stream_that_is_no_terminal_gets_no_escape_codes() {
    let outcome = Environment::new().run(["topics", "-b", DEAD]).expect(6);
    assert!(!outcome.err().contains('\x1b'), "{outcome:?}");
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    let is_coloured = |variables: &[(&str, &str)], flags: &[&str]| {
        let environment = variables
            .iter()
            .fold(Environment::new(), |environment, (name, value)| environment.set(name, value));
        let outcome = environment.run([&["topics", "-b", DEAD], flags].concat()).expect(6);
        outcome.err().contains('\x1b')
    };
    assert!(is_coloured(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(is_coloured(&[], &["--color", "always"]));
    assert!(is_coloured(&[("NO_COLOR", "1")], &["--color", "always"]), "a flag beats a variable");
    assert!(!is_coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(!is_coloured(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
}

#[test]
fn quiet_keeps_the_error_and_the_code() {
    let outcome = Environment::new().run(["topics", "-b", DEAD, "-q"]).expect(6);
    assert!(outcome.err().starts_with("error: connection refused"), "{outcome}");
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let outcome = Environment::new().bash("$DWCTL man | true").finish();
    assert_eq!(outcome.to_string(), "--- exit 0\n");
}

#[test]
fn a_full_disk_under_standard_output_is_no_bug_of_the_program() {
    let outcome = Environment::new().bash("$DWCTL man > /dev/full").finish().expect(2);
    assert!(outcome.err().contains("failed to write to standard output"), "{outcome}");
}

#[test]
fn output_that_cannot_be_written_is_a_failure_of_every_command() {
    let environment = Environment::new();
    environment.write("m.pt", "weights");
    for command in [
        "--help",
        "--version",
        "-h",
        "tail --help",
        "help",
        "help upload",
        "completions zsh",
        "man",
        "man models list",
        "config show",
        "config show -o json",
        "config path --origin",
        "upload m.pt --print-meta",
        "upload m.pt --user-id u --model-id m --framework pytorch --model-type nlp --dialect flat --dry-run",
    ] {
        let code = |redirection: &str| {
            let outcome = environment.bash(&format!("$DWCTL {command} {redirection}")).finish();
            (outcome.code().unwrap(), outcome.err().to_owned())
        };
        let (normal, _) = code("");
        if normal != 0 {
            continue;
        }
        for lost in [">&-", ">/dev/full", ">&- <&-"] {
            let (code, err) = code(lost);
            assert_eq!(code, 2, "{command} {lost}: {err}");
            assert!(err.contains("failed to write to standard output"), "{command} {lost}: {err}");
        }
        // What is thrown away is written: also where it can be read as well.
        for kept in [">/dev/null", "1<>/dev/null", "| true", "| head -c 1 >/dev/null"] {
            assert_eq!(code(kept), (0, String::new()), "{command} {kept}");
        }
    }
}

#[test]
fn help_of_a_command_is_what_its_flag_shows() {
    let environment = Environment::new();
    let by_flag = environment.run(["models", "list", "--help"]).expect(0);
    let by_word = environment.run(["help", "models", "list"]).expect(0);
    assert_eq!(by_word.out(), by_flag.out());
    let refusal = environment.run(["help", "uplaod"]).expect(3);
    assert!(refusal.err().contains("hint: did you mean upload?"), "{refusal}");
}

#[test]
fn a_manual_page_is_there_for_commands_below_commands() {
    let environment = Environment::new();
    let page = environment.run(["man", "models", "list"]).expect(0);
    assert!(page.out().contains(".TH dwctl-models-list 1"), "{page}");
    let refusal = environment.run(["man", "models", "lst"]).expect(3);
    assert!(refusal.err().contains("hint: did you mean list?"), "{refusal}");
}

#[test]
fn credentials_in_an_address_are_never_shown() {
    let environment = Environment::new().set("DWCTL_API_URL", "http://me:hidden@127.0.0.1:8000");
    for arguments in [&["config", "show"][..], &["models", "list", "--user-id", "u"]] {
        let outcome = environment.run(arguments);
        assert!(outcome.to_string().contains("http://***@127.0.0.1:8000"), "{outcome}");
        assert!(!outcome.to_string().contains("hidden"), "{outcome}");
    }
}

#[test]
fn completions_are_scripts_that_their_shell_can_read() {
    let outcome = Environment::new().bash("$DWCTL completions bash | bash -n").finish().expect(0);
    assert_eq!(outcome.err(), "");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = Environment::new().run(["completions", shell]).expect(0);
        assert!(outcome.out().contains("tail"), "{shell}: {outcome}");
    }
}

#[test]
fn habits_of_kcat_are_answered_with_what_to_write_here() {
    let environment = Environment::new();
    for (arguments, ours) in [
        (&["tail", "automl", "-o", "beginning"][..], "--from beginning"),
        (&["tail", "automl", "-o", "-5"], "--from -5"),
        (&["tail", "automl", "-e"], "--until end"),
        (&["-C", "-t", "automl-events"], "dwctl tail TOPIC"),
    ] {
        let outcome = environment.run(arguments).expect(2);
        assert!(outcome.err().contains(ours), "{outcome}");
    }
}

#[test]
fn an_argument_that_is_no_text_is_refused_like_any_other() {
    let argument = OsStr::from_bytes(b"--\xff");
    let outcome = Environment::new().run([OsStr::new("topics"), argument]).expect(2);
    assert!(outcome.err().starts_with("error: unexpected argument"), "{outcome}");
}

#[test]
fn brokers_that_are_no_addresses_are_refused_before_anything_is_asked() {
    let environment = Environment::new();
    for (brokers, words) in [
        ("localhost:abc", "a port is a number from 1 to 65535"),
        ("", "a host is missing"),
        ("a:1,,b:2", "a host is missing"),
    ] {
        let outcome = environment.run(["topics", "-b", brokers]).expect(2);
        assert!(outcome.err().contains("from --brokers"), "{outcome}");
        assert!(outcome.err().contains(words), "{outcome}");
    }
    let variable = Environment::new().set("KAFKA_BOOTSTRAP_SERVERS", "localhost:");
    let outcome = variable.run(["topics"]).expect(2);
    assert!(outcome.err().contains("from $KAFKA_BOOTSTRAP_SERVERS"), "{outcome}");
}
