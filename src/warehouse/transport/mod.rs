//! One request and its reply, over one of two ways: a connection of our own for plain `http://`,
//! which starts in a millisecond and counts the bytes that the kernel accepted, or `reqwest` for TLS
//! and proxies. Neither follows redirects or gives up by a total time: a wait ends at the command's
//! deadline, or when nothing has moved for [`STALL`].

mod body;
mod date;
mod library;
mod plain;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

pub(super) use body::{Outgoing, Source, Upload};

use super::error::{READING, TAKING, WORKING};
use super::meter::{Meter, Phase};
use super::{ApiAddress, Route, WarehouseError};
use crate::base::Deadline;
use library::Library;
use plain::Plain;

/// How long a connection may take to come about.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// How long nothing may move while bytes are sent or received.
const STALL: Duration = Duration::from_secs(60);
/// How long the server may work on a request that it has whole. Unpacking and storing a folder of
/// many gibibytes takes minutes.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How often movement is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A request.
pub(super) struct Call {
    pub method: Method,
    /// Path and query as they stand in the request's first line.
    pub path: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Outgoing,
    /// Says that a request which got no reply may simply be made again.
    pub repeatable: bool,
}

impl Call {
    pub fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            headers: Vec::new(),
            body: Outgoing::Empty,
            repeatable: true,
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
}

/// The two ways.
enum Way {
    Plain(Plain),
    Library(Box<Library>),
}

impl Transport {
    pub fn new(
        address: ApiAddress,
        agent: &str,
        route: Route,
        listener: Option<Arc<dyn RequestListener>>,
    ) -> Self {
        let way = if address.is_tls() || route != Route::Direct {
            Way::Library(Box::new(Library::new(address, agent, route)))
        } else {
            Way::Plain(Plain::new(address, agent))
        };
        Self { way, listener, date: Mutex::default() }
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
        let address = self.peer();
        let (method, url) =
            (call.method.clone(), format!("{}{}", self.address().origin(), call.path));
        let begun = Instant::now();
        let exchange = async {
            match &self.way {
                Way::Plain(plain) => plain.exchange(call, meter).await,
                Way::Library(library) => library.exchange(call, meter).await,
            }
        };
        let answer = tokio::select! {
            answer = exchange => answer,
            error = watch(&address, action, meter, deadline) => Err(error),
        };
        if let Some(listener) = &self.listener {
            let status = answer.as_ref().ok().map(|(status, ..)| status.as_u16());
            listener.request(method.as_str(), &url, status, begun.elapsed());
        }
        let (status, headers, body) = answer?;
        if let Some(date) = headers.get(hyper::header::DATE) {
            let heard = Some((date.clone(), Instant::now()));
            *self.date.lock().unwrap_or_else(PoisonError::into_inner) = heard;
        }
        Ok(Reply { status, headers, body, address, proxy: self.proxy().map(str::to_owned) })
    }
}

/// Resolves when a request has waited too long, with the words for it.
async fn watch(
    address: &str,
    action: &str,
    meter: Option<&Arc<Meter>>,
    deadline: Deadline,
) -> WarehouseError {
    let late = || match meter.map(|meter| meter.phase()) {
        Some(Phase::Waiting) => {
            WarehouseError::Unanswered { action: action.to_owned(), address: address.to_owned() }
        }
        _ => WarehouseError::Deadline { action: action.to_owned(), address: address.to_owned() },
    };
    let mut seen = None;
    let mut since = tokio::time::Instant::now();
    loop {
        if deadline.has_passed() {
            return late();
        }
        tokio::time::sleep(deadline.slice(LOOK)).await;
        let state = meter.map(|meter| (meter.phase(), meter.movement()));
        if state != seen {
            seen = state;
            since = tokio::time::Instant::now();
        }
        let (doing, limit) = match state {
            Some((Phase::Waiting, _)) => (WORKING, PATIENCE),
            Some((Phase::Sending, _)) => (TAKING, STALL),
            None => ("answering", STALL),
        };
        if since.elapsed() >= limit {
            let seconds = limit.as_secs();
            return WarehouseError::Stalled { address: address.to_owned(), doing, seconds };
        }
    }
}

/// A reply whose body has not been read.
pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    address: String,
    proxy: Option<String>,
}

/// The body of a reply on its way in.
enum Incoming {
    Plain(plain::Receiving),
    Library(reqwest::Response),
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

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection is lost or cut off, nothing comes for [`STALL`], or the deadline passes.
    pub async fn chunk(
        &mut self,
        action: &str,
        deadline: Deadline,
    ) -> Result<Option<Bytes>, WarehouseError> {
        let address = self.address.clone();
        let next = async {
            match &mut self.body {
                Incoming::Plain(receiving) => receiving.chunk().await,
                Incoming::Library(response) => response.chunk().await.map_err(Into::into),
            }
        };
        let limit = deadline.within(STALL);
        match tokio::time::timeout(limit.slice(STALL), next).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(cause)) => Err(WarehouseError::Lost { address, doing: READING, cause }),
            Err(_) if deadline.has_passed() => Err(self.late(action)),
            Err(_) => {
                Err(WarehouseError::Stalled { address, doing: READING, seconds: STALL.as_secs() })
            }
        }
    }

    /// The whole body as text, at most `limit` bytes of it.
    ///
    /// # Errors
    /// As [`Reply::chunk`], or the body is larger or no UTF-8.
    pub async fn text(
        mut self,
        action: &str,
        limit: usize,
        deadline: Deadline,
    ) -> Result<String, WarehouseError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk(action, deadline).await? {
            if bytes.len() + chunk.len() > limit {
                return Err(self.nonsense(action, &format!("more than {limit} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| self.nonsense(action, "bytes that are no text"))
    }

    /// The error of a deadline that passes while the body comes.
    pub fn late(&self, action: &str) -> WarehouseError {
        WarehouseError::Deadline { action: action.to_owned(), address: self.address.clone() }
    }

    /// The error of a body that cannot be right.
    pub fn nonsense(&self, action: &str, what: &str) -> WarehouseError {
        WarehouseError::Nonsense {
            action: action.to_owned(),
            address: self.address.clone(),
            what: format!("{} with {what}", self.status.as_u16()),
            line: String::new(),
        }
    }
}
