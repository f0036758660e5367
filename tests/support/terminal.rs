//! The program at a terminal that `script` plays, and what a terminal must not get.

use super::environment::{DWCTL, Environment};
use super::run::Running;

/// A piece of text with a member of each kind that a terminal could act on, reorder by or hide.
pub const HOSTILE: &str = "A\x1b[31;44mB\x1b]0;T\x07C\u{9b}2JD\u{202e}E\u{200b}F\u{feff}G\u{2028}\
                           H\x7fI\x08J\u{85}K\u{2066}L\u{61c}M\u{9d}0;T\u{9c}N\x1bcO\u{e0041}P\x0cQ";

/// `dwctl` with all three streams on a terminal of 100 columns; what it shows comes out on standard
/// output. The line is read by a shell.
pub fn start_at_terminal(environment: &Environment, line: &str) -> Running {
    let mut command = environment.command("script");
    let shell = format!("stty columns 100 rows 40; {DWCTL} {line}");
    command.args(["--quiet", "--return", "--command", &shell, "/dev/null"]);
    command.env("TERM", "xterm");
    Running::start_with_input(command)
}

/// The characters that a terminal must not get, with some text before each: all control characters
/// and marks but those of the escape codes that `dwctl` makes itself.
pub fn foreign_controls(output: &str) -> Vec<String> {
    let mut foreign = Vec::new();
    let mut rest = output;
    while let Some(at) = rest.find(is_control) {
        let length = own_code(&rest[at..]);
        let character = rest[at..].chars().next().unwrap();
        if length == 0 {
            let before: String = rest[..at].chars().rev().take(30).collect();
            foreign.push(before.chars().rev().chain([character]).collect());
        }
        rest = &rest[at + length.max(character.len_utf8())..];
    }
    foreign
}

fn is_control(character: char) -> bool {
    character.is_control()
        || "\u{ad}\u{61c}\u{feff}".contains(character)
        || ('\u{200b}'..='\u{200f}').contains(&character)
        || ('\u{2028}'..='\u{202e}').contains(&character)
        || ('\u{2060}'..='\u{206f}').contains(&character)
        || ('\u{e0000}'..='\u{e007f}').contains(&character)
}

/// Bytes of a code of our own that the text begins with.
fn own_code(text: &str) -> usize {
    /// Styles of messages, of JSON, and of the argument parser.
    const STYLES: [&str; 17] = [
        "0", "1", "2", "3", "4", "31", "32", "33", "34", "35", "36", "1;31", "1;32", "1;33",
        "1;36", "34;1", "",
    ];
    let starts = [
        "\r\n",
        "\n",
        "\t",
        "\r\x1b[2m",
        "\x1b[J\r",
        "\x1b[K\r\n",
        "\x1b[1A",
        "\x1b[2A",
        "\r\x1b[2K\x1b7\x1b[B\x1b[J\x1b8",
        "\x1b[?25h",
    ];
    if let Some(code) = starts.iter().find(|code| text.starts_with(**code)) {
        return code.len();
    }
    let style = text.strip_prefix("\x1b[").and_then(|after| after.split_once('m'));
    match style {
        Some((style, _)) if STYLES.contains(&style) => style.len() + 3,
        _ => 0,
    }
}

#[test]
fn foreign_codes_are_told_from_our_own() {
    assert_eq!(foreign_controls("\x1b[1;32mok\x1b[0m\r\n\r\x1b[2ma\x1b[0m\x1b[J\r"), [""; 0]);
    let kinds = HOSTILE.chars().filter(|character| is_control(*character)).count();
    assert_eq!(foreign_controls(HOSTILE).len(), kinds);
}
