//! Asks the cluster how it stands, in a thread of its own, so that neither a slow answer nor none
//! holds up the records. The reading thread looks into the slot when it has nothing else to do.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::Deadline;
use crate::kafka::{Cluster, Session};

/// How often it asks while all is well: new topics and partitions are seen so late.
const CALM: Duration = Duration::from_secs(3);
/// How often after an answer that did not come.
const ALARM: Duration = Duration::from_millis(250);
/// How long an answer may take before the brokers count as away.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The last answer, or the words for why there is none.
pub(super) type Answer = Result<Cluster, String>;

#[derive(Debug, Default)]
struct State {
    answer: Option<Answer>,
    hurry: bool,
    stop: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it is held leaves a slot as good as before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next turn; `false` when there is none.
    fn wait_turn(&self, period: Duration) -> bool {
        let state = self.state();
        let (mut state, _) = self
            .wake
            .wait_timeout_while(state, period, |state| !state.hurry && !state.stop)
            .unwrap_or_else(PoisonError::into_inner);
        state.hurry = false;
        !state.stop
    }
}

/// The thread's handle; it ends with it.
#[derive(Debug)]
pub(super) struct Watch {
    shared: Arc<Shared>,
}

impl Watch {
    /// Starts to ask, for the first time after one calm period.
    pub fn start(session: Arc<Session>) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = Arc::clone(&shared);
            move || watch(&session, &shared)
        };
        // Without the thread an outage and new partitions go unnoticed; records do not.
        drop(std::thread::Builder::new().name("watch".into()).spawn(thread));
        Self { shared }
    }

    /// The answer that came since the last look.
    pub fn take(&self) -> Option<Answer> {
        self.shared.state().answer.take()
    }

    /// Asks now.
    pub fn hurry(&self) {
        self.shared.state().hurry = true;
        self.shared.wake.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.wake.notify_one();
    }
}

fn watch(session: &Session, shared: &Shared) {
    let mut period = CALM;
    while shared.wait_turn(period) {
        let answer = session
            .cluster(Deadline::after(PATIENCE))
            .map_err(|_| session.findings().outage_words());
        period = if answer.is_ok() { CALM } else { ALARM };
        shared.state().answer = Some(answer);
    }
}
