//! Records as people and programs read them: the pretty form, one JSON object a line, or the bytes.
//! Nothing is decoded that need not be, and what was sent is shown as it was sent.

mod json;
mod pretty;
mod printer;

pub use printer::{RecordPrinter, RecordStyle};
