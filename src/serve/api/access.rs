//! Whose requests are answered: those that name this server in `Host`, and of web pages only those
//! of this server and of the origins that `--cors` allows. Without the first check a page whose
//! name is pointed at this machine (DNS rebinding) reads everything; without the second any page can
//! post a form.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};

use super::refusal::Refused;

/// Whether the request comes from a page of another site; browsers send it beside `Origin`.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const ASKS_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// An origin whose pages may use the API: `*` or `http://HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(String);

impl AllowedOrigin {
    fn is_any(&self) -> bool {
        self.0 == "*"
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self(text.to_owned()));
        }
        if text == "null" {
            return Err("every sandboxed page has the origin null; allow all with '*'".to_owned());
        }
        let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let is_origin = ["http://", "https://"].iter().any(|scheme| {
            text.strip_prefix(scheme).is_some_and(|authority| {
                Authority::parse(authority).is_some_and(|authority| !authority.host.is_empty())
            })
        });
        let default_port = if text.starts_with("https:") { ":443" } else { ":80" };
        let text = text.strip_suffix(default_port).unwrap_or(&text);
        if is_origin {
            Ok(Self(text.to_owned()))
        } else {
            Err("an origin is * or http://HOST[:PORT], without a path".to_owned())
        }
    }
}

/// A host with an optional port, as in `Host` and in an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Authority<'a> {
    /// Without the brackets of an IPv6 address.
    host: &'a str,
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (address, rest) = bracketed.split_once(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                (address, rest)
            }
            None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
        };
        let is_port = rest.strip_prefix(':').map_or(rest.is_empty(), |port| {
            port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        let is_host = !host.is_empty()
            && host.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':')
            });
        (is_port && is_host).then_some(Self { host })
    }
}

/// Which hosts and origins are served.
#[derive(Clone, Debug)]
pub(in crate::serve) struct AccessPolicy {
    /// Names of `--host` and `--advertise`.
    names: Vec<String>,
    /// Addresses of `--host` and `--advertise`, and the one that is bound.
    addresses: Vec<IpAddr>,
    origins: Vec<AllowedOrigin>,
}

/// The page that sent a request.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    /// Not a page, or one of this server.
    Own,
    /// One of an allowed origin, and what the reply says about it.
    Allowed(HeaderValue),
    Foreign,
}

impl AccessPolicy {
    /// `hosts` are the names that the user gave, `bound` is the address that is listened on.
    pub fn new<'a>(
        hosts: impl IntoIterator<Item = &'a str>,
        bound: IpAddr,
        origins: Vec<AllowedOrigin>,
    ) -> Self {
        let (mut names, mut addresses) = (Vec::new(), vec![bound.to_canonical()]);
        for host in hosts {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            match bare.parse::<IpAddr>() {
                Ok(address) => addresses.push(address.to_canonical()),
                Err(_) => names.push(bare.trim_end_matches('.').to_ascii_lowercase()),
            }
        }
        Self { names, addresses, origins }
    }

    /// Whether a host is this server. `local` is the address that the client has reached: with
    /// `--host 0.0.0.0` any address of this machine.
    fn is_own(&self, host: &str, local: Option<IpAddr>) -> bool {
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = address.to_canonical();
            return address.is_loopback()
                || self.addresses.contains(&address)
                || local.is_some_and(|local| local.to_canonical() == address);
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        // RFC 6761: browsers never ask a name server for these.
        let is_localhost = name.eq_ignore_ascii_case("localhost")
            || name
                .get(name.len().saturating_sub(10)..)
                .is_some_and(|end| end.eq_ignore_ascii_case(".localhost"));
        is_localhost || self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Checks the target and the `Host` of a request.
    ///
    /// # Errors
    /// 400 without exactly one well-formed `Host`, 421 if it names another server.
    fn check_host(&self, request: &Request, local: Option<IpAddr>) -> Result<(), Refused> {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (host, second) = (hosts.next(), hosts.next());
        if second.is_some() {
            return Err(Refused::bad_request("The request has more than one Host header"));
        }
        // The target decides if it names a server (RFC 9112, 3.2.2); a browser sends both alike.
        let target = request.uri().authority().map(axum::http::uri::Authority::as_str);
        if host.is_none() && target.is_none() {
            // No browser speaks HTTP/1.0, so that no page is behind it.
            return match request.version() {
                Version::HTTP_09 | Version::HTTP_10 => Ok(()),
                _ => Err(Refused::bad_request("The request has no Host header")),
            };
        }
        let host = host.map(|host| host.to_str().unwrap_or("\u{fffd}").trim());
        for text in target.into_iter().chain(host) {
            let Some(authority) = Authority::parse(text) else {
                return Err(Refused::bad_request(format!("Malformed host {}", quoted(text))));
            };
            if !self.is_own(authority.host, local) {
                return Err(Refused::new(
                    StatusCode::MISDIRECTED_REQUEST,
                    format!(
                        "This server is not {}; start it with --advertise NAME to use another name",
                        quoted(authority.host)
                    ),
                ));
            }
        }
        Ok(())
    }

    fn page(&self, headers: &HeaderMap) -> Page {
        let Some(origin) = headers.get(header::ORIGIN) else {
            let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
            let is_foreign = matches!(site, Some(b"cross-site" | b"same-site"));
            return if is_foreign { Page::Foreign } else { Page::Own };
        };
        if self.origins.iter().any(AllowedOrigin::is_any) {
            return Page::Allowed(HeaderValue::from_static("*"));
        }
        let Ok(text) = origin.to_str() else { return Page::Foreign };
        if self.origins.iter().any(|allowed| allowed.0.eq_ignore_ascii_case(text)) {
            return Page::Allowed(origin.clone());
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let own = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let is_own = own.zip(host).is_some_and(|(own, host)| own.eq_ignore_ascii_case(host.trim()));
        if is_own { Page::Own } else { Page::Foreign }
    }

    /// Checks a request before it is looked at any further.
    ///
    /// # Errors
    /// The reply to a request that is refused, or to a preflight.
    pub fn check(
        &self,
        request: &Request,
        local: Option<IpAddr>,
    ) -> Result<Admitted, Box<Response>> {
        let boxed = |refused: Refused| Box::new(refused.into_response());
        self.check_host(request, local).map_err(boxed)?;
        let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
        match self.page(request.headers()) {
            Page::Own => Ok(Admitted(None)),
            Page::Allowed(origin) => {
                let admitted = Admitted(Some(origin));
                if request.method() == Method::OPTIONS {
                    let mut response = preflight(request.headers());
                    admitted.mark(&mut response);
                    return Err(Box::new(response));
                }
                Ok(admitted)
            }
            // A browser shows the reply to no foreign page, because no header allows it.
            Page::Foreign if is_reading => Ok(Admitted(None)),
            Page::Foreign => Err(boxed(foreign(request.headers()))),
        }
    }
}

fn foreign(headers: &HeaderMap) -> Refused {
    let origin = headers.get(header::ORIGIN).map_or("another site".into(), |origin| {
        quoted(&String::from_utf8_lossy(origin.as_bytes()))
    });
    let sentence = format!(
        "A page of {origin} may not change anything here; start the server with --cors ORIGIN to allow it"
    );
    Refused::new(StatusCode::FORBIDDEN, sentence)
}

/// A text of a client in quotes, cut to a length that fits into a sentence.
fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(100).collect();
    format!("{cut:?}")
}

/// A request that may be answered, and the origin that the reply allows to read it.
#[derive(Debug)]
pub(in crate::serve) struct Admitted(Option<HeaderValue>);

impl Admitted {
    /// Allows the page to read the reply.
    pub fn mark(self, response: &mut Response) {
        let Some(origin) = self.0 else { return };
        let headers = response.headers_mut();
        if origin != "*" {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

/// What a browser asks before it sends the request of an allowed page: everything is allowed.
fn preflight(asked: &HeaderMap) -> Response {
    let mut response = (StatusCode::OK, "OK").into_response();
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    if asked.contains_key(ASKS_PRIVATE_NETWORK) {
        headers.insert(ALLOWS_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn policy(hosts: &[&str], bound: &str, origins: &[&str]) -> AccessPolicy {
        let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        AccessPolicy::new(hosts.iter().copied(), bound.parse().unwrap(), origins)
    }

    fn status(policy: &AccessPolicy, host: &str, local: &str) -> u16 {
        let request = Request::builder().uri("/").header("host", host).body(Body::empty()).unwrap();
        let local = local.parse().ok();
        policy.check(&request, local).map_or_else(|reply| reply.status().as_u16(), |_| 200)
    }

    #[test]
    fn loopback_names_are_always_this_server() {
        let policy = policy(&["127.0.0.1"], "127.0.0.1", &[]);
        for host in [
            "localhost",
            "LocalHost:8000",
            "localhost.",
            "localhost:",
            "api.localhost:80",
            "127.0.0.1",
            "127.0.0.1:9",
            "127.8.9.1",
            "[::1]",
            "[::1]:8000",
            "[::ffff:127.0.0.1]:8000",
        ] {
            assert_eq!(status(&policy, host, "127.0.0.1"), 200, "{host}");
        }
    }

    #[test]
    fn other_names_and_addresses_are_other_servers() {
        let policy = policy(&["127.0.0.1"], "127.0.0.1", &[]);
        for host in [
            "evil.test",
            "evil.test:8000",
            "localhost.evil.test",
            "notlocalhost",
            "127.0.0.1.nip.io",
            "localhost.evil.",
            "192.168.1.5",
            "0.0.0.0",
            "[2001:db8::1]:8000",
            "127.0.0.1.",
        ] {
            assert_eq!(status(&policy, host, "127.0.0.1"), 421, "{host}");
        }
        for host in [
            "",
            "user@localhost",
            "::1",
            "[::1",
            "[::1]x",
            "localhost:80x",
            "localhost:999999",
            "local host",
            "localhost/path",
            "localhost,evil.test",
            "[localhost]",
            "a\u{e9}",
        ] {
            assert_eq!(status(&policy, host, "127.0.0.1"), 400, "{host:?}");
        }
    }

    #[test]
    fn bound_reached_and_advertised_hosts_are_this_server() {
        let policy = policy(&["0.0.0.0", "Warehouse.Test"], "0.0.0.0", &[]);
        for host in ["warehouse.test:1", "WAREHOUSE.test.", "10.1.2.3:8000", "0.0.0.0:8000"] {
            assert_eq!(status(&policy, host, "10.1.2.3"), 200, "{host}");
        }
        for host in ["10.1.2.4", "x.warehouse.test", "warehouse"] {
            assert_eq!(status(&policy, host, "::ffff:10.1.2.3"), 421, "{host}");
        }
    }

    #[test]
    fn a_request_names_its_server_once() {
        let policy = policy(&[], "127.0.0.1", &[]);
        let of = |version, uri: &str, hosts: &[&str]| {
            let request = Request::builder().version(version).uri(uri);
            let request = hosts.iter().fold(request, |request, host| request.header("host", *host));
            let request = request.body(Body::empty()).unwrap();
            policy.check(&request, None).map_or_else(|reply| reply.status().as_u16(), |_| 200)
        };
        assert_eq!(of(Version::HTTP_11, "/", &[]), 400);
        assert_eq!(of(Version::HTTP_10, "/", &[]), 200);
        assert_eq!(of(Version::HTTP_10, "/", &["evil.test"]), 421);
        assert_eq!(of(Version::HTTP_11, "/", &["localhost", "evil.test"]), 400);
        assert_eq!(of(Version::HTTP_11, "http://evil.test/", &["localhost"]), 421);
        assert_eq!(of(Version::HTTP_11, "http://localhost/", &["evil.test"]), 421);
        assert_eq!(of(Version::HTTP_11, "http://localhost:1/", &["127.0.0.1"]), 200);
    }

    fn of_page(policy: &AccessPolicy, method: Method, headers: &[(&str, &str)]) -> (u16, String) {
        let request = Request::builder().method(method).uri("/").header("host", "localhost:8000");
        let request = headers.iter().fold(request, |all, (name, value)| all.header(*name, *value));
        match policy.check(&request.body(Body::empty()).unwrap(), None) {
            Err(reply) => (reply.status().as_u16(), String::new()),
            Ok(admitted) => {
                let mut reply = StatusCode::OK.into_response();
                admitted.mark(&mut reply);
                let origin = reply.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
                (200, origin.map_or("", |origin| origin.to_str().unwrap()).to_owned())
            }
        }
    }

    #[test]
    fn pages_of_other_origins_change_nothing_and_read_nothing() {
        let policy = policy(&[], "127.0.0.1", &[]);
        for origin in [
            "http://evil.test",
            "null",
            "http://localhost:3000",
            "http://localhost",
            "http://127.0.0.1:8000",
            "https://localhost:8000.evil.test",
            "file://",
            "",
            "http://localhost:8000@evil.test",
        ] {
            for method in
                [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS]
            {
                let found = of_page(&policy, method.clone(), &[("origin", origin)]);
                assert_eq!(found.0, 403, "{method} of {origin}");
            }
            let read = of_page(&policy, Method::GET, &[("origin", origin)]);
            assert_eq!(read, (200, String::new()), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            let found = of_page(&policy, Method::POST, &[("sec-fetch-site", site)]);
            assert_eq!(found.0, 403, "{site}");
        }
    }

    #[test]
    fn own_pages_and_programs_change_everything() {
        let policy = policy(&[], "127.0.0.1", &[]);
        for headers in [
            &[][..],
            &[("origin", "http://localhost:8000")],
            &[("origin", "HTTP://LOCALHOST:8000")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
        ] {
            let found = of_page(&policy, Method::POST, headers);
            let expected = if headers == [("origin", "HTTP://LOCALHOST:8000")] { 403 } else { 200 };
            assert_eq!(found.0, expected, "{headers:?}");
        }
    }

    #[test]
    fn allowed_origins_are_named_in_the_reply() {
        let one = policy(&[], "127.0.0.1", &["http://ui.test:3000/", "https://App.test:443"]);
        for origin in ["http://ui.test:3000", "https://app.test"] {
            let found = of_page(&one, Method::DELETE, &[("origin", origin)]);
            assert_eq!(found, (200, origin.to_owned()));
        }
        assert_eq!(of_page(&one, Method::POST, &[("origin", "http://ui.test")]).0, 403);
        let any = policy(&[], "127.0.0.1", &["*"]);
        assert_eq!(of_page(&any, Method::POST, &[("origin", "null")]), (200, "*".to_owned()));
        let rebound = Request::builder().uri("/").header("host", "evil.test");
        assert!(any.check(&rebound.body(Body::empty()).unwrap(), None).is_err());
    }

    #[test]
    fn only_origins_can_be_allowed() {
        for text in ["null", "evil.test", "http://", "http://a/b", "ftp://a", "http://a b", ""] {
            assert!(text.parse::<AllowedOrigin>().is_err(), "{text:?}");
        }
    }
}
