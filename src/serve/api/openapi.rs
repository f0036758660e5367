//! `/openapi.json`: the paths and parameters by which a client tells the service's generations
//! apart (contract, section 0). It describes what is served, not every schema.

use axum::Json;
use serde_json::{Map, Value, json};

/// Path, method and summary of every route.
const ROUTES: &[(&str, &str, &str)] = &[
    ("/", "get", "Service"),
    ("/health", "get", "Health"),
    ("/ai-models/upload/single", "post", "Upload one file; user and version are form fields"),
    (
        "/ai-models/upload/single/{user_id}",
        "post",
        "Upload one file; the server assigns the version",
    ),
    (
        "/ai-models/upload/folder",
        "post",
        "Upload a zipped folder; user and version are form fields",
    ),
    (
        "/ai-models/upload/folder/{user_id}",
        "post",
        "Upload a zipped folder; the server assigns the version",
    ),
    ("/ai-models/{user_id}", "get", "List a user's models"),
    ("/ai-models/{user_id}/{model_id}", "get", "Show a model"),
    ("/ai-models/{user_id}/{model_id}/files", "get", "List a model's files"),
    ("/ai-models/{user_id}/{model_id}/download", "get", "Download a model"),
    ("/bias-reports/", "post", "Save a bias report"),
    ("/bias-reports/{user_id}/{dataset_id}", "get", "Show a bias report"),
    ("/bias-reports/{user_id}/{dataset_id}", "delete", "Delete a bias report"),
];

pub(super) async fn document() -> Json<Value> {
    let mut paths = Map::new();
    for (path, method, summary) in ROUTES {
        let parameters: Vec<Value> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        let operation = json!({"summary": summary, "parameters": parameters, "responses": {"200": {"description": "Successful Response"}}});
        if let Some(entry) = paths.entry(*path).or_insert_with(|| json!({})).as_object_mut() {
            entry.insert((*method).to_owned(), operation);
        }
    }
    Json(json!({
        "openapi": "3.1.0",
        "info": {"title": "Data Warehouse API", "version": "1.0.0"},
        "paths": paths,
    }))
}
