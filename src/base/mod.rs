//! What every room may use: kinds of failure and their exit codes, deadlines, the clock and the
//! source of ids as values, the state machine of a stop, and files that are opened without waiting.

pub mod clock;
pub mod deadline;
pub mod duration;
pub mod escape;
pub mod failure;
pub mod file;
pub mod ids;
pub mod kind;
pub mod nearest;
pub mod plain_text;
pub mod rate;
pub mod redact;
pub mod shell;
pub mod shutdown;
pub mod text_pattern;

pub use clock::{Clock, Stamp};
pub use deadline::Deadline;
pub use failure::{Classify, Fact, Failure, Hint};
pub use ids::IdSource;
pub use kind::Kind;
pub use rate::Rate;
pub use shutdown::{Shutdown, Signal};
