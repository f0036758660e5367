//! What to know about the names of an upload's files before they are sent.

use serde_json::{Value, json};

use crate::context::Context;
use crate::flows::upload::UploadJob;

/// Names of one kind that are shown one by one.
const SHOWN: usize = 3;

/// Warns of names by which files are lost or mistaken for others elsewhere.
pub(super) fn warn_of_names(context: &Context, job: &UploadJob) {
    let texts = |texts: Vec<String>, rest: &str| {
        texts.iter().take(SHOWN).for_each(|text| context.ui.warning(text));
        if texts.len() > SHOWN {
            context.ui.warning(&format!("{} more {rest}", texts.len() - SHOWN));
        }
    };
    let twins = job.name_twins();
    texts(twins.iter().map(twin_text).collect(), "pairs of names are one there");
    let outside = job.outside_entries();
    texts(outside.iter().map(outside_text).collect(), "entries lead out of the archive");
    let garbled = job.garbled_entries();
    texts(garbled.iter().map(garbled_text).collect(), "names are not marked as UTF-8");
    if let Some(text) = sidecar_text(&job.sidecars()) {
        context.ui.warning(&text);
        context.ui.hint("zip -d FILE.zip '__MACOSX/*' '*/._*' '._*' takes them out");
    }
}

/// Returns the same warnings for programs.
pub(super) fn name_warnings(job: &UploadJob) -> Vec<Value> {
    let twins = job.name_twins();
    let twins = twins.iter().map(|pair| {
        json!({"kind": "name-clash", "path": pair.0, "other": pair.1, "text": twin_text(pair)})
    });
    let outside = job.outside_entries();
    let outside = outside
        .iter()
        .map(|pair| json!({"kind": "name-outside", "path": pair.0, "text": outside_text(pair)}));
    let garbled = job.garbled_entries();
    let garbled = garbled
        .iter()
        .map(|pair| json!({"kind": "name-garbled", "path": pair.0, "text": garbled_text(pair)}));
    let sidecars = job.sidecars();
    let sidecars = sidecar_text(&sidecars)
        .map(|text| json!({"kind": "sidecar", "path": sidecars[0], "text": text}));
    twins.chain(outside).chain(garbled).chain(sidecars).collect()
}

fn twin_text((one, other): &(&str, &str)) -> String {
    format!("{one} and {other} are one name on Windows and macOS, where one replaces the other")
}

fn outside_text((written, path): &(&str, &str)) -> String {
    format!("{written} leads out of the archive: the service stores it as {path}")
}

fn garbled_text((name, path): &(&str, &str)) -> String {
    format!("{name} is not marked as UTF-8 in the archive: the service stores it as {path}")
}

fn sidecar_text(names: &[&str]) -> Option<String> {
    let first = names.first()?;
    Some(match names.len() {
        1 => format!("{first} is a file that macOS adds for attributes, and no part of a model"),
        count => format!(
            "{first} and {} more are files that macOS adds for attributes, and no part of a model",
            count - 1
        ),
    })
}
