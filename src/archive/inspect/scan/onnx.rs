//! The files beside a model of ONNX that hold its tensors. The message is walked by the lengths of its
//! fields; the bytes of tensors are passed by, and nothing is decoded whole.

use std::collections::BTreeMap;
use std::io;

use crate::archive::recognise::Bytes;
use crate::archive::window::Window;

/// Fields of a model that are looked at.
const FIELDS_MOST: usize = 2_000_000;
/// Messages in each other, as subgraphs are.
const DEPTH: usize = 12;
/// The longest header of a field: a tag and a length.
const HEADER: usize = 20;
/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// A file that tensors are in, and how long it must be at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::archive) struct ExternalData {
    pub location: String,
    /// The end of the last tensor in it, in bytes.
    pub end: u64,
}

/// A message of ONNX, as far as tensors may be in it.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Function,
    SparseTensor,
    Tensor,
}

impl Message {
    /// The message that a field holds.
    fn field(self, number: u64) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => {
                Self::Tensor
            }
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::SparseTensor,
            (Self::Node, 5) => Self::Attribute,
            _ => return None,
        })
    }
}

/// The files that a model names for its tensors. None if it is no message, or too large a one.
pub(super) fn external_data(model: Window<'_>) -> io::Result<Option<Vec<ExternalData>>> {
    let mut reader =
        Reader { model, piece: Vec::new(), start: 0, left: FIELDS_MOST, files: BTreeMap::new() };
    if reader.message(Message::Model, 0, model.length(), DEPTH)?.is_none() {
        return Ok(None);
    }
    let file = |(location, end)| ExternalData { location, end };
    Ok(Some(reader.files.into_iter().map(file).collect()))
}

struct Reader<'a> {
    model: Window<'a>,
    piece: Vec<u8>,
    /// Where the piece begins.
    start: u64,
    left: usize,
    files: BTreeMap<String, u64>,
}

type Walked = io::Result<Option<()>>;

impl Reader<'_> {
    /// Bytes from a place on, up to a field's header.
    fn header(&mut self, at: u64) -> io::Result<&[u8]> {
        let end = self.start + self.piece.len() as u64;
        if at < self.start || at + HEADER as u64 > end {
            self.piece = self.model.bytes(at, PIECE)?;
            self.start = at;
        }
        let offset = usize::try_from(at - self.start).unwrap_or(usize::MAX).min(self.piece.len());
        Ok(&self.piece[offset..self.piece.len().min(offset + HEADER)])
    }

    fn message(&mut self, kind: Message, start: u64, end: u64, depth: usize) -> Walked {
        let mut at = start;
        let mut tensor = TensorFields::default();
        while at < end {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                return Ok(None);
            }
            let Some(field) = read_field(self.header(at)?) else { return Ok(None) };
            let content = at + field.header;
            let Some(behind) =
                content.checked_add(field.length).filter(|end| *end <= self.model.length())
            else {
                return Ok(None);
            };
            if matches!(kind, Message::Tensor) {
                self.tensor_field(&mut tensor, &field, content)?;
            } else if let (true, Some(inner)) = (field.is_message, kind.field(field.number))
                && (depth == 0 || self.message(inner, content, behind, depth - 1)?.is_none())
            {
                return Ok(None);
            }
            at = behind;
        }
        if let Some((location, end)) = tensor.file() {
            let known = self.files.entry(location).or_default();
            *known = end.max(*known);
        }
        Ok(Some(()))
    }

    /// Of a tensor: its kind, its sides, the file that it is in.
    fn tensor_field(
        &mut self,
        tensor: &mut TensorFields,
        field: &Field,
        at: u64,
    ) -> io::Result<()> {
        const ENTRY_MOST: u64 = 64 * 1024;
        match (field.number, field.is_message) {
            (14, false) => tensor.is_external = field.value == 1,
            (13, true) if field.length <= ENTRY_MOST => {
                let most = usize::try_from(field.length).unwrap_or_default();
                let entry = self.model.bytes(at, most)?;
                if let Some((key, value)) = read_entry(&entry) {
                    tensor.entries.insert(key, value);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct TensorFields {
    is_external: bool,
    entries: BTreeMap<String, String>,
}

impl TensorFields {
    fn file(mut self) -> Option<(String, u64)> {
        let number = |key: &str| self.entries.get(key).and_then(|text| text.parse::<u64>().ok());
        let end = number("offset").unwrap_or(0).saturating_add(number("length").unwrap_or(0));
        let location = self.entries.remove("location")?;
        self.is_external.then_some((location, end))
    }
}

struct Field {
    number: u64,
    /// Whether it has a length of its own: a message, a text or bytes.
    is_message: bool,
    /// Of a number.
    value: u64,
    /// Bytes before its content.
    header: u64,
    length: u64,
}

fn read_field(bytes: &[u8]) -> Option<Field> {
    let mut bytes = Bytes::new(bytes);
    let tag = bytes.varint()?;
    let (mut value, mut length) = (0, 0);
    match tag & 7 {
        0 => value = bytes.varint()?,
        1 => length = 8,
        2 => length = bytes.varint()?,
        5 => length = 4,
        _ => return None,
    }
    Some(Field {
        number: tag >> 3,
        is_message: tag & 7 == 2,
        value,
        header: bytes.at as u64,
        length,
    })
}

/// A key and its value.
fn read_entry(entry: &[u8]) -> Option<(String, String)> {
    let mut bytes = Bytes::new(entry);
    let mut fields = BTreeMap::new();
    while bytes.at < entry.len() {
        let tag = bytes.varint()?;
        if tag & 7 != 2 {
            return None;
        }
        let length = bytes.varint()?;
        let text = String::from_utf8_lossy(bytes.take(length)?).into_owned();
        fields.insert(tag >> 3, text);
    }
    Some((fields.remove(&1)?, fields.remove(&2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut length = content.len();
        let mut bytes = vec![number << 3 | 2];
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        [&bytes, content].concat()
    }

    fn tensor(entries: &[(&str, &str)]) -> Vec<u8> {
        let entry = |(key, value): &(&str, &str)| {
            field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
        };
        let entries: Vec<u8> = entries.iter().flat_map(entry).collect();
        [field(8, b"w"), field(9, &[7; 300]), entries, b"\x70\x01".to_vec()].concat()
    }

    fn files(graph: &[u8]) -> Option<Vec<(String, u64)>> {
        let model = [b"\x08\x0a".to_vec(), field(7, graph)].concat();
        let data = external_data(Window::of_memory(&model)).unwrap()?;
        Some(data.into_iter().map(|data| (data.location, data.end)).collect())
    }

    #[test]
    fn files_are_found_in_initializers_and_attributes() {
        let one = tensor(&[("location", "w.bin"), ("offset", "4096"), ("length", "16")]);
        let two = tensor(&[("location", "w.bin"), ("length", "8")]);
        let node = field(1, &field(5, &field(5, &tensor(&[("location", "c.bin")]))));
        let graph = [field(5, &one), field(5, &two), node].concat();
        let expected = vec![("c.bin".to_owned(), 0), ("w.bin".to_owned(), 4112)];
        assert_eq!(files(&graph), Some(expected));
        assert_eq!(files(&field(5, &field(9, &[7; 100]))), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_message_is_none() {
        assert_eq!(files(b"\x0f\x0f"), None);
        let bomb = (0..20).fold(Vec::new(), |inner, _| field(1, &field(5, &field(6, &inner))));
        assert_eq!(files(&bomb), None);
    }
}
