//! Uploads that no event follows, although everything worked.

use super::{Means, Task, UploadJob};
use crate::schema::generation::DialectSet;
use crate::schema::role::Dialect;
use crate::warehouse::Shape;

/// Why no event follows an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEvent {
    /// Today's service announces files only (contract B1).
    Folder,
    /// Today's service announces uploads of a task only.
    NoTask,
}

impl NoEvent {
    /// Returns the reason and the way out, as one sentence.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Folder => {
                "no event follows: today's service announces no folder uploads, with a task or without one; send one with dwctl send automl, or upload a ready .zip as one file with --as-file"
            }
            Self::NoTask => {
                "no event follows: this API (task) announces only uploads of a task; add --task-id ID, or --wait-event to make a task and read the event back"
            }
        }
    }
}

/// Returns why no event follows an upload that nobody waits for. A dialect that only the cache knows
/// is asked for again first: an API of another generation announces every upload.
pub(super) async fn expect_no_event(
    means: Means<'_>,
    job: &UploadJob,
    server: Option<&str>,
) -> Option<NoEvent> {
    let is_ours = server.is_some_and(|server| server.starts_with("dwctl/"));
    let dialects = known_dialects(means, is_ours)?;
    let reason = reason_for(job, dialects, is_ours)?;
    if means.dialect.is_some() {
        return Some(reason);
    }
    // Nothing is said of an API that does not answer now.
    let renewed = means.warehouse.ask_dialects(means.deadline).await.ok()?;
    reason_for(job, renewed, is_ours)
}

/// The dialects that are known without a question. Of `serve`, one that was given says nothing: it may
/// speak the others too.
fn known_dialects(means: Means<'_>, is_ours: bool) -> Option<DialectSet> {
    match means.dialect {
        Some(_) if is_ours => None,
        Some(dialect) => Some(DialectSet::only(dialect)),
        None => means.warehouse.known_dialects(),
    }
}

fn reason_for(job: &UploadJob, dialects: DialectSet, is_ours: bool) -> Option<NoEvent> {
    if dialects.newest() != Some(Dialect::Task) {
        return None;
    }
    if job.source.shape() == Shape::Folder && !is_ours {
        return Some(NoEvent::Folder);
    }
    (job.task == Task::None && !dialects.is_several()).then_some(NoEvent::NoTask)
}
