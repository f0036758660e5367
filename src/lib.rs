//! The rooms of `dwctl`, from the bottom up; imports go downwards only.

/// What is uploaded: folders as zip streams of known length.
pub mod archive;
/// Kinds of failure, deadlines, clock, ids and the stop: what everything may use.
pub mod base;
/// The root of the command line.
pub mod cli;
/// One file per subcommand.
pub mod commands;
/// The one assembly point: settings become clients, on first use.
pub mod context;
/// What the product does, without a terminal in sight.
pub mod flows;
/// Client of Kafka.
pub mod kafka;
/// The wire: ids, events, API models, the JSON byte walker. No I/O.
pub mod schema;
/// The local stack: API, store, outbox, broker.
pub mod serve;
/// Where a value comes from: flag, environment, profile, file, default.
pub mod settings;
/// Certificates, authorities, and plain words for what is wrong with them.
pub mod tls;
/// All that a person sees.
pub mod ui;
/// Client of the HTTP API.
pub mod warehouse;
