//! What a data frame would say of a CSV file: columns, rows, and the type of each column, in the words
//! of the service's library. Read as a stream; memory is bounded by the longest record.

use std::io::{BufRead, Read};

use serde_json::{Map, Value};

/// Bytes that one record may have. A file with a longer one is no table.
const LONGEST: usize = 16 * 1024 * 1024;

/// Columns that a table may have. Each costs a name, a type and their place in two lists, of which a
/// comma shows nothing.
const MOST_COLUMNS: usize = 16 * 1024;

/// Texts that count as no value.
const ABSENT: &[&str] = &[
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// A table's facts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    pub columns: Vec<String>,
    pub rows: u64,
    /// Column to type.
    pub types: Map<String, Value>,
}

/// Reads a table; `None` for what is none: empty, not UTF-8, or with records longer than the head.
pub(super) fn inspect(source: impl Read) -> Option<Table> {
    let mut records = Records { source: std::io::BufReader::new(source), is_first: true };
    let columns = name(records.next_record()??);
    let mut kinds = vec![Column::default(); columns.len()];
    let mut rows = 0;
    while let Some(record) = records.next_record()? {
        if record.len() > columns.len() {
            return None;
        }
        rows += 1;
        for (at, kind) in kinds.iter_mut().enumerate() {
            kind.take(record.get(at).map_or("", String::as_str));
        }
    }
    let types =
        columns.iter().cloned().zip(kinds.iter().map(|kind| Value::from(kind.name()))).collect();
    Some(Table { columns, rows, types })
}

/// Names for columns without one, and distinct ones for those that share one.
fn name(head: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashMap::<String, u32>::new();
    head.into_iter()
        .enumerate()
        .map(|(at, text)| {
            let text = if text.is_empty() { format!("Unnamed: {at}") } else { text };
            let count = seen.entry(text.clone()).or_insert(0);
            *count += 1;
            if *count == 1 { text } else { format!("{text}.{}", *count - 1) }
        })
        .collect()
}

/// What the values of a column have been so far.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    absent: bool,
    whole: bool,
    real: bool,
    truth: bool,
    other: bool,
}

impl Column {
    fn take(&mut self, text: &str) {
        let trimmed = text.trim();
        if ABSENT.contains(&text) {
            self.absent = true;
        } else if trimmed.parse::<i64>().is_ok() {
            self.whole = true;
        } else if matches!(text, "True" | "TRUE" | "true" | "False" | "FALSE" | "false") {
            self.truth = true;
        } else if trimmed.parse::<f64>().is_ok() {
            self.real = true;
        } else {
            self.other = true;
        }
    }

    fn name(self) -> &'static str {
        let is_number = self.whole || self.real;
        match self {
            Self { other: true, .. } => "object",
            Self { truth: true, absent, .. } => {
                if is_number || absent {
                    "object"
                } else {
                    "bool"
                }
            }
            Self { whole: true, real: false, absent: false, .. } => "int64",
            Self { absent: false, .. } if !is_number => "object",
            _ => "float64",
        }
    }
}

/// The records of a CSV file: quotes hide commas, line ends and, doubled, themselves; blank lines are
/// none.
struct Records<R> {
    source: R,
    is_first: bool,
}

impl<R: BufRead> Records<R> {
    /// `None` when the file cannot be read as a table; `Some(None)` at its end.
    #[expect(clippy::option_option, reason = "a failure, which has no words here, and the end")]
    fn next_record(&mut self) -> Option<Option<Vec<String>>> {
        let mut line = Vec::new();
        let mut is_open = false;
        loop {
            let start = line.len();
            let limit = (LONGEST - start) as u64;
            let read = (&mut self.source).take(limit).read_until(b'\n', &mut line).ok()?;
            if line.len() == LONGEST {
                return None;
            }
            is_open ^= line[start..].iter().filter(|byte| **byte == b'"').count() % 2 == 1;
            if is_open && line.ends_with(b"\n") && read > 0 {
                continue;
            }
            if is_open {
                return None;
            }
            if read == 0 {
                return Some(None);
            }
            let mut text = std::str::from_utf8(&line).ok()?.trim_end_matches(['\r', '\n']);
            if std::mem::take(&mut self.is_first) {
                text = text.trim_start_matches('\u{feff}');
            }
            if !text.is_empty() {
                return fields(text).map(Some);
            }
            line.clear();
        }
    }
}

/// The fields of a record; `None` of one with more than a table has.
fn fields(record: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut characters = record.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted && fields.len() < MOST_COLUMNS => {
                fields.push(std::mem::take(&mut field));
            }
            ',' if !is_quoted => return None,
            other => field.push(other),
        }
    }
    fields.push(field);
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(text: &str) -> Vec<String> {
        let table = inspect(text.as_bytes()).unwrap();
        table.types.values().map(|value| value.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn columns_have_the_types_of_a_data_frame() {
        let text = "i,f,b,s,gaps,none\n1,1.5,True,x,1,\n2,2,False,y,,\n";
        assert_eq!(types(text), ["int64", "float64", "bool", "object", "float64", "float64"]);
        assert_eq!(types("a\n"), ["object"]);
        assert_eq!(types("a,b\nTrue,1\n,x\n"), ["object", "object"]);
    }

    #[test]
    fn quotes_hide_what_would_end_a_field_or_a_record() {
        let table = inspect("a,\"b,\"\"c\"\"\"\r\n\"1\n2\",3\r\n\r\n4,5".as_bytes()).unwrap();
        assert_eq!(table.columns, ["a", "b,\"c\""]);
        assert_eq!(table.rows, 2);
    }

    #[test]
    fn every_column_has_a_name_of_its_own() {
        assert_eq!(
            inspect(&b"\xef\xbb\xbfa,,a\n1,2,3\n"[..]).unwrap().columns,
            ["a", "Unnamed: 1", "a.1"]
        );
    }

    #[test]
    fn what_is_no_table_has_no_facts() {
        let wide = ",".repeat(10_000_000);
        let long = format!("a,b\n1,2\n{wide}\n");
        for text in [wide.as_bytes(), long.as_bytes()] {
            assert_eq!(inspect(text), None);
        }
        for text in [&b""[..], b"a\n1,2\n", b"a\n\xff\n", b"a\n\"open"] {
            assert_eq!(inspect(text), None);
        }
    }
}
