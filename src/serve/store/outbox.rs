//! The outbox: events that were committed with what they announce and wait for the publisher.
//! Published rows stay for a while, so that an embedded broker, which forgets everything, can be
//! given its history back.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Store, StoreError};
use crate::base::Stamp;

/// An event on its way into the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    pub topic: String,
    pub key: String,
    /// JSON.
    pub value: String,
    pub created: Stamp,
}

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Ascending in the order of commits.
    pub id: i64,
    pub topic: String,
    pub key: String,
    pub value: String,
}

/// What the outbox holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    pub waiting: u64,
    /// When the oldest waiting event was committed.
    pub oldest: Option<Stamp>,
    /// Events that the broker refused for good.
    pub parked: u64,
}

const WAITING: i64 = 0;
const PUBLISHED: i64 = 1;
const PARKED: i64 = 2;

/// Bytes of a topic's published events that are kept for a broker that forgets.
const KEPT: i64 = 4 * 1024 * 1024;

/// Bytes of events that are read at once.
const AT_ONCE: usize = 8 * 1024 * 1024;

pub(super) fn insert(connection: &Connection, event: &OutboxEvent) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO outbox (topic, key, value, created) VALUES (?, ?, ?, ?)")?
        .execute(params![event.topic, event.key, event.value, event.created.micros()])?;
    Ok(())
}

impl Store {
    /// Takes an event that announces nothing stored: a step that failed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_event(&self, event: OutboxEvent) -> Result<(), StoreError> {
        self.write_little(move |connection| insert(connection, &event)).await
    }

    /// The next waiting events after `after`, in order, but for those of some topics: at most `most`,
    /// and few enough to be held in memory. Blocks: for the publisher's own thread.
    ///
    /// # Errors
    /// The database failed.
    pub fn waiting_events(
        &self,
        after: i64,
        most: u32,
        left_out: &[&str],
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let left_out = serde_json::to_string(left_out)?;
        self.read_now(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, topic, key, value FROM outbox
                 WHERE state = 0 AND id > ? AND topic NOT IN (SELECT value FROM json_each(?))
                 ORDER BY id LIMIT ?",
            )?;
            let mut rows = statement.query(params![after, left_out, most])?;
            let (mut found, mut bytes) = (Vec::new(), 0);
            while bytes < AT_ONCE
                && let Some(row) = rows.next()?
            {
                let row = OutboxRow {
                    id: row.get(0)?,
                    topic: row.get(1)?,
                    key: row.get(2)?,
                    value: row.get(3)?,
                };
                bytes += row.value.len();
                found.push(row);
            }
            Ok(found)
        })
    }

    /// Notes events as published, each with its partition and offset, and forgets old ones.
    ///
    /// # Errors
    /// The database failed.
    pub async fn mark_published(&self, places: Vec<(i64, i32, i64)>) -> Result<(), StoreError> {
        self.write_repeatable(move |connection| {
            let mut statement = connection.prepare_cached(
                "UPDATE outbox SET state = ?, partition = ?, position = ? WHERE id = ?",
            )?;
            for (id, partition, offset) in &places {
                statement.execute(params![PUBLISHED, partition, offset, id])?;
            }
            Ok(())
        })
        .await
    }

    /// Sets an event aside that the broker refuses whatever happens.
    ///
    /// # Errors
    /// The database failed.
    pub async fn park_event(&self, id: i64, problem: String) -> Result<(), StoreError> {
        self.write(move |connection| {
            connection.execute(
                "UPDATE outbox SET state = ?, problem = ? WHERE id = ?",
                params![PARKED, problem, id],
            )?;
            Ok(())
        })
        .await
    }

    /// Removes published events beyond what a topic's history keeps.
    ///
    /// # Errors
    /// The database failed.
    pub async fn trim_outbox(&self) -> Result<(), StoreError> {
        self.write_repeatable(|connection| {
            connection.execute(
                "DELETE FROM outbox WHERE state = ? AND id < (SELECT max(id) FROM outbox) AND id IN (
                   SELECT id FROM (
                     SELECT id, sum(length(value) + length(key) + 100) OVER (PARTITION BY topic ORDER BY id DESC) AS bytes
                     FROM outbox WHERE state = ?)
                   WHERE bytes > ?)",
                params![PUBLISHED, PUBLISHED, KEPT],
            )?;
            Ok(())
        })
        .await
    }

    /// Lets every kept event wait again: the broker that had them is gone. Gives their ids.
    ///
    /// # Errors
    /// The database failed.
    pub async fn restore_history(&self) -> Result<Vec<i64>, StoreError> {
        // A server that was killed had no time for it, and a new broker would drop the first ones.
        match self.trim_outbox().await {
            // More than the broker keeps is put back, and it drops the first ones.
            Ok(()) | Err(StoreError::Full { .. }) => {}
            Err(error) => return Err(error),
        }
        self.write_freeing(|connection| {
            let mut statement = connection
                .prepare_cached("UPDATE outbox SET state = ? WHERE state = ? RETURNING id")?;
            let ids = statement.query_map([WAITING, PUBLISHED], |row| row.get(0))?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// What waits and what was set aside.
    ///
    /// # Errors
    /// The database failed.
    pub async fn outbox_state(&self) -> Result<OutboxState, StoreError> {
        self.read(|connection| {
            let count = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
            // Each of these reads an index alone: somebody may ask often while much waits.
            let waiting = count("SELECT count(*) FROM outbox WHERE state = 0")?;
            let parked = count("SELECT count(*) FROM outbox WHERE state = 2")?;
            let oldest: Option<i64> = connection
                .prepare_cached("SELECT created FROM outbox WHERE state = 0 ORDER BY id LIMIT 1")?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(OutboxState { waiting, oldest: oldest.map(Stamp::from_micros), parked })
        })
        .await
    }
}
