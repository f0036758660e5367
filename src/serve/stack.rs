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

use super::api::{self, AccessPolicy, Client, Entrance, client_capacity};
use super::broker::{EmbeddedBroker, reachable};
use super::publisher::{MissingTopics, Publisher, Publishing};
use super::report::ServeReporter;
use super::store::{SetAside, Store, StoreError};
use super::{AllowedOrigin, ServeError, Spoken};
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
    /// Origins whose pages may use the API.
    pub origins: Vec<AllowedOrigin>,
    /// How long a client may leave its part of a request undone.
    pub patience: Duration,
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
    store: Store,
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
        let (data_dir, now) = (options.data_dir.clone(), options.clock.now());
        let (store, set_aside) = tokio::task::spawn_blocking(move || Store::open(&data_dir, now))
            .await
            .map_err(|error| ServeError::Runtime(std::io::Error::other(error)))??;
        if let Some(set_aside) = set_aside {
            reporter.trouble(&describe_set_aside(&set_aside));
        }
        let (mut broker, mut restored) = (None, Vec::new());
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
                restored = restore_history(&store, &options.data_dir, reporter.as_ref()).await?;
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
            restored: restored.into_iter().collect(),
            reporter: Arc::clone(&reporter),
            clock: options.clock.clone(),
        };
        let publisher = Publisher::start(publishing, Handle::current()).await?;
        let api = api_listener.local_addr().map_err(ServeError::Runtime)?;
        let hosts = [Some(options.host.as_str()), options.advertised.as_deref()];
        let app = Arc::new(api::Parts {
            store: store.clone(),
            spoken: options.spoken,
            clock: options.clock,
            ids: options.ids,
            publisher: publisher.status(),
            reporter,
            access: AccessPolicy::new(hosts.into_iter().flatten(), api.ip(), options.origins),
            patience: options.patience,
        });
        let entrance = Entrance::new(api_listener, client_capacity(), options.patience);
        let service = api::router(app).into_make_service_with_connect_info::<Client>();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(entrance, service).with_graceful_shutdown(async {
            // A sender that is gone asks for the same.
            let _ = stopped.await;
        });
        let server = tokio::spawn(async move { serving.await });
        Ok(Self {
            api,
            advertised: options.advertised,
            brokers,
            publisher,
            store,
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
        self.store.close().await;
    }
}

/// An IPv6 address stands in brackets before a port.
fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn describe_set_aside(set_aside: &SetAside) -> String {
    let SetAside { folder, files, bytes } = set_aside;
    let (noun, verb) = if *files == 1 { ("file", "is") } else { ("files", "are") };
    format!(
        "{files} {noun} ({bytes} bytes) that no record names {verb} set aside in {}; remove the folder if nothing is missing",
        folder.display()
    )
}

/// The embedded broker forgot everything when its last process ended.
async fn restore_history(
    store: &Store,
    data_dir: &Path,
    reporter: &dyn ServeReporter,
) -> Result<Vec<i64>, ServeError> {
    match store.restore_history().await {
        Ok(ids) => {
            let noun = if ids.len() == 1 { "event" } else { "events" };
            if !ids.is_empty() {
                reporter.notice(&format!("putting {} {noun} of earlier runs back", ids.len()));
            }
            Ok(ids)
        }
        // The server starts all the same: something can be deleted.
        Err(error @ StoreError::Full { .. }) => {
            reporter.trouble(&format!("events of earlier runs cannot be put back: {error}"));
            Ok(Vec::new())
        }
        Err(error) => Err(ServeError::DataDir {
            path: data_dir.to_owned(),
            cause: std::io::Error::other(error),
        }),
    }
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
