//! `dwctl man`: the manual page of the program or of one subcommand, as roff on standard output.

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::base::nearest::nearest;
use crate::base::{Failure, Kind};
use crate::cli::Cli;
use crate::context::Context;

#[derive(Debug, Args)]
#[command(after_help = "Read one: dwctl man tail | man -l -")]
pub struct ManArgs {
    /// Subcommand to print the page of, such as tail or models list; without one, the program's
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

pub fn cmd_man(context: &Context, args: &ManArgs) -> Result<(), Failure> {
    let page = page_of(Cli::command(), &args.command)?;
    let mut roff = Vec::new();
    Man::new(page).render(&mut roff).map_err(|error| {
        Failure::wrap(Kind::Internal, error).context("failed to write the page")
    })?;
    context.ui.data(&roff)
}

/// The subcommand that the words name, below the root of the command line.
///
/// # Errors
/// There is no such subcommand.
pub(super) fn page_of(mut root: clap::Command, words: &[String]) -> Result<clap::Command, Failure> {
    root.build();
    words.iter().try_fold(root, |parent, name| find(&parent, name))
}

fn find(parent: &clap::Command, name: &str) -> Result<clap::Command, Failure> {
    let names = || parent.get_subcommands().map(clap::Command::get_name);
    match parent.find_subcommand(name) {
        Some(command) => {
            Ok(command.clone().name(format!("{}-{name}", parent.get_name()).leak() as &str))
        }
        None => {
            let failure = Failure::new(Kind::NotFound, format!("there is no command {name:?}"));
            Err(match nearest(name, names(), 3).as_slice() {
                [] if names().next().is_none() => failure,
                [] => failure.hint(format!("commands: {}", names().collect::<Vec<_>>().join(", "))),
                near => failure.hint(format!("did you mean {}?", near.join(" or "))),
            })
        }
    }
}
