//! All that a person sees: streams, colour, tables, prompts, errors. The only room for `colored`,
//! `indicatif` and `dialoguer`. It decides nothing about what is done.

mod error;
mod forward;
mod paint;
pub mod pipe;
mod progress;
mod prompt;
pub mod record;
mod streams;
mod table;
pub mod text;

pub use error::report;
pub use forward::ForwardTalk;
pub use paint::{ColorChoice, ColorSignals, Paint};
pub use progress::{Lanes, Progress};
pub use prompt::Question;
pub use streams::{Format, Ui, UiOptions, Verbosity};
pub use table::Table;
