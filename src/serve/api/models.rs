//! Models: upload of a file or a zipped folder, list, record and files.

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::App;
use super::fields::{self, Fields, Owner};
use super::form::{FilePart, read_form};
use super::refusal::{self, Refused};
use super::unpack::{Unpacked, unpack};
use crate::base::Stamp;
use crate::schema::events::{Event, ModelUploaded};
use crate::schema::model::{Framework, Model, ModelFile, ModelType};
use crate::schema::role::{Dialect, Role};
use crate::schema::validation::Problem;
use crate::serve::store::{ListFilter, ModelDraft, OutboxEvent, Payload, StoreError};

type Reply = Result<Json<Model>, Refused>;

/// Words that stand in the place of a user in other routes.
const RESERVED_USERS: [&str; 3] = ["upload", "search", "public"];
/// Endings that make a file of a folder a primary one.
const PRIMARY: [&str; 8] = ["pkl", "joblib", "onnx", "h5", "hdf5", "pb", "pth", "pt"];

pub(super) async fn upload_single_form(State(app): State<App>, request: Request) -> Reply {
    single(&app, Owner::InForm, request).await
}

pub(super) async fn upload_single_flat(
    State(app): State<App>,
    Path(user): Path<String>,
    request: Request,
) -> Reply {
    single(&app, Owner::InPath(user), request).await
}

pub(super) async fn upload_folder_form(State(app): State<App>, request: Request) -> Reply {
    folder(&app, Owner::InForm, request).await
}

pub(super) async fn upload_folder_flat(
    State(app): State<App>,
    Path(user): Path<String>,
    request: Request,
) -> Reply {
    folder(&app, Owner::InPath(user), request).await
}

/// A user that no route could ask for again is refused.
fn check_owner(owner: &Owner, fields: &Fields) -> Result<(), Refused> {
    let user = &fields.model.user_id;
    if RESERVED_USERS.contains(&user.as_str()) {
        let place = if matches!(owner, Owner::InForm) { "body" } else { "path" };
        return Err(Refused::problems(vec![refusal::bad_value(
            place,
            "user_id",
            user,
            "the name is reserved",
        )]));
    }
    Ok(())
}

async fn single(app: &App, owner: Owner, request: Request) -> Reply {
    let mut form = read_form(app, request).await?;
    let now = app.clock.now();
    let fields = fields::check(&form, &owner, "file", now)?;
    check_owner(&owner, &fields)?;
    let Some(FilePart { filename, content_type, payload }) = form.take_file("file") else {
        return Err(Refused::problems(vec![refusal::missing(
            "body",
            "file",
            serde_json::Value::Null,
        )]));
    };
    let filename = base_name(&filename)?;
    let is_primary = fields.is_primary;
    let file = ModelFile { content_type, ..describe(&filename, &payload, is_primary, None) };
    store(app, fields, vec![file], vec![(filename, payload)], now, "Failed to upload AI model")
        .await
}

async fn folder(app: &App, owner: Owner, request: Request) -> Reply {
    let mut form = read_form(app, request).await?;
    let now = app.clock.now();
    let fields = fields::check(&form, &owner, "zip_file", now)?;
    check_owner(&owner, &fields)?;
    let Some(archive) = form.take_file("zip_file") else {
        return Err(Refused::problems(vec![refusal::missing(
            "body",
            "zip_file",
            serde_json::Value::Null,
        )]));
    };
    let (store_folder, ids, preserve) =
        (app.store.folder().to_owned(), app.ids.clone(), fields.preserve_structure);
    let unpacked = tokio::task::spawn_blocking(move || {
        unpack(&archive.payload, &store_folder, &ids, preserve)
    })
    .await
    .map_err(|_| {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "Failed to upload AI model folder")
    })??;
    let files = describe_folder(&unpacked);
    store(app, fields, files, unpacked, now, "Failed to upload AI model folder").await
}

/// The last part of a client's file name; what is left must be a name.
fn base_name(filename: &str) -> Result<String, Refused> {
    let name = filename.rsplit(['/', '\\']).next().unwrap_or(filename);
    if name.is_empty() || name == "." || name == ".." || name.chars().any(char::is_control) {
        let problem = refusal::bad_value("body", "file", filename, "the file name cannot be used");
        return Err(Refused::problems(vec![problem]));
    }
    Ok(name.to_owned())
}

fn describe(
    path: &str,
    payload: &Payload,
    is_primary: bool,
    description: Option<&str>,
) -> ModelFile {
    let filename = path.rsplit('/').next().unwrap_or(path);
    ModelFile {
        filename: filename.to_owned(),
        file_path: String::new(),
        file_size: payload.size,
        file_type: extension(filename),
        file_hash: payload.md5.clone(),
        content_type: None,
        is_primary,
        description: description.map(str::to_owned),
    }
}

fn extension(filename: &str) -> String {
    match filename.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_lowercase(),
        _ => String::new(),
    }
}

/// Every file with a model's ending is primary; where there is none, the largest is.
fn describe_folder(unpacked: &Unpacked) -> Vec<ModelFile> {
    let mut files: Vec<ModelFile> = unpacked
        .iter()
        .map(|(path, payload)| {
            let is_primary =
                PRIMARY.contains(&extension(path.rsplit('/').next().unwrap_or(path)).as_str());
            let file = describe(path, payload, is_primary, Some("Uploaded from folder structure"));
            ModelFile { content_type: Some("application/octet-stream".to_owned()), ..file }
        })
        .collect();
    if !files.iter().any(|file| file.is_primary)
        && let Some(largest) = files.iter_mut().rev().max_by_key(|file| file.file_size)
    {
        largest.is_primary = true;
    }
    files
}

async fn store(
    app: &App,
    fields: Fields,
    files: Vec<ModelFile>,
    payloads: Unpacked,
    now: Stamp,
    failed: &str,
) -> Reply {
    let bytes: u64 = files.iter().map(|file| file.file_size).sum();
    #[expect(clippy::cast_precision_loss, reason = "a size for people; exact up to 8 PiB")]
    let megabytes = bytes as f64 / (1024.0 * 1024.0);
    let model = Model { files, model_size_mb: Some(megabytes), ..fields.model };
    let draft = ModelDraft { model, rule: fields.rule, created: now, payloads };
    let stored = app.store.add_model(draft, move |model| announcement(model, now)).await;
    match stored {
        Ok(model) => Ok(Json(model)),
        Err(StoreError::Exists) => {
            Err(Refused::new(StatusCode::CONFLICT, "Model with this ID and version already exists"))
        }
        Err(error) => {
            app.reporter.trouble(&format!("{failed}: {error}"));
            Err(Refused::of_store(&error, failed))
        }
    }
}

/// The events that a stored model causes.
fn announcement(model: &Model, now: Stamp) -> Vec<OutboxEvent> {
    let event = ModelUploaded::of(model, now);
    let topic = Role::Automl.topic(Dialect::Flat).unwrap_or_default();
    // The type holds nothing that JSON cannot carry.
    let value = event.to_json().unwrap_or_default();
    vec![OutboxEvent { topic: topic.to_owned(), key: event.key(), value, created: now }]
}

/// Query of a list, as texts, so that what does not fit is refused in the service's words.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    skip: Option<String>,
    limit: Option<String>,
    framework: Option<String>,
    model_type: Option<String>,
    tags: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    Path(user): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<Model>>, Refused> {
    let filter = filter(&query)?;
    app.store.list_models(&user, filter).await.map(Json).map_err(|error| {
        app.reporter.trouble(&format!("failed to list models: {error}"));
        Refused::of_store(&error, "Failed to retrieve user AI models")
    })
}

fn filter(query: &ListQuery) -> Result<ListFilter, Refused> {
    let mut problems = Vec::new();
    let skip = integer("skip", query.skip.as_deref(), 0, (0, i64::from(u32::MAX)), &mut problems);
    let limit = integer("limit", query.limit.as_deref(), 100, (1, 1000), &mut problems);
    let lists = [
        ("framework", &query.framework, Framework::WORDS),
        ("model_type", &query.model_type, ModelType::WORDS),
    ];
    for (field, value, words) in lists {
        if let Some(text) = value.as_deref().filter(|text| !words.contains(text)) {
            problems.push(refusal::not_listed("query", field, text, words));
        }
    }
    if !problems.is_empty() {
        return Err(Refused::problems(problems));
    }
    Ok(ListFilter {
        skip,
        limit,
        framework: query.framework.clone(),
        model_type: query.model_type.clone(),
        tags: fields::tags(query.tags.as_deref().unwrap_or("")),
    })
}

fn integer(
    field: &str,
    text: Option<&str>,
    default: u32,
    (least, greatest): (i64, i64),
    problems: &mut Vec<Problem>,
) -> u32 {
    let Some(text) = text else { return default };
    match text.parse::<i64>() {
        Err(_) => problems.push(refusal::not_an_integer("query", field, text)),
        Ok(number) if number < least => {
            problems.push(refusal::too_small("query", field, text, least));
        }
        Ok(number) if number > greatest => {
            problems.push(refusal::too_large("query", field, text, greatest));
        }
        Ok(number) => return u32::try_from(number).unwrap_or(default),
    }
    default
}

/// Query of one model; the service reads `v1` where nothing is said, not the latest.
#[derive(Debug, Deserialize)]
pub(super) struct VersionQuery {
    #[serde(default = "first_version")]
    pub version: String,
    pub filename: Option<String>,
}

fn first_version() -> String {
    "v1".to_owned()
}

pub(super) fn not_found(error: &StoreError, failed: &str) -> Refused {
    match error {
        StoreError::Missing => Refused::not_found("Model not found"),
        _ => Refused::of_store(error, failed),
    }
}

pub(super) async fn show(
    State(app): State<App>,
    Path((user, model)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Reply {
    app.store
        .model(&user, &model, &query.version)
        .await
        .map(Json)
        .map_err(|error| not_found(&error, "Failed to retrieve AI model"))
}

pub(super) async fn files(
    State(app): State<App>,
    Path((user, model)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Vec<ModelFile>>, Refused> {
    app.store
        .model(&user, &model, &query.version)
        .await
        .map(|model| Json(model.files))
        .map_err(|error| not_found(&error, "Failed to retrieve AI model files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_path_is_cut_to_its_last_part() {
        assert_eq!(base_name("../../etc/model.pt").unwrap(), "model.pt");
        assert_eq!(base_name("C:\\models\\model.pt").unwrap(), "model.pt");
        for bad in ["", "..", "a/", "x\r\ny", "a\0b"] {
            assert!(base_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn extensions_are_lower_case_and_hidden_files_have_none() {
        assert_eq!(
            [extension("A.PKL"), extension(".env"), extension("x"), extension("a.tar.gz")],
            ["pkl", "", "", "gz"]
        );
    }
}
