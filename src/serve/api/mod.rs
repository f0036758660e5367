//! The warehouse's HTTP API: the routes of every generation from one router, replies in the
//! service's words. [`Spoken`](super::Spoken) says which of them are there and who answers.

mod access;
mod asked;
mod bias;
mod body;
mod change;
mod connection;
mod dataset_upload;
mod datasets;
mod download;
mod fields;
mod form;
mod gate;
mod models;
mod openapi;
mod patience;
mod refusal;
mod table;
mod transformation;
mod unpack;
mod upload;
mod zip_rows;

pub(super) use access::AccessPolicy;
pub use access::AllowedOrigin;
pub(super) use connection::Client;
pub(super) use gate::{Entrance, client_capacity};

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::Spoken;
use super::publisher::PublisherStatus;
use super::report::{AnsweredRequest, ServeReporter};
use super::store::Store;
use crate::base::{Clock, IdSource};
use crate::schema::role::Dialect;
use refusal::{RefusalReason, Refused};

/// What every handler may use; cloned several times for each request.
pub(super) type App = Arc<Parts>;

/// The parts of it.
pub(super) struct Parts {
    pub store: Store,
    pub spoken: Spoken,
    pub clock: Clock,
    pub ids: IdSource,
    pub publisher: PublisherStatus,
    pub reporter: Arc<dyn ServeReporter>,
    pub access: AccessPolicy,
    /// How long a client may leave its part undone.
    pub patience: Duration,
}

/// The routes with everything around them.
pub(super) fn router(app: App) -> Router {
    let spoken = app.spoken;
    let mut router = Router::new()
        .route("/", get(service_info))
        .route("/health", get(health))
        .route("/openapi.json", get(openapi::document))
        .merge(model_routes())
        .merge(dataset_routes())
        .merge(report_routes());
    if spoken.has(Dialect::Form) {
        router = router
            .route("/ai-models/upload/single", post(upload::single_form))
            .route("/ai-models/upload/folder", post(upload::folder_form));
    }
    if spoken.has(Dialect::Flat) || spoken.has(Dialect::Task) {
        router = router
            .route("/ai-models/upload/single/{user_id}", post(upload::single_of_user))
            .route("/ai-models/upload/folder/{user_id}", post(upload::folder_of_user))
            .route("/ai-models/search/{user_id}", get(models::search))
            .route("/datasets/upload/folder/{user_id}", post(datasets::upload_folder))
            .route("/datasets/{user_id}/{dataset_id}/files", get(datasets::files));
    }
    if spoken.has(Dialect::Task) {
        router = router.route("/bias-reports/{user_id}/{dataset_id}/all", get(bias::list));
    }
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(body::LARGEST))
        .layer(middleware::from_fn_with_state(app.clone(), around))
        .with_state(app)
}

fn model_routes() -> Router<App> {
    Router::new()
        .route("/ai-models/{user_id}", get(models::list))
        .route(
            "/ai-models/{user_id}/{model_id}",
            get(models::show).put(change::update).delete(change::delete),
        )
        .route("/ai-models/{user_id}/{model_id}/files", get(models::files))
        .route("/ai-models/{user_id}/{model_id}/download", get(download::download))
}

fn dataset_routes() -> Router<App> {
    Router::new()
        .route("/datasets/upload/{user_id}", post(dataset_upload::upload))
        .route("/datasets/search/{user_id}", get(datasets::search))
        .route("/datasets/{user_id}", get(datasets::list))
        .route(
            "/datasets/{user_id}/{dataset_id}",
            get(datasets::show).put(datasets::update).delete(datasets::delete),
        )
        .route("/datasets/{user_id}/{dataset_id}/versions", get(datasets::versions))
        .route("/datasets/{user_id}/{dataset_id}/download", get(datasets::download))
        .route(
            "/datasets/{user_id}/{dataset_id}/version/{version}",
            get(datasets::show_version).delete(datasets::delete_version),
        )
        .route(
            "/datasets/{user_id}/{dataset_id}/version/{version}/download",
            get(datasets::download_version),
        )
}

fn report_routes() -> Router<App> {
    Router::new()
        .route("/bias-reports/", post(bias::create))
        .route("/bias-reports/{user_id}/{dataset_id}", get(bias::show).delete(bias::delete))
        .route("/transformation-reports/", post(transformation::create))
        .route(
            "/transformation-reports/{user_id}/{dataset_id}/{version}",
            get(transformation::show).delete(transformation::delete),
        )
}

/// Admits, bounds and reports each request. HEAD is answered as the service answers it: not at all.
async fn around(
    State(app): State<App>,
    ConnectInfo(Client(client)): ConnectInfo<Client>,
    request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    client.begin_reply();
    let mut response = match app.access.check(&request, client.local) {
        Err(refused) => *refused,
        Ok(admitted) => {
            let request = patience::bound_body(request, Arc::clone(&client), app.patience);
            let mut response = route(request, &path, next).await;
            admitted.mark(&mut response);
            response
        }
    };
    client.end_reply();
    // The service says uvicorn here. Clients see by it that folder uploads are announced.
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static(crate::serve::SERVER));
    let reason = response.extensions_mut().remove::<RefusalReason>();
    app.reporter.request(&AnsweredRequest {
        method: method.as_str(),
        path: &path,
        status: response.status().as_u16(),
        took: start.elapsed(),
        reason: reason.as_ref().map(|reason| reason.0.as_str()),
    });
    response
}

async fn route(request: Request, path: &str, next: Next) -> Response {
    if request.method() == Method::HEAD {
        wrong_method(None).await
    } else if path.to_ascii_lowercase().contains("%2f") {
        // The service takes paths apart after decoding them: an id with a slash is no path of its.
        Refused::not_found("Not Found").into_response()
    } else {
        next.run(request).await
    }
}

/// The service names its pages `/docs` and `/redoc` here, which do not exist yet.
async fn service_info() -> Response {
    Json(json!({
        "message": "Welcome to Data Warehouse API",
        "version": "1.0.0",
    }))
    .into_response()
}

/// The service's constant, and beside it what is really so: the outbox's backlog.
async fn health(State(app): State<App>) -> Response {
    let state = app.store.outbox_state().await;
    let database = if state.is_ok() { "connected" } else { "failing" };
    let state = state.unwrap_or_default();
    let age = state.oldest.map(|oldest| (app.clock.now().millis() - oldest.millis()).max(0));
    let error = app.publisher.last_error();
    let healthy = database == "connected";
    let body = json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "services": {
            "api": "running",
            "database": database,
            "file_storage": "connected",
            "kafka": if error.is_none() { "connected" } else { "unreachable" },
        },
        "outbox": {
            "waiting": state.waiting,
            "oldest_age_ms": age,
            "parked": state.parked,
            "last_error": error,
        },
    });
    (if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
        .into_response()
}

/// 307 to the path with or without its last slash where that one is a route, else 404.
async fn unknown_path(uri: Uri, request: Request) -> Response {
    let path = uri.path();
    let other = match path.strip_suffix('/') {
        Some(trimmed) if is_route(trimmed) => Some(trimmed.to_owned()),
        None if matches!(path, "/bias-reports" | "/transformation-reports") => {
            Some(format!("{path}/"))
        }
        _ => None,
    };
    let Some(other) = other else {
        return Refused::not_found("Not Found").into_response();
    };
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let location = format!("http://{host}{other}{query}");
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
}

/// Whether a path without its last slash is one of ours.
fn is_route(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["health"] => true,
        ["ai-models", rest @ ..] => match rest {
            [_] | [_, _] => true,
            [_, _, last] => matches!(*last, "files" | "download") || rest[0] == "upload",
            _ => false,
        },
        ["datasets", rest @ ..] => match rest {
            [_] | [_, _] => true,
            [_, _, last] => matches!(*last, "files" | "download" | "versions"),
            [_, _, "version", _] | [_, _, "version", _, "download"] => true,
            _ => false,
        },
        ["bias-reports", _, _] | ["transformation-reports", _, _, _] => true,
        _ => false,
    }
}

/// Each route of the service has one method, and of a path's routes the first is named.
async fn wrong_method(path: Option<MatchedPath>) -> Response {
    let is_post = path.is_some_and(|path| {
        path.as_str().contains("/upload") || path.as_str().ends_with("-reports/")
    });
    let allowed = HeaderValue::from_static(if is_post { "POST" } else { "GET" });
    let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    ([(header::ALLOW, allowed)], refused).into_response()
}
