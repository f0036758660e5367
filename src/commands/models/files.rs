//! `dwctl models files`: the files of a version.

use clap::Args;
use serde_json::json;

use super::reference::ReferenceArgs;
use crate::base::Failure;
use crate::context::Context;
use crate::ui::{Format, Table};

/// List a model's files with size and MD5
#[derive(Debug, Args)]
pub(super) struct FilesArgs {
    #[command(flatten)]
    reference: ReferenceArgs,
}

pub(super) fn cmd_files(context: &Context, args: &FilesArgs) -> Result<(), Failure> {
    let reference = args.reference.resolve(context)?;
    let warehouse = context.warehouse()?;
    let files = context.run(async {
        let version = reference.pin(context, &warehouse).await?;
        let files = warehouse
            .model_files(&reference.user, &reference.model, &version, context.deadline)
            .await;
        reference.explain_missing(context, &warehouse, files).await
    })?;
    if context.ui.format() == Format::Json {
        return context
            .ui
            .document(&json!({"schema": "dwctl.models.files/1", "files": files.text}));
    }
    let mut table = Table::new(&["FILE", ">BYTES", "MD5", "PRIMARY"]);
    for file in &files.value {
        let primary = if file.is_primary { "yes" } else { "" };
        table.row([
            file.relative_path().to_owned(),
            file.file_size.to_string(),
            file.file_hash.clone(),
            primary.to_owned(),
        ]);
    }
    context.ui.table(&table)
}
