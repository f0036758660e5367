//! Which records are taken, cheapest question first, and nothing decoded that need not be. All of it
//! is parsed before anybody is connected to.

mod field;
mod jq;
mod pattern;
mod presence;

pub use field::FieldMatch;
pub use jq::{Jq, JqFault, JqForm};
pub use pattern::TextPattern;
pub use presence::AbsentField;

use crate::base::{Classify, Hint, Kind};
use crate::kafka::Record;

/// Conditions that a record must meet, all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub keys: Vec<TextPattern>,
    pub headers: Vec<HeaderMatch>,
    pub grep: Vec<TextPattern>,
    pub fields: Vec<FieldMatch>,
}

impl Filter {
    /// Whether every record passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
            && self.headers.is_empty()
            && self.grep.is_empty()
            && self.fields.is_empty()
    }

    /// Returns the fields of conditions that no event had, of those that were looked at.
    #[must_use]
    pub fn absent_fields(&self) -> Vec<AbsentField> {
        self.fields.iter().filter_map(FieldMatch::absence).collect()
    }

    /// Whether the record meets every condition.
    #[inline]
    #[must_use]
    pub fn passes(&self, record: &Record<'_>) -> bool {
        self.keys.iter().all(|key| record.key.is_some_and(|bytes| key.is_in(bytes)))
            && self.headers.iter().all(|header| header.is_met(record))
            && self.grep.iter().all(|text| record.value.is_some_and(|bytes| text.is_in(bytes)))
            && (self.fields.is_empty()
                || record.value.is_some_and(|value| field::all_met(&self.fields, value)))
    }
}

/// A header of a name, with a value or just there.
#[derive(Clone, Debug)]
pub struct HeaderMatch {
    name: String,
    value: Option<TextPattern>,
}

impl HeaderMatch {
    /// Reads `NAME`, or `NAME=PATTERN`.
    ///
    /// # Errors
    /// There is no name, or the pattern is none.
    pub fn parse(text: &str) -> Result<Self, InvalidFilter> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(TextPattern::parse(value)?)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(InvalidFilter::new(text, "no header is named", "NAME=VALUE"));
        }
        Ok(Self { name: name.to_owned(), value })
    }

    fn is_met(&self, record: &Record<'_>) -> bool {
        record.headers.iter().filter(|(name, _)| *name == self.name).any(|(_, value)| {
            self.value
                .as_ref()
                .is_none_or(|pattern| value.is_some_and(|bytes| pattern.is_in(bytes)))
        })
    }
}

/// Why a text is no filter, and what it may have been meant to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to use {text:?} as a filter: {reason}")]
pub struct InvalidFilter {
    text: String,
    reason: String,
    /// The nearest right form.
    form: String,
}

impl InvalidFilter {
    fn new(text: &str, reason: impl Into<String>, form: impl Into<String>) -> Self {
        Self { text: text.to_owned(), reason: reason.into(), form: form.into() }
    }
}

impl Classify for InvalidFilter {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hints(&self) -> Vec<Hint> {
        vec![Hint::new(format!("write {}", self.form))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{Headers, OwnedHeader};

    fn header(text: &str, list: &[OwnedHeader]) -> bool {
        let filter =
            Filter { headers: vec![HeaderMatch::parse(text).unwrap()], ..Filter::default() };
        let record = Record { headers: Headers::of(list), ..Record::plain("t", None, None) };
        filter.passes(&record)
    }

    #[test]
    fn one_of_several_headers_of_a_name_is_enough() {
        let list = [
            ("a".to_owned(), Some(b"1".to_vec())),
            ("a".to_owned(), Some(b"22".to_vec())),
            ("n".to_owned(), None),
        ];
        assert!(header("a=22", &list) && header("a=2*", &list) && header("a=/^1$/", &list));
        assert!(!header("a=2", &list) && !header("b=1", &list) && !header("b", &list));
        assert!(header("n", &list) && !header("n=", &list), "null is not empty");
        assert!(HeaderMatch::parse("=x").is_err());
    }

    #[test]
    fn every_condition_must_be_met_and_what_is_not_there_meets_none() {
        let filter = Filter {
            keys: vec![TextPattern::parse("user*").unwrap()],
            grep: vec![TextPattern::part("onnx").unwrap()],
            fields: vec![FieldMatch::parse("a=1").unwrap()],
            ..Filter::default()
        };
        let takes = |key: Option<&[u8]>, value: Option<&[u8]>| {
            filter.passes(&Record::plain("t", key, value))
        };
        let value = br#"{"a":1,"b":"onnx"}"#;
        assert!(takes(Some(b"user1"), Some(value)));
        assert!(!takes(Some(b"x"), Some(value)) && !takes(None, Some(value)));
        assert!(!takes(Some(b"user1"), Some(br#"{"a":2,"b":"onnx"}"#)));
        assert!(!takes(Some(b"user1"), Some(br#"{"a":1}"#)) && !takes(Some(b"user1"), None));
        assert!(Filter::default().passes(&Record::plain("t", None, None)));
    }
}
