//! Records as people and programs read them: the pretty form, one JSON object a line, a format of
//! one's own, or the bytes. Nothing is decoded that need not be, and what was sent is shown as it
//! was sent.

mod colour;
mod json;
mod line;
mod notice;
mod number;
mod pretty;
mod printer;
mod status;

pub use line::{InvalidFormat, LineFormat};
pub use printer::{Evaluations, RecordPrinter, RecordStyle};

use number::number;
