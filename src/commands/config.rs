//! `dwctl config`: which settings hold, where they came from, and which project files are trusted.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::base::Failure;
use crate::context::Context;
use crate::settings::{ProjectFile, Trust};
use crate::ui::{Format, Table};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl config show --origin
  dwctl config trust

A .dwctl.toml may have come with code from another author. Until you trust it, it sets only the form
of the output, the timeout and the dialect; its addresses, topics, users, folders and librdkafka
properties are ignored. A file that changes is no longer trusted.")]
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
    /// Trust a project file with its present content
    Trust {
        /// The .dwctl.toml or its folder [default: the one that applies here]
        path: Option<PathBuf>,
    },
    /// Stop trusting a project file
    Untrust {
        /// The .dwctl.toml or its folder [default: the one that applies here]
        path: Option<PathBuf>,
    },
}

impl ConfigArgs {
    /// Trusting a file must not depend on its content.
    pub(super) fn reads_settings_file(&self) -> bool {
        matches!(self.action, Action::Show { .. } | Action::Path)
    }
}

pub fn cmd_config(context: &Context, args: &ConfigArgs) -> Result<(), Failure> {
    match &args.action {
        Action::Show { origin } => show_settings(context, *origin),
        Action::Path => show_path(context),
        Action::Trust { path } => trust_file(context, path.as_deref()),
        Action::Untrust { path } => untrust_file(context, path.as_deref()),
    }
}

fn show_settings(context: &Context, with_origin: bool) -> Result<(), Failure> {
    let settings = &context.settings;
    let rows = settings.shown();
    if context.ui.format() == Format::Json {
        let shown: Vec<_> = rows
            .iter()
            .map(|row| {
                let origin = row.origin.to_string();
                json!({"key": row.name, "value": row.value, "origin": origin})
            })
            .collect();
        return context.ui.document(&json!({
            "schema": "dwctl.config/1",
            "file": settings.file(),
            "trust": settings.trust().map(trust_word),
            "profile": settings.profile(),
            "settings": shown,
        }));
    }
    note_trust(context);
    let mut table =
        Table::new(if with_origin { &["KEY", "VALUE", "ORIGIN"] } else { &["KEY", "VALUE"] });
    for row in rows {
        let origin = with_origin.then(|| row.origin.to_string());
        table.row([row.name, row.value].into_iter().chain(origin));
    }
    context.ui.table(&table)
}

fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Trusted => "trusted",
        Trust::Changed => "changed",
        Trust::Untrusted => "untrusted",
    }
}

/// Prints whether the project file is trusted. The warning about ignored settings comes before.
fn note_trust(context: &Context) {
    let (Some(path), Some(trust)) = (context.settings.file(), context.settings.trust()) else {
        return;
    };
    let path = path.display();
    context.ui.status(&match trust {
        Trust::Trusted => format!("{path} is trusted"),
        Trust::Changed => format!("{path} is not trusted: it has changed since you trusted it"),
        Trust::Untrusted => format!("{path} is not trusted"),
    });
}

fn show_path(context: &Context) -> Result<(), Failure> {
    match context.settings.file() {
        Some(path) => {
            note_trust(context);
            context.ui.line(path.display().to_string())
        }
        None => {
            context.ui.status("no settings file applies");
            context.ui.hint("write .dwctl.toml here, or config.toml in the folder dwctl of your configuration folder");
            Ok(())
        }
    }
}

fn trust_file(context: &Context, path: Option<&Path>) -> Result<(), Failure> {
    let file = ProjectFile::find(path)?;
    let sha256 = file.trust(context.settings.environment())?;
    if context.ui.format() == Format::Json {
        return context.ui.document(&json!({
            "schema": "dwctl.config.trust/1",
            "path": file.path(),
            "trust": trust_word(Trust::Trusted),
            "sha256": sha256,
        }));
    }
    context.ui.status("trusted until it changes");
    context.ui.line(file.path().display().to_string())
}

fn untrust_file(context: &Context, path: Option<&Path>) -> Result<(), Failure> {
    let file = ProjectFile::find(path)?;
    let was_trusted = file.untrust(context.settings.environment())?;
    if context.ui.format() == Format::Json {
        return context.ui.document(&json!({
            "schema": "dwctl.config.trust/1",
            "path": file.path(),
            "trust": trust_word(Trust::Untrusted),
        }));
    }
    let state = if was_trusted { "no longer trusted" } else { "was not trusted" };
    context.ui.status(state);
    context.ui.line(file.path().display().to_string())
}
