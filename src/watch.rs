//! What watches over a run from beside it: signals, the reader of standard output, and the command
//! itself where it may stand where no stop reaches it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dwctl::base::shutdown::Phase;
use dwctl::base::{Deadline, Failure, Kind, Shutdown, Signal};
use dwctl::cli::{Context, Patience};
use dwctl::ui::{Ui, pipe};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::{end, leave};

/// SIGINT and SIGTERM, caught and not yet counted.
pub struct Signals {
    runtime: Runtime,
    interrupts: Stream,
    terminations: Stream,
}

impl Signals {
    /// From here on a signal finds its code: a process that the operating system ends has none.
    ///
    /// # Errors
    /// The process may not have another descriptor.
    pub fn catch() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let (interrupts, terminations) = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        Ok(Self { runtime, interrupts, terminations })
    }

    /// Watches over a command on a thread of its own, which ends with the process.
    ///
    /// # Errors
    /// The process may not have another thread.
    pub fn watch(
        self,
        context: &Context,
        patience: Patience,
        ends_with_reader: bool,
    ) -> io::Result<Run> {
        let run = Run { is_over: Arc::default(), ui: context.ui.clone() };
        let (own, shutdown, deadline) = (run.clone(), context.shutdown.clone(), context.deadline);
        let Self { runtime, interrupts, terminations } = self;
        let watching = move || {
            if ends_with_reader {
                pipe::watch_reader(&shutdown);
            }
            let signals = count(interrupts, terminations, &shutdown, &own.ui);
            let command = own.end_after(patience, &shutdown, deadline);
            runtime.block_on(async { tokio::join!(signals, command) })
        };
        std::thread::Builder::new().name("watch".into()).spawn(watching)?;
        Ok(run)
    }
}

/// A command that is run: ended by itself or from outside, whichever comes first.
#[derive(Clone, Debug)]
pub struct Run {
    is_over: Arc<AtomicBool>,
    ui: Ui,
}

impl Run {
    /// Says that it has ended; false where that was said before.
    fn end(&self) -> bool {
        !self.is_over.swap(true, Ordering::SeqCst)
    }

    /// Returns when it ends by this; where it was ended from outside, the process ends instead.
    pub fn end_or_wait(&self) {
        if !self.end() {
            loop {
                std::thread::park();
            }
        }
    }

    /// Ends a command that has not ended some time after it was told to: in a write to a reader that
    /// does not read, or in a program of its user's.
    async fn end_after(&self, patience: Patience, shutdown: &Shutdown, deadline: Deadline) {
        let after_signal = async {
            shutdown.requested().await;
            sleep_for(patience.after_signal).await;
        };
        let after_deadline = async {
            passes(deadline).await;
            sleep_for(patience.after_deadline).await;
        };
        tokio::select! {
            () = after_signal => {}
            () = after_deadline => {}
        }
        if self.end() {
            let failure = Failure::new(Kind::Deadline, patience.suspicion);
            leave(end(&self.ui, shutdown, Err(failure)));
        }
    }
}

/// Counts the signals: the first asks to drain, the second ends the process at once.
async fn count(mut interrupts: Stream, mut terminations: Stream, shutdown: &Shutdown, ui: &Ui) {
    loop {
        let received = tokio::select! {
            Some(()) = interrupts.recv() => Signal::Interrupt,
            Some(()) = terminations.recv() => Signal::Terminate,
            else => return,
        };
        if let Phase::Ending(signal) = shutdown.notify(received) {
            ui.erase_live_lines();
            leave(signal.kind().map_or(0, Kind::code));
        }
    }
}

async fn sleep_for(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

async fn passes(deadline: Deadline) {
    match deadline.instant() {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
