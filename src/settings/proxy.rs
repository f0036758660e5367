//! Whether the environment names a proxy for an address, as curl and `reqwest` read it. The library
//! that goes through proxies reads the variables itself; this only says when it is needed.

use super::Environment;

/// Whether a request to `host` over `http://` goes through a proxy. Upper-case `HTTP_PROXY` is not
/// read where `REQUEST_METHOD` is set: a web server lets its clients set it.
#[must_use]
pub fn is_proxied(environment: &Environment, host: &str) -> bool {
    let upper =
        || environment.get("HTTP_PROXY").filter(|_| environment.get("REQUEST_METHOD").is_none());
    let named =
        ["http_proxy", "all_proxy", "ALL_PROXY"].iter().find_map(|name| environment.get(name));
    if named.or_else(upper).is_none() {
        return false;
    }
    let exceptions = environment.get("no_proxy").or_else(|| environment.get("NO_PROXY"));
    !exceptions.unwrap_or_default().split(',').any(|entry| is_exempt(entry.trim(), host))
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

    #[test]
    fn exceptions_are_names_their_subdomains_or_everything() {
        let proxied = |no_proxy: &str, host: &str| {
            is_proxied(
                &Environment::of([("http_proxy", "http://p:1"), ("no_proxy", no_proxy)]),
                host,
            )
        };
        assert!(proxied("", "127.0.0.1") && proxied("example.org", "badexample.org"));
        assert!(!proxied("127.0.0.1,localhost", "localhost"));
        assert!(!proxied(".example.org", "dw.example.org") && !proxied("*", "x"));
        assert!(!is_proxied(&Environment::default(), "x"));
    }

    #[test]
    fn a_web_servers_client_cannot_set_a_proxy() {
        let set = [("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")];
        assert!(!is_proxied(&Environment::of(set), "x"));
        assert!(is_proxied(&Environment::of([set[0]]), "x"));
    }
}
