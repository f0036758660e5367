//! The root of the command line: global flags and the way from arguments to a command. Each
//! subcommand's own arguments stand with it in `commands`.

use std::ffi::OsString;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser};

use crate::base::{Failure, Shutdown};
use crate::commands;
pub use crate::commands::{Command, Patience};
pub use crate::context::Context;
use crate::settings::{Environment, Key, Overrides, Settings};
use crate::ui::Verbosity;

/// Put models into the ALFIE Data Warehouse and prove that the right Kafka events came out
#[derive(Debug, Parser)]
#[command(
    name = "dwctl",
    version,
    propagate_version = false,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Try it without anything else installed: dwctl demo"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// The flags that stand everywhere.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Kafka bootstrap servers, HOST:PORT with commas between
    #[arg(short, long, global = true, value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// Base address of the warehouse API
    #[arg(short = 'u', long, global = true, value_name = "URL")]
    api_url: Option<String>,
    /// CA certificates of an https:// API, in place of the system's
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    cacert: Option<String>,
    /// Form of the data on standard output: text or json; tail also takes pretty and raw
    #[arg(short, long, global = true, value_name = "FORM", value_parser = ["text", "json", "pretty", "raw"], hide_possible_values = true)]
    output: Option<String>,
    /// Bound on the whole command, such as 30s
    #[arg(long, global = true, value_name = "DURATION")]
    timeout: Option<String>,
    /// Profile of the settings file
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// Set a librdkafka property; may stand several times
    #[arg(short = 'X', long = "property", global = true, value_name = "KEY=VALUE")]
    properties: Vec<String>,
    /// Colour
    #[arg(long, global = true, value_name = "WHEN", value_parser = ["auto", "always", "never"])]
    color: Option<String>,
    /// Never ask a question; implied by CI=true
    #[arg(long, global = true)]
    no_input: bool,
    /// Say nothing but data and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more: -v requests, -vv what the client libraries say
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

impl GlobalArgs {
    fn overrides(&self) -> Overrides {
        let given = [
            (Key::Brokers, &self.brokers),
            (Key::ApiUrl, &self.api_url),
            (Key::ApiCa, &self.cacert),
            (Key::Output, &self.output),
            (Key::Timeout, &self.timeout),
            (Key::Color, &self.color),
        ];
        let mut values: Vec<(Key, String)> =
            given.into_iter().filter_map(|(key, text)| Some((key, text.clone()?))).collect();
        if self.no_input {
            values.push((Key::NoInput, "true".into()));
        }
        Overrides { values, properties: self.properties.clone(), profile: self.profile.clone() }
    }

    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        }
    }
}

impl Cli {
    /// What the words say, the name of the program first.
    ///
    /// # Errors
    /// A refusal of them, or a request for help.
    pub fn of(words: &[OsString]) -> Result<Self, clap::Error> {
        Self::of_one_subcommand(words).map_or_else(|| Self::try_parse_from(words), Ok)
    }

    /// The same for words that begin with a subcommand and are right. The parser gives each subcommand
    /// that it knows a copy of every global flag: with one there is one copy, not sixteen, and the
    /// program starts a fifth of a millisecond earlier. What is said of other words is left to the
    /// whole tree.
    fn of_one_subcommand(words: &[OsString]) -> Option<Self> {
        let name = words.get(1)?.to_str()?;
        let subcommand = Self::command().find_subcommand(name)?.clone();
        let root = clap::Command::new("dwctl").disable_help_subcommand(true);
        let root = GlobalArgs::augment_args(root).subcommand(subcommand);
        let mut matches = root.try_get_matches_from(words).ok()?;
        Self::from_arg_matches_mut(&mut matches).ok()
    }

    /// Assembles the context from global flags, the command's own settings flags, environment and
    /// file.
    ///
    /// # Errors
    /// Settings that cannot be read or used.
    pub fn context(&self, shutdown: Shutdown) -> Result<Context, Failure> {
        let mut overrides = self.global.overrides();
        overrides.values.extend(self.command.overrides());
        let environment = Environment::of_process();
        let settings = if self.command.reads_settings_file() {
            let folder = std::env::current_dir().unwrap_or_default();
            Settings::resolve(&overrides, environment, &folder)?
        } else {
            Settings::without_file(&overrides, environment)?
        };
        Context::new(settings, self.global.verbosity(), shutdown)
    }
}

/// What to write for a flag of kcat's that was refused.
#[must_use]
pub fn kcat_habit(refusal: &clap::Error, arguments: &[String]) -> Option<String> {
    use clap::error::ErrorKind::{InvalidValue, UnknownArgument};
    matches!(refusal.kind(), InvalidValue | UnknownArgument)
        .then(|| commands::kcat_in_our_words(arguments))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn with_one_subcommand_words_say_what_they_say_to_the_whole_tree() {
        for line in [
            "tail t",
            "tail t u -o json -vv --from -1h -b h:1",
            "-b h:1 tail t",
            "send bias --task-id T -b h:1 -X a=b -X c=d",
            "models list --profile p",
            "upload p --quiet --timeout 3s",
            "help tail",
            "help",
            "tail",
            "tail t --nonsense",
            "tail --help",
            "tails t",
            "",
        ] {
            let words: Vec<OsString> = format!("dwctl {line}").split(' ').map(Into::into).collect();
            let said = |parsed: Result<Cli, clap::Error>| match parsed {
                Ok(cli) => format!("{cli:?}"),
                Err(refusal) => refusal.render().to_string(),
            };
            assert_eq!(said(Cli::of(&words)), said(Cli::try_parse_from(&words)), "{line}");
        }
    }

    /// With the subcommands' own arguments, which are not there before.
    fn whole() -> clap::Command {
        let mut root = Cli::command();
        root.build();
        root
    }

    #[test]
    fn every_command_and_every_flag_has_a_line_of_help() {
        fn silent(command: &clap::Command, path: &str) -> Vec<String> {
            let path = format!("{path} {}", command.get_name());
            let flags = command.get_arguments().filter(|argument| argument.get_help().is_none());
            let own = command.get_about().is_none().then(|| path.clone());
            own.into_iter()
                .chain(flags.map(|flag| format!("{path} --{}", flag.get_id())))
                .chain(command.get_subcommands().flat_map(|command| silent(command, &path)))
                .collect()
        }
        assert_eq!(silent(&whole(), ""), [""; 0]);
    }

    #[test]
    fn no_line_of_help_is_broken_by_the_width() {
        fn long(command: &clap::Command) -> Vec<String> {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            after
                .lines()
                .filter(|line| line.chars().count() > 100)
                .map(str::to_owned)
                .chain(command.get_subcommands().flat_map(long))
                .collect()
        }
        assert_eq!(long(&whole()), [""; 0]);
    }
}
