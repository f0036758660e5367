//! Kafka's protocol as far as a doctor needs it, spoken by ourselves: one address is approached step
//! by step, and each step says how long it took and what stood in the way. librdkafka tells neither,
//! and gives several faults the same words. Nothing that is asked changes anything.

mod approach;
mod line;
mod login;
mod message;
mod question;
mod security;

pub(super) use approach::find_certificate_fault;
pub use approach::{Approach, Approacher, Arrived, Endpoint, Obstacle, Rung, Visit};
pub use line::{Broken, Connection};
pub use question::{
    Advertised, ClusterView, GroupState, PartitionState, Rights, TopicState, Versions,
};
pub use security::BadProperty;
pub(super) use security::{check_credentials, check_files, check_mechanism, check_security};
