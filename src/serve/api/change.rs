//! Updates and deletions of models. The service announces neither; its plans name the events that
//! are sent here.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::App;
use super::asked::outgoing;
use super::body::{self, Bare, Field, Kind, Null, Raw};
use super::models::{VersionQuery, not_found};
use super::refusal::Refused;
use crate::base::Stamp;
use crate::schema::events::ModelChanged;
use crate::schema::model::Model;
use crate::schema::role::Dialect;
use crate::serve::Spoken;
use crate::serve::store::{OutboxEvent, StoreError, Unchanged};

const FAILED: &str = "Failed to update AI model";

/// What an update may set. Null stays where the record can hold it (contract B7).
const FIELDS: &[Field] = &[
    ("name", Kind::Text, Null::Refused),
    ("description", Kind::Text, Null::Allowed),
    ("algorithm", Kind::Text, Null::Allowed),
    ("input_shape", Kind::Integers, Null::Allowed),
    ("output_shape", Kind::Integers, Null::Allowed),
    ("training_dataset", Kind::Text, Null::Allowed),
    ("training_accuracy", Kind::Number, Null::Allowed),
    ("validation_accuracy", Kind::Number, Null::Allowed),
    ("test_accuracy", Kind::Number, Null::Allowed),
    ("training_loss", Kind::Number, Null::Allowed),
    ("python_version", Kind::Text, Null::Allowed),
    ("dependencies", Kind::Texts, Null::Refused),
    ("hardware_requirements", Kind::Text, Null::Allowed),
    ("tags", Kind::Texts, Null::Refused),
    ("custom_metadata", Kind::Object, Null::Refused),
    ("is_active", Kind::Flag, Null::Refused),
    ("is_production_ready", Kind::Flag, Null::Refused),
];

pub(super) async fn update(
    State(app): State<App>,
    Path((user, model)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
    Raw(body): Raw,
) -> Result<Json<Model>, Refused> {
    let key = query.key(user, model);
    if body.is_empty() {
        // The service looks for the model first, and then falls over the body that is not there.
        app.store.model(key).await.map_err(|error| not_found(&error, FAILED))?;
        return Err(Refused::new(StatusCode::INTERNAL_SERVER_ERROR, FAILED));
    }
    let fields = read(&body)?;
    // Since the task dialect an update always changes the stamp, and so is never refused.
    let unchanged = match app.spoken.newest() {
        Dialect::Task => Unchanged::Touched,
        Dialect::Form | Dialect::Flat => Unchanged::Refused,
    };
    let (now, spoken) = (app.clock.now(), app.spoken);
    let updated = app
        .store
        .update_model(key, fields, unchanged, now, move |changed| {
            announcement(spoken, ModelChanged::UPDATED, &changed.model, Some(&changed.fields), now)
        })
        .await;
    updated.map(Json).map_err(|error| match error {
        StoreError::Unchanged => Refused::bad_request("No changes made to the model"),
        error => not_found(&error, FAILED),
    })
}

/// The fields that are known, checked; others are ignored.
fn read(body: &[u8]) -> Result<Map<String, Value>, Refused> {
    let mut fields = body::object(body, Bare::Refused)?;
    let problems = body::check(&mut fields, FIELDS);
    if !problems.is_empty() {
        return Err(Refused::problems(problems));
    }
    fields.retain(|name, _| FIELDS.iter().any(|(known, ..)| known == name));
    Ok(fields)
}

pub(super) async fn delete(
    State(app): State<App>,
    Path((user, model)): Path<(String, String)>,
    Query(query): Query<VersionQuery>,
) -> Result<Json<Value>, Refused> {
    let (now, spoken) = (app.clock.now(), app.spoken);
    app.store
        .delete_model(query.key(user, model), move |model| {
            announcement(spoken, ModelChanged::DELETED, model, None, now)
        })
        .await
        .map_err(|error| not_found(&error, "Failed to delete AI model"))?;
    Ok(Json(json!({ "message": "Model deleted successfully" })))
}

/// Returns the event of a change, or nothing where one generation is served exactly.
fn announcement(
    spoken: Spoken,
    event_type: &str,
    model: &Model,
    changed: Option<&[String]>,
    now: Stamp,
) -> Option<OutboxEvent> {
    let id = event_type.replace('.', "_");
    let event = ModelChanged {
        event_type: event_type.to_owned(),
        event_id: format!("{id}_{}_{}", model.model_id, now.seconds()),
        timestamp: now.naive(),
        user_id: model.user_id.clone(),
        model_id: model.model_id.clone(),
        version: model.version.clone(),
        dataset_id: model.training_dataset.clone(),
        changed: changed.map(<[String]>::to_vec),
    };
    spoken.announces_changes().then(|| outgoing(&event, spoken.untasked(), now))
}
