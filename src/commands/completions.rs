//! `dwctl completions`: completions for a shell, on standard output.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::base::Failure;
use crate::cli::Cli;
use crate::context::Context;

#[derive(Debug, Args)]
#[command(
    after_help = "Bash: dwctl completions bash > ~/.local/share/bash-completion/completions/dwctl"
)]
pub struct CompletionsArgs {
    /// Shell that reads them
    shell: Shell,
}

pub fn cmd_completions(context: &Context, args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dwctl", &mut script);
    context.ui.data(&script)
}
