//! What can go wrong between here and the API, in words that name the address and the cause.

use std::io;
use std::time::Duration;

use super::meter::Phase;
use super::refusal::{FieldProblem, Words};
use super::transport::TlsFault;
use crate::base::duration::spoken;
use crate::base::redact::HIDDEN;
use crate::base::{Classify, Hint, Kind};

/// What a server does that has the whole request.
pub(super) const WORKING: &str = "working on the request";
/// What is done when the head of a reply is there.
pub(super) const READING: &str = "sending its reply";
/// What a server does that has not the whole request yet.
pub(super) const TAKING: &str = "taking the body";

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A call to the API that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    #[error("{text:?} is no address of an API: {reason}")]
    Address { text: String, reason: String },
    #[error("the field {name:?} cannot be sent: {reason}")]
    Field { name: String, reason: String },
    #[error("the file name {name:?} cannot be sent: {reason}")]
    FileName { name: String, reason: String },
    /// Nothing listens, no such name, no way there.
    #[error("failed to reach the API at {address}{}: {reason}", through(proxy))]
    Unreachable {
        address: String,
        reason: String,
        /// The proxy on the way, as it may be shown.
        proxy: Option<String>,
    },
    /// TLS with it does not come about, or is not spoken where it should be.
    #[error("failed to reach the API at {address}: {fault}")]
    Tls { address: String, fault: TlsFault },
    /// A connection that was there is gone.
    #[error("the connection to {address} was lost while {doing}")]
    Lost {
        address: String,
        doing: &'static str,
        #[source]
        cause: Cause,
    },
    #[error("{address} did nothing for {seconds} s while {doing}")]
    Stalled { address: String, doing: &'static str, seconds: u64 },
    /// Something listens and says nothing, or nothing that ends.
    #[error("{address} takes connections and did not answer within {seconds} s")]
    Silent { address: String, seconds: u64 },
    #[error("failed to {action} before the timeout, at {address}")]
    Deadline { action: String, address: String },
    /// The server has everything and does not say what it made of it.
    #[error("failed to {action}{}: {address} has every byte and has not answered{}", before_timeout(*within), spent(*within))]
    Unanswered {
        action: String,
        address: String,
        /// Time that it was given, if that was not all of the command's.
        within: Option<Duration>,
    },
    #[error("failed to {action}: {} answered {status}{}", answerer(proxy), said(reason))]
    Refused {
        action: String,
        status: u16,
        reason: String,
        problems: Vec<FieldProblem>,
        /// The reason has the API's own form: it is no page of a proxy.
        is_of_api: bool,
        /// How long the API asks to be left alone (`Retry-After` in seconds).
        retry_after: Option<Duration>,
        /// The proxy on the way, if it answered and not the API.
        proxy: Option<String>,
    },
    /// An answer that cannot be right.
    #[error("failed to {action}: {address} answered {what}{}", said(line))]
    Nonsense { action: String, address: String, what: String, line: String },
    #[error("failed to {action}: the API redirects to {location}")]
    Redirected { action: String, location: String },
    #[error("failed to make an HTTP client")]
    Client(#[source] Cause),
}

fn before_timeout(within: Option<Duration>) -> &'static str {
    if within.is_none() { " before the timeout" } else { "" }
}

fn spent(within: Option<Duration>) -> String {
    within.map_or_else(String::new, |within| format!(" in {}", spoken(within)))
}

fn said(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

fn through(proxy: &Option<String>) -> String {
    proxy.as_ref().map_or_else(String::new, |proxy| format!(" through the proxy {proxy}"))
}

fn answerer(proxy: &Option<String>) -> String {
    proxy.as_ref().map_or_else(|| "the API".to_owned(), |proxy| format!("the proxy {proxy}"))
}

impl WarehouseError {
    pub(super) fn refused(
        action: &str,
        status: u16,
        words: Words,
        retry_after: Option<Duration>,
    ) -> Self {
        let Words { reason, problems, is_of_api } = words;
        let action = action.to_owned();
        Self::Refused { action, status, reason, problems, is_of_api, retry_after, proxy: None }
    }

    /// A refusal that came through a proxy. What has not the API's form is the proxy's own, and so
    /// is every 407.
    pub(super) fn through(self, shown: Option<String>) -> Self {
        match self {
            Self::Refused { action, status, reason, problems, is_of_api, retry_after, .. }
                if !is_of_api || status == 407 =>
            {
                Self::Refused {
                    action,
                    status,
                    reason,
                    problems,
                    is_of_api,
                    retry_after,
                    proxy: shown,
                }
            }
            other => other,
        }
    }

    pub(super) fn unreachable(address: &str, cause: &io::Error) -> Self {
        let reason = match cause.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            io::ErrorKind::TimedOut => "no answer".to_owned(),
            _ => cause.to_string(),
        };
        Self::Unreachable { address: address.to_owned(), reason, proxy: None }
    }

    /// The status of an answer that said no.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// How long the API asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// A lost connection said more exactly: whether the server had the whole upload by then.
    pub(super) fn of_upload(self, phase: Phase) -> Self {
        match self {
            Self::Deadline { action, address } if phase == Phase::Waiting => {
                Self::Unanswered { action, address, within: None }
            }
            Self::Lost { address, doing, cause } => {
                let doing = match phase {
                    Phase::Sending => TAKING,
                    Phase::Waiting if doing == READING => READING,
                    Phase::Waiting => WORKING,
                };
                Self::Lost { address, doing, cause }
            }
            other => other,
        }
    }

    /// Whether the server may have stored an upload all the same: it has every byte, and its reply is
    /// not here, or is that of a gateway which gave up.
    #[must_use]
    pub fn may_be_stored(&self) -> bool {
        matches!(
            self,
            Self::Unanswered { .. }
                | Self::Lost { doing: WORKING | READING, .. }
                | Self::Stalled { doing: WORKING | READING, .. }
                | Self::Refused { status: 502 | 504 | 524, .. }
        )
    }

    /// Whether an upload broke off before the server had all of it.
    #[must_use]
    pub fn is_broken_off(&self) -> bool {
        matches!(self, Self::Lost { doing: TAKING, .. } | Self::Stalled { doing: TAKING, .. })
    }

    /// The fields that a 422 names.
    #[must_use]
    pub fn problems(&self) -> &[FieldProblem] {
        match self {
            Self::Refused { problems, .. } => problems,
            _ => &[],
        }
    }

    /// Whether the route itself is unknown to the server: the reply of its framework, not of the
    /// resource.
    #[must_use]
    pub fn is_no_route(&self) -> bool {
        match self {
            Self::Refused { status: 404, reason, .. } => reason == "Not Found",
            Self::Refused { status: 405, .. } => true,
            _ => false,
        }
    }
}

impl Classify for WarehouseError {
    fn kind(&self) -> Kind {
        match self {
            Self::Address { .. } | Self::Field { .. } | Self::FileName { .. } => Kind::Usage,
            Self::Tls { fault: TlsFault::WantsCertificate, .. } => Kind::Denied,
            Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::Lost { .. }
            | Self::Stalled { .. }
            | Self::Silent { .. } => Kind::Unreachable,
            Self::Deadline { .. } | Self::Unanswered { .. } => Kind::Deadline,
            Self::Refused { status: 401 | 403 | 407, .. } => Kind::Denied,
            // What is not of the API says nothing about what the API has.
            Self::Refused { status: 404, is_of_api: false, .. } => Kind::ServerFault,
            Self::Refused { status: 404, .. } if !self.is_no_route() => Kind::NotFound,
            Self::Refused { status: 500.., .. } | Self::Nonsense { .. } => Kind::ServerFault,
            Self::Refused { .. } | Self::Redirected { .. } => Kind::Rejected,
            Self::Client(_) => Kind::Internal,
        }
    }

    fn hints(&self) -> Vec<Hint> {
        let hint = match self {
            Self::Address { text, .. } if text.contains(HIDDEN) => {
                "leave user, password and query out"
            }
            Self::Address { text, .. } if !text.contains("://") && !text.is_empty() => {
                return vec![Hint::new(format!("did you mean http://{text}?"))];
            }
            Self::Tls { address, fault } => return vec![Hint::new(fault.hint(address))],
            Self::Address { .. } => "an address looks like http://127.0.0.1:8000",
            Self::Refused { status: 407, .. } => {
                "the proxy wants a login: write http://USER:PASSWORD@HOST:PORT in its variable"
            }
            Self::Refused { proxy: Some(_), .. } => {
                "the proxy, or a gateway behind it, answered in the API's place; no_proxy=HOST goes without it"
            }
            Self::Unreachable { proxy: Some(_), .. } => {
                "see whether the proxy runs; no_proxy=HOST goes without it"
            }
            Self::Unreachable { .. } => {
                "start a local API with dwctl serve, or name another with --api-url"
            }
            Self::Refused { status: 404, is_of_api: false, .. } => {
                "this is no answer of the warehouse: is it its base address? behind a proxy it may end in /autodw"
            }
            Self::Refused { .. } if self.is_no_route() => {
                "is this the warehouse's base address? behind a proxy it may end in /autodw"
            }
            Self::Unanswered { .. } | Self::Stalled { doing: WORKING, .. } => {
                return vec![
                    Hint::new(
                        "it may be stored all the same: look with dwctl models list before you upload again",
                    ),
                    Hint::new(
                        "today's service hangs like this when its broker was away at its start; restarting it helps",
                    ),
                ];
            }
            Self::Silent { .. } => {
                "is this the port of an HTTP server? see dwctl config show --origin"
            }
            Self::Nonsense { .. } => "is this the warehouse's API? see dwctl config show --origin",
            Self::Redirected { .. } => "name the address it redirects to with --api-url",
            Self::Refused { status, retry_after, .. } => {
                return refusal_hints(*status, *retry_after);
            }
            Self::Deadline { .. } => "give it longer with --timeout; -v shows which request waits",
            // What an upload does then is known to its flow alone.
            Self::Lost { doing: TAKING | WORKING, .. } | Self::Stalled { .. } => return Vec::new(),
            Self::Lost { .. } => {
                "the API or a proxy ended the connection: its log says why; then try again"
            }
            Self::Field { .. } | Self::FileName { .. } | Self::Client(_) => return Vec::new(),
        };
        vec![Hint::new(hint)]
    }
}

/// What to do after a refusal, by its status alone: its words are the server's.
fn refusal_hints(status: u16, retry_after: Option<Duration>) -> Vec<Hint> {
    let hint = match (status, retry_after) {
        (401 | 403, _) => {
            "the warehouse itself asks for no login: who stands between? see dwctl config show --origin"
        }
        (404, _) => "see what there is with dwctl models list",
        (409, _) => "see what is there already with dwctl models list",
        (413, _) => "the largest body is set where the API or a proxy before it is configured",
        (422, _) => "--help of the command says what each flag takes",
        (429 | 503, Some(pause)) => {
            return vec![Hint::new(format!("it asks to be left alone for {} s", pause.as_secs()))];
        }
        (429, None) => "it has too much to do: try again later",
        (502..=504, _) => "a proxy may have answered in the API's place: see whether the API runs",
        (500.., _) => "the cause stands in the log of the API",
        _ => "see the request with -v",
    };
    vec![Hint::new(hint)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, reason: &str) -> WarehouseError {
        let words = Words { reason: reason.to_owned(), problems: Vec::new(), is_of_api: true };
        WarehouseError::refused("show u/m", status, words, None)
    }

    #[test]
    fn a_status_decides_the_kind_and_an_unknown_route_is_no_missing_model() {
        assert_eq!(refused(404, "Model not found").kind(), Kind::NotFound);
        assert_eq!(refused(404, "Not Found").kind(), Kind::Rejected);
        let page = Words { reason: "<html>".into(), problems: Vec::new(), is_of_api: false };
        assert_eq!(WarehouseError::refused("x", 404, page, None).kind(), Kind::ServerFault);
        assert_eq!(refused(409, "").kind(), Kind::Rejected);
        assert_eq!(refused(403, "").kind(), Kind::Denied);
        assert_eq!(refused(503, "").kind(), Kind::ServerFault);
        assert_eq!(
            refused(404, "Model not found").to_string(),
            "failed to show u/m: the API answered 404: Model not found"
        );
    }
}
