//! Proxies that the environment names: which one is used, what is refused, and who is named when one
//! answers in the API's place.

use std::net::TcpListener;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::socks::SocksProxy;

const LIST: [&str; 4] = ["models", "list", "--user-id", "u"];

fn list(set: &[(&str, &str)], api: &str) -> Outcome {
    let environment = set
        .iter()
        .fold(Environment::new(), |environment, (name, value)| environment.set(name, value));
    environment.run([&LIST[..], &["-u", api]].concat())
}

/// The way to a scripted thing, without the scheme.
fn place(api: &ScriptedApi) -> &str {
    api.url().trim_start_matches("http://")
}

#[test]
fn socks_proxies_are_spoken_to_in_their_own_protocol() {
    for variable in ["ALL_PROXY", "all_proxy", "http_proxy", "HTTP_PROXY"] {
        for scheme in ["socks5", "socks5h", "SOCKS5H"] {
            let api = ScriptedApi::start(|request| {
                assert!(request.path.starts_with("/ai-models/"), "{}", request.path);
                Answer::json(200, "[]")
            });
            let proxy = SocksProxy::start(Some(place(&api)));
            let url = format!("{scheme}://{}", proxy.address());
            list(&[(variable, &url)], "http://localhost:8000").must_succeed();
            let name = if scheme == "socks5" { "127.0.0.1" } else { "localhost" };
            // A name is resolved here, or by the proxy.
            assert!(proxy.asked().iter().all(|host| host == name), "{scheme}: {:?}", proxy.asked());
        }
    }
}

#[test]
fn a_socks_proxy_that_does_not_connect_is_named() {
    let proxy = SocksProxy::start(None);
    let url = format!("socks5h://u:secret@{}", proxy.address());
    let outcome = list(&[("ALL_PROXY", &url)], "http://warehouse.invalid").expect(6);
    let named = format!("through the proxy socks5h://{} ($ALL_PROXY)", proxy.address());
    assert!(outcome.err().contains(&named), "{outcome}");
}

#[test]
fn the_proxy_that_answers_in_the_apis_place_is_named() {
    for (status, page, code) in [
        (502, "<h1>Bad Gateway</h1>", 5),
        (503, "no upstream", 5),
        (504, "", 5),
        (403, "<h1>Access denied by policy</h1>", 10),
        (407, "<h1>Proxy Authentication Required</h1>", 10),
        (407, "{\"detail\": \"Proxy Authentication Required\"}", 10),
    ] {
        let proxy = ScriptedApi::start(move |request| {
            assert!(request.path.starts_with("http://warehouse.invalid/"), "{}", request.path);
            Answer::html(status, page)
        });
        let url = proxy.url().to_owned();
        let outcome = list(&[("http_proxy", &url)], "http://warehouse.invalid").expect(code);
        let named = format!("the proxy {url} ($http_proxy) answered {status}");
        assert!(outcome.err().contains(&named), "{outcome}");
        assert!(!outcome.err().contains("the API answered"), "{outcome}");
    }
}

#[test]
fn what_the_api_itself_answers_through_a_proxy_is_the_apis() {
    let proxy = ScriptedApi::start(|_| Answer::json(503, "{\"detail\": \"Database is away\"}"));
    let url = proxy.url().to_owned();
    let outcome = list(&[("http_proxy", &url)], "http://warehouse.invalid").expect(5);
    assert!(outcome.err().contains("the API answered 503: Database is away"), "{outcome}");
}

#[test]
fn a_page_in_place_of_a_list_names_the_proxy_too() {
    let proxy = ScriptedApi::start(|_| Answer::html(200, "<h1>Log in</h1>"));
    let url = proxy.url().to_owned();
    let outcome = list(&[("http_proxy", &url)], "http://warehouse.invalid").expect(5);
    let named = format!("http://warehouse.invalid through the proxy {url} ($http_proxy)");
    assert!(outcome.err().contains(&named), "{outcome}");
}

#[test]
fn a_tunnel_that_is_refused_names_the_proxy() {
    for (status, code, words) in [
        (502, 6, "does not connect to warehouse.invalid"),
        (403, 6, "does not connect to warehouse.invalid"),
        (407, 10, "answered 407"),
    ] {
        let proxy = ScriptedApi::start(move |request| {
            assert_eq!(
                (request.method.as_str(), request.path.as_str()),
                ("CONNECT", "warehouse.invalid:443")
            );
            Answer::plain(status, "")
        });
        let url = proxy.url().to_owned();
        let outcome = list(&[("https_proxy", &url)], "https://warehouse.invalid").expect(code);
        assert!(outcome.err().contains(&format!("the proxy {url} ($https_proxy)")), "{outcome}");
        assert!(outcome.err().contains(words), "{outcome}");
    }
}

#[test]
fn the_login_of_a_proxy_is_sent_to_it() {
    let proxy = ScriptedApi::start(|request| {
        assert_eq!(request.header("proxy-authorization"), Some("Basic dTpwQHM="));
        Answer::json(200, "[]")
    });
    for user in ["u:p@s", "u:p%40s"] {
        let url = format!("http://{user}@{}", place(&proxy));
        list(&[("http_proxy", &url)], "http://warehouse.invalid").must_succeed();
    }
}

#[test]
fn a_malformed_variable_is_refused_by_its_name() {
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        for value in ["ftp://p:1", "http://", "http://p:0", "http://p:port", "http://[::1", "p:1/x"]
        {
            let outcome = list(&[(variable, value)], "http://127.0.0.1:1").expect(2);
            assert!(outcome.err().contains(&format!("proxy of ${variable}")), "{value}: {outcome}");
        }
    }
    // One that does not apply is no matter.
    let set = [("http_proxy", "ftp://p:1"), ("no_proxy", "127.0.0.0/8")];
    list(&set, "http://127.0.0.1:1").expect(6).to_string();
}

#[test]
fn exceptions_go_without_the_proxy() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let api = ScriptedApi::start(|_| Answer::json(200, "[]"));
    let port = place(&api).rsplit(':').next().unwrap().to_owned();
    let url = format!("http://{free}");
    let (exact, other) = (format!("127.0.0.1:{port}"), "127.0.0.1:1".to_owned());
    for (exception, is_exempt) in [
        ("127.0.0.1", true),
        ("127.0.0.0/8", true),
        ("*", true),
        ("example.org 127.0.0.1", true),
        (exact.as_str(), true),
        (other.as_str(), false),
        ("10.0.0.0/8", false),
        ("::1", false),
        ("", false),
    ] {
        let outcome = list(&[("http_proxy", &url), ("no_proxy", exception)], api.url());
        assert_eq!(outcome.code(), Some(if is_exempt { 0 } else { 6 }), "{exception}: {outcome}");
    }
}
