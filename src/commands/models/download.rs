//! `dwctl models download`: a model back on this disk, checked.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::reference::ReferenceArgs;
use crate::base::rate::parse_rate;
use crate::base::{Failure, Kind, Rate};
use crate::commands::folder_argument::output_folder;
use crate::commands::sums::Sums;
use crate::context::Context;
use crate::flows::download::{Place, Want, download};
use crate::schema::model::Model;
use crate::ui::{Format, Progress};

/// Download a model and check every file's size and MD5
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl models download user123/bert
  dwctl models download user123/bert@v2 --extract --output-dir models

A model of one file is saved as that file, others as MODEL_VERSION.zip, or with --extract as the
folder MODEL_VERSION. Nothing keeps its name unless it is what the server's record says.")]
pub(super) struct DownloadArgs {
    #[command(flatten)]
    reference: ReferenceArgs,
    /// Only this file of the model
    #[arg(long, value_name = "NAME", conflicts_with = "extract")]
    file: Option<String>,
    /// Unpack into a folder
    #[arg(long)]
    extract: bool,
    /// Folder to save in
    #[arg(long, value_name = "FOLDER", default_value = ".", value_parser = output_folder())]
    output_dir: PathBuf,
    /// Take at most so many bytes a second: 500k, 2M, 1.5G
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    limit_rate: Option<Rate>,
    /// Replace what is there
    #[arg(long)]
    force: bool,
}

pub(super) fn cmd_download(context: &Context, args: &DownloadArgs) -> Result<(), Failure> {
    let reference = args.reference.resolve(context)?;
    let warehouse = context.warehouse()?.limited_to(args.limit_rate);
    let want = match (&args.file, args.extract) {
        (Some(name), _) => Want::File(name.clone()),
        (None, true) => Want::Extracted,
        (None, false) => Want::All,
    };
    let place = Place { folder: args.output_dir.clone(), overwrite: args.force };
    let progress = Progress::new(&context.ui);
    let (record, downloaded) = context.run(async {
        let record = reference.fetch(context, &warehouse).await?.value;
        refuse_hidden(&record, &want)?;
        let downloaded =
            download(&warehouse, &record, &want, &place, &progress, context.deadline).await?;
        Ok((record, downloaded))
    })?;
    if context.ui.format() != Format::Json {
        return context.ui.line(downloaded.path.display().to_string());
    }
    context.ui.document(&json!({
        "schema": "dwctl.models.download/1",
        "model": record.coordinates(),
        "path": downloaded.path,
        "files": Sums(&downloaded.files),
    }))
}

/// A file whose name the server chose must not become one that a shell or an editor reads by itself.
fn refuse_hidden(record: &Model, want: &Want) -> Result<(), Failure> {
    let [only] = record.files.as_slice() else { return Ok(()) };
    if *want != Want::All || !only.filename.starts_with('.') {
        return Ok(());
    }
    let name = &only.filename;
    let failure = Failure::new(Kind::CheckFailed, format!("the model is a hidden file: {name:?}"));
    Err(failure.hint(format!("--file {name} saves it, --extract does in a folder of its own")))
}
