//! Uploads of datasets in one file: its columns are read, and it is announced on the dataset topic,
//! whatever task asked for it.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::App;
use super::asked::outgoing;
use super::datasets::{shown, storage_key};
use super::fields::tags;
use super::form::{FilePart, Form, read_form};
use super::refusal::{self, Refused};
use super::table::{self, Table};
use super::upload::{base_name, check_user, extension, take};
use crate::base::{IdSource, Stamp};
use crate::schema::dataset::Dataset;
use crate::schema::events::{AnnouncedDataset, DatasetUploaded, Event};
use crate::schema::ids::DatasetId;
use crate::schema::role::Dialect;
use crate::serve::store::{Content, DatasetDraft, OutboxEvent, Payload};

const FAILED: &str = "Failed to upload dataset";

pub(super) async fn upload(
    State(app): State<App>,
    Path(user): Path<String>,
    request: Request,
) -> Result<Json<Dataset>, Refused> {
    let mut form = read_form(&app, request).await?;
    let dialect = app.spoken.newest();
    check(&form, dialect)?;
    check_user("path", &user)?;
    let FilePart { filename, payload, .. } = take(&mut form, "file")?;
    if filename.is_empty() {
        return Err(Refused::bad_request("No file provided"));
    }
    let filename = base_name(&filename)?;
    let (payload, table) = inspect(&filename, payload).await?;
    let now = app.clock.now();
    let id = form.text("dataset_id").map_or_else(|| uuid(&app.ids), str::to_owned);
    let draft = DatasetDraft {
        dataset: describe(&form, user, id, &filename, &payload, table, now),
        is_named: form.text("name").is_some(),
        created: now,
        payloads: vec![(filename, payload)],
    };
    let stored =
        app.store.add_dataset(draft, move |dataset| announcement(dataset, dialect, now)).await;
    stored
        .map(|dataset| Json(shown(&app, dataset)))
        .map_err(|error| Refused::of_store(&error, FAILED))
}

/// What the dialect requires; id and name are made if they are missing, but in the first dialect.
fn check(form: &Form, dialect: Dialect) -> Result<(), Refused> {
    let mut problems = Vec::new();
    if !form.has_file("file") {
        problems.push(match form.raw_text("file") {
            Some(text) => refusal::not_a_file("body", "file", text),
            None => refusal::missing("body", "file", Value::Null),
        });
    }
    for field in ["dataset_id", "name"] {
        if form.text(field).is_none() && dialect == Dialect::Form {
            problems.push(refusal::missing("body", field, Value::Null));
        }
    }
    if let Some(id) = form.text("dataset_id")
        && let Err(reason) = DatasetId::parse(id)
    {
        problems.push(refusal::bad_value("body", "dataset_id", id, &reason.to_string()));
    }
    if problems.is_empty() { Ok(()) } else { Err(Refused::problems(problems)) }
}

/// Reads a table's columns off the async threads: the file may be large.
async fn inspect(filename: &str, payload: Payload) -> Result<(Payload, Option<Table>), Refused> {
    if extension(filename) != "csv" {
        return Ok((payload, None));
    }
    tokio::task::spawn_blocking(move || {
        let table = match &payload.content {
            Content::Inline(bytes) => table::inspect(bytes.as_slice()),
            // A file that cannot be read any more fails when it is put in its place.
            Content::Staged(file) => std::fs::File::open(file.path()).ok().and_then(table::inspect),
        };
        (payload, table)
    })
    .await
    .map_err(|_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, FAILED))
}

fn describe(
    form: &Form,
    user_id: String,
    dataset_id: String,
    filename: &str,
    payload: &Payload,
    table: Option<Table>,
    now: Stamp,
) -> Dataset {
    let (columns, row_count, data_types) = match table {
        Some(table) => (Some(table.columns), Some(table.rows), Some(table.types)),
        None => (None, None, None),
    };
    Dataset {
        dataset_id,
        user_id,
        name: form.text("name").unwrap_or_default().to_owned(),
        description: form.text("description").map(str::to_owned),
        version: String::new(),
        file_type: extension(filename),
        file_size: payload.size,
        original_filename: filename.to_owned(),
        files: Some(None),
        is_folder: Some(false),
        columns,
        row_count,
        data_types,
        tags: tags(form.text("tags").unwrap_or("")),
        custom_metadata: Map::new(),
        is_public: Some(false),
        public_source: Some(None),
        public_link: Some(None),
        created_at: now.stored(),
        updated_at: now.stored(),
        file_hash: Some(payload.md5.clone()),
    }
}

/// A random id in the form of a UUID, version 4.
fn uuid(ids: &IdSource) -> String {
    let hex = ids.hex(32);
    let (variant, rest) = ("89ab".as_bytes(), &hex[17..20]);
    let variant = char::from(variant[usize::from(hex.as_bytes()[16] % 4)]);
    format!("{}-{}-4{}-{variant}{rest}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[20..])
}

fn announcement(dataset: &Dataset, dialect: Dialect, now: Stamp) -> OutboxEvent {
    let (is_today, knows_folders) = (dialect == Dialect::Task, dialect != Dialect::Form);
    let announced = dataset.clone();
    let event = DatasetUploaded {
        event_type: DatasetUploaded::EVENT_TYPE.to_owned(),
        event_id: format!("dataset.uploaded_{}_{}", dataset.dataset_id, now.seconds()),
        timestamp: if is_today { now.aware() } else { now.naive() },
        dataset: AnnouncedDataset {
            file_path: storage_key(dataset, &dataset.original_filename),
            dataset_id: announced.dataset_id,
            user_id: announced.user_id,
            name: announced.name,
            description: announced.description,
            version: announced.version,
            file_type: announced.file_type,
            file_size: announced.file_size,
            original_filename: announced.original_filename,
            is_folder: knows_folders.then_some(false),
            file_count: knows_folders.then_some(1),
            columns: announced.columns,
            row_count: announced.row_count,
            data_types: announced.data_types,
            tags: announced.tags,
            custom_metadata: announced.custom_metadata,
            created_at: announced.created_at,
            updated_at: announced.updated_at,
            file_hash: announced.file_hash,
        },
    };
    outgoing(&event, dialect, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_id_is_a_uuid_of_version_four() {
        let id = uuid(&IdSource::random());
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(id[14..].starts_with('4') && "89ab".contains(&id[19..20]), "{id}");
        assert_ne!(id, uuid(&IdSource::random()));
    }
}
