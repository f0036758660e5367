//! `dwctl models list`: every model of a user, page by page.

use clap::Args;
use serde_json::json;

use crate::base::Failure;
use crate::commands::metadata::resolve_user;
use crate::commands::unknown_word;
use crate::context::Context;
use crate::schema::model::{Framework, ModelType};
use crate::ui::{Format, Table, text};
use crate::warehouse::ModelQuery;

/// List the models of a user, newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl models list --user-id user123
  dwctl models list --user-id user123 --framework pytorch -o json | jq -r .models[].model_id")]
pub(super) struct ListArgs {
    #[arg(
        long,
        value_name = "ID",
        help = "Owner of the models; also DWCTL_USER_ID, or user-id in a profile"
    )]
    user_id: Option<String>,
    /// Models of this framework
    #[arg(long)]
    framework: Option<String>,
    /// Models of this type
    #[arg(long)]
    model_type: Option<String>,
    /// Models whose name or description has this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Models with one of these tags, with commas between
    #[arg(long)]
    tags: Option<String>,
}

pub(super) fn cmd_list(context: &Context, args: &ListArgs) -> Result<(), Failure> {
    if let Some(word) = &args.framework {
        word.parse::<Framework>().map_err(|unknown| unknown_word("--framework", &unknown))?;
    }
    if let Some(word) = &args.model_type {
        word.parse::<ModelType>().map_err(|unknown| unknown_word("--model-type", &unknown))?;
    }
    let user = resolve_user(context, args.user_id.as_deref())?;
    let query = ModelQuery {
        framework: args.framework.clone(),
        model_type: args.model_type.clone(),
        tags: args.tags.clone(),
        search: args.search.clone(),
    };
    let warehouse = context.warehouse()?;
    let models =
        context.run(async { Ok(warehouse.models(&user, &query, context.deadline).await?) })?;
    if context.ui.format() == Format::Json {
        let records: Vec<_> = models.iter().map(|model| &model.text).collect();
        return context.ui.document(&json!({"schema": "dwctl.models.list/1", "models": records}));
    }
    let mut table =
        Table::new(&["MODEL", "VERSION", "FRAMEWORK", "TYPE", ">FILES", ">SIZE", "CREATED"]);
    for model in &models {
        let model = &model.value;
        table.row([
            model.model_id.clone(),
            model.version.clone(),
            model.framework.to_string(),
            model.model_type.to_string(),
            model.files.len().to_string(),
            text::size(model.size()),
            model.created_at.clone(),
        ]);
    }
    if table.is_empty() {
        let is_filtered = query.framework.is_some()
            || query.model_type.is_some()
            || query.search.is_some()
            || query.tags.is_some();
        let which = if is_filtered { "models that fit" } else { "models" };
        context.ui.status(format!("{user} has no {which}"));
        return Ok(());
    }
    context.ui.table(&table)
}
