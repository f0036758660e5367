//! `dwctl models delete`: removes versions of a model, after a question.

use clap::Args;
use serde_json::json;

use super::explain_stop;
use super::reference::{Reference, ReferenceArgs};
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::schema::ids::Version;
use crate::ui::Format;
use crate::warehouse::Warehouse;

/// Delete a version of a model, or all of them
#[derive(Debug, Args)]
#[command(after_help = "\
A model of several versions needs --version or --all-versions. Asks first on a terminal; elsewhere
it needs --yes.")]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    reference: ReferenceArgs,
    /// Delete every version
    #[arg(long, conflicts_with = "version")]
    all_versions: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn cmd_delete(context: &Context, args: &DeleteArgs) -> Result<(), Failure> {
    let reference = args.reference.resolve(context)?;
    let warehouse = context.warehouse()?;
    let versions = context.run(versions(context, args, &reference, &warehouse))?;
    let named: Vec<String> =
        versions.iter().map(|version| reference.coordinates(version)).collect();
    if !args.yes && !agreed(context, &named)? {
        return Err(Failure::new(Kind::Interrupted, "nothing was deleted"));
    }
    let mut deleted = Vec::new();
    let mut failures = Vec::new();
    for (version, coordinates) in versions.iter().zip(&named) {
        let done = context.run(async {
            let Reference { user, model, .. } = &reference;
            let done = warehouse.delete_model(user, model, version, context.deadline).await;
            reference.explain_missing(context, &warehouse, done).await
        });
        let done = done.map_err(|failure| {
            explain_stop(
                failure,
                format!("it may be deleted all the same: see dwctl models show {coordinates}"),
            )
        });
        match done {
            Ok(()) => deleted.push(coordinates.clone()),
            Err(failure) if context.shutdown.is_requested() => {
                show(context, &deleted)?;
                return Err(failure);
            }
            Err(failure) => failures.push(failure),
        }
    }
    show(context, &deleted)?;
    conclude(context, deleted.len(), failures)
}

/// The versions that are meant; several only where that was said.
async fn versions(
    context: &Context,
    args: &DeleteArgs,
    reference: &Reference,
    warehouse: &Warehouse,
) -> Result<Vec<Version>, Failure> {
    if let (Some(version), true) = (&reference.version, args.all_versions) {
        return Err(Failure::usage(format!(
            "{version} is one version, and --all-versions means all"
        ))
        .hint("leave one of them out"));
    }
    if let Some(version) = &reference.version {
        return Ok(vec![version.clone()]);
    }
    let all = reference.versions(context, warehouse).await?;
    if all.len() > 1 && !args.all_versions {
        let shown: Vec<&str> = all.iter().map(Version::as_str).collect();
        return Err(Failure::usage(format!(
            "{}/{} has {} versions: {}",
            reference.user,
            reference.model,
            all.len(),
            shown.join(", ")
        ))
        .hint("say which with --version, or --all-versions"));
    }
    Ok(all)
}

fn agreed(context: &Context, named: &[String]) -> Result<bool, Failure> {
    if !context.ui.may_ask() {
        return Err(Failure::usage("deleting needs a yes").hint("add --yes"));
    }
    context.ui.confirm(&format!("Delete {}?", named.join(", ")), context.deadline)
}

fn show(context: &Context, deleted: &[String]) -> Result<(), Failure> {
    if context.ui.format() == Format::Json {
        return context
            .ui
            .document(&json!({"schema": "dwctl.models.delete/1", "deleted": deleted}));
    }
    deleted.iter().try_for_each(|coordinates| context.ui.line(coordinates))
}

/// One failure of one is that failure; of several, each is told and the whole is partial.
fn conclude(context: &Context, deleted: usize, mut failures: Vec<Failure>) -> Result<(), Failure> {
    match (deleted, failures.len()) {
        (_, 0) => Ok(()),
        (0, 1) => Err(failures.remove(0)),
        (_, failed) => {
            for failure in &failures {
                context.ui.warning(&failure.to_string());
            }
            let message = format!("{failed} of {} versions could not be deleted", deleted + failed);
            Err(Failure::new(Kind::Partial, message))
        }
    }
}
