//! One script per shell: our own for bash, and for the others that of the library, mended.

use clap::Command;
use clap_complete::Shell;

use super::bash::render_bash;

/// Returns the script of a shell.
pub(super) fn render_script(shell: Shell, root: Command) -> String {
    match shell {
        Shell::Bash => render_bash(&root),
        Shell::Zsh => mend_zsh(&generate(shell, root)),
        Shell::Fish => generate(shell, root.clone()) + &fish_operands(&root),
        _ => generate(shell, root),
    }
}

fn generate(shell: Shell, mut root: Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root, "dwctl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// `*::` makes zsh forget the words before the operands, and with them the flags; `*:` does not.
/// Operands that lead to a subcommand have three colons and need that.
fn mend_zsh(script: &str) -> String {
    let mut mended = String::with_capacity(script.len());
    for line in script.lines() {
        match line.strip_prefix("'*::").filter(|rest| !rest.starts_with(':')) {
            Some(rest) => mended += &format!("'*:{rest}"),
            None => mended += line,
        }
        mended.push('\n');
    }
    mended
}

/// The words of operands, which the library leaves out for fish.
fn fish_operands(root: &Command) -> String {
    let mut lines = String::new();
    for command in root.get_subcommands() {
        let words: Vec<String> = command
            .get_positionals()
            .flat_map(clap::Arg::get_possible_values)
            .map(|value| value.get_name().to_owned())
            .collect();
        if !words.is_empty() {
            let (name, words) = (command.get_name(), words.join(" "));
            lines += &format!(
                "complete -c dwctl -n \"__fish_dwctl_using_subcommand {name}\" -f -a \"{words}\"\n"
            );
        }
    }
    lines
}
