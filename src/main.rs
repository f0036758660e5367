//! Parse, run, show the failure, exit: the only place where the process ends.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use clap::Parser;
use dwctl::base::shutdown::Phase;
use dwctl::base::{Failure, Kind, Shutdown, Signal};
use dwctl::cli::{Cli, Command, Context, Patience, kcat_habit};
use dwctl::ui::{self, Ui, UiOptions};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let shutdown = Shutdown::new();
    listen(&shutdown);
    let context = match cli.context(shutdown.clone()) {
        Ok(context) => context,
        Err(failure) => return end(&fallback_ui(&shutdown), &shutdown, Err(failure)),
    };
    let Some(patience) = cli.command.may_hang() else {
        let outcome = cli.command.run(&context);
        return end(&context.ui, &shutdown, outcome);
    };
    let context = Arc::new(context);
    let outcome = run_apart(cli.command, &context, patience);
    end(&context.ui, &shutdown, outcome)
}

/// Runs a command that may stand where nothing can reach it: in a write to a reader that does not
/// read, or in a program of its user's. It is left behind when it has not ended some time after it was
/// told to.
fn run_apart(command: Command, context: &Arc<Context>, patience: Patience) -> Result<(), Failure> {
    const LOOK: Duration = Duration::from_millis(100);
    let (finished, outcome) = mpsc::channel();
    let own = Arc::clone(context);
    std::thread::Builder::new()
        .name("command".into())
        // The evaluator follows a value's levels, and its program's, by recursion.
        .stack_size(64 << 20)
        .spawn(move || finished.send(command.run(&own)))
        .map_err(|error| Failure::wrap(Kind::Internal, error))?;
    let mut told: Option<Instant> = None;
    loop {
        match outcome.recv_timeout(LOOK) {
            Ok(outcome) => return outcome,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Failure::new(Kind::Internal, "the command ended without an outcome"));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if context.shutdown.is_requested() || context.deadline.has_passed() {
            let told = told.get_or_insert_with(Instant::now);
            if told.elapsed() >= patience.grace {
                return Err(Failure::new(Kind::Deadline, patience.suspicion));
            }
        }
    }
}

/// The exit code of a run: a stop that somebody asked for decides, then the failure.
fn end(ui: &Ui, shutdown: &Shutdown, outcome: Result<(), Failure>) -> ExitCode {
    match (shutdown.signal(), outcome) {
        (Some(Signal::PipeClosed), _) => ExitCode::SUCCESS,
        (Some(signal), Ok(())) => ExitCode::from(signal.kind().map_or(0, Kind::code)),
        // Whoever was told to stop has nobody to tell that the reader went away as well.
        (Some(signal), Err(failure)) if is_closed_pipe(&failure) => {
            ExitCode::from(signal.kind().map_or(0, Kind::code))
        }
        (stop, Err(failure)) => {
            ui::report(ui, &failure);
            let kind = stop.and_then(Signal::kind).unwrap_or(failure.kind());
            ExitCode::from(kind.code())
        }
        (None, Ok(())) => ExitCode::SUCCESS,
    }
}

fn is_closed_pipe(failure: &Failure) -> bool {
    let origin = failure.origin::<std::io::Error>();
    origin.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Arguments that clap refuses, or a request for help. With `-o json` the refusal is an object too.
fn refuse(error: &clap::Error) -> ExitCode {
    let arguments: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let wants_json = arguments
        .windows(2)
        .any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && pair[1] == "json")
        || arguments.iter().any(|argument| matches!(argument.as_str(), "-ojson" | "--output=json"));
    let habit = kcat_habit(error, &arguments);
    if !error.use_stderr() || (habit.is_none() && !wants_json) {
        // A reader that went away is no failure of a help text.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.code()));
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

/// Shows failures that came before the settings could decide how.
fn fallback_ui(shutdown: &Shutdown) -> Ui {
    Ui::new(UiOptions::plain(), shutdown.clone())
}

/// Counts SIGINT and SIGTERM: the first asks to drain, the second ends the process at once.
///
/// Both are watched when this returns: a signal that comes while the command begins must find its
/// code, and a process that the operating system ends has none.
fn listen(shutdown: &Shutdown) {
    let shutdown = shutdown.clone();
    let (watched, until_watched) = mpsc::channel::<Infallible>();
    let listening = std::thread::Builder::new().name("signals".into()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
            return;
        };
        runtime.block_on(count_signals(watched, &shutdown));
    });
    // Without the thread the operating system's default holds: a signal ends the process.
    drop(listening);
    // Ends when the other half is dropped: when both are watched, or cannot be.
    let Err(mpsc::RecvError) = until_watched.recv();
}

async fn count_signals(watched: mpsc::Sender<Infallible>, shutdown: &Shutdown) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupts), Ok(mut terminations)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    drop(watched);
    loop {
        let received = tokio::select! {
            Some(()) = interrupts.recv() => Signal::Interrupt,
            Some(()) = terminations.recv() => Signal::Terminate,
            else => return,
        };
        if let Phase::Ending(signal) = shutdown.notify(received) {
            let code = signal.kind().map_or(0, Kind::code);
            #[expect(
                clippy::exit,
                reason = "a second signal ends the process whatever it is doing"
            )]
            std::process::exit(i32::from(code));
        }
    }
}
