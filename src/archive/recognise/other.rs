//! Formats with a mark of their own that the API has no word for, and what a name alone lets one
//! guess.

use super::sample::extension;
use super::{Confidence, Format, Recognition, Sample};
use crate::schema::model::Framework;

/// Marks by their place. The libraries behind them are all `other` to the API, except TensorFlow's.
const MARKS: [(usize, &[u8], Format, Framework, &str); 9] = [
    (4, b"TFL3", Format::Tflite, Framework::Tensorflow, "the mark of TensorFlow Lite"),
    (0, b"CBM1", Format::Catboost, Framework::Other, "the mark of CatBoost"),
    (0, b"tree\nversion=", Format::Lightgbm, Framework::Other, "the first lines of LightGBM"),
    (0, b"binf", Format::Xgboost, Framework::Other, "the mark of XGBoost"),
    (0, b"{L\0\0\0\0\0\0\0\x07learner", Format::Xgboost, Framework::Other, "XGBoost's UBJSON"),
    (0, b"{\"learner\":", Format::Xgboost, Framework::Other, "XGBoost's JSON"),
    (0, b"lmgg", Format::Ggml, Framework::Other, "the mark of GGML"),
    (0, b"tjgg", Format::Ggml, Framework::Other, "the mark of GGML"),
    (0, b"fmgg", Format::Ggml, Framework::Other, "the mark of GGML"),
];
const NUMPY: &[u8] = b"\x93NUMPY";

pub(super) fn recognise(sample: &Sample) -> Option<Recognition> {
    if sample.head.starts_with(NUMPY) {
        return Some(numpy(sample));
    }
    let (.., format, framework, evidence) = MARKS
        .iter()
        .find(|(at, mark, ..)| sample.head.get(*at..).is_some_and(|rest| rest.starts_with(mark)))?;
    Some(Recognition::new(*format, Confidence::High, *evidence).framework(
        framework.clone(),
        Confidence::High,
        *evidence,
    ))
}

/// An array; one of objects is a pickle behind its header.
fn numpy(sample: &Sample) -> Recognition {
    let recognition = Recognition::new(Format::Numpy, Confidence::High, "the mark of NumPy");
    let header = &sample.head[..sample.head.len().min(256)];
    if memchr::memmem::find(header, b"'descr': '|O'").is_some() {
        return recognition.runs_code("a pickle");
    }
    recognition
}

/// What the name says, where the content says nothing.
pub(super) fn guess(name: &str) -> Option<Recognition> {
    let ending = extension(name);
    let (format, framework) = match ending.as_str() {
        "pt" | "pth" | "ckpt" => (Format::PytorchZip, Framework::Pytorch),
        "onnx" => (Format::Onnx, Framework::Onnx),
        "keras" => (Format::Keras, Framework::Keras),
        "h5" | "hdf5" => (Format::KerasHdf5, Framework::Keras),
        "joblib" => (Format::Joblib, Framework::Sklearn),
        "pkl" | "pickle" => (Format::Pickle, Framework::Sklearn),
        "tflite" => (Format::Tflite, Framework::Tensorflow),
        "gguf" => (Format::Gguf, Framework::Other),
        _ => return None,
    };
    let evidence = format!("the ending .{ending} alone");
    Some(Recognition::new(format, Confidence::Low, evidence.clone()).framework(
        framework,
        Confidence::Low,
        evidence,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: &[u8]) -> Recognition {
        recognise(&Sample::new("m", content)).unwrap()
    }

    #[test]
    fn marks_are_known_at_their_places() {
        let lite = found(b"\x1c\0\0\0TFL3");
        assert_eq!(lite.framework.unwrap().value, Framework::Tensorflow);
        for mark in [&b"CBM1"[..], b"tree\nversion=v4", b"{\"learner\":{}}", b"lmgg"] {
            assert_eq!(found(mark).framework.unwrap().value, Framework::Other, "{mark:?}");
        }
        assert_eq!(recognise(&Sample::new("m", b"TFL3")), None);
    }

    #[test]
    fn an_array_of_objects_is_a_pickle() {
        let header = |kind| format!("\u{93}NUMPY\x01\0v\0{{'descr': '{kind}', 'fortran_order'");
        // The mark is one byte, not the two of its UTF-8.
        let bytes = |kind| header(kind).into_bytes()[1..].to_vec();
        assert_eq!(found(&bytes("<f4")).runs_code, None);
        assert_eq!(found(&bytes("|O")).runs_code, Some("a pickle"));
    }

    #[test]
    fn guesses_are_of_low_confidence() {
        assert_eq!(guess("a/M.PTH").unwrap().framework.unwrap().confidence, Confidence::Low);
        assert_eq!(guess("m.txt"), None);
    }
}
