//! The one error type that leaves a command: a kind, a chain of causes, and hints that name the
//! next thing to try. Rooms below keep error enums of their own and implement [`Classify`], so that
//! nothing here needs to know them.

use std::borrow::Cow;
use std::fmt;

use super::Kind;

/// A sentence that names the next thing to try: a command, a flag, a line to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    text: Cow<'static, str>,
    ends_with_command: bool,
}

impl Hint {
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), ends_with_command: false }
    }

    /// A hint that ends with a whole command of this program, its words quoted for a shell.
    #[must_use]
    pub fn command(purpose: &str, command: &str) -> Self {
        Self { text: format!("{purpose}: {command}").into(), ends_with_command: true }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text, with the flags that the run itself was given behind its command.
    #[must_use]
    pub fn text_with(&self, flags: &str) -> Cow<'_, str> {
        if self.ends_with_command && !flags.is_empty() {
            format!("{}{flags}", self.text).into()
        } else {
            self.text().into()
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An error that knows what it means to a caller.
pub trait Classify: std::error::Error + Send + Sync + 'static {
    fn kind(&self) -> Kind;

    fn hints(&self) -> Vec<Hint> {
        Vec::new()
    }
}

/// The end of a command that did not succeed.
///
/// The message is the outermost error of the chain; the causes are the rest, outermost first.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    error: anyhow::Error,
    hints: Vec<Hint>,
    facts: Vec<(&'static str, Fact)>,
}

/// What programs are told in a field of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Number(i64),
    Text(String),
}

impl From<i64> for Fact {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            error: anyhow::Error::msg(message.into()),
            hints: Vec::new(),
            facts: Vec::new(),
        }
    }

    /// Wraps any error under a kind, keeping its sources as causes.
    pub fn wrap(kind: Kind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into(), hints: Vec::new(), facts: Vec::new() }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    #[must_use]
    pub fn hint(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.hints.push(Hint::new(text));
        self
    }

    /// Adds a hint that ends with a command.
    #[must_use]
    pub fn hint_command(mut self, purpose: &str, command: &str) -> Self {
        self.hints.push(Hint::command(purpose, command));
        self
    }

    /// Adds a number or a text for programs, a field of its own in the JSON form.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<Fact>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// Puts a sentence before the error; what was the message becomes the first cause.
    #[must_use]
    pub fn context(mut self, message: impl Into<String>) -> Self {
        self.error = self.error.context(message.into());
        self
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    #[must_use]
    pub fn message(&self) -> String {
        self.error.to_string()
    }

    /// The causes below the message, outermost first, without those that only repeat their parent.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut above = self.message();
        for cause in self.error.chain().skip(1) {
            let text = cause.to_string();
            if !above.contains(&text) {
                causes.push(text.clone());
            }
            above = text;
        }
        causes
    }

    /// The room's own error that this was made from, for those who know its type. Sentences that were
    /// put before it do not hide it.
    #[must_use]
    pub fn origin<E: std::error::Error + Send + Sync + 'static>(&self) -> Option<&E> {
        self.error.downcast_ref()
    }

    #[must_use]
    pub fn hints(&self) -> &[Hint] {
        &self.hints
    }

    /// What programs are told beside the message.
    #[must_use]
    pub fn facts(&self) -> &[(&'static str, Fact)] {
        &self.facts
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl<E: Classify> From<E> for Failure {
    fn from(error: E) -> Self {
        let (kind, hints) = (error.kind(), error.hints());
        Self { kind, hints, error: anyhow::Error::new(error), facts: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to open {path}")]
    struct Sample {
        path: &'static str,
        #[source]
        cause: std::io::Error,
    }

    impl Classify for Sample {
        fn kind(&self) -> Kind {
            Kind::NotFound
        }

        fn hints(&self) -> Vec<Hint> {
            vec![Hint::new("try another path")]
        }
    }

    #[test]
    fn a_classified_error_keeps_its_kind_hints_and_causes() {
        let failure = Failure::from(Sample { path: "x.pt", cause: std::io::Error::other("gone") });
        assert_eq!(failure.kind(), Kind::NotFound);
        assert_eq!(failure.message(), "failed to open x.pt");
        assert_eq!(failure.causes(), ["gone"]);
        assert_eq!(failure.hints()[0].text(), "try another path");
    }

    #[test]
    fn the_error_that_it_was_made_from_is_known_by_its_type() {
        let failure = Failure::from(Sample { path: "x.pt", cause: std::io::Error::other("gone") });
        let failure = failure.context("failed to begin");
        assert_eq!(failure.origin::<Sample>().map(|sample| sample.path), Some("x.pt"));
        assert!(failure.origin::<fmt::Error>().is_none());
    }

    #[test]
    fn a_context_pushes_the_message_down() {
        let failure = Failure::new(Kind::Usage, "bad value").context("failed to read --tags");
        assert_eq!(failure.message(), "failed to read --tags");
        assert_eq!(failure.causes(), ["bad value"]);
    }
}
