//! Transformation reports: stored, shown, removed. Nobody announces them, and nobody asks whether their
//! dataset is there.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::App;
use super::body::{self, Bare, Field, Kind, Null, Raw};
use super::refusal::Refused;
use crate::schema::report::TransformationReport;
use crate::schema::role::Dialect;
use crate::serve::store::StoreError;

const FIELDS: &[Field] = &[
    ("user_id", Kind::Text, Null::Refused),
    ("dataset_id", Kind::Text, Null::Refused),
    ("version", Kind::Text, Null::Refused),
    ("report", Kind::Any, Null::Allowed),
];

/// The report in the form of the dialect that answers: today's has an id and stamps with a zone.
fn shown(app: &App, report: TransformationReport) -> Json<TransformationReport> {
    let is_today = app.spoken.newest() == Dialect::Task;
    let zoned = |stamp: Option<String>| stamp.map(|text| if is_today { text + "Z" } else { text });
    Json(TransformationReport {
        id: report.id.filter(|_| is_today),
        created_at: zoned(report.created_at),
        updated_at: zoned(report.updated_at),
        ..report
    })
}

fn refuse(error: &StoreError, failed: &str) -> Refused {
    match error {
        StoreError::Missing => Refused::not_found("Transformation report not found"),
        _ => Refused::of_store(error, failed),
    }
}

pub(super) async fn create(
    State(app): State<App>,
    Raw(body): Raw,
) -> Result<Json<TransformationReport>, Refused> {
    const FAILED: &str = "Failed to save transformation report";
    let request: TransformationReport =
        body::read(&body, Bare::AsNull, &["user_id", "dataset_id", "version", "report"], FIELDS)?;
    let (id, now) = (app.ids.hex(24), app.clock.now());
    let saved = app.store.save_transformation_report(request, id, now).await;
    saved.map(|report| shown(&app, report)).map_err(|error| refuse(&error, FAILED))
}

pub(super) async fn show(
    State(app): State<App>,
    Path((user, dataset, version)): Path<(String, String, String)>,
) -> Result<Json<TransformationReport>, Refused> {
    let report = app.store.transformation_report([user, dataset, version]).await;
    report
        .map(|report| shown(&app, report))
        .map_err(|error| refuse(&error, "Failed to retrieve transformation report"))
}

pub(super) async fn delete(
    State(app): State<App>,
    Path((user, dataset, version)): Path<(String, String, String)>,
) -> Result<Json<Value>, Refused> {
    app.store
        .delete_transformation_report([user, dataset, version])
        .await
        .map_err(|error| refuse(&error, "Failed to delete transformation report"))?;
    Ok(Json(json!({ "message": "Transformation report deleted successfully" })))
}
