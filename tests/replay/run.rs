//! Puts exchanges to a server, one after the other, and holds what it answers and announces against
//! them. All that is different is shown at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use openssl::hash::{MessageDigest, hash};
use serde_json::Value;

use super::compare::{Later, differences, mask, masked, without_later};
use super::exchange::{Announced, Content, Exchange, Expected, without_host};
use super::faults::{Events, Fault};
use crate::support::http::Reply;
use crate::support::stack::Stack;

/// An event that must come, and the exchange that causes it.
struct Awaited {
    exchange: String,
    partition: Option<i64>,
    what: What,
}

enum What {
    Value(Value),
    /// Only the type is known.
    Type(String),
}

/// By topic and key, in order: what a consumer can rely on.
type ByKey<T> = BTreeMap<(String, String), VecDeque<T>>;

/// Replays a list against a fresh server of one dialect.
pub fn replay(dialect: &str, exchanges: Vec<Exchange>, faults: &[Fault], later: &[Later]) {
    // Three partitions, as on the service's own cluster.
    let stack = Stack::start_with(&["--dialect", dialect, "--partitions", "3"]);
    let (mut wrong, mut awaited, mut used) = (Vec::new(), ByKey::new(), BTreeSet::new());
    for exchange in exchanges {
        let fault = faults.iter().find(|fault| fault.exchanges.contains(&exchange.name.as_str()));
        used.extend(fault.map(|_| exchange.name.clone()));
        let reply = stack.call(&exchange.call);
        let mut here = Vec::new();
        match fault {
            Some(fault) => check_fault(fault, &exchange.reply, &reply, later, &mut here),
            None => check(&exchange.reply, &reply, later, &mut here),
        }
        let name = &exchange.name;
        wrong.extend(here.into_iter().map(|difference| format!("{name}: {difference}")));
        await_events(exchange, fault, &mut awaited);
    }
    for name in faults.iter().flat_map(|fault| fault.exchanges) {
        assert!(used.contains(*name), "{name} is listed and was not replayed");
    }
    check_events(awaited, read_events(&stack), later, &mut wrong);
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(expected: &Expected, reply: &Reply, later: &[Later], wrong: &mut Vec<String>) {
    if expected.status != reply.status {
        let (status, text) = (reply.status, reply.text());
        wrong.push(format!("status {}, found {status}: {text}", expected.status));
        return;
    }
    for (name, value) in &expected.headers {
        let found = reply.header(name).map(without_host);
        if found.as_ref() != Some(value) {
            wrong.push(format!("{name}: expected {value:?}, found {found:?}"));
        }
    }
    check_body(&expected.body, reply, later, wrong);
}

fn check_body(expected: &Content, reply: &Reply, later: &[Later], wrong: &mut Vec<String>) {
    match expected {
        Content::Json(body) => {
            let found = serde_json::from_slice(&reply.body).unwrap_or_else(|_| reply.text().into());
            let found = without_later(&masked(body), masked(&found), later);
            differences("body", &masked(body), &found, wrong);
        }
        Content::Bytes(size, md5) => {
            let found = (reply.body.len() as u64, md5_of(&reply.body));
            if found != (*size, md5.clone()) {
                wrong.push(format!("expected {size} bytes with MD5 {md5}, found {found:?}"));
            }
        }
        Content::Zip(entries) => {
            let found = zip_entries(&reply.body);
            if &found != entries {
                wrong.push(format!("expected the entries {entries:?}, found {found:?}"));
            }
        }
        Content::Unsaid => {}
    }
}

fn md5_of(bytes: &[u8]) -> String {
    let digest = hash(MessageDigest::md5(), bytes).unwrap();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// None of what is no archive.
fn zip_entries(bytes: &[u8]) -> Vec<(String, u64, String)> {
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) else {
        return Vec::new();
    };
    let count = archive.len();
    let entry = |at| {
        let mut entry = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        std::io::copy(&mut entry, &mut content).unwrap();
        (entry.name().unwrap().into_owned(), entry.size(), md5_of(&content))
    };
    (0..count).map(entry).collect()
}

fn check_fault(
    fault: &Fault,
    recorded: &Expected,
    reply: &Reply,
    later: &[Later],
    wrong: &mut Vec<String>,
) {
    if reply.status != fault.status {
        let (status, text) = (reply.status, reply.text());
        wrong.push(format!("{}: status {}, found {status}: {text}", fault.number, fault.status));
        return;
    }
    if fault.shows.is_empty() {
        check_body(&recorded.body, reply, later, wrong);
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_else(|_| reply.text().into());
    for (place, json) in fault.shows {
        let expected: Value = serde_json::from_str(json).unwrap();
        let found = match reply.header(place) {
            Some(header) => Some(Value::from(header)),
            None => body.pointer(place).cloned(),
        };
        if found.as_ref() != Some(&expected) {
            wrong.push(format!("{}: expected {expected} at {place:?} of {body}", fault.number));
        }
    }
}

fn await_events(exchange: Exchange, fault: Option<&Fault>, awaited: &mut ByKey<Awaited>) {
    let name = exchange.name;
    let mut add = |topic: &str, key: &str, partition, what| {
        let awaited = awaited.entry((topic.to_owned(), mask(key))).or_default();
        awaited.push_back(Awaited { exchange: name.clone(), partition, what });
    };
    match fault.map(|fault| &fault.events) {
        Some(Events::Instead(events)) => {
            for (topic, key, event_type) in *events {
                add(topic, key, None, What::Type((*event_type).to_owned()));
            }
        }
        Some(Events::AsRecorded) | None => {
            for event in exchange.events {
                // Where a made key lands is nobody's choice.
                let partition = event.partition.filter(|_| mask(&event.key) == event.key);
                add(&event.topic, &event.key, partition, What::Value(masked(&event.value)));
            }
        }
    }
}

/// Everything that is on the topics once nothing waits any more.
fn read_events(stack: &Stack) -> ByKey<Announced> {
    stack.wait_until_published();
    let arguments = ["tail", "^.*-events$", "--until", "end", "-o", "json"];
    let mut lines = stack.run(arguments).expect(0).json_lines();
    lines.sort_by_key(|line| line["offset"].as_i64());
    let mut events = ByKey::new();
    for line in lines {
        let (topic, key) = (line["topic"].as_str().unwrap(), line["key"].as_str().unwrap());
        events.entry((topic.to_owned(), mask(key))).or_default().push_back(Announced {
            topic: topic.to_owned(),
            partition: line["partition"].as_i64(),
            key: key.to_owned(),
            value: line["value"].clone(),
        });
    }
    events
}

fn check_events(
    mut awaited: ByKey<Awaited>,
    events: ByKey<Announced>,
    later: &[Later],
    wrong: &mut Vec<String>,
) {
    for ((topic, key), found) in events {
        let mut awaited = awaited.remove(&(topic.clone(), key.clone())).unwrap_or_default();
        for event in found {
            let Some(expected) = awaited.pop_front() else {
                wrong.push(format!("nobody awaited on {topic} with key {key}: {}", event.value));
                continue;
            };
            let name = &expected.exchange;
            let mut here = Vec::new();
            match &expected.what {
                What::Value(value) => {
                    let found = without_later(value, masked(&event.value), later);
                    differences("event", value, &found, &mut here);
                }
                What::Type(word) if event.value["event_type"] == **word => {}
                What::Type(word) => here.push(format!("expected {word}, found {}", event.value)),
            }
            if expected.partition.is_some() && expected.partition != event.partition {
                let (partition, other) = (expected.partition, event.partition);
                here.push(format!("{key} is on {other:?} of {topic} and not on {partition:?}"));
            }
            wrong.extend(here.into_iter().map(|difference| format!("{name}: {difference}")));
        }
        let missing = awaited.into_iter().map(|awaited| awaited.exchange);
        wrong.extend(missing.map(|name| format!("{name}: its event on {topic} is missing")));
    }
    for ((topic, key), awaited) in awaited {
        for Awaited { exchange, .. } in awaited {
            wrong.push(format!("{exchange}: its event on {topic} with key {key} is missing"));
        }
    }
}
