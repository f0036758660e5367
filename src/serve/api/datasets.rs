//! Datasets in one file: upload, lists, records, files, downloads, updates and deletions. Folders and
//! the service's automatic split of large tables are not served.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::App;
use super::body::{self, Bare, Field, Kind, Null, Raw};
use super::fields::tags;
use super::models::{page, pattern};
use super::refusal::Refused;
use super::{download, upload};
use crate::schema::dataset::{Dataset, DatasetDeleted, DatasetFile};
use crate::schema::role::Dialect;
use crate::serve::store::{DatasetKey, DatasetSearch, Reach, StoreError, StoredFile, Which};

const NOT_FOUND: &str = "Dataset not found";

type Ids = Path<(String, String)>;
type IdsAndVersion = Path<(String, String, String)>;

/// The record in the keys of the dialect that answers.
pub(super) fn shown(app: &App, dataset: Dataset) -> Dataset {
    match app.spoken.newest() {
        Dialect::Task => dataset,
        Dialect::Flat => {
            Dataset { is_public: None, public_source: None, public_link: None, ..dataset }
        }
        Dialect::Form => Dataset {
            files: None,
            is_folder: None,
            is_public: None,
            public_source: None,
            public_link: None,
            ..dataset
        },
    }
}

fn all_shown(app: &App, datasets: Vec<Dataset>) -> Json<Vec<Dataset>> {
    Json(datasets.into_iter().map(|dataset| shown(app, dataset)).collect())
}

fn refuse(error: &StoreError, missing: &str, failed: &str) -> Refused {
    match error {
        StoreError::Missing => Refused::not_found(missing),
        _ => Refused::of_store(error, failed),
    }
}

/// Query of lists and searches.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    query: Option<String>,
    tags: Option<String>,
    file_type: Option<String>,
    skip: Option<String>,
    limit: Option<String>,
}

impl ListQuery {
    fn page(&self) -> Result<(u32, u32), Refused> {
        let mut problems = Vec::new();
        let page = page(self.skip.as_deref(), self.limit.as_deref(), &mut problems);
        if problems.is_empty() { Ok(page) } else { Err(Refused::problems(problems)) }
    }
}

pub(super) async fn list(
    State(app): State<App>,
    Path(user): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<Dataset>>, Refused> {
    let (skip, limit) = query.page()?;
    let listed = app.store.list_datasets(&user, skip, limit).await;
    listed
        .map(|datasets| all_shown(&app, datasets))
        .map_err(|error| Refused::of_store(&error, "Failed to retrieve datasets"))
}

pub(super) async fn search(
    State(app): State<App>,
    Path(user): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<Dataset>>, Refused> {
    const FAILED: &str = "Failed to search datasets";
    let (skip, limit) = query.page()?;
    let search = DatasetSearch {
        pattern: pattern(query.query.as_deref(), FAILED)?,
        tags: tags(query.tags.as_deref().unwrap_or("")),
        file_type: query.file_type,
        skip: skip as usize,
        limit: limit as usize,
    };
    let found = app.store.search_datasets(&user, search).await;
    found
        .map(|datasets| all_shown(&app, datasets))
        .map_err(|error| Refused::of_store(&error, FAILED))
}

/// Of this dataset only; the service takes its id for the beginning of one (contract B12).
pub(super) async fn versions(
    State(app): State<App>,
    Path((user_id, dataset_id)): Ids,
) -> Result<Json<Vec<Dataset>>, Refused> {
    let versions = app.store.dataset_versions(DatasetKey { user_id, dataset_id }).await;
    versions
        .map(|datasets| all_shown(&app, datasets))
        .map_err(|error| Refused::of_store(&error, "Failed to retrieve dataset versions"))
}

async fn record(app: &App, key: DatasetKey, which: Which) -> Result<Json<Dataset>, Refused> {
    app.store
        .dataset(key, which)
        .await
        .map(|dataset| Json(shown(app, dataset)))
        .map_err(|error| refuse(&error, NOT_FOUND, "Failed to retrieve dataset"))
}

pub(super) async fn show(
    State(app): State<App>,
    Path((user_id, dataset_id)): Ids,
) -> Result<Json<Dataset>, Refused> {
    record(&app, DatasetKey { user_id, dataset_id }, Which::Latest).await
}

pub(super) async fn show_version(
    State(app): State<App>,
    Path((user_id, dataset_id, version)): IdsAndVersion,
) -> Result<Json<Dataset>, Refused> {
    record(&app, DatasetKey { user_id, dataset_id }, Which::Version(version)).await
}

/// Query of files and downloads.
#[derive(Debug, Deserialize)]
pub(super) struct FilesQuery {
    version: Option<String>,
    filename: Option<String>,
}

pub(super) async fn files(
    State(app): State<App>,
    Path((user_id, dataset_id)): Ids,
    Query(query): Query<FilesQuery>,
) -> Result<Json<Vec<DatasetFile>>, Refused> {
    let which = query.version.map_or(Which::Latest, Which::Version);
    let (dataset, files) = app
        .store
        .dataset_files(DatasetKey { user_id, dataset_id }, which)
        .await
        .map_err(|error| refuse(&error, NOT_FOUND, "Failed to retrieve dataset files"))?;
    Ok(Json(files.iter().map(|file| described(&dataset, file)).collect()))
}

/// A file as it is listed: without the content type that it came with.
fn described(dataset: &Dataset, file: &StoredFile) -> DatasetFile {
    DatasetFile {
        filename: file.path.clone(),
        file_path: storage_key(dataset, &file.path),
        file_size: file.size,
        file_type: upload::extension(&file.path),
        file_hash: dataset.file_hash.clone(),
        content_type: Some("application/octet-stream".to_owned()),
    }
}

/// `datasets/USER/DATASET/VERSION/PATH`.
pub(super) fn storage_key(dataset: &Dataset, path: &str) -> String {
    let Dataset { user_id, dataset_id, version, .. } = dataset;
    format!("datasets/{user_id}/{dataset_id}/{version}/{path}")
}

async fn send(
    app: &App,
    key: DatasetKey,
    which: Which,
    filename: Option<String>,
    missing: &str,
) -> Result<Response, Refused> {
    let (_, mut files) = app
        .store
        .dataset_files(key, which)
        .await
        .map_err(|error| refuse(&error, missing, "Failed to download dataset"))?;
    let place = match &filename {
        Some(name) => files
            .iter()
            .position(|file| file.path == *name)
            .ok_or_else(|| Refused::not_found(format!("File '{name}' not found in dataset")))?,
        None => 0,
    };
    if files.is_empty() {
        return Err(Refused::not_found("File not found"));
    }
    let file = files.swap_remove(place);
    let name = file.path.clone();
    Ok(download::one(file, &name))
}

pub(super) async fn download(
    State(app): State<App>,
    Path((user_id, dataset_id)): Ids,
    Query(query): Query<FilesQuery>,
) -> Result<Response, Refused> {
    let key = DatasetKey { user_id, dataset_id };
    send(&app, key, Which::Latest, query.filename, NOT_FOUND).await
}

pub(super) async fn download_version(
    State(app): State<App>,
    Path((user_id, dataset_id, version)): IdsAndVersion,
    Query(query): Query<FilesQuery>,
) -> Result<Response, Refused> {
    let key = DatasetKey { user_id, dataset_id };
    send(&app, key, Which::Version(version), query.filename, "Dataset version not found").await
}

const FIELDS: &[Field] = &[
    ("name", Kind::Text, Null::Allowed),
    ("description", Kind::Text, Null::Allowed),
    ("tags", Kind::Texts, Null::Allowed),
    ("custom_metadata", Kind::Object, Null::Allowed),
];

/// Null leaves a field as it is.
pub(super) async fn update(
    State(app): State<App>,
    Path((user_id, dataset_id)): Ids,
    Raw(body): Raw,
) -> Result<Json<Dataset>, Refused> {
    let mut fields = body::object(&body, Bare::Refused)?;
    let problems = body::check(&mut fields, FIELDS);
    if !problems.is_empty() {
        return Err(Refused::problems(problems));
    }
    fields.retain(|name, value| !value.is_null() && FIELDS.iter().any(|(known, ..)| known == name));
    let reach = match app.spoken.newest() {
        Dialect::Task => Reach::Every,
        Dialect::Form | Dialect::Flat => Reach::First,
    };
    let key = DatasetKey { user_id, dataset_id };
    let updated = app.store.update_dataset(key, fields, reach, app.clock.now()).await;
    updated
        .map(|dataset| Json(shown(&app, dataset)))
        .map_err(|error| refuse(&error, NOT_FOUND, "Failed to update dataset"))
}

async fn remove(
    app: &App,
    key: DatasetKey,
    version: Option<String>,
) -> Result<(u64, u64), Refused> {
    let removed = app.store.delete_dataset(key, version).await;
    removed.map_err(|error| refuse(&error, NOT_FOUND, "Failed to delete dataset"))
}

pub(super) async fn delete(
    State(app): State<App>,
    Path((user_id, dataset_id)): Ids,
) -> Result<Json<DatasetDeleted>, Refused> {
    let (versions, files) = remove(&app, DatasetKey { user_id, dataset_id }, None).await?;
    Ok(Json(DatasetDeleted {
        message: format!("All {versions} version(s) of dataset deleted successfully"),
        versions_deleted: Some(versions),
        file_deleted: None,
        files_deleted: Some(files),
        files_failed: Some(0),
        metadata_deleted: None,
    }))
}

pub(super) async fn delete_version(
    State(app): State<App>,
    Path((user_id, dataset_id, version)): IdsAndVersion,
) -> Result<Json<DatasetDeleted>, Refused> {
    let (_, files) = remove(&app, DatasetKey { user_id, dataset_id }, Some(version)).await?;
    let counts = app.spoken.newest() != Dialect::Form;
    Ok(Json(DatasetDeleted {
        message: "Dataset deleted successfully".to_owned(),
        versions_deleted: None,
        file_deleted: (!counts).then_some(files > 0),
        files_deleted: counts.then_some(files),
        files_failed: None,
        metadata_deleted: Some(true),
    }))
}

/// The folder upload of other services, so that whoever tries it learns why not.
pub(super) async fn upload_folder() -> Refused {
    Refused::new(
        StatusCode::NOT_IMPLEMENTED,
        "Datasets in folders are not served; upload each file as a dataset of its own",
    )
}
