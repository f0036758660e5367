//! GGUF, the form of llama.cpp: a head of keys and values, the tensors' places, then the tensors. The
//! places say how long the file must at least be.

use super::sample::Bytes;
use super::{Confidence, Fault, Format, Found, Recognition, Sample};
use crate::schema::model::{Framework, ModelType};

/// Keys of nested lists are followed no deeper than any writer goes.
const DEPTH: u32 = 4;
/// Where the tensors begin is a multiple of this, unless the file says another.
const ALIGNMENT: u64 = 32;

/// Architectures of models that continue a text and do nothing else.
const TEXT: [&str; 28] = [
    "llama",
    "llama4",
    "mistral3",
    "qwen",
    "qwen2",
    "qwen2moe",
    "qwen3",
    "qwen3moe",
    "gemma",
    "gemma2",
    "gemma3",
    "phi2",
    "phi3",
    "phimoe",
    "falcon",
    "gpt2",
    "gptj",
    "gptneox",
    "gpt-oss",
    "mpt",
    "bloom",
    "deepseek",
    "deepseek2",
    "starcoder2",
    "stablelm",
    "olmo2",
    "command-r",
    "mamba",
];

pub(super) fn recognise(sample: &Sample) -> Option<Recognition> {
    let mut bytes = Bytes::new(&sample.head);
    if bytes.array() != Some(*b"GGUF") {
        return None;
    }
    let version = bytes.array::<4>();
    let evidence = match version.map(u32::from_le_bytes) {
        Some(version @ 1..=3) => format!("its mark and version {version}"),
        Some(other) if (1..=3).contains(&other.swap_bytes()) => {
            format!("its mark and the big-endian version {}", other.swap_bytes())
        }
        _ => "its mark".to_owned(),
    };
    let is_big = matches!(version, Some([0, 0, 0, 1..=3]));
    let is_first = matches!(version, Some([1, 0, 0, 0] | [0, 0, 0, 1]));
    let width = if is_first { Width::Four } else { Width::Eight };
    let mut reader =
        Reader { bytes, width, is_big, alignment: ALIGNMENT, architecture: None, kind: None };
    let end = reader.end();
    let fault = match end {
        Some(end) if end > sample.size => {
            Some(format!("it has {} of the {end} bytes that its tensors need", sample.size))
        }
        None if sample.is_whole() => Some("it ends within its head".to_owned()),
        _ => None,
    };
    let recognition = named(&evidence, reader.architecture.as_deref());
    let recognition = recognition.model_type(reader.model_type());
    Some(recognition.fault(fault.map(Fault::Truncated)))
}

fn named(evidence: &str, architecture: Option<&str>) -> Recognition {
    let framework = match architecture {
        Some(name) => format!("GGUF of the architecture {name}; the API has no word for llama.cpp"),
        None => "GGUF; the API has no word for llama.cpp".to_owned(),
    };
    Recognition::new(Format::Gguf, Confidence::High, evidence).framework(
        Framework::Other,
        Confidence::High,
        framework,
    )
}

/// How counts and lengths are written: four bytes in version 1.
#[derive(Clone, Copy)]
enum Width {
    Four,
    Eight,
}

struct Reader<'a> {
    bytes: Bytes<'a>,
    width: Width,
    /// Whether numbers have their highest byte first.
    is_big: bool,
    alignment: u64,
    architecture: Option<String>,
    /// `model`, `adapter`, `mmproj`, …
    kind: Option<String>,
}

impl Reader<'_> {
    /// The least length of the file, where the head is here to its end.
    fn end(&mut self) -> Option<u64> {
        let tensors = self.count()?;
        let keys = self.count()?;
        for _ in 0..keys {
            self.pair()?;
        }
        if tensors == 0 {
            // A vocabulary alone: nothing follows, and so nothing is padded.
            return Some(self.bytes.at as u64);
        }
        let mut end = 0;
        for _ in 0..tensors {
            end = self.tensor()?.max(end);
        }
        let data = (self.bytes.at as u64).next_multiple_of(self.alignment.max(1));
        data.checked_add(end)
    }

    fn count(&mut self) -> Option<u64> {
        match self.width {
            Width::Four => self.u32().map(u64::from),
            Width::Eight => self.u64(),
        }
    }

    fn u32(&mut self) -> Option<u32> {
        let value = self.bytes.u32()?;
        Some(if self.is_big { value.swap_bytes() } else { value })
    }

    fn u64(&mut self) -> Option<u64> {
        let value = self.bytes.u64()?;
        Some(if self.is_big { value.swap_bytes() } else { value })
    }

    fn text(&mut self) -> Option<&[u8]> {
        let length = self.count()?;
        self.bytes.take(length)
    }

    fn pair(&mut self) -> Option<()> {
        let key = self.text()?.to_vec();
        let kind = self.u32()?;
        match (key.as_slice(), kind) {
            (b"general.alignment", 4) => self.alignment = self.u32()?.into(),
            (b"general.architecture", 8) => self.architecture = Some(self.word()?),
            (b"general.type", 8) => self.kind = Some(self.word()?),
            _ => self.skip(kind, DEPTH)?,
        }
        Some(())
    }

    fn word(&mut self) -> Option<String> {
        self.text().map(|text| String::from_utf8_lossy(text).into_owned())
    }

    /// Passes one value by.
    fn skip(&mut self, kind: u32, depth: u32) -> Option<()> {
        if let Some(width) = width_of(kind) {
            self.bytes.take(width)?;
            return Some(());
        }
        match kind {
            8 => {
                self.text()?;
            }
            9 if depth > 0 => {
                let of = self.u32()?;
                let count = self.count()?;
                match width_of(of) {
                    Some(width) => {
                        self.bytes.take(count.checked_mul(width)?)?;
                    }
                    None => (0..count).try_for_each(|_| self.skip(of, depth - 1))?,
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Where a tensor ends, in bytes from the head's end.
    fn tensor(&mut self) -> Option<u64> {
        self.text()?;
        let dimensions = self.u32()?;
        let mut elements = 1_u64;
        for _ in 0..dimensions {
            elements = elements.checked_mul(self.count()?)?;
        }
        let kind = self.u32()?;
        let offset = self.u64()?;
        // A kind that came later than this program ends somewhere behind its beginning.
        let length = match block_of(kind) {
            Some((block, bytes)) => elements.div_ceil(block).checked_mul(bytes)?,
            None => 0,
        };
        offset.checked_add(length)
    }

    fn model_type(&self) -> Option<Found<ModelType>> {
        let architecture = self.architecture.as_deref()?;
        let is_model = self.kind.as_deref().is_none_or(|kind| kind == "model");
        (is_model && TEXT.contains(&architecture)).then(|| {
            let evidence = format!("general.architecture = {architecture}");
            Found::new(ModelType::CausalLm, Confidence::High, evidence)
        })
    }
}

/// Bytes of a value of a fixed width.
fn width_of(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// Elements of a block and its bytes, by the numbers of ggml's kinds of tensors.
fn block_of(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 | 26 => (1, 4),
        1 | 25 | 30 => (1, 2),
        24 => (1, 1),
        27 | 28 => (1, 8),
        2 | 20 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        39 => (32, 17),
        10 => (256, 84),
        11 | 21 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        15 => (256, 292),
        16 | 35 => (256, 66),
        17 => (256, 74),
        18 => (256, 98),
        19 => (256, 50),
        22 => (256, 82),
        23 => (256, 136),
        29 => (256, 56),
        34 => (256, 54),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn number(number: u32) -> [u8; 4] {
        number.to_le_bytes()
    }

    /// A file of version 3 with one tensor of 64 floats, and so many bytes of it.
    fn file(architecture: &str, data: usize) -> Vec<u8> {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(4_u64.to_le_bytes());
        bytes.extend([text("general.architecture"), number(8).into(), text(architecture)].concat());
        bytes.extend([text("general.alignment"), number(4).into(), number(64).into()].concat());
        let words =
            [number(8).into(), 2_u64.to_le_bytes().to_vec(), text("a"), text("bc")].concat();
        bytes.extend([text("tokens"), number(9).into(), words].concat());
        let scores = [number(6).into(), 3_u64.to_le_bytes().to_vec(), vec![0; 12]].concat();
        bytes.extend([text("scores"), number(9).into(), scores].concat());
        bytes.extend([text("w"), number(2).into()].concat());
        bytes.extend([8_u64.to_le_bytes(), 8_u64.to_le_bytes()].concat());
        bytes.extend([&number(0)[..], &0_u64.to_le_bytes()].concat());
        bytes.resize(bytes.len().next_multiple_of(64) + data, 0);
        bytes
    }

    #[test]
    fn architecture_framework_and_kind_are_read() {
        let found = recognise(&Sample::new("m", &file("qwen2", 256))).unwrap();
        assert_eq!(found.fault, None);
        assert_eq!(found.format.evidence, "its mark and version 3");
        assert_eq!(found.framework.unwrap().value, Framework::Other);
        assert_eq!(found.model_type.unwrap().value, ModelType::CausalLm);
        let encoder = recognise(&Sample::new("m", &file("nomic-bert", 256))).unwrap();
        assert_eq!(encoder.model_type, None);
    }

    #[test]
    fn one_byte_less_than_the_tensors_need_is_truncated() {
        let whole = file("llama", 256);
        let cut = recognise(&Sample::new("m", &whole[..whole.len() - 1])).unwrap();
        assert!(matches!(cut.fault, Some(Fault::Truncated(_))), "{cut:?}");
        let head = recognise(&Sample::new("m", &whole[..60])).unwrap();
        assert_eq!(head.fault, Some(Fault::Truncated("it ends within its head".into())));
    }

    #[test]
    fn counts_beyond_all_reason_end_with_the_bytes() {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend([0xff; 16]);
        bytes.extend([0xff; 64]);
        assert!(recognise(&Sample::new("m", &bytes)).unwrap().fault.is_some());
    }

    /// The same file in the other order of bytes, of version 3 or 1.
    fn big_endian(version: u32, data: usize) -> Vec<u8> {
        let count = |count: u64| match version {
            1 => u32::try_from(count).unwrap().to_be_bytes().to_vec(),
            _ => count.to_be_bytes().to_vec(),
        };
        let text = |text: &str| [count(text.len() as u64), text.as_bytes().to_vec()].concat();
        let number = |number: u32| number.to_be_bytes().to_vec();
        let mut bytes = [b"GGUF".to_vec(), number(version), count(1), count(1)].concat();
        bytes.extend([text("general.architecture"), number(8), text("llama")].concat());
        bytes.extend([text("w"), number(1), count(64), number(0)].concat());
        bytes.extend(0_u64.to_be_bytes());
        bytes.resize(bytes.len().next_multiple_of(32) + data, 0);
        bytes
    }

    #[test]
    fn a_big_endian_file_is_read_as_others_are() {
        for version in [1, 3] {
            let whole = big_endian(version, 256);
            let found = recognise(&Sample::new("m", &whole)).unwrap();
            assert_eq!((found.fault, found.model_type.is_some()), (None, true), "{version}");
            for length in [whole.len() - 1, 60, 20] {
                let cut = recognise(&Sample::new("m", &whole[..length])).unwrap();
                assert!(matches!(cut.fault, Some(Fault::Truncated(_))), "{version} {length}");
            }
        }
    }
}
