//! Bias reports: one per user and dataset, replaced by the next, with the event that announces it.

use rusqlite::{Connection, OptionalExtension, params};

use super::outbox::{self, OutboxEvent};
use super::{Store, StoreError};
use crate::base::Stamp;
use crate::schema::bias::{BiasReport, BiasReportRequest};

impl Store {
    /// Stores a report under a fresh id, or replaces the one that is there and keeps its id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn save_bias_report(
        &self,
        request: BiasReportRequest,
        fresh_id: String,
        now: Stamp,
        announce: impl FnOnce(&BiasReport) -> OutboxEvent + Send + 'static,
    ) -> Result<BiasReport, StoreError> {
        self.write(move |connection| {
            let known = find(connection, &request.user_id, &request.dataset_id)?;
            let (id, created_at) =
                known.map_or_else(|| (fresh_id, now.stored()), |report| (report.id, report.created_at));
            let report = BiasReport {
                id,
                user_id: request.user_id,
                dataset_id: request.dataset_id,
                dataset_version: None,
                report: request.report,
                transformation_report_id: None,
                created_at,
                updated_at: now.stored(),
            };
            connection
                .prepare_cached(
                    "INSERT INTO bias_reports (id, user_id, dataset_id, created, record) VALUES (?, ?, ?, ?, ?)
                     ON CONFLICT (user_id, dataset_id) DO UPDATE SET record = excluded.record",
                )?
                .execute(params![
                    report.id,
                    report.user_id,
                    report.dataset_id,
                    now.micros(),
                    serde_json::to_string(&report)?
                ])?;
            outbox::insert(connection, &announce(&report))?;
            Ok(report)
        })
        .await
    }

    /// The report on a dataset.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn bias_report(
        &self,
        user_id: &str,
        dataset_id: &str,
    ) -> Result<BiasReport, StoreError> {
        let (user_id, dataset_id) = (user_id.to_owned(), dataset_id.to_owned());
        self.read(move |connection| {
            find(connection, &user_id, &dataset_id)?.ok_or(StoreError::Missing)
        })
        .await
    }

    /// Removes the report on a dataset.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn delete_bias_report(
        &self,
        user_id: &str,
        dataset_id: &str,
    ) -> Result<(), StoreError> {
        let (user_id, dataset_id) = (user_id.to_owned(), dataset_id.to_owned());
        self.write(move |connection| {
            let removed = connection
                .prepare_cached("DELETE FROM bias_reports WHERE user_id = ? AND dataset_id = ?")?
                .execute([user_id, dataset_id])?;
            if removed == 0 { Err(StoreError::Missing) } else { Ok(()) }
        })
        .await
    }
}

fn find(
    connection: &Connection,
    user_id: &str,
    dataset_id: &str,
) -> Result<Option<BiasReport>, StoreError> {
    let record: Option<String> = connection
        .prepare_cached("SELECT record FROM bias_reports WHERE user_id = ? AND dataset_id = ?")?
        .query_row([user_id, dataset_id], |row| row.get(0))
        .optional()?;
    record.map(|record| Ok(serde_json::from_str(&record)?)).transpose()
}
