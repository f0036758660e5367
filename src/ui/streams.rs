//! The user interface as a value: data goes to standard output, talk goes to standard error, each
//! kind of talk by a method of its own. A closed pipe ends the command quietly.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use super::closed::was_stdout_closed;
use super::live::{LiveLines, LiveText, TerminalSize};
use super::styled::{StyledText, TextRenderer, TextStyle};
use super::text::{self, LineBreaks};
use super::{ColorChoice, ColorSignals, Table};
use crate::base::{Failure, Kind, Shutdown, Signal};

/// The form of data on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people; `pretty` of `tail` and `wait` is the same.
    Text,
    /// One document, or one object a line.
    Json,
    /// A record's bytes and a line break; only for commands that print records.
    Raw,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" | "pretty" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "raw" => Ok(Self::Raw),
            _ => Err(format!("{text:?} is not text, json, pretty or raw")),
        }
    }
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    Normal,
    /// Requests too.
    Verbose,
    /// And what the client libraries say.
    Debug,
}

/// What decides how the streams behave.
#[derive(Clone, Copy, Debug)]
pub struct UiOptions {
    pub format: Format,
    pub verbosity: Verbosity,
    pub color: ColorChoice,
    pub signals: ColorSignals,
    /// Never ask.
    pub no_input: bool,
}

impl UiOptions {
    /// Text, without colour and questions: for what goes wrong before settings are known.
    #[must_use]
    pub const fn plain() -> Self {
        Self {
            format: Format::Text,
            verbosity: Verbosity::Normal,
            color: ColorChoice::Never,
            signals: ColorSignals { no_color: true, force: false, dumb: false },
            no_input: true,
        }
    }

    /// The same, with errors as objects.
    #[must_use]
    pub const fn json() -> Self {
        Self { format: Format::Json, ..Self::plain() }
    }
}

/// The streams of one run.
#[derive(Clone, Debug)]
pub struct Ui {
    options: UiOptions,
    out: TextRenderer,
    err: TextRenderer,
    in_is_terminal: bool,
    live: Arc<LiveLines>,
    /// Flags of this run that a command in a hint needs as well.
    command_flags: Arc<str>,
    shutdown: Shutdown,
}

impl Ui {
    #[must_use]
    pub fn new(options: UiOptions, shutdown: Shutdown) -> Self {
        let renderer = |is_terminal| TextRenderer {
            is_terminal,
            has_color: options.color.allows_color(options.signals, is_terminal),
        };
        Self {
            options,
            out: renderer(std::io::stdout().is_terminal()),
            err: renderer(std::io::stderr().is_terminal()),
            in_is_terminal: std::io::stdin().is_terminal(),
            live: Arc::default(),
            command_flags: "".into(),
            shutdown,
        }
    }

    /// Adds the flags that commands in hints need, each after a space.
    #[must_use]
    pub fn with_command_flags(self, flags: String) -> Self {
        Self { command_flags: flags.into(), ..self }
    }

    pub(super) fn command_flags(&self) -> &str {
        &self.command_flags
    }

    #[must_use]
    pub fn format(&self) -> Format {
        self.options.format
    }

    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        self.options.verbosity
    }

    /// How standard output takes text.
    #[must_use]
    pub fn out(&self) -> TextRenderer {
        self.out
    }

    /// How standard error takes text.
    #[must_use]
    pub(super) fn err(&self) -> TextRenderer {
        self.err
    }

    /// Whether progress may redraw: standard error is a terminal that takes escape codes.
    #[must_use]
    pub fn may_redraw(&self) -> bool {
        self.err.is_terminal
            && !self.options.signals.dumb
            && self.options.verbosity > Verbosity::Quiet
    }

    /// Whether a question would be seen and answered by a person.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.in_is_terminal && self.err.is_terminal && !self.options.no_input
    }

    /// Writes data to standard output, all of it, unbuffered and unchanged: callers collect, and
    /// escape what a terminal must not get.
    ///
    /// # Errors
    /// Standard output cannot be written. When its reader went away, the stop is asked for first,
    /// and `main` turns that into a quiet success.
    pub fn data(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write_data(bytes).map_err(|error| {
            if error == Errno::PIPE {
                self.shutdown.notify(Signal::PipeClosed);
            }
            describe_write_error(error.into())
        })
    }

    /// A reader that does not read must not keep messages from standard error, so a lock is held for
    /// a terminal only, where live lines would be drawn into the data.
    fn write_data(&self, bytes: &[u8]) -> Result<(), Errno> {
        check_stdout()?;
        let out = rustix::stdio::stdout();
        if !self.may_redraw() {
            return write_all(out, bytes);
        }
        if self.out.is_terminal {
            return self.live.suspend(|erase| {
                write_error_text(erase);
                write_all(out, bytes)
            });
        }
        write_error_text(self.live.take_down());
        write_all(out, bytes)
    }

    /// Writes one line of data.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn line<'t>(&self, line: impl Into<StyledText<'t>>) -> Result<(), Failure> {
        let shown = self.out.render(&line.into(), LineBreaks::Escape);
        self.data(format!("{shown}\n").as_bytes())
    }

    /// Writes text of several lines.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn text<'t>(&self, text: impl Into<StyledText<'t>>) -> Result<(), Failure> {
        self.data(self.out.render(&text.into(), LineBreaks::Keep).as_bytes())
    }

    /// Writes a table.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn table(&self, table: &Table) -> Result<(), Failure> {
        self.data(table.render(self.out).as_bytes())
    }

    /// Writes one JSON document and a line break.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn document(&self, document: &impl serde::Serialize) -> Result<(), Failure> {
        let mut text =
            serde_json::to_vec(document).map_err(|error| Failure::wrap(Kind::Internal, error))?;
        text.push(b'\n');
        if self.out.is_terminal {
            text::escape_json(&mut text, 0);
        }
        self.data(&text)
    }

    fn say(&self, from: Verbosity, line: &StyledText<'_>) {
        if self.options.verbosity >= from {
            self.error_text(&self.render_message(line));
        }
    }

    /// A line for standard error.
    fn render_message(&self, line: &StyledText<'_>) -> String {
        self.err.render(line, LineBreaks::Indent) + "\n"
    }

    /// Writes to standard error whatever the verbosity.
    pub(super) fn error_text(&self, text: &str) {
        if self.may_redraw() {
            self.live.suspend(|erase| write_error_text(&format!("{erase}{text}")));
        } else {
            write_error_text(text);
        }
    }

    /// Erases the live lines before the process ends, unless another thread is writing.
    pub fn erase_live_lines(&self) {
        if self.may_redraw() {
            self.live.try_suspend(write_error_text);
        }
    }

    /// Checks that data can be written at all.
    ///
    /// # Errors
    /// Standard output was closed when the process started.
    pub fn require_stdout(&self) -> Result<(), Failure> {
        check_stdout().map_err(|error| describe_write_error(error.into()))
    }

    /// A new line at the bottom of the terminal; `None` if it cannot redraw.
    #[must_use]
    pub(super) fn live_line(&self) -> Option<LiveLine> {
        self.may_redraw().then(|| LiveLine { id: self.live.add(), lines: Arc::clone(&self.live) })
    }

    pub(super) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Ends the line of a question that was left open, and shows the cursor that it may have hidden.
    pub(super) fn leave_question(&self) {
        if self.err.is_terminal {
            write_error_text("\x1b[?25h\n");
        }
    }

    /// What is going on.
    pub fn status<'t>(&self, line: impl Into<StyledText<'t>>) {
        self.say(Verbosity::Normal, &line.into());
    }

    /// Several such lines at once, in one write.
    pub fn statuses(&self, lines: impl IntoIterator<Item = String>) {
        if self.options.verbosity >= Verbosity::Normal {
            let lines: String =
                lines.into_iter().map(|line| self.render_message(&line.into())).collect();
            self.error_text(&lines);
        }
    }

    /// Something that is worth knowing and wrong in nothing.
    pub fn note(&self, line: &str) {
        self.say(Verbosity::Normal, &labelled(TextStyle::Strong, "note:", line));
    }

    /// Something that may not be meant.
    pub fn warning(&self, line: &str) {
        self.say(Verbosity::Normal, &labelled(TextStyle::Warning, "warning:", line));
    }

    /// What to try next.
    pub fn hint(&self, line: &str) {
        self.say(Verbosity::Normal, &labelled(TextStyle::Hint, "hint:", line));
    }

    /// What `-v` shows.
    pub fn detail(&self, line: &str) {
        self.say(Verbosity::Verbose, &StyledText::new(TextStyle::Dim, line));
    }

    /// What `-vv` shows.
    pub fn debug(&self, line: &str) {
        self.say(Verbosity::Debug, &StyledText::new(TextStyle::Dim, line));
    }
}

/// A line at the bottom of the terminal; removed when dropped.
#[derive(Debug)]
pub(super) struct LiveLine {
    id: u64,
    lines: Arc<LiveLines>,
}

impl LiveLine {
    /// Draws the line with this text.
    pub fn set(&self, text: LiveText) {
        self.lines.set(self.id, text, TerminalSize::of_stderr(), write_error_text);
    }

    /// Removes the line until it is set again.
    pub fn hide(&self) {
        self.lines.remove(self.id, TerminalSize::of_stderr(), write_error_text);
    }
}

impl Drop for LiveLine {
    fn drop(&mut self) {
        self.hide();
    }
}

/// Returns the failure of a write to standard output.
#[must_use]
pub fn describe_write_error(error: std::io::Error) -> Failure {
    let hint = match Errno::from_io_error(&error) {
        Some(Errno::BADF) => "to discard the output, write >/dev/null in place of >&-",
        _ => "send it where there is room, or to a program that reads it",
    };
    Failure::wrap(Kind::Usage, error).context("failed to write to standard output").hint(hint)
}

/// Refuses to write to a stream that was closed, in place of which there is `/dev/null` now.
fn check_stdout() -> Result<(), Errno> {
    if was_stdout_closed() { Err(Errno::BADF) } else { Ok(()) }
}

/// Returns a line that begins with what it is.
pub(super) fn labelled<'t>(style: TextStyle, label: &'static str, line: &'t str) -> StyledText<'t> {
    StyledText::new(style, label).plain(" ").plain(line)
}

fn write_error_text(text: &str) {
    // Nothing is left to report on if standard error is gone.
    let _ = write_all(rustix::stdio::stderr(), text.as_bytes());
}

/// Writes everything; waits where the stream is non-blocking and full.
fn write_all(stream: impl rustix::fd::AsFd, bytes: &[u8]) -> Result<(), Errno> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(&stream, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let second =
                    Timespec::try_from(Duration::from_secs(1)).map_err(|_| Errno::INVAL)?;
                poll(&mut [PollFd::new(&stream, PollFlags::OUT)], Some(&second))?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_an_errno_and_a_full_one_is_waited_for() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let sent = vec![7u8; 300_000];
        let drain = std::thread::spawn(move || {
            let mut read = Vec::new();
            std::io::Read::read_to_end(&mut std::fs::File::from(reader), &mut read).unwrap();
            read
        });
        write_all(&writer, &sent).unwrap();
        drop(writer);
        assert_eq!(drain.join().unwrap(), sent);

        let (reader, writer) = rustix::pipe::pipe().unwrap();
        drop(reader);
        assert_eq!(write_all(&writer, b"x"), Err(Errno::PIPE));
    }
}
