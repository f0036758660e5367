//! AI models as the API describes them (`ModelResponse` and its files), with the closed lists of
//! frameworks and model types that its forms take.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A word of a closed list that a later service may have extended: known words are values, an
/// unknown one is kept as it was received.
macro_rules! words {
    ($name:ident, $doc:literal, [$($variant:ident = $word:literal),+ $(,)?]) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($variant,)+
            /// A word that this version does not know; only ever read, never sent.
            Unknown(String),
        }

        impl $name {
            /// Every word, in the order in which the service lists them.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The value of one of the known words.
            #[must_use]
            pub fn known(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                Ok(Self::known(&word).unwrap_or(Self::Unknown(word)))
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            /// Takes known words only: what a person typed is checked before it is sent.
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::known(word).ok_or_else(|| UnknownWord { word: word.to_owned(), known: Self::WORDS })
            }
        }
    };
}

/// A word that stands on no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not one of {}", known.join(", "))]
pub struct UnknownWord {
    pub word: String,
    pub known: &'static [&'static str],
}

words!(
    Framework,
    "The library that a model was made with; the same list in every generation.",
    [
        Pytorch = "pytorch",
        Tensorflow = "tensorflow",
        Sklearn = "sklearn",
        Onnx = "onnx",
        Keras = "keras",
        Huggingface = "huggingface",
        Other = "other",
    ]
);

words!(
    ModelType,
    "What a model does. The first nine words are known to every generation but one short window; the rest only to today's service.",
    [
        Classification = "classification",
        Regression = "regression",
        Clustering = "clustering",
        Nlp = "nlp",
        ComputerVision = "computer_vision",
        Recommendation = "recommendation",
        TimeSeries = "time_series",
        ReinforcementLearning = "reinforcement_learning",
        Other = "other",
        ImageClassification = "image_classification",
        ImageSegmentation = "image_segmentation",
        ObjectDetection = "object_detection",
        VideoClassification = "video_classification",
        KeypointDetection = "keypoint_detection",
        AudioClassification = "audio_classification",
        TextClassification = "text_classification",
        QuestionAnswering = "question_answering",
        CausalLm = "causal_lm",
        Seq2seqLm = "seq2seq_lm",
        MaskedLm = "masked_lm",
        TabularClassification = "tabular_classification",
        TabularRegression = "tabular_regression",
        TabularTimeSeries = "tabular_time_series",
    ]
);

impl ModelType {
    /// Words that every generation knows.
    const EARLY: usize = 9;

    /// All words in the order of today's 422 message: the new ones, then the early ones.
    const TODAY: [&'static str; Self::WORDS.len()] = {
        let mut words = [""; Self::WORDS.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Self::WORDS[(at + Self::EARLY) % words.len()];
            at += 1;
        }
        words
    };

    /// The words of the `form` and `flat` dialects, in the order of their 422 message.
    #[must_use]
    pub fn early_words() -> &'static [&'static str] {
        &Self::WORDS[..Self::EARLY]
    }

    /// The words of the `task` dialect, in the order of its 422 message.
    #[must_use]
    pub fn todays_words() -> &'static [&'static str] {
        &Self::TODAY
    }

    /// The nearest word that every generation knows.
    #[must_use]
    pub fn early(&self) -> Self {
        match self {
            Self::ImageClassification
            | Self::ImageSegmentation
            | Self::ObjectDetection
            | Self::VideoClassification
            | Self::KeypointDetection => Self::ComputerVision,
            Self::TextClassification
            | Self::QuestionAnswering
            | Self::CausalLm
            | Self::Seq2seqLm
            | Self::MaskedLm => Self::Nlp,
            Self::AudioClassification | Self::TabularClassification => Self::Classification,
            Self::TabularRegression => Self::Regression,
            Self::TabularTimeSeries => Self::TimeSeries,
            other => other.clone(),
        }
    }

    /// Whether two words can be true of one model: the same thing, or one of them the more general.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        let classifies = |kind: &Self| kind.as_str().ends_with("classification");
        let general = |a: &Self, b: &Self| *a == Self::Classification && classifies(b);
        let vague = [self, other].iter().any(|kind| **kind == Self::Other);
        self == other
            || vague
            || *self == other.early()
            || *other == self.early()
            || general(self, other)
            || general(other, self)
    }

    /// Whether generations of the service store it under different words.
    #[must_use]
    pub fn has_two_words(&self) -> bool {
        let pairs =
            [Self::Regression, Self::TimeSeries].map(|kind| (kind.clone().normalised(), kind));
        pairs.iter().any(|(stored, sent)| self == stored || self == sent)
    }

    /// The word under which today's service stores this one.
    #[must_use]
    pub fn normalised(self) -> Self {
        match self {
            Self::Regression => Self::TabularRegression,
            Self::TimeSeries => Self::TabularTimeSeries,
            other => other,
        }
    }
}

/// A file of a model, `ModelFile` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// The base name, or in folder uploads the last part of the path.
    pub filename: String,
    /// The storage key, `models/USER/MODEL/VERSION/PATH`.
    pub file_path: String,
    /// Bytes.
    pub file_size: u64,
    /// The extension in lower case, without its dot.
    #[serde(default)]
    pub file_type: String,
    /// MD5 in hexadecimal.
    pub file_hash: String,
    #[serde(default)]
    pub content_type: Option<String>,
    #[serde(default)]
    pub is_primary: bool,
    #[serde(default)]
    pub description: Option<String>,
}

impl ModelFile {
    /// The path below the model's version: what a folder upload called the file.
    #[must_use]
    pub fn relative_path(&self) -> &str {
        let mut parts = self.file_path.splitn(5, '/');
        match (parts.next(), parts.nth(3)) {
            (Some("models"), Some(path)) if !path.is_empty() => path,
            _ => &self.filename,
        }
    }

    /// Whether the storage key has the form from which the path is taken.
    fn has_usual_key(&self) -> bool {
        self.file_path.starts_with("models/") && self.file_path.ends_with(self.relative_path())
    }
}

/// What of a [`ModelFile`] proves it: where it lies, how long it is, and its sum. A fifth of the memory,
/// for records of very many files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Below the model's version.
    pub path: Box<str>,
    /// Bytes.
    pub size: u64,
    md5: [u8; 16],
    /// What only few have.
    odd: Option<Box<Odd>>,
}

/// What does not follow from the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Odd {
    /// The file's own name, where that is not the last part of its path.
    name: Option<String>,
    /// A sum that is no MD5.
    sum: Option<String>,
    /// The storage key, where the path is not its end.
    key: Option<String>,
}

impl From<&ModelFile> for StoredFile {
    fn from(file: &ModelFile) -> Self {
        let path: Box<str> = file.relative_path().into();
        let is_named = path.rsplit('/').next() == Some(file.filename.as_str());
        let md5 = parse_md5(&file.file_hash);
        let odd = Odd {
            name: (!is_named).then(|| file.filename.clone()),
            sum: md5.is_none().then(|| file.file_hash.clone()),
            key: (!file.has_usual_key()).then(|| file.file_path.clone()),
        };
        Self {
            path,
            size: file.file_size,
            md5: md5.unwrap_or_default(),
            odd: (odd != Odd::default()).then(|| Box::new(odd)),
        }
    }
}

impl StoredFile {
    fn odd_sum(&self) -> Option<&str> {
        self.odd.as_ref()?.sum.as_deref()
    }
}

/// Thirty-two hexadecimal digits as bytes.
fn parse_md5(text: &str) -> Option<[u8; 16]> {
    let mut md5 = [0; 16];
    // As bytes: a letter of several could be cut apart.
    let digits = text.as_bytes();
    if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in md5.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(md5)
}

/// A file as a record tells of it, in whatever form.
pub trait RecordedFile {
    /// Below the model's version.
    fn path(&self) -> &str;
    fn base_name(&self) -> &str;
    /// The place of the content in the store: of files with one place the last one is there.
    fn storage_key(&self) -> &str;
    /// Bytes.
    fn size(&self) -> u64;
    fn has_md5(&self, md5: &[u8; 16]) -> bool;
    /// The sum in hexadecimal, as it was told.
    fn sum(&self) -> String;
}

impl RecordedFile for ModelFile {
    fn path(&self) -> &str {
        self.relative_path()
    }

    fn base_name(&self) -> &str {
        &self.filename
    }

    fn storage_key(&self) -> &str {
        &self.file_path
    }

    fn size(&self) -> u64 {
        self.file_size
    }

    fn has_md5(&self, md5: &[u8; 16]) -> bool {
        parse_md5(&self.file_hash).as_ref() == Some(md5)
    }

    fn sum(&self) -> String {
        self.file_hash.clone()
    }
}

impl RecordedFile for StoredFile {
    fn path(&self) -> &str {
        &self.path
    }

    fn base_name(&self) -> &str {
        let own = self.odd.as_ref().and_then(|odd| odd.name.as_deref());
        own.unwrap_or_else(|| self.path.rsplit('/').next().unwrap_or(&self.path))
    }

    fn storage_key(&self) -> &str {
        self.odd.as_ref().and_then(|odd| odd.key.as_deref()).unwrap_or(&self.path)
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn has_md5(&self, md5: &[u8; 16]) -> bool {
        self.odd_sum().is_none() && self.md5 == *md5
    }

    fn sum(&self) -> String {
        let md5 = || self.md5.iter().map(|byte| format!("{byte:02x}")).collect();
        self.odd_sum().map_or_else(md5, str::to_owned)
    }
}

/// A model's record, `ModelResponse` of the API, keys in the service's order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub model_id: String,
    pub user_id: String,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub version: String,
    pub framework: Framework,
    pub model_type: ModelType,
    #[serde(default)]
    pub algorithm: Option<String>,
    #[serde(default)]
    pub files: Vec<ModelFile>,
    #[serde(default)]
    pub primary_file_path: Option<String>,
    #[serde(default)]
    pub input_shape: Option<Vec<i64>>,
    #[serde(default)]
    pub output_shape: Option<Vec<i64>>,
    #[serde(default)]
    pub num_parameters: Option<i64>,
    /// Mebibytes, as the sum of the files' bytes divided by 1024 twice.
    #[serde(default)]
    pub model_size_mb: Option<f64>,
    #[serde(default)]
    pub training_dataset: Option<String>,
    #[serde(default)]
    pub training_accuracy: Option<f64>,
    #[serde(default)]
    pub validation_accuracy: Option<f64>,
    #[serde(default)]
    pub test_accuracy: Option<f64>,
    #[serde(default)]
    pub training_loss: Option<f64>,
    #[serde(default)]
    pub python_version: Option<String>,
    #[serde(default)]
    pub dependencies: Vec<String>,
    #[serde(default)]
    pub hardware_requirements: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub custom_metadata: Map<String, Value>,
    /// As received: naive or with a zone, three to six digits or none (contract, section 1).
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
    #[serde(default = "yes")]
    pub is_active: bool,
    #[serde(default)]
    pub is_production_ready: bool,
}

fn yes() -> bool {
    true
}

impl Model {
    /// The sum of the files' sizes in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.file_size).sum()
    }

    /// `USER/MODEL@VERSION`, the name under which commands speak of it.
    #[must_use]
    pub fn coordinates(&self) -> String {
        format!("{}/{}@{}", self.user_id, self.model_id, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_form_of_a_file_says_the_same() {
        for (path, filename, hash) in [
            ("models/u/m/v1/a/b.bin", "b.bin", "63f4f1e9b725370f459720575cd5f953"),
            ("elsewhere/b.bin", "b.bin", "63F4F1E9B725370F459720575CD5F953"),
            ("models/u/m/v1/a/b.bin", "other", "no sum"),
            (
                "models/u/m/v1/\u{e4}",
                "\u{e4}",
                "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}",
            ),
        ] {
            let file: ModelFile = serde_json::from_value(serde_json::json!({
                "filename": filename, "file_path": path, "file_size": 7, "file_hash": hash,
            }))
            .unwrap();
            let small = StoredFile::from(&file);
            assert_eq!((small.path(), small.base_name()), (file.path(), file.base_name()));
            assert!(small.sum().eq_ignore_ascii_case(&file.sum()) && small.size() == file.size());
            let md5 = *b"\x63\xf4\xf1\xe9\xb7\x25\x37\x0f\x45\x97\x20\x57\x5c\xd5\xf9\x53";
            assert_eq!(small.has_md5(&md5), file.has_md5(&md5));
            assert_eq!(small.has_md5(&md5), hash.len() == 32 && hash.is_ascii());
        }
    }

    #[test]
    fn an_unknown_word_is_kept_on_reading_and_refused_on_writing() {
        let read: Framework = serde_json::from_str("\"jax\"").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"jax\"");
        assert!("jax".parse::<Framework>().is_err());
        assert_eq!("onnx".parse::<Framework>().unwrap(), Framework::Onnx);
    }

    #[test]
    fn todays_list_starts_with_the_new_words_and_ends_with_other() {
        let words = ModelType::todays_words();
        assert_eq!((words[0], words[22], words.len()), ("image_classification", "other", 23));
        let mut sorted = words.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), ModelType::WORDS.len());
    }

    #[test]
    fn every_type_has_a_word_that_each_generation_knows() {
        for word in ModelType::WORDS {
            let kind = ModelType::known(word).unwrap();
            assert!(ModelType::early_words().contains(&kind.early().as_str()), "{word}");
            assert!(kind.agrees(&kind.early()), "{word}");
        }
        let (text, image) = (ModelType::TextClassification, ModelType::ImageClassification);
        assert!(!text.agrees(&image) && !text.agrees(&ModelType::CausalLm));
        assert!(ModelType::Classification.agrees(&image) && ModelType::Other.agrees(&image));
    }

    #[test]
    fn two_words_are_stored_as_others() {
        let stored = |word: &str| ModelType::known(word).unwrap().normalised().to_string();
        assert_eq!(stored("regression"), "tabular_regression");
        assert_eq!(stored("time_series"), "tabular_time_series");
        assert_eq!(stored("classification"), "classification");
        let two: Vec<&str> = ModelType::WORDS
            .iter()
            .copied()
            .filter(|word| ModelType::known(word).unwrap().has_two_words())
            .collect();
        assert_eq!(two, ["regression", "time_series", "tabular_regression", "tabular_time_series"]);
    }

    #[test]
    fn a_files_path_is_what_follows_the_version() {
        let mut file = ModelFile {
            filename: "weights.pkl".into(),
            file_path: "models/u/m/v1/model/weights.pkl".into(),
            file_size: 1,
            file_type: "pkl".into(),
            file_hash: String::new(),
            content_type: None,
            is_primary: true,
            description: None,
        };
        assert_eq!(file.relative_path(), "model/weights.pkl");
        file.file_path = "elsewhere".into();
        assert_eq!(file.relative_path(), "weights.pkl");
    }

    #[test]
    fn a_record_of_another_generation_is_read() {
        let least = r#"{"model_id":"m","user_id":"u","name":"n","version":"v1","framework":"onnx","model_type":"other","later":1}"#;
        let model: Model = serde_json::from_str(least).unwrap();
        assert!(model.is_active && model.files.is_empty());
        assert_eq!(model.coordinates(), "u/m@v1");
    }
}
