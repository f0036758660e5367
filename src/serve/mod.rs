//! The local stack: the warehouse API on SQLite and files, an outbox that loses nothing, and an
//! embedded Kafka broker.

pub mod broker;
mod error;

pub use error::ServeError;
