//! Several uploads in one run: so many at a time, what a failure means for the rest, and who is told
//! of each end.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Means, Receipt, UploadJob, UploadReporter, upload};
use crate::base::Failure;

/// What the failure of one upload means for those that have not begun. Those that run go on to their
/// ends in both cases: one that is cut off after its last byte may be stored, and nobody would know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// None of them begins.
    StopStarting,
    /// All of them are tried.
    KeepGoing,
}

/// How many at a time, and what a failure means.
#[derive(Clone, Copy, Debug)]
pub struct BatchPlan {
    /// Uploads that run beside each other, at least one.
    pub at_once: usize,
    pub on_failure: OnFailure,
}

/// Gives each upload that runs beside others a reporter of its own.
pub trait Lanes: Send + Sync + std::fmt::Debug {
    fn lane(&self) -> Box<dyn UploadReporter>;
}

/// Is told of every upload of a batch, by its place among the jobs.
pub trait BatchObserver {
    fn started(&mut self, place: usize);

    /// One came to its end.
    ///
    /// # Errors
    /// Nobody can be told any more; the batch ends at once.
    fn ended(&mut self, place: usize, outcome: Result<Receipt, Failure>) -> Result<(), Failure>;
}

/// Uploads every job, and tells of each as it ends. The reporter of `means` is not used: each upload
/// gets a lane.
///
/// # Errors
/// The observer cannot tell any more. What becomes of an upload is told to it and is none of this.
pub async fn upload_all(
    means: Means<'_>,
    jobs: &[&UploadJob],
    plan: BatchPlan,
    lanes: &dyn Lanes,
    observer: &mut dyn BatchObserver,
) -> Result<(), Failure> {
    let run = async |place: usize| {
        let lane = lanes.lane();
        (place, upload(Means { reporter: &*lane, ..means }, jobs[place]).await)
    };
    let mut waiting = 0..jobs.len();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < plan.at_once.max(1) {
            let Some(place) = waiting.next() else { break };
            observer.started(place);
            running.push(run(place));
        }
        let Some((place, outcome)) = running.next().await else { return Ok(()) };
        if outcome.is_err() && plan.on_failure == OnFailure::StopStarting {
            waiting = 0..0;
        }
        observer.ended(place, outcome)?;
    }
}
