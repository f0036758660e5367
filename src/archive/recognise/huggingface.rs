//! What the configuration of a Hugging Face model says: its architecture, by whose name the kind of
//! model is known.

use serde::Deserialize;

use super::{Confidence, Found};
use crate::schema::model::ModelType;

/// How the names of classes end in the libraries, and what these do.
const CLASSES: [(&str, ModelType); 21] = [
    ("ForSequenceClassification", ModelType::TextClassification),
    ("ForTokenClassification", ModelType::Nlp),
    ("ForMultipleChoice", ModelType::Nlp),
    ("ForNextSentencePrediction", ModelType::Nlp),
    ("ForQuestionAnswering", ModelType::QuestionAnswering),
    ("ForMaskedLM", ModelType::MaskedLm),
    ("ForCausalLM", ModelType::CausalLm),
    ("LMHeadModel", ModelType::CausalLm),
    ("ForSeq2SeqLM", ModelType::Seq2seqLm),
    ("ForImageClassification", ModelType::ImageClassification),
    ("ForImageClassificationWithTeacher", ModelType::ImageClassification),
    ("ForSemanticSegmentation", ModelType::ImageSegmentation),
    ("ForInstanceSegmentation", ModelType::ImageSegmentation),
    ("ForUniversalSegmentation", ModelType::ImageSegmentation),
    ("ForImageSegmentation", ModelType::ImageSegmentation),
    ("ForObjectDetection", ModelType::ObjectDetection),
    ("ForVideoClassification", ModelType::VideoClassification),
    ("ForAudioClassification", ModelType::AudioClassification),
    ("ForKeypointDetection", ModelType::KeypointDetection),
    ("ForPoseEstimation", ModelType::KeypointDetection),
    ("MarianMTModel", ModelType::Seq2seqLm),
];
/// Families whose `ForConditionalGeneration` turns a text into a text; others take pictures or sound.
const TEXT_TO_TEXT: [&str; 15] = [
    "t5",
    "mt5",
    "umt5",
    "longt5",
    "switch_transformers",
    "bart",
    "mbart",
    "pegasus",
    "pegasus_x",
    "led",
    "m2m_100",
    "blenderbot",
    "prophetnet",
    "plbart",
    "bigbird_pegasus",
];
/// Families that predict series.
const SERIES: [&str; 6] =
    ["time_series_transformer", "informer", "autoformer", "patchtst", "patchtsmixer", "timesfm"];

/// The part of `config.json` or `adapter_config.json` that counts.
#[derive(Debug, Default, Deserialize)]
pub(in crate::archive) struct Config {
    #[serde(default)]
    pub architectures: Option<Vec<String>>,
    #[serde(default)]
    pub model_type: Option<String>,
    /// Of an adapter.
    #[serde(default)]
    pub task_type: Option<String>,
}

impl Config {
    /// The configuration of a model of these libraries, and of nothing else that is called so.
    pub fn read(text: &[u8]) -> Option<Self> {
        let config: Self = serde_json::from_slice(text).ok()?;
        let is_one = config.architectures.is_some() || config.model_type.is_some();
        (is_one || config.task_type.is_some()).then_some(config)
    }

    /// What it is, for people: `BertForMaskedLM`, else the family.
    pub fn subject(&self) -> &str {
        let class = self.architectures.as_ref().and_then(|classes| classes.first());
        class.or(self.model_type.as_ref()).or(self.task_type.as_ref()).map_or("", String::as_str)
    }

    pub fn model_type(&self) -> Option<Found<ModelType>> {
        let family = self.model_type.as_deref().unwrap_or_default();
        match self.architectures.as_deref() {
            Some([class]) => type_of_class(class, family),
            Some(_) => None,
            None => self.task_type.as_deref().and_then(type_of_task),
        }
    }
}

/// What a class of the libraries does, by its name.
pub(super) fn type_of_class(class: &str, family: &str) -> Option<Found<ModelType>> {
    // The same classes exist for TensorFlow and Flax, with a prefix.
    let known = CLASSES.iter().find(|(ending, _)| class.ends_with(ending)).map(|(_, kind)| kind);
    let kind = known.cloned().or_else(|| {
        if class.ends_with("ForConditionalGeneration") && TEXT_TO_TEXT.contains(&family) {
            return Some(ModelType::Seq2seqLm);
        }
        (class.ends_with("ForPrediction") && SERIES.contains(&family))
            .then_some(ModelType::TimeSeries)
    })?;
    Some(Found::new(kind, Confidence::High, format!("the architecture {class}")))
}

fn type_of_task(task: &str) -> Option<Found<ModelType>> {
    let kind = match task {
        "CAUSAL_LM" => ModelType::CausalLm,
        "SEQ_2_SEQ_LM" => ModelType::Seq2seqLm,
        "SEQ_CLS" => ModelType::TextClassification,
        "TOKEN_CLS" => ModelType::Nlp,
        "QUESTION_ANS" => ModelType::QuestionAnswering,
        _ => return None,
    };
    Some(Found::new(kind, Confidence::High, format!("the adapter's task {task}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(config: &str) -> Option<ModelType> {
        Config::read(config.as_bytes()).unwrap().model_type().map(|found| found.value)
    }

    #[test]
    fn the_architecture_tells_what_a_model_does() {
        for (class, family, expected) in [
            ("BertForSequenceClassification", "bert", Some(ModelType::TextClassification)),
            ("TFBertForMaskedLM", "bert", Some(ModelType::MaskedLm)),
            ("GPT2LMHeadModel", "gpt2", Some(ModelType::CausalLm)),
            ("LlamaForCausalLM", "llama", Some(ModelType::CausalLm)),
            ("ViTForImageClassification", "vit", Some(ModelType::ImageClassification)),
            ("T5ForConditionalGeneration", "t5", Some(ModelType::Seq2seqLm)),
            ("WhisperForConditionalGeneration", "whisper", None),
            ("InformerForPrediction", "informer", Some(ModelType::TimeSeries)),
            ("BertModel", "bert", None),
        ] {
            let config = format!(r#"{{"architectures":["{class}"],"model_type":"{family}"}}"#);
            assert_eq!(kind(&config), expected, "{class}");
        }
        assert_eq!(kind(r#"{"task_type":"SEQ_CLS"}"#), Some(ModelType::TextClassification));
        assert_eq!(kind(r#"{"architectures":["AForMaskedLM","BForCausalLM"]}"#), None);
    }

    #[test]
    fn other_files_called_config_are_not_taken_for_it() {
        for text in ["{}", "{\"lr\":1}", "[]", "no json", "{\"model_type\":7}"] {
            assert!(Config::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
