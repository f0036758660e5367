//! Where a value comes from: flag, then environment, then profile, then the file's top level, then
//! the defaults. One table of keys; the only room that reads the environment; it knows no clap.

mod environment;
mod error;
mod file;
mod keys;
pub mod metadata;
mod proxy;
mod resolve;
mod secret;
mod tree;
mod unread;

pub use environment::Environment;
pub use error::SettingsError;
pub use keys::{KEYS, Key, KeyRow};
pub use proxy::proxy_of;
pub use resolve::{DialectChoice, Origin, Overrides, Settings, Value};
pub use tree::TreeFile;
pub use unread::Unread;
