//! `dwctl models`: what the warehouse has.

mod download;
mod files;
mod list;
mod reference;
mod show;

use clap::{Args, Subcommand};

use crate::base::Failure;
use crate::context::Context;

/// List, show and download models
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Files(files::FilesArgs),
    Download(download::DownloadArgs),
}

pub fn cmd_models(context: &Context, args: &ModelsArgs) -> Result<(), Failure> {
    match &args.action {
        Action::List(args) => list::cmd_list(context, args),
        Action::Show(args) => show::cmd_show(context, args),
        Action::Files(args) => files::cmd_files(context, args),
        Action::Download(args) => download::cmd_download(context, args),
    }
}
