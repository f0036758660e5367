//! What the tests stand on: a clean place to run the program in, the program's outcome as a value,
//! the local stack, an HTTP API that plays a script, brokers that are none, a real Kafka, and other
//! people's clients.

pub mod broken_broker;
pub mod certificates;
pub mod environment;
pub mod http;
pub mod kafka;
pub mod peers;
pub mod records;
pub mod resolver;
pub mod run;
pub mod scale;
pub mod scripted;
pub mod skip;
pub mod small_disk;
pub mod socks;
pub mod stack;
pub mod terminal;
pub mod tls_api;
pub mod tls_door;
pub mod zips;

use std::time::Duration;

/// How long a test waits for something that must happen. It bounds a broken run and measures
/// nothing, so it is generous: the machine may be busy with everything else.
pub const PATIENCE: Duration = Duration::from_secs(60);
