//! Formats with a mark of their own that the API has no word for, and what a name alone lets one
//! guess.

use super::sample::{Bytes, extension};
use super::{Confidence, Fault, Format, Recognition, Sample};
use crate::schema::model::Framework;

/// Marks by their place. The libraries behind them are all `other` to the API, except TensorFlow's.
const MARKS: &[Mark] = &[
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
        let recognition = Recognition::new(Format::Numpy, Confidence::High, "the mark of NumPy");
        return Some(recognition.fault(array_fault(sample)));
    }
    let (.., format, framework, evidence) = find_mark(&sample.head)?;
    Some(Recognition::new(*format, Confidence::High, *evidence).framework(
        framework.clone(),
        Confidence::High,
        *evidence,
    ))
}

/// What is missing of an array of a plain kind, by the header's shape.
fn array_fault(sample: &Sample) -> Option<Fault> {
    let is_long = sample.head.get(6).is_some_and(|version| *version > 1);
    let mut bytes = Bytes::new(sample.head.get(8..)?);
    let (length, start) =
        if is_long { (bytes.u32(), 12) } else { (bytes.u16().map(u32::from), 10) };
    let end = length.map(|length| start + u64::from(length));
    let Some(end) = end.filter(|end| *end <= sample.size) else {
        return Some(Fault::Truncated("it ends within its header".to_owned()));
    };
    let header = sample.head.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
    let header = std::str::from_utf8(header).ok()?;
    let needed = end.checked_add(array_length(header)?)?;
    (needed > sample.size).then(|| {
        Fault::Truncated(format!(
            "it has {} of the {needed} bytes that its header announces",
            sample.size
        ))
    })
}

/// Bytes of an array by its header, if its elements are of a plain kind.
fn array_length(header: &str) -> Option<u64> {
    let value = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start());
    let kind = value("descr")?.strip_prefix('\'')?.split('\'').next()?;
    let kind = kind.trim_start_matches(['<', '>', '|', '=']);
    let width: u64 = kind.get(1..)?.parse().ok()?;
    let width = match kind.chars().next()? {
        'b' | 'i' | 'u' | 'f' | 'c' | 'S' | 'V' => width,
        'U' => width.checked_mul(4)?,
        _ => return None,
    };
    let shape = value("shape")?.strip_prefix('(')?.split(')').next()?;
    let mut sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
    sides.try_fold(width, |all, side| all.checked_mul(side.parse().ok()?))
}

type Mark = (usize, &'static [u8], Format, Framework, &'static str);

fn find_mark(head: &[u8]) -> Option<&'static Mark> {
    MARKS.iter().find(|(at, mark, ..)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
}

/// Whether a content begins with one of these marks.
pub(super) fn has_mark(head: &[u8]) -> bool {
    find_mark(head).is_some()
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
    fn an_array_shorter_than_its_shape_is_cut_off() {
        let array = |descr: &str, shape: &str, data: usize| {
            let header =
                format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
            let length = u16::try_from(header.len()).unwrap().to_le_bytes();
            [NUMPY, b"\x01\0", &length[..], header.as_bytes(), &vec![0; data]].concat()
        };
        for (descr, shape, needed) in
            [("<f4", "(2, 3)", 24), ("|u1", "(7,)", 7), ("<U3", "(2,)", 24), ("<f8", "()", 8)]
        {
            assert_eq!(found(&array(descr, shape, needed)).fault, None, "{descr}");
            let cut = found(&array(descr, shape, needed - 1)).fault;
            assert!(matches!(cut, Some(Fault::Truncated(_))), "{descr}");
        }
        assert!(found(&array("<f4", "(2,)", 8)[..30]).fault.is_some());
    }

    #[test]
    fn guesses_are_of_low_confidence() {
        assert_eq!(guess("a/M.PTH").unwrap().framework.unwrap().confidence, Confidence::Low);
        assert_eq!(guess("m.txt"), None);
    }
}
