//! What the stack tells while it runs, to whoever shows it.

use std::time::Duration;

use crate::kafka::Acknowledgement;

/// A request and how it was answered.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredRequest<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub took: Duration,
    /// Why it was refused, on one line.
    pub reason: Option<&'a str>,
}

/// Takes what happens. Called from many threads.
pub trait ServeReporter: Send + Sync {
    /// A request was answered.
    fn request(&self, request: &AnsweredRequest<'_>);
    /// Something that the stack did of its own accord.
    fn notice(&self, what: &str);
    /// Events are on their topics: the key and the place of each.
    fn published(&self, events: &[(String, Acknowledgement)]);
    /// Something somebody should know: it does not work and is tried again, or it will not be kept.
    fn trouble(&self, what: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl ServeReporter for Silent {
    fn request(&self, _: &AnsweredRequest<'_>) {}
    fn notice(&self, _: &str) {}
    fn published(&self, _: &[(String, Acknowledgement)]) {}
    fn trouble(&self, _: &str) {}
}
