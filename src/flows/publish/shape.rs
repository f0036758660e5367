//! What a line means: a value, a key and a value, or a whole record as JSON. Pure.

use crate::schema::record_line::RecordLine;

/// How lines become records.
#[derive(Clone, Debug)]
pub enum Shape {
    Delimited(Delimited),
    /// As `tail -o json` writes them; without `partitions` the key decides anew.
    Json {
        partitions: bool,
    },
}

/// A line is a value, or a key and a value.
#[derive(Clone, Debug, Default)]
pub struct Delimited {
    /// What stands between key and value; without one, the whole line is the value.
    pub delimiter: Option<Vec<u8>>,
    /// The key of every record that has none of its own.
    pub key: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub partition: Option<i32>,
}

/// A record borrowed from its line, or made of it.
pub(super) enum Parsed<'a> {
    Borrowed { key: Option<&'a [u8]>, value: &'a [u8] },
    Owned(RecordLine),
}

/// An empty line between records of JSON says nothing.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

impl Shape {
    /// The partition of every record, where it does not stand with each.
    pub(super) fn partition(&self) -> Option<i32> {
        match self {
            Self::Delimited(delimited) => delimited.partition,
            Self::Json { .. } => None,
        }
    }

    /// The record of a line; `None` where the line is blank and means nothing.
    pub(super) fn parse<'a>(&'a self, line: &'a [u8]) -> Result<Option<Parsed<'a>>, String> {
        match self {
            Self::Delimited(delimited) => Ok(Some(delimited.split(line))),
            Self::Json { partitions } => {
                if is_blank(line) {
                    return Ok(None);
                }
                let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
                // A file that begins with a byte order mark has it in its first line.
                let text = text.strip_prefix('\u{feff}').unwrap_or(text);
                let mut record = RecordLine::parse(text).map_err(|error| error.to_string())?;
                if !partitions {
                    record.partition = None;
                }
                Ok(Some(Parsed::Owned(record)))
            }
        }
    }
}

impl Delimited {
    fn split<'a>(&'a self, line: &'a [u8]) -> Parsed<'a> {
        let cut = self
            .delimiter
            .as_deref()
            .and_then(|delimiter| Some((memchr::memmem::find(line, delimiter)?, delimiter.len())));
        match cut {
            Some((place, length)) => {
                Parsed::Borrowed { key: Some(&line[..place]), value: &line[place + length..] }
            }
            None => Parsed::Borrowed { key: self.key.as_deref(), value: line },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'a>(shape: &'a Delimited, line: &'a [u8]) -> (Option<&'a [u8]>, &'a [u8]) {
        match shape.split(line) {
            Parsed::Borrowed { key, value } => (key, value),
            Parsed::Owned(_) => panic!("a plain line is borrowed"),
        }
    }

    #[test]
    fn the_first_delimiter_ends_the_key() {
        let shape = Delimited { delimiter: Some(b"::".to_vec()), ..Delimited::default() };
        assert_eq!(split(&shape, b"k::v::w"), (Some(&b"k"[..]), &b"v::w"[..]));
        assert_eq!(split(&shape, b"::v"), (Some(&b""[..]), &b"v"[..]));
        assert_eq!(split(&shape, b"v"), (None, &b"v"[..]));
    }

    #[test]
    fn a_blank_line_is_a_record_of_lines_and_nothing_between_records_of_json() {
        for blank in [&b""[..], b"  ", b"\r"] {
            assert!(Shape::Json { partitions: true }.parse(blank).unwrap().is_none());
            let lines = Shape::Delimited(Delimited::default());
            assert!(lines.parse(blank).unwrap().is_some());
        }
    }

    #[test]
    fn a_line_without_a_key_takes_the_common_one() {
        let shape = Delimited { key: Some(b"k".to_vec()), ..Delimited::default() };
        assert_eq!(split(&shape, b"a:b"), (Some(&b"k"[..]), &b"a:b"[..]));
    }
}
