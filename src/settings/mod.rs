//! Where a value comes from: flag, then environment, then profile, then the file's top level, then
//! the defaults. One table of keys; the only room that reads the environment; it knows no clap.

mod broker_address;
mod environment;
mod error;
mod file;
mod keys;
mod locate;
pub mod metadata;
mod ownership;
mod proxy;
mod reach;
mod resolve;
mod secret;
mod tree;
mod trust;
mod unread;

pub use environment::Environment;
pub use error::SettingsError;
pub use keys::{KEYS, Key, KeyRow};
pub use locate::{ProjectFile, SettingsWarning};
pub use proxy::{Proxy, find_proxy};
pub use reach::{Footprint, ForgottenSystem, System};
pub use resolve::{DialectChoice, Origin, Overrides, Settings, ShownSetting, Value};
pub use tree::TreeFile;
pub use trust::Trust;
pub use unread::Unread;
