//! The committed completions are those that the program prints, and work in a real shell.

use std::path::Path;

use crate::support::environment::Environment;

/// The shells with the names under which their completions are looked for.
const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "dwctl.bash"),
    ("zsh", "_dwctl"),
    ("fish", "dwctl.fish"),
    ("elvish", "dwctl.elv"),
    ("powershell", "_dwctl.ps1"),
];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/completions"))
}

#[test]
fn the_committed_completions_are_those_of_this_program() {
    let environment = Environment::new();
    for (shell, file) in SCRIPTS {
        let printed = environment.run(["completions", shell]).expect(0);
        let committed = std::fs::read(folder().join(file)).unwrap();
        assert!(
            committed == printed.stdout,
            "completions/{file} is out of date: dwctl completions {shell} > completions/{file}"
        );
    }
}

#[test]
fn no_other_file_lies_among_the_completions() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut known = SCRIPTS.map(|(_, file)| file);
    known.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn bash_completes_subcommands_and_flags() {
    let script = format!(
        "source {}\n\
         complete_line() {{ COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); \
         _dwctl dwctl \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; echo \"${{COMPREPLY[*]}}\"; }}\n\
         complete_line dwctl ta\n\
         complete_line dwctl tail --fro\n\
         complete_line dwctl send bi\n",
        folder().join("dwctl.bash").display()
    );
    let outcome = Environment::new().bash(&script).finish().expect(0);
    let lines: Vec<&str> = outcome.out().lines().collect();
    assert_eq!(lines[..2], ["tail", "--from"], "{outcome}");
    assert!(lines[2].split(' ').any(|word| word == "bias"), "{outcome}");
}
