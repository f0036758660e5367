//! What a folder or a ready archive is: by the files that only one library writes, else by the files
//! of weights in it.

use super::huggingface::Config;
use super::{Confidence, Format, Found, Recognition};
use crate::schema::model::{Framework, ModelType};

/// What the files of weights are called by the Hugging Face libraries, up to their endings.
const HUGGINGFACE_WEIGHTS: [&str; 7] = [
    "model.safetensors",
    "model-0",
    "pytorch_model",
    "tf_model.h5",
    "flax_model.msgpack",
    "adapter_model.",
    "model.onnx",
];
/// Configurations that only these libraries write, with what they are.
const HUGGINGFACE_MARKS: [(&str, &str, Option<ModelType>); 3] = [
    ("model_index.json", "model_index.json of diffusers", None),
    ("modules.json", "modules.json of sentence-transformers", Some(ModelType::Nlp)),
    ("adapter_config.json", "adapter_config.json of PEFT", None),
];

/// The names of a folder's files, and the texts of the small ones.
pub trait Contents {
    /// Paths below the folder, `/` between their parts.
    fn names(&self) -> Vec<&str>;
    /// A configuration's text; none where it is too long or cannot be read.
    fn text(&self, name: &str) -> Option<Vec<u8>>;
}

/// Recognises a folder; `files` is what its files were recognised as, the most telling first.
#[must_use]
pub fn recognise_folder(
    contents: &dyn Contents,
    files: &[(String, Recognition)],
) -> Option<Recognition> {
    let names = contents.names();
    let root = Root::of(&names);
    root.tensorflow()
        .or_else(|| root.huggingface(contents))
        .or_else(|| root.checkpoint())
        .or_else(|| by_files(files))
}

/// The kind of a model whose weights lie beside a `config.json` of the Hugging Face libraries.
#[must_use]
pub fn type_beside(weights: &str, config: &[u8]) -> Option<Found<ModelType>> {
    if !is_huggingface_weights(weights) {
        return None;
    }
    let found = Config::read(config)?.model_type()?;
    Some(Found { evidence: format!("config.json beside it: {}", found.evidence), ..found })
}

fn is_huggingface_weights(name: &str) -> bool {
    HUGGINGFACE_WEIGHTS.iter().any(|beginning| name.starts_with(beginning))
}

/// The folder that holds everything: an archive often has one of its own at its top.
struct Root<'a> {
    prefix: &'a str,
    names: Vec<&'a str>,
}

impl<'a> Root<'a> {
    fn of(names: &[&'a str]) -> Self {
        let top = names.first().and_then(|name| name.find('/')).map(|at| &names[0][..=at]);
        match top.filter(|top| names.iter().all(|name| name.starts_with(top))) {
            Some(prefix) => {
                Self { prefix, names: names.iter().map(|name| &name[prefix.len()..]).collect() }
            }
            None => Self { prefix: "", names: names.to_vec() },
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    fn text(&self, contents: &dyn Contents, name: &str) -> Option<Vec<u8>> {
        self.has(name).then(|| contents.text(&format!("{}{name}", self.prefix))).flatten()
    }

    /// A `SavedModel`, here or in one folder below, as TensorFlow Serving keeps them.
    fn tensorflow(&self) -> Option<Recognition> {
        let name = self.names.iter().find(|name| {
            let base = name.rsplit('/').next().unwrap_or(name);
            (base == "saved_model.pb" || base == "saved_model.pbtxt")
                && name.matches('/').count() <= 1
        })?;
        let variables = self.names.iter().any(|name| name.contains("variables/variables."));
        let (confidence, evidence) = if variables {
            (Confidence::High, format!("{name} and variables"))
        } else {
            (Confidence::Medium, (*name).to_owned())
        };
        Some(Recognition::new(Format::SavedModel, confidence, evidence.clone()).framework(
            Framework::Tensorflow,
            confidence,
            evidence,
        ))
    }

    fn huggingface(&self, contents: &dyn Contents) -> Option<Recognition> {
        let known = |evidence: String, kind| {
            Recognition::new(Format::Huggingface, Confidence::High, evidence.clone())
                .framework(Framework::Huggingface, Confidence::High, evidence)
                .model_type(kind)
        };
        for (mark, evidence, kind) in &HUGGINGFACE_MARKS {
            if let Some(text) = self.text(contents, mark) {
                let task = Config::read(&text).and_then(|config| config.model_type());
                let kind = kind.clone().map(|kind| Found::new(kind, Confidence::High, *evidence));
                return Some(known((*evidence).to_owned(), task.or(kind)));
            }
        }
        let config = Config::read(&self.text(contents, "config.json")?)?;
        let evidence = match config.subject() {
            "" => "config.json".to_owned(),
            subject => format!("config.json of {subject}"),
        };
        Some(known(evidence, config.model_type()))
    }

    fn checkpoint(&self) -> Option<Recognition> {
        let is_one = self.has("checkpoint")
            && self.names.iter().any(|name| name.ends_with(".index"))
            && self.names.iter().any(|name| name.contains(".data-0"));
        let evidence = "a checkpoint with its index and data";
        is_one.then(|| {
            Recognition::new(Format::TfCheckpoint, Confidence::High, evidence).framework(
                Framework::Tensorflow,
                Confidence::High,
                evidence,
            )
        })
    }
}

/// What the first file with a framework is; less sure where others are of another.
fn by_files(files: &[(String, Recognition)]) -> Option<Recognition> {
    let (name, first) =
        files.iter().find(|(_, file)| file.framework.as_ref().is_some_and(Found::is_sure))?;
    let framework = first.framework.clone()?;
    let differs = files.iter().filter_map(|(other, file)| Some((other, file.framework.as_ref()?)));
    let mut differs = differs.filter(|(_, of)| of.is_sure() && of.value != framework.value);
    let (confidence, evidence) = match differs.next() {
        None => (framework.confidence, format!("{name}: {}", framework.evidence)),
        Some((other, of)) => (
            Confidence::Low,
            format!("{name} is of {}, but {other} of {}", framework.value, of.value),
        ),
    };
    Some(Recognition {
        format: Found {
            evidence: format!("{name}: {}", first.format.evidence),
            ..first.format.clone()
        },
        framework: Some(Found { confidence, evidence, ..framework }),
        model_type: first
            .model_type
            .clone()
            .map(|found| Found { evidence: format!("{name}: {}", found.evidence), ..found }),
        // Faults are told of the files that have them.
        fault: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shelf(Vec<(&'static str, &'static str)>);

    impl Contents for Shelf {
        fn names(&self) -> Vec<&str> {
            self.0.iter().map(|(name, _)| *name).collect()
        }

        fn text(&self, name: &str) -> Option<Vec<u8>> {
            let (_, text) = self.0.iter().find(|(known, _)| *known == name)?;
            Some(text.as_bytes().to_vec())
        }
    }

    fn folder(files: &[(&'static str, &'static str)]) -> Option<Recognition> {
        recognise_folder(&Shelf(files.to_vec()), &[])
    }

    #[test]
    fn a_transformers_folder_is_known_by_its_configuration() {
        let config = r#"{"architectures":["BertForMaskedLM"],"model_type":"bert"}"#;
        for name in ["config.json", "bert/config.json"] {
            let weights = if name == "config.json" { "model.safetensors" } else { "bert/w.bin" };
            let found = folder(&[(name, config), (weights, "")]).unwrap();
            assert_eq!(found.framework.unwrap().value, Framework::Huggingface);
            let kind = found.model_type.unwrap();
            assert_eq!(kind.value, ModelType::MaskedLm);
            assert_eq!(kind.evidence, "the architecture BertForMaskedLM");
        }
        assert_eq!(folder(&[("config.json", "{\"lr\": 1}")]), None);
    }

    #[test]
    fn diffusers_adapters_and_sentence_transformers_are_hugging_faces() {
        for (name, text, kind) in [
            ("model_index.json", "{\"_class_name\":\"X\"}", None),
            ("adapter_config.json", "{\"task_type\":\"CAUSAL_LM\"}", Some(ModelType::CausalLm)),
            ("modules.json", "[]", Some(ModelType::Nlp)),
        ] {
            let found = folder(&[(name, text)]).unwrap();
            assert_eq!(found.framework.unwrap().value, Framework::Huggingface, "{name}");
            assert_eq!(found.model_type.map(|found| found.value), kind, "{name}");
        }
    }

    #[test]
    fn a_saved_model_is_tensorflows() {
        let whole = folder(&[("saved_model.pb", ""), ("variables/variables.index", "")]).unwrap();
        let framework = whole.framework.unwrap();
        assert_eq!(
            (framework.value, framework.confidence),
            (Framework::Tensorflow, Confidence::High)
        );
        let served = folder(&[("1/saved_model.pb", ""), ("2/saved_model.pb", "")]).unwrap();
        assert_eq!(served.framework.unwrap().confidence, Confidence::Medium);
        let checkpoint =
            folder(&[("checkpoint", ""), ("m.index", ""), ("m.data-00000-of-00001", "")]).unwrap();
        assert_eq!(checkpoint.format.value, Format::TfCheckpoint);
    }

    fn file(name: &str, framework: Framework) -> (String, Recognition) {
        let found = Recognition::new(Format::Pickle, Confidence::High, "a test").framework(
            framework,
            Confidence::High,
            "a test",
        );
        (name.to_owned(), found)
    }

    #[test]
    fn otherwise_the_weights_speak_and_a_contradiction_decides_nothing() {
        let shelf = Shelf(vec![("a.pt", ""), ("b.pkl", "")]);
        let one = [file("a.pt", Framework::Pytorch), file("c.pt", Framework::Pytorch)];
        let found = recognise_folder(&shelf, &one).unwrap().framework.unwrap();
        assert_eq!((found.value.clone(), found.is_sure()), (Framework::Pytorch, true));
        assert_eq!(found.evidence, "a.pt: a test");
        let two = [file("a.pt", Framework::Pytorch), file("b.pkl", Framework::Sklearn)];
        let found = recognise_folder(&shelf, &two).unwrap().framework.unwrap();
        assert!(!found.is_sure(), "{found:?}");
        assert_eq!(found.evidence, "a.pt is of pytorch, but b.pkl of sklearn");
    }

    #[test]
    fn weights_of_hugging_face_take_their_kind_from_the_configuration_beside() {
        let config = br#"{"architectures":["LlamaForCausalLM"],"model_type":"llama"}"#;
        let found = type_beside("model-00001-of-00002.safetensors", config).unwrap();
        assert_eq!(found.value, ModelType::CausalLm);
        assert_eq!(found.evidence, "config.json beside it: the architecture LlamaForCausalLM");
        assert_eq!(type_beside("mine.safetensors", config), None);
    }
}
