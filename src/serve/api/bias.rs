//! Bias reports: stored, shown, removed, and announced on the bias topic.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::App;
use super::refusal::{self, Refused};
use crate::base::Stamp;
use crate::schema::bias::{BiasReport, BiasReportRequest};
use crate::schema::events::{BiasReported, Event};
use crate::schema::json::without_bare_numbers;
use crate::schema::role::{Dialect, Role};
use crate::schema::validation::Problem;
use crate::serve::store::{OutboxEvent, StoreError};

pub(super) async fn create(
    State(app): State<App>,
    body: Bytes,
) -> Result<Json<BiasReport>, Refused> {
    let request = read(&body)?;
    let now = app.clock.now();
    let (target, task) = (request.target_column_name.clone(), request.task_type.clone());
    app.store
        .save_bias_report(request, app.ids.hex(24), now, move |report| {
            announcement(report, target, task, now)
        })
        .await
        .map(Json)
        .map_err(|error| {
            app.reporter.trouble(&format!("failed to save a bias report: {error}"));
            Refused::of_store(&error, "Failed to save bias report")
        })
}

/// Reads a body as pydantic does: what is missing first, in order, then what has another type.
fn read(body: &[u8]) -> Result<BiasReportRequest, Refused> {
    let invalid = |reason: &str| {
        let mut problem = refusal::bad_value("body", "0", "", reason);
        "json_invalid".clone_into(&mut problem.kind);
        "JSON decode error".clone_into(&mut problem.msg);
        problem.url = None;
        Refused::problems(vec![problem])
    };
    let text = std::str::from_utf8(body).map_err(|_| invalid("not UTF-8"))?;
    let value: Value = serde_json::from_str(&without_bare_numbers(text))
        .map_err(|error| invalid(&error.to_string()))?;
    let mut problems: Vec<Problem> = ["user_id", "dataset_id", "report"]
        .into_iter()
        .filter(|field| value.get(field).is_none())
        .map(|field| refusal::missing("body", field, value.clone()))
        .collect();
    for field in ["user_id", "dataset_id", "target_column_name", "task_type"] {
        let is_optional = !matches!(field, "user_id" | "dataset_id");
        if let Some(given) =
            value.get(field).filter(|given| !(given.is_string() || is_optional && given.is_null()))
        {
            problems.push(not_a_string(field, given));
        }
    }
    if !problems.is_empty() {
        return Err(Refused::problems(problems));
    }
    serde_json::from_value(value).map_err(|error| invalid(&error.to_string()))
}

fn not_a_string(field: &str, given: &Value) -> Problem {
    Problem {
        kind: "string_type".to_owned(),
        loc: vec![json!("body"), json!(field)],
        msg: "Input should be a valid string".to_owned(),
        input: given.clone(),
        ctx: None,
        url: Some("https://errors.pydantic.dev/2.5/v/string_type".to_owned()),
    }
}

fn announcement(
    report: &BiasReport,
    target: Option<String>,
    task: Option<String>,
    now: Stamp,
) -> OutboxEvent {
    let event = BiasReported {
        event_type: BiasReported::EVENT_TYPE.to_owned(),
        dataset_id: report.dataset_id.clone(),
        user_id: report.user_id.clone(),
        bias_report_id: Some(report.id.clone()),
        has_transformation_report: false,
        target_column_name: target,
        task_type: task,
        timestamp: now.naive(),
    };
    let topic = Role::Bias.topic(Dialect::Flat).unwrap_or_default();
    // The type holds nothing that JSON cannot carry.
    let value = event.to_json().unwrap_or_default();
    OutboxEvent { topic: topic.to_owned(), key: event.key(), value, created: now }
}

fn not_found(error: &StoreError) -> Refused {
    match error {
        StoreError::Missing => Refused::not_found("Bias report not found"),
        _ => Refused::of_store(error, "Failed to retrieve bias report"),
    }
}

pub(super) async fn show(
    State(app): State<App>,
    Path((user, dataset)): Path<(String, String)>,
) -> Result<Json<BiasReport>, Refused> {
    app.store.bias_report(&user, &dataset).await.map(Json).map_err(|error| not_found(&error))
}

pub(super) async fn delete(
    State(app): State<App>,
    Path((user, dataset)): Path<(String, String)>,
) -> Result<Json<Value>, Refused> {
    app.store.delete_bias_report(&user, &dataset).await.map_err(|error| not_found(&error))?;
    Ok(Json(json!({ "message": "Bias report deleted successfully" })))
}
