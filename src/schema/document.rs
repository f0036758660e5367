//! A JSON document that keeps the text it was received as. Showing, filtering, forwarding and
//! setting aside work on the text; typed reading is a view beside it and never writes back.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::json::{self, Facts, Invalid};

/// One JSON value as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: Box<str>,
    facts: Facts,
}

impl Document {
    /// Takes bytes that must be one JSON value; bare `NaN` and `Infinity` are accepted.
    ///
    /// # Errors
    /// The place at which the bytes stop being JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        let facts = json::validate(bytes)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Invalid { offset: error.valid_up_to(), expected: "UTF-8" })?;
        Ok(Self { text: text.into(), facts })
    }

    /// The text, byte for byte as received.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn facts(&self) -> Facts {
        self.facts
    }

    /// The document as a type; bare numbers read as `null`.
    ///
    /// # Errors
    /// The document is of another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.strict())
    }

    /// The text as any JSON parser takes it: bare numbers as `null`.
    #[must_use]
    pub fn strict(&self) -> Cow<'_, str> {
        if self.facts.bare_numbers {
            json::without_bare_numbers(&self.text)
        } else {
            Cow::Borrowed(&self.text)
        }
    }

    /// The raw value at a path, as [`json::find`].
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<&[u8]> {
        json::find(self.text.as_bytes(), path)
    }

    /// The string at a path; `None` for what is absent, null, or no string.
    #[must_use]
    pub fn string(&self, path: &[&str]) -> Option<Cow<'_, str>> {
        json::unquote(self.find(path)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_stays_and_a_typed_view_stands_beside_it() {
        #[derive(serde::Deserialize)]
        struct View {
            accuracy: Option<f64>,
            name: String,
        }
        let text = r#"{"name": "m\u00fc", "accuracy": NaN, "n": 1.10}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        let view: View = document.read().unwrap();
        assert_eq!((view.accuracy, view.name.as_str()), (None, "mü"));
        assert_eq!(document.text(), text);
        assert_eq!(document.string(&["name"]).unwrap(), "mü");
        assert_eq!(document.find(&["n"]), Some(b"1.10".as_slice()));
    }
}
