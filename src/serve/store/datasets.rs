//! Datasets: one row a version with its file, and the event that announces it, in one transaction.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Map;

use super::changes::set;
use super::files::{self, Owner, Payloads, StoredFile};
use super::outbox::{self, OutboxEvent};
use super::{Store, StoreError};
use crate::base::Stamp;
use crate::base::text_pattern::Pattern;
use crate::schema::dataset::Dataset;
use crate::schema::ids::Version;

/// A dataset about to be stored. The store assigns the version, and a name where none was given.
#[derive(Debug)]
pub struct DatasetDraft {
    pub dataset: Dataset,
    pub is_named: bool,
    pub created: Stamp,
    pub payloads: Payloads,
}

/// Which version is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    Latest,
    Version(String),
}

/// Names a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetKey {
    pub user_id: String,
    pub dataset_id: String,
}

/// What a search is narrowed to.
#[derive(Clone, Debug)]
pub struct DatasetSearch {
    pub pattern: Option<Pattern>,
    /// Any of these; empty is all.
    pub tags: Vec<String>,
    pub file_type: Option<String>,
    pub skip: usize,
    pub limit: usize,
}

/// What events say about the latest version of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestDataset {
    /// Its label, such as `v2`.
    pub version: String,
    pub is_folder: bool,
    /// 1 unless it is a folder.
    pub file_count: u64,
}

/// Which versions an update is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All; the latest is the answer.
    Every,
    /// The one that was stored first, which is the answer too.
    First,
}

impl Store {
    /// Stores a new version with the event that `announce` makes of it.
    ///
    /// # Errors
    /// The disk or the database failed.
    pub async fn add_dataset(
        &self,
        mut draft: DatasetDraft,
        announce: impl FnOnce(&Dataset) -> OutboxEvent + Send + 'static,
    ) -> Result<Dataset, StoreError> {
        draft.payloads = self.place(draft.payloads).await?;
        self.write(move |connection| {
            let dataset = insert(connection, &draft)?;
            outbox::insert(connection, &announce(&dataset))?;
            files::keep(&mut draft.payloads);
            Ok(dataset)
        })
        .await
    }

    /// A user's datasets, every version, in the order in which they came.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_datasets(
        &self,
        user_id: &str,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<Dataset>, StoreError> {
        let user_id = user_id.to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT record FROM datasets WHERE user_id = ? ORDER BY id LIMIT ? OFFSET ?",
            )?;
            records(statement.query(params![user_id, limit, skip])?)
        })
        .await
    }

    /// The latest matching version of each dataset, newest first. Name, description and id match.
    ///
    /// # Errors
    /// The database failed.
    pub async fn search_datasets(
        &self,
        user_id: &str,
        search: DatasetSearch,
    ) -> Result<Vec<Dataset>, StoreError> {
        let user_id = user_id.to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT record FROM datasets WHERE user_id = ? ORDER BY created DESC, id DESC",
            )?;
            let all: Vec<Dataset> = records(statement.query([user_id])?)?;
            let mut seen = std::collections::HashSet::new();
            let latest = all.into_iter().filter(|dataset| {
                search.matches(dataset) && seen.insert(dataset.dataset_id.clone())
            });
            Ok(latest.skip(search.skip).take(search.limit).collect())
        })
        .await
    }

    /// Every version of a dataset, newest first; none when there is no such dataset.
    ///
    /// # Errors
    /// The database failed.
    pub async fn dataset_versions(&self, key: DatasetKey) -> Result<Vec<Dataset>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(NEWEST)?;
            records(statement.query([&key.user_id, &key.dataset_id])?)
        })
        .await
    }

    /// One version.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn dataset(&self, key: DatasetKey, which: Which) -> Result<Dataset, StoreError> {
        self.read(move |connection| Ok(serde_json::from_str(&find(connection, &key, &which)?.1)?))
            .await
    }

    /// One version with its files.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn dataset_files(
        &self,
        key: DatasetKey,
        which: Which,
    ) -> Result<(Dataset, Vec<StoredFile>), StoreError> {
        let blobs = self.blob_folder();
        self.read(move |connection| {
            let (row, record) = find(connection, &key, &which)?;
            Ok((
                serde_json::from_str(&record)?,
                files::read(connection, Owner::Dataset, row, &blobs)?,
            ))
        })
        .await
    }

    /// Sets fields of the records that `reach` says.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn update_dataset(
        &self,
        key: DatasetKey,
        fields: Map<String, serde_json::Value>,
        reach: Reach,
        now: Stamp,
    ) -> Result<Dataset, StoreError> {
        self.write(move |connection| {
            let rows = rows(connection, &key)?;
            let rows = match reach {
                Reach::Every => &rows[..],
                Reach::First => rows.last().map_or(&[][..], std::slice::from_ref),
            };
            for (row, record) in rows {
                let mut record: Map<String, serde_json::Value> = serde_json::from_str(record)?;
                set(&mut record, fields.clone());
                record.insert("updated_at".to_owned(), now.stored().into());
                connection
                    .prepare_cached("UPDATE datasets SET record = ? WHERE id = ?")?
                    .execute(params![serde_json::to_string(&record)?, row])?;
            }
            let (answer, _) = rows.first().ok_or(StoreError::Missing)?;
            let record: String = connection
                .prepare_cached("SELECT record FROM datasets WHERE id = ?")?
                .query_row([answer], |row| row.get(0))?;
            Ok(serde_json::from_str(&record)?)
        })
        .await
    }

    /// Removes one version, or all of them. Says how many versions and how many files went.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn delete_dataset(
        &self,
        key: DatasetKey,
        version: Option<String>,
    ) -> Result<(u64, u64), StoreError> {
        let (versions, files, blobs) = self
            .write_freeing(move |connection| {
                let rows = match &version {
                    Some(version) => {
                        vec![find(connection, &key, &Which::Version(version.clone()))?]
                    }
                    None => rows(connection, &key)?,
                };
                if rows.is_empty() {
                    return Err(StoreError::Missing);
                }
                let mut blobs = Vec::new();
                let mut files = 0;
                for (row, _) in &rows {
                    blobs.extend(files::blobs(connection, Owner::Dataset, *row)?);
                    files += files::remove(connection, Owner::Dataset, *row)?;
                    connection
                        .prepare_cached("DELETE FROM datasets WHERE id = ?")?
                        .execute([row])?;
                }
                Ok((rows.len() as u64, files as u64, blobs))
            })
            .await?;
        self.remove_blobs(blobs).await;
        Ok((versions, files))
    }
}

const NEWEST: &str = "SELECT record FROM datasets WHERE user_id = ? AND dataset_id = ? ORDER BY created DESC, id DESC";

impl DatasetSearch {
    fn matches(&self, dataset: &Dataset) -> bool {
        let texts = [Some(&dataset.name), dataset.description.as_ref(), Some(&dataset.dataset_id)];
        self.pattern
            .as_ref()
            .is_none_or(|pattern| texts.into_iter().flatten().any(|text| pattern.is_in(text)))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| dataset.tags.contains(tag)))
            && self.file_type.as_ref().is_none_or(|wanted| *wanted == dataset.file_type)
    }
}

fn records(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Dataset>, StoreError> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
    }
    Ok(found)
}

/// Rows and records of every version, newest first.
fn rows(connection: &Connection, key: &DatasetKey) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, record FROM datasets WHERE user_id = ? AND dataset_id = ? ORDER BY created DESC, id DESC",
    )?;
    let rows = statement
        .query_map([&key.user_id, &key.dataset_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(
    connection: &Connection,
    key: &DatasetKey,
    which: &Which,
) -> Result<(i64, String), StoreError> {
    let version = match which {
        Which::Latest => None,
        Which::Version(version) => Some(version),
    };
    Ok(connection
        .prepare_cached(
            "SELECT id, record FROM datasets
             WHERE user_id = ?1 AND dataset_id = ?2 AND (?3 IS NULL OR version = ?3)
             ORDER BY created DESC, id DESC LIMIT 1",
        )?
        .query_row(params![key.user_id, key.dataset_id, version], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?)
}

/// Returns what events say about the latest version of a dataset, if it is stored.
pub(super) fn latest_version(
    connection: &Connection,
    user_id: &str,
    dataset_id: &str,
) -> Result<Option<LatestDataset>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT version, json_extract(record, '$.is_folder'),
                    json_extract(record, '$.custom_metadata.file_count')
             FROM datasets WHERE user_id = ? AND dataset_id = ? ORDER BY created DESC, id DESC LIMIT 1",
        )?
        .query_row([user_id, dataset_id], |row| {
            let is_folder = row.get::<_, Option<bool>>(1)?.unwrap_or(false);
            // Clients write the custom metadata, so the count can have any type.
            let files = row.get::<_, rusqlite::types::Value>(2)?;
            let file_count = match files {
                rusqlite::types::Value::Integer(count) if is_folder => u64::try_from(count).unwrap_or(1),
                _ => 1,
            };
            Ok(LatestDataset { version: row.get(0)?, is_folder, file_count })
        })
        .optional()?)
}

/// Whether a dataset, or one version of it, is stored.
pub(super) fn exists(
    connection: &Connection,
    user_id: &str,
    dataset_id: &str,
    version: Option<&str>,
) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT 1 FROM datasets WHERE user_id = ?1 AND dataset_id = ?2 AND (?3 IS NULL OR version = ?3)",
        )?
        .exists(params![user_id, dataset_id, version])?)
}

fn insert(connection: &Connection, draft: &DatasetDraft) -> Result<Dataset, StoreError> {
    let mut dataset = draft.dataset.clone();
    dataset.version = next_version(connection, &dataset)?.to_string();
    if !draft.is_named {
        dataset.name = next_name(connection, &dataset.user_id)?;
    }
    connection
        .prepare_cached(
            "INSERT INTO datasets (user_id, dataset_id, version, created, record) VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            dataset.user_id,
            dataset.dataset_id,
            dataset.version,
            draft.created.micros(),
            serde_json::to_string(&dataset)?
        ])?;
    files::insert(connection, Owner::Dataset, connection.last_insert_rowid(), &draft.payloads)?;
    Ok(dataset)
}

/// One more than the highest `vN`; the number of a newest version that was deleted is used again, as
/// the service does.
fn next_version(connection: &Connection, dataset: &Dataset) -> Result<Version, StoreError> {
    let highest: Option<u64> = connection
        .prepare_cached(
            "SELECT max(CAST(substr(version, 2) AS INTEGER)) FROM datasets WHERE user_id = ? AND dataset_id = ?",
        )?
        .query_row([&dataset.user_id, &dataset.dataset_id], |row| row.get(0))?;
    Ok(Version::numbered(highest.unwrap_or(0) + 1))
}

/// `user_uploaded_dataset_N`, one more than the highest `N` that the user has.
fn next_name(connection: &Connection, user_id: &str) -> Result<String, StoreError> {
    const STEM: &str = "user_uploaded_dataset_";
    let highest: Option<u64> = connection
        .prepare_cached(
            "SELECT max(CAST(substr(json_extract(record, '$.name'), ?2) AS INTEGER)) FROM datasets
             WHERE user_id = ?1 AND json_extract(record, '$.name') GLOB ?3",
        )?
        .query_row(params![user_id, STEM.len() + 1, format!("{STEM}[0-9]*")], |row| row.get(0))?;
    Ok(format!("{STEM}{}", highest.unwrap_or(0) + 1))
}
