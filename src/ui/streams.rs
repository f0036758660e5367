//! The user interface as a value: data goes to standard output, talk goes to standard error, each
//! kind of talk by a method of its own. A closed pipe ends the command quietly.

use std::io::IsTerminal;
use std::time::Duration;

use rustix::io::Errno;

use super::{ColorChoice, ColorSignals, Paint, text};
use crate::base::{Failure, Hint, Kind, Shutdown, Signal};

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
    out_paint: Paint,
    err_paint: Paint,
    out_is_terminal: bool,
    err_is_terminal: bool,
    in_is_terminal: bool,
    shutdown: Shutdown,
}

impl Ui {
    #[must_use]
    pub fn new(options: UiOptions, shutdown: Shutdown) -> Self {
        let out_is_terminal = std::io::stdout().is_terminal();
        let err_is_terminal = std::io::stderr().is_terminal();
        Self {
            options,
            out_paint: Paint::decide(options.color, options.signals, out_is_terminal),
            err_paint: Paint::decide(options.color, options.signals, err_is_terminal),
            out_is_terminal,
            err_is_terminal,
            in_is_terminal: std::io::stdin().is_terminal(),
            shutdown,
        }
    }

    #[must_use]
    pub fn format(&self) -> Format {
        self.options.format
    }

    #[must_use]
    pub fn verbosity(&self) -> Verbosity {
        self.options.verbosity
    }

    /// Paint for standard output.
    #[must_use]
    pub fn paint(&self) -> Paint {
        self.out_paint
    }

    /// Paint for standard error.
    #[must_use]
    pub fn talk_paint(&self) -> Paint {
        self.err_paint
    }

    #[must_use]
    pub fn out_is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    /// Whether progress may redraw: standard error is a terminal that takes escape codes.
    #[must_use]
    pub fn may_redraw(&self) -> bool {
        self.err_is_terminal
            && !self.options.signals.dumb
            && self.options.verbosity > Verbosity::Quiet
    }

    /// Whether a question would be seen and answered by a person.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.in_is_terminal && self.err_is_terminal && !self.options.no_input
    }

    /// Writes data to standard output, all of it, unbuffered: callers collect.
    ///
    /// # Errors
    /// Standard output cannot be written. When its reader went away, the stop is asked for first,
    /// and `main` turns that into a quiet success.
    pub fn data(&self, bytes: &[u8]) -> Result<(), Failure> {
        write_all(rustix::stdio::stdout(), bytes).map_err(|error| {
            if error == Errno::PIPE {
                self.shutdown.notify(Signal::PipeClosed);
            }
            Failure::wrap(Kind::Usage, std::io::Error::from(error))
                .context("failed to write to standard output")
                .hint("send it where there is room, or to a program that reads it")
        })
    }

    /// Writes one line of data; what a terminal could act on is taken out.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn line(&self, line: &str) -> Result<(), Failure> {
        let shown = if self.out_is_terminal && !line.contains('\x1b') {
            text::printable(line)
        } else {
            line.into()
        };
        self.data(format!("{shown}\n").as_bytes())
    }

    /// Writes one JSON document and a line break.
    ///
    /// # Errors
    /// As [`Ui::data`].
    pub fn document(&self, document: &impl serde::Serialize) -> Result<(), Failure> {
        let mut text =
            serde_json::to_vec(document).map_err(|error| Failure::wrap(Kind::Internal, error))?;
        text.push(b'\n');
        self.data(&text)
    }

    fn say(&self, from: Verbosity, line: &str) {
        if self.options.verbosity >= from {
            // There is nowhere left to say that standard error is gone.
            let _ = write_all(rustix::stdio::stderr(), self.talk(line).as_bytes());
        }
    }

    /// A line for standard error.
    fn talk(&self, line: &str) -> String {
        if self.err_is_terminal && !line.contains('\x1b') {
            format!("{}\n", text::printable(line))
        } else {
            format!("{line}\n")
        }
    }

    /// Draws the line at the foot of a terminal anew, or takes it away where it is empty. Only where
    /// [`Ui::may_redraw`].
    pub fn redraw(&self, line: &str) {
        if self.may_redraw() {
            let shown = text::printable(line);
            // There is nowhere left to say that standard error is gone.
            let _ = write_all(
                rustix::stdio::stderr(),
                format!("\r\x1b[2K{}", self.err_paint.dim(&shown)).as_bytes(),
            );
        }
    }

    pub(super) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Ends the line of a question that was left open, and shows the cursor that it may have hidden.
    pub(super) fn leave_question(&self) {
        if self.err_is_terminal {
            error_lines("\x1b[?25h\n");
        }
    }

    /// What is going on.
    pub fn status(&self, line: &str) {
        self.say(Verbosity::Normal, line);
    }

    /// Several such lines at once, in one write.
    pub fn statuses(&self, lines: impl IntoIterator<Item = String>) {
        if self.options.verbosity >= Verbosity::Normal {
            let lines: String = lines.into_iter().map(|line| self.talk(&line)).collect();
            // There is nowhere left to say that standard error is gone.
            let _ = write_all(rustix::stdio::stderr(), lines.as_bytes());
        }
    }

    /// Something that is worth knowing and wrong in nothing.
    pub fn note(&self, line: &str) {
        self.say(
            Verbosity::Normal,
            &format!("{} {}", self.err_paint.strong("note:"), text::printable(line)),
        );
    }

    /// Something that may not be meant.
    pub fn warning(&self, line: &str) {
        self.say(
            Verbosity::Normal,
            &format!("{} {}", self.err_paint.warn("warning:"), text::printable(line)),
        );
    }

    /// What to try next.
    pub fn hint(&self, line: &str) {
        self.say(
            Verbosity::Normal,
            &format!("{} {}", self.err_paint.hint("hint:"), text::printable(line)),
        );
    }

    /// What `-v` shows.
    pub fn detail(&self, line: &str) {
        self.say(Verbosity::Verbose, &self.err_paint.dim(&text::printable(line)));
    }

    /// What `-vv` shows.
    pub fn debug(&self, line: &str) {
        self.say(Verbosity::Debug, &self.err_paint.dim(&text::printable(line)));
    }
}

/// Writes to standard error whatever the verbosity.
pub(super) fn error_lines(lines: &str) {
    let _ = write_all(rustix::stdio::stderr(), lines.as_bytes());
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

/// The lines of hints as `report` shows them.
pub(super) fn hint_lines(hints: &[Hint], paint: Paint) -> String {
    hints
        .iter()
        .map(|hint| format!("{} {}\n", paint.hint("hint:"), text::printable(hint.text())))
        .collect()
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
