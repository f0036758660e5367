//! Formats that are zips: PyTorch, Keras 3, skops, archives of arrays. Told apart by the names in the
//! archive's directory, which stands at the end of the file.

use memchr::memmem;

use super::sample::Bytes;
use super::{Confidence, Fault, Format, Found, Recognition, Sample, pickle};
use crate::schema::model::Framework;

/// What a zip with at least one entry begins with.
pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const ENTRY: u32 = 0x0201_4b50;

pub(super) fn recognise(sample: &Sample) -> Option<Recognition> {
    if !sample.head.starts_with(LOCAL) {
        return None;
    }
    let begun = || {
        let recognition = Recognition::new(Format::Zip, Confidence::High, "its first bytes");
        named_like_pytorch(sample, recognition)
    };
    let Some(tail) = &sample.tail else { return Some(begun()) };
    let Some(directory) = Directory::find(tail) else {
        let fault = Fault::Truncated("it is a zip without a directory at its end".to_owned());
        return Some(begun().fault(Some(fault)));
    };
    let fault = directory.ends_short(sample.size).then(|| {
        Fault::Malformed("its directory tells of more bytes than the file has".to_owned())
    });
    let names = directory.names(tail);
    Some(by_names(sample, &names).fault(fault))
}

/// Bytes from the directory's beginning to the file's end, as the end record has it; 0 where there
/// is no such record.
pub(super) fn directory_length(tail: &[u8]) -> u64 {
    Directory::find(tail)
        .map_or(0, |directory| directory.length.saturating_add((tail.len() - directory.end) as u64))
}

/// A file that lost its end is still called what it was.
fn named_like_pytorch(sample: &Sample, recognition: Recognition) -> Recognition {
    if memmem::find(&sample.head[..sample.head.len().min(256)], b"/data.pkl").is_none() {
        return recognition;
    }
    let evidence = "a zip that begins with data.pkl";
    Recognition::new(Format::PytorchZip, Confidence::High, evidence).framework(
        Framework::Pytorch,
        Confidence::High,
        evidence,
    )
}

fn by_names(sample: &Sample, names: &[String]) -> Recognition {
    let has = |name: &str| names.iter().any(|entry| entry == name);
    // PyTorch puts all of an archive below one folder.
    let below = |name: &str| {
        names.iter().any(|entry| entry.split_once('/').is_some_and(|(_, rest)| rest == name))
    };
    if below("data.pkl") && (below("version") || below("byteorder") || below(".format_version")) {
        return pytorch(sample, below("constants.pkl"), below("bytecode.pkl"));
    }
    if has("config.json")
        && has("metadata.json")
        && names.iter().any(|name| name.starts_with("model.weights."))
    {
        let evidence = "a zip with config.json, metadata.json and model.weights";
        return Recognition::new(Format::Keras, Confidence::High, evidence).framework(
            Framework::Keras,
            Confidence::High,
            evidence,
        );
    }
    if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
        return Recognition::new(Format::Npz, Confidence::High, "a zip of .npy files alone");
    }
    if has("schema.json") && sample.extension() == "skops" {
        let evidence = "a zip with schema.json, named .skops";
        return Recognition::new(Format::Skops, Confidence::High, evidence).framework(
            Framework::Sklearn,
            Confidence::High,
            evidence,
        );
    }
    let evidence = format!("a zip of {} entries", names.len());
    Recognition::new(Format::Zip, Confidence::High, evidence)
}

fn pytorch(sample: &Sample, is_script: bool, is_mobile: bool) -> Recognition {
    let (format, what) = match (is_script, is_mobile) {
        (true, _) => (Format::Torchscript, "data.pkl and constants.pkl"),
        (false, true) => (Format::PytorchZip, "data.pkl and bytecode.pkl"),
        (false, false) => (Format::PytorchZip, "data.pkl and version"),
    };
    let evidence = format!("a zip with PyTorch's {what}");
    Recognition::new(format, Confidence::High, evidence.clone())
        .framework(Framework::Pytorch, Confidence::High, evidence)
        .model_type(first_entry(&sample.head).and_then(type_of_pickle))
}

fn type_of_pickle(content: &[u8]) -> Option<Found<crate::schema::model::ModelType>> {
    pickle::Globals::read(content).model_type()
}

/// The content of the first entry, as far as it is here; PyTorch stores it as it is.
fn first_entry(head: &[u8]) -> Option<&[u8]> {
    let mut bytes = Bytes::new(head);
    bytes.take(26)?;
    let (name, extra) = (bytes.u16()?, bytes.u16()?);
    bytes.take(u64::from(name) + u64::from(extra))?;
    head.get(bytes.at..)
}

/// What the end record of an archive says.
#[derive(Debug)]
struct Directory {
    /// Bytes of the directory.
    length: u64,
    /// Its beginning in the archive.
    offset: u64,
    entries: u64,
    /// Where it ends in the tail: the place of its end record.
    end: usize,
}

impl Directory {
    fn find(tail: &[u8]) -> Option<Self> {
        let at = memmem::rfind(tail, END)?;
        let mut bytes = Bytes::new(tail.get(at + 10..)?);
        let entries = u64::from(bytes.u16()?);
        let (length, offset) = (u64::from(bytes.u32()?), u64::from(bytes.u32()?));
        let plain = Self { length, offset, entries, end: at };
        // The long form stands before the short one, with a locator of 20 bytes between them.
        let long = memmem::rfind(&tail[..at], END_64).filter(|&long| at - long <= 56 + 20 + 1024);
        Some(long.and_then(|long| Self::long(tail, long)).unwrap_or(plain))
    }

    fn long(tail: &[u8], at: usize) -> Option<Self> {
        let mut bytes = Bytes::new(tail.get(at + 32..)?);
        Some(Self { entries: bytes.u64()?, length: bytes.u64()?, offset: bytes.u64()?, end: at })
    }

    fn ends_short(&self, size: u64) -> bool {
        self.offset.saturating_add(self.length) > size
    }

    /// Names of the entries that are in the tail. A directory longer than that gives its last ones:
    /// they are looked for by their mark.
    fn names(&self, tail: &[u8]) -> Vec<String> {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        let start = match self.end.checked_sub(length) {
            Some(start) => start,
            None => memmem::find(tail, &ENTRY.to_le_bytes()).unwrap_or(self.end),
        };
        let mut bytes = Bytes::new(&tail[..self.end]);
        bytes.at = start;
        let mut names = Vec::new();
        while (names.len() as u64) < self.entries {
            let Some(name) = entry(&mut bytes) else { break };
            names.push(name);
        }
        names
    }
}

fn entry(bytes: &mut Bytes<'_>) -> Option<String> {
    if bytes.u32()? != ENTRY {
        return None;
    }
    bytes.take(24)?;
    let (name, extra, comment) = (bytes.u16()?, bytes.u16()?, bytes.u16()?);
    bytes.take(12)?;
    let name = String::from_utf8_lossy(bytes.take(name.into())?).into_owned();
    bytes.take(u64::from(extra) + u64::from(comment))?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use ::zip::ZipWriter;
    use ::zip::write::SimpleFileOptions;

    use super::*;
    use crate::schema::model::ModelType;

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let stored =
            SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Stored);
        for (name, content) in entries {
            writer.start_file(*name, stored).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn found(name: &str, entries: &[(&str, &[u8])]) -> Recognition {
        recognise(&Sample::new(name, &archive(entries))).unwrap()
    }

    #[test]
    fn pytorch_is_a_zip_with_a_pickle() {
        let data = b"\x80\x02ctorchvision.models.resnet\nResNet\n)R.";
        let plain = found("m", &[("m/data.pkl", data), ("m/version", b"3\n"), ("m/data/0", b"x")]);
        assert_eq!(plain.format.value, Format::PytorchZip);
        assert_eq!(plain.framework.unwrap().value, Framework::Pytorch);
        let script =
            found("m", &[("m/data.pkl", b"x"), ("m/constants.pkl", b"x"), ("m/version", b"3\n")]);
        assert_eq!(script.format.value, Format::Torchscript);
    }

    #[test]
    fn a_whole_model_of_transformers_in_it_tells_its_kind() {
        let data = b"\x80\x02ctransformers.models.bert.modeling_bert\nBertForMaskedLM\n)R.";
        let model = found("m", &[("m/data.pkl", data), ("m/version", b"3\n")]);
        assert_eq!(model.model_type.unwrap().value, ModelType::MaskedLm);
    }

    #[test]
    fn keras_numpy_and_skops_are_told_apart() {
        let keras = found(
            "m",
            &[("metadata.json", b"{}"), ("config.json", b"{}"), ("model.weights.h5", b"x")],
        );
        assert_eq!(keras.framework.unwrap().value, Framework::Keras);
        assert_eq!(found("m", &[("a.npy", b"x"), ("b.npy", b"x")]).format.value, Format::Npz);
        let skops = found("m.skops", &[("schema.json", b"{}")]);
        assert_eq!(skops.framework.unwrap().value, Framework::Sklearn);
        let other = found("m", &[("a.txt", b"x"), ("w.pkl", b"x")]);
        assert_eq!((other.format.value, other.framework), (Format::Zip, None));
    }

    #[test]
    fn a_zip_without_its_end_is_truncated_and_still_known() {
        let whole = archive(&[("m/data.pkl", b"x"), ("m/version", b"3\n")]);
        let cut = recognise(&Sample::new("m", &whole[..whole.len() - 30])).unwrap();
        assert!(matches!(cut.fault, Some(Fault::Truncated(_))), "{cut:?}");
        assert_eq!(cut.framework.unwrap().value, Framework::Pytorch);
    }

    #[test]
    fn a_directory_that_points_behind_the_file_is_malformed() {
        let whole = archive(&[("a.npy", &[7; 500])]);
        let mut sample = Sample::new("m", &whole);
        sample.size -= 400;
        let found = recognise(&sample).unwrap();
        assert!(matches!(found.fault, Some(Fault::Malformed(_))), "{found:?}");
    }

    #[test]
    fn the_length_that_a_directory_needs_is_read_from_its_end() {
        let whole = archive(&[("a", b"x"), ("b", b"y")]);
        let tail = &whole[whole.len() - 30..];
        let directory = 2 * (46 + 1);
        assert_eq!(directory_length(tail), directory + 22);
        assert_eq!(directory_length(b"no zip"), 0);
    }
}
