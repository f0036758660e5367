//! What of a batch can be sent: every path is looked at, with its metadata, before anything is asked
//! of the API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ledger::shown;
use super::{Asked, Prepared, UploadArgs, job};
use crate::base::{Failure, Kind};
use crate::commands::metadata::About;
use crate::context::Context;
use crate::flows::upload::{Task, UploadJob};

/// A model that can be sent.
pub(super) struct Item {
    pub path: PathBuf,
    pub job: UploadJob,
    pub about: About,
}

/// A model that cannot.
pub(super) struct Unusable {
    pub path: PathBuf,
    pub failure: Failure,
}

/// Looks at every path and its metadata. Nothing is asked of the API.
pub(super) fn prepare(
    context: &Context,
    args: &UploadArgs,
    asked: Vec<Asked>,
) -> Result<(Vec<Item>, Vec<Unusable>), Failure> {
    let (mut items, mut unusable) = (Vec::new(), Vec::new());
    for mut asked in asked {
        // A walk through a large folder takes its time, and a stop must not wait for all of them.
        if let Some(signal) = context.shutdown.signal() {
            return Err(Failure::new(signal.kind().unwrap_or(Kind::Interrupted), "stopped"));
        }
        asked.own_id = derived_id(&asked.path);
        match job(context, args, &asked) {
            Ok(Prepared { job, about }) => items.push(Item { path: asked.path, job, about }),
            Err(failure) => unusable.push(Unusable { path: asked.path, failure }),
        }
    }
    Ok(refuse_equals(items, unusable))
}

/// The name of a path without its extension; a folder's whole name.
pub(super) fn derived_id(path: &Path) -> Option<String> {
    let real =
        if path.file_name().is_some() { path.to_owned() } else { path.canonicalize().ok()? };
    let name = if path.is_dir() { real.file_name() } else { real.file_stem() };
    Some(name?.to_str()?.to_owned())
}

/// Takes out what would be the same model, or of the same task, as another one of the run: which of
/// them comes later nobody could say.
fn refuse_equals(items: Vec<Item>, mut unusable: Vec<Unusable>) -> (Vec<Item>, Vec<Unusable>) {
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in items {
        match seen.clash(&item) {
            Some(failure) => unusable.push(Unusable { path: item.path, failure }),
            None => kept.push(item),
        }
    }
    (kept, unusable)
}

/// Models and tasks of a run, each with its path.
#[derive(Default)]
struct Seen {
    models: BTreeMap<(String, Option<String>), String>,
    tasks: BTreeMap<String, String>,
}

impl Seen {
    /// Why this one cannot stand beside those before it; else it is one of them.
    fn clash(&mut self, item: &Item) -> Option<Failure> {
        let path = shown(&item.path);
        let model = (item.job.label(), item.job.version.as_ref().map(ToString::to_string));
        if let Some(other) = self.models.get(&model) {
            let message = format!("it would be {} as {other} is, in no certain order", model.0);
            let failure = Failure::usage(message);
            return Some(failure.hint("give each an id of its own: model_id in a --manifest"));
        }
        if let Task::Given(task) = &item.job.task {
            if let Some(other) = self.tasks.get(task) {
                let message = format!("it would be of the task {task} as {other} is");
                return Some(Failure::usage(message).hint("give each a task_id of its own"));
            }
            self.tasks.insert(task.clone(), path.clone());
        }
        self.models.insert(model, path);
        None
    }
}
