//! Three brokers of one test's own: each topic has three copies, and a record is acknowledged once
//! two have it.

use super::Kafka;
use super::server::{OwnKafka, Ports};

pub struct OwnCluster {
    brokers: [OwnKafka; 3],
}

impl OwnCluster {
    pub(super) fn at_free_ports() -> Self {
        Self { brokers: Ports::of_three().map(OwnKafka::at) }
    }

    /// Starts all of them: none serves before a second one is there.
    pub fn start(&mut self) -> Kafka {
        std::thread::scope(|scope| {
            for broker in &mut self.brokers {
                scope.spawn(|| broker.start());
            }
        });
        let addresses: Vec<String> = self.brokers.iter().map(OwnKafka::brokers).collect();
        Kafka { brokers: addresses.join(",") }
    }

    /// One of them, by its number from 0.
    pub fn broker(&mut self, number: usize) -> &mut OwnKafka {
        &mut self.brokers[number]
    }
}
