//! The layers of metadata, gathered: flags, environment, file, model card, what was recognised.

use std::path::{Path, PathBuf};

use super::MetadataArgs;
use crate::archive::Inspection;
use crate::archive::recognise::Found;
use crate::base::Failure;
use crate::context::Context;
use crate::flows::upload::Source;
use crate::schema::model::{Framework, ModelType};
use crate::settings::Key;
use crate::settings::metadata::{
    FieldOrigin, FieldRow, Layer, META_FILE, card_layer, environment_layer, file_layer,
};

/// A model card, in a folder or beside a file.
const CARD: &str = "README.md";

/// What the metadata is of.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) struct Subject<'a> {
    pub path: &'a Path,
    pub source: &'a Source,
    pub inspection: &'a Inspection,
    /// The id where no layer has one: of several models, that of the path.
    pub own_id: Option<&'a str>,
}

impl Subject<'_> {
    /// A file in the model's folder, or beside the model.
    fn near(&self, name: &str) -> PathBuf {
        match self.source {
            Source::Folder { .. } => self.path.join(name),
            Source::File { .. } | Source::ReadyZip { .. } => self.path.with_file_name(name),
        }
    }

    /// What lies beside an archive tells nothing of what is in it.
    fn card(&self) -> Option<PathBuf> {
        (!matches!(self.source, Source::ReadyZip { .. })).then(|| self.near(CARD))
    }
}

/// Puts the layers over one another. What is missing is missing.
///
/// # Errors
/// A file of metadata cannot be used, or `--field` is no pair.
pub(in crate::commands) fn gather(
    context: &Context,
    args: &MetadataArgs,
    subject: Subject<'_>,
) -> Result<Layer, Failure> {
    let environment = environment_layer(context.settings.environment());
    let file = match &args.meta {
        Some(path) => file_layer(path)?,
        None => {
            let beside = subject.near(META_FILE);
            if beside.is_file() { file_layer(&beside)? } else { Layer::default() }
        }
    };
    let card = subject.card().map_or_else(Layer::default, |path| card_layer(&path));
    let mut layer = args.layer()?.over(user(context)).over(environment).over(file).over(card);
    let recognised = recognised(subject.inspection);
    layer.warnings.extend(contradictions(&layer, subject.inspection));
    layer = layer.over(recognised);
    Ok(layer.over(derived(subject.own_id)).with_name())
}

/// The owner of the settings, who is no matter of this model alone.
fn user(context: &Context) -> Layer {
    let mut layer = Layer::default();
    if let (Some(value), Some(row)) =
        (context.settings.get(Key::UserId), FieldRow::named("user_id"))
    {
        layer.set(row, value.text.clone(), FieldOrigin::Setting(value.origin.clone()));
    }
    layer
}

/// What the content says, where it is sure.
fn recognised(inspection: &Inspection) -> Layer {
    let mut layer = Layer::default();
    let Some(found) = &inspection.recognition else { return layer };
    let mut set = |name, text: &str, evidence: &str| {
        if let Some(row) = FieldRow::named(name) {
            layer.set(row, text, FieldOrigin::Recognised(evidence.to_owned()));
        }
    };
    if let Some(framework) = found.framework.as_ref().filter(|found| found.is_sure()) {
        set("framework", framework.value.as_str(), &framework.evidence);
    }
    if let Some(kind) = found.model_type.as_ref().filter(|found| found.is_sure()) {
        set("model_type", kind.value.as_str(), &kind.evidence);
    }
    layer
}

fn derived(own_id: Option<&str>) -> Layer {
    let mut layer = Layer::default();
    if let (Some(id), Some(row)) = (own_id, FieldRow::named("model_id")) {
        layer.set(row, id, FieldOrigin::Derived("the path's name"));
    }
    layer
}

impl Layer {
    /// The name for people is the model's id where none is given.
    pub(super) fn with_name(self) -> Self {
        let id = self.get("model_id").map(|id| id.text.clone());
        let mut below = Self::default();
        if let (Some(id), Some(row)) = (id, FieldRow::named("name")) {
            below.set(row, id, FieldOrigin::Derived("model_id"));
        }
        self.over(below)
    }
}

/// What was said against what was recognised. What was said holds.
fn contradictions(said: &Layer, inspection: &Inspection) -> Vec<String> {
    let Some(found) = &inspection.recognition else { return Vec::new() };
    let against = |name: &str, sent: &str, evidence: &str, other: &str| {
        let origin = said.get(name).map(|value| value.origin.to_string()).unwrap_or_default();
        format!("{name} is {sent} ({origin}), but its content says {other}: {evidence}")
    };
    let mut warnings = Vec::new();
    if let Some((sent, found)) = differing(said, "framework", found.framework.as_ref(), fits) {
        warnings.push(against("framework", &sent, &found.evidence, found.value.as_str()));
    }
    if let Some((sent, found)) =
        differing(said, "model_type", found.model_type.as_ref(), ModelType::agrees)
    {
        warnings.push(against("model_type", &sent, &found.evidence, found.value.as_str()));
    }
    warnings
}

fn differing<'a, T: std::str::FromStr>(
    said: &Layer,
    name: &str,
    found: Option<&'a Found<T>>,
    fits: fn(&T, &T) -> bool,
) -> Option<(String, &'a Found<T>)> {
    let found = found.filter(|found| found.is_sure())?;
    let text = &said.get(name)?.text;
    let word: T = text.parse().ok()?;
    (!fits(&word, &found.value)).then(|| (text.clone(), found))
}

/// Whether both can be said of one model: the libraries of Hugging Face and Keras stand on others,
/// and `other` is true of everything.
fn fits(said: &Framework, found: &Framework) -> bool {
    let is_either = |framework: &Framework| said == framework || found == framework;
    said == found
        || *said == Framework::Other
        || (is_either(&Framework::Huggingface)
            && !is_either(&Framework::Sklearn)
            && !is_either(&Framework::Other))
        || (is_either(&Framework::Keras) && is_either(&Framework::Tensorflow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frameworks_that_stand_on_others_contradict_none_of_them() {
        use Framework::{Huggingface, Keras, Onnx, Other, Pytorch, Sklearn, Tensorflow};
        for (said, found) in [
            (Pytorch, Pytorch),
            (Huggingface, Pytorch),
            (Pytorch, Huggingface),
            (Keras, Tensorflow),
            (Tensorflow, Keras),
            (Other, Sklearn),
        ] {
            assert!(fits(&said, &found), "{said} {found}");
        }
        for (said, found) in [
            (Tensorflow, Pytorch),
            (Pytorch, Sklearn),
            (Sklearn, Huggingface),
            (Pytorch, Other),
            (Onnx, Keras),
        ] {
            assert!(!fits(&said, &found), "{said} {found}");
        }
    }
}
