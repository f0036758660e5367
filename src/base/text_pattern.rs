//! Texts that are looked for in others: the service hands them to its database as patterns, without
//! regard to case, and so does the local stack.

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;

/// Bytes that a compiled pattern may take: patterns come from anybody.
const LARGEST: usize = 1024 * 1024;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

/// The text is no pattern.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is no pattern")]
pub struct InvalidPattern {
    text: String,
    #[source]
    cause: Box<regex_automata::meta::BuildError>,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The text is none, or would take too much memory.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        Regex::builder()
            .configure(Config::new().nfa_size_limit(Some(LARGEST)))
            .syntax(syntax::Config::new().case_insensitive(true))
            .build(text)
            .map(Self)
            .map_err(|cause| InvalidPattern { text: text.to_owned(), cause: Box::new(cause) })
    }

    /// Whether it matches anywhere in a text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_ignore_case_and_know_more_than_ascii() {
        let pattern = Pattern::parse("FÜR.*t$").unwrap();
        assert!(pattern.is_in("Random forest für den Test"));
        assert!(!pattern.is_in("Random forest"));
    }

    #[test]
    fn what_is_no_pattern_or_too_large_a_one_is_refused() {
        assert!(Pattern::parse("[").is_err());
        assert!(Pattern::parse("(a{1000}){1000}").is_err());
    }
}
