//! safetensors: eight bytes of length, a JSON header with every tensor's place, then the tensors.
//! The header says how long the file must be.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::{Confidence, Fault, Format, Recognition, Sample};
use crate::schema::model::Framework;

/// The longest header that the format allows, in bytes.
const HEADER_MOST: u64 = 100_000_000;

/// The header's length, if the first bytes are those of such a file.
pub(super) fn header_length(head: &[u8]) -> Option<u64> {
    let length = u64::from_le_bytes(*head.first_chunk::<8>()?);
    let begins = head[8..].trim_ascii_start().first() == Some(&b'{');
    (begins && (2..=HEADER_MOST).contains(&length)).then_some(length)
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
    let fault = match header.data_length() {
        Ok(end) => difference(end.saturating_add(length + 8), sample.size),
        Err(fault) => Some(Fault::Malformed(fault)),
    };
    Some(with_framework(recognition, &header).fault(fault))
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
        Fault::Malformed(match announced_length(&sample.head) {
            Some(length) if length > HEADER_MOST => {
                format!("its header would have {length} bytes, and {HEADER_MOST} are allowed")
            }
            _ => "it does not begin with a header of the form".to_owned(),
        })
    };
    let evidence = "the ending .safetensors alone";
    Some(Recognition::new(Format::Safetensors, Confidence::Low, evidence).fault(Some(fault)))
}

fn announced_length(head: &[u8]) -> Option<u64> {
    head.first_chunk::<8>().map(|length| u64::from_le_bytes(*length))
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
    /// The place of each tensor by its name. As in the reference, the last of equal names counts.
    places: HashMap<String, TensorPlace>,
    torch_names: usize,
    example: String,
}

/// Where a tensor is, in bytes from the header's end, and the bytes that its shape needs.
#[derive(Debug)]
struct TensorPlace {
    start: u64,
    end: u64,
    /// None if the shape is beyond counting, or ends within a byte.
    needed: Option<u64>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: ElementBits,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Tensor {
    fn place(&self) -> TensorPlace {
        let elements = self.shape.iter().try_fold(1_u64, |all, side| all.checked_mul(*side));
        let bits = elements.and_then(|elements| elements.checked_mul(self.dtype.0));
        let needed = bits.filter(|bits| bits.is_multiple_of(8)).map(|bits| bits / 8);
        let (start, end) = self.data_offsets;
        TensorPlace { start, end, needed }
    }
}

/// Bits of an element, by the name of its kind.
struct ElementBits(u64);

impl<'de> Deserialize<'de> for ElementBits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(Self(match &*name {
            "F4" => 4,
            "F6_E2M3" | "F6_E3M2" => 6,
            "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E4M3FNUZ"
            | "F8_E5M2FNUZ" => 8,
            "I16" | "U16" | "F16" | "BF16" => 16,
            "I32" | "U32" | "F32" => 32,
            "I64" | "U64" | "F64" | "C64" => 64,
            other => return Err(D::Error::custom(format!("unknown dtype {other}"))),
        }))
    }
}

impl Header {
    fn add(&mut self, name: String, place: TensorPlace) {
        self.tensors += 1;
        if [".weight", ".bias", ".running_mean"].iter().any(|ending| name.ends_with(ending)) {
            self.torch_names += 1;
            if self.example.is_empty() {
                self.example.clone_from(&name);
            }
        }
        self.places.insert(name, place);
    }

    /// Bytes of all tensors, by the rules of the reference (crate `safetensors`, `Metadata::validate`):
    /// they follow one another from 0 on, without a hole or an overlap, each as long as its shape.
    fn data_length(&self) -> Result<u64, String> {
        let mut places: Vec<(&String, &TensorPlace)> = self.places.iter().collect();
        places.sort_by_key(|(_, place)| (place.start, place.end));
        let mut expected = 0;
        for (name, place) in places {
            let TensorPlace { start, end, needed } = *place;
            if start != expected || end < start {
                return Err(format!(
                    "its tensor {name} has the bytes {start} to {end}, and should begin at {expected}"
                ));
            }
            let needed = needed.ok_or(format!("its tensor {name} has a shape beyond counting"))?;
            if end - start != needed {
                let length = end - start;
                return Err(format!(
                    "its tensor {name} has {length} bytes, and its shape needs {needed}"
                ));
            }
            expected = end;
        }
        Ok(expected)
    }
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
        let mut has_metadata = false;
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if name == "__metadata__" {
                if std::mem::replace(&mut has_metadata, true) {
                    return Err(A::Error::custom("__metadata__ is in it twice"));
                }
                header.format = map.next_value::<Option<Metadata>>()?.and_then(|data| data.0);
                continue;
            }
            let tensor: Tensor = map.next_value()?;
            header.add(name.into_owned(), tensor.place());
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
                        // Every value must be a text.
                        map.next_value::<std::borrow::Cow<'de, str>>()?;
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

    /// A header of one tensor, with a part in place of another.
    fn fault_of(header: &str, data: usize) -> Option<Fault> {
        recognise(&file("m.safetensors", header, data)).unwrap().fault
    }

    #[test]
    fn what_the_reference_refuses_is_damaged() {
        let tensor = |name: &str, dtype: &str, shape: &str, start: u64, end: u64| {
            format!(
                r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#
            )
        };
        let one = tensor("a", "U8", "[4]", 0, 4);
        for (header, data) in [
            (tensor("a", "U8", "[4]", 4, 8), 8),
            (format!("{one},{}", tensor("b", "U8", "[4]", 5, 9)), 9),
            (format!("{one},{}", tensor("b", "U8", "[4]", 2, 6)), 6),
            (format!("{one},{}", tensor("b", "U8", "[4]", 0, 4)), 4),
            (format!("{one},{}", tensor("b", "U8", "[0]", 2, 2)), 4),
            (tensor("a", "U8", "[5]", 0, 4), 4),
            (tensor("a", "U8", "[4]", 4, 0), 0),
            (tensor("a", "F32", "[9223372036854775807,4]", 0, 4), 4),
            (tensor("a", "F31", "[1]", 0, 4), 4),
            (tensor("a", "C128", "[1]", 0, 16), 16),
            (tensor("a", "F4", "[3]", 0, 2), 2),
            (tensor("a", "U8", "[-4]", 0, 4), 4),
            (tensor("a", "U8", "[4.0]", 0, 4), 4),
            (format!(r#""__metadata__":{{"a":1}},{one}"#), 4),
            (format!(r#""__metadata__":{{"a":{{}}}},{one}"#), 4),
            (format!(r#""__metadata__":{{}},"__metadata__":{{}},{one}"#), 4),
            (one.replace("\"shape\"", "\"form\""), 4),
            (one.replace(",\"data", ",\"dtype\":\"U8\",\"data"), 4),
            (one.clone(), 5),
        ] {
            let fault = fault_of(&format!("{{{header}}}"), data);
            assert!(matches!(fault, Some(Fault::Malformed(_))), "{header}: {fault:?}");
        }
    }

    #[test]
    fn what_the_reference_takes_is_whole() {
        for (header, data) in [
            ("{}", 0),
            (r#"{"__metadata__":null}"#, 0),
            (r#" {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}  "#, 4),
            (r#"{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#, 1),
            (r#"{"a":{"dtype":"U8","shape":[0,9],"data_offsets":[0,0],"x":[1]}}"#, 0),
            (r#"{"a":["U8",[4],[0,4]]}"#, 4),
            (r#"{"a":["U8",[9],[0,9]],"a":["U8",[4],[0,4]]}"#, 4),
            (r#"{"b":["U8",[4],[4,8]],"a":["U8",[4],[0,4]],"c":["U8",[0],[4,4]]}"#, 8),
            (r#"{"a":["F4",[2],[0,1]],"b":["F6_E2M3",[4],[1,4]]}"#, 4),
        ] {
            assert_eq!(fault_of(header, data), None, "{header}");
        }
    }
}
