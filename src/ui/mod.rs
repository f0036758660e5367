//! All that a person sees: streams, colour, tables, prompts, errors. The only module that uses
//! `dialoguer`. It decides nothing about what is done.

mod closed;
mod color;
mod error;
mod forward;
mod live;
pub mod pipe;
mod progress;
mod prompt;
pub mod record;
mod streams;
mod styled;
mod table;
pub mod text;

pub use color::{ColorChoice, ColorSignals};
pub use error::report;
pub use forward::ForwardTalk;
pub use progress::{Lanes, Progress};
pub use prompt::Question;
pub use streams::{Format, Ui, UiOptions, Verbosity, describe_write_error};
pub use styled::{StyledText, TextRenderer, TextStyle};
pub use table::Table;
