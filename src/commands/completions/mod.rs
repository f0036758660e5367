//! `dwctl completions`: completions for a shell, on standard output.

mod bash;
mod scripts;
mod values;

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
    let mut root = Cli::command();
    root.build();
    let script = scripts::render_script(args.shell, values::with_known_values(root));
    context.ui.data(script.as_bytes())
}
