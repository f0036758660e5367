//! Requests over TLS and proxies, by `reqwest`. Its client is made on first use: reading the
//! system's certificates takes about ten milliseconds.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, OnceLock};

use hyper::StatusCode;
use hyper::header::HeaderMap;
use openssl::x509::X509;

use super::examine::{TlsFault, examine_tls, is_certificate_alert};
use super::plain::Failed;
use super::{CONNECT, Call, Incoming, Outgoing};
use crate::tls::without_codes;
use crate::warehouse::meter::Meter;
use crate::warehouse::refusal::Words;
use crate::warehouse::{ApiAddress, Route, WarehouseError};

/// The library's words for a proxy that wants a login before it connects.
const NO_LOGIN: &str = "proxy authorization required";
/// Its words for a proxy that answers `CONNECT` with another status than success.
const NO_TUNNEL: &str = "unsuccessful";

/// The library's client for one address.
pub(in crate::warehouse) struct Library {
    address: ApiAddress,
    agent: String,
    route: Route,
    /// The only authorities whose signatures are trusted; `None` trusts those of the system.
    trusted: Option<Vec<X509>>,
    client: OnceLock<reqwest::Client>,
}

impl Library {
    pub fn new(address: ApiAddress, agent: &str, route: Route, trusted: Option<Vec<X509>>) -> Self {
        Self { address, agent: agent.to_owned(), route, trusted, client: OnceLock::new() }
    }

    /// The proxy on the way, as it may be shown.
    pub fn proxy(&self) -> Option<&str> {
        match &self.route {
            Route::Direct => None,
            Route::Proxied { shown, .. } => Some(shown),
        }
    }

    pub fn address(&self) -> &ApiAddress {
        &self.address
    }

    fn client(&self) -> Result<&reqwest::Client, WarehouseError> {
        if self.client.get().is_none() {
            let client = self.make_client().map_err(WarehouseError::Client)?;
            // Somebody who was faster made the same.
            let _ = self.client.set(client);
        }
        self.client.get().ok_or_else(|| {
            WarehouseError::Client(io::Error::other("the client is not there").into())
        })
    }

    fn make_client(&self) -> Result<reqwest::Client, Failed> {
        // The environment is read in settings: the library must not read it again by other rules.
        let mut builder = reqwest::Client::builder().no_proxy();
        if let Route::Proxied { url, .. } = &self.route {
            builder = builder.proxy(reqwest::Proxy::all(url)?);
        }
        builder = builder
            .user_agent(&self.agent)
            .connect_timeout(CONNECT)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none());
        if let Some(trusted) = &self.trusted {
            let mut certificates = Vec::with_capacity(trusted.len());
            for authority in trusted {
                certificates.push(reqwest::Certificate::from_der(&authority.to_der()?)?);
            }
            builder = builder.tls_certs_only(certificates);
        }
        Ok(builder.build()?)
    }

    pub(super) async fn exchange(
        &self,
        mut call: Call,
        _: Option<&Arc<Meter>>,
    ) -> Result<(StatusCode, HeaderMap, Incoming), WarehouseError> {
        if let Outgoing::Upload(upload) = &mut call.body {
            upload.counts = true;
        }
        let mut request =
            self.client()?.request(call.method, format!("{}{}", self.address.origin(), call.path));
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if !matches!(call.body, Outgoing::Empty) {
            request = request.body(reqwest::Body::wrap(call.body));
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.failure(error).await),
        };
        let headers = std::mem::take(response.headers_mut());
        Ok((response.status(), headers, Incoming::Library(response)))
    }

    async fn failure(&self, error: reqwest::Error) -> WarehouseError {
        let address = self.address.to_string();
        let cause = innermost(&error);
        let proxy = self.proxy().map(str::to_owned);
        let is_of_tls = cause.contains("error:") || cause.contains("SSL");
        let never_began = error.is_connect() || error.is_timeout();
        if (never_began || is_of_tls) && self.address.is_tls() && proxy.is_none() {
            let (of, trusted) = (self.address.clone(), self.trusted.clone());
            let examining = move || examine_tls(&of, trusted.as_deref());
            // A thread that panicked has found nothing.
            let found = tokio::task::spawn_blocking(examining).await.ok().flatten();
            // A server that closes at once after its alert is not always understood a second time.
            let wants_certificate =
                || is_certificate_alert(&cause).then_some(TlsFault::WantsCertificate);
            if let Some(fault) = found.or_else(wants_certificate) {
                return WarehouseError::Tls { address, fault };
            }
        }
        if never_began {
            if proxy.is_some() && cause.contains(NO_LOGIN) {
                let words = Words::default();
                return WarehouseError::refused("reach the API", 407, words, None).through(proxy);
            }
            let reason = match &proxy {
                Some(_) if cause.contains(NO_TUNNEL) => {
                    format!("the proxy does not connect to {}", self.address.authority())
                }
                _ => without_codes(&cause),
            };
            return WarehouseError::Unreachable { address, reason, proxy };
        }
        let address = match proxy {
            Some(proxy) => format!("{address} through the proxy {proxy}"),
            None => address,
        };
        let cause = io::Error::other(without_codes(&cause)).into();
        WarehouseError::Lost { address, doing: "sending the request", cause }
    }
}

/// Returns the cause of a body that broke off, in plain words.
pub(super) fn plain_cause(error: &reqwest::Error) -> Failed {
    io::Error::other(without_codes(&innermost(error))).into()
}

/// The last cause of a chain: the library's own layers say nothing that helps.
fn innermost(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
