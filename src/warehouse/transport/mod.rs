//! One request and its reply, over one of two ways: a connection of our own for plain `http://`,
//! which starts in a millisecond and counts the bytes that the kernel accepted, or `reqwest` for TLS
//! and proxies. Neither follows redirects. Every wait for the server is made by [`ServerWait`]: it
//! ends at the command's deadline, when nothing has moved for [`STALL`], and, for a body that is read
//! as a document, after [`DOCUMENT`].

mod body;
mod date;
mod examine;
mod library;
mod plain;
mod wait;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use openssl::x509::X509;

pub(super) use body::{Outgoing, Source, Upload};
pub use examine::TlsFault;

use super::meter::Meter;
use super::{ApiAddress, Route, WarehouseError};
use crate::base::Deadline;
use library::Library;
use plain::Plain;
pub(super) use wait::Limits;
use wait::ServerWait;

/// How long a connection may take to come about.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// Maximum bytes of a refusal's body that are read.
const EXCERPT: usize = 1024 * 1024;

/// A request.
pub(super) struct Call {
    pub method: Method,
    /// Path and query as they stand in the request's first line.
    pub path: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Outgoing,
    /// Says that a request which got no reply may simply be made again.
    pub repeatable: bool,
    /// Maximum time for the server's work after the last byte; `None` leaves [`Limits::work`].
    pub answer_within: Option<Duration>,
}

impl Call {
    pub fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            headers: Vec::new(),
            body: Outgoing::Empty,
            repeatable: true,
            answer_within: None,
        }
    }

    pub fn with_json(method: Method, path: String, body: Bytes) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self {
            method,
            path,
            headers: vec![(hyper::header::CONTENT_TYPE, json)],
            body: Outgoing::Bytes(Some(body)),
            repeatable: false,
            answer_within: None,
        }
    }
}

/// Hears of each request when the head of its reply is there, or nothing will come.
pub trait RequestListener: std::fmt::Debug + Send + Sync {
    /// `status` is `None` where the request failed: the error tells that by itself.
    fn request(&self, method: &str, url: &str, status: Option<u16>, took: Duration);
}

/// The way to one address, and who hears of what goes there.
pub(super) struct Transport {
    way: Way,
    listener: Option<Arc<dyn RequestListener>>,
    /// The `Date` of the last reply that had one, and when it came.
    date: Mutex<Option<(HeaderValue, Instant)>>,
    limits: Limits,
}

/// The two ways.
enum Way {
    Plain(Plain),
    Library(Box<Library>),
}

impl Transport {
    /// `trusted` are the only authorities that are trusted, if not those of the system.
    pub fn new(
        address: ApiAddress,
        agent: &str,
        route: Route,
        trusted: Option<Vec<X509>>,
        listener: Option<Arc<dyn RequestListener>>,
    ) -> Self {
        let way = if address.is_tls() || route != Route::Direct {
            Way::Library(Box::new(Library::new(address, agent, route, trusted)))
        } else {
            Way::Plain(Plain::new(address, agent))
        };
        Self { way, listener, date: Mutex::default(), limits: Limits::default() }
    }

    fn address(&self) -> &ApiAddress {
        match &self.way {
            Way::Plain(plain) => plain.address(),
            Way::Library(library) => library.address(),
        }
    }

    /// The proxy on the way, as it may be shown.
    pub fn proxy(&self) -> Option<&str> {
        match &self.way {
            Way::Plain(_) => None,
            Way::Library(library) => library.proxy(),
        }
    }

    /// Who answers, as errors name it: the API, and the proxy on the way.
    pub fn peer(&self) -> String {
        match self.proxy() {
            Some(proxy) => format!("{} through the proxy {proxy}", self.address()),
            None => self.address().to_string(),
        }
    }

    /// What the server's clock says now, to the second, by its last reply.
    pub fn server_time(&self) -> Option<jiff::Timestamp> {
        let heard = self.date.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (date, at) = heard?;
        date::parse(date.to_str().ok()?)?.checked_add(at.elapsed()).ok()
    }

    /// Sends a request and waits for the head of its reply. A reply that comes before the body is
    /// out ends the sending: whoever drops it drops the connection.
    ///
    /// # Errors
    /// The API cannot be reached, the connection is lost, nothing moves, or the deadline passes.
    pub async fn call(
        &self,
        call: Call,
        action: &str,
        meter: Option<&Arc<Meter>>,
        deadline: Deadline,
    ) -> Result<Reply, WarehouseError> {
        let wait = ServerWait::new(self.peer(), action, deadline, self.limits)
            .answered_within(call.answer_within);
        let (method, url) =
            (call.method.clone(), format!("{}{}", self.address().origin(), call.path));
        let begun = Instant::now();
        let exchange = async {
            match &self.way {
                Way::Plain(plain) => plain.exchange(call, meter).await,
                Way::Library(library) => library.exchange(call, meter).await,
            }
        };
        let answer = wait.for_head(exchange, meter).await;
        if let Some(listener) = &self.listener {
            let status = answer.as_ref().ok().map(|(status, ..)| status.as_u16());
            listener.request(method.as_str(), &url, status, begun.elapsed());
        }
        let (status, headers, body) = answer?;
        if let Some(date) = headers.get(hyper::header::DATE) {
            let heard = Some((date.clone(), Instant::now()));
            *self.date.lock().unwrap_or_else(PoisonError::into_inner) = heard;
        }
        Ok(Reply { status, headers, body, wait, proxy: self.proxy().map(str::to_owned) })
    }
}

/// A reply whose body has not been read.
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    wait: ServerWait,
    proxy: Option<String>,
}

/// The body of a reply on its way in.
enum Incoming {
    Plain(plain::Receiving),
    Library(reqwest::Response),
}

impl Incoming {
    async fn chunk(&mut self) -> Result<Option<Bytes>, plain::Failed> {
        match self {
            Incoming::Plain(receiving) => receiving.chunk().await,
            Incoming::Library(response) => {
                response.chunk().await.map_err(|error| library::plain_cause(&error))
            }
        }
    }
}

impl Reply {
    /// The proxy that it came through, as it may be shown.
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// How long `Retry-After` asks to be left alone, in either of its forms: seconds, or a date,
    /// which is measured from the reply's own `Date`.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = |name| self.headers.get(name)?.to_str().ok().map(str::trim);
        let value = text(hyper::header::RETRY_AFTER)?;
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let now =
            text(hyper::header::DATE).and_then(date::parse).unwrap_or_else(jiff::Timestamp::now);
        // One that has passed asks for nothing.
        Some(Duration::try_from(date::parse(value)?.duration_since(now)).unwrap_or_default())
    }

    /// Bounds the whole body by [`Limits::document`] from now.
    pub fn into_document(mut self) -> Self {
        self.wait.begin_document();
        self
    }

    /// Returns what the server calls itself.
    pub fn server(&self) -> Option<String> {
        Some(self.headers.get(hyper::header::SERVER)?.to_str().ok()?.to_owned())
    }

    /// Returns the next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection is lost or cut off, nothing comes for [`Limits::stall`], a document takes too
    /// long, or the deadline passes.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, WarehouseError> {
        let chunk = self.wait.for_chunk(self.body.chunk()).await?;
        self.wait.count(chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }

    /// Returns the whole body as text, at most `limit` bytes of it.
    ///
    /// # Errors
    /// As [`Reply::chunk`], or the body is larger or is not UTF-8.
    pub async fn text(self, limit: usize) -> Result<String, WarehouseError> {
        let mut reply = self.into_document();
        let mut bytes = Vec::new();
        while let Some(chunk) = reply.chunk().await? {
            if bytes.len() + chunk.len() > limit {
                return Err(reply.nonsense(&format!("more than {limit} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| reply.nonsense("bytes that are no text"))
    }

    /// Returns the beginning of the body as text. What the status says holds whatever becomes of the
    /// body: one that is too long, too slow or cut off is taken as far as it came.
    pub async fn excerpt(mut self) -> String {
        self.wait.begin_excerpt();
        let mut bytes = Vec::new();
        while let Ok(Some(chunk)) = self.chunk().await {
            let room = EXCERPT - bytes.len();
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() >= room {
                break;
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for work on this reply until the deadline.
    ///
    /// # Errors
    /// The deadline passes first.
    pub async fn until_deadline<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, WarehouseError> {
        self.wait.for_work(work).await
    }

    /// Returns the error of a body that cannot be right.
    pub fn nonsense(&self, what: &str) -> WarehouseError {
        self.wait.nonsense(format!("{} with {what}", self.status.as_u16()))
    }
}
