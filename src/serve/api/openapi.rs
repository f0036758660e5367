//! `/openapi.json`: the paths and parameters by which a client tells the service's generations
//! apart (contract, section 0). It describes what is served, not every schema.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::App;
use crate::schema::role::Dialect;
use crate::serve::Spoken;

/// Where an operation is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    Always,
    /// The path's user is a form field.
    Form,
    /// The user stands in the path of an upload or a search.
    User,
    Task,
}

impl Served {
    fn by(self, spoken: Spoken) -> bool {
        match self {
            Served::Always => true,
            Served::Form => spoken.has(Dialect::Form),
            Served::User => spoken.has(Dialect::Flat) || spoken.has(Dialect::Task),
            Served::Task => spoken.has(Dialect::Task),
        }
    }
}

/// Path, method, summary, who serves it, and its parameters in the query; a name in the header starts
/// with `X-`, and only `task` has it.
type Operation = (&'static str, &'static str, &'static str, Served, &'static [&'static str]);

const OPERATIONS: &[Operation] = &[
    ("/", "get", "Service", Served::Always, &[]),
    ("/health", "get", "Health", Served::Always, &[]),
    (
        "/ai-models/upload/single",
        "post",
        "Upload one file; user and version are form fields",
        Served::Form,
        &[],
    ),
    (
        "/ai-models/upload/single/{user_id}",
        "post",
        "Upload one file; the server assigns the version",
        Served::User,
        &["X-Task-ID"],
    ),
    (
        "/ai-models/upload/folder",
        "post",
        "Upload a zipped folder; user and version are form fields",
        Served::Form,
        &[],
    ),
    (
        "/ai-models/upload/folder/{user_id}",
        "post",
        "Upload a zipped folder; the server assigns the version",
        Served::User,
        &["X-Task-ID"],
    ),
    (
        "/ai-models/search/{user_id}",
        "get",
        "Search a user's models",
        Served::User,
        &["query", "framework", "model_type", "tags", "skip", "limit"],
    ),
    (
        "/ai-models/{user_id}",
        "get",
        "List a user's models",
        Served::Always,
        &["skip", "limit", "framework", "model_type", "tags"],
    ),
    ("/ai-models/{user_id}/{model_id}", "get", "Show a model", Served::Always, &["version"]),
    ("/ai-models/{user_id}/{model_id}", "put", "Update a model", Served::Always, &["version"]),
    ("/ai-models/{user_id}/{model_id}", "delete", "Delete a model", Served::Always, &["version"]),
    (
        "/ai-models/{user_id}/{model_id}/files",
        "get",
        "List a model's files",
        Served::Always,
        &["version"],
    ),
    (
        "/ai-models/{user_id}/{model_id}/download",
        "get",
        "Download a model",
        Served::Always,
        &["version", "filename"],
    ),
    ("/datasets/upload/{user_id}", "post", "Upload a dataset in one file", Served::Always, &[]),
    (
        "/datasets/search/{user_id}",
        "get",
        "Search a user's datasets",
        Served::Always,
        &["query", "tags", "file_type", "skip", "limit"],
    ),
    ("/datasets/{user_id}", "get", "List a user's datasets", Served::Always, &["skip", "limit"]),
    ("/datasets/{user_id}/{dataset_id}", "get", "Show a dataset", Served::Always, &[]),
    ("/datasets/{user_id}/{dataset_id}", "put", "Update a dataset", Served::Always, &[]),
    ("/datasets/{user_id}/{dataset_id}", "delete", "Delete a dataset", Served::Always, &[]),
    (
        "/datasets/{user_id}/{dataset_id}/versions",
        "get",
        "List a dataset's versions",
        Served::Always,
        &[],
    ),
    (
        "/datasets/{user_id}/{dataset_id}/version/{version}",
        "get",
        "Show a version",
        Served::Always,
        &[],
    ),
    (
        "/datasets/{user_id}/{dataset_id}/version/{version}",
        "delete",
        "Delete a version",
        Served::Always,
        &[],
    ),
    (
        "/datasets/{user_id}/{dataset_id}/files",
        "get",
        "List a dataset's files",
        Served::User,
        &["version"],
    ),
    (
        "/datasets/{user_id}/{dataset_id}/download",
        "get",
        "Download a dataset",
        Served::Always,
        &["filename"],
    ),
    (
        "/datasets/{user_id}/{dataset_id}/version/{version}/download",
        "get",
        "Download a version",
        Served::Always,
        &["filename"],
    ),
    ("/bias-reports/", "post", "Save a bias report", Served::Always, &["X-Task-ID"]),
    (
        "/bias-reports/{user_id}/{dataset_id}",
        "get",
        "Show a bias report",
        Served::Always,
        &["version"],
    ),
    (
        "/bias-reports/{user_id}/{dataset_id}",
        "delete",
        "Delete bias reports",
        Served::Always,
        &["version"],
    ),
    ("/bias-reports/{user_id}/{dataset_id}/all", "get", "List bias reports", Served::Task, &[]),
    ("/transformation-reports/", "post", "Save a transformation report", Served::Always, &[]),
    (
        "/transformation-reports/{user_id}/{dataset_id}/{version}",
        "get",
        "Show a transformation report",
        Served::Always,
        &[],
    ),
    (
        "/transformation-reports/{user_id}/{dataset_id}/{version}",
        "delete",
        "Delete a transformation report",
        Served::Always,
        &[],
    ),
];

pub(super) async fn document(State(app): State<App>) -> Json<Value> {
    Json(describe(app.spoken))
}

fn describe(spoken: Spoken) -> Value {
    let mut paths = Map::new();
    for (path, method, summary, _, parameters) in
        OPERATIONS.iter().filter(|(_, _, _, served, _)| served.by(spoken))
    {
        let in_path = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| parameter(name, "path"));
        let others = parameters.iter().filter_map(|name| match name.starts_with("X-") {
            true if !spoken.has(Dialect::Task) => None,
            true => Some(parameter(name, "header")),
            false => Some(parameter(name, "query")),
        });
        let operation = json!({
            "summary": summary,
            "parameters": in_path.chain(others).collect::<Vec<_>>(),
            "responses": {"200": {"description": "Successful Response"}},
        });
        if let Some(entry) = paths.entry(*path).or_insert_with(|| json!({})).as_object_mut() {
            entry.insert((*method).to_owned(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Data Warehouse API", "version": "1.0.0"},
        "paths": paths,
    })
}

fn parameter(name: &str, place: &str) -> Value {
    json!({
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": {"type": "string"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "/ai-models/upload/single";
    const USER: &str = "/ai-models/upload/single/{user_id}";

    fn has_task_header(document: &Value) -> bool {
        let parameters = document["paths"][USER]["post"]["parameters"].as_array();
        parameters.is_some_and(|list| {
            list.iter()
                .any(|parameter| parameter["name"] == "X-Task-ID" && parameter["in"] == "header")
        })
    }

    #[test]
    fn each_dialect_is_told_from_the_others() {
        for (spoken, form, user, task) in [
            (Spoken::All, true, true, true),
            (Spoken::Only(Dialect::Form), true, false, false),
            (Spoken::Only(Dialect::Flat), false, true, false),
            (Spoken::Only(Dialect::Task), false, true, true),
        ] {
            let document = describe(spoken);
            let found = (
                document["paths"].get(FORM).is_some(),
                document["paths"].get(USER).is_some(),
                has_task_header(&document),
            );
            assert_eq!(found, (form, user, task), "{spoken}");
        }
    }
}
