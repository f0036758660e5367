//! A client that keeps books: it uploads, updates and deletes versions of its own models, and knows of
//! each what the server has answered for. What a killed server did not answer may be done or not; the
//! next one is asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::Sender;

use openssl::hash::{MessageDigest, hash};

use super::Dice;
use crate::support::http::{Call, Multipart, Reply};
use crate::support::stack::Stack;

/// Models of one client. Few, so that versions are deleted and their numbers given again.
const MODELS: u64 = 3;

/// A version as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// MD5 of its file, and whether the file is too large for the database.
    pub md5: String,
    pub is_large: bool,
    /// Names the last change; every event of it carries this in `dataset_id`.
    pub mark: String,
}

/// An event that must be: its type and its mark.
pub type Event = (&'static str, String);

/// What was asked for and not answered.
struct Open {
    key: (String, u64),
    event: Event,
    /// The row, once it is done; none is a deletion.
    row: Option<Row>,
}

pub struct Client {
    pub user: String,
    name: usize,
    dice: Dice,
    count: u64,
    /// By model and number of the version.
    pub rows: BTreeMap<(String, u64), Row>,
    /// By model, in the order of the changes.
    pub events: BTreeMap<String, VecDeque<Event>>,
    open: Option<Open>,
}

impl Client {
    pub fn new(user: &str, name: usize, dice: Dice) -> Self {
        let user = user.to_owned();
        let (rows, events) = (BTreeMap::new(), BTreeMap::new());
        Self { user, name, dice, count: 0, rows, events, open: None }
    }

    /// Works until the server goes away, and tells each reply.
    pub fn work(&mut self, host: &str, told: &Sender<()>) {
        loop {
            let (call, open) = self.next_request();
            self.open = Some(open);
            let Ok(reply) = call.try_send(host) else { return };
            drop(reply.expect(200));
            self.done();
            // Nobody may listen any more.
            let _ = told.send(());
        }
    }

    fn next_request(&mut self) -> (Call, Open) {
        self.count += 1;
        let mark = format!("{}-{}", self.name, self.count);
        let model = format!("model-{}-{}", self.name, self.dice.throw(MODELS));
        let newest = self.newest(&model);
        match (self.dice.throw(4), newest) {
            (0, Some(version)) => self.delete(model, version),
            (1, Some(version)) => self.update(model, version, mark),
            (_, newest) => self.upload(model, newest.unwrap_or(0) + 1, mark),
        }
    }

    fn newest(&self, model: &str) -> Option<u64> {
        let versions = self.rows.keys().filter(|(name, _)| name == model);
        versions.map(|(_, version)| *version).max()
    }

    fn upload(&mut self, model: String, version: u64, mark: String) -> (Call, Open) {
        // Up to 64 KiB a file lives in the database.
        let size = if self.dice.throw(4) == 0 { 100_000 } else { 1_000 };
        let content: Vec<u8> = self.count.to_le_bytes().into_iter().cycle().take(size).collect();
        let form = Multipart::new().file("file", "model.pt", &content).texts(&[
            ("model_id", &model),
            ("name", "M"),
            ("framework", "pytorch"),
            ("model_type", "nlp"),
            ("training_dataset", &mark),
        ]);
        let call = Call::post(&format!("/ai-models/upload/single/{}", self.user), &form);
        let row = Row { md5: md5_of(&content), is_large: size > 64 * 1024, mark: mark.clone() };
        (call, Open { key: (model, version), event: ("model.uploaded", mark), row: Some(row) })
    }

    fn update(&mut self, model: String, version: u64, mark: String) -> (Call, Open) {
        let body = format!("{{\"training_dataset\":\"{mark}\"}}");
        let call = Call::new("PUT", &self.path(&model, version, ""));
        let call = call.body("application/json", body.into_bytes());
        let row = Row { mark: mark.clone(), ..self.rows[&(model.clone(), version)].clone() };
        (call, Open { key: (model, version), event: ("model.updated", mark), row: Some(row) })
    }

    fn delete(&mut self, model: String, version: u64) -> (Call, Open) {
        let call = Call::new("DELETE", &self.path(&model, version, ""));
        let mark = self.rows[&(model.clone(), version)].mark.clone();
        (call, Open { key: (model, version), event: ("model.deleted", mark), row: None })
    }

    fn path(&self, model: &str, version: u64, below: &str) -> String {
        format!("/ai-models/{}/{model}{below}?version=v{version}", self.user)
    }

    /// What was asked for is so.
    fn done(&mut self) {
        let Some(Open { key, event, row }) = self.open.take() else { return };
        self.events.entry(key.0.clone()).or_default().push_back(event);
        match row {
            Some(row) => self.rows.insert(key, row),
            None => self.rows.remove(&key),
        };
    }

    /// Asks a new server whether the old one did what it did not answer.
    pub fn find_out(&mut self, stack: &Stack) {
        let Some(open) = &self.open else { return };
        let reply = self.show(stack, &open.key.0, open.key.1);
        let is_done = match &open.row {
            None => reply.status == 404,
            Some(row) => reply.status == 200 && reply.json()["training_dataset"] == *row.mark,
        };
        if is_done {
            self.done();
        } else {
            self.open = None;
        }
    }

    fn show(&self, stack: &Stack, model: &str, version: u64) -> Reply {
        stack.call(&Call::get(&self.path(model, version, "")))
    }

    /// MD5 of a version's file as it comes back.
    pub fn fetch_md5(&self, stack: &Stack, model: &str, version: u64) -> String {
        let path = self.path(model, version, "/download") + "&filename=model.pt";
        md5_of(&stack.call(&Call::get(&path)).expect(200).body)
    }
}

fn md5_of(bytes: &[u8]) -> String {
    let digest = hash(MessageDigest::md5(), bytes).unwrap();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
