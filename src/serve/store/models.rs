//! Models and their files: one row a version, its files, and the event that announces it, in one
//! transaction.

use std::path::PathBuf;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::outbox::{self, OutboxEvent};
use super::{Content, Payload, Store, StoreError};
use crate::base::Stamp;
use crate::schema::ids::Version;
use crate::schema::model::Model;

/// Who says which version a new model gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionRule {
    /// The client; one that exists is a conflict.
    Given(Version),
    /// The server: one more than the highest `vN` that exists.
    Next,
}

/// A model about to be stored. Its version and the storage keys, which hold the version, are filled
/// in by the store.
#[derive(Debug)]
pub struct ModelDraft {
    pub model: Model,
    pub rule: VersionRule,
    pub created: Stamp,
    /// Relative path and content, in the order of `model.files`.
    pub payloads: Vec<(String, Payload)>,
}

/// A file as it can be read back.
#[derive(Clone, Debug)]
pub struct StoredFile {
    /// Relative to the model's version.
    pub path: String,
    pub size: u64,
    pub crc32: u32,
    pub content: StoredContent,
}

#[derive(Clone, Debug)]
pub enum StoredContent {
    Inline(Vec<u8>),
    File(PathBuf),
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    pub skip: u32,
    pub limit: u32,
    pub framework: Option<String>,
    pub model_type: Option<String>,
    /// Any of these.
    pub tags: Vec<String>,
}

impl Store {
    /// Stores a model with the event that `announce` makes of it.
    ///
    /// # Errors
    /// [`StoreError::Exists`] for a given version that is there; the disk or the database failed.
    pub async fn add_model(
        &self,
        mut draft: ModelDraft,
        announce: impl FnOnce(&Model) -> Vec<OutboxEvent> + Send + 'static,
    ) -> Result<Model, StoreError> {
        // Files are in their places before the row that names them can be committed.
        let folder = self.folder().to_owned();
        let mut draft = tokio::task::spawn_blocking(move || -> Result<ModelDraft, StoreError> {
            for (_, payload) in &mut draft.payloads {
                if let Content::Staged(file) = &mut payload.content {
                    file.place(&folder)?;
                }
            }
            Ok(draft)
        })
        .await
        .map_err(|error| StoreError::Gone(error.to_string()))??;
        self.write(move |connection| {
            let model = insert(connection, &mut draft)?;
            for event in announce(&model) {
                outbox::insert(connection, &event)?;
            }
            // Kept before the commit and not after the reply: whoever waits for the reply may be
            // gone by then. Should the commit fail, the sweep at the next start removes the files.
            for (_, payload) in &mut draft.payloads {
                if let Content::Staged(file) = &mut payload.content {
                    file.keep();
                }
            }
            Ok(model)
        })
        .await
    }

    /// A user's models, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn list_models(
        &self,
        user_id: &str,
        filter: ListFilter,
    ) -> Result<Vec<Model>, StoreError> {
        let user_id = user_id.to_owned();
        self.read(move |connection| list(connection, &user_id, &filter)).await
    }

    /// One version of a model.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn model(
        &self,
        user_id: &str,
        model_id: &str,
        version: &str,
    ) -> Result<Model, StoreError> {
        let key = [user_id.to_owned(), model_id.to_owned(), version.to_owned()];
        self.read(move |connection| {
            let record: String = connection
                .prepare_cached(
                    "SELECT record FROM models WHERE user_id = ? AND model_id = ? AND version = ?",
                )?
                .query_row(params_from_iter(key), |row| row.get(0))?;
            Ok(serde_json::from_str(&record)?)
        })
        .await
    }

    /// The files of one version, by path.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such model, or the database failed.
    pub async fn model_files(
        &self,
        user_id: &str,
        model_id: &str,
        version: &str,
    ) -> Result<Vec<StoredFile>, StoreError> {
        let key = [user_id.to_owned(), model_id.to_owned(), version.to_owned()];
        let blobs = self.folder().join("blobs");
        self.read(move |connection| {
            let model: i64 = connection
                .prepare_cached(
                    "SELECT id FROM models WHERE user_id = ? AND model_id = ? AND version = ?",
                )?
                .query_row(params_from_iter(key), |row| row.get(0))?;
            let mut statement = connection.prepare_cached(
                "SELECT path, size, crc32, payload, blob FROM files WHERE model = ? ORDER BY path",
            )?;
            let rows = statement.query_map([model], |row| {
                let content = match row.get::<_, Option<String>>(4)? {
                    Some(name) => StoredContent::File(blobs.join(name)),
                    None => StoredContent::Inline(row.get(3)?),
                };
                Ok(StoredFile { path: row.get(0)?, size: row.get(1)?, crc32: row.get(2)?, content })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn insert(connection: &Connection, draft: &mut ModelDraft) -> Result<Model, StoreError> {
    let version = match &draft.rule {
        VersionRule::Given(version) => version.clone(),
        VersionRule::Next => next_version(connection, &draft.model)?,
    };
    let mut model = draft.model.clone();
    version.as_str().clone_into(&mut model.version);
    let base = format!("models/{}/{}/{version}", model.user_id, model.model_id);
    for (file, (path, _)) in model.files.iter_mut().zip(&draft.payloads) {
        file.file_path = format!("{base}/{path}");
    }
    model.primary_file_path =
        model.files.iter().find(|file| file.is_primary).map(|file| file.file_path.clone());
    connection
        .prepare_cached(
            "INSERT INTO models (user_id, model_id, version, framework, model_type, created, record)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            model.user_id,
            model.model_id,
            model.version,
            model.framework.as_str(),
            model.model_type.as_str(),
            draft.created.micros(),
            serde_json::to_string(&model)?
        ])?;
    let row = connection.last_insert_rowid();
    let mut statement = connection.prepare_cached(
        "INSERT INTO files (model, place, path, size, md5, crc32, payload, blob) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (place, (path, payload)) in (0_i64..).zip(&draft.payloads) {
        let (inline, blob) = match &payload.content {
            Content::Inline(bytes) => (Some(bytes), None),
            Content::Staged(file) => {
                (None, file.path().file_name().map(|name| name.to_string_lossy().into_owned()))
            }
        };
        statement.execute(params![
            row,
            place,
            path,
            payload.size,
            payload.md5,
            payload.crc32,
            inline,
            blob
        ])?;
    }
    Ok(model)
}

/// One more than the highest `vN`. Inside the writer's transaction, so two uploads never get the
/// same.
fn next_version(connection: &Connection, model: &Model) -> Result<Version, StoreError> {
    let highest: Option<u64> = connection
        .prepare_cached(
            "SELECT max(CAST(substr(version, 2) AS INTEGER)) FROM models
             WHERE user_id = ? AND model_id = ? AND version GLOB 'v[0-9]*' AND NOT substr(version, 2) GLOB '*[^0-9]*'",
        )?
        .query_row([&model.user_id, &model.model_id], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(Version::numbered(highest.unwrap_or(0) + 1))
}

fn list(
    connection: &Connection,
    user_id: &str,
    filter: &ListFilter,
) -> Result<Vec<Model>, StoreError> {
    let mut sql = "SELECT record FROM models WHERE user_id = ?".to_owned();
    let mut values = vec![Value::from(user_id.to_owned())];
    for (column, value) in [("framework", &filter.framework), ("model_type", &filter.model_type)] {
        if let Some(value) = value {
            sql += &format!(" AND {column} = ?");
            values.push(value.clone().into());
        }
    }
    if !filter.tags.is_empty() {
        let marks = vec!["?"; filter.tags.len()].join(", ");
        sql += &format!(
            " AND EXISTS (SELECT 1 FROM json_each(record, '$.tags') WHERE value IN ({marks}))"
        );
        values.extend(filter.tags.iter().cloned().map(Value::from));
    }
    sql += " ORDER BY created DESC, id DESC LIMIT ? OFFSET ?";
    values.push(i64::from(filter.limit).into());
    values.push(i64::from(filter.skip).into());
    let mut statement = connection.prepare_cached(&sql)?;
    let records = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(0))?;
    records.map(|record| Ok(serde_json::from_str(&record?)?)).collect()
}
