//! Who `dwctl serve` answers: requests that name it, and of web pages those that are allowed.

use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::run::{Running, Stream};
use crate::support::stack::Stack;

const FIELDS: [(&str, &str); 4] =
    [("model_id", "m"), ("name", "N"), ("framework", "pytorch"), ("model_type", "nlp")];

/// Requests that change something, as a page sends them: the first two without a preflight.
fn changes() -> Vec<Call> {
    let form = Multipart::new().file("file", "m.pt", b"w").texts(&FIELDS);
    let body = br#"{"user_id":"u","dataset_id":"d","report":{}}"#.to_vec();
    vec![
        Call::post("/ai-models/upload/single/u", &form),
        Call::new("POST", "/bias-reports/").body("text/plain", body.clone()),
        Call::new("PUT", "/ai-models/u/m").body("application/json", br#"{"name":"X"}"#.to_vec()),
        Call::new("DELETE", "/ai-models/u/m"),
        Call::new("OPTIONS", "/ai-models/u/m").header("Access-Control-Request-Method", "PUT"),
    ]
}

/// The model's name, unless it is gone.
fn name(stack: &Stack) -> Option<String> {
    let reply = stack.call(&Call::get("/ai-models/u/m"));
    (reply.status == 200).then(|| reply.json()["name"].as_str().unwrap().to_owned())
}

#[test]
fn a_page_of_another_origin_reads_and_changes_nothing() {
    let stack = Stack::start();
    drop(stack.call(&changes()[0]).expect(200));
    for origin in ["http://page.test", "null", "http://127.0.0.1:1", "https://localhost"] {
        for call in changes() {
            let reply = stack.call(&call.header("Origin", origin)).expect(403);
            assert_eq!(reply.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(reply.header("access-control-allow-methods"), None, "{origin}");
            assert!(reply.text().contains("--cors ORIGIN"), "{}", reply.text());
        }
        let read = stack.call(&Call::get("/ai-models/u/m").header("Origin", origin)).expect(200);
        assert_eq!(read.header("access-control-allow-origin"), None, "{origin}");
    }
    assert_eq!(name(&stack).as_deref(), Some("N"));
    let own = stack.api_url.clone();
    let update = changes().remove(2).header("Origin", &own);
    drop(stack.call(&update).expect(200));
    assert_eq!(name(&stack).as_deref(), Some("X"), "a page of this server may");
}

#[test]
fn pages_of_an_allowed_origin_read_and_change_everything() {
    for (allowed, origin, named) in [
        (&["--cors", "http://ui.test:3000"][..], "http://ui.test:3000", "http://ui.test:3000"),
        (
            &["--cors", "http://a.test", "--cors", "https://b.test/"],
            "https://b.test",
            "https://b.test",
        ),
        (&["--cors", "*"], "http://page.test", "*"),
        (&["--cors", "*"], "null", "*"),
    ] {
        let stack = Stack::start_with(allowed);
        for call in changes() {
            let reply = stack.call(&call.header("Origin", origin));
            assert_ne!(reply.status, 403, "{}", reply.text());
            assert_eq!(reply.header("access-control-allow-origin"), Some(named));
        }
        let asked = Call::new("OPTIONS", "/ai-models/u/m")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "PUT")
            .header("Access-Control-Request-Headers", "content-type");
        let reply = stack.call(&asked).expect(200);
        assert!(reply.header("access-control-allow-methods").unwrap().contains("PUT"));
        assert_eq!(reply.header("access-control-allow-headers"), Some("content-type"));
        let refused = stack.call(&Call::get("/ai-models/u/none").header("Origin", origin));
        let refused = refused.expect(404);
        assert_eq!(refused.header("access-control-allow-origin"), Some(named), "of a refusal too");
        let plain = stack.call(&Call::get("/health")).expect(200);
        assert_eq!(plain.header("access-control-allow-origin"), None);
    }
}

#[test]
fn what_is_no_origin_is_no_value_of_the_flag() {
    let environment = Environment::new();
    for value in ["page.test", "null", "http://a/path", ""] {
        let outcome = environment.run(["serve", "--cors", value, "--port", "0"]).expect(2);
        assert!(outcome.err().contains("--cors"), "{outcome}");
    }
}

#[test]
fn a_request_to_another_name_is_refused_whatever_it_asks() {
    let stack = Stack::start();
    let port = stack.host().rsplit_once(':').unwrap().1.to_owned();
    for host in ["evil.test", "evil.test:8000", "192.0.2.1", "localhost.evil.test", "[2001:db8::1]"]
    {
        for call in changes().into_iter().chain([Call::get("/health"), Call::get("/none")]) {
            let reply = call.send_as(stack.host(), host).expect(421);
            assert!(reply.text().contains("--advertise NAME"), "{}", reply.text());
        }
    }
    for host in ["localhost".to_owned(), format!("LOCALHOST:{port}"), format!("[::1]:{port}")] {
        drop(Call::get("/health").send_as(stack.host(), &host).expect(200));
    }
    assert_eq!(name(&stack), None);
    // What is refused is said with its reason, a line each.
    let line = stack.process().wait_for(Stream::Err, "refused PUT /ai-models/u/m 421: ");
    assert!(line.contains("This server is not \"evil.test\""), "{line}");
}

#[test]
fn on_every_address_those_of_this_machine_and_the_advertised_name_are_answered() {
    let environment = Environment::new();
    let fixed =
        "serve --port 0 --broker-port 0 --data-dir data --host 0.0.0.0 --advertise box.test";
    let process: Running = environment.start(fixed.split_whitespace());
    let line = process.wait_for(Stream::Out, "DWCTL_API_URL=http://box.test:");
    let host = format!("127.0.0.1:{}", line.rsplit_once(':').unwrap().1.trim());
    for (name, status) in [
        ("box.test", 200),
        ("Box.Test:80", 200),
        ("localhost", 200),
        ("127.0.0.1", 200),
        ("0.0.0.0", 200),
        ("192.0.2.1", 421),
        ("evil.test", 421),
    ] {
        assert_eq!(Call::get("/health").send_as(&host, name).status, status, "{name}");
    }
    // An address of this machine is known by the connection that came in on it.
    let other = host.replace("127.0.0.1", "127.0.0.2");
    drop(Call::get("/health").send_as(&other, "127.0.0.2").expect(200));
}
