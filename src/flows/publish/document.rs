//! Notices a JSON document that is spread over several lines: each of them becomes a record, which is
//! hardly ever meant.

use super::Framing;
use crate::schema::json;

/// Bytes of a document that are kept to be validated; of a larger one only the brackets are counted.
const MOST_KEPT: usize = 1024 * 1024;

/// A document and the lines that it takes, counted over all inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpreadDocument {
    pub first: u64,
    pub last: u64,
    pub is_array: bool,
}

/// Looks at the lines of one input until it is decided what they are.
#[derive(Debug, Default)]
pub(super) enum DocumentWatch {
    #[default]
    Start,
    Inside(OpenDocument),
    Decided,
}

#[derive(Debug)]
pub(super) struct OpenDocument {
    first: u64,
    is_array: bool,
    depth: i64,
    /// `None` if it became too large.
    text: Option<Vec<u8>>,
}

impl DocumentWatch {
    /// Starts to watch lines; records of another framing may be documents.
    pub fn for_framing(framing: Framing) -> Self {
        if framing == Framing::Lines { Self::Start } else { Self::Decided }
    }

    /// Takes the next line; returns the document that ends with it.
    #[inline]
    pub fn take(&mut self, number: u64, line: &[u8]) -> Option<SpreadDocument> {
        match self {
            Self::Decided => None,
            Self::Start => {
                self.start(number, line);
                None
            }
            Self::Inside(document) => {
                document.push(line);
                if document.depth > 0 {
                    return None;
                }
                let found = document.finish(number);
                *self = Self::Decided;
                found
            }
        }
    }

    /// Only a line that opens more than it closes begins such a document.
    #[cold]
    fn start(&mut self, number: u64, line: &[u8]) {
        let text = line.trim_ascii();
        if text.is_empty() {
            return;
        }
        let mut document = OpenDocument {
            first: number,
            is_array: text.starts_with(b"["),
            depth: 0,
            text: Some(Vec::new()),
        };
        document.push(line);
        *self = if text.starts_with(b"{") || document.is_array {
            if document.depth > 0 { Self::Inside(document) } else { Self::Decided }
        } else {
            Self::Decided
        };
    }
}

impl OpenDocument {
    fn push(&mut self, line: &[u8]) {
        self.depth += depth_change(line);
        if let Some(text) = &mut self.text {
            text.extend_from_slice(line);
            text.push(b'\n');
            if text.len() > MOST_KEPT {
                self.text = None;
            }
        }
    }

    fn finish(&self, last: u64) -> Option<SpreadDocument> {
        let is_json = self.text.as_ref().is_none_or(|text| json::validate(text).is_ok());
        let Self { first, is_array, depth, .. } = *self;
        (is_json && depth == 0).then_some(SpreadDocument { first, last, is_array })
    }
}

/// How many more brackets a line opens than it closes, outside strings; no string of JSON goes on over
/// a line break.
fn depth_change(line: &[u8]) -> i64 {
    let (mut depth, mut in_string) = (0, false);
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_string => drop(bytes.next()),
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<SpreadDocument> {
        let mut watch = DocumentWatch::default();
        (1..).zip(text.lines()).find_map(|(number, line)| watch.take(number, line.as_bytes()))
    }

    #[test]
    fn a_document_over_several_lines_is_noticed() {
        for (text, first, last, is_array) in [
            ("{\n  \"a\": 1\n}\n", 1, 3, false),
            ("[\n  1,\n  [2,\n 3]\n]", 1, 5, true),
            ("\n\n{\"a\":\n1}", 3, 4, false),
            ("{\"a\": {\n\"b]}\": \"\\\"{\"\n}}\n{\"next\": 1}", 1, 3, false),
            ("{\r\n\"a\": 1\r\n}\r\n", 1, 3, false),
            ("[{\"a\":1},\n{\"a\":2}]", 1, 2, true),
            ("{\"a\": NaN,\n\"b\": 1}", 1, 2, false),
        ] {
            assert_eq!(found(text), Some(SpreadDocument { first, last, is_array }), "{text}");
        }
    }

    #[test]
    fn a_document_that_is_too_large_to_keep_is_noticed_by_its_brackets() {
        let text = format!("[\n{}0\n]\n", "1,\n".repeat(MOST_KEPT / 2));
        assert!(found(&text).is_some_and(|document| document.is_array));
    }

    #[test]
    fn lines_that_are_records_are_left_alone() {
        for text in [
            "{\"a\":1}\n{\"a\":2}\n",
            "[1]\n[2]\n",
            "a\n{\n}\n",
            "key:{\n}\n",
            "{\nnot json\n}\n",
            "[section]\nname = 1\n",
            "{\n\"a\": 1\n",
            "\"{\"\n\"}\"\n",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
