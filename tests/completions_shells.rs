//! The completions as a person meets them: in the shells themselves, with the Tab key.

use std::path::Path;

use crate::support::environment::Environment;
use crate::support::peers;
use crate::support::run::Running;

fn script(name: &str) -> String {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/completions")).join(name).display().to_string()
}

/// A folder with names that a shell must quote.
fn folder() -> Environment {
    let environment = Environment::new();
    environment.write("my model.pt", "");
    environment.write("a folder/x.pt", "");
    environment
}

/// What is typed up to Tab, and the words that the line has then.
const CASES: [(&str, &str); 18] = [
    ("ta", "tail"),
    ("tail --fro", "tail --from"),
    ("tail automl --unt", "tail automl --until"),
    ("tail autom", "tail automl"),
    ("tail automl xai-t", "tail automl xai-trigger"),
    ("wait dataset --abs", "wait dataset --absent"),
    ("upload --framework=pyt", "upload --framework=pytorch"),
    ("upload --framework pyt", "upload --framework pytorch"),
    ("upload x.pt --framework pyt", "upload x.pt --framework pytorch"),
    ("upload x.pt --model-type=regr", "upload x.pt --model-type=regression"),
    ("upload x.pt --dialect fla", "upload x.pt --dialect flat"),
    ("upload --dialect=tas", "upload --dialect=task"),
    ("forward --route=bias", "forward --route=bias-to-automl"),
    ("models list --framework onn", "models list --framework onnx"),
    ("tail automl --color=nev", "tail automl --color=never"),
    ("-b h:1 tail automl -o ra", "-b h:1 tail automl -o raw"),
    ("upload my", "upload my model.pt"),
    ("upload a\\ fol", "upload a folder/"),
];

/// Types each case into a shell in which `dwctl` prints its words.
#[track_caller]
fn type_cases(mut shell: Running, cases: &[(&str, &str)]) {
    for (typed, expected) in cases {
        shell.write(&format!("dwctl {typed}\t"));
        // A flag may end with the sign that its value follows, and a folder without its slash.
        shell.write("\n");
        let got = format!("GOT:{}", expected.trim_end_matches('/'));
        shell.wait_until_any(&["", "=", " ", "/"].map(|end| format!("{got}{end}\r\n")));
    }
    shell.write("exit\n");
    shell.finish().must_succeed();
}

fn at_terminal(environment: &Environment, shell: &str) -> Running {
    let mut command = environment.command("script");
    command.args(["--quiet", "--return", "--command", shell, "/dev/null"]).env("TERM", "dumb");
    Running::start_with_input(command)
}

#[test]
fn bash_completes_flags_values_and_names_with_blanks() {
    if !peers::has("script") {
        return;
    }
    let environment = folder();
    let mut shell = at_terminal(&environment, "bash --norc -i");
    shell.write("dwctl() { printf 'GOT:%s\\n' \"$*\"; }\n");
    shell.write(&format!(
        "source {}; PS1='ready> '; bind 'set bell-style none'\n",
        script("dwctl.bash")
    ));
    shell.wait_for_text("ready> ");
    type_cases(shell, &CASES);
}

#[test]
fn bash_inserts_no_dash_where_files_are_meant() {
    if !peers::has("script") {
        return;
    }
    let environment = Environment::new();
    environment.write("only.pt", "");
    environment.write("home/x", "");
    let mut shell = at_terminal(&environment, "bash --norc -i");
    shell.write("cd home; dwctl() { printf 'GOT:%s\\n' \"$*\"; }\n");
    shell.write(&format!("source {}; PS1='ready> '\n", script("dwctl.bash")));
    shell.wait_for_text("ready> ");
    type_cases(shell, &[("upload ", "upload x"), ("models verify ", "models verify x")]);
}

#[test]
fn zsh_completes_flags_values_and_names_with_blanks() {
    if !peers::has("script") || !peers::has("zsh") {
        return;
    }
    let environment = folder();
    let mut shell = at_terminal(&environment, "zsh -f -i");
    shell.write(&format!("fpath=({}/completions $fpath)\n", env!("CARGO_MANIFEST_DIR")));
    shell.write("autoload -U compinit; compinit -u -D; setopt no_beep\n");
    shell.write("dwctl() { print -r -- \"GOT:$*\" }; PS1='ready> '\n");
    shell.wait_for_text("ready> ");
    type_cases(shell, &CASES);
}

#[test]
fn fish_completes_flags_and_values() {
    if !peers::has("fish") {
        return;
    }
    let environment = folder();
    for (typed, expected) in CASES.iter().filter(|(typed, _)| !typed.contains('\\')) {
        let last = expected.rsplit(' ').next().unwrap();
        let mut command = environment.command("fish");
        let line = format!("source {}; complete -C \"dwctl {typed}\"", script("dwctl.fish"));
        command.args(["--no-config", "-c", &line]);
        let outcome = Running::start(command).finish().expect(0);
        let words = outcome.out().lines().filter_map(|line| line.split('\t').next());
        assert!(words.clone().any(|word| word.ends_with(last)), "{typed:?}: {outcome}");
    }
}
