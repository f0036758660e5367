//! Client of Kafka: what every client is configured with, a producer whose acknowledgement is a
//! value, a reader without a group, questions about topics, and why it does not work. The only room
//! for `rdkafka`; all unsafe code stands in `native`.

mod acknowledgement;
pub mod admin;
pub mod diagnosis;
mod error;
pub mod native;
mod probe;
mod producer;
mod properties;
mod session;
mod topic;

pub use acknowledgement::Acknowledgement;
pub use diagnosis::{Findings, Verdict};
pub use error::KafkaError;
pub use native::reader::{Batch, Entry, Headers, ReadFault, Reader, Record, TimestampType};
pub use producer::{Durability, Enqueued, Outgoing, Producer};
pub use properties::Properties;
pub use session::{Bounds, Session};
pub use topic::{Cluster, PartitionFacts, TopicFacts, TopicPartition};
