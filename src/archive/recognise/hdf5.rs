//! HDF5, and Keras 2 in it. The superblock says where the file ends; Keras is known by the names of
//! its attributes, which stand near the beginning.

use memchr::memmem;

use super::{Confidence, Fault, Format, Recognition, Sample};
use crate::schema::model::Framework;

pub(super) const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Attributes that Keras writes, the most telling first.
const ATTRIBUTES: [&str; 3] = ["keras_version", "model_config", "layer_names"];

pub(super) fn recognise(sample: &Sample) -> Option<Recognition> {
    let start = start(&sample.head)?;
    let fault = end_of_file(&sample.head[start..]).filter(|&end| end > sample.size).map(|end| {
        Fault::Truncated(format!(
            "it has {} of the {end} bytes that its superblock tells of",
            sample.size
        ))
    });
    let found = ATTRIBUTES
        .into_iter()
        .filter(|name| memmem::find(&sample.head, name.as_bytes()).is_some())
        .collect::<Vec<_>>();
    let Some(attribute) = found.first() else {
        let recognition = Recognition::new(Format::Hdf5, Confidence::High, "its signature");
        return Some(recognition.fault(fault));
    };
    let evidence = format!("HDF5 with the attribute {attribute}");
    // Layer names alone are also what other writers keep.
    let confidence = if found == ["layer_names"] { Confidence::Medium } else { Confidence::High };
    Some(
        Recognition::new(Format::KerasHdf5, confidence, evidence.clone())
            .framework(Framework::Keras, confidence, evidence)
            .fault(fault),
    )
}

/// Where the superblock is. A block of the user's own may come first, of 512 bytes or a power of two
/// times that.
pub(in crate::archive) fn start(head: &[u8]) -> Option<usize> {
    [0, 512, 1024, 2048, 4096, 8192]
        .into_iter()
        .find(|&at| head.get(at..).is_some_and(|rest| rest.starts_with(SIGNATURE)))
}

/// The address of the file's end in the superblock, where addresses have eight bytes.
fn end_of_file(superblock: &[u8]) -> Option<u64> {
    let (width, at) = match superblock.get(8)? {
        0 => (13, 40),
        1 => (13, 44),
        2 | 3 => (9, 28),
        _ => return None,
    };
    if superblock.get(width) != Some(&8) {
        return None;
    }
    Some(u64::from_le_bytes(*superblock.get(at..)?.first_chunk::<8>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A superblock of version 0 for a file of `end` bytes, then a text.
    fn file(end: u64, text: &str) -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0, 0, 0, 0, 0, 8, 8, 0]);
        bytes.resize(40, 0);
        bytes.extend(end.to_le_bytes());
        bytes.resize(96, 0);
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    #[test]
    fn keras_is_known_by_its_attributes() {
        let found =
            recognise(&Sample::new("m", &file(96, "..keras_version.model_config"))).unwrap();
        assert_eq!(found.format.value, Format::KerasHdf5);
        assert_eq!(found.framework.unwrap().value, Framework::Keras);
        assert_eq!(found.fault, None);
        let plain = recognise(&Sample::new("m", &file(96, "data"))).unwrap();
        assert_eq!((plain.format.value, plain.framework), (Format::Hdf5, None));
    }

    #[test]
    fn a_signature_behind_a_block_of_the_users_is_found() {
        let bytes = [vec![0; 512], file(96, "layer_names")].concat();
        let found = recognise(&Sample::new("m", &bytes)).unwrap();
        assert_eq!(found.framework.unwrap().confidence, Confidence::Medium);
    }

    #[test]
    fn the_superblock_tells_a_cut_off_file() {
        let cut = recognise(&Sample::new("m", &file(10_000, "keras_version"))).unwrap();
        assert!(matches!(cut.fault, Some(Fault::Truncated(_))), "{cut:?}");
        let mut newer = SIGNATURE.to_vec();
        newer.extend([2, 8, 8, 0]);
        newer.resize(28, 0);
        newer.extend(4_000_u64.to_le_bytes());
        assert!(recognise(&Sample::new("m", &newer)).unwrap().fault.is_some());
    }
}
