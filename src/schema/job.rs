//! Job locks of today's service: who may work on a task (`/jobs/{step}/claim`, `heartbeat`,
//! `release`).

use serde::{Deserialize, Serialize};

/// The body of a claim; the XAI and drift steps take the fields below `dataset_version` too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobClaim {
    pub task_id: String,
    pub user_id: String,
    pub dataset_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

/// A claim that was granted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobClaimed {
    pub task_id: String,
    /// Only of the XAI and drift steps, as is `reclaimed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_key: Option<String>,
    pub claimed: bool,
    pub claimed_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reclaimed: Option<bool>,
}

/// The reply to a heartbeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobHeartbeat {
    pub task_id: String,
    pub last_heartbeat_at: String,
}

/// The reply to a release, which may be asked for again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobReleased {
    pub task_id: String,
    pub released: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_steps_claim_has_its_own_keys() {
        for text in [
            r#"{"task_id":"t","claimed":true,"claimed_at":"2026-01-01T00:00:00+00:00"}"#,
            r#"{"task_id":"t","job_key":"u|d|v1|m|v1","claimed":true,"claimed_at":"2026-01-01T00:00:00+00:00","reclaimed":false}"#,
        ] {
            let claimed: JobClaimed = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&claimed).unwrap(), text);
        }
    }

    #[test]
    fn a_claim_sends_only_what_is_known() {
        let claim = JobClaim {
            task_id: "t".into(),
            user_id: "u".into(),
            dataset_id: "d".into(),
            level: Some("expert".into()),
            ..JobClaim::default()
        };
        assert_eq!(
            serde_json::to_string(&claim).unwrap(),
            r#"{"task_id":"t","user_id":"u","dataset_id":"d","level":"expert"}"#
        );
    }
}
