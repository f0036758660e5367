//! Bias reports: one per dataset, or per version of it, replaced by the next, with the event that
//! announces it. A report is taken only on a dataset that is stored.

use rusqlite::{Connection, OptionalExtension, params};

use super::outbox::{self, OutboxEvent};
use super::{Store, StoreError, datasets, transformation};
use crate::base::Stamp;
use crate::schema::bias::{BiasReport, BiasReportRequest};

/// A report as it was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedBiasReport {
    pub report: BiasReport,
    /// A transformation report on any version of the dataset is stored too.
    pub is_transformed: bool,
}

impl Store {
    /// Stores a report under a fresh id, or replaces the one on the same dataset and version and
    /// keeps its id.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the dataset, or the version that is named, is not stored; the
    /// database failed.
    pub async fn save_bias_report(
        &self,
        request: BiasReportRequest,
        fresh_id: String,
        now: Stamp,
        announce: impl FnOnce(&SavedBiasReport) -> Option<OutboxEvent> + Send + 'static,
    ) -> Result<BiasReport, StoreError> {
        self.write(move |connection| {
            let BiasReportRequest { user_id, dataset_id, dataset_version: version, .. } = &request;
            if !datasets::exists(connection, user_id, dataset_id, version.as_deref())? {
                return Err(StoreError::Missing);
            }
            let is_transformed = transformation::is_reported(connection, user_id, dataset_id)?;
            let known = find(connection, user_id, dataset_id, version.as_deref().unwrap_or(""))?;
            let (id, created_at) = known
                .map_or_else(|| (fresh_id, now.stored()), |report| (report.id, report.created_at));
            let saved =
                SavedBiasReport { report: of(request, id, created_at, now), is_transformed };
            store(connection, &saved.report, now)?;
            if let Some(event) = announce(&saved) {
                outbox::insert(connection, &event)?;
            }
            Ok(saved.report)
        })
        .await
    }

    /// The report on a dataset: on the version that is named, else the newest.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn bias_report(
        &self,
        user_id: &str,
        dataset_id: &str,
        version: Option<String>,
    ) -> Result<BiasReport, StoreError> {
        let reports = self.bias_reports(user_id, dataset_id).await?;
        reports
            .into_iter()
            .find(|report| version.is_none() || report.dataset_version.as_ref() == Some(&version))
            .ok_or(StoreError::Missing)
    }

    /// All reports on a dataset, the one that was changed last first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn bias_reports(
        &self,
        user_id: &str,
        dataset_id: &str,
    ) -> Result<Vec<BiasReport>, StoreError> {
        let key = [user_id.to_owned(), dataset_id.to_owned()];
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT record FROM bias_reports WHERE user_id = ? AND dataset_id = ? ORDER BY updated DESC, rowid DESC",
            )?;
            let records = statement.query_map(key, |row| row.get::<_, String>(0))?;
            records.map(|record| Ok(serde_json::from_str(&record?)?)).collect()
        })
        .await
    }

    /// Removes the reports on a dataset, or the one on a version of it.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn delete_bias_reports(
        &self,
        user_id: &str,
        dataset_id: &str,
        version: Option<String>,
    ) -> Result<(), StoreError> {
        let key = (user_id.to_owned(), dataset_id.to_owned(), version);
        self.write_freeing(move |connection| {
            let (user_id, dataset_id, version) = &key;
            let removed = connection
                .prepare_cached(
                    "DELETE FROM bias_reports
                     WHERE user_id = ?1 AND dataset_id = ?2 AND (?3 IS NULL OR dataset_version = ?3)",
                )?
                .execute(params![user_id, dataset_id, version])?;
            if removed == 0 { Err(StoreError::Missing) } else { Ok(()) }
        })
        .await
    }
}

/// A request's report. The two keys of the `task` dialect stand only where a version is named.
fn of(request: BiasReportRequest, id: String, created_at: String, now: Stamp) -> BiasReport {
    let transformation = request.transformation_report_id;
    BiasReport {
        id,
        user_id: request.user_id,
        dataset_id: request.dataset_id,
        transformation_report_id: request.dataset_version.is_some().then_some(transformation),
        dataset_version: request.dataset_version.map(Some),
        report: request.report,
        created_at,
        updated_at: now.stored(),
    }
}

fn store(connection: &Connection, report: &BiasReport, now: Stamp) -> Result<(), StoreError> {
    let version = report.dataset_version.as_ref().and_then(Option::as_deref).unwrap_or("");
    connection
        .prepare_cached(
            "INSERT INTO bias_reports (id, user_id, dataset_id, dataset_version, updated, record)
             VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (user_id, dataset_id, dataset_version)
             DO UPDATE SET record = excluded.record, updated = excluded.updated",
        )?
        .execute(params![
            report.id,
            report.user_id,
            report.dataset_id,
            version,
            now.micros(),
            serde_json::to_string(report)?
        ])?;
    Ok(())
}

fn find(
    connection: &Connection,
    user_id: &str,
    dataset_id: &str,
    version: &str,
) -> Result<Option<BiasReport>, StoreError> {
    let record: Option<String> = connection
        .prepare_cached(
            "SELECT record FROM bias_reports WHERE user_id = ? AND dataset_id = ? AND dataset_version = ?",
        )?
        .query_row([user_id, dataset_id, version], |row| row.get(0))
        .optional()?;
    record.map(|record| Ok(serde_json::from_str(&record)?)).transpose()
}
