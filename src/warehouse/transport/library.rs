//! Requests over TLS and proxies, by `reqwest`. Its client is made on first use: reading the
//! system's certificates takes about ten milliseconds.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, OnceLock};

use hyper::StatusCode;
use hyper::header::HeaderMap;

use super::{CONNECT, Call, Incoming, Outgoing};
use crate::warehouse::meter::Meter;
use crate::warehouse::refusal::Words;
use crate::warehouse::{ApiAddress, Route, WarehouseError};

/// What OpenSSL says of an answer in plain text.
const NO_TLS: &str = "wrong version number";

/// The library's words for a proxy that wants a login before it connects.
const NO_LOGIN: &str = "proxy authorization required";
/// Its words for a proxy that answers `CONNECT` with another status than success.
const NO_TUNNEL: &str = "unsuccessful";

/// The library's client for one address.
pub(in crate::warehouse) struct Library {
    address: ApiAddress,
    agent: String,
    route: Route,
    client: OnceLock<reqwest::Client>,
}

impl Library {
    pub fn new(address: ApiAddress, agent: &str, route: Route) -> Self {
        Self { address, agent: agent.to_owned(), route, client: OnceLock::new() }
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
            // The environment is read in settings: the library must not read it again by other rules.
            let builder = reqwest::Client::builder().no_proxy();
            let builder = match &self.route {
                Route::Direct => builder,
                Route::Proxied { url, .. } => {
                    let proxy = reqwest::Proxy::all(url);
                    builder.proxy(proxy.map_err(|error| WarehouseError::Client(error.into()))?)
                }
            };
            let client = builder
                .user_agent(&self.agent)
                .connect_timeout(CONNECT)
                .http1_only()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .map_err(|error| WarehouseError::Client(error.into()))?;
            // Somebody who was faster made the same.
            let _ = self.client.set(client);
        }
        self.client.get().ok_or_else(|| {
            WarehouseError::Client(io::Error::other("the client is not there").into())
        })
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
        let mut response = request.send().await.map_err(|error| self.failure(error))?;
        let headers = std::mem::take(response.headers_mut());
        Ok((response.status(), headers, Incoming::Library(response)))
    }

    fn failure(&self, error: reqwest::Error) -> WarehouseError {
        let address = self.address.to_string();
        if error.is_connect() || error.is_timeout() {
            let cause = innermost(&error);
            let proxy = self.proxy().map(str::to_owned);
            if proxy.is_some() && cause.contains(NO_LOGIN) {
                let words = Words::default();
                return WarehouseError::refused("reach the API", 407, words, None).through(proxy);
            }
            let reason = match &proxy {
                None if cause.contains(NO_TLS) => {
                    format!("it speaks no TLS: is it http://? ({cause})")
                }
                Some(_) if cause.contains(NO_TUNNEL) => {
                    format!("the proxy does not connect to {}", self.address.authority())
                }
                _ => cause,
            };
            return WarehouseError::Unreachable { address, reason, proxy };
        }
        let address = match self.proxy() {
            Some(proxy) => format!("{address} through the proxy {proxy}"),
            None => address,
        };
        WarehouseError::Lost { address, doing: "sending the request", cause: error.into() }
    }
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
