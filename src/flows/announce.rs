//! Putting an event on its topic and proving that it is there.

use crate::base::Deadline;
use crate::kafka::{
    Acknowledgement, Durability, KafkaError, Outgoing, Producer, Properties, Session,
};

/// An event ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub topic: String,
    pub key: String,
    /// JSON.
    pub value: String,
}

/// What may happen when the topic does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A name that somebody typed: a typing error must not become a topic.
    MustExist,
    /// A role's own topic: as the service's producer does, the broker may create it.
    MayBeCreated,
}

/// A producer that makes no topic, and takes the first word for it that there is none. A question of
/// its own beforehand would cost a second client: two connections more.
const AS_IT_IS: &[(&str, &str)] =
    &[("allow.auto.create.topics", "false"), ("topic.metadata.propagation.max.ms", "0")];

/// Sends one event; succeeds only with the acknowledgement of all in-sync replicas.
///
/// # Errors
/// The topic does not exist, the broker refused the record or did not acknowledge it before the
/// deadline, or the brokers cannot be used.
pub fn announce(
    properties: &Properties,
    announcement: &Announcement,
    topic: Topic,
    deadline: Deadline,
) -> Result<Acknowledgement, KafkaError> {
    let purpose = match topic {
        Topic::MustExist => AS_IT_IS,
        Topic::MayBeCreated => &[],
    };
    let mut producer = Producer::open_with(properties, Durability::Acknowledged, purpose)?;
    let record = Outgoing::new(
        &announcement.topic,
        Some(announcement.key.as_bytes()),
        announcement.value.as_bytes(),
    );
    producer.send(&record, deadline).map_err(|error| match (topic, error) {
        (Topic::MustExist, KafkaError::UnknownTopic { .. }) => {
            unknown(properties, &announcement.topic, deadline).unwrap_or_else(|error| error)
        }
        (_, error) => error,
    })
}

/// The error for a topic that does not exist, with what is near it.
fn unknown(
    properties: &Properties,
    topic: &str,
    deadline: Deadline,
) -> Result<KafkaError, KafkaError> {
    let session = Session::open(properties)?;
    let cluster = session.cluster(deadline)?;
    Ok(session.unknown_topic(topic, &cluster))
}
