//! Which proxy the environment names for an address, as curl and `reqwest` read it. The library that
//! goes through proxies reads the variables itself; this says when it is needed, and names it in
//! errors.

use super::Environment;

/// The proxy through which a request to `host` goes, without its user and password. Upper-case
/// `HTTP_PROXY` is not read where `REQUEST_METHOD` is set: a web server lets its clients set it.
#[must_use]
pub fn proxy_of(environment: &Environment, is_tls: bool, host: &str) -> Option<String> {
    let own: &[&str] = if is_tls { &["https_proxy", "HTTPS_PROXY"] } else { &["http_proxy"] };
    let names = own.iter().chain(&["all_proxy", "ALL_PROXY"]);
    let upper = || {
        let is_served = environment.get("REQUEST_METHOD").is_some();
        environment.get("HTTP_PROXY").filter(|_| !is_tls && !is_served)
    };
    let named = names.copied().find_map(|name| environment.get(name)).or_else(upper)?;
    let exceptions = environment.get("no_proxy").or_else(|| environment.get("NO_PROXY"));
    let mut exceptions = exceptions.unwrap_or_default().split(',');
    if exceptions.any(|entry| is_exempt(entry.trim(), host)) {
        return None;
    }
    let (scheme, rest) = named.split_once("://").unwrap_or(("http", named));
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    Some(format!("{scheme}://{place}"))
}

fn is_exempt(entry: &str, host: &str) -> bool {
    let entry = entry.strip_prefix('.').unwrap_or(entry).to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    match entry.as_str() {
        "" => false,
        "*" => true,
        _ => host == entry || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(set: &[(&'static str, &'static str)], is_tls: bool, host: &str) -> Option<String> {
        proxy_of(&Environment::of(set.iter().copied()), is_tls, host)
    }

    #[test]
    fn exceptions_are_names_their_subdomains_or_everything() {
        let proxied = |no_proxy: &'static str, host: &str| {
            proxy(&[("http_proxy", "http://p:1"), ("no_proxy", no_proxy)], false, host).is_some()
        };
        assert!(proxied("", "127.0.0.1") && proxied("example.org", "badexample.org"));
        assert!(!proxied("127.0.0.1,localhost", "localhost"));
        assert!(!proxied(".example.org", "dw.example.org") && !proxied("*", "x"));
        assert_eq!(proxy(&[], false, "x"), None);
    }

    #[test]
    fn a_web_servers_client_cannot_set_a_proxy() {
        let set = [("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(proxy(&set, false, "x"), None);
        assert!(proxy(&set[..1], false, "x").is_some());
    }

    #[test]
    fn each_scheme_has_its_own_and_nobody_sees_a_password() {
        let set = [("https_proxy", "http://me:secret@p:1")];
        assert_eq!(proxy(&set, true, "x").as_deref(), Some("http://p:1"));
        assert_eq!(proxy(&set, false, "x"), None);
        assert_eq!(proxy(&[("all_proxy", "p:2")], true, "x").as_deref(), Some("http://p:2"));
    }
}
