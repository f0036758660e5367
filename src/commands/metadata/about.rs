//! What is known of an upload beside its fields, for people and for documents: where each value came
//! from, what was recognised, what to be warned of.

use std::path::Path;

use serde_json::{Value, json};

use super::complete::{check, names_missing};
use crate::archive::recognise::{Found, Recognition};
use crate::archive::{Finding, Inspection};
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::settings::metadata::{FieldOrigin, Layer};
use crate::ui::Table;

/// Findings of one kind that are told one by one.
const SHOWN: usize = 3;

/// What is said of an upload before it is sent.
#[derive(Clone, Debug, Default)]
pub(in crate::commands) struct About {
    pub layer: Layer,
    pub inspection: Inspection,
}

impl About {
    /// Says what is odd, and what to do about it.
    pub fn warn(&self, context: &Context) {
        for warning in &self.layer.warnings {
            context.ui.warning(warning);
        }
        for group in self.inspection.findings.chunk_by(|a, b| a.kind == b.kind) {
            warn_of_group(context, group);
        }
        if self.inspection.unseen > 0 {
            let unseen = self.inspection.unseen;
            context.ui.note(&format!(
                "{unseen} files were not looked into; --fail-on-unsafe and --dry-run look into all that can be"
            ));
        }
    }

    /// Refuses what has a finding that is more than a note.
    ///
    /// # Errors
    /// There is one: code 8.
    pub fn refuse_unsafe(&self) -> Result<(), Failure> {
        let findings: Vec<&Finding> =
            self.inspection.findings.iter().filter(|finding| finding.kind.is_unsafe()).collect();
        let Some(first) = findings.first() else { return Ok(()) };
        let more = match findings.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let message = format!("nothing was sent: {}{more}", first.text);
        let failure = Failure::new(Kind::CheckFailed, message);
        let failure = match first.kind.advice() {
            Some(advice) => failure.hint(advice),
            None => failure,
        };
        Err(failure.hint("without --fail-on-unsafe this is a warning"))
    }

    /// Each field's origin by its name.
    pub fn origins(&self) -> Value {
        let origin = |origin: &FieldOrigin| json!(origin.to_string());
        self.layer.values().map(|(name, value)| (name.to_owned(), origin(&value.origin))).collect()
    }

    pub fn recognised(&self) -> Value {
        self.inspection.recognition.as_ref().map_or(Value::Null, recognised)
    }

    pub fn warnings(&self) -> Vec<Value> {
        let of_metadata =
            self.layer.warnings.iter().map(|text| json!({"kind": "metadata", "text": text}));
        let findings = self.inspection.findings.iter().map(
            |finding| json!({"kind": finding.kind.name(), "path": finding.path, "text": finding.text}),
        );
        of_metadata.chain(findings).collect()
    }
}

/// Says what is found of one kind: the first ones, how many more there are, and what to do.
fn warn_of_group(context: &Context, group: &[Finding]) {
    let kind = group[0].kind;
    let show = |text: &str| match kind.is_unsafe() {
        true => context.ui.warning(text),
        false => context.ui.note(text),
    };
    for finding in group.iter().take(SHOWN) {
        show(&finding.text);
    }
    if let Some(more) = group.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        show(&format!("{more} more are {}", plural(group)));
    }
    if let Some(advice) = kind.advice() {
        context.ui.hint(advice);
    }
}

fn plural(group: &[Finding]) -> &'static str {
    use crate::archive::FindingKind;
    match group[0].kind {
        FindingKind::RunsCode => "of the same kind: they run code when they are loaded",
        FindingKind::Uninspected => "not looked into",
        FindingKind::LfsPointer => "pointers of Git LFS",
        FindingKind::Truncated => "cut off",
        FindingKind::Malformed => "damaged",
        FindingKind::Incomplete => "incomplete",
        FindingKind::Secret => "or have secrets",
        FindingKind::Note => "of the same kind",
    }
}

fn recognised(found: &Recognition) -> Value {
    fn part<T: std::fmt::Display>(found: &Found<T>) -> Value {
        json!({
            "value": found.value.to_string(),
            "confidence": found.confidence.to_string(),
            "evidence": found.evidence,
        })
    }
    json!({
        "format": {
            "value": found.format.value.name(),
            "confidence": found.format.confidence.to_string(),
            "evidence": found.format.evidence,
        },
        "framework": found.framework.as_ref().map(part),
        "model_type": found.model_type.as_ref().map(part),
    })
}

/// The document `dwctl.upload-meta/1`.
pub(in crate::commands) fn document(path: &Path, about: &About) -> Value {
    let fields: Vec<Value> = about
        .layer
        .values()
        .map(|(name, value)| {
            json!({
                "name": name,
                "value": value.text,
                "layer": value.origin.layer(),
                "origin": value.origin.to_string(),
            })
        })
        .collect();
    json!({
        "schema": "dwctl.upload-meta/1",
        "path": path,
        "fields": fields,
        "missing": names_missing(&about.layer),
        "recognised": about.recognised(),
        "warnings": about.warnings(),
    })
}

/// The table for people; what is missing stands in it without a value.
///
/// # Errors
/// A value that the API would refuse.
pub(in crate::commands) fn render(about: &About) -> Result<Table, Failure> {
    check(&about.layer)?;
    let mut table = Table::new(&["FIELD", "VALUE", "ORIGIN"]);
    for (name, value) in about.layer.values() {
        table.row([name.to_owned(), value.text.clone(), value.origin.to_string()]);
    }
    for name in names_missing(&about.layer) {
        let flag = format!("missing: --{}", name.replace('_', "-"));
        table.row([name.to_owned(), "-".to_owned(), flag]);
    }
    Ok(table)
}
