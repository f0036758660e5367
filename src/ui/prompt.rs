//! Questions, asked on standard error and only where a person can see and answer them.

use std::time::{Duration, Instant};

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Select};

use super::Ui;
use crate::base::{Failure, Kind, Signal};

/// A question with its choices, if it has any.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    pub prompt: &'a str,
    /// A closed list; empty for free text.
    pub choices: &'a [&'a str],
    /// What Enter alone means.
    pub default: Option<&'a str>,
}

impl Ui {
    /// Asks for one value. Callers ask [`Ui::may_ask`] first.
    ///
    /// # Errors
    /// The person pressed Escape or Ctrl-C, or the terminal went away.
    pub fn ask(&self, question: &Question<'_>) -> Result<String, Failure> {
        let theme = self.theme();
        if question.choices.is_empty() {
            let input = Input::<String>::with_theme(&*theme).with_prompt(question.prompt);
            let input = match question.default {
                Some(default) => input.default(default.to_owned()),
                None => input,
            };
            return input.interact_text().map_err(|error| self.aborted(error));
        }
        let first = question
            .default
            .and_then(|default| question.choices.iter().position(|choice| *choice == default))
            .unwrap_or(0);
        let chosen = Select::with_theme(&*theme)
            .with_prompt(question.prompt)
            .items(question.choices)
            .default(first)
            .interact_opt()
            .map_err(|error| self.aborted(error))?
            .ok_or_else(unanswered)?;
        Ok(question.choices[chosen].to_owned())
    }

    /// Asks for a yes; Enter alone means no.
    ///
    /// # Errors
    /// As [`Ui::ask`].
    pub fn confirm(&self, prompt: &str) -> Result<bool, Failure> {
        Confirm::with_theme(&*self.theme())
            .with_prompt(prompt)
            .default(false)
            .interact_opt()
            .map_err(|error| self.aborted(error))?
            .ok_or_else(unanswered)
    }

    /// The cursor is still behind the question; an error must not go on there.
    fn aborted(&self, error: dialoguer::Error) -> Failure {
        self.leave_question();
        let failure = lost(error);
        // The signal that interrupted the read is counted by a thread of its own, a moment later.
        let end = Instant::now() + Duration::from_millis(100);
        while !self.shutdown().is_requested() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        match self.shutdown().signal().and_then(Signal::kind) {
            Some(kind) => Failure::new(kind, failure.message()),
            None => failure,
        }
    }

    fn theme(&self) -> Box<dyn Theme> {
        if self.talk_paint().is_enabled() {
            Box::new(ColorfulTheme::default())
        } else {
            Box::new(SimpleTheme)
        }
    }
}

/// The person left the question with Escape or Ctrl-C.
fn unanswered() -> Failure {
    Failure::new(Kind::Interrupted, "no answer was given")
}

/// Ctrl-C comes as a read that was interrupted, which is no cause worth telling.
fn lost(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(cause) = error;
    match cause.kind() {
        std::io::ErrorKind::Interrupted => unanswered(),
        _ => Failure::wrap(Kind::Interrupted, cause).context("no answer was given"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn an_interrupt_has_no_cause_and_a_terminal_that_is_gone_has_one() {
        let interrupted = lost(io::Error::from(io::ErrorKind::Interrupted).into());
        assert_eq!(interrupted.message(), "no answer was given");
        assert!(interrupted.causes().is_empty(), "{:?}", interrupted.causes());
        let gone = lost(io::Error::other("it hung up").into());
        assert_eq!(
            (gone.kind(), gone.causes()),
            (Kind::Interrupted, vec!["it hung up".to_owned()])
        );
    }
}
