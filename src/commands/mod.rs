//! The table of subcommands. Each has one file with its arguments and its `cmd_` function: parse,
//! call a flow, render.

mod completions;
mod config;
mod man;

use clap::Subcommand;

use crate::base::Failure;
use crate::context::Context;
use crate::settings::Key;

#[derive(Debug, Subcommand)]
pub enum Command {
    Config(config::ConfigArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

impl Command {
    /// Settings that a subcommand takes as flags of its own.
    #[must_use]
    pub fn overrides(&self) -> Vec<(Key, String)> {
        match self {
            Command::Config(_) | Command::Completions(_) | Command::Man(_) => Vec::new(),
        }
    }

    /// Runs the subcommand to its end.
    ///
    /// # Errors
    /// Whatever ended it before what was asked for.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Command::Config(args) => config::cmd_config(context, &args),
            Command::Completions(args) => completions::cmd_completions(context, &args),
            Command::Man(args) => man::cmd_man(context, &args),
        }
    }
}
