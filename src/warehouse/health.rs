//! What an API says of its own state.

use serde::Deserialize;

use super::{Warehouse, WarehouseError};
use crate::base::Deadline;

/// The reply of `GET /health`. Every generation of the service answers one constant, without `kafka`
/// and without looking at anything; `dwctl serve` answers what is so.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Health {
    /// The HTTP status of the reply.
    #[serde(skip)]
    pub code: u16,
    /// `healthy` or another word.
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub services: Services,
    /// The events that wait to be published.
    #[serde(default)]
    pub outbox: Option<Outbox>,
}

/// The parts of the service as it tells of them.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Services {
    #[serde(default)]
    pub kafka: Option<String>,
}

/// Events on their way.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Outbox {
    #[serde(default)]
    pub waiting: u64,
    /// Milliseconds since the oldest of them was due.
    #[serde(default)]
    pub oldest_age_ms: Option<u64>,
    /// Set aside, because the brokers refused them.
    #[serde(default)]
    pub parked: u64,
    #[serde(default)]
    pub last_error: Option<String>,
}

impl Health {
    #[must_use]
    pub fn says_healthy(&self) -> bool {
        (200..300).contains(&self.code) && self.status.as_deref() == Some("healthy")
    }
}

impl Warehouse {
    /// Asks the API how it is.
    ///
    /// # Errors
    /// It cannot be reached, or what it answers is no account of its health.
    pub async fn health(&self, deadline: Deadline) -> Result<Health, WarehouseError> {
        let action = "ask for the API's health";
        let reply = self.fetch(self.address().path(&["health"]), action, deadline).await?;
        let code = reply.status.as_u16();
        // A service that is not healthy says so with a status of failure, and a body all the same.
        let health: Health = if code == 503 {
            let text = reply.text(LARGEST).await?;
            serde_json::from_str(&text).unwrap_or_default()
        } else {
            self.read(reply, action).await?.value
        };
        Ok(Health { code, ..health })
    }
}

/// Bytes that an account of health may have.
const LARGEST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_constant_and_an_account_are_told_apart() {
        let constant: Health = serde_json::from_str(
            r#"{"status":"healthy","services":{"api":"running","database":"connected"}}"#,
        )
        .unwrap();
        let constant = Health { code: 200, ..constant };
        assert!(constant.says_healthy() && constant.services.kafka.is_none());
        let account: Health = serde_json::from_str(
            r#"{"status":"healthy","services":{"kafka":"unreachable"},
                "outbox":{"waiting":2,"oldest_age_ms":null,"parked":0,"last_error":"refused"}}"#,
        )
        .unwrap();
        assert_eq!(account.outbox.unwrap().waiting, 2);
        assert!(!Health { code: 503, ..account_of("healthy") }.says_healthy());
        assert!(!Health { code: 200, ..account_of("unhealthy") }.says_healthy());
    }

    fn account_of(status: &str) -> Health {
        Health { status: Some(status.to_owned()), ..Health::default() }
    }
}
