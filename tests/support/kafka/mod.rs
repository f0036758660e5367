//! A real Apache Kafka. One broker is shared by every test that asks for one, whichever process it
//! runs in, and ends with the last of them; tests that harm a broker get their own. Topics are what
//! keeps tests apart: each makes its own, under a name that no other can have.

mod cluster;
mod guard;
mod jars;
mod lease;
mod server;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use dwctl::base::Deadline;
use dwctl::kafka::admin::TopicSpec;
use dwctl::kafka::{Properties, admin};

use super::PATIENCE;
use super::skip::skip;

pub use self::cluster::OwnCluster;
pub use self::server::OwnKafka;

/// A name that no other test of any run has, for a topic, a user or a group.
pub fn unused_name(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{what}-{}-{count}", std::process::id())
}

const REQUIRED: &str = "DWCTL_REQUIRE_KAFKA";

/// A broker that serves.
#[derive(Clone, Debug)]
pub struct Kafka {
    pub brokers: String,
}

impl Kafka {
    /// The broker that all tests share. Where it cannot run, the test is skipped, by name.
    #[track_caller]
    pub fn shared() -> Option<Self> {
        static SHARED: OnceLock<Result<lease::Lease, String>> = OnceLock::new();
        match SHARED.get_or_init(lease::take) {
            Ok(lease) => Some(Self { brokers: lease.brokers().to_owned() }),
            Err(reason) => {
                skip(REQUIRED, reason);
                None
            }
        }
    }

    /// Makes a topic under such a name.
    pub fn topic(&self, what: &str, partitions: i32) -> String {
        let name = unused_name(what);
        self.make(&name, partitions);
        name
    }

    /// Makes a topic of this very name, on a broker of the test's own.
    pub fn make(&self, name: &str, partitions: i32) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (properties, names) = (self.properties(), [name.to_owned()]);
        let making =
            admin::create_topics(&properties, &names, partitions, Deadline::after(PATIENCE));
        assert_eq!(runtime.block_on(making).unwrap(), names);
    }

    /// Makes a topic of one partition with settings of its own.
    pub fn topic_with(&self, what: &str, settings: &[(&str, &str)]) -> String {
        let name = unused_name(what);
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let spec =
            TopicSpec { settings: settings.iter().map(owned).collect(), ..TopicSpec::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (properties, names) = (self.properties(), [name.clone()]);
        let making = admin::create_topics_as(&properties, &names, &spec, Deadline::after(PATIENCE));
        assert_eq!(runtime.block_on(making).unwrap(), names);
        name
    }

    pub fn properties(&self) -> Properties {
        Properties::new(&self.brokers)
    }
}

impl OwnKafka {
    /// A broker that is not there yet, at an address that is already known; `None` where none could
    /// ever be.
    #[track_caller]
    pub fn planned() -> Option<Self> {
        can_run().then(Self::at_free_ports)
    }
}

impl OwnCluster {
    /// Three brokers that are not started yet. Where they cannot run, the test is skipped, by name.
    #[track_caller]
    pub fn planned() -> Option<Self> {
        can_run().then(Self::at_free_ports)
    }
}

#[track_caller]
fn can_run() -> bool {
    match jars::folder() {
        Ok(_) => true,
        Err(reason) => {
            skip(REQUIRED, &reason);
            false
        }
    }
}
