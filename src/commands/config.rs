//! `dwctl config`: which settings hold and where they came from.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::base::Failure;
use crate::context::Context;
use crate::settings::{KEYS, Settings};
use crate::ui::{Format, Table};

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dwctl config show --origin")]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show every setting that has a value
    Show {
        /// Say which flag, variable, profile or file each value came from
        #[arg(long)]
        origin: bool,
    },
    /// Print the path of the settings file that applies
    Path,
}

pub fn cmd_config(context: &Context, args: &ConfigArgs) -> Result<(), Failure> {
    match args.action {
        Action::Show { origin } => show(context, origin),
        Action::Path => path(context),
    }
}

/// Name, shown value and origin of everything that is set.
fn rows(settings: &Settings) -> Vec<(String, String, String)> {
    let table = KEYS.iter().filter_map(|row| {
        let value = settings.get(row.key)?;
        Some((row.key.path(), Settings::without_credentials(&value.text), value.origin.to_string()))
    });
    let properties = settings.kafka_properties().map(|(property, value)| {
        let shown = Settings::shown(property, &value.text).to_owned();
        (format!("kafka.{property}"), shown, value.origin.to_string())
    });
    table.chain(properties).collect()
}

fn show(context: &Context, with_origin: bool) -> Result<(), Failure> {
    let rows = rows(&context.settings);
    if context.ui.format() == Format::Json {
        let settings: Vec<_> = rows
            .iter()
            .map(|(key, value, origin)| json!({"key": key, "value": value, "origin": origin}))
            .collect();
        return context.ui.document(&json!({
            "schema": "dwctl.config/1",
            "file": context.settings.file(),
            "profile": context.settings.profile(),
            "settings": settings,
        }));
    }
    let mut table =
        Table::new(if with_origin { &["KEY", "VALUE", "ORIGIN"] } else { &["KEY", "VALUE"] });
    for (key, value, origin) in rows {
        table.row(if with_origin { vec![key, value, origin] } else { vec![key, value] });
    }
    context.ui.data(table.render().as_bytes())
}

fn path(context: &Context) -> Result<(), Failure> {
    match context.settings.file() {
        Some(path) => context.ui.line(&path.display().to_string()),
        None => {
            context.ui.status("no settings file applies");
            context.ui.hint("write .dwctl.toml here, or config.toml in the folder dwctl of your configuration folder");
            Ok(())
        }
    }
}
