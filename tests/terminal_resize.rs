//! Lines that are redrawn, in a real terminal, whose width they fit at each redraw.

use std::path::PathBuf;
use std::time::Instant;

use crate::support::PATIENCE;
use crate::support::environment::{DWCTL, Environment};
use crate::support::peers;
use crate::support::records::{put, text};
use crate::support::stack::Stack;

/// A tmux of its own, with one window.
struct Terminal<'e> {
    environment: &'e Environment,
    socket: PathBuf,
}

impl<'e> Terminal<'e> {
    fn start(environment: &'e Environment, columns: usize, line: &str) -> Self {
        let terminal = Self { environment, socket: environment.path("tmux") };
        let size = ["-x", &columns.to_string(), "-y", "16"];
        let shell = format!("TERM=screen {DWCTL} {line}; echo over; sleep 600");
        terminal.tmux(&[&["-f", "/dev/null", "new-session", "-d"], &size[..], &[&shell]].concat());
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = self.environment.command("tmux");
        command.arg("-S").arg(&self.socket).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn resize(&self, columns: usize) {
        self.tmux(&["resize-window", "-x", &columns.to_string()]);
    }

    /// The lines with anything on them, scrolled ones too, once they are as they should be.
    #[track_caller]
    fn wait_for_lines(&self, what: &str, are_right: impl Fn(&[&str]) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.tmux(&["capture-pane", "-p", "-S", "-"]);
            let lines: Vec<&str> = screen.lines().filter(|line| !line.trim().is_empty()).collect();
            if are_right(&lines) {
                return;
            }
            assert!(Instant::now() < end, "{what}, but the screen is:\n{screen}");
            std::thread::yield_now();
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

const TOPIC: &str = "a-topic-with-a-name-that-is-longer-than-many-a-terminal-is-wide-0123456789";

#[test]
fn the_status_line_fits_and_a_wider_terminal_keeps_one() {
    if !peers::has("tmux") {
        return;
    }
    let stack = Stack::start_with(&["--topic", TOPIC]);
    let send = |value: &str| put(&stack.brokers, &[text(TOPIC, "k", value)]);
    send("first");
    let line = format!("tail {TOPIC} --from beginning -n 4 -o raw -b {}", stack.brokers);
    let terminal = Terminal::start(&stack.environment, 40, &line);
    let is_status =
        |line: &str, columns: usize| line.contains("records/s") && line.chars().count() < columns;
    terminal.wait_for_lines(
        "a record and a status",
        |lines| matches!(lines, ["first", status] if is_status(status, 40)),
    );
    let mut expected = vec!["first"];
    for (columns, value) in [(70, "second"), (110, "third")] {
        terminal.resize(columns);
        terminal.wait_for_lines(&format!("nothing left behind at {columns}"), |lines| {
            let (last, before) = lines.split_last().unwrap();
            before == expected && is_status(last, columns)
        });
        send(value);
        expected.push(value);
        terminal.wait_for_lines(&format!("one more record at {columns}"), |lines| {
            let (last, before) = lines.split_last().unwrap();
            before == expected && is_status(last, columns)
        });
    }
    send("fourth");
    terminal.wait_for_lines("no status after the end", |lines| {
        *lines == ["first", "second", "third", "fourth", "over"]
    });
}

/// With more records than the screen has rows: at its top, tmux moves rows of the status into its
/// history, where nothing can be erased.
#[test]
fn a_narrower_terminal_keeps_nothing_of_a_wider_status() {
    if !peers::has("tmux") {
        return;
    }
    let stack = Stack::start_with(&["--topic", TOPIC]);
    let mut expected: Vec<String> = (0..20).map(|index| format!("record {index}")).collect();
    for value in &expected {
        put(&stack.brokers, &[text(TOPIC, "k", value)]);
    }
    let line = format!("tail {TOPIC} --from beginning -n 24 -o raw -b {}", stack.brokers);
    let terminal = Terminal::start(&stack.environment, 110, &line);
    let has_status = |lines: &[&str], expected: &[String], columns: usize| {
        let (last, before) = lines.split_last().unwrap_or((&"", &[]));
        before == expected && last.contains(": lag 0") && last.chars().count() < columns
    };
    terminal.wait_for_lines("all records", |lines| has_status(lines, &expected, 110));
    for columns in [40, 28, 110, 31] {
        terminal.resize(columns);
        terminal.wait_for_lines(&format!("nothing left behind at {columns}"), |lines| {
            has_status(lines, &expected, columns)
        });
        let value = format!("at {columns} columns");
        put(&stack.brokers, &[text(TOPIC, "k", &value)]);
        expected.push(value);
        terminal.wait_for_lines(&format!("one more record at {columns}"), |lines| {
            lines.starts_with(&expected.iter().map(String::as_str).collect::<Vec<_>>())
        });
    }
    terminal.wait_for_lines("no status after the end", |lines| lines.last() == Some(&"over"));
}

#[test]
fn progress_of_several_uploads_fits_and_goes_with_its_end() {
    if !peers::has("tmux") {
        return;
    }
    let stack = Stack::start();
    let names = [
        "first-model-with-a-name-longer-than-the-terminal-is-wide",
        "second-model-with-a-long-name-0123456789",
        "third",
    ];
    for name in names {
        stack.environment.write(&format!("{name}.pt"), vec![b'x'; 600_000]);
    }
    let line = format!(
        "upload *.pt --user-id u --framework pytorch --model-type nlp --jobs 3 --limit-rate 200k --no-input -u {}",
        stack.api_url
    );
    let terminal = Terminal::start(&stack.environment, 40, &line);
    let progress = |lines: &[&str]| lines.iter().filter(|line| line.contains(" %")).count();
    terminal.wait_for_lines("a line for each", |lines| progress(lines) == 3);
    terminal.wait_for_lines("a line for each at 40 columns", |lines| {
        progress(lines) == 3 && lines.len() == 3
    });
    terminal.wait_for_lines("no progress after the end", |lines| {
        lines.last() == Some(&"over") && progress(lines) == 0
    });
}
