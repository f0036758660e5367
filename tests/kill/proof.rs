//! Holds everything that a server has and has announced against the books of its clients.

use std::collections::{BTreeMap, VecDeque};

use super::client::Client;
use crate::support::environment::Environment;
use crate::support::http::Call;
use crate::support::kafka::Kafka;
use crate::support::stack::Stack;

pub fn of(clients: &[Client], stack: &Stack, kafka: &Kafka) {
    let user = &clients[0].user;
    rows(clients, stack, user);
    files(clients, stack);
    events(clients, kafka, user);
    let changes: usize =
        clients.iter().flat_map(|client| client.events.values().map(VecDeque::len)).sum();
    assert!(changes > 50, "{changes} changes prove little");
}

/// Uploads on the topic of the step, changes on that of models.
fn events(clients: &[Client], kafka: &Kafka, user: &str) {
    for (topic, is_upload) in [("automl-events", true), ("model-events", false)] {
        let mut announced = announced(kafka, topic, user);
        for (model, expected) in clients.iter().flat_map(|client| &client.events) {
            let found = announced.remove(&format!("{user}_{model}")).unwrap_or_default();
            let found: Vec<_> = found.iter().map(|(kind, mark)| (kind.as_str(), mark)).collect();
            let expected: Vec<_> = expected
                .iter()
                .filter(|(kind, _)| (*kind == "model.uploaded") == is_upload)
                .map(|(kind, mark)| (*kind, mark))
                .collect();
            assert_eq!(found, expected, "the events of {model} on {topic}");
        }
        assert!(announced.is_empty(), "announced and not answered for: {announced:?}");
    }
}

/// Exactly the rows of the books.
fn rows(clients: &[Client], stack: &Stack, user: &str) {
    let mut found = Vec::new();
    loop {
        let path = format!("/ai-models/{user}?limit=1000&skip={}", found.len());
        let page = stack.call(&Call::get(&path)).expect(200).json();
        let page = page.as_array().unwrap();
        found.extend(page.iter().map(|row| {
            let text = |field: &str| row[field].as_str().unwrap().to_owned();
            (text("model_id"), text("version"), text("training_dataset"))
        }));
        if page.len() < 1000 {
            break;
        }
    }
    found.sort();
    let rows = clients.iter().flat_map(|client| &client.rows);
    let mut expected: Vec<_> = rows
        .map(|((model, version), row)| (model.clone(), format!("v{version}"), row.mark.clone()))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
}

/// Each with the bytes that were sent, and on disk none that no row names.
fn files(clients: &[Client], stack: &Stack) {
    let mut large = 0;
    for client in clients {
        for ((model, version), row) in &client.rows {
            assert_eq!(client.fetch_md5(stack, model, *version), row.md5, "{model} v{version}");
            large += usize::from(row.is_large);
        }
    }
    for (folder, expected) in [("blobs", large), ("staging", 0)] {
        let found = std::fs::read_dir(stack.data_dir().join(folder)).unwrap().count();
        assert_eq!(found, expected, "files in {folder}");
    }
}

/// Each user's events by key, in the order in which they came first: what comes twice comes again.
fn announced(kafka: &Kafka, topic: &str, user: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let arguments = ["tail", topic, "--until", "end", "-o", "json", "-b", &kafka.brokers];
    let mut announced = BTreeMap::<_, Vec<_>>::new();
    for line in Environment::new().run(arguments).expect(0).json_lines() {
        let value = &line["value"];
        if value["user_id"] == *user {
            let text = |field: &str| value[field].as_str().unwrap().to_owned();
            let events = announced.entry(line["key"].as_str().unwrap().to_owned()).or_default();
            let event = (text("event_type"), text("dataset_id"));
            if !events.contains(&event) {
                events.push(event);
            }
        }
    }
    announced
}
