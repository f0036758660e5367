//! The embedded broker: librdkafka's mock cluster behind a front with a fixed port.

mod filling;
mod frame;
mod front;
mod produce;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{ServeError, ServeReporter};
use crate::kafka::native::mock::MockBroker;
use filling::Filling;

pub use crate::kafka::native::mock::RETENTION;

/// A broker that serves on its front's address until it is dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    // Before the broker: the front outlives a refused upstream, not the other way round.
    front: JoinHandle<()>,
    _broker: MockBroker,
}

impl EmbeddedBroker {
    /// Starts broker and front and makes the topics. One that is named twice is made once. The
    /// reporter hears of partitions that are nearly full.
    ///
    /// # Errors
    /// The broker cannot be started.
    pub fn start(
        listener: TcpListener,
        advertised: Option<&str>,
        topics: &[String],
        partitions: i32,
        reporter: Arc<dyn ServeReporter>,
    ) -> Result<Self, ServeError> {
        let address = listener.local_addr().map_err(ServeError::Runtime)?;
        let broker = MockBroker::start()?;
        let reachable = reachable(address);
        let host = advertised.map_or_else(|| reachable.ip().to_string(), str::to_owned);
        broker.advertise(&host, address.port())?;
        for (index, topic) in topics.iter().enumerate() {
            if !topics[..index].contains(topic) {
                broker.create_topic(topic, partitions)?;
            }
        }
        let front =
            tokio::spawn(front::run(listener, broker.address(), Arc::new(Filling::new(reporter))));
        Ok(Self { address: reachable, front, _broker: broker })
    }

    /// `HOST:PORT` for clients.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An address that can be connected to: one that stands for all of a machine's cannot.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.front.abort();
    }
}
