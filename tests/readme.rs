//! The README tells the truth: its commands are taken, its tables are the code's.

use std::collections::BTreeSet;

use clap::{CommandFactory, Parser};
use dwctl::base::Kind;
use dwctl::cli::Cli;
use dwctl::schema::role::{Dialect, Role};
use dwctl::settings::KEYS;

use crate::shell_lines::{dwctl_commands, shell_blocks};

const README: &str = include_str!("../README.md");

/// The cells of every table row, without the code marks.
fn rows() -> Vec<Vec<String>> {
    let cell = |text: &str| text.trim().replace('`', "");
    README
        .lines()
        .filter_map(|line| {
            Some(line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(cell).collect())
        })
        .collect()
}

/// Commands of the shell blocks and of the table of commands.
fn commands() -> Vec<Vec<String>> {
    let examples: Vec<String> =
        rows().into_iter().filter(|row| row.len() == 3).map(|mut row| row.remove(2)).collect();
    [dwctl_commands(&shell_blocks(README)), dwctl_commands(&examples.join("\n"))].concat()
}

#[test]
fn every_command_line_is_one_that_the_program_takes() {
    let commands = commands();
    assert!(commands.len() > 20, "{commands:?}");
    for words in commands {
        if let Err(error) = Cli::try_parse_from(&words) {
            panic!("{words:?}\n{error}");
        }
    }
}

#[test]
fn every_subcommand_has_an_example() {
    let commands = commands();
    let shown: BTreeSet<&str> = commands.iter().map(|words| words[1].as_str()).collect();
    for subcommand in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        assert!(shown.contains(subcommand.get_name()), "{} has none", subcommand.get_name());
    }
}

#[test]
fn the_exit_codes_are_those_of_the_code() {
    let told: Vec<Vec<String>> = rows()
        .into_iter()
        .filter(|row| row.len() == 3 && row[0].parse::<u8>().is_ok_and(|code| code > 0))
        .collect();
    let known: Vec<Vec<String>> = Kind::ALL
        .iter()
        .map(|kind| vec![kind.code().to_string(), kind.word().into(), kind.meaning().into()])
        .collect();
    assert_eq!(told, known);
}

#[test]
fn the_topics_are_those_of_the_code() {
    let rows = rows();
    for role in Role::ALL {
        let topic = |dialect| role.topic(dialect).unwrap_or("–").to_owned();
        let known = [vec![role.name().to_owned()], Dialect::ALL.map(topic).to_vec()].concat();
        assert!(rows.contains(&known), "no row {known:?}");
    }
}

#[test]
fn the_settings_are_those_of_the_code() {
    let rows = rows();
    for key in KEYS {
        let path = key.key.path();
        let row = rows.iter().find(|row| row[0] == path);
        let row = row.unwrap_or_else(|| panic!("no row for {path}"));
        assert_eq!(row[1], key.flag.unwrap_or(""), "{path}");
        let told = row[2].split(';').next().unwrap_or("");
        assert_eq!(told, key.variables.join(", "), "{path}");
    }
}
