//! What the warehouse has of a model already, held against what lies here.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{
    Difference, Matching, Means, Receipt, UploadJob, Uploaded, adopt_aliases, again, compare, told,
};
use crate::archive::{ArchiveError, SentFile};
use crate::base::shell::quoted;
use crate::base::{Classify, Failure, Kind};
use crate::schema::model::Model;
use crate::schema::role::Dialect;
use crate::warehouse::{
    FileSink, ModelQuery, Received, UploadError, UploadedModel, WarehouseError,
};

/// What an upload does where its model is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    /// It makes a version of its own; an API that takes the version from here refuses one twice.
    New,
    /// It sends nothing where the files are the same.
    Skip,
    /// It sends nothing, and fails.
    Fail,
}

/// Does what was asked for where the model is there: a receipt says that nothing is left to do.
///
/// # Errors
/// It is there and must not be, the API cannot be asked, or a local file cannot be read.
pub(super) async fn settle(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<Option<Receipt>, Failure> {
    if means.if_exists == IfExists::New {
        return Ok(None);
    }
    let found = again::ask_patiently(means, async || fetch(means, job, dialect).await).await?;
    let Some(record) = found else { return Ok(None) };
    let coordinates = record.value.coordinates();
    if means.if_exists == IfExists::Fail {
        return Err(exists(&coordinates, "")
            .hint("--if-exists skip compares its files, --if-exists new makes another version"));
    }
    let differences = match hold(job, &record.value).await? {
        Held::Differs(differences) => differences,
        Held::Same(files) => {
            let event = if means.confirmation.is_some() { ", so no event follows" } else { "" };
            means.reporter.note(&format!(
                "{coordinates} has the same files already: nothing was sent{event}"
            ));
            let request = job.request(dialect);
            let other = other_fields(&record.value, &request.fields);
            if !other.is_empty() {
                means.reporter.note(&format!(
                    "its {} stays as it is; dwctl models update changes that",
                    other.join(", ")
                ));
            }
            return Ok(Some(Receipt::unchanged(dialect, record, files)));
        }
    };
    if dialect == Dialect::Form {
        let others = format!(" with other files: {}", told(&differences));
        return Err(exists(&coordinates, &others).hint("choose another --version"));
    }
    means.reporter.note(&format!("{coordinates} differs: {}", told(&differences)));
    Ok(None)
}

/// The refusal that an API gives which takes the version from here, before anything is sent.
fn exists(coordinates: &str, how: &str) -> Failure {
    Failure::new(Kind::Rejected, format!("{coordinates} exists already{how}; nothing was sent"))
        .hint_command("see it", &format!("dwctl models show {}", quoted(coordinates)))
}

/// The record that an upload would be compared with: its version where the client chooses it, else
/// the newest one of the model.
pub(super) async fn fetch(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<Option<Received<Model>>, WarehouseError> {
    let Means { warehouse, deadline, .. } = means;
    if dialect == Dialect::Form {
        return match warehouse.model(&job.user, &job.model, &job.form_version(), deadline).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
    }
    let all = warehouse.models(&job.user, &ModelQuery::default(), deadline).await?;
    // They come newest first.
    Ok(all.into_iter().find(|model| model.value.model_id == job.model.as_str()))
}

/// What a look for something that was sent has shown.
pub(super) enum Found {
    /// The record of it, with every file's size and sum.
    Stored(Box<Uploaded>),
    /// No record, or an older one, or one of something else.
    Nothing,
}

/// Looks for what was sent since `begun`.
///
/// # Errors
/// The API cannot be asked, or a local file cannot be read.
pub(super) async fn find_sent(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
    begun: Instant,
) -> Result<Found, UploadError> {
    let Some(record) = fetch(means, job, dialect).await? else { return Ok(Found::Nothing) };
    let now = means.warehouse.server_time().unwrap_or_else(Timestamp::now);
    if !is_made_since(&record.value.created_at, now, begun.elapsed()) {
        return Ok(Found::Nothing);
    }
    if !has_fields(&record.value, &job.request(dialect).fields) {
        return Ok(Found::Nothing);
    }
    let Held::Same(files) = hold(job, &record.value).await? else { return Ok(Found::Nothing) };
    let Received { value: mut model, text } = record;
    let mut sink = Matching::new(files, job.naming);
    std::mem::take(&mut model.files).into_iter().for_each(|file| sink.take(file));
    Ok(Found::Stored(Box::new(UploadedModel {
        model,
        sink,
        text: Some(text),
        server: None,
        bytes: job.source.payload().length(),
        sending: Duration::ZERO,
        waiting: Duration::ZERO,
    })))
}

/// Whether a record has the texts that were sent. An upload of the same files moments before, under
/// another description, is not this one. Fields that the service rewrites (`model_type`, lists,
/// numbers) say nothing.
fn has_fields(record: &Model, sent: &[(String, String)]) -> bool {
    other_fields(record, sent).is_empty()
}

/// The names of the texts that a record has otherwise.
fn other_fields<'a>(record: &Model, sent: &'a [(String, String)]) -> Vec<&'a str> {
    let is_other = |(name, text): &&(String, String)| {
        let stored = match name.as_str() {
            "name" => Some(record.name.as_str()),
            "description" => Some(record.description.as_deref().unwrap_or_default()),
            "framework" => Some(record.framework.as_str()),
            "algorithm" => Some(record.algorithm.as_deref().unwrap_or_default()),
            "training_dataset" => Some(record.training_dataset.as_deref().unwrap_or_default()),
            _ => None,
        };
        stored.is_some_and(|stored| stored.trim() != text.trim())
    };
    sent.iter().filter(is_other).map(|(name, _)| name.as_str()).collect()
}

/// Whether a record was made within this time before now, by the server's own clock. The same files
/// may have been there for long. A stamp that is none leaves it to the files.
fn is_made_since(created_at: &str, now: Timestamp, ago: Duration) -> bool {
    /// The server's clock is told in whole seconds, and a record's stamp may be older than its reply.
    const SLACK: Duration = Duration::from_secs(3);
    // Stamps of the first generations are naive and mean UTC (contract 3).
    let made = created_at.parse::<Timestamp>().ok().or_else(|| {
        let naive: jiff::civil::DateTime = created_at.parse().ok()?;
        Some(naive.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    });
    match (made, now.checked_sub(ago + SLACK)) {
        (Some(made), Ok(earliest)) => made >= earliest,
        _ => true,
    }
}

/// What is the same in a record and here, or what is not.
enum Held {
    /// Every file is there with its size and its sum.
    Same(Vec<SentFile>),
    Differs(Vec<Difference>),
}

/// Holds sizes against each other first: only where they say nothing every byte is read.
async fn hold(job: &UploadJob, record: &Model) -> Result<Held, ArchiveError> {
    let aliases = job.source.aliases();
    let mut listing = job.source.listing();
    adopt_aliases(&mut listing, &record.files, job.naming, &aliases);
    let differences = compare(&listing, &record.files, job.naming);
    if !differences.is_empty() {
        return Ok(Held::Differs(differences));
    }
    let source = job.source.clone();
    let mut files = tokio::task::spawn_blocking(move || source.sums())
        .await
        .map_err(|error| ArchiveError::Threads(std::io::Error::other(error)))??;
    adopt_aliases(&mut files, &record.files, job.naming, &aliases);
    let differences = compare(&files, &record.files, job.naming);
    Ok(if differences.is_empty() { Held::Same(files) } else { Held::Differs(differences) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_with_another_text_is_another_upload() {
        let record: Model = serde_json::from_str(
            r#"{"model_id": "m", "user_id": "u", "name": "M", "version": "v1",
                "framework": "onnx", "model_type": "tabular_regression", "description": "one"}"#,
        )
        .unwrap();
        let sent = |fields: &[(&str, &str)]| {
            let fields: Vec<(String, String)> =
                fields.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
            has_fields(&record, &fields)
        };
        assert!(sent(&[("name", "M"), ("description", "one "), ("model_type", "regression")]));
        assert!(sent(&[("framework", "onnx"), ("algorithm", "")]));
        assert!(!sent(&[("description", "two")]) && !sent(&[("training_dataset", "d1")]));
    }

    #[test]
    fn only_a_record_of_this_run_is_its_own_whatever_zone_its_stamp_has() {
        let now: Timestamp = "2026-11-23T13:20:00Z".parse().unwrap();
        let minute = Duration::from_secs(60);
        for (stamp, own) in [
            ("2026-11-23T13:19:20.418000", true),
            ("2026-11-23T13:19:20.418000+00:00", true),
            ("2026-11-23T14:19:20+01:00", true),
            ("2026-11-23T13:18:58", true),
            ("2026-11-23T13:18:50", false),
            ("2026-11-22T13:19:20.418000", false),
            ("yesterday", true),
        ] {
            assert_eq!(is_made_since(stamp, now, minute), own, "{stamp}");
        }
    }
}
