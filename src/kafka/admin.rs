//! Making topics and adding partitions: the one thing of ours that changes a cluster, and only where it
//! is asked for.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
    TopicResult,
};
use rdkafka::error::{KafkaError as LibraryError, RDKafkaErrorCode};

use super::client::create_client;
use super::session::SharedFindings;
use super::{Cluster, Findings, KafkaError, Properties, Session, TopicFacts, error};
use crate::base::Deadline;

/// The setting below which an acknowledgement of all in-sync replicas is refused.
const MIN_IN_SYNC: &str = "min.insync.replicas";

/// What a topic is made with; the cluster's default where nothing is given, and one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicSpec {
    pub partitions: Option<i32>,
    pub replication: Option<i32>,
    /// Names and values.
    pub settings: Vec<(String, String)>,
}

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
    let spec = TopicSpec { partitions: Some(partitions), ..TopicSpec::default() };
    create_topics_as(properties, names, &spec, deadline).await
}

/// Makes the topics that are not there as specified. Says which were made.
///
/// # Errors
/// As [`create_topics`].
pub async fn create_topics_as(
    properties: &Properties,
    names: &[String],
    spec: &TopicSpec,
    deadline: Deadline,
) -> Result<Vec<String>, KafkaError> {
    let cluster = ask_first(properties.clone(), "make topics", names, deadline).await?;
    let names: Vec<&String> =
        names.iter().filter(|name| cluster.topic(name.as_str()).is_none()).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let admin = Admin::open(properties, deadline)?;
    let topics: Vec<NewTopic<'_>> = names.iter().map(|name| new_topic(name, spec)).collect();
    let results = admin
        .client
        .create_topics(&topics, &admin.options)
        .await
        .map_err(|error| admin.explain("make topics", &error, &cluster))?;
    let mut made = Vec::new();
    for result in results {
        match result {
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            result => made.push(accepted("make topic", result)?),
        }
    }
    let created = made.clone();
    await_metadata(properties.clone(), deadline, move |cluster| {
        created.iter().all(|name| cluster.topic(name).is_some_and(|topic| is_led(topic, 1)))
    })
    .await?;
    Ok(made)
}

/// Whether a topic has so many partitions, each with a leader.
fn is_led(topic: &TopicFacts, partitions: usize) -> bool {
    topic.partitions.len() >= partitions
        && topic.partitions.iter().all(|partition| partition.leader >= 0)
}

fn new_topic<'a>(name: &'a str, spec: &'a TopicSpec) -> NewTopic<'a> {
    let replication = TopicReplication::Fixed(spec.replication.unwrap_or(-1));
    let topic = NewTopic::new(name, spec.partitions.unwrap_or(1), replication);
    spec.settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}

/// Adds partitions to a topic until it has so many.
///
/// # Errors
/// The topic does not exist or has as many, or as [`create_topics`].
pub async fn add_partitions(
    properties: &Properties,
    topic: &str,
    partitions: usize,
    deadline: Deadline,
) -> Result<(), KafkaError> {
    let action = "add partitions";
    let cluster = ask_cluster(properties.clone(), action, deadline).await?;
    let admin = Admin::open(properties, deadline)?;
    let results = admin
        .client
        .create_partitions(&[NewPartitions::new(topic, partitions)], &admin.options)
        .await
        .map_err(|error| admin.explain(action, &error, &cluster))?;
    for result in results {
        accepted("add partitions to", result)?;
    }
    let topic = topic.to_owned();
    await_metadata(properties.clone(), deadline, move |cluster| {
        cluster.topic(&topic).is_some_and(|facts| is_led(facts, partitions))
    })
    .await
}

/// Returns the values that settings of a topic have; `None` for a setting that the cluster does not
/// know.
///
/// # Errors
/// The cluster did not say, cannot be used, or did not answer before the deadline.
pub async fn topic_settings(
    properties: &Properties,
    topic: &str,
    names: &[&str],
    deadline: Deadline,
) -> Result<Vec<Option<String>>, KafkaError> {
    let action = "read the settings of topics";
    let cluster = ask_cluster(properties.clone(), action, deadline).await?;
    let admin = Admin::open(properties, deadline)?;
    let results = admin
        .client
        .describe_configs(&[ResourceSpecifier::Topic(topic)], &admin.options)
        .await
        .map_err(|error| admin.explain(action, &error, &cluster))?;
    let mut values = vec![None; names.len()];
    for result in results {
        let resource =
            result.map_err(|code| KafkaError::library(action, &LibraryError::AdminOp(code)))?;
        for (name, value) in names.iter().zip(&mut values) {
            *value = resource.get(name).and_then(|entry| entry.value.clone());
        }
    }
    Ok(values)
}

/// Describes the partition of a topic that has fewer in-sync replicas than the topic demands, so that
/// no record on it is acknowledged.
///
/// # Errors
/// As [`topic_settings`].
pub async fn in_sync_shortage(
    properties: &Properties,
    topic: &str,
    deadline: Deadline,
) -> Result<Option<String>, KafkaError> {
    let cluster = ask_cluster(properties.clone(), "ask the cluster", deadline).await?;
    let settings = topic_settings(properties, topic, &[MIN_IN_SYNC], deadline).await?;
    let least = settings.into_iter().flatten().next().and_then(|value| value.parse().ok());
    let (Some(least), Some(facts)) = (least, cluster.topic(topic)) else { return Ok(None) };
    Ok(describe_shortage(facts, least))
}

fn describe_shortage(topic: &TopicFacts, least: usize) -> Option<String> {
    let short = topic.partitions.iter().find(|partition| partition.in_sync.len() < least)?;
    let (in_sync, replicas) = (short.in_sync.len(), short.replicas.len());
    Some(format!(
        "{}[{}] has {in_sync} of {replicas} replicas in sync, and {MIN_IN_SYNC} of the topic is {least}",
        topic.name, short.id
    ))
}

/// A client for one request, and what of the connection was found meanwhile.
struct Admin {
    client: AdminClient<SharedFindings>,
    findings: Arc<Findings>,
    options: AdminOptions,
    deadline: Deadline,
}

impl Admin {
    fn open(properties: &Properties, deadline: Deadline) -> Result<Self, KafkaError> {
        let findings = Arc::new(Findings::new(properties));
        let context = SharedFindings(Arc::clone(&findings));
        let client: AdminClient<SharedFindings> = create_client(properties, &[], context)?;
        let limit = deadline.slice(Duration::from_secs(10));
        let options =
            AdminOptions::new().operation_timeout(Some(limit)).request_timeout(Some(limit));
        Ok(Self { client, findings, options, deadline })
    }

    /// A request that got no reply, with the state of the connection as its cause if that is known.
    fn explain(&self, action: &str, error: &LibraryError, cluster: &Cluster) -> KafkaError {
        match self.findings.verdict_of_brokers(&cluster.brokers, self.deadline) {
            Some(verdict) => KafkaError::Unusable { verdict: Box::new(verdict) },
            None => KafkaError::library(action, error),
        }
    }
}

/// The name of a topic for which the cluster did what was asked.
fn accepted(action: &str, result: TopicResult) -> Result<String, KafkaError> {
    result.map_err(|(name, code)| {
        if error::is_denial(code) {
            let action = format!("{action} {name:?}");
            KafkaError::Denied { action, reason: error::words(code) }
        } else {
            KafkaError::refused(&name, error::words(code))
        }
    })
}

/// What the embedded broker cannot do, and the way out.
const EMBEDDED: &str = "it has those with which it started: dwctl serve --topic NAME, or --brokers HOST:PORT for a real Kafka";

/// Asks the cluster what it is. The admin client alone would never say why a cluster cannot be
/// reached, and would wait for the controller that the embedded broker does not have: it is refused
/// unless every topic is there already.
async fn ask_first(
    properties: Properties,
    action: &'static str,
    names: &[String],
    deadline: Deadline,
) -> Result<Cluster, KafkaError> {
    let names = names.to_vec();
    let asking = tokio::task::spawn_blocking(move || {
        let session = Session::open(&properties)?;
        let cluster = session.cluster(deadline)?;
        let is_done = !names.is_empty() && names.iter().all(|name| cluster.topic(name).is_some());
        if !is_done && session.is_embedded() {
            return Err(KafkaError::Embedded { action: action.to_owned(), hint: EMBEDDED });
        }
        Ok(cluster)
    });
    asking.await.unwrap_or_else(|error| {
        let reason = error.to_string();
        Err(KafkaError::Library { action: action.to_owned(), reason, code: None })
    })
}

/// How long a broker may take to know itself of what it has acknowledged.
const VISIBLE_WITHIN: Duration = Duration::from_secs(3);

/// Waits until the metadata show what was done: a broker acknowledges a new topic before it answers
/// questions about it. What is not shown in time is done all the same.
async fn await_metadata(
    properties: Properties,
    deadline: Deadline,
    is_shown: impl Fn(&Cluster) -> bool + Send + 'static,
) -> Result<(), KafkaError> {
    const PAUSE: Duration = Duration::from_millis(20);
    let asking = tokio::task::spawn_blocking(move || {
        let session = Session::open(&properties)?;
        let limit = deadline.within(VISIBLE_WITHIN);
        while !limit.has_passed() && !is_shown(&session.cluster(limit)?) {
            std::thread::sleep(limit.slice(PAUSE));
        }
        Ok(())
    });
    asking.await.unwrap_or_else(|error| {
        let (action, reason) = ("wait for the metadata".to_owned(), error.to_string());
        Err(KafkaError::Library { action, reason, code: None })
    })
}

/// The same for a request that the embedded broker never takes.
async fn ask_cluster(
    properties: Properties,
    action: &'static str,
    deadline: Deadline,
) -> Result<Cluster, KafkaError> {
    ask_first(properties, action, &[], deadline).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Classify, Kind};
    use crate::kafka::PartitionFacts;
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
    fn a_partition_with_too_few_replicas_in_sync_is_described() {
        let partition = |id: i32, in_sync: &[i32]| PartitionFacts {
            id,
            leader: 1,
            replicas: vec![1, 2, 3],
            in_sync: in_sync.to_vec(),
        };
        let partitions = vec![partition(0, &[1, 2]), partition(1, &[1])];
        let topic = TopicFacts { name: "t".to_owned(), partitions };
        assert_eq!(
            describe_shortage(&topic, 2).unwrap(),
            "t[1] has 1 of 3 replicas in sync, and min.insync.replicas of the topic is 2"
        );
        assert_eq!(describe_shortage(&topic, 1), None);
    }

    #[test]
    fn a_cluster_that_cannot_be_reached_is_named_with_its_cause() {
        let failure = refused(&Properties::new("127.0.0.1:1"));
        assert!(failure.to_string().starts_with("connection refused at 127.0.0.1:1"), "{failure}");
    }
}
