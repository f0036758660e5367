//! Transformation reports: one per version of a dataset, replaced by the next.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError};
use crate::base::Stamp;
use crate::schema::report::TransformationReport;

/// Names a report: user, dataset, version.
pub type ReportKey = [String; 3];

impl Store {
    /// Stores a report under a fresh id, or replaces the one that is there and keeps its id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn save_transformation_report(
        &self,
        request: TransformationReport,
        fresh_id: String,
        now: Stamp,
    ) -> Result<TransformationReport, StoreError> {
        self.write(move |connection| {
            let key = [&request.user_id, &request.dataset_id, &request.version];
            let (id, created_at) = match find(connection, &key)? {
                Some(known) => (known.id, known.created_at),
                None => (Some(fresh_id), Some(now.stored())),
            };
            let report = TransformationReport {
                id,
                created_at,
                updated_at: Some(now.stored()),
                ..request
            };
            connection
                .prepare_cached(
                    "INSERT INTO transformation_reports (id, user_id, dataset_id, version, record) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT (user_id, dataset_id, version) DO UPDATE SET record = excluded.record",
                )?
                .execute(params![
                    report.id,
                    report.user_id,
                    report.dataset_id,
                    report.version,
                    serde_json::to_string(&report)?
                ])?;
            Ok(report)
        })
        .await
    }

    /// One report.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn transformation_report(
        &self,
        key: ReportKey,
    ) -> Result<TransformationReport, StoreError> {
        self.read(move |connection| find(connection, &key.each_ref())?.ok_or(StoreError::Missing))
            .await
    }

    /// Removes a report.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn delete_transformation_report(&self, key: ReportKey) -> Result<(), StoreError> {
        self.write_freeing(move |connection| {
            let removed = connection
                .prepare_cached(
                    "DELETE FROM transformation_reports WHERE user_id = ? AND dataset_id = ? AND version = ?",
                )?
                .execute(key.each_ref())?;
            if removed == 0 { Err(StoreError::Missing) } else { Ok(()) }
        })
        .await
    }
}

fn find(
    connection: &Connection,
    key: &[&String; 3],
) -> Result<Option<TransformationReport>, StoreError> {
    let record: Option<String> = connection
        .prepare_cached(
            "SELECT record FROM transformation_reports WHERE user_id = ? AND dataset_id = ? AND version = ?",
        )?
        .query_row(*key, |row| row.get(0))
        .optional()?;
    record.map(|record| Ok(serde_json::from_str(&record)?)).transpose()
}

/// Whether any version of a dataset has one.
pub(super) fn is_reported(
    connection: &Connection,
    user_id: &str,
    dataset_id: &str,
) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM transformation_reports WHERE user_id = ? AND dataset_id = ?",
        )?
        .exists([user_id, dataset_id])?)
}
