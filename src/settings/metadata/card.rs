//! A model card: what the front matter of a `README.md` says of a model, in the API's words. Only
//! keys whose meaning is fixed are taken, and of their values only those that have such a word.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use super::fields::FieldRow;
use super::front_matter::{Node, parse};
use super::layer::{FieldOrigin, Layer};
use crate::base::file::open_regular;
use crate::base::plain_text::{InvalidText, decode_text};
use crate::schema::model::{Framework, ModelType};

/// The most that is read of a card, in bytes; the front matter stands at its beginning.
const CARD_MOST: u64 = 256 * 1024;

/// Reads a model card; an empty layer where there is none, or one without front matter.
#[must_use]
pub fn card_layer(path: &Path) -> Layer {
    let mut text = Vec::new();
    let read = open_regular(path).and_then(|file| file.take(CARD_MOST).read_to_end(&mut text));
    match read {
        Ok(_) => match decode_card(&text) {
            Ok(markdown) => layer(&markdown, path),
            Err(error) => unread_layer(path, &error),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Layer::default(),
        Err(error) => unread_layer(path, &error),
    }
}

/// Decodes the beginning of a card. Its body may hold anything, and may be cut inside a character.
fn decode_card(bytes: &[u8]) -> Result<Cow<'_, str>, InvalidText> {
    let is_utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    if is_utf16 {
        return decode_text(&bytes[..bytes.len() - bytes.len() % 2]);
    }
    Ok(String::from_utf8_lossy(bytes))
}

fn unread_layer(path: &Path, error: &dyn std::fmt::Display) -> Layer {
    let mut layer = Layer::default();
    layer.warnings.push(format!("{} is not read as a model card: {error}", path.display()));
    layer
}

fn layer(markdown: &str, path: &Path) -> Layer {
    let mut layer = Layer::default();
    let mut set = |name: &str, text: String, key: &str| {
        if let Some(row) = FieldRow::named(name) {
            layer.set(row, text, FieldOrigin::Card(path.to_owned(), key.to_owned()));
        }
    };
    for (key, node) in parse(markdown) {
        match (key.as_str(), node) {
            ("library_name", Node::Scalar(library)) => {
                if let Some(framework) = framework_of(&library) {
                    set("framework", framework.to_string(), &key);
                }
            }
            ("pipeline_tag", Node::Scalar(tag)) => {
                if let Some(kind) = model_type_of(&tag) {
                    set("model_type", kind.to_string(), &key);
                }
            }
            ("model_name", Node::Scalar(name)) => set("name", name, &key),
            ("description", Node::Scalar(text)) => set("description", text, &key),
            // The API splits at commas.
            ("tags", Node::List(tags)) => {
                let tags: Vec<String> = tags.into_iter().filter(|tag| !tag.contains(',')).collect();
                set("tags", tags.join(","), &key);
            }
            _ => {}
        }
    }
    layer
}

/// The API's word for a library of the Hugging Face Hub.
fn framework_of(library: &str) -> Option<Framework> {
    Some(match library.to_lowercase().as_str() {
        "transformers"
        | "diffusers"
        | "sentence-transformers"
        | "peft"
        | "setfit"
        | "adapter-transformers" => Framework::Huggingface,
        "pytorch" | "torch" | "timm" | "torchvision" | "pytorch-lightning" | "fastai"
        | "stable-baselines3" => Framework::Pytorch,
        "tensorflow" | "tf" | "tflite" => Framework::Tensorflow,
        "keras" | "tf-keras" => Framework::Keras,
        "sklearn" | "scikit-learn" | "skops" => Framework::Sklearn,
        "onnx" | "onnxruntime" => Framework::Onnx,
        "xgboost" | "lightgbm" | "catboost" | "spacy" | "flax" | "jax" | "mlx" | "gguf"
        | "llama.cpp" | "paddlepaddle" => Framework::Other,
        _ => return None,
    })
}

/// The API's word for a task of the Hugging Face Hub.
fn model_type_of(tag: &str) -> Option<ModelType> {
    Some(match tag {
        "text-classification" | "zero-shot-classification" => ModelType::TextClassification,
        "token-classification" | "sentence-similarity" => ModelType::Nlp,
        "question-answering" => ModelType::QuestionAnswering,
        "fill-mask" => ModelType::MaskedLm,
        "text-generation" => ModelType::CausalLm,
        "translation" | "summarization" | "text2text-generation" => ModelType::Seq2seqLm,
        "image-classification" | "zero-shot-image-classification" => ModelType::ImageClassification,
        "image-segmentation" => ModelType::ImageSegmentation,
        "object-detection" | "zero-shot-object-detection" => ModelType::ObjectDetection,
        "video-classification" => ModelType::VideoClassification,
        "keypoint-detection" => ModelType::KeypointDetection,
        "audio-classification" => ModelType::AudioClassification,
        "tabular-classification" => ModelType::TabularClassification,
        "tabular-regression" => ModelType::TabularRegression,
        "time-series-forecasting" => ModelType::TabularTimeSeries,
        "reinforcement-learning" => ModelType::ReinforcementLearning,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cards_words_become_the_apis() {
        let card = "---\nlibrary_name: transformers\npipeline_tag: fill-mask\ntags:\n- a\n- 'b, c'\n- d\nmodel_name: My BERT\nlicense: mit\n---\n";
        let layer = layer(card, Path::new("README.md"));
        for (name, text, origin) in [
            ("framework", "huggingface", "README.md (library_name)"),
            ("model_type", "masked_lm", "README.md (pipeline_tag)"),
            ("tags", "a,d", "README.md (tags)"),
            ("name", "My BERT", "README.md (model_name)"),
        ] {
            let value = layer.get(name).unwrap();
            assert_eq!((value.text.as_str(), value.origin.to_string().as_str()), (text, origin));
        }
    }

    #[test]
    fn words_without_a_counterpart_say_nothing() {
        let layer =
            layer("---\nlibrary_name: my-own\npipeline_tag: text-to-image\n---\n", Path::new("x"));
        assert_eq!((layer.get("framework"), layer.get("model_type")), (None, None));
    }

    #[test]
    fn a_missing_card_is_no_matter_and_a_folder_in_its_place_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(card_layer(&folder.path().join("README.md")).warnings.is_empty());
        assert_eq!(card_layer(folder.path()).warnings.len(), 1);
    }
}
