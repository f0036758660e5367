//! The program at a terminal, which `script` plays: colour, questions, and text that a terminal could
//! act on.

use crate::support::environment::DWCTL;
use crate::support::peers;
use crate::support::records::{put, text};
use crate::support::run::Running;
use crate::support::stack::Stack;

/// `dwctl` with all three streams on a terminal; what it shows comes out on standard output.
fn at_terminal(stack: &Stack, line: &str, variables: &[(&str, &str)]) -> Running {
    let mut command = stack.environment.command("script");
    command.args(["--quiet", "--return", "--command", &format!("{DWCTL} {line}"), "/dev/null"]);
    command.env("DWCTL_API_URL", &stack.api_url).env("KAFKA_BOOTSTRAP_SERVERS", &stack.brokers);
    command.env("TERM", "xterm").envs(variables.iter().copied());
    Running::start_with_input(command)
}

#[test]
fn a_terminal_gets_colour_unless_it_is_forbidden() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    put(&stack.brokers, &[text("automl-events", "k", "{}")]);
    let shown = |variables: &[(&str, &str)]| {
        let tail = at_terminal(&stack, "tail automl --until end -q", variables);
        tail.wait_for_text("Event=");
        tail.finish().expect(0).out().to_owned()
    };
    assert!(shown(&[]).starts_with("\x1b[1mAutoML Message received\x1b[0m"), "{:?}", shown(&[]));
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = shown(&[variable]);
        assert!(plain.starts_with("AutoML Message received"), "{variable:?}: {plain:?}");
    }
}

#[test]
fn a_dumb_terminal_gets_no_escape_codes_at_all() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    put(&stack.brokers, &[text("automl-events", "k", "{}")]);
    let arguments = "tail automl --from beginning --idle 1s";
    let outcome = at_terminal(&stack, arguments, &[("TERM", "dumb")]).finish().expect(0);
    assert!(outcome.out().contains("Event=") && !outcome.out().contains('\x1b'), "{outcome:?}");
}

#[test]
fn text_that_a_terminal_could_act_on_is_shown_and_not_sent_to_it() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    put(&stack.brokers, &[text("automl-events", "\x1b[2Jkey", "wipe \x1b]0;title\x07 \u{9b}2J")]);
    let tail = at_terminal(&stack, "tail automl --until end -q", &[("NO_COLOR", "1")]);
    tail.wait_for_text("Event=");
    let outcome = tail.finish().expect(0);
    let harmful = |c: char| matches!(c, '\x1b' | '\x07' | '\u{9b}');
    assert!(!outcome.out().contains(harmful), "{:?}", outcome.out());
    assert!(outcome.out().contains("wipe"), "{outcome}");
    let piped = stack.run(["tail", "automl", "--until", "end", "-o", "raw"]).expect(0);
    assert_eq!(piped.out(), "wipe \x1b]0;title\x07 \u{9b}2J\n", "elsewhere it is raw");
}

#[test]
fn missing_metadata_is_asked_for_with_its_choices() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let mut upload = at_terminal(&stack, "upload model.pt --dialect form --version v1", &[]);
    for (question, answer) in [
        ("User id", "user123\r"),
        ("Model id", "asked-for\r"),
        // One down from the first choice.
        ("Framework", "\x1b[B\r"),
        ("Model type", "\r"),
    ] {
        upload.wait_for_text(question);
        upload.write(answer);
    }
    upload.wait_for_text("user123/asked-for@v1");
    upload.finish().must_succeed();
    let shown = stack.run(["models", "show", "user123/asked-for", "-o", "json"]).expect(0).json();
    assert_eq!(shown["model"]["framework"], "tensorflow");
    assert_eq!(shown["model"]["model_type"], "classification");
}

#[test]
fn missing_fields_of_an_event_are_asked_for() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    let mut send = at_terminal(&stack, "send xai-trigger --user-id u --task-id T", &[]);
    let answers = [("model id", "m\r"), ("dataset id", "d\r"), ("dataset version", "v1\r")];
    for (question, answer) in answers {
        send.wait_for_text(question);
        send.write(answer);
    }
    send.wait_for_text("xai-trigger-events[0]@0");
    send.finish().must_succeed();
    let arguments = ["tail", "xai-trigger", "--until", "end", "-o", "json"];
    let sent = stack.run(arguments).expect(0).json();
    let input = &sent["value"]["input"];
    assert_eq!((&input["model_id"], &input["dataset_id"]), (&"m".into(), &"d".into()));
}

#[test]
fn a_question_is_left_with_escape_and_nothing_is_uploaded() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    let line = "upload model.pt --user-id u --model-id m";
    let mut upload = at_terminal(&stack, line, &[("NO_COLOR", "1")]);
    upload.wait_for_text("Framework");
    upload.write("\x1b");
    upload.wait_for_text("error: no answer was given\r\n");
    drop(upload.finish().expect(130));
    assert_eq!(stack.run(["models", "list", "--user-id", "u"]).expect(0).out(), "");
}

#[test]
fn a_question_is_waited_on_no_longer_than_the_command_may_take() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    // What stands in the shell's line after it shows whether the terminal is as it was before.
    for (line, question) in [
        ("upload model.pt --user-id u --model-id m --timeout 1s", "Framework"),
        ("send xai-trigger --user-id u --task-id T --timeout 1s", "model id"),
    ] {
        let shell = format!("{line}; echo code $?; stty -a | grep -o -- '[-]*icanon'");
        let upload = at_terminal(&stack, &shell, &[("NO_COLOR", "1")]);
        upload.wait_for_text(question);
        upload.wait_for_text("error: no answer was given in time");
        upload.wait_for_text("code 7");
        let outcome = upload.finish().expect(0);
        let end = outcome.out().trim_end().rsplit("\r\n").next();
        assert_eq!(end, Some("icanon"), "{outcome:?}");
    }
}

#[test]
fn nothing_is_asked_where_that_is_forbidden() {
    if !peers::has("script") {
        return;
    }
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    for (flags, variables) in [("--no-input", &[][..]), ("", &[("CI", "true")])] {
        let upload = at_terminal(&stack, &format!("upload model.pt {flags}"), variables);
        upload.wait_for_text("the user is not given");
        drop(upload.finish().expect(2));
    }
}
