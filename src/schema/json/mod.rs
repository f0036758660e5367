//! A walker over the bytes of one JSON value: validates, compacts, indents, finds, without building
//! a tree and without re-encoding anything. What was received is shown as it was sent: `1.10` stays
//! `1.10`, `1E5` stays `1E5`, key order and escapes stay.
//!
//! Beyond RFC 8259 it accepts the bare tokens `NaN`, `Infinity` and `-Infinity`, which Python's
//! `json.dumps` writes and the service can therefore send; [`Facts::bare_numbers`] tells.

mod count;
mod find;
mod format;
mod scan;

pub use count::count_values;
pub use find::{find, is_text, pairs, unquote};
pub use format::{compact, indent, normalize, without_bare_numbers};
pub use scan::{Facts, Invalid, Sink, validate, walk};
