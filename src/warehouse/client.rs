//! The client: one address, one transport, and the way from a reply to a value.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::dialect::DialectCache;
use super::pace::Pace;
use super::refusal::words;
use super::transport::{Call, Reply, RequestListener, TlsFault, Transport};
use super::{ApiAddress, WarehouseError};
use crate::base::redact::redact_address;
use crate::base::{Deadline, IdSource, Rate};
use crate::tls::{Authorities, AuthoritiesError};

/// Bytes that the largest list of models may have.
pub(super) const LARGEST_REPLY: usize = 256 * 1024 * 1024;
/// Redirects that are followed, all of them at the same origin.
const MOST_REDIRECTS: usize = 3;

/// How long a question may stay without an answer before it is asked whether anything there speaks
/// HTTP at all.
const DOUBT: Duration = Duration::from_secs(5);
/// How long that second question may stay without an answer: the service knows it by heart.
const SECOND_QUESTION: Duration = Duration::from_secs(5);

/// How to reach the API.
#[derive(Clone, PartialEq, Eq)]
pub enum Route {
    Direct,
    Proxied {
        /// With user and password. Never shown.
        url: String,
        /// The address without them, and the variable that names it.
        shown: String,
    },
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("Direct"),
            Self::Proxied { shown, .. } => f.debug_tuple("Proxied").field(shown).finish(),
        }
    }
}

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Options {
    pub address: ApiAddress,
    pub route: Route,
    /// The only authorities whose signatures are trusted; `None` trusts those of the system.
    pub authorities: Option<Authorities>,
    /// Where the dialects of known addresses are kept; `None` keeps them nowhere.
    pub cache_dir: Option<PathBuf>,
    /// The source of multipart boundaries.
    pub ids: IdSource,
    /// Who is told of each request.
    pub listener: Option<Arc<dyn RequestListener>>,
}

/// A client of one warehouse.
pub struct Warehouse {
    address: ApiAddress,
    pub(super) transport: Transport,
    pub(super) cache: DialectCache,
    pub(super) ids: IdSource,
    pub(super) pace: Option<Arc<Pace>>,
}

impl fmt::Debug for Warehouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warehouse").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A value and the text it was read from: the text is what is shown to programs.
#[derive(Clone, Debug)]
pub struct Received<T> {
    pub value: T,
    pub text: Box<RawValue>,
}

impl Warehouse {
    /// Makes the client; nothing is connected yet.
    ///
    /// # Errors
    /// The authorities cannot be read.
    pub fn new(options: Options) -> Result<Self, AuthoritiesError> {
        let agent = concat!("dwctl/", env!("CARGO_PKG_VERSION"));
        let (address, route, listener) = (options.address, options.route, options.listener);
        let trusted = options.authorities.as_ref().map(Authorities::read).transpose()?;
        Ok(Self {
            transport: Transport::new(address.clone(), agent, route, trusted, listener),
            cache: DialectCache::new(options.cache_dir),
            address,
            ids: options.ids,
            pace: None,
        })
    }

    /// The same client with all its uploads and downloads together at no more than a rate.
    #[must_use]
    pub fn limited_to(self, rate: Option<Rate>) -> Self {
        Self { pace: rate.map(|rate| Arc::new(Pace::new(rate))), ..self }
    }

    #[must_use]
    pub fn address(&self) -> &ApiAddress {
        &self.address
    }

    /// The proxy on the way, without user and password, and the variable that names it.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.transport.proxy()
    }

    /// What the server's clock says now, to the second, where a reply has told.
    #[must_use]
    pub fn server_time(&self) -> Option<jiff::Timestamp> {
        self.transport.server_time()
    }

    /// Asks a question that changes nothing, following redirects at this origin.
    pub(super) async fn fetch(
        &self,
        mut path: String,
        action: &str,
        deadline: Deadline,
    ) -> Result<Reply, WarehouseError> {
        for _ in 0..=MOST_REDIRECTS {
            let reply = self.ask(path, action, deadline).await?;
            match self.redirect(&reply, action)? {
                None => return Ok(reply),
                Some(target) => path = target,
            }
        }
        Err(WarehouseError::Redirected {
            action: action.to_owned(),
            location: format!("{} again and again", self.address),
        })
    }

    /// Asks one question. A long list takes its time, and a port that is no HTTP server takes for
    /// ever: while no answer comes, a question that every server answers at once tells them apart.
    async fn ask(
        &self,
        path: String,
        action: &str,
        deadline: Deadline,
    ) -> Result<Reply, WarehouseError> {
        tokio::select! {
            reply = self.transport.call(Call::get(path), action, None, deadline) => reply,
            () = self.is_silent(deadline) => Err(WarehouseError::Silent {
                address: self.address.to_string(),
                seconds: (DOUBT + SECOND_QUESTION).as_secs(),
            }),
        }
    }

    /// Resolves when nothing comes back even to a question that costs nothing; never, when anything
    /// does.
    async fn is_silent(&self, deadline: Deadline) {
        tokio::time::sleep(DOUBT).await;
        let call = Call::get(self.address.path(&["openapi.json"]));
        let question = self.transport.call(call, "ask for a sign of life", None, deadline);
        if tokio::time::timeout(SECOND_QUESTION, question).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }

    /// The path that a reply redirects to, when it does.
    pub(super) fn redirect(
        &self,
        reply: &Reply,
        action: &str,
    ) -> Result<Option<String>, WarehouseError> {
        if !matches!(reply.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let location = reply
            .headers
            .get(hyper::header::LOCATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("nowhere");
        self.address.same_origin(location).map(Some).ok_or_else(|| WarehouseError::Redirected {
            action: action.to_owned(),
            // A login page's address holds tokens.
            location: redact_address(location),
        })
    }

    /// Reads a reply as a value; anything but success is an error in the server's words.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        reply: Reply,
        action: &str,
    ) -> Result<Received<T>, WarehouseError> {
        let text = self.succeed(reply, action).await?;
        let value = serde_json::from_str::<T>(&text).map_err(|error| {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            let shape = format!("JSON of another shape ({error})");
            self.nonsense(action, if is_json { &shape } else { "what is no JSON" }, &text)
        })?;
        // The text moves: the record of a large folder has many mebibytes.
        let text = RawValue::from_string(text)
            .map_err(|error| self.nonsense(action, &format!("what is no JSON ({error})"), ""))?;
        Ok(Received { value, text })
    }

    /// The text of a success.
    pub(super) async fn succeed(
        &self,
        reply: Reply,
        action: &str,
    ) -> Result<String, WarehouseError> {
        let status = reply.status;
        if status.is_success() {
            return reply.text(LARGEST_REPLY).await;
        }
        let retry_after = reply.retry_after();
        let proxy = reply.proxy().map(str::to_owned);
        let text = reply.excerpt().await;
        if status == 400 && !self.address.is_tls() && wants_https(&text) {
            let address = self.address.to_string();
            return Err(WarehouseError::Tls { address, fault: TlsFault::WantsTls });
        }
        let error = WarehouseError::refused(action, status.as_u16(), words(&text), retry_after);
        Err(error.through(proxy))
    }
}

/// Whether a server with TLS says in words that it was spoken to without: those of nginx, Apache and
/// servers in Go.
fn wants_https(text: &str) -> bool {
    ["to HTTPS port", "to an HTTPS server", "plain HTTP to an SSL"].iter().any(|s| text.contains(s))
}
