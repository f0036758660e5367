//! `dwctl models`: what the warehouse has.

mod delete;
mod download;
mod files;
mod list;
mod reference;
mod show;
mod update;
mod verify;

use clap::{Args, Subcommand};

use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::settings::{Footprint, System};

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
    Verify(verify::VerifyArgs),
    Update(Box<update::UpdateArgs>),
    Delete(delete::DeleteArgs),
}

impl ModelsArgs {
    pub(super) fn footprint(&self) -> Footprint {
        let has_effects = matches!(self.action, Action::Update(_) | Action::Delete(_));
        Footprint::new(&[System::Api], has_effects)
    }
}

/// Adds to the stop of a request that changes something where to look for what became of it.
fn explain_stop(failure: Failure, hint: String) -> Failure {
    match failure.kind() {
        Kind::Interrupted | Kind::Terminated | Kind::Deadline => failure.hint(hint),
        _ => failure,
    }
}

pub fn cmd_models(context: &Context, args: &ModelsArgs) -> Result<(), Failure> {
    match &args.action {
        Action::List(args) => list::cmd_list(context, args),
        Action::Show(args) => show::cmd_show(context, args),
        Action::Files(args) => files::cmd_files(context, args),
        Action::Download(args) => download::cmd_download(context, args),
        Action::Verify(args) => verify::cmd_verify(context, args),
        Action::Update(args) => update::cmd_update(context, args),
        Action::Delete(args) => delete::cmd_delete(context, args),
    }
}
