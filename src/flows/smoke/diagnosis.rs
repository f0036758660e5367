//! From a step that failed to the fault behind it, where one more look can tell it.

use std::collections::HashSet;
use std::time::Duration;

use super::run::Run;
use super::{Fault, Trouble};
use crate::base::{Failure, Kind};
use crate::flows::upload::UploadJob;
use crate::schema::ids::Version;
use crate::schema::model::{Model, ModelFile};
use crate::warehouse::WarehouseError;

/// After this time a service whose broker was lost later has answered (contract B2: 40 s).
const LOST_LATER: Duration = Duration::from_secs(45);

/// What an upload that failed left behind.
enum Left {
    Nothing,
    Record(Box<Model>),
    /// The service cannot show it, or cannot say.
    Unshowable,
}

/// An upload that failed: is the model stored all the same?
pub(super) async fn of_upload(
    run: &Run<'_>,
    job: &UploadJob,
    failure: Failure,
    waited: Duration,
) -> Trouble {
    let kind = failure.kind();
    let trouble = Trouble::from(failure);
    if run.means.shutdown.is_requested() {
        return trouble;
    }
    let fault = match (kind, look(run, job).await) {
        (Kind::Deadline | Kind::Unreachable, Left::Record(_)) => {
            Some(fault_of_silence(kind, waited))
        }
        (Kind::ServerFault, Left::Record(_)) => Some(Fault::StoredBehindError),
        (Kind::ServerFault, Left::Unshowable) => {
            is_announced(run, job).await.then_some(Fault::StoredBehindError)
        }
        (Kind::CheckFailed, Left::Record(record)) if are_overwritten(&record.files) => {
            Some(Fault::FilesOverwritten)
        }
        (Kind::CheckFailed, Left::Nothing) => Some(Fault::ModelLost),
        _ => None,
    };
    Trouble { fault, ..trouble }
}

/// The service answers after 40 s if its broker was lost later, and never if it was away when the
/// service started. A connection that is lost before that leaves both.
fn fault_of_silence(kind: Kind, waited: Duration) -> Fault {
    match kind {
        Kind::Deadline if waited >= LOST_LATER => Fault::HangsAfterStoring,
        _ => Fault::NoReply,
    }
}

async fn look(run: &Run<'_>, job: &UploadJob) -> Left {
    let Ok(version) = Version::parse("v1") else { return Left::Nothing };
    let warehouse = run.means.warehouse;
    match warehouse.model(&job.user, &job.model, &version, run.ends.look).await {
        Ok(record) => Left::Record(Box::new(record.value)),
        Err(error) if error.status().is_some_and(|status| status >= 500) => Left::Unshowable,
        Err(WarehouseError::Nonsense { .. }) => Left::Unshowable,
        Err(_) => Left::Nothing,
    }
}

/// Whether its event came: a service that stored nothing announces nothing.
async fn is_announced(run: &Run<'_>, job: &UploadJob) -> bool {
    let found = run.watch.event(run.ends.work, |seen| {
        seen.field("model_id").as_deref() == Some(job.model.as_str()) && seen.failure().is_none()
    });
    matches!(found.await, Ok(Some(_)))
}

/// A record or a list that is not there.
pub(super) fn of_absence(error: WarehouseError, fault: Fault) -> Trouble {
    let is_absent = error.status() == Some(404);
    let trouble = Trouble::from(error);
    if is_absent { trouble.behind(fault) } else { trouble }
}

/// A download that failed: the files are gone, are others, or lie over each other.
pub(super) fn of_download(record: &Model, failure: Failure) -> Trouble {
    let kind = failure.kind();
    let trouble = Trouble::from(failure);
    match kind {
        Kind::NotFound | Kind::CheckFailed if are_overwritten(&record.files) => {
            trouble.behind(Fault::FilesOverwritten)
        }
        Kind::NotFound | Kind::CheckFailed => trouble.behind(Fault::FilesLost),
        _ => trouble,
    }
}

/// Whether two files have one place in the store.
pub(super) fn are_overwritten(files: &[ModelFile]) -> bool {
    let mut places = HashSet::new();
    files.iter().any(|file| !places.insert(&file.file_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_silence_that_is_long_enough_tells_a_hang() {
        let after = |kind, seconds| fault_of_silence(kind, Duration::from_secs(seconds));
        assert_eq!(after(Kind::Deadline, 25), Fault::NoReply);
        assert_eq!(after(Kind::Deadline, 44), Fault::NoReply);
        assert_eq!(after(Kind::Deadline, 45), Fault::HangsAfterStoring);
        assert_eq!(after(Kind::Unreachable, 60), Fault::NoReply);
    }
}
