//! Models as they are read: lists, searches, records and files.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::App;
use super::fields::{self, Types};
use super::refusal::{self, Refused};
use crate::schema::model::{Framework, Model, ModelFile, ModelType};
use crate::schema::validation::Problem;
use crate::serve::store::{ListFilter, ModelKey, Pattern, StoreError};

type Reply = Result<Json<Model>, Refused>;

/// Query of a list, as texts, so that what does not fit is refused in the service's words.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    /// Of searches only.
    query: Option<String>,
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
    let filter = filter(&app, &query)?;
    app.store
        .list_models(&user, filter)
        .await
        .map(Json)
        .map_err(|error| Refused::of_store(&error, "Failed to retrieve user AI models"))
}

/// Name, description, algorithm and tags are searched. Text that is no pattern fails as it does in
/// the service.
pub(super) async fn search(
    State(app): State<App>,
    Path(user): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<Model>>, Refused> {
    const FAILED: &str = "Failed to search AI models";
    let filter = filter(&app, &query)?;
    let pattern = pattern(query.query.as_deref(), FAILED)?;
    app.store
        .search_models(&user, pattern, filter)
        .await
        .map(Json)
        .map_err(|error| Refused::of_store(&error, FAILED))
}

/// The pattern of a search, if there is one.
pub(super) fn pattern(text: Option<&str>, failed: &str) -> Result<Option<Pattern>, Refused> {
    text.filter(|text| !text.is_empty())
        .map(Pattern::parse)
        .transpose()
        .map_err(|_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, failed))
}

fn filter(app: &App, query: &ListQuery) -> Result<ListFilter, Refused> {
    let mut problems = Vec::new();
    let (skip, limit) = page(query.skip.as_deref(), query.limit.as_deref(), &mut problems);
    let types = Types::of(app.spoken.newest(), app.spoken.newest());
    let lists = [
        ("framework", &query.framework, Framework::WORDS),
        ("model_type", &query.model_type, types.words),
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
        model_types: query.model_type.as_deref().map(stored_as).unwrap_or_default(),
        tags: fields::tags(query.tags.as_deref().unwrap_or("")),
    })
}

/// The words under which a type may be stored. The service looks only for the one that it was given,
/// and never finds what it normalised (contract B14).
fn stored_as(word: &str) -> Vec<String> {
    let mut words = vec![word.to_owned()];
    if let Some(other) = ModelType::known(word).map(|known| known.normalised().to_string())
        && other != word
    {
        words.push(other);
    }
    words
}

/// `skip` and `limit` of a list.
pub(super) fn page(
    skip: Option<&str>,
    limit: Option<&str>,
    problems: &mut Vec<Problem>,
) -> (u32, u32) {
    (
        integer("skip", skip, 0, (0, i64::from(u32::MAX)), problems),
        integer("limit", limit, 100, (1, 1000), problems),
    )
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

impl VersionQuery {
    /// The version that is meant.
    pub fn key(&self, user_id: String, model_id: String) -> ModelKey {
        ModelKey { user_id, model_id, version: self.version.clone() }
    }
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
        .model(query.key(user, model))
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
        .model(query.key(user, model))
        .await
        .map(|model| Json(model.files))
        .map_err(|error| not_found(&error, "Failed to retrieve AI model files"))
}
