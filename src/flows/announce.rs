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
    if topic == Topic::MustExist {
        let session = Session::open(properties, true)?;
        let cluster = session.cluster(deadline)?;
        if cluster.topic(&announcement.topic).is_none() {
            return Err(session.unknown_topic(&announcement.topic, &cluster));
        }
    }
    let mut producer = Producer::open(properties, Durability::Acknowledged)?;
    let record = Outgoing::new(
        &announcement.topic,
        Some(announcement.key.as_bytes()),
        announcement.value.as_bytes(),
    );
    producer.send(&record, deadline)
}
