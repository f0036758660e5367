//! Stopping, as counted and ordered states: the first signal asks to drain, the second to end at
//! once. The machine is driven by plain calls; who listens to the operating system is `main`.

use std::sync::Arc;

use tokio::sync::watch;

use super::Kind;

/// What asked for the stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The reader of standard output went away: a quiet end, with success.
    PipeClosed,
}

impl Signal {
    /// The kind under which a command ends after this signal; `None` is success.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        match self {
            Signal::Interrupt => Some(Kind::Interrupted),
            Signal::Terminate => Some(Kind::Terminated),
            Signal::PipeClosed => None,
        }
    }
}

/// Where a process stands between running and gone. Later states never go back to earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Running,
    /// Finish what was begun, take nothing new.
    Draining(Signal),
    /// A second signal came: leave at once.
    Ending(Signal),
}

impl Phase {
    /// The state after `signal`.
    #[must_use]
    pub fn after(self, signal: Signal) -> Self {
        match self {
            Phase::Running => Phase::Draining(signal),
            // A closed pipe is noticed by everybody who writes; it never hurries a drain.
            Phase::Draining(first) if signal == Signal::PipeClosed => Phase::Draining(first),
            Phase::Draining(_) => Phase::Ending(signal),
            Phase::Ending(first) => Phase::Ending(first),
        }
    }
}

/// A handle on the stop of this process: cheap to clone, asked by loops, awaited by tasks.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: Arc<watch::Sender<Phase>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    #[must_use]
    pub fn new() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::Running)) }
    }

    /// Counts one signal and says where that leads.
    pub fn notify(&self, signal: Signal) -> Phase {
        let mut reached = Phase::Running;
        self.phase.send_modify(|phase| {
            *phase = phase.after(signal);
            reached = *phase;
        });
        reached
    }

    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.phase() != Phase::Running
    }

    /// The signal that began the stop.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        match self.phase() {
            Phase::Running => None,
            Phase::Draining(signal) | Phase::Ending(signal) => Some(signal),
        }
    }

    /// Resolves when a stop is asked for; at once when it already was.
    pub async fn requested(&self) -> Signal {
        let mut phase = self.phase.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
        self.signal().unwrap_or(Signal::Terminate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_drains_and_the_second_ends() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.is_requested());
        assert_eq!(shutdown.notify(Signal::Interrupt), Phase::Draining(Signal::Interrupt));
        assert_eq!(shutdown.notify(Signal::Terminate), Phase::Ending(Signal::Terminate));
        assert_eq!(shutdown.notify(Signal::Interrupt), Phase::Ending(Signal::Terminate));
    }

    #[test]
    fn a_closed_pipe_never_hurries_a_drain() {
        let shutdown = Shutdown::new();
        shutdown.notify(Signal::Interrupt);
        assert_eq!(shutdown.notify(Signal::PipeClosed), Phase::Draining(Signal::Interrupt));
    }

    #[tokio::test]
    async fn waiting_ends_when_a_stop_is_asked_for() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.requested().await }
        });
        shutdown.notify(Signal::Terminate);
        assert_eq!(waiting.await.unwrap(), Signal::Terminate);
    }
}
