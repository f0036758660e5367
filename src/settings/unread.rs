//! Variables that somebody set in the belief that they are read.

use super::keys::KEYS;
use super::{Environment, Settings};
use crate::base::nearest::nearest;

/// Variables of ours that no setting stands for.
const FURTHER: &[&str] = &["DWCTL_CONFIG", "DWCTL_PROFILE"];

/// In the service's example files, and read by no program of any generation.
const DEAD: &[&str] = &[
    "KAFKA_AUTOML_CONSUMER_GROUP",
    "KAFKA_AUTO_OFFSET_RESET",
    "KAFKA_BIAS_CONSUMER_GROUP",
    "KAFKA_GROUP_ID",
    "KAFKA_XAI_CONSUMER_GROUP",
];

/// Read by the service's own programs, though not by this one. The service's API reads the first
/// part, its workers and orchestrators the rest.
const OF_THE_SERVICE: &[&str] = &[
    "ROOT_PATH",
    "TASK_MANAGER_URL",
    "TABULAR_AUTOML",
    "AUTOML_429_MAX_WAIT_SECONDS",
    "AUTOML_DW_DOWNLOAD_TIMEOUT_SECONDS",
    "AUTOML_HTTP_READ_TIMEOUT_SECONDS",
    "XAI_JOB_LOCK_HEARTBEAT_FRESH_SECONDS",
    "XAI_JOB_LOCK_HEARTBEAT_STALE_SECONDS",
    "CONCEPT_DRIFT_JOB_LOCK_HEARTBEAT_FRESH_SECONDS",
    "CONCEPT_DRIFT_JOB_LOCK_HEARTBEAT_STALE_SECONDS",
    "KAFKA_AUTOML_COMPLETE_TOPIC",
    "KAFKA_BIAS_TRIGGER_CONSUMER_GROUP",
    "KAFKA_CLIENT_ID",
    "KAFKA_CONCEPT_DRIFT_COMPLETE_TOPIC",
    "KAFKA_CONCEPT_DRIFT_CONSUMER_GROUP",
    "KAFKA_MAX_POLL_INTERVAL_MS",
];

/// A variable that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    pub name: String,
    /// What was meant, where one that is read has nearly that name.
    pub near: Option<&'static str>,
    /// Whether programs of the service read it.
    pub is_of_service: bool,
}

impl Settings {
    /// The variables that this program does not read: those of the service's own programs, those that
    /// the service's examples set in vain, and those whose names are nearly ones that are read.
    #[must_use]
    pub fn unread_variables(&self) -> Vec<Unread> {
        unread(self.environment())
    }
}

fn unread(environment: &Environment) -> Vec<Unread> {
    let known = || KEYS.iter().flat_map(|row| row.variables).chain(FURTHER).copied();
    let is_read = |name: &str| {
        known().any(|known| known == name) || name.starts_with(super::metadata::PREFIX)
    };
    let judge = |name: &str| {
        if OF_THE_SERVICE.contains(&name) {
            return Some(Unread { name: name.to_owned(), near: None, is_of_service: true });
        }
        let near = nearest(name, known(), 1).first().copied();
        let near = near
            .or((DEAD.contains(&name) && name.ends_with("_GROUP") || name == "KAFKA_GROUP_ID")
                .then_some("KAFKA_CONSUMER_GROUP"));
        let is_suspect = near.is_some() || DEAD.contains(&name);
        is_suspect.then(|| Unread { name: name.to_owned(), near, is_of_service: false })
    };
    let ours = ["KAFKA_", "DWCTL_", "API_"]
        .into_iter()
        .flat_map(|prefix| environment.starting_with(prefix))
        .map(|(name, _)| name);
    let others = OF_THE_SERVICE
        .iter()
        .copied()
        .filter(|name| !name.starts_with("KAFKA_") && environment.get(name).is_some());
    ours.chain(others).filter(|name| !is_read(name)).filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(set: &[&'static str]) -> Vec<(String, Option<&'static str>)> {
        let environment = Environment::of(set.iter().map(|name| (*name, "x")));
        unread(&environment).into_iter().map(|unread| (unread.name, unread.near)).collect()
    }

    #[test]
    fn what_is_read_here_or_elsewhere_and_what_is_no_concern_of_ours_is_no_finding() {
        for name in ["KAFKA_BOOTSTRAP_SERVERS", "DWCTL_META_NAME", "KAFKA_HEAP_OPTS", "KAFKA_HOME"]
        {
            assert_eq!(names(&[name]), [], "{name}");
        }
        for name in FURTHER {
            assert_eq!(names(&[name]), [], "{name}");
        }
        for name in OF_THE_SERVICE {
            let environment = Environment::of([(*name, "x")]);
            let unread = unread(&environment);
            assert!(unread.len() == 1 && unread[0].is_of_service, "{name}: {unread:?}");
        }
    }

    #[test]
    fn what_nothing_reads_is_told_with_what_was_meant() {
        let one = |name: &'static str| names(&[name]).pop().unwrap().1;
        assert_eq!(one("KAFKA_BOOTSTRAP_SERVER"), Some("KAFKA_BOOTSTRAP_SERVERS"));
        assert_eq!(one("DWCTL_BROKER"), Some("DWCTL_BROKERS"));
        assert_eq!(one("KAFKA_GROUP_ID"), Some("KAFKA_CONSUMER_GROUP"));
        assert_eq!(one("API_BASE_URL"), Some("API_BASE"));
        assert_eq!(one("KAFKA_AUTO_OFFSET_RESET"), None);
        for name in DEAD {
            assert_eq!(names(&[name]).len(), 1, "{name}");
        }
    }
}
