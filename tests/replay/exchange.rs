//! One exchange: a request as it can be sent again, the reply, and the events that followed. Read from
//! a recording, or from a list of ours, which has the same form and leaves out what it does not need.

use std::path::Path;

use serde_json::Value;

use crate::support::http::{Call, Multipart};

/// An exchange as it was.
pub struct Exchange {
    pub name: String,
    pub call: Call,
    pub reply: Expected,
    pub events: Vec<Announced>,
}

/// A reply to be had again.
pub struct Expected {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Content,
}

/// What a reply carries.
pub enum Content {
    Json(Value),
    /// Name, size and MD5 of each entry.
    Zip(Vec<(String, u64, String)>),
    /// By size and MD5.
    Bytes(u64, String),
    /// Not looked at.
    Unsaid,
}

/// An event on a topic.
#[derive(Clone)]
pub struct Announced {
    pub topic: String,
    /// Of three; a list of ours does not say it.
    pub partition: Option<i64>,
    pub key: String,
    pub value: Value,
}

/// Headers that say something about the reply's content.
const HEADERS: [&str; 4] = ["content-type", "content-disposition", "allow", "location"];

/// Before the names of topics in a recording, so that several could be made on one broker.
const TOPIC_PREFIX: &str = "g1a-";

/// All of a generation, in the order in which they were made.
pub fn read_recordings(folder: &Path) -> Vec<Exchange> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut recorded: Vec<Value> = paths
        .filter(|path| path.file_name().is_some_and(|name| name != "index.json"))
        .map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
        .collect();
    recorded.sort_by_key(|exchange| exchange["seq"].as_u64());
    recorded.iter().map(|exchange| read(text(&exchange["operation"]), exchange)).collect()
}

/// A list of ours.
pub fn read_list(list: &str) -> Vec<Exchange> {
    let list: Vec<Value> = serde_json::from_str(list).unwrap();
    list.iter().map(|exchange| read(text(&exchange["name"]), exchange)).collect()
}

fn read(name: &str, exchange: &Value) -> Exchange {
    Exchange {
        name: name.to_owned(),
        call: call(&exchange["request"]),
        reply: reply(&exchange["response"]),
        events: list(&exchange["events"]).iter().map(event).collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn call(request: &Value) -> Call {
    let mut call = Call::new(text(&request["method"]), text(&request["path"]));
    let empty = serde_json::Map::new();
    let headers = request["headers"].as_object().unwrap_or(&empty);
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with("Content-")) {
        call = call.header(name, text(value));
    }
    if let Some(body) = request["body_base64"].as_str() {
        let content_type = text(&headers["Content-Type"]);
        return call.body(content_type, openssl::base64::decode_block(body).unwrap());
    }
    if let Some(body) = request.get("json") {
        return call.body("application/json", body.to_string().into_bytes());
    }
    let form = list(&request["form"]).iter().map(|pair| (text(&pair[0]), text(&pair[1])));
    if request["encoding"] == "application/x-www-form-urlencoded" {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        return call.body("application/x-www-form-urlencoded", body.into_bytes());
    }
    if request.get("form").is_none() && request.get("files").is_none() {
        return if headers.contains_key("Content-Length") {
            call.header("Content-Length", "0")
        } else {
            call
        };
    }
    let multipart = form.fold(Multipart::new(), |body, (name, value)| body.text(name, value));
    let multipart = list(&request["files"]).iter().fold(multipart, add_file);
    call.body(&Multipart::content_type(), multipart.body())
}

fn add_file(form: Multipart, file: &Value) -> Multipart {
    let content = match file["base64"].as_str() {
        Some(base64) => openssl::base64::decode_block(base64).unwrap(),
        None => text(&file["text"]).as_bytes().to_vec(),
    };
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", text(&file["field"]));
    if let Some(name) = file["filename"].as_str() {
        head += &format!("; filename=\"{name}\"");
    }
    if let Some(content_type) = file["content_type"].as_str() {
        head += &format!("\r\nContent-Type: {content_type}");
    }
    form.raw(head.as_bytes(), &content)
}

fn reply(response: &Value) -> Expected {
    let headers = response["headers"].as_object().into_iter().flatten();
    let headers = headers
        .filter(|(name, _)| HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), without_host(text(value))));
    Expected {
        status: response["status"].as_u64().unwrap().try_into().unwrap(),
        headers: headers.collect(),
        body: content(response),
    }
}

fn content(response: &Value) -> Content {
    if let Some(entries) = response["zip_entries"].as_array() {
        let entry = |entry: &Value| {
            let size = entry["size"].as_u64().unwrap();
            (text(&entry["name"]).to_owned(), size, text(&entry["md5"]).to_owned())
        };
        return Content::Zip(entries.iter().map(entry).collect());
    }
    match (response.get("body"), response["md5"].as_str()) {
        (Some(body), _) => Content::Json(body.clone()),
        (None, Some(md5)) => Content::Bytes(response["length"].as_u64().unwrap(), md5.to_owned()),
        (None, None) => Content::Unsaid,
    }
}

/// An address without its host and port, which are those of the server that answered.
pub fn without_host(value: &str) -> String {
    match value.strip_prefix("http://").and_then(|rest| rest.split_once('/')) {
        Some((_, path)) => format!("http://HOST/{path}"),
        None => value.to_owned(),
    }
}

fn event(event: &Value) -> Announced {
    let value = match event["value_text"].as_str() {
        Some(sent) => serde_json::from_str(sent).unwrap_or_else(|_| Value::String(sent.to_owned())),
        None => event["value"].clone(),
    };
    let topic = text(&event["topic"]);
    Announced {
        topic: topic.strip_prefix(TOPIC_PREFIX).unwrap_or(topic).to_owned(),
        partition: event["partition"].as_i64(),
        key: text(&event["key"]).to_owned(),
        value,
    }
}
