//! Several models in one run: all of them are looked at before the first is sent, each is told of as
//! it ends, and a summary names what failed.

use std::path::PathBuf;

use super::ledger::{Ledger, listed, shown};
use super::manifest::{self, Listed};
use super::prepare::{Item, Unusable, derived_id, prepare};
use super::{
    Asked, UploadArgs, confirmation, dialect, foretell, say_left_out, say_unheard, show_curl,
    show_metadata, warn_of_names,
};
use crate::base::{Failure, Kind};
use crate::commands::metadata::Questions;
use crate::context::Context;
use crate::flows::upload::{BatchPlan, Means, OnFailure, UploadJob, upload_all};
use crate::ui::{self, Format, Progress};

/// Uploads that run beside each other where nobody says how many.
const AT_ONCE: usize = 2;

pub(super) fn cmd_batch(context: &Context, args: &UploadArgs) -> Result<(), Failure> {
    let asked = asked(args)?;
    refuse_shared(args, &asked)?;
    if args.print_meta {
        return show_each(context, args, asked);
    }
    let total = asked.len();
    let (items, unusable) = prepare(context, args, asked)?;
    let (refused, kind) = report_unusable(context, total, unusable);
    if let Some(kind) = kind
        && (!args.keep_going || items.is_empty())
    {
        return Err(nothing_sent(kind, refused.len(), total));
    }
    for item in &items {
        say_left_out(context, &item.job.source);
        say_unheard(context, args, &item.job.source);
        warn_of_names(context, &item.job);
    }
    let mut ledger = Ledger::new(context, total, &items, refused, kind);
    if args.dry_run {
        for item in &items {
            foretell(context, args, &item.path, &item.job, &item.about).map_err(|failure| {
                failure.context(format!("failed to foresee {}", shown(&item.path)))
            })?;
        }
        ledger.pass(items.len());
    } else if args.print_curl {
        let jobs: Vec<_> = items.iter().map(|item| (item.path.as_path(), &item.job)).collect();
        show_curl(context, args, &jobs)?;
        ledger.pass(items.len());
    } else {
        send(context, args, &items, &mut ledger)?;
    }
    ledger.conclude(args.keep_going)
}

/// The metadata of each model under its path; as JSON an object a line.
fn show_each(context: &Context, args: &UploadArgs, asked: Vec<Asked>) -> Result<(), Failure> {
    for mut asked in asked {
        asked.own_id = derived_id(&asked.path);
        if context.ui.format() == Format::Text {
            context.ui.line(shown(&asked.path))?;
        }
        show_metadata(context, args, &asked).map_err(|failure| {
            failure.context(format!("failed to look at {}", shown(&asked.path)))
        })?;
    }
    Ok(())
}

fn nothing_sent(kind: Kind, count: usize, total: usize) -> Failure {
    let message = format!("{count} of {total} models cannot be uploaded; nothing was sent");
    let failure = Failure::new(kind, message);
    if count == total {
        return failure;
    }
    failure.hint("--keep-going uploads the others all the same")
}

fn send(
    context: &Context,
    args: &UploadArgs,
    items: &[Item],
    ledger: &mut Ledger<'_>,
) -> Result<(), Failure> {
    let warehouse = context.warehouse()?.limited_to(args.limit_rate);
    let confirmation =
        args.wait_event.map(|patience| confirmation(context, patience)).transpose()?;
    let progress = Progress::new(&context.ui);
    let means = Means {
        warehouse: &warehouse,
        dialect: dialect(context)?,
        confirmation: confirmation.as_ref(),
        if_exists: args.if_exists(),
        retries: args.retries,
        keeps_text: context.ui.format() == Format::Json,
        reporter: &progress,
        deadline: context.deadline,
    };
    let plan = BatchPlan {
        at_once: args.jobs.map_or(AT_ONCE, usize::from),
        on_failure: if args.keep_going { OnFailure::KeepGoing } else { OnFailure::StopStarting },
    };
    let jobs: Vec<&UploadJob> = items.iter().map(|item| &item.job).collect();
    let lanes = ledger.lanes.clone();
    let outcome = context.run(upload_all(means, &jobs, plan, &lanes, ledger));
    outcome.map_err(|failure| lanes.explain_stop(ledger.cut_off(failure)))
}

/// What is asked for, by the paths or by the manifest.
fn asked(args: &UploadArgs) -> Result<Vec<Asked>, Failure> {
    let Some(path) = &args.manifest else {
        let by_flags = |path: &PathBuf| Asked::by_flags(args, path, Questions::Never);
        return Ok(args.paths.iter().map(by_flags).collect());
    };
    Ok(manifest::read(path)?.into_iter().map(|listed| merged(args, listed)).collect())
}

/// A model of a manifest under the flags.
fn merged(args: &UploadArgs, listed: Listed) -> Asked {
    let mut asked = Asked::by_flags(args, &listed.path, Questions::Never);
    asked.as_file |= listed.as_file;
    asked.task_id = asked.task_id.or(listed.task_id);
    for (name, text) in &listed.fields {
        asked.metadata.take(name, text);
    }
    asked.metadata.take_others(listed.others);
    asked
}

/// Refuses flags that can only be meant for one model.
fn refuse_shared(args: &UploadArgs, asked: &[Asked]) -> Result<(), Failure> {
    if asked.len() < 2 {
        return Ok(());
    }
    let count = asked.len();
    if args.metadata.model_id.is_some() {
        return Err(Failure::usage(format!("--model-id is one id, and there are {count} models"))
            .hint("leave it out: each model has its path's name without the extension as its id")
            .hint("or give each an id of its own: model_id in a --manifest"));
    }
    if args.task_id.is_some() {
        return Err(Failure::usage(format!("--task-id is one task, and there are {count} models"))
            .hint("give each a task of its own: task_id in a --manifest"));
    }
    Ok(())
}

/// Tells what cannot be sent and why, the same reason once. Its paths, and the kind of the first.
fn report_unusable(
    context: &Context,
    total: usize,
    unusable: Vec<Unusable>,
) -> (Vec<String>, Option<Kind>) {
    let kind = unusable.first().map(|unusable| unusable.failure.kind());
    let mut reasons: Vec<(String, Vec<String>, Failure)> = Vec::new();
    let mut paths = Vec::new();
    for Unusable { path, failure } in unusable {
        let path = shown(&path);
        paths.push(path.clone());
        let reason = failure.to_string();
        match reasons.iter_mut().find(|(known, ..)| *known == reason) {
            // Errors of the disk name their path, so equal ones are those of the flags.
            Some((_, paths, _)) => paths.push(path),
            None => reasons.push((reason, vec![path], failure)),
        }
    }
    for (_, paths, failure) in reasons {
        let message = if paths.len() == total && total > 1 {
            format!("failed to prepare any of the {total} models")
        } else {
            format!("failed to prepare {}", listed(&paths))
        };
        ui::report(&context.ui, &failure.context(message).fact("path", paths.join("\n")));
    }
    (paths, kind)
}
