//! Requests over TLS and proxies, by `reqwest`. Its client is made on first use: reading the
//! system's certificates takes about ten milliseconds.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, OnceLock};

use hyper::StatusCode;
use hyper::header::HeaderMap;

use super::{CONNECT, Call, Incoming, Outgoing};
use crate::warehouse::meter::Meter;
use crate::warehouse::{ApiAddress, WarehouseError};

/// What OpenSSL says of an answer in plain text.
const NO_TLS: &str = "wrong version number";

/// The library's client for one address.
pub(in crate::warehouse) struct Library {
    address: ApiAddress,
    agent: String,
    /// The proxy that the library will find in the environment.
    proxy: Option<String>,
    client: OnceLock<reqwest::Client>,
}

impl Library {
    pub fn new(address: ApiAddress, agent: &str, proxy: Option<String>) -> Self {
        Self { address, agent: agent.to_owned(), proxy, client: OnceLock::new() }
    }

    pub fn address(&self) -> &ApiAddress {
        &self.address
    }

    fn client(&self) -> Result<&reqwest::Client, WarehouseError> {
        if self.client.get().is_none() {
            let client = reqwest::Client::builder()
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
            let reason = match &self.proxy {
                Some(proxy) => format!("{cause}, on the way through the proxy {proxy}"),
                None if cause.contains(NO_TLS) => {
                    format!("it speaks no TLS: is it http://? ({cause})")
                }
                None => cause,
            };
            return WarehouseError::Unreachable { address, reason };
        }
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
