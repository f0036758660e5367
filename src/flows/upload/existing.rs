//! What the warehouse has of a model already, held against what lies here.

use std::time::Duration;

use super::{Means, UploadJob, compare};
use crate::archive::{ArchiveError, Sent, SentFile};
use crate::schema::model::Model;
use crate::schema::role::Dialect;
use crate::warehouse::{ModelQuery, Received, UploadError, UploadedModel, WarehouseError};

/// The record that an upload would be compared with: its version where the client chooses it, else
/// the newest one of the model.
pub(super) async fn fetch(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<Option<Received<Model>>, WarehouseError> {
    let all = means.warehouse.models(&job.user, &ModelQuery::default(), means.deadline).await?;
    let version = job.version.as_deref().unwrap_or("v1");
    // They come newest first.
    Ok(all.into_iter().find(|model| {
        model.value.model_id == job.model.as_str()
            && (dialect != Dialect::Form || model.value.version == version)
    }))
}

/// The record of what was sent, when the server has it: every file with its size and its sum.
///
/// # Errors
/// The API cannot be asked, or a local file cannot be read.
pub(super) async fn find_sent(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<Option<UploadedModel>, UploadError> {
    let Some(record) = fetch(means, job, dialect).await? else { return Ok(None) };
    let files = sums(job).await?;
    if !compare(&files, &record.value.files, job.naming).is_empty() {
        return Ok(None);
    }
    let sent = Sent { bytes: job.source.payload().length(), files };
    Ok(Some(UploadedModel {
        record,
        server: None,
        sent,
        sending: Duration::ZERO,
        waiting: Duration::ZERO,
    }))
}

/// The sums of what lies here; reads every byte, so it does not stand in the way of the network.
async fn sums(job: &UploadJob) -> Result<Vec<SentFile>, UploadError> {
    let source = job.source.clone();
    let sums = tokio::task::spawn_blocking(move || source.sums()).await;
    let broken =
        |error: tokio::task::JoinError| ArchiveError::Threads(std::io::Error::other(error));
    Ok(sums.map_err(broken)??)
}
