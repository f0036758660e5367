//! The local stack: the warehouse API on SQLite and files, an outbox that loses nothing, and an
//! embedded Kafka broker.

mod api;
pub mod broker;
mod error;
mod publisher;
mod report;
mod spoken;
mod stack;
mod store;

pub use error::ServeError;
pub use report::{ServeReporter, Silent};
pub use spoken::Spoken;
pub use stack::{Stack, StackOptions};

/// What the server calls itself in the header `Server`.
pub const SERVER: &str = concat!("dwctl/", env!("CARGO_PKG_VERSION"));
