//! `dwctl models show`: one model's record.

use clap::Args;
use serde_json::{Value, json};

use super::reference::ReferenceArgs;
use crate::base::Failure;
use crate::context::Context;
use crate::ui::{Format, Table};

/// Show a model's record, the latest version unless one is named
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dwctl models show user123/bert")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    reference: ReferenceArgs,
}

pub(super) fn cmd_show(context: &Context, args: &ShowArgs) -> Result<(), Failure> {
    let reference = args.reference.resolve(context)?;
    let warehouse = context.warehouse()?;
    let record = context.run(reference.fetch(context, &warehouse))?;
    if context.ui.format() == Format::Json {
        return context
            .ui
            .document(&json!({"schema": "dwctl.models.show/1", "model": record.text}));
    }
    let fields: serde_json::Map<String, Value> = serde_json::from_str(record.text.get())
        .map_err(|error| Failure::wrap(crate::base::Kind::ServerFault, error))?;
    let mut table = Table::new(&["FIELD", "VALUE"]);
    for (name, value) in fields {
        let shown = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Array(items) if name == "files" => match items.len() {
                1 => "1 file".to_owned(),
                count => format!("{count} files"),
            },
            other => other.to_string(),
        };
        table.row([name, shown]);
    }
    context.ui.table(&table)
}
