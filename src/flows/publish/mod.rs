//! Sending records from lines, in bulk: the engine of `send raw`. Every line is accounted for: it was
//! acknowledged, refused by the broker, no record at all, or still unacknowledged when it had to end.

use crate::base::Kind;

mod alone;
mod document;
mod engine;
mod lines;
mod shape;

pub use document::SpreadDocument;
pub use engine::{Published, Publishing, publish};
pub use lines::{Framing, Input, Lines};
pub use shape::{Delimited, Shape};

/// What became of all lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Lines that were read.
    pub lines: u64,
    /// Records that all in-sync replicas have.
    pub acknowledged: u64,
    /// Records that the broker or the client refused, and the first reason.
    pub refused: u64,
    pub first_refusal: Option<String>,
    /// What to do about the first refusal.
    pub advice: Option<String>,
    /// Lines that are no records.
    pub invalid: u64,
    /// Records whose delivery nobody knows: it ended before their reports.
    pub unacknowledged: u64,
    /// What the broker said that holds for every further record too, and ended it: no permission,
    /// or a topic that is gone.
    pub verdict: Option<(Kind, String)>,
    /// Whether the input was read to its end.
    pub complete: bool,
}

/// Takes the lines that did not become records on the topic.
pub trait Rejects {
    /// One line: its number counted from 1, the reason, and its text where it is still known.
    ///
    /// # Errors
    /// It cannot be kept.
    fn reject(
        &mut self,
        line: u64,
        reason: &str,
        text: Option<&[u8]>,
    ) -> Result<(), crate::base::Failure>;

    /// So many records are on their way, and for seconds none has been acknowledged.
    fn waiting(&mut self, records: u64);

    /// The lines of an input are one JSON document, and each was taken as a record.
    fn spread_document(&mut self, document: SpreadDocument);
}
