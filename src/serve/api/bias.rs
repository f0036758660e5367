//! Bias reports: stored, shown, removed, and announced on the bias topic. A report that names the
//! version of its dataset is one of today's; without it, one of October 2025.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use super::asked::{Asked, outgoing};
use super::body::{self, Bare, Field, Kind, Null, Raw};
use super::refusal::Refused;
use crate::base::Stamp;
use crate::schema::bias::{BiasReport, BiasReportRequest};
use crate::schema::events::{BiasOutput, BiasReported, Envelope, Event};
use crate::schema::role::Dialect;
use crate::serve::Spoken;
use crate::serve::store::{OutboxEvent, SavedBiasReport, StoreError};

const FAILED: &str = "Failed to save bias report";

const FIELDS: &[Field] = &[
    ("user_id", Kind::Text, Null::Refused),
    ("dataset_id", Kind::Text, Null::Refused),
    ("dataset_version", Kind::Text, Null::Refused),
    ("report", Kind::Any, Null::Allowed),
    ("target_column_name", Kind::Text, Null::Allowed),
    ("task_type", Kind::Text, Null::Allowed),
    ("transformation_report_id", Kind::Text, Null::Allowed),
    ("is_folder", Kind::Flag, Null::Allowed),
    ("file_count", Kind::Count, Null::Allowed),
];

/// What a body must have, by the dialect.
fn required(app: &App) -> &'static [&'static str] {
    if app.spoken.answers(false) == Dialect::Task {
        &["user_id", "dataset_id", "dataset_version", "report"]
    } else {
        &["user_id", "dataset_id", "report"]
    }
}

pub(super) async fn create(
    State(app): State<App>,
    asked: Asked,
    Raw(body): Raw,
) -> Result<Json<BiasReport>, Refused> {
    let mut request: BiasReportRequest = body::read(&body, Bare::AsNull, required(&app), FIELDS)?;
    let dialect = app.spoken.answers(request.dataset_version.is_some());
    if dialect != Dialect::Task {
        // The early dialects ignore fields that they do not know.
        request.dataset_version = None;
        request.transformation_report_id = None;
    }
    let asked = asked.in_form_of(dialect);
    let saved = save(&app, &asked, request).await;
    asked.settle::<BiasOutput, _>(&app, saved).await.map(Json)
}

async fn save(app: &App, asked: &Asked, request: BiasReportRequest) -> Result<BiasReport, Refused> {
    let now = app.clock.now();
    let missing = match (&request.dataset_id, &request.dataset_version) {
        (dataset, Some(version)) => {
            format!("Dataset {dataset} version {version} not found for bias report")
        }
        (_, None) => "Dataset not found for bias report".to_owned(),
    };
    let subject = ReportSubject::of(&request, app.spoken);
    let zone = if request.dataset_version.is_some() { "Z" } else { "" };
    let asked = asked.clone();
    let saved = app
        .store
        .save_bias_report(request, app.ids.hex(24), now, move |saved| {
            announcement(&asked, saved, subject, now)
        })
        .await;
    saved.map(|report| zoned(report, zone)).map_err(|error| match error {
        StoreError::Missing => Refused::not_found(missing),
        error => Refused::of_store(&error, FAILED),
    })
}

/// Today's service writes a zone in the reply to a POST, and in no other.
fn zoned(report: BiasReport, zone: &str) -> BiasReport {
    BiasReport {
        created_at: report.created_at + zone,
        updated_at: report.updated_at + zone,
        ..report
    }
}

/// What only the flat event says, from the body of the request.
struct ReportSubject {
    target_column_name: Option<String>,
    task_type: Option<String>,
    is_folder: Option<bool>,
    file_count: Option<u64>,
}

impl ReportSubject {
    /// The first dialect has no folders. In the combined dialect the request decides, because the
    /// path is that of both.
    fn of(request: &BiasReportRequest, spoken: Spoken) -> Self {
        let (is_folder, file_count) = match spoken {
            Spoken::Only(Dialect::Form) => (None, None),
            Spoken::All => (request.is_folder, request.file_count),
            Spoken::Only(_) => (request.is_folder.or(Some(false)), request.file_count.or(Some(1))),
        };
        Self {
            target_column_name: request.target_column_name.clone(),
            task_type: request.task_type.clone(),
            is_folder,
            file_count,
        }
    }
}

/// Returns the envelope of the task that asked for the report, or the flat event. A report of
/// today's form without a task has no event: its worker announces the step itself, and a second
/// event would start the next step twice.
fn announcement(
    asked: &Asked,
    saved: &SavedBiasReport,
    subject: ReportSubject,
    now: Stamp,
) -> Option<OutboxEvent> {
    let report = &saved.report;
    match (asked.dialect, &asked.task_id) {
        (Dialect::Task, None) => None,
        (Dialect::Task, Some(task_id)) => {
            let output = BiasOutput {
                bias_report_id: Some(report.id.clone()),
                dataset_id: report.dataset_id.clone(),
                dataset_version: report.dataset_version.clone().flatten(),
                user_id: report.user_id.clone(),
                mitigated_dataset_version: None,
                transformation_report_id: None,
            };
            Some(outgoing(&Envelope::success(task_id, output, now), Dialect::Task, now))
        }
        (dialect, _) => {
            let event = BiasReported {
                event_type: BiasReported::EVENT_TYPE.to_owned(),
                dataset_id: report.dataset_id.clone(),
                user_id: report.user_id.clone(),
                bias_report_id: Some(report.id.clone()),
                has_transformation_report: saved.is_transformed,
                target_column_name: subject.target_column_name,
                task_type: subject.task_type,
                is_folder: subject.is_folder,
                file_count: subject.file_count,
                timestamp: now.naive(),
            };
            Some(outgoing(&event, dialect, now))
        }
    }
}

/// Query of reports; the early dialects ignore it.
#[derive(Debug, Deserialize)]
pub(super) struct VersionQuery {
    version: Option<String>,
}

impl VersionQuery {
    fn of(self, app: &App) -> Option<String> {
        self.version.filter(|_| app.spoken.has(Dialect::Task))
    }
}

fn not_found(app: &App, error: &StoreError, todays: String, failed: &str) -> Refused {
    match (error, app.spoken.newest()) {
        (StoreError::Missing, Dialect::Task) => Refused::not_found(todays),
        (StoreError::Missing, _) => Refused::not_found("Bias report not found"),
        _ => Refused::of_store(error, failed),
    }
}

pub(super) async fn show(
    State(app): State<App>,
    Path((user, dataset)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<BiasReport>, Refused> {
    let version = query.of(&app);
    let of_version = version.as_ref().map_or_else(String::new, |v| format!(" version {v}"));
    app.store.bias_report(&user, &dataset, version).await.map(Json).map_err(|error| {
        let todays = format!("Bias report not found for dataset {dataset}{of_version}");
        not_found(&app, &error, todays, "Failed to retrieve bias report")
    })
}

pub(super) async fn list(
    State(app): State<App>,
    Path((user, dataset)): Path<(String, String)>,
) -> Result<Json<Vec<BiasReport>>, Refused> {
    let reports = app.store.bias_reports(&user, &dataset).await;
    reports.map(Json).map_err(|error| Refused::of_store(&error, "Failed to retrieve bias reports"))
}

pub(super) async fn delete(
    State(app): State<App>,
    Path((user, dataset)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Value>, Refused> {
    let version = query.of(&app);
    let (done, missing) = match &version {
        _ if app.spoken.newest() != Dialect::Task => {
            ("Bias report deleted successfully".to_owned(), String::new())
        }
        None => {
            ("Bias reports deleted successfully".to_owned(), "Bias reports not found".to_owned())
        }
        Some(version) => (
            format!("Bias report for version {version} deleted successfully"),
            format!("Bias report version {version} not found"),
        ),
    };
    app.store
        .delete_bias_reports(&user, &dataset, version)
        .await
        .map_err(|error| not_found(&app, &error, missing, "Failed to delete bias report"))?;
    Ok(Json(json!({ "message": done })))
}
