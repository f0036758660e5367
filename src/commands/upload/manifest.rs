//! A manifest: the models of one run with their metadata, in TOML or JSON. What it cannot mean is
//! refused with its place before anything is looked at.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::base::nearest::nearest;
use crate::base::plain_text::into_text;
use crate::base::{Failure, Kind};
use crate::settings::TreeFile;

/// A model of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Relative to the working folder.
    pub path: PathBuf,
    pub as_file: bool,
    pub task_id: Option<String>,
    /// Fields of the form that have a flag, with their texts.
    pub fields: Vec<(String, String)>,
    /// Other fields, as `NAME=VALUE`.
    pub others: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Text,
    Number,
    Switch,
    Words,
}

/// The fields that a model may have (contract 2.2), and what they hold.
const FIELDS: &[(&str, Kept)] = &[
    ("user_id", Kept::Text),
    ("model_id", Kept::Text),
    ("name", Kept::Text),
    ("description", Kept::Text),
    ("version", Kept::Text),
    ("framework", Kept::Text),
    ("model_type", Kept::Text),
    ("algorithm", Kept::Text),
    ("is_primary", Kept::Switch),
    ("tags", Kept::Words),
    ("training_dataset", Kept::Text),
    ("training_dataset_version", Kept::Text),
    ("training_accuracy", Kept::Number),
    ("validation_accuracy", Kept::Number),
    ("test_accuracy", Kept::Number),
    ("training_loss", Kept::Number),
    ("python_version", Kept::Text),
    ("hardware_requirements", Kept::Text),
    ("preserve_structure", Kept::Switch),
];

/// Keys of a model that are no fields.
const OTHERS: &[&str] = &["path", "as_file", "task_id", "fields"];
/// Keys that can hold for one model only.
const OF_ONE: &[&str] = &["path", "task_id", "model_id"];

/// Reads a manifest; `-` is standard input.
///
/// # Errors
/// It is not there, cannot be read, or lists what cannot be uploaded.
pub(super) fn read(path: &Path) -> Result<Vec<Listed>, Failure> {
    if path != Path::new("-") {
        let file = TreeFile::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        return models(&file.tree, folder).map_err(|failure| named(path, failure));
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes);
    let text = read.and_then(|_| into_text(&bytes)).map_err(|cause| {
        Failure::wrap(Kind::Usage, cause).context("failed to read the manifest from standard input")
    })?;
    let path = Path::new("standard input");
    models(&TreeFile::parse(path, &text)?.tree, Path::new(""))
        .map_err(|failure| named(path, failure))
}

fn named(path: &Path, failure: Failure) -> Failure {
    failure.context(format!("failed to use the manifest {}", path.display()))
}

fn models(tree: &Value, folder: &Path) -> Result<Vec<Listed>, Failure> {
    let none = Map::new();
    let (list, common) = match tree {
        Value::Array(list) => (list.as_slice(), &none),
        Value::Object(top) => match top.get("models") {
            Some(Value::Array(list)) => (list.as_slice(), top),
            Some(_) => return Err(Failure::usage("models is no list")),
            None => return Err(no_models(top)),
        },
        _ => return Err(Failure::usage("it is neither a table nor a list")),
    };
    if list.is_empty() {
        return Err(Failure::usage("it lists no model"));
    }
    let mut shared = Listed::default();
    for (key, value) in common.iter().filter(|(key, _)| *key != "models") {
        if OF_ONE.contains(&key.replace('-', "_").as_str()) {
            return Err(Failure::usage(format!("{key} at the top would hold for every model"))
                .hint("write it into the models"));
        }
        take(&mut shared, key, value, "")?;
    }
    let models = list.iter().enumerate();
    models.map(|(index, model)| listed(model, &shared, index, folder)).collect()
}

/// A file without models may well be one of settings, or have them under another name.
fn no_models(top: &Map<String, Value>) -> Failure {
    let failure = Failure::usage("it has no list of models")
        .hint("in TOML each model is a table [[models]], in JSON an object in the list \"models\"");
    let lists = top.iter().filter(|(_, value)| value.is_array()).map(|(key, _)| key.as_str());
    match lists.collect::<Vec<_>>().as_slice() {
        [] => failure,
        names => failure.hint(format!("did you mean models by {}?", names.join(" or "))),
    }
}

fn listed(model: &Value, shared: &Listed, index: usize, folder: &Path) -> Result<Listed, Failure> {
    let place = format!("models[{index}]");
    let Value::Object(keys) = model else {
        return Err(Failure::usage(format!("{place} is no table"))
            .hint("a model is a table with a path and its metadata"));
    };
    let mut listed = Listed::default();
    for (key, value) in keys {
        take(&mut listed, key, value, &format!("{place}."))?;
    }
    if listed.path.as_os_str().is_empty() {
        return Err(Failure::usage(format!("{place} has no path")));
    }
    listed.path = folder.join(&listed.path);
    // What a model says of itself stands first, and the first wins.
    listed.fields.extend(shared.fields.iter().cloned());
    listed.others.extend(shared.others.iter().cloned());
    if !keys.contains_key("as_file") && !keys.contains_key("as-file") {
        listed.as_file = shared.as_file;
    }
    Ok(listed)
}

/// Takes one key of a model, or of the top.
fn take(listed: &mut Listed, key: &str, value: &Value, place: &str) -> Result<(), Failure> {
    let name = key.replace('-', "_");
    let wants = |what: &str| Failure::usage(format!("{place}{key} must be {what}"));
    if value.is_null() {
        return if is_known(&name) { Ok(()) } else { Err(unknown(key, &name, place)) };
    }
    match (name.as_str(), value) {
        ("path", Value::String(path)) => listed.path = PathBuf::from(path),
        ("task_id", Value::String(id)) => listed.task_id = Some(id.clone()),
        ("path" | "task_id", _) => return Err(wants("a text")),
        ("as_file", Value::Bool(flag)) => listed.as_file = *flag,
        ("as_file", _) => return Err(wants("true or false")),
        ("fields", Value::Object(fields)) => {
            for (name, value) in fields {
                if name.is_empty() || name.contains('=') {
                    return Err(Failure::usage(format!("{place}fields has a field {name:?}"))
                        .hint("a field has a name, and no = in it"));
                }
                let text = plain(value).ok_or_else(|| {
                    Failure::usage(format!("{place}fields.{name} must be a text or a number"))
                })?;
                listed.others.push(format!("{name}={text}"));
            }
        }
        ("fields", _) => return Err(wants("a table")),
        _ => {
            let Some((_, kept)) = FIELDS.iter().find(|(known, _)| *known == name) else {
                return Err(unknown(key, &name, place));
            };
            let text = text_of(*kept, value).map_err(wants)?;
            listed.fields.push((name, text));
        }
    }
    Ok(())
}

fn is_known(name: &str) -> bool {
    OTHERS.contains(&name) || FIELDS.iter().any(|(known, _)| *known == name)
}

fn unknown(key: &str, name: &str, place: &str) -> Failure {
    let known = OTHERS.iter().copied().chain(FIELDS.iter().map(|(name, _)| *name));
    let failure = Failure::usage(format!("{place}{key} is no key of a manifest"));
    match nearest(name, known.clone(), 2).as_slice() {
        [] => failure.hint(format!("its keys: {}", known.collect::<Vec<_>>().join(", "))),
        near => failure.hint(format!("did you mean {}?", near.join(" or "))),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The text of a field's value, or what it must be. A number is no text: 3.10 would become 3.1.
fn text_of(kept: Kept, value: &Value) -> Result<String, &'static str> {
    match (kept, value) {
        (Kept::Text | Kept::Number | Kept::Words, Value::String(text)) => Ok(text.clone()),
        (Kept::Number, Value::Number(number)) => Ok(number.to_string()),
        (Kept::Switch, Value::Bool(flag)) => Ok(flag.to_string()),
        (Kept::Words, Value::Array(words)) => {
            let words: Option<Vec<&str>> =
                words.iter().map(|word| word.as_str().filter(|word| !word.contains(','))).collect();
            Ok(words.ok_or("a list of texts without commas")?.join(","))
        }
        (Kept::Text, _) => Err("a text in quotes"),
        (Kept::Number, _) => Err("a number"),
        (Kept::Switch, _) => Err("true or false"),
        (Kept::Words, _) => Err("a list of texts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(tree: &Value) -> String {
        let failure = models(tree, Path::new("")).unwrap_err();
        let hints: Vec<&str> = failure.hints().iter().map(crate::base::Hint::text).collect();
        format!("{failure}; {}", hints.join("; "))
    }

    #[test]
    fn a_field_whose_name_would_be_cut_off_is_refused() {
        for name in ["a=b", ""] {
            let tree = json!([{"path": "a", "fields": {name: "c"}}]);
            assert!(refused(&tree).contains("no = in it"), "{}", refused(&tree));
        }
    }

    #[test]
    fn what_a_model_says_stands_before_what_holds_for_all() {
        let tree = json!({
            "framework": "onnx", "as-file": true, "fields": {"team": "a"},
            "models": [
                {"path": "a.onnx", "framework": "keras", "tags": ["x", "y"], "training-accuracy": 0.5},
                {"path": "/b.onnx", "as_file": false, "is_primary": true, "description": null},
            ]
        });
        let models = models(&tree, Path::new("list")).unwrap();
        let field = |text: (&str, &str)| (text.0.to_owned(), text.1.to_owned());
        assert_eq!(models[0].path, Path::new("list/a.onnx"));
        assert!(models[0].as_file && !models[1].as_file);
        let wanted = [
            ("framework", "keras"),
            ("tags", "x,y"),
            ("training_accuracy", "0.5"),
            ("framework", "onnx"),
        ];
        assert_eq!(models[0].fields, wanted.map(field));
        assert_eq!(models[1].path, Path::new("/b.onnx"));
        assert_eq!(models[1].fields, [("is_primary", "true"), ("framework", "onnx")].map(field));
        assert_eq!(models[1].others, ["team=a"]);
    }

    #[test]
    fn a_list_alone_is_a_manifest_too() {
        let models = models(&json!([{"path": "a"}]), Path::new("")).unwrap();
        assert_eq!(models[0].path, Path::new("a"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place_and_the_nearest() {
        for (tree, words) in [
            (json!({"models": [{"path": "a"}, {"pth": "b"}]}), "models[1].pth is no key"),
            (json!({"models": [{"pth": "b"}]}), "did you mean path"),
            (json!([{"path": "a", "modeltype": "nlp"}]), "did you mean model_type"),
            (json!([{"framework": "onnx"}]), "models[0] has no path"),
            (json!([{"path": 7}]), "models[0].path must be a text"),
            (json!([{"path": "a", "python_version": 3.1}]), "must be a text in quotes"),
            (json!([{"path": "a", "tags": ["x,y"]}]), "without commas"),
            (json!([{"path": "a", "is_primary": "yes"}]), "must be true or false"),
            (json!([{"path": "a", "test_accuracy": true}]), "must be a number"),
            (json!(["a"]), "models[0] is no table"),
            (json!([]), "lists no model"),
            (json!({"model": [{"path": "a"}]}), "did you mean models by model?"),
            (json!({"models": {}}), "models is no list"),
            (json!({"model_id": "m", "models": [{"path": "a"}]}), "would hold for every model"),
            (json!(7), "neither a table nor a list"),
        ] {
            let told = refused(&tree);
            assert!(told.contains(words), "{words:?} is not in {told:?}");
        }
    }
}
