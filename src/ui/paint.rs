//! Colour, decided once per stream and carried as a value: a stream that is no terminal gets no
//! escape codes, whatever the other one is.

use colored::Colorize;

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}

impl std::str::FromStr for ColorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            _ => Err(format!("{text:?} is not auto, always or never")),
        }
    }
}

/// What the environment says about colour.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColorSignals {
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is on.
    pub force: bool,
    /// `TERM=dumb`.
    pub dumb: bool,
}

/// Paints text for one stream, or leaves it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint {
    enabled: bool,
}

impl Paint {
    #[must_use]
    pub fn decide(choice: ColorChoice, signals: ColorSignals, is_terminal: bool) -> Self {
        let enabled = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if signals.no_color => false,
            ColorChoice::Auto if signals.force => true,
            ColorChoice::Auto => is_terminal && !signals.dumb,
        };
        if enabled {
            // `colored` decides for the whole process; here each stream decides for itself.
            colored::control::set_override(true);
        }
        Self { enabled }
    }

    #[must_use]
    pub const fn plain() -> Self {
        Self { enabled: false }
    }

    #[must_use]
    pub const fn is_enabled(self) -> bool {
        self.enabled
    }

    fn apply(self, text: &str, style: impl FnOnce(&str) -> colored::ColoredString) -> String {
        if self.enabled { style(text).to_string() } else { text.to_owned() }
    }

    /// What went well.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.apply(text, |text| text.green().bold())
    }

    /// What failed.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.apply(text, |text| text.red().bold())
    }

    /// What deserves a look.
    #[must_use]
    pub fn warn(self, text: &str) -> String {
        self.apply(text, |text| text.yellow().bold())
    }

    /// What may be tried next.
    #[must_use]
    pub fn hint(self, text: &str) -> String {
        self.apply(text, |text| text.cyan().bold())
    }

    /// Titles and names.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.apply(text, |text| text.bold())
    }

    /// What stands beside.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.apply(text, |text| text.dimmed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: ColorSignals = ColorSignals { no_color: false, force: false, dumb: false };

    #[test]
    fn only_a_terminal_gets_colour_by_itself() {
        assert!(Paint::decide(ColorChoice::Auto, QUIET, true).is_enabled());
        assert!(!Paint::decide(ColorChoice::Auto, QUIET, false).is_enabled());
        assert!(
            !Paint::decide(ColorChoice::Auto, ColorSignals { dumb: true, ..QUIET }, true)
                .is_enabled()
        );
    }

    #[test]
    fn the_flag_beats_the_environment_and_no_beats_force() {
        let both = ColorSignals { no_color: true, force: true, dumb: false };
        assert!(!Paint::decide(ColorChoice::Auto, both, true).is_enabled());
        assert!(Paint::decide(ColorChoice::Always, both, false).is_enabled());
        assert!(
            !Paint::decide(ColorChoice::Never, ColorSignals { force: true, ..QUIET }, true)
                .is_enabled()
        );
        assert!(
            Paint::decide(ColorChoice::Auto, ColorSignals { force: true, ..QUIET }, false)
                .is_enabled()
        );
    }

    #[test]
    fn plain_paint_changes_nothing() {
        assert_eq!(Paint::plain().bad("x"), "x");
    }
}
