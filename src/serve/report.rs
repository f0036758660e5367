//! What the stack tells while it runs, to whoever shows it.

use std::time::Duration;

use crate::kafka::Acknowledgement;

/// Takes what happens. Called from many threads.
pub trait ServeReporter: Send + Sync {
    /// A request was answered.
    fn request(&self, method: &str, path: &str, status: u16, took: Duration);
    /// Events are on their topics: the key and the place of each.
    fn published(&self, events: &[(String, Acknowledgement)]);
    /// Something somebody should know: it does not work and is tried again, or it will not be kept.
    fn trouble(&self, what: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl ServeReporter for Silent {
    fn request(&self, _: &str, _: &str, _: u16, _: Duration) {}
    fn published(&self, _: &[(String, Acknowledgement)]) {}
    fn trouble(&self, _: &str) {}
}
