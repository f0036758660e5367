//! Uploads of models: a file or a zipped folder, stored with the event that announces it.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::asked::{Asked, outgoing};
use super::fields::{self, Fields, Owner, Types};
use super::form::{FilePart, Form, read_form};
use super::refusal::{self, Refused};
use super::unpack::{Unpacked, unpack};
use crate::archive::is_sidecar;
use crate::base::Stamp;
use crate::schema::events::{AutomlOutput, Envelope, FolderFacts, ModelUploaded};
use crate::schema::ids::UserId;
use crate::schema::model::{Model, ModelFile};
use crate::schema::role::Dialect;
use crate::serve::store::{LatestDataset, ModelDraft, OutboxEvent, Payload, StoreError};

type Reply = Result<Record, Refused>;

/// A model's record as it is stored, which is how the API shows it.
pub(super) struct Record(String);

impl IntoResponse for Record {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// Words that stand in the place of a user in other routes.
const RESERVED_USERS: [&str; 3] = ["upload", "search", "public"];
/// Endings that make a file of a folder a primary one.
const PRIMARY: [&str; 8] = ["pkl", "joblib", "onnx", "h5", "hdf5", "pb", "pth", "pt"];

pub(super) async fn single_form(State(app): State<App>, request: Request) -> Reply {
    single(&app, Owner::InForm, Asked::form(), request).await
}

pub(super) async fn single_of_user(
    State(app): State<App>,
    Path(user): Path<String>,
    asked: Asked,
    request: Request,
) -> Reply {
    single(&app, Owner::InPath(user), asked, request).await
}

pub(super) async fn folder_form(State(app): State<App>, request: Request) -> Reply {
    folder(&app, Owner::InForm, Asked::form(), request).await
}

pub(super) async fn folder_of_user(
    State(app): State<App>,
    Path(user): Path<String>,
    asked: Asked,
    request: Request,
) -> Reply {
    folder(&app, Owner::InPath(user), asked, request).await
}

/// The types that a path takes.
fn types(app: &App, owner: &Owner, asked: &Asked) -> Types {
    match owner {
        Owner::InForm => Types::of(Dialect::Form, Dialect::Form),
        Owner::InPath(_) => Types::of(app.spoken.newest(), asked.dialect),
    }
}

/// A user that no route could ask for again is refused.
pub(super) fn check_user(place: &str, user: &str) -> Result<(), Refused> {
    if RESERVED_USERS.contains(&user) {
        let problem = refusal::bad_value(place, "user_id", user, "the name is reserved");
        return Err(Refused::problems(vec![problem]));
    }
    if let Err(reason) = UserId::parse(user) {
        let problem = refusal::bad_value(place, "user_id", user, &reason.to_string());
        return Err(Refused::problems(vec![problem]));
    }
    Ok(())
}

fn check_owner(owner: &Owner, fields: &Fields) -> Result<(), Refused> {
    let place = if matches!(owner, Owner::InForm) { "body" } else { "path" };
    check_user(place, &fields.model.user_id)
}

/// The form of a step. One that does not arrive whole is a failure of the step.
async fn form_of(app: &App, asked: &Asked, request: Request) -> Result<Form, Refused> {
    asked.settle::<AutomlOutput, _>(app, read_form(app, request).await).await
}

async fn single(app: &App, owner: Owner, asked: Asked, request: Request) -> Reply {
    let form = form_of(app, &asked, request).await?;
    let now = app.clock.now();
    let fields = fields::check(&form, &owner, types(app, &owner, &asked), "file", now)?;
    check_owner(&owner, &fields)?;
    let stored = store_single(app, &asked, form, fields, now).await;
    asked.settle::<AutomlOutput, _>(app, stored).await.map(Record)
}

async fn store_single(
    app: &App,
    asked: &Asked,
    mut form: Form,
    fields: Fields,
    now: Stamp,
) -> Result<String, Refused> {
    let FilePart { filename, content_type, payload } = take(&mut form, "file")?;
    let filename = base_name(&filename)?;
    let is_primary = fields.is_primary;
    let file = ModelFile { content_type, ..describe(&filename, &payload, is_primary, None) };
    let payloads = vec![(filename, payload)];
    let upload = Upload { kind: UploadKind::Single, fields, files: vec![file], payloads, now };
    store(app, asked, upload).await
}

async fn folder(app: &App, owner: Owner, asked: Asked, request: Request) -> Reply {
    let form = form_of(app, &asked, request).await?;
    let now = app.clock.now();
    let fields = fields::check(&form, &owner, types(app, &owner, &asked), "zip_file", now)?;
    check_owner(&owner, &fields)?;
    let stored = store_folder(app, &asked, form, fields, now).await;
    asked.settle::<AutomlOutput, _>(app, stored).await.map(Record)
}

async fn store_folder(
    app: &App,
    asked: &Asked,
    mut form: Form,
    fields: Fields,
    now: Stamp,
) -> Result<String, Refused> {
    let archive = take(&mut form, "zip_file")?;
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
    let upload = Upload { kind: UploadKind::Folder, fields, files, payloads: unpacked, now };
    store(app, asked, upload).await
}

/// The form's file, which has been checked to be there.
pub(super) fn take(form: &mut Form, field: &str) -> Result<FilePart, Refused> {
    form.take_file(field).ok_or_else(|| {
        Refused::problems(vec![refusal::missing("body", field, serde_json::Value::Null)])
    })
}

/// The last part of a client's file name; what is left must be a name.
pub(super) fn base_name(filename: &str) -> Result<String, Refused> {
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

pub(super) fn extension(filename: &str) -> String {
    match filename.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_lowercase(),
        _ => String::new(),
    }
}

/// Every file with a model's ending is primary; where there is none, the largest is. What macOS adds
/// beside a model's files has their endings and is none of them.
fn describe_folder(unpacked: &Unpacked) -> Vec<ModelFile> {
    let mut files: Vec<ModelFile> = unpacked
        .iter()
        .map(|(path, payload)| {
            let is_primary = !is_sidecar(path)
                && PRIMARY.contains(&extension(path.rsplit('/').next().unwrap_or(path)).as_str());
            let file = describe(path, payload, is_primary, Some("Uploaded from folder structure"));
            ModelFile { content_type: Some("application/octet-stream".to_owned()), ..file }
        })
        .collect();
    if !files.iter().any(|file| file.is_primary)
        && let Some((largest, _)) = files
            .iter_mut()
            .zip(unpacked)
            .rev()
            .max_by_key(|(file, (path, _))| (!is_sidecar(path), file.file_size))
    {
        largest.is_primary = true;
    }
    files
}

/// How a model was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UploadKind {
    Single,
    Folder,
}

impl UploadKind {
    /// The service's sentence for an upload that failed inside it.
    const fn failed(self) -> &'static str {
        match self {
            UploadKind::Single => "Failed to upload AI model",
            UploadKind::Folder => "Failed to upload AI model folder",
        }
    }
}

/// A checked upload that is about to be stored.
struct Upload {
    kind: UploadKind,
    fields: Fields,
    files: Vec<ModelFile>,
    payloads: Unpacked,
    now: Stamp,
}

async fn store(app: &App, asked: &Asked, upload: Upload) -> Result<String, Refused> {
    let Upload { kind, fields, files, payloads, now } = upload;
    let failed = kind.failed();
    let bytes: u64 = files.iter().map(|file| file.file_size).sum();
    #[expect(clippy::cast_precision_loss, reason = "a size for people; exact up to 8 PiB")]
    let megabytes = bytes as f64 / (1024.0 * 1024.0);
    let model = Model { files, model_size_mb: Some(megabytes), ..fields.model };
    let draft = ModelDraft { model, rule: fields.rule, created: now, payloads };
    let (asked, version) = (asked.clone(), fields.training_dataset_version);
    let stored = app
        .store
        .add_model(draft, move |model, latest| {
            announcement(&asked, kind, model, version, latest, now)
        })
        .await;
    stored.map_err(|error| {
        if matches!(error, StoreError::Exists) {
            let sentence = "Model with this ID and version already exists";
            return Refused::new(StatusCode::CONFLICT, sentence);
        }
        Refused::of_store(&error, failed)
    })
}

/// The event that a stored model causes: the envelope of the task that asked for it, which says
/// nothing where no task did, or the flat event.
fn announcement(
    asked: &Asked,
    kind: UploadKind,
    model: &Model,
    dataset_version: Option<String>,
    latest: Option<LatestDataset>,
    now: Stamp,
) -> Option<OutboxEvent> {
    match (asked.dialect, &asked.task_id) {
        (Dialect::Task, None) => None,
        (Dialect::Task, Some(task_id)) => {
            let output = AutomlOutput {
                model_id: model.model_id.clone(),
                model_version: model.version.clone(),
                dataset_id: model.training_dataset.clone(),
                dataset_version: dataset_version.or(latest.map(|latest| latest.version)),
                user_id: model.user_id.clone(),
            };
            Some(outgoing(&Envelope::success(task_id, output, now), Dialect::Task, now))
        }
        (Dialect::Flat, _) => {
            let event =
                ModelUploaded::of(model, now).with_folders(folder_facts(kind, model, latest));
            Some(outgoing(&event, Dialect::Flat, now))
        }
        (Dialect::Form, _) => Some(outgoing(&ModelUploaded::of(model, now), Dialect::Form, now)),
    }
}

fn folder_facts(kind: UploadKind, model: &Model, dataset: Option<LatestDataset>) -> FolderFacts {
    FolderFacts {
        is_dataset_folder: dataset.as_ref().is_some_and(|dataset| dataset.is_folder),
        dataset_files: dataset.map_or(1, |dataset| dataset.file_count),
        is_model_folder: kind == UploadKind::Folder,
        model_files: model.files.len() as u64,
    }
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
