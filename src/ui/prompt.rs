//! Questions, asked on standard error and only where a person can see and answer them.

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Select};

use super::Ui;
use crate::base::{Failure, Kind};

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
            return input.interact_text().map_err(aborted);
        }
        let first = question
            .default
            .and_then(|default| question.choices.iter().position(|choice| *choice == default))
            .unwrap_or(0);
        let chosen = Select::with_theme(&*theme)
            .with_prompt(question.prompt)
            .items(question.choices)
            .default(first)
            .interact()
            .map_err(aborted)?;
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
            .interact()
            .map_err(aborted)
    }

    fn theme(&self) -> Box<dyn Theme> {
        if self.talk_paint().is_enabled() {
            Box::new(ColorfulTheme::default())
        } else {
            Box::new(SimpleTheme)
        }
    }
}

fn aborted(error: dialoguer::Error) -> Failure {
    Failure::wrap(Kind::Interrupted, error).context("no answer was given")
}
