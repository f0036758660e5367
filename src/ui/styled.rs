//! Text for people as a value: spans with a style each. Only a stream makes bytes of it, so that
//! escape codes on a terminal are always our own, whatever the text contains.

use std::borrow::Cow;

use colored::{ColoredString, Colorize};

use super::text::{LineBreaks, escape_unsafe};

/// How a span of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextStyle {
    Plain,
    /// What succeeded.
    Good,
    /// What failed.
    Bad,
    /// What deserves a look.
    Warning,
    /// What can be tried next.
    Hint,
    /// Titles and labels.
    Strong,
    /// Secondary facts.
    Dim,
}

impl TextStyle {
    /// Returns the text with the escape codes of the style, for a stream that takes color.
    fn paint(self, text: &str) -> ColoredString {
        // `colored` decides once per process; here each stream decides, and this one takes color.
        colored::control::set_override(true);
        match self {
            Self::Plain => text.normal(),
            Self::Good => text.green().bold(),
            Self::Bad => text.red().bold(),
            Self::Warning => text.yellow().bold(),
            Self::Hint => text.cyan().bold(),
            Self::Strong => text.bold(),
            Self::Dim => text.dimmed(),
        }
    }
}

/// Text in spans of one style each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StyledText<'t> {
    spans: Vec<(TextStyle, Cow<'t, str>)>,
}

impl<'t> StyledText<'t> {
    pub fn new(style: TextStyle, text: impl Into<Cow<'t, str>>) -> Self {
        Self::default().with(style, text)
    }

    /// Appends a span.
    #[must_use]
    pub fn with(mut self, style: TextStyle, text: impl Into<Cow<'t, str>>) -> Self {
        self.spans.push((style, text.into()));
        self
    }

    /// Appends text without a style.
    #[must_use]
    pub fn plain(self, text: impl Into<Cow<'t, str>>) -> Self {
        self.with(TextStyle::Plain, text)
    }
}

impl<'t> From<&'t str> for StyledText<'t> {
    fn from(text: &'t str) -> Self {
        Self::default().plain(text)
    }
}

impl<'t> From<&'t String> for StyledText<'t> {
    fn from(text: &'t String) -> Self {
        Self::default().plain(text.as_str())
    }
}

impl From<String> for StyledText<'_> {
    fn from(text: String) -> Self {
        Self::default().plain(text)
    }
}

/// Makes the bytes of one stream from styled text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRenderer {
    /// Unsafe characters of the text are escaped.
    pub is_terminal: bool,
    /// Styles become escape codes.
    pub has_color: bool,
}

impl TextRenderer {
    /// For a stream that takes text unchanged.
    #[cfg(test)]
    pub const PLAIN: Self = Self { is_terminal: false, has_color: false };

    /// Returns the text as the stream takes it; line breaks of the text go by `breaks` on a terminal.
    #[must_use]
    pub fn render(self, text: &StyledText<'_>, breaks: LineBreaks) -> String {
        let mut out = String::new();
        for (style, span) in &text.spans {
            let shown = self.clean(span, breaks);
            if self.has_color {
                out += &style.paint(&shown).to_string();
            } else {
                out += &shown;
            }
        }
        out
    }

    /// Returns text without a style as the stream takes it.
    #[must_use]
    pub fn clean(self, text: &str, breaks: LineBreaks) -> Cow<'_, str> {
        if self.is_terminal { escape_unsafe(text, breaks) } else { Cow::Borrowed(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\x1b[31mred\x1b[0m \u{9b}2J";

    fn render(is_terminal: bool, has_color: bool) -> String {
        let text = StyledText::new(TextStyle::Good, HOSTILE).plain(HOSTILE);
        TextRenderer { is_terminal, has_color }.render(&text, LineBreaks::Keep)
    }

    #[test]
    fn a_terminal_gets_escape_codes_of_styles_alone() {
        let clean = "\\u001b[31mred\\u001b[0m \\u009b2J";
        assert_eq!(render(true, true), format!("\x1b[1;32m{clean}\x1b[0m{clean}"));
        assert_eq!(render(true, false), format!("{clean}{clean}"));
    }

    #[test]
    fn each_style_has_its_escape_codes() {
        let styles = [
            (TextStyle::Plain, "x"),
            (TextStyle::Good, "\x1b[1;32mx\x1b[0m"),
            (TextStyle::Bad, "\x1b[1;31mx\x1b[0m"),
            (TextStyle::Warning, "\x1b[1;33mx\x1b[0m"),
            (TextStyle::Hint, "\x1b[1;36mx\x1b[0m"),
            (TextStyle::Strong, "\x1b[1mx\x1b[0m"),
            (TextStyle::Dim, "\x1b[2mx\x1b[0m"),
        ];
        let renderer = TextRenderer { is_terminal: true, has_color: true };
        for (style, shown) in styles {
            let text = StyledText::new(style, "x");
            assert_eq!(renderer.render(&text, LineBreaks::Keep), shown, "{style:?}");
        }
    }

    #[test]
    fn another_stream_gets_the_text_unchanged() {
        assert_eq!(render(false, false), format!("{HOSTILE}{HOSTILE}"));
    }
}
