//! Whether a stream takes colour, decided once per stream: one that is not a terminal gets no escape
//! codes, whatever the other one is.

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

impl ColorChoice {
    /// Whether a stream takes colour.
    #[must_use]
    pub fn allows_color(self, signals: ColorSignals, is_terminal: bool) -> bool {
        match self {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if signals.no_color => false,
            ColorChoice::Auto if signals.force => true,
            ColorChoice::Auto => is_terminal && !signals.dumb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: ColorSignals = ColorSignals { no_color: false, force: false, dumb: false };

    #[test]
    fn only_a_terminal_gets_colour_by_itself() {
        assert!(ColorChoice::Auto.allows_color(QUIET, true));
        assert!(!ColorChoice::Auto.allows_color(QUIET, false));
        assert!(!ColorChoice::Auto.allows_color(ColorSignals { dumb: true, ..QUIET }, true));
    }

    #[test]
    fn the_flag_beats_the_environment_and_no_beats_force() {
        let both = ColorSignals { no_color: true, force: true, dumb: false };
        assert!(!ColorChoice::Auto.allows_color(both, true));
        assert!(ColorChoice::Always.allows_color(both, false));
        let force = ColorSignals { force: true, ..QUIET };
        assert!(!ColorChoice::Never.allows_color(force, true));
        assert!(ColorChoice::Auto.allows_color(force, false));
    }
}
