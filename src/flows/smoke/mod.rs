//! The proof of a deployment in one run: a tiny model goes up under an id that nobody else has, its
//! event is read back, its record, its files and its bytes are held against what was sent, and it is
//! deleted again, however the run ends. Nothing of others is touched, so that any number of runs may
//! go on side by side.

mod bias;
mod cleanup;
mod diagnosis;
mod fault;
mod junit;
mod proof;
mod report;
mod run;
mod watch;

use std::path::Path;
use std::time::{Duration, Instant};

pub use fault::Fault;
pub use junit::render_junit;
pub use report::{Outcome, Report, Step, Trouble};

use super::upload::UploadReporter;
use crate::base::{Clock, Deadline, Shutdown};
use crate::kafka::Properties;
use crate::schema::ids::UserId;
use crate::schema::role::{Dialect, Role};
use crate::warehouse::Warehouse;
use run::Run;

/// Why a step was not tried.
const NOT_REACHED: &str = "an earlier step failed";
const STOPPED: &str = "stopped before it";
/// How long a stop waits for a request that is under way, so that what it stores is known.
const GRACE: Duration = Duration::from_secs(2);
/// How long the removal may take after a stop.
const REMOVAL: Duration = Duration::from_secs(5);

/// What to prove beside the upload of a file.
#[derive(Clone, Debug)]
pub struct SmokePlan {
    /// Nobody else's word: ids and tasks of this run begin with it.
    pub token: String,
    pub user: UserId,
    pub with_folder: bool,
    pub with_bias: bool,
    /// That somebody forwards the upload's event to the explanation step.
    pub through_forward: bool,
    /// Topics that were set for roles, in place of their own.
    pub topics: Vec<(Role, String)>,
    /// All of it, with the removal, ends after so long.
    pub budget: Duration,
    /// How long an event is awaited; to the end of the budget, if that was given.
    pub event_patience: Option<Duration>,
}

impl SmokePlan {
    /// The steps in the order in which they are done.
    fn steps(&self) -> Vec<&'static str> {
        let mut steps = vec!["api", "brokers", "upload", "metadata", "files", "download"];
        if self.with_folder {
            steps.extend(["folder upload", "folder metadata", "folder files", "folder download"]);
        }
        if self.with_bias {
            steps.push("bias event");
        }
        steps.push("event");
        if self.with_folder {
            steps.push("folder event");
        }
        if self.through_forward {
            steps.push("xai trigger");
        }
        steps.push("delete");
        steps
    }

    fn topic(&self, role: Role) -> Option<&str> {
        self.topics.iter().find(|(known, _)| *known == role).map(|(_, topic)| topic.as_str())
    }
}

/// What a run works with.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    pub warehouse: &'a Warehouse,
    /// The dialect that somebody chose; without one the API is asked.
    pub dialect: Option<Dialect>,
    pub kafka: &'a Properties,
    /// An empty folder for the models and the downloads.
    pub folder: &'a Path,
    pub reporter: &'a dyn UploadReporter,
    pub clock: &'a Clock,
    pub shutdown: &'a Shutdown,
}

/// The points in time by which parts of a run end: what was stored must be removed in time too.
#[derive(Clone, Copy, Debug)]
struct Deadlines {
    /// Of the steps.
    work: Deadline,
    /// Of the look at what a step that failed left behind.
    look: Deadline,
    /// Of everything.
    all: Deadline,
}

impl Deadlines {
    fn of(start: Instant, budget: Duration) -> Self {
        // Answers of a healthy service take milliseconds; five seconds are for one that is not.
        let reserve = (budget / 4).min(Duration::from_secs(5));
        let before = |left: Duration| {
            start.checked_add(budget.saturating_sub(left)).map_or(Deadline::NEVER, Deadline::at)
        };
        Self { work: before(reserve), look: before(reserve / 2), all: before(Duration::ZERO) }
    }
}

/// Does every step that can be done, removes what it stored, and tells what it saw.
pub async fn smoke(means: Means<'_>, plan: &SmokePlan) -> Report {
    let start = Instant::now();
    let mut run = Run::begin(means, plan, Deadlines::of(start, plan.budget));
    {
        let work = run.work();
        tokio::pin!(work);
        tokio::select! {
            () = &mut work => {}
            _ = means.shutdown.requested() => {
                // Each step ends by itself now, but for a request that is under way.
                let _ = tokio::time::timeout(GRACE, &mut work).await;
            }
        }
    }
    let (mut steps, removal) = run.finish().await;
    let is_stopped = means.shutdown.is_requested();
    for (place, name) in plan.steps().into_iter().enumerate() {
        if name != "delete" && !steps.iter().any(|step| step.name == name) {
            let outcome = Outcome::Skipped(if is_stopped { STOPPED } else { NOT_REACHED });
            steps.insert(place.min(steps.len()), Step { name, took: Duration::ZERO, outcome });
        }
    }
    steps.push(removal);
    Report { token: plan.token.clone(), steps, took: start.elapsed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_run_end_in_their_order_and_within_its_budget() {
        let start = Instant::now();
        for (budget, work) in [(30, 25_000), (8, 6_000), (0, 0)] {
            let ends = Deadlines::of(start, Duration::from_secs(budget));
            let after = |deadline: Deadline| deadline.instant().unwrap() - start;
            assert_eq!(after(ends.work), Duration::from_millis(work));
            assert!(after(ends.work) <= after(ends.look) && after(ends.look) <= after(ends.all));
            assert_eq!(after(ends.all), Duration::from_secs(budget));
        }
    }
}
