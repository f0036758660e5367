//! safetensors: eight bytes of length, a JSON header with every tensor's place, then the tensors.
//! The header says how long the file must be.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Confidence, Fault, Format, Recognition, Sample};
use crate::schema::model::Framework;

/// The longest header that the format allows, in bytes.
const HEADER_MOST: u64 = 100_000_000;

/// The header's length, where the first bytes are those of such a file.
pub(super) fn header_length(head: &[u8]) -> Option<u64> {
    let length = u64::from_le_bytes(*head.first_chunk::<8>()?);
    (head.get(8) == Some(&b'{') && (2..=HEADER_MOST).contains(&length)).then_some(length)
}

pub(super) fn recognise(sample: &Sample) -> Option<Recognition> {
    let is_named = sample.extension() == "safetensors";
    let length = header_length(&sample.head)?;
    let known = |fault| {
        Recognition::new(Format::Safetensors, Confidence::Medium, "its beginning and its name")
            .fault(fault)
    };
    if length.saturating_add(8) > sample.size {
        let fault = format!("its header alone should have {length} bytes");
        return is_named.then(|| known(Some(Fault::Truncated(fault))));
    }
    let end = usize::try_from(length + 8).ok()?;
    let Some(text) = sample.head.get(8..end) else {
        // A header beyond what is read for a look.
        return is_named.then(|| known(None));
    };
    let header: Header = match serde_json::from_slice(text) {
        Ok(header) => header,
        Err(error) => {
            let fault = Fault::Malformed(format!("its header cannot be read: {error}"));
            return is_named.then(|| known(Some(fault)));
        }
    };
    let plural = if header.tensors == 1 { "" } else { "s" };
    let tensors = format!("a header of {} tensor{plural}", header.tensors);
    let recognition = Recognition::new(Format::Safetensors, Confidence::High, tensors);
    let expected = header.end.saturating_add(length + 8);
    Some(with_framework(recognition, &header).fault(difference(expected, sample.size)))
}

/// A file that only its name makes one: no loader takes it.
pub(super) fn by_name(sample: &Sample) -> Option<Recognition> {
    if sample.extension() != "safetensors" {
        return None;
    }
    let fault = if sample.size < 8 {
        Fault::Truncated(format!(
            "it ends after {} of the 8 bytes of its header's length",
            sample.size
        ))
    } else {
        Fault::Malformed("it does not begin with a header of the form".to_owned())
    };
    let evidence = "the ending .safetensors alone";
    Some(Recognition::new(Format::Safetensors, Confidence::Low, evidence).fault(Some(fault)))
}

fn difference(expected: u64, size: u64) -> Option<Fault> {
    match size.cmp(&expected) {
        std::cmp::Ordering::Less => Some(Fault::Truncated(format!(
            "it has {size} of the {expected} bytes that its header tells of"
        ))),
        std::cmp::Ordering::Greater => Some(Fault::Malformed(format!(
            "it has {size} bytes, and its header tells of {expected}"
        ))),
        std::cmp::Ordering::Equal => None,
    }
}

fn with_framework(recognition: Recognition, header: &Header) -> Recognition {
    if let Some(format) = &header.format {
        let framework = match format.as_str() {
            "pt" => Framework::Pytorch,
            "tf" => Framework::Tensorflow,
            "flax" | "jax" | "mlx" | "np" | "numpy" | "paddle" => Framework::Other,
            _ => return recognition,
        };
        let evidence = format!("its metadata has format = {format}");
        return recognition.framework(framework, Confidence::High, evidence);
    }
    // The names that PyTorch gives to the tensors of its layers; other libraries say `kernel`.
    if header.tensors > 0 && header.torch_names * 2 > header.tensors {
        let evidence = format!(
            "{} of {} tensors have names that PyTorch gives, such as {}",
            header.torch_names, header.tensors, header.example
        );
        return recognition.framework(Framework::Pytorch, Confidence::Medium, evidence);
    }
    recognition
}

/// What is kept of a header, however many tensors it has.
#[derive(Debug, Default)]
struct Header {
    format: Option<String>,
    tensors: usize,
    /// The end of the last tensor, in bytes from the header's end.
    end: u64,
    torch_names: usize,
    example: String,
}

#[derive(Deserialize)]
struct Tensor {
    data_offsets: [u64; 2],
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tensors by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == "__metadata__" {
                header.format = map.next_value::<Metadata>()?.0;
                continue;
            }
            let tensor: Tensor = map.next_value()?;
            header.tensors += 1;
            header.end = header.end.max(tensor.data_offsets[1]);
            if [".weight", ".bias", ".running_mean"].iter().any(|ending| name.ends_with(ending)) {
                header.torch_names += 1;
                if header.example.is_empty() {
                    header.example = name.into_owned();
                }
            }
        }
        Ok(header)
    }
}

/// The one entry of the metadata that counts; some trainers keep megabytes beside it.
struct Metadata(Option<String>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut format = None;
                while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    if name == "format" {
                        format = Some(map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Metadata(format))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, header: &str, data: usize) -> Sample {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(bytes.len() + data, 0);
        Sample::new(name, &bytes)
    }

    const TENSOR: &str = r#""encoder.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}"#;

    #[test]
    fn the_metadata_names_the_framework() {
        for (format, framework) in [
            ("pt", Framework::Pytorch),
            ("tf", Framework::Tensorflow),
            ("flax", Framework::Other),
            ("mlx", Framework::Other),
        ] {
            let header = format!(r#"{{"__metadata__":{{"x":"y","format":"{format}"}},{TENSOR}}}"#);
            let found = recognise(&file("m", &header, 16)).unwrap();
            assert_eq!(found.fault, None);
            assert_eq!(found.format.evidence, "a header of 1 tensor");
            let framework_found = found.framework.unwrap();
            assert_eq!(framework_found.value, framework, "{format}");
            assert_eq!(framework_found.evidence, format!("its metadata has format = {format}"));
        }
    }

    #[test]
    fn without_metadata_the_tensors_names_tell_pytorch() {
        let found = recognise(&file("m", &format!("{{{TENSOR}}}"), 16)).unwrap();
        let framework = found.framework.unwrap();
        assert_eq!(
            (framework.value, framework.confidence),
            (Framework::Pytorch, Confidence::Medium)
        );
        let header = r#"{"dense/kernel":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        assert_eq!(recognise(&file("m", header, 4)).unwrap().framework, None);
    }

    #[test]
    fn the_header_tells_how_long_the_file_must_be() {
        let header = format!("{{{TENSOR}}}");
        for (data, truncated) in [(15, true), (0, true), (17, false)] {
            let fault = recognise(&file("m", &header, data)).unwrap().fault.unwrap();
            assert_eq!(matches!(fault, Fault::Truncated(_)), truncated, "{fault:?}");
        }
    }

    #[test]
    fn a_file_that_ends_in_its_header_is_known_by_its_name() {
        let mut cut = file("m.safetensors", &format!("{{{TENSOR}}}"), 16);
        cut.head.truncate(20);
        cut.size = 20;
        let found = recognise(&cut).unwrap();
        assert!(matches!(found.fault, Some(Fault::Truncated(_))), "{found:?}");
        cut.name = "m.bin".to_owned();
        assert_eq!(recognise(&cut), None);
    }

    #[test]
    fn a_file_of_that_name_and_of_no_form_is_damaged() {
        let fault = |bytes: &[u8]| by_name(&Sample::new("m.safetensors", bytes)).unwrap().fault;
        assert!(matches!(fault(b"1234567"), Some(Fault::Truncated(_))));
        assert!(matches!(fault(b"\xff\xff\xff\xff\xff\xff\xff\xff{}"), Some(Fault::Malformed(_))));
        assert_eq!(by_name(&Sample::new("m.bin", b"1234567")), None);
    }

    #[test]
    fn a_header_that_is_no_json_is_malformed() {
        let found = recognise(&file("m.safetensors", "{\"a\":1}", 0)).unwrap();
        assert!(matches!(found.fault, Some(Fault::Malformed(_))), "{found:?}");
    }
}
