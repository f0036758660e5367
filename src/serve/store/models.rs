//! Models and their files: one row a version, its files, and the event that announces it, in one
//! transaction.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::files::{self, Owner, Payloads, StoredFile};
use super::outbox::{self, OutboxEvent};
use super::{LatestDataset, Store, StoreError, datasets};
use crate::base::Stamp;
use crate::base::text_pattern::Pattern;
use crate::schema::ids::Version;
use crate::schema::model::Model;

/// Files whose rows are a small write.
const FEW: usize = 16;

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
    /// In the order of `model.files`.
    pub payloads: Payloads,
}

/// Names one version of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelKey {
    pub user_id: String,
    pub model_id: String,
    pub version: String,
}

impl ModelKey {
    /// Row and record.
    pub(super) fn find(&self, connection: &Connection) -> Result<(i64, String), StoreError> {
        Ok(connection
            .prepare_cached(
                "SELECT id, record FROM models WHERE user_id = ? AND model_id = ? AND version = ?",
            )?
            .query_row([&self.user_id, &self.model_id, &self.version], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?)
    }
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    pub skip: u32,
    pub limit: u32,
    pub framework: Option<String>,
    /// Any of these; empty is all.
    pub model_types: Vec<String>,
    /// Any of these; empty is all.
    pub tags: Vec<String>,
}

impl Store {
    /// Stores a model with the event that `announce` makes of it and of the latest version of the
    /// dataset that it was trained on. Gives the record as it is stored, in JSON.
    ///
    /// # Errors
    /// [`StoreError::Exists`] for a given version that is there; the disk or the database failed.
    pub async fn add_model(
        &self,
        mut draft: ModelDraft,
        announce: impl FnOnce(&Model, Option<LatestDataset>) -> Option<OutboxEvent> + Send + 'static,
    ) -> Result<String, StoreError> {
        draft.payloads = self.place(draft.payloads).await?;
        let is_little = draft.payloads.len() <= FEW;
        let work = move |connection: &Connection| {
            let (model, record) = insert(connection, &draft)?;
            let dataset = model.training_dataset.as_deref();
            let latest = dataset
                .map(|dataset| datasets::latest_version(connection, &model.user_id, dataset))
                .transpose()?
                .flatten();
            if let Some(event) = announce(&model, latest) {
                outbox::insert(connection, &event)?;
            }
            files::keep(&mut draft.payloads);
            Ok(record)
        };
        if is_little { self.write_little(work).await } else { self.write(work).await }
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

    /// A user's models in which name, description, algorithm or tags match, newest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn search_models(
        &self,
        user_id: &str,
        pattern: Option<Pattern>,
        filter: ListFilter,
    ) -> Result<Vec<Model>, StoreError> {
        let user_id = user_id.to_owned();
        let page = (filter.skip as usize, filter.limit as usize);
        let all = ListFilter { skip: 0, limit: u32::MAX, ..filter };
        self.read(move |connection| {
            let models = list(connection, &user_id, &all)?.into_iter();
            let found = models.filter(|model| pattern.as_ref().is_none_or(|p| matches(p, model)));
            Ok(found.skip(page.0).take(page.1).collect())
        })
        .await
    }

    /// One version of a model.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn model(&self, key: ModelKey) -> Result<Model, StoreError> {
        self.read(move |connection| Ok(serde_json::from_str(&key.find(connection)?.1)?)).await
    }

    /// The files of one version, by path.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such model, or the database failed.
    pub async fn model_files(&self, key: ModelKey) -> Result<Vec<StoredFile>, StoreError> {
        let blobs = self.blob_folder();
        self.read(move |connection| {
            let (row, _) = key.find(connection)?;
            files::read(connection, Owner::Model, row, &blobs)
        })
        .await
    }
}

fn matches(pattern: &Pattern, model: &Model) -> bool {
    let texts = [Some(&model.name), model.description.as_ref(), model.algorithm.as_ref()];
    texts.into_iter().flatten().chain(&model.tags).any(|text| pattern.is_in(text))
}

/// Gives the model as it is now, and its record.
fn insert(connection: &Connection, draft: &ModelDraft) -> Result<(Model, String), StoreError> {
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
    let record = serde_json::to_string(&model)?;
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
            record
        ])?;
    files::insert(connection, Owner::Model, connection.last_insert_rowid(), &draft.payloads)?;
    Ok((model, record))
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

/// `?, ?, …`
fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn list(
    connection: &Connection,
    user_id: &str,
    filter: &ListFilter,
) -> Result<Vec<Model>, StoreError> {
    let mut sql = "SELECT record FROM models WHERE user_id = ?".to_owned();
    let mut values = vec![Value::from(user_id.to_owned())];
    if let Some(framework) = &filter.framework {
        sql += " AND framework = ?";
        values.push(framework.clone().into());
    }
    if !filter.model_types.is_empty() {
        sql += &format!(" AND model_type IN ({})", marks(filter.model_types.len()));
        values.extend(filter.model_types.iter().cloned().map(Value::from));
    }
    if !filter.tags.is_empty() {
        sql += &format!(
            " AND EXISTS (SELECT 1 FROM json_each(record, '$.tags') WHERE value IN ({}))",
            marks(filter.tags.len())
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
