//! Questions, asked on standard error and only where a person can see and answer them.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Select};

use super::Ui;
use super::text::{LineBreaks, escape_unsafe};
use crate::base::{Deadline, Failure, Kind, Signal};

/// A question with its choices, if it has any.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    pub prompt: &'a str,
    /// A closed list; empty for free text.
    pub choices: &'a [&'a str],
    /// What Enter alone means.
    pub default: Option<&'a str>,
}

/// The same, for a thread of its own.
struct Owned {
    prompt: String,
    choices: Vec<String>,
    default: Option<String>,
    is_painted: bool,
}

impl Ui {
    /// Asks for one value, until the deadline. Callers ask [`Ui::may_ask`] first.
    ///
    /// # Errors
    /// The person pressed Escape or Ctrl-C, gave no answer in time, or the terminal went away.
    pub fn ask(&self, question: &Question<'_>, deadline: Deadline) -> Result<String, Failure> {
        let owned = Owned {
            prompt: escape_unsafe(question.prompt, LineBreaks::Escape).into_owned(),
            choices: question.choices.iter().map(|&choice| choice.to_owned()).collect(),
            default: question.default.map(str::to_owned),
            is_painted: self.err().has_color,
        };
        self.until(deadline, move || owned.ask())
    }

    /// Asks for a yes, until the deadline; Enter alone means no.
    ///
    /// # Errors
    /// As [`Ui::ask`].
    pub fn confirm(&self, prompt: &str, deadline: Deadline) -> Result<bool, Failure> {
        let prompt = escape_unsafe(prompt, LineBreaks::Escape).into_owned();
        let is_painted = self.err().has_color;
        self.until(deadline, move || {
            Confirm::with_theme(&*theme(is_painted))
                .with_prompt(prompt)
                .default(false)
                .interact_opt()
        })
    }

    /// Has a question asked and answered. Where there is a deadline a thread waits for the answer,
    /// because nothing ends the read of a key; it is left behind, and the terminal as it was before.
    fn until<T: Send + 'static>(
        &self,
        deadline: Deadline,
        ask: impl FnOnce() -> dialoguer::Result<Option<T>> + Send + 'static,
    ) -> Result<T, Failure> {
        let answer = match deadline.remaining() {
            None => ask(),
            Some(left) => {
                let terminal = rustix::termios::tcgetattr(rustix::stdio::stdin());
                let (answer, answered) = mpsc::channel();
                std::thread::Builder::new()
                    .name("question".into())
                    // Nobody is left to hear an answer that comes too late.
                    .spawn(move || drop(answer.send(ask())))
                    .map_err(|error| Failure::wrap(Kind::Internal, error))?;
                match answered.recv_timeout(left) {
                    Ok(answer) => answer,
                    Err(_) => {
                        if let Ok(terminal) = terminal {
                            // A terminal that is gone needs nothing.
                            let now = rustix::termios::OptionalActions::Now;
                            let _ =
                                rustix::termios::tcsetattr(rustix::stdio::stdin(), now, &terminal);
                        }
                        self.leave_question();
                        return Err(Failure::new(Kind::Deadline, "no answer was given in time")
                            .hint("give it as a flag, or a longer --timeout"));
                    }
                }
            }
        };
        answer.map_err(|error| self.aborted(error))?.ok_or_else(unanswered)
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
}

/// An answer, which is displayed as a terminal may get it: a default can come from a file.
#[derive(Clone)]
struct Answer(String);

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape_unsafe(&self.0, LineBreaks::Escape))
    }
}

impl FromStr for Answer {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl Owned {
    fn ask(self) -> dialoguer::Result<Option<String>> {
        let theme = theme(self.is_painted);
        if self.choices.is_empty() {
            let input = Input::<Answer>::with_theme(&*theme).with_prompt(self.prompt);
            let input = match self.default {
                Some(default) => input.default(Answer(default)),
                None => input,
            };
            return input.interact_text().map(|answer| Some(answer.0));
        }
        let first = self
            .default
            .and_then(|default| self.choices.iter().position(|choice| *choice == default))
            .unwrap_or(0);
        let chosen = Select::with_theme(&*theme)
            .with_prompt(self.prompt)
            .items(self.choices.iter().map(|choice| escape_unsafe(choice, LineBreaks::Escape)))
            .default(first)
            .interact_opt()?;
        Ok(chosen.map(|index| self.choices[index].clone()))
    }
}

fn theme(is_painted: bool) -> Box<dyn Theme> {
    if is_painted { Box::new(ColorfulTheme::default()) } else { Box::new(SimpleTheme) }
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
