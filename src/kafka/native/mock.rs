//! librdkafka's mock cluster as an embedded broker. The safe wrapper can neither advertise another
//! address nor shorten the first wait of a group; both need the cluster's handle.
//!
//! # Contract
//!
//! * The handle is the holder's: `rd_kafka_handle_mock_cluster` gives a pointer that lives as long
//!   as the client `holder`, which this type owns and never replaces.
//! * The functions called here lock inside the library: they may be called from any thread.
//!
//! Beyond it: admin requests, times, transactions, listing of groups, Java's clients, anything over
//! a restart. It keeps 5 MiB a partition and drops the oldest without a word.
#![expect(unsafe_code, reason = "the C interface of librdkafka; the contract stands above")]

use std::ffi::{CStr, CString};

use rdkafka::bindings as sys;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};

use crate::kafka::KafkaError;

/// The id of the only broker.
const BROKER: i32 = 1;

/// Bytes that the broker keeps of a partition before it drops the oldest (`rdkafka_mock.c`).
pub const RETENTION: u64 = 5 * 1024 * 1024;

/// A broker in this process, on a port of its own choice at 127.0.0.1.
pub struct MockBroker {
    holder: BaseProducer,
}

impl std::fmt::Debug for MockBroker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockBroker").field("address", &self.address()).finish()
    }
}

impl MockBroker {
    /// Starts the broker, in under a millisecond.
    ///
    /// # Errors
    /// The library cannot start it: no ports or no memory are left.
    pub fn start() -> Result<Self, KafkaError> {
        let holder: BaseProducer = ClientConfig::new()
            .set("test.mock.num.brokers", "1")
            .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg)
            .create()
            .map_err(|error| KafkaError::Config { reason: error.to_string() })?;
        let broker = Self { holder };
        // SAFETY: the cluster is the holder's, which lives.
        unsafe { sys::rd_kafka_mock_group_initial_rebalance_delay_ms(broker.cluster(), 0) };
        Ok(broker)
    }

    fn cluster(&self) -> *mut sys::rd_kafka_mock_cluster_t {
        // SAFETY: the client is live; `test.mock.num.brokers` gave it a cluster.
        unsafe { sys::rd_kafka_handle_mock_cluster(self.holder.client().native_ptr()) }
    }

    /// Where it listens: `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        // SAFETY: the text belongs to the cluster and ends with NUL.
        let text = unsafe { CStr::from_ptr(sys::rd_kafka_mock_cluster_bootstraps(self.cluster())) };
        text.to_string_lossy().into_owned()
    }

    /// Makes its metadata name another address: that of a front which forwards to it.
    ///
    /// # Errors
    /// The host holds a NUL.
    pub fn advertise(&self, host: &str, port: u16) -> Result<(), KafkaError> {
        let host =
            CString::new(host).map_err(|error| KafkaError::Config { reason: error.to_string() })?;
        // SAFETY: the cluster is live; the text is copied by the library.
        unsafe {
            sys::rd_kafka_mock_broker_set_host_port(
                self.cluster(),
                BROKER,
                host.as_ptr(),
                i32::from(port),
            );
        };
        Ok(())
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// The name cannot be one, or the topic is there.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), KafkaError> {
        let refused = |reason: String| KafkaError::refused(name, reason);
        let c_name = CString::new(name).map_err(|error| refused(error.to_string()))?;
        // SAFETY: the cluster is live; the name is copied by the library.
        let code = unsafe {
            sys::rd_kafka_mock_topic_create(self.cluster(), c_name.as_ptr(), partitions, 1)
        };
        match code.into() {
            rdkafka::error::RDKafkaErrorCode::NoError => Ok(()),
            code => Err(refused(crate::kafka::error::words(code))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Deadline;
    use crate::kafka::{Properties, Session};
    use std::time::Duration;

    #[test]
    fn the_advertised_address_is_the_one_that_was_set() {
        let broker = MockBroker::start().unwrap();
        broker.create_topic("t", 3).unwrap();
        broker.advertise("127.0.0.1", 4711).unwrap();
        let session = Session::open(&Properties::new(&broker.address())).unwrap();
        let cluster = session.cluster(Deadline::after(Duration::from_secs(20))).unwrap();
        assert_eq!(cluster.brokers, [(BROKER, "127.0.0.1:4711".to_owned())]);
        assert_eq!(cluster.topic("t").unwrap().partitions.len(), 3);
    }
}
