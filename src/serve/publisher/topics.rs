//! The service's topics on a real cluster, made where they are missing.

use std::time::Duration;

use super::{MissingTopics, Publishing};
use crate::base::{Classify, Deadline, Kind};
use crate::kafka::{KafkaError, admin};

/// How long one attempt may take.
const MAKING: Duration = Duration::from_secs(3);

/// Makes them, where anybody can. A cluster that answers no is asked no more: it may have them
/// already, or make them on first use.
///
/// # Errors
/// Nobody was there to answer: it is to be tried again.
pub(super) async fn make(publishing: &Publishing) -> Result<(), KafkaError> {
    let Some(MissingTopics { names, partitions }) = &publishing.missing else { return Ok(()) };
    let deadline = Deadline::after(MAKING);
    match admin::create_topics(&publishing.properties, names, *partitions, deadline).await {
        Err(error) if matches!(error.kind(), Kind::Unreachable | Kind::Deadline) => Err(error),
        Err(error) => {
            publishing.reporter.trouble(&format!("topics could not be made: {error}"));
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
