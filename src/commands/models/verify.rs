//! `dwctl models verify`: a local path held against the warehouse's record of it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::reference::ReferenceArgs;
use crate::archive::Emptiness;
use crate::base::Failure;
use crate::commands::sums::Sums;
use crate::commands::walk::WalkArgs;
use crate::context::Context;
use crate::flows::upload::{Form, Intake, Naming, Source};
use crate::flows::verify::{failure, verify};
use crate::ui::Format;

/// Compare a file, folder or .zip here with a model there, by size and MD5
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dwctl models verify u1/bert ./bert

Nothing is sent. A folder is walked as upload walks it, under the same flags. Files that differ,
are missing, are too many or cannot be compared: exit code 8. Compared is the server's record; the
bytes in its store are compared by models download.")]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    reference: ReferenceArgs,
    /// File, folder or .zip as it was uploaded
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Take a .zip as one file
    #[arg(long)]
    as_file: bool,
    #[command(flatten)]
    walk: WalkArgs,
}

pub(super) fn cmd_verify(context: &Context, args: &VerifyArgs) -> Result<(), Failure> {
    args.walk.check(&args.path)?;
    let form = if args.as_file { Form::File } else { Form::ByPath };
    let (emptiness, walk) = (Emptiness::Allowed, args.walk.options());
    let intake = Intake { form, emptiness, walk, ..Intake::default() };
    let source = Source::open(&args.path, &intake)?;
    let reference = args.reference.resolve(context)?;
    let warehouse = context.warehouse()?;
    let (record, verified) = context.run(async {
        let record = reference.fetch(context, &warehouse).await?.value;
        let verified = verify(&source, &record, context.deadline).await?;
        Ok((record, verified))
    })?;
    if verified.naming == Naming::BaseNames && matches!(source, Source::Folder { .. }) {
        context.ui.note("the record has no folders: files were compared by their base names");
    }
    if context.ui.format() == Format::Json {
        let told: Vec<String> = verified.differences.iter().map(ToString::to_string).collect();
        context.ui.document(&json!({
            "schema": "dwctl.models.verify/1",
            "model": record.coordinates(),
            "ok": told.is_empty(),
            "compared_with": "record",
            "compared_by": match verified.naming {
                Naming::Single => "content",
                Naming::Paths => "path",
                Naming::BaseNames => "base_name",
            },
            "files": Sums(&verified.files),
            "differences": told,
            "not_compared": verified.not_compared().collect::<Vec<_>>(),
        }))?;
    } else if verified.differences.is_empty() {
        let count = verified.files.len();
        let coordinates = record.coordinates();
        let files = if count == 1 { "file is" } else { "files are" };
        context.ui.line(format!(
            "{coordinates}: {count} of {count} {files} the same, by the server's record"
        ))?;
    }
    if verified.differences.is_empty() { Ok(()) } else { Err(failure(&source, &record, &verified)) }
}
