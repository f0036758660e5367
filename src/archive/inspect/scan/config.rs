//! Configurations in JSON that name code: layers of Keras with Python in them or from foreign
//! modules, `auto_map` of the Hugging Face libraries, modules of sentence-transformers, pipelines of
//! diffusers, and what `TorchServe` runs.

use memchr::memmem;
use serde_json::Value;

/// Modules of Keras and TensorFlow whose objects a configuration may name, below the library's own.
const KERAS_PARTS: [&str; 24] = [
    "layers",
    "models",
    "initializers",
    "regularizers",
    "constraints",
    "optimizers",
    "losses",
    "metrics",
    "activations",
    "dtype_policies",
    "mixed_precision",
    "quantizers",
    "random",
    "ops",
    "engine",
    "backend",
    "api",
    "legacy",
    "applications",
    "distribution",
    "tokenizers",
    "samplers",
    "schedules",
    "saving",
];
const KERAS_LIBRARIES: [&str; 5] = ["keras", "tf_keras", "keras_hub", "keras_nlp", "keras_cv"];
/// Names under which libraries register objects of their own.
const OWN_PACKAGES: [&str; 6] =
    ["keras", "keras_hub", "keras_nlp", "keras_cv", "builtins", "Keras"];

/// What a configuration turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ConfigVerdict {
    Plain,
    /// It names code; a fragment for people.
    Code(String),
    /// It may name code and cannot be read as JSON.
    Unreadable,
}

/// Judges a text in JSON, as far as it names code.
pub(super) fn judge_json(name: &str, text: &[u8]) -> ConfigVerdict {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let base = name.rsplit('/').next().unwrap_or(name);
    if !may_name_code(base, text) {
        return ConfigVerdict::Plain;
    }
    match serde_json::from_slice::<Value>(text) {
        Ok(value) => of_file(base, &value)
            .or_else(|| in_values(&value))
            .map_or(ConfigVerdict::Plain, ConfigVerdict::Code),
        Err(_) => judge_broken(text),
    }
}

/// Whether a text must be read at all: large files of tokens, for one, must not.
fn may_name_code(base: &str, text: &[u8]) -> bool {
    let marks: [&[u8]; 7] = [
        b"class_name",
        b"auto_map",
        b"custom_pipelines",
        b"\\u005",
        b"\\u006",
        b"\\u007",
        b"handler",
    ];
    matches!(base, "modules.json" | "model_index.json" | "MANIFEST.json")
        || marks.iter().any(|mark| memmem::find(text, mark).is_some())
}

/// Python takes `NaN` and more; what it names is then looked for in the text.
fn judge_broken(text: &[u8]) -> ConfigVerdict {
    let blank: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let has = |mark: &[u8]| memmem::find(&blank, mark).is_some();
    if has(b"\"class_name\":\"Lambda\"") || has(b"\"class_name\":\"__lambda__\"") {
        return ConfigVerdict::Code("a Lambda layer of Keras".to_owned());
    }
    match has(b"\"class_name\"") || has(b"\"auto_map\"") {
        true => ConfigVerdict::Unreadable,
        false => ConfigVerdict::Plain,
    }
}

/// What the file's name gives a meaning to.
fn of_file(base: &str, value: &Value) -> Option<String> {
    match base {
        "modules.json" => value.as_array()?.iter().find_map(|module| {
            let class = module.get("type")?.as_str()?;
            let is_own = class.starts_with("sentence_transformers.");
            (!is_own).then(|| format!("the module {class}"))
        }),
        "model_index.json" => {
            let file = value.get("_class_name")?.as_array()?.first()?.as_str()?;
            Some(format!("a pipeline of its own, {file}.py"))
        }
        "MANIFEST.json" => {
            let handler = value.get("model")?.get("handler")?.as_str()?;
            handler.contains(".py").then(|| format!("the handler {handler} of TorchServe"))
        }
        _ => None,
    }
}

/// Looks at every object, however deep.
fn in_values(value: &Value) -> Option<String> {
    let mut rest = vec![value];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(object) => {
                if let Some(found) = in_object(object) {
                    return Some(found);
                }
                rest.extend(object.values());
            }
            Value::Array(values) => rest.extend(values),
            _ => {}
        }
    }
    None
}

fn in_object(object: &serde_json::Map<String, Value>) -> Option<String> {
    let is_filled = |key: &str| match object.get(key) {
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Null) | None => false,
        Some(_) => true,
    };
    if is_filled("auto_map") || is_filled("custom_pipelines") {
        return Some("code that comes with it (auto_map)".to_owned());
    }
    let class = object.get("class_name").and_then(Value::as_str)?;
    if ["Lambda", "__lambda__"].contains(&class) || class.ends_with(">Lambda") {
        return Some("a Lambda layer of Keras".to_owned());
    }
    let module = object.get("module").and_then(Value::as_str);
    if let Some(module) = module.filter(|module| !is_of_keras(module)) {
        return Some(format!("{class} of the module {module}"));
    }
    let registered = object.get("registered_name").and_then(Value::as_str).unwrap_or(class);
    let package = registered.split_once('>').map(|(package, _)| package)?;
    (!OWN_PACKAGES.contains(&package)).then(|| format!("the registered object {registered}"))
}

/// Whether a module is of Keras, and of the parts that hold layers and what belongs to them.
fn is_of_keras(module: &str) -> bool {
    let mut parts = module.split('.').filter(|part| *part != "src" && *part != "_tf_keras");
    let first = parts.next().unwrap_or_default();
    if first == "tensorflow" {
        let of_tensorflow: Vec<&str> = parts.collect();
        return of_tensorflow.contains(&"keras") && !of_tensorflow.contains(&"utils");
    }
    if !KERAS_LIBRARIES.contains(&first) {
        return false;
    }
    parts.next().is_none_or(|part| KERAS_PARTS.contains(&part))
}

/// Judges the configurations of Keras that are somewhere in other bytes, as in HDF5.
pub(super) fn judge_embedded(content: &[u8]) -> ConfigVerdict {
    const BEFORE: usize = 4 * 1024;
    const MOST: usize = 64;
    let mut at = 0;
    let mut verdict = ConfigVerdict::Plain;
    for _ in 0..MOST {
        let Some(found) = memmem::find(&content[at..], b"\"class_name\"") else { return verdict };
        let found = at + found;
        let start = found.saturating_sub(BEFORE).max(at);
        let braces = memchr::memchr_iter(b'{', &content[start..found]).map(|brace| start + brace);
        let parsed = braces.into_iter().find_map(|brace| {
            let mut values = serde_json::Deserializer::from_slice(&content[brace..]).into_iter();
            let value: Value = values.next()?.ok()?;
            let end = brace + values.byte_offset();
            (end > found).then_some((value, end))
        });
        match parsed {
            Some((value, end)) => {
                if let Some(code) = in_values(&value) {
                    return ConfigVerdict::Code(code);
                }
                at = end;
            }
            None => {
                let piece = &content[found..content.len().min(found + BEFORE)];
                match judge_broken(piece) {
                    ConfigVerdict::Code(code) => return ConfigVerdict::Code(code),
                    other => verdict = other,
                }
                at = found + 1;
            }
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_code(name: &str, text: &str) -> bool {
        matches!(judge_json(name, text.as_bytes()), ConfigVerdict::Code(_))
    }

    #[test]
    fn code_is_found_at_any_depth_and_in_any_writing() {
        for text in [
            r#"{"class_name":"Lambda"}"#,
            "{\"layers\": [[{\"class_name\"\n :\t\"Lambda\"}]]}",
            r#"{"class_name":"\u004cambda"}"#,
            r#"{"cl\u0061ss_name":"Lambda"}"#,
            r#"{"config":{"activation":{"class_name":"__lambda__","config":{}}}}"#,
            r#"{"module":"os","class_name":"function","config":"system"}"#,
            r#"{"module":"builtins","class_name":"function","config":"eval"}"#,
            r#"{"module":"keras.utils","class_name":"get_file","config":{}}"#,
            r#"{"module":"keras.src.utils.file_utils","class_name":"get_file"}"#,
            r#"{"module":"kerasx.layers","class_name":"Dense"}"#,
            r#"{"module":null,"class_name":"Mine","registered_name":"mine>Mine"}"#,
            r#"{"a":NaN,"class_name": "Lambda"}"#,
            r#"{"auto_map":{"AutoModel":"modeling.X"}}"#,
        ] {
            assert!(is_code("config.json", text), "{text}");
        }
        assert!(is_code("a/modules.json", r#"[{"idx":0,"type":"mine.Module"}]"#));
        assert!(is_code("model_index.json", r#"{"_class_name":["pipe","Mine"]}"#));
        assert!(is_code("MAR-INF/MANIFEST.json", r#"{"model":{"handler":"h.py"}}"#));
    }

    #[test]
    fn plain_configurations_name_no_code() {
        for text in [
            r#"{"class_name":"Dense","config":{"name":"Lambda"}}"#,
            r#"{"module":"keras","class_name":"Sequential","registered_name":"Sequential"}"#,
            r#"{"module":"keras.layers","class_name":"Dense","config":{"dtype":{"module":"keras","class_name":"DTypePolicy"}}}"#,
            r#"{"module":"keras.src.models.functional","class_name":"Functional","registered_name":"Functional"}"#,
            r#"{"module":"tensorflow.python.keras.layers","class_name":"Dense"}"#,
            r#"{"auto_map":{}}"#,
            r#"{"auto_map":null,"architectures":["X"]}"#,
            r#"{"text":"class_name Lambda"}"#,
            "[]",
            "no json",
        ] {
            assert_eq!(judge_json("config.json", text.as_bytes()), ConfigVerdict::Plain, "{text}");
        }
        let own = r#"[{"type":"sentence_transformers.models.Transformer"}]"#;
        assert_eq!(judge_json("modules.json", own.as_bytes()), ConfigVerdict::Plain);
        let broken = br#"{"class_name":"Dense","x":NaN}"#;
        assert_eq!(judge_json("config.json", broken), ConfigVerdict::Unreadable);
    }

    #[test]
    fn a_configuration_inside_other_bytes_is_read() {
        let around = |text: &str| [&[0, 1, b'{', 0xff][..], text.as_bytes(), &[0; 9]].concat();
        let plain = r#"{"class_name": "Sequential", "config": {"layers": []}}"#;
        assert_eq!(judge_embedded(&around(plain)), ConfigVerdict::Plain);
        for text in [
            r#"{"class_name": "Sequential", "config": {"layers": [{"class_name":  "Lambda"}]}}"#,
            r#"{"module": "os", "class_name": "x"}"#,
        ] {
            assert!(matches!(judge_embedded(&around(text)), ConfigVerdict::Code(_)), "{text}");
        }
    }
}
