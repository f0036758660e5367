//! The stack as one value: started whole or not at all, stopped in order — first no new requests,
//! then the outbox, then the broker.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::api;
use super::broker::{EmbeddedBroker, reachable};
use super::publisher::{MissingTopics, Publisher, Publishing};
use super::report::ServeReporter;
use super::store::Store;
use super::{ServeError, Spoken};
use crate::base::{Clock, IdSource};
use crate::kafka::Properties;

/// How long open requests and the outbox may take when the stack stops.
const DRAIN: Duration = Duration::from_secs(5);

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct StackOptions {
    pub data_dir: PathBuf,
    pub spoken: Spoken,
    /// A name or an address to listen on.
    pub host: String,
    /// 0 takes a free port.
    pub port: u16,
    /// 0 takes a free port.
    pub broker_port: u16,
    /// The name under which clients reach this machine, where it is not the address that is
    /// listened on.
    pub advertised: Option<String>,
    /// Topics that are made beside those of the service.
    pub topics: Vec<String>,
    /// Partitions of each topic that is made.
    pub partitions: i32,
    /// A real Kafka to publish to, in place of the embedded broker.
    pub kafka: Option<Properties>,
    pub clock: Clock,
    pub ids: IdSource,
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    api: SocketAddr,
    advertised: Option<String>,
    brokers: String,
    publisher: Publisher,
    server: JoinHandle<std::io::Result<()>>,
    stop: Option<oneshot::Sender<()>>,
    // Last: whoever drains into it is gone before it goes.
    _broker: Option<EmbeddedBroker>,
}

impl Stack {
    /// Starts everything; when this returns, both addresses answer.
    ///
    /// # Errors
    /// A port is in use, the data folder cannot be used or is used by another server.
    pub async fn start(
        options: StackOptions,
        reporter: Arc<dyn ServeReporter>,
    ) -> Result<Self, ServeError> {
        let api_listener = listen("API", &options.host, options.port).await?;
        let broker_listener = match options.kafka {
            Some(_) => None,
            None => Some(listen("Kafka broker", &options.host, options.broker_port).await?),
        };
        let data_dir = options.data_dir.clone();
        let store = tokio::task::spawn_blocking(move || Store::open(&data_dir))
            .await
            .map_err(|error| ServeError::Runtime(std::io::Error::other(error)))??;
        let mut broker = None;
        let partitions = options.partitions;
        let mut names = options.spoken.topics();
        names.extend(options.topics);
        let (properties, missing) = match broker_listener {
            None => {
                let properties = options.kafka.unwrap_or_else(|| Properties::new(""));
                (properties, Some(MissingTopics { names, partitions }))
            }
            Some(listener) => {
                let embedded = EmbeddedBroker::start(
                    listener,
                    options.advertised.as_deref(),
                    &names,
                    partitions,
                    Arc::clone(&reporter),
                )?;
                restore_history(&store, &options.data_dir).await?;
                let properties = Properties::new(&embedded.address().to_string());
                broker = Some(embedded);
                (properties, None)
            }
        };
        let brokers = match (&broker, &options.advertised) {
            (Some(embedded), Some(name)) => host_and_port(name, embedded.address().port()),
            _ => properties.brokers().to_owned(),
        };
        let publishing = Publishing {
            store: store.clone(),
            properties,
            missing,
            reporter: Arc::clone(&reporter),
            clock: options.clock.clone(),
        };
        let publisher = Publisher::start(publishing, Handle::current()).await?;
        let app = Arc::new(api::Parts {
            store,
            spoken: options.spoken,
            clock: options.clock,
            ids: options.ids,
            publisher: publisher.status(),
            reporter,
        });
        let api = api_listener.local_addr().map_err(ServeError::Runtime)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(api::Entrance(api_listener), api::router(app))
            .with_graceful_shutdown(async {
                // A sender that is gone asks for the same.
                let _ = stopped.await;
            });
        let server = tokio::spawn(async move { serving.await });
        Ok(Self {
            api,
            advertised: options.advertised,
            brokers,
            publisher,
            server,
            stop: Some(stop),
            _broker: broker,
        })
    }

    /// Base address of the API.
    #[must_use]
    pub fn api_url(&self) -> String {
        match &self.advertised {
            Some(name) => format!("http://{}", host_and_port(name, self.api.port())),
            None => format!("http://{}", reachable(self.api)),
        }
    }

    /// Bootstrap servers that the events go to.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Stops in order. Requests that take longer than five seconds are cut off; events that are not
    /// out by then wait in the outbox for the next start.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // A server that ended by itself takes no message.
            let _ = stop.send(());
        }
        if tokio::time::timeout(DRAIN, &mut self.server).await.is_err() {
            self.server.abort();
        }
        self.publisher.drain(DRAIN).await;
    }
}

/// An IPv6 address stands in brackets before a port.
fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// The embedded broker forgot everything when its last process ended.
async fn restore_history(store: &Store, data_dir: &Path) -> Result<(), ServeError> {
    store.restore_history().await.map(drop).map_err(|error| ServeError::DataDir {
        path: data_dir.to_owned(),
        cause: std::io::Error::other(error),
    })
}

async fn listen(what: &'static str, host: &str, port: u16) -> Result<TcpListener, ServeError> {
    let address = host_and_port(host, port);
    TcpListener::bind(&address).await.map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse | ErrorKind::PermissionDenied => {
            ServeError::PortInUse { what, address, cause }
        }
        _ => ServeError::Host { host: host.to_owned(), cause },
    })
}
