//! Which proxy the environment names for an address, by curl's rules: the variable of the scheme, then
//! `all_proxy`; `no_proxy` exempts names, domains, addresses and networks.

use std::fmt;
use std::net::IpAddr;

use super::{Environment, SettingsError};

/// Schemes of proxies that requests can go through.
const SCHEMES: &[&str] = &["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// A proxy that a variable names.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// With user and password. Never shown.
    url: String,
    variable: &'static str,
}

impl Proxy {
    /// The address with user and password, for the client alone.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

/// Shows the address without user and password, and the variable.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("http", &self.url));
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        write!(f, "{scheme}://{place} (${})", self.variable)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Returns the proxy through which a request to `host` and `port` goes.
///
/// Upper-case `HTTP_PROXY` is not read if `REQUEST_METHOD` is set: a web server lets its clients set
/// it.
///
/// # Errors
/// The variable that applies holds no address of a proxy.
pub fn find_proxy(
    environment: &Environment,
    is_tls: bool,
    host: &str,
    port: u16,
) -> Result<Option<Proxy>, SettingsError> {
    let is_served = environment.get("REQUEST_METHOD").is_some();
    let own: &[&'static str] = match (is_tls, is_served) {
        (true, _) => &["https_proxy", "HTTPS_PROXY"],
        (false, false) => &["http_proxy", "HTTP_PROXY"],
        (false, true) => &["http_proxy"],
    };
    let mut names = own.iter().chain(&["all_proxy", "ALL_PROXY"]).copied();
    let Some((variable, text)) = names.find_map(|name| Some((name, environment.get(name)?))) else {
        return Ok(None);
    };
    let exceptions = environment.get("no_proxy").or_else(|| environment.get("NO_PROXY"));
    if is_exempt(exceptions.unwrap_or_default(), host, port) {
        return Ok(None);
    }
    let url = parse_proxy(text).map_err(|reason| SettingsError::Proxy { variable, reason })?;
    Ok(Some(Proxy { url, variable }))
}

/// Returns the address with its scheme. The reasons show no part of the text.
fn parse_proxy(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        // As curl does it.
        "socks" => "socks4".to_owned(),
        other => other.to_owned(),
    };
    if !SCHEMES.contains(&scheme.as_str()) {
        return Err(format!("its scheme is none of {}", SCHEMES.join(", ")));
    }
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    let place = match place.split_once(['/', '?', '#', '\\']) {
        Some((place, "")) => place,
        Some(_) => return Err("a proxy has no path".to_owned()),
        None => place,
    };
    check_place(place)?;
    let user = user.map_or_else(String::new, |user| format!("{}@", encode_user(user)));
    Ok(format!("{scheme}://{user}{place}"))
}

/// Checks `HOST[:PORT]`.
fn check_place(place: &str) -> Result<(), String> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("a bracket is not closed")?;
            let is_v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
            if !is_v6 || !(after.is_empty() || after.starts_with(':')) {
                return Err("its IPv6 address is malformed".to_owned());
            }
            (host, after.strip_prefix(':'))
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !place.starts_with('[') && !host.chars().all(is_of_name) {
        return Err("its host is malformed".to_owned());
    }
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    match port {
        Some(port) if !is_port(port) => Err("its port is no number from 1 to 65535".to_owned()),
        _ => Ok(()),
    }
}

/// Percent-encodes what a URL does not take in a user and a password. What is encoded already stays.
fn encode_user(user: &str) -> String {
    use fmt::Write as _;
    user.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// Whether one of the exceptions, with commas or blanks between, is for this host and port.
fn is_exempt(exceptions: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    exceptions
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .any(|entry| matches_entry(&entry.to_ascii_lowercase(), &host, port))
}

fn matches_entry(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let (entry, only_port) = split_entry(entry);
    if only_port.is_some_and(|only| only != port.to_string()) {
        return false;
    }
    match host.parse::<IpAddr>() {
        Ok(address) => matches_network(entry, address),
        Err(_) => {
            let entry = entry.trim_start_matches("*.").trim_matches('.');
            !entry.is_empty()
                && (host == entry
                    || host.strip_suffix(entry).is_some_and(|rest| rest.ends_with('.')))
        }
    }
}

/// Splits the port off `HOST:PORT` and `[IPV6]:PORT`. A bare IPv6 address has none.
fn split_entry(entry: &str) -> (&str, Option<&str>) {
    if let Some((host, port)) = entry.strip_prefix('[').and_then(|rest| rest.split_once("]:")) {
        return (host, Some(port));
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}

/// Whether an address is this one, or in this network: `10.0.0.0/8`, `fe80::/10`.
fn matches_network(entry: &str, address: IpAddr) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => match bits.parse::<u32>() {
            Ok(bits) => (network, Some(bits)),
            Err(_) => return false,
        },
        None => (entry, None),
    };
    let Ok(network) = network.trim_matches(['[', ']']).parse::<IpAddr>() else { return false };
    let (network, address, width) = match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let bits = bits.unwrap_or(width);
    if bits > width {
        return false;
    }
    // A shift by all bits would overflow.
    let cut = |value: u128| value.checked_shr(width - bits).unwrap_or(0);
    cut(network) == cut(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(set: &[(&'static str, &'static str)], is_tls: bool) -> Option<String> {
        let environment = Environment::of(set.iter().copied());
        let proxy = find_proxy(&environment, is_tls, "x", 80).unwrap();
        proxy.map(|proxy| proxy.url().to_owned())
    }

    #[test]
    fn exceptions_are_names_domains_addresses_networks_and_ports() {
        for (entry, host) in [
            ("localhost", "localhost"),
            ("example.org", "example.org"),
            ("example.org", "dw.example.org"),
            (".example.org", "dw.example.org"),
            (".example.org", "example.org"),
            ("*.example.org", "dw.example.org"),
            ("EXAMPLE.org.", "dw.example.ORG"),
            ("example.org", "example.org."),
            ("a,b", "b"),
            ("a b", "b"),
            (" a , b ", "b"),
            ("*", "x"),
            ("127.0.0.1", "127.0.0.1"),
            ("10.0.0.0/8", "10.1.2.3"),
            ("192.168.1.128/25", "192.168.1.200"),
            ("0.0.0.0/0", "9.9.9.9"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("fe80::/10", "fe80::5"),
            ("[2001:db8::]/32", "2001:db8::5"),
            ("::/0", "::7"),
            ("localhost:8000", "localhost"),
            ("127.0.0.1:8000", "127.0.0.1"),
            ("[::1]:8000", "::1"),
            (".example.org:8000", "dw.example.org"),
        ] {
            assert!(is_exempt(entry, host, 8000), "{entry} {host}");
        }
        for (entry, host) in [
            ("", "127.0.0.1"),
            ("example.org", "badexample.org"),
            ("dw.example.org", "example.org"),
            (".", "example.org"),
            ("localhost:8001", "localhost"),
            ("[::1]:8001", "::1"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/33", "10.0.0.1"),
            ("10.0.0.0/x", "10.0.0.1"),
            ("192.168.1.128/25", "192.168.1.1"),
            ("0.0.0.1", "127.0.0.1"),
            ("1", "127.0.0.1"),
            ("::1", "127.0.0.1"),
            ("fe80::/10", "fec0::1"),
            ("10.0.0.0/8", "10.example.org"),
        ] {
            assert!(!is_exempt(entry, host, 8000), "{entry} {host}");
        }
    }

    #[test]
    fn each_scheme_has_its_own_variable_before_that_of_all() {
        let all = ("ALL_PROXY", "http://all:1");
        assert_eq!(find(&[], true), None);
        assert_eq!(find(&[all], true).as_deref(), Some("http://all:1"));
        for (name, is_tls) in [
            ("http_proxy", false),
            ("HTTP_PROXY", false),
            ("https_proxy", true),
            ("HTTPS_PROXY", true),
        ] {
            let set = [(name, "http://own:1"), all];
            assert_eq!(find(&set, is_tls).as_deref(), Some("http://own:1"), "{name}");
            assert_eq!(find(&set, !is_tls).as_deref(), Some("http://all:1"), "{name}");
        }
        let both = [("http_proxy", "http://lower:1"), ("HTTP_PROXY", "http://upper:1")];
        assert_eq!(find(&both, false).as_deref(), Some("http://lower:1"));
    }

    #[test]
    fn a_web_servers_client_cannot_set_a_proxy() {
        let set = [("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(find(&set, false), None);
        assert!(find(&set[..1], false).is_some());
    }

    #[test]
    fn addresses_of_proxies_are_taken_in_their_usual_forms() {
        for (text, url) in [
            ("p:2", "http://p:2"),
            ("p", "http://p"),
            ("http://p/", "http://p"),
            ("HTTP://p:1", "http://p:1"),
            ("https://p:443", "https://p:443"),
            ("socks5://p:1080", "socks5://p:1080"),
            ("SOCKS5h://p", "socks5h://p"),
            ("socks4a://p:1", "socks4a://p:1"),
            ("socks://p:1", "socks4://p:1"),
            ("http://[::1]:3128", "http://[::1]:3128"),
            ("u:p@h:1", "http://u:p@h:1"),
            ("http://u:p@a/b@h:1", "http://u:p%40a%2Fb@h:1"),
            ("http://u:%40@h:1", "http://u:%40@h:1"),
        ] {
            assert_eq!(parse_proxy(text).as_deref(), Ok(url), "{text}");
        }
    }

    #[test]
    fn a_malformed_proxy_is_refused_by_its_variable_without_its_text() {
        for text in [
            "http://",
            "://p",
            "ftp://p:1",
            "quic://S3cret@p:1",
            "http://p:0",
            "http://p:99999",
            "http://p:port",
            "http://p:1/path",
            "http://[::1",
            "http://[x]:1",
            "::1:8080",
            "http://S3 cret:1",
            "http://u:S3cret@",
            "p:",
            "http:/p:1",
            "http://p:+1",
            " ",
        ] {
            let environment = Environment::of([("ALL_PROXY", text)]);
            let error = find_proxy(&environment, false, "x", 80).unwrap_err().to_string();
            assert!(error.contains("$ALL_PROXY") && !error.contains("S3"), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_malformed_proxy_that_does_not_apply_is_no_matter() {
        let set = [("http_proxy", "ftp://p"), ("no_proxy", "x")];
        assert_eq!(find(&set, false), None);
        assert_eq!(find(&set, true), None);
    }

    #[test]
    fn a_password_is_never_shown() {
        let environment = Environment::of([("https_proxy", "http://me:S3cret@p:1")]);
        let proxy = find_proxy(&environment, true, "x", 443).unwrap().unwrap();
        assert_eq!(proxy.to_string(), "http://p:1 ($https_proxy)");
        assert!(!format!("{proxy:?}").contains("S3cret"));
    }
}
