//! Reading events without caring for more than is needed.

use serde::de::DeserializeOwned;

use crate::schema::document::Document;

/// In which form an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Flat,
    Envelope,
}

/// A record's value as an event, with its `event_type`; or why it is none.
pub(super) fn open(value: Option<&[u8]>) -> Result<(Document, String), String> {
    let value = value.ok_or("it has no value")?;
    let document =
        Document::parse(value).map_err(|invalid| format!("it is not JSON: {invalid}"))?;
    let event_type = document.string(&["event_type"]).ok_or("it has no event_type")?.into_owned();
    Ok((document, event_type))
}

/// Why a step failed, in an envelope of a failure. Success is `failure` being null, and nothing
/// else.
pub(super) fn failure(document: &Document, step: &str) -> Option<String> {
    let failure = document.find(&["failure"]).filter(|raw| *raw != b"null")?;
    let word = |key| text(document, &["failure", key]);
    Some(match (word("error_type"), word("error_message")) {
        (Some(kind), Some(message)) => format!("the {step} step failed: {kind}: {message}"),
        _ => format!("the {step} step failed: {}", String::from_utf8_lossy(failure)),
    })
}

/// A text that is there and not empty.
pub(super) fn text(document: &Document, path: &[&str]) -> Option<String> {
    document.string(path).filter(|text| !text.is_empty()).map(std::borrow::Cow::into_owned)
}

/// An id that must be there.
pub(super) fn id<T, E: std::fmt::Display>(
    document: &Document,
    path: &[&str],
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, String> {
    let name = path.last().copied().unwrap_or_default();
    let text = document.string(path).ok_or_else(|| format!("it has no {name}"))?;
    parse(&text).map_err(|invalid| invalid.to_string())
}

/// A value of a type, where it is there and of that type.
pub(super) fn value<T: DeserializeOwned>(document: &Document, path: &[&str]) -> Option<T> {
    serde_json::from_slice(document.find(path)?).ok()
}
