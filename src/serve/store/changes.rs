//! Changes and removals of models, each with its event in the same transaction.

use rusqlite::params;
use serde_json::{Map, Value};

use super::files::{self, Owner};
use super::models::ModelKey;
use super::outbox::{self, OutboxEvent};
use super::{Store, StoreError};
use crate::base::Stamp;
use crate::schema::model::Model;

/// What an update does when it would change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// It is refused with [`StoreError::Unchanged`].
    Refused,
    /// It still counts as an update, without an event.
    Touched,
}

/// A model after an update, and the fields that are different now.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub model: Model,
    pub fields: Vec<String>,
}

impl Store {
    /// Sets fields of a model's record. They have been checked: each is a field of the record and
    /// has its type.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Unchanged`], or the database failed.
    pub async fn update_model(
        &self,
        key: ModelKey,
        fields: Map<String, Value>,
        unchanged: Unchanged,
        now: Stamp,
        announce: impl FnOnce(&Changed) -> Option<OutboxEvent> + Send + 'static,
    ) -> Result<Model, StoreError> {
        self.write_little(move |connection| {
            let (row, record) = key.find(connection)?;
            let mut record: Map<String, Value> = serde_json::from_str(&record)?;
            let changed = set(&mut record, fields);
            if changed.is_empty() && unchanged == Unchanged::Refused {
                return Err(StoreError::Unchanged);
            }
            record.insert("updated_at".to_owned(), now.stored().into());
            let model: Model = serde_json::from_value(Value::Object(record))?;
            connection
                .prepare_cached("UPDATE models SET record = ? WHERE id = ?")?
                .execute(params![serde_json::to_string(&model)?, row])?;
            let changed = Changed { model, fields: changed };
            if !changed.fields.is_empty()
                && let Some(event) = announce(&changed)
            {
                outbox::insert(connection, &event)?;
            }
            Ok(changed.model)
        })
        .await
    }

    /// Removes a model, its files and their rows.
    ///
    /// # Errors
    /// [`StoreError::Missing`], or the database failed.
    pub async fn delete_model(
        &self,
        key: ModelKey,
        announce: impl Fn(&Model) -> Option<OutboxEvent> + Send + Sync + 'static,
    ) -> Result<(), StoreError> {
        let blobs = self
            .write_freeing(move |connection| {
                let (row, record) = key.find(connection)?;
                let model: Model = serde_json::from_str(&record)?;
                let blobs = files::blobs(connection, Owner::Model, row)?;
                connection.prepare_cached("DELETE FROM models WHERE id = ?")?.execute([row])?;
                if let Some(event) = announce(&model) {
                    outbox::insert(connection, &event)?;
                }
                Ok(blobs)
            })
            .await?;
        self.remove_blobs(blobs).await;
        Ok(())
    }
}

/// Sets fields, and names those that are different now.
pub(super) fn set(record: &mut Map<String, Value>, fields: Map<String, Value>) -> Vec<String> {
    let mut changed = Vec::new();
    for (name, value) in fields {
        if record.get(&name) != Some(&value) {
            changed.push(name.clone());
            record.insert(name, value);
        }
    }
    changed
}
