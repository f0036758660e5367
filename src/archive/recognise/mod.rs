//! What a model file is, by its content: the format, the framework and the kind of model in the
//! API's words, each with the evidence for it. Pure functions over a file's first and last bytes;
//! nothing is executed, unpacked or decoded whole. Content beats the name; a name alone is a guess.

mod folder;
mod gguf;
mod hdf5;
mod huggingface;
mod onnx;
mod opcodes;
mod other;
mod pickle;
mod safetensors;
mod sample;
mod zip;

use std::fmt;

pub use folder::{Contents, recognise_folder, type_beside};
pub(in crate::archive) use hdf5::start as hdf5_start;
pub(in crate::archive) use huggingface::Config;
pub(in crate::archive) use opcodes::{End, Import, PickleWalk};
pub(in crate::archive) use pickle::TORCH_LEGACY;
pub(in crate::archive) use sample::Bytes;
pub use sample::Sample;

use crate::schema::model::{Framework, ModelType};

/// The form in which a model is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Safetensors,
    Gguf,
    Ggml,
    Onnx,
    Hdf5,
    /// Keras 2, in HDF5.
    KerasHdf5,
    /// Keras 3, a zip.
    Keras,
    PytorchZip,
    Torchscript,
    PytorchLegacy,
    Pickle,
    Joblib,
    Numpy,
    Npz,
    Skops,
    SavedModel,
    TfCheckpoint,
    Tflite,
    Catboost,
    Lightgbm,
    Xgboost,
    /// A folder of the Hugging Face libraries.
    Huggingface,
    /// An archive of something else.
    Zip,
}

impl Format {
    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Gguf => "gguf",
            Self::Ggml => "ggml",
            Self::Onnx => "onnx",
            Self::Hdf5 => "hdf5",
            Self::KerasHdf5 => "keras-hdf5",
            Self::Keras => "keras",
            Self::PytorchZip => "pytorch-zip",
            Self::Torchscript => "torchscript",
            Self::PytorchLegacy => "pytorch-legacy",
            Self::Pickle => "pickle",
            Self::Joblib => "joblib",
            Self::Numpy => "numpy",
            Self::Npz => "npz",
            Self::Skops => "skops",
            Self::SavedModel => "tensorflow-saved-model",
            Self::TfCheckpoint => "tensorflow-checkpoint",
            Self::Tflite => "tflite",
            Self::Catboost => "catboost",
            Self::Lightgbm => "lightgbm",
            Self::Xgboost => "xgboost",
            Self::Huggingface => "huggingface",
            Self::Zip => "zip",
        }
    }
}

/// How sure something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A name and nothing more: worth a proposal, never a decision.
    Low,
    /// The content fits and could be something else's.
    Medium,
    /// The content says so.
    High,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// A conclusion with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    pub value: T,
    pub confidence: Confidence,
    /// A fragment for people: `its metadata has format = pt`.
    pub evidence: String,
}

impl<T> Found<T> {
    fn new(value: T, confidence: Confidence, evidence: impl Into<String>) -> Self {
        Self { value, confidence, evidence: evidence.into() }
    }

    /// Whether it may be used without asking.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.confidence > Confidence::Low
    }
}

/// What is wrong with a file that is of a known format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Bytes are missing at its end.
    Truncated(String),
    /// Its own parts contradict each other.
    Malformed(String),
}

/// What a file or folder turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognition {
    pub format: Found<Format>,
    pub framework: Option<Found<Framework>>,
    pub model_type: Option<Found<ModelType>>,
    pub fault: Option<Fault>,
}

impl Recognition {
    fn new(format: Format, confidence: Confidence, evidence: impl Into<String>) -> Self {
        Self {
            format: Found::new(format, confidence, evidence),
            framework: None,
            model_type: None,
            fault: None,
        }
    }

    fn framework(
        mut self,
        framework: Framework,
        confidence: Confidence,
        evidence: impl Into<String>,
    ) -> Self {
        self.framework = Some(Found::new(framework, confidence, evidence));
        self
    }

    fn model_type(mut self, found: Option<Found<ModelType>>) -> Self {
        self.model_type = found;
        self
    }

    fn fault(mut self, fault: Option<Fault>) -> Self {
        self.fault = fault;
        self
    }
}

/// Whether a content is, by its first bytes, of a form without code that no loader unpickles.
pub(in crate::archive) fn is_weights_format(head: &[u8]) -> bool {
    let is_marked = other::has_mark(head);
    is_marked || head.starts_with(b"GGUF") || safetensors::header_length(head).is_some()
}

/// Recognises one file.
#[must_use]
pub fn recognise(sample: &Sample) -> Option<Recognition> {
    // Marks that cannot be mistaken come first; forms without one last.
    const TESTS: [fn(&Sample) -> Option<Recognition>; 8] = [
        gguf::recognise,
        hdf5::recognise,
        zip::recognise,
        safetensors::recognise,
        pickle::recognise,
        other::recognise,
        onnx::recognise,
        safetensors::by_name,
    ];
    TESTS.iter().find_map(|test| test(sample)).or_else(|| other::guess(&sample.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_beats_the_name() {
        let pickle = Sample::new("model.safetensors", b"\x80\x04\x95\x02\0\0\0\0\0\0\0N.");
        assert_eq!(recognise(&pickle).unwrap().format.value, Format::Pickle);
        let gguf = Sample::new("model.bin", b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(recognise(&gguf).unwrap().format.value, Format::Gguf);
    }

    #[test]
    fn a_name_alone_is_a_guess_and_decides_nothing() {
        let guess = recognise(&Sample::new("model.pt", b"weights")).unwrap();
        let framework = guess.framework.unwrap();
        assert_eq!(framework.value, Framework::Pytorch);
        assert!(!framework.is_sure(), "{framework:?}");
        assert_eq!(recognise(&Sample::new("weights", b"weights")), None);
    }

    #[test]
    fn nothing_that_is_cut_off_anywhere_stops_the_recognition() {
        let whole: &[&[u8]] = &[
            b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0name\x08\0\0\0",
            b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"PK\x03\x04\x14\0\0\0PK\x05\x06\0\0\0\0\x01\0\x01\0\x2e\0\0\0\0\0\0\0\0\0",
            b"\x20\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            b"\x80\x04\x95\x20\0\0\0\0\0\0\0\x8c\x07sklearn\x94\x8c\x01A\x94\x93\x94h\0h\x01\x93.",
            b"\x08\x07\x12\x07pytorch\x3a\x02\x08\x01\x42\x02\x08\x01",
        ];
        for bytes in whole {
            for end in 0..=bytes.len() {
                for name in ["m", "m.safetensors", "m.onnx", "m.pkl", "m.gguf"] {
                    let _ = recognise(&Sample::new(name, &bytes[..end]));
                }
            }
        }
    }
}
