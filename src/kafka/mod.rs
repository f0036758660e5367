//! Client of Kafka: what every client is configured with, a producer whose acknowledgement is a
//! value, a reader without a group, a member of a group, questions about topics, and why it does
//! not work. The only room for `rdkafka`; all unsafe code stands in `native`.

mod acknowledgement;
pub mod admin;
mod client;
mod consumer;
pub mod diagnosis;
mod error;
mod group;
mod hints;
mod ledger;
pub mod native;
mod offsets;
mod probe;
mod producer;
mod properties;
mod rebalance;
mod record;
mod resolve;
mod returned;
mod session;
mod topic;
pub mod wire;

pub use acknowledgement::Acknowledgement;
pub use consumer::{Delivery, GroupConsumer, GroupStart, Polled};
pub use diagnosis::{Findings, Verdict};
pub use error::KafkaError;
pub use group::{GroupFacts, GroupSession};
pub use hints::{certificate_hint, mechanism_hint};
pub use ledger::{Done, Ticket};
pub use native::reader::{Batch, Headers, Reader};
pub use offsets::{Bounds, Edge};
pub use producer::{Durability, Enqueued, Outgoing, Producer};
pub use properties::{LibraryListener, Properties};
pub use record::{
    Entry, Fault, OwnedHeader, OwnedRecord, ReadFault, Record, TimestampType, TopicId,
};
pub use returned::{HeaderList, Returned};
pub use session::{FIRST_ANSWER, Fetching, Session};
pub use topic::{Cluster, PartitionFacts, TopicFacts, TopicPartition};
