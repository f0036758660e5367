//! Parse, run, show the failure, exit: the only place where the process ends.

mod watch;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use dwctl::base::{Failure, Kind, Shutdown, Signal};
use dwctl::cli::{Cli, Command, Context, kcat_habit};
use dwctl::ui::text::{LineBreaks, escape_unsafe};
use dwctl::ui::{self, Ui, UiOptions};

use self::watch::Signals;

fn main() -> ExitCode {
    show_panics_safely();
    let words: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::of(&words) {
        Ok(cli) => cli,
        Err(error) => return refuse(error, &words),
    };
    let shutdown = Shutdown::new();
    let code = match begin(&cli, &shutdown) {
        Ok((context, run)) => {
            let outcome = execute(cli.command, &context);
            run.end_or_wait();
            end(&context.ui, &shutdown, outcome)
        }
        Err(failure) => end(&fallback_ui(&shutdown), &shutdown, Err(failure)),
    };
    ExitCode::from(code)
}

/// What a command stands on, and the watch over it.
fn begin(cli: &Cli, shutdown: &Shutdown) -> Result<(Context, watch::Run), Failure> {
    let unwatched = |error: std::io::Error| {
        Failure::wrap(Kind::Internal, error).context("failed to watch for signals")
    };
    let signals = Signals::catch().map_err(unwatched)?;
    let context = cli.context(shutdown.clone())?;
    let command = &cli.command;
    let run = signals
        .watch(&context, command.patience(), command.ends_with_reader())
        .map_err(unwatched)?;
    Ok((context, run))
}

fn execute(command: Command, context: &Context) -> Result<(), Failure> {
    // The evaluator follows a value's levels, and its program's, by recursion.
    const DEEP: usize = 64 << 20;
    if !command.evaluates() {
        return command.run(context);
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("command".into())
            .stack_size(DEEP)
            .spawn_scoped(scope, || command.run(context))
            .map_err(|error| Failure::wrap(Kind::Internal, error))?
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The exit code of a run: a stop that somebody asked for decides, then the failure.
fn end(ui: &Ui, shutdown: &Shutdown, outcome: Result<(), Failure>) -> u8 {
    match (shutdown.signal(), outcome) {
        (Some(Signal::PipeClosed), _) => 0,
        (Some(signal), Ok(())) => signal.kind().map_or(0, Kind::code),
        // Whoever was told to stop has nobody to tell that the reader went away as well.
        (Some(signal), Err(failure)) if is_closed_pipe(&failure) => {
            signal.kind().map_or(0, Kind::code)
        }
        (stop, Err(failure)) => {
            ui::report(ui, &failure);
            stop.and_then(Signal::kind).unwrap_or(failure.kind()).code()
        }
        (None, Ok(())) => 0,
    }
}

/// Ends the process from beside its command, which is left where it stands.
#[expect(clippy::exit, reason = "what the command waits for may never come")]
fn leave(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

fn is_closed_pipe(failure: &Failure) -> bool {
    let origin = failure.origin::<std::io::Error>();
    origin.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Arguments that clap refuses, or a request for help. With `-o json` the refusal is an object too.
fn refuse(error: clap::Error, words: &[OsString]) -> ExitCode {
    let arguments: Vec<String> =
        words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let wants_json = arguments
        .windows(2)
        .any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
        || arguments.iter().any(|argument| matches!(argument.as_str(), "-ojson" | "--output=json"));
    let habit = kcat_habit(&error, &arguments);
    if !error.use_stderr() || (habit.is_none() && !wants_json) {
        return ExitCode::from(print_refusal(error, words));
    }
    let text = error.render().to_string();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let message =
        lines.next().unwrap_or("the arguments cannot be used").trim_start_matches("error: ");
    let hint = habit.unwrap_or_else(|| "dwctl --help".to_owned());
    let options = if wants_json { UiOptions::json() } else { UiOptions::plain() };
    ui::report(&Ui::new(options, Shutdown::new()), &Failure::usage(message).hint(hint));
    ExitCode::from(Kind::Usage.code())
}

/// Prints what clap has to show and returns the exit code. A reader that closed the pipe is fine.
fn print_refusal(error: clap::Error, words: &[OsString]) -> u8 {
    let code = u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.code());
    if error.use_stderr() {
        // Nothing is left to report on if standard error is gone.
        let _ = with_safe_words(error, words).print();
        return code;
    }
    let ui = fallback_ui(&Shutdown::new());
    let print = || error.print().map_err(ui::describe_write_error);
    match ui.require_stdout().and_then(|()| print()) {
        Err(failure) if !is_closed_pipe(&failure) => {
            ui::report(&ui, &failure);
            failure.kind().code()
        }
        _ => code,
    }
}

/// Returns the refusal as a terminal may get it. It repeats the arguments, so it is made anew of
/// escaped ones if that changes any.
fn with_safe_words(error: clap::Error, words: &[OsString]) -> clap::Error {
    let safe: Vec<OsString> = words
        .iter()
        .map(|word| escape_unsafe(&word.to_string_lossy(), LineBreaks::Escape).into_owned().into())
        .collect();
    if safe == words || !std::io::stderr().is_terminal() {
        return error;
    }
    Cli::of(&safe).err().unwrap_or(error)
}

/// A panic can quote text of servers; on a terminal it is shown like any other message.
fn show_panics_safely() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::io::stderr().is_terminal() {
            fallback_ui(&Shutdown::new()).status(panic.to_string());
        } else {
            default(panic);
        }
    }));
}

/// Shows failures that came before the settings could decide how.
fn fallback_ui(shutdown: &Shutdown) -> Ui {
    Ui::new(UiOptions::plain(), shutdown.clone())
}
