//! ONNX: a message of protobuf without a mark of its own. It is known by fields that are as
//! `ModelProto` has them, from the first byte to the last that is here; the name settles what is
//! left open.

use super::sample::Bytes;
use super::{Confidence, Fault, Format, Recognition, Sample};
use crate::schema::model::Framework;

/// The fields of `ModelProto` that are texts or messages: producer, domain, doc, graph, opset, ….
const MESSAGES: [u64; 10] = [2, 3, 4, 6, 7, 8, 14, 20, 25, 26];
const GRAPH: u64 = 7;
const OPSET: u64 = 8;

pub(super) fn recognise(sample: &Sample) -> Option<Recognition> {
    let is_named = sample.extension() == "onnx";
    let model = Model::read(sample)?;
    let is_plain = model.version && (model.graph || model.opset);
    if !is_plain {
        return None;
    }
    let evidence = match &model.producer {
        Some(producer) => format!("fields of ONNX, and the producer {producer}"),
        None => "fields of ONNX".to_owned(),
    };
    let is_sure = model.graph && (is_named || model.producer.is_some());
    if !is_named && !is_sure {
        return None;
    }
    let confidence = if is_sure { Confidence::High } else { Confidence::Medium };
    let fault = model.overruns.filter(|_| is_named).map(|end| {
        Fault::Truncated(format!("it has {} of the {end} bytes that it should have", sample.size))
    });
    Some(
        Recognition::new(Format::Onnx, confidence, evidence.clone())
            .framework(Framework::Onnx, confidence, evidence)
            .fault(fault),
    )
}

#[derive(Debug, Default)]
struct Model {
    version: bool,
    producer: Option<String>,
    graph: bool,
    opset: bool,
    /// The place where a field should end that ends behind the file.
    overruns: Option<u64>,
}

impl Model {
    /// Reads the top fields as far as they are here; none that does not belong may be among them.
    fn read(sample: &Sample) -> Option<Self> {
        let mut bytes = Bytes::new(&sample.head);
        let mut model = Self::default();
        while bytes.at < sample.head.len() {
            let tag = bytes.varint()?;
            let (field, wire) = (tag >> 3, tag & 7);
            match (field, wire) {
                // ir_version, which has reached 13.
                (1, 0) => model.version = (1..=20).contains(&bytes.varint()?),
                // model_version
                (5, 0) => {
                    bytes.varint()?;
                }
                (field, 2) if MESSAGES.contains(&field) => {
                    let length = bytes.varint()?;
                    model.graph |= field == GRAPH;
                    model.opset |= field == OPSET;
                    let Some(content) = bytes.take(length) else {
                        let end = (bytes.at as u64).checked_add(length)?;
                        model.overruns = (end > sample.size).then_some(end);
                        break;
                    };
                    if field == 2 && !content.is_empty() {
                        model.producer = Some(std::str::from_utf8(content).ok()?.to_owned());
                    }
                }
                _ => return None,
            }
        }
        Some(model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[u8] =
        b"\x08\x0a\x12\x07pytorch\x1a\x032.5\x3a\x04\x0a\x02ab\x42\x04\x0a\x00\x10\x15";

    #[test]
    fn a_producer_and_a_graph_need_no_name() {
        let found = recognise(&Sample::new("model", SMALL)).unwrap();
        let framework = found.framework.unwrap();
        assert_eq!((framework.value, framework.confidence), (Framework::Onnx, Confidence::High));
        assert_eq!(framework.evidence, "fields of ONNX, and the producer pytorch");
        assert_eq!(found.fault, None);
    }

    #[test]
    fn without_a_producer_the_name_settles_it() {
        let bytes = b"\x08\x07\x3a\x04\x0a\x02ab\x42\x04\x0a\x00\x10\x15";
        assert_eq!(recognise(&Sample::new("model.pb", bytes)), None);
        assert!(recognise(&Sample::new("model.onnx", bytes)).is_some());
    }

    #[test]
    fn a_graph_that_ends_behind_the_file_is_cut_off() {
        let cut = Sample::new("m.onnx", &SMALL[..SMALL.len() - 10]);
        let found = recognise(&cut).unwrap();
        assert!(matches!(found.fault, Some(Fault::Truncated(_))), "{found:?}");
    }

    #[test]
    fn other_messages_are_not_taken_for_it() {
        for bytes in
            [&b"\x08\x01\x10\x02"[..], b"\x08\x63\x3a\x00\x42\x00", b"weights", b"", b"\x0a\x01a"]
        {
            assert_eq!(recognise(&Sample::new("m.onnx", bytes)), None, "{bytes:?}");
        }
    }
}
