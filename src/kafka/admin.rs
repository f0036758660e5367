//! Making topics: the one thing of ours that changes a cluster, and only where it is asked for.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use super::session::config_words;
use super::{KafkaError, Properties, error};
use crate::base::Deadline;

/// Makes the topics that are not there, replicated as the cluster does by default. Says which were
/// made.
///
/// # Errors
/// The cluster refused one of them or did not answer before the deadline.
pub async fn create_topics(
    properties: &Properties,
    names: &[String],
    partitions: i32,
    deadline: Deadline,
) -> Result<Vec<String>, KafkaError> {
    let client: AdminClient<DefaultClientContext> = properties
        .config(&[])
        .create()
        .map_err(|error| KafkaError::Config { reason: config_words(&error) })?;
    let options =
        AdminOptions::new().operation_timeout(Some(deadline.slice(Duration::from_secs(10))));
    let topics: Vec<NewTopic<'_>> = names
        .iter()
        .map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(-1)))
        .collect();
    let results = client
        .create_topics(&topics, &options)
        .await
        .map_err(|error| KafkaError::library("make topics", &error))?;
    let mut made = Vec::new();
    for result in results {
        match result {
            Ok(name) => made.push(name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) if error::is_denial(code) => {
                return Err(KafkaError::Denied {
                    action: format!("make topic {name:?}"),
                    reason: error::words(code),
                });
            }
            Err((name, code)) => {
                return Err(KafkaError::Refused { topic: name, reason: error::words(code) });
            }
        }
    }
    Ok(made)
}
