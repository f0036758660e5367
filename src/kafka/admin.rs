//! Making topics: the one thing of ours that changes a cluster, and only where it is asked for.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;

use super::session::{SharedFindings, config_words};
use super::{Cluster, Findings, KafkaError, Properties, Session, error};
use crate::base::Deadline;

/// Makes the topics that are not there, replicated as the cluster does by default. Says which were
/// made.
///
/// # Errors
/// The cluster refused one of them, cannot make any, cannot be used, or did not answer before the
/// deadline.
pub async fn create_topics(
    properties: &Properties,
    names: &[String],
    partitions: i32,
    deadline: Deadline,
) -> Result<Vec<String>, KafkaError> {
    let cluster = ask_first(properties.clone(), names, deadline).await?;
    let names: Vec<&String> =
        names.iter().filter(|name| cluster.topic(name.as_str()).is_none()).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let findings = Arc::new(Findings::new(properties));
    let client: AdminClient<SharedFindings> = properties
        .config(&[])
        .create_with_context(SharedFindings(Arc::clone(&findings)))
        .map_err(|error| KafkaError::Config { reason: config_words(&error) })?;
    let limit = deadline.slice(Duration::from_secs(10));
    let options = AdminOptions::new().operation_timeout(Some(limit)).request_timeout(Some(limit));
    let topics: Vec<NewTopic<'_>> = names
        .iter()
        .map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(-1)))
        .collect();
    let results = client.create_topics(&topics, &options).await.map_err(|error| match findings
        .verdict_of_brokers(&cluster.brokers, deadline)
    {
        Some(verdict) => KafkaError::Unusable { verdict: Box::new(verdict) },
        None => KafkaError::library("make topics", &error),
    })?;
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

/// Asks the cluster what it is. The admin client alone would never say why a cluster cannot be
/// reached, and would wait for the controller that the embedded broker does not have.
async fn ask_first(
    properties: Properties,
    names: &[String],
    deadline: Deadline,
) -> Result<Cluster, KafkaError> {
    let names = names.to_vec();
    let asking = tokio::task::spawn_blocking(move || {
        let session = Session::open(&properties)?;
        let cluster = session.cluster(deadline)?;
        let is_there = |name: &String| cluster.topic(name).is_some();
        if session.is_embedded() && !names.iter().all(is_there) {
            return Err(KafkaError::Embedded {
                action: "make topics".to_owned(),
                hint: "it has those with which it started: dwctl serve --topic NAME, or --brokers HOST:PORT for a real Kafka",
            });
        }
        Ok(cluster)
    });
    asking.await.unwrap_or_else(|error| {
        let reason = error.to_string();
        Err(KafkaError::Library { action: "make topics".to_owned(), reason, code: None })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Classify, Kind};
    use crate::kafka::native::mock::MockBroker;

    fn refused(properties: &Properties) -> KafkaError {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let deadline = Deadline::after(Duration::from_secs(20));
        runtime.block_on(create_topics(properties, &["t".to_owned()], 1, deadline)).unwrap_err()
    }

    #[test]
    fn the_embedded_broker_is_told_from_a_real_one() {
        let broker = MockBroker::start().unwrap();
        let failure = refused(&Properties::new(&broker.address()));
        assert_eq!(failure.kind(), Kind::Usage);
        assert!(failure.hints()[0].text().contains("--brokers"), "{failure}");
    }

    #[test]
    fn a_cluster_that_cannot_be_reached_is_named_with_its_cause() {
        let failure = refused(&Properties::new("127.0.0.1:1"));
        assert!(failure.to_string().starts_with("connection refused at 127.0.0.1:1"), "{failure}");
    }
}
