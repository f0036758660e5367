//! `dwctl help`: what `--help` of a subcommand shows, for those who ask in this order.

use clap::{Args, CommandFactory};

use super::man::page_of;
use crate::base::{Failure, Kind};
use crate::cli::Cli;
use crate::context::Context;

#[derive(Debug, Args)]
#[command(after_help = "The same: dwctl tail --help")]
pub struct HelpArgs {
    /// Subcommand to explain, such as tail or models list; without one, the program
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

pub fn cmd_help(context: &Context, args: &HelpArgs) -> Result<(), Failure> {
    page_of(Cli::command(), &args.command)?;
    let words = std::iter::once("dwctl")
        .chain(args.command.iter().map(String::as_str))
        .chain(std::iter::once("--help"));
    match Cli::command().try_get_matches_from(words) {
        Err(shown) => context.ui.data(shown.render().to_string().as_bytes()),
        Ok(_) => Err(Failure::new(Kind::Internal, "--help showed nothing")),
    }
}
