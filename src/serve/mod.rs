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

use std::time::Duration;

pub use api::AllowedOrigin;
pub use error::ServeError;
pub use report::{AnsweredRequest, ServeReporter, Silent};
pub use spoken::Spoken;
pub use stack::{Stack, StackOptions};

/// How long a client may leave its part of a request undone.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What the server calls itself in the header `Server`.
pub const SERVER: &str = concat!("dwctl/", env!("CARGO_PKG_VERSION"));
