//! Lines at the bottom of the terminal that are redrawn in place: the status of a read, the progress
//! of transfers.
//!
//! Each line is cut to the terminal's width at each redraw, and the cursor rests at the start of the
//! first one, from where all is erased to the end of the screen. tmux rewraps its lines when it gets
//! narrower, and moves a row into its history for each one that this adds, even where rows below are
//! free: of lines at the top of the screen the first rows are out of reach then, and stay.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use unicode_width::UnicodeWidthChar;

use super::text::{LineBreaks, escape_unsafe};

/// Erases from the cursor's line to the end of the screen. Terminals that keep what was erased from
/// the first cell of the screen on, such as tmux, get two pieces: the line, and all below it.
const ERASE: &str = "\r\x1b[2K\x1b7\x1b[B\x1b[J\x1b8";

/// A line of a label and facts. If it is too long, the last facts are left out and the label is
/// shortened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveText {
    pub label: String,
    /// By importance; each begins with what separates it.
    pub facts: Vec<String>,
}

/// The lines of one terminal, shared by all that draw there.
#[derive(Debug, Default)]
pub(super) struct LiveLines {
    state: Mutex<LiveState>,
}

#[derive(Debug, Default)]
struct LiveState {
    /// By the order in which they were added.
    lines: BTreeMap<u64, LiveText>,
    next: u64,
    /// What the terminal shows now.
    drawn: Option<Frame>,
}

/// What is drawn: it depends on the size as well.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    size: TerminalSize,
    lines: Vec<String>,
}

/// Columns and rows of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TerminalSize {
    pub columns: usize,
    pub rows: usize,
}

impl TerminalSize {
    /// Asks the terminal on standard error; 80 by 24 if it does not know.
    pub fn of_stderr() -> Self {
        let known = rustix::termios::tcgetwinsize(rustix::stdio::stderr()).ok();
        let or = |count: Option<u16>, default: usize| {
            count.filter(|count| *count > 0).map_or(default, usize::from)
        };
        Self {
            columns: or(known.map(|size| size.ws_col), 80),
            rows: or(known.map(|size| size.ws_row), 24),
        }
    }
}

impl LiveLines {
    fn lock(&self) -> MutexGuard<'_, LiveState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of a new line, which shows nothing yet.
    pub fn add(&self) -> u64 {
        let mut state = self.lock();
        state.next += 1;
        state.next
    }

    /// Sets a line's text and passes what draws it to `write`.
    pub fn set(&self, id: u64, text: LiveText, size: TerminalSize, write: impl FnOnce(&str)) {
        let mut state = self.lock();
        state.lines.insert(id, text);
        state.draw(size, write);
    }

    /// Removes a line and passes what draws the others to `write`.
    pub fn remove(&self, id: u64, size: TerminalSize, write: impl FnOnce(&str)) {
        let mut state = self.lock();
        if state.lines.remove(&id).is_some() {
            state.draw(size, write);
        }
    }

    /// Runs `write` while no line is shown; its argument is what erases them, to be written first.
    /// They appear again when one of them is set.
    pub fn suspend<T>(&self, write: impl FnOnce(&str) -> T) -> T {
        let mut state = self.lock();
        let erase = state.drawn.take().map_or("", |_| ERASE);
        write(erase)
    }

    /// As [`LiveLines::suspend`], or nothing if another thread writes at the moment.
    pub fn try_suspend(&self, write: impl FnOnce(&str)) {
        if let Ok(mut state) = self.state.try_lock() {
            write(state.drawn.take().map_or("", |_| ERASE));
        }
    }

    /// Returns what erases the lines, without a lock held afterwards.
    pub fn take_down(&self) -> &'static str {
        self.lock().drawn.take().map_or("", |_| ERASE)
    }
}

impl LiveState {
    fn draw(&mut self, size: TerminalSize, write: impl FnOnce(&str)) {
        let room = size.rows.saturating_sub(1).max(1);
        let lines: Vec<String> =
            self.lines.values().take(room).map(|text| fit_line(text, size.columns)).collect();
        let frame = (!lines.is_empty()).then_some(Frame { size, lines });
        if frame != self.drawn {
            write(&frame.as_ref().map_or_else(|| ERASE.to_owned(), Frame::escape_codes));
            self.drawn = frame;
        }
    }
}

impl Frame {
    /// Draws the lines over what was there and leaves the cursor at the start of the first.
    fn escape_codes(&self) -> String {
        let dimmed: Vec<String> =
            self.lines.iter().map(|line| format!("\x1b[2m{line}\x1b[0m")).collect();
        let up = match self.lines.len() - 1 {
            0 => String::new(),
            above => format!("\x1b[{above}A"),
        };
        // What is erased comes after the text, so that nothing flickers.
        format!("\r{}\x1b[J\r{up}", dimmed.join("\x1b[K\r\n"))
    }
}

/// Returns the line in fewer than `columns` columns: the last one stays free, because terminals wrap
/// there at different times.
fn fit_line(text: &LiveText, columns: usize) -> String {
    /// Columns of a label that still name something.
    const SHORTEST: usize = 12;
    let room = columns.saturating_sub(1);
    let one_line = |text: &str| escape_unsafe(text, LineBreaks::Escape).replace('\t', " ");
    let label = one_line(&text.label);
    let least = text_width(&label).min(SHORTEST);
    let fits = |facts: &[String]| least + text_width(&one_line(&facts.concat())) <= room;
    let count = (1..=text.facts.len()).rev().find(|&count| fits(&text.facts[..count]));
    let state = one_line(&text.facts[..count.unwrap_or(text.facts.len().min(1))].concat());
    let left = room.saturating_sub(text_width(&state)).max(least);
    cut_to_width(&format!("{}{state}", cut_to_width(&label, left)), room)
}

/// Returns the text if it fits into the columns, else its beginning and an ellipsis.
fn cut_to_width(text: &str, columns: usize) -> String {
    if text_width(text) <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut cut = String::new();
    for character in text.chars() {
        match left.checked_sub(char_width(character)) {
            Some(rest) => left = rest,
            None => break,
        }
        cut.push(character);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// Columns that a terminal uses for the text.
pub(super) fn text_width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(character: char) -> usize {
    match character {
        // It asks for the wide form of the character before it, which some terminals have.
        '\u{fe0f}' => 1,
        _ => character.width().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: TerminalSize = TerminalSize { columns: 40, rows: 24 };

    fn live(label: &str, facts: &[&str]) -> LiveText {
        let facts = facts.iter().map(|fact| (*fact).to_owned()).collect();
        LiveText { label: label.to_owned(), facts }
    }

    #[test]
    fn a_line_fits_at_any_width() {
        let labels = [
            "automl-events",
            "模型事件模型事件模型事件模型事件",
            "e\u{301}❤\u{fe0f}x",
            "a\x1b[2J\n",
        ];
        for label in labels {
            for repeat in [1, 4, 40] {
                let text = live(&label.repeat(repeat), &[": lag 7", ", 12 records/s"]);
                for columns in 0..200 {
                    let line = fit_line(&text, columns);
                    assert!(text_width(&line) < columns.max(1), "{columns}: {line:?}");
                    assert!(!line.contains(char::is_control), "{line:?}");
                }
            }
        }
    }

    #[test]
    fn the_label_is_cut_before_the_state() {
        let text = live("a-topic-with-a-long-name-of-its-own", &[": lag 7", ", 12 records/s"]);
        assert_eq!(fit_line(&text, 40), "a-topic-with-a-lo…: lag 7, 12 records/s");
        assert_eq!(fit_line(&text, 80), "a-topic-with-a-long-name-of-its-own: lag 7, 12 records/s");
        assert_eq!(fit_line(&text, 24), "a-topic-with-a-…: lag 7");
        assert_eq!(fit_line(&text, 16), "a-topic-wit…: …");
    }

    #[test]
    fn lines_are_erased_from_the_first_on_before_anything_else_is_written() {
        let lines = LiveLines::default();
        let (first, second) = (lines.add(), lines.add());
        let mut out = String::new();
        lines.set(first, live("a", &[]), SIZE, |text| out += text);
        lines.set(second, live("b", &[]), SIZE, |text| out += text);
        lines.set(second, live("b", &[]), SIZE, |_| panic!("nothing has changed"));
        lines.suspend(|erase| out += &format!("{erase}text\n"));
        lines.suspend(|erase| out += &format!("{erase}more\n"));
        lines.remove(first, SIZE, |text| out += text);
        lines.remove(second, SIZE, |text| out += text);
        let (a, b) = ("\x1b[2ma\x1b[0m", "\x1b[2mb\x1b[0m");
        assert_eq!(
            out,
            format!(
                "\r{a}\x1b[J\r\r{a}\x1b[K\r\n{b}\x1b[J\r\x1b[1A{ERASE}text\nmore\n\r{b}\x1b[J\r{ERASE}"
            )
        );
    }

    #[test]
    fn another_size_is_another_frame() {
        let lines = LiveLines::default();
        let id = lines.add();
        let mut draws = 0;
        for columns in [80, 40, 40, 80] {
            let size = TerminalSize { columns, ..SIZE };
            lines.set(id, live("a", &[]), size, |_| draws += 1);
        }
        assert_eq!(draws, 3);
    }

    #[test]
    fn more_lines_than_rows_leave_out_the_last() {
        let lines = LiveLines::default();
        let mut last = String::new();
        for _ in 0..9 {
            let size = TerminalSize { rows: 4, ..SIZE };
            lines.set(lines.add(), live("a", &[]), size, |text| text.clone_into(&mut last));
        }
        assert_eq!(last.matches('a').count(), 3, "{last:?}");
    }
}
