//! Every recorded exchange of the running service, decoded and encoded again, must be the same JSON:
//! keys in their order, strings and integers exact, floats by value.
//!
//! The recordings are not part of the project. `DWCTL_RECORDINGS` names their folder; without it the
//! test says that it did nothing.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bias::{BiasReport, BiasReportRequest};
use super::dataset::{Dataset, DatasetDeleted, DatasetFile, UploadJob};
use super::document::Document;
use super::events::{
    AutomlOutput, BiasOutput, BiasReported, DatasetUploadFailed, DatasetUploaded, DriftOutput,
    Envelope, ModelUploaded, XaiOutput, XaiReported,
};
use super::job::{JobClaim, JobClaimed, JobHeartbeat, JobReleased};
use super::model::{Model, ModelFile};
use super::report::{DriftReport, TransformationReport, XaiReport};
use super::validation::Refusal;

/// Decodes and encodes.
fn again<T: DeserializeOwned + Serialize>(text: &str) -> Result<String, serde_json::Error> {
    serde_json::to_string(&serde_json::from_str::<T>(text)?)
}

type Again = fn(&str) -> Result<String, serde_json::Error>;

/// One or a list of them, as the text is.
fn each<T: DeserializeOwned + Serialize>(text: &str) -> Result<String, serde_json::Error> {
    if text.starts_with('[') { again::<Vec<T>>(text) } else { again::<T>(text) }
}

/// The type of a successful reply.
fn reply(operation: &str) -> Option<Again> {
    let subject = operation.trim_start_matches("autodw_");
    Some(match subject.split('_').next()? {
        _ if subject.starts_with("model_delete") => return None,
        "model" if subject.starts_with("model_files") => each::<ModelFile>,
        "model" => each::<Model>,
        _ if subject.starts_with("dataset_delete") => again::<DatasetDeleted>,
        "dataset" if subject.starts_with("dataset_files") => each::<DatasetFile>,
        "dataset" if subject == "dataset_job_dataset" => each::<Dataset>,
        "dataset" if subject.starts_with("dataset_job") => again::<UploadJob>,
        "dataset" if subject.starts_with("dataset_upload_folder") => again::<UploadJob>,
        "dataset" => each::<Dataset>,
        _ if subject.contains("_delete") => return None,
        "bias" => each::<BiasReport>,
        "transformation" => each::<TransformationReport>,
        "xai" => each::<XaiReport>,
        "drift" => each::<DriftReport>,
        "job" if subject.contains("heartbeat") => again::<JobHeartbeat>,
        "job" if subject.contains("release") && !subject.contains("claim") => again::<JobReleased>,
        "job" => again::<JobClaimed>,
        _ => return None,
    })
}

/// The type of a JSON request that was accepted.
fn request(operation: &str) -> Option<Again> {
    match operation.split('_').next()? {
        "bias" => Some(again::<BiasReportRequest>),
        "transformation" => Some(again::<TransformationReport>),
        "drift" => Some(again::<DriftReport>),
        "job" if operation.contains("_claim") => Some(again::<JobClaim>),
        _ => None,
    }
}

fn event(event_type: &str) -> Option<Again> {
    Some(match event_type {
        "model.uploaded" => again::<ModelUploaded>,
        "bias.reported" => again::<BiasReported>,
        "dataset.uploaded" => again::<DatasetUploaded>,
        "dataset.upload.failed" => again::<DatasetUploadFailed>,
        "xai.reported" => again::<XaiReported>,
        "automl-complete" => again::<Envelope<AutomlOutput>>,
        "bias-detection-complete" => again::<Envelope<BiasOutput>>,
        "xai-complete" => again::<Envelope<XaiOutput>>,
        "concept-drift-complete" => again::<Envelope<DriftOutput>>,
        _ => return None,
    })
}

/// Equal in the order of keys too, which `Value`'s own comparison does not look at.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.0 == y.0 && same(x.1, y.1))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y))
        }
        _ => a == b,
    }
}

#[derive(Default)]
struct Checked {
    replies: usize,
    requests: usize,
    events: usize,
    bare: usize,
    wrong: Vec<String>,
}

impl Checked {
    fn text(&mut self, what: &str, again: Again, text: &str) {
        let outcome = again(text).map_err(|error| error.to_string()).and_then(|encoded| {
            let [sent, back]: [Value; 2] =
                [text, &encoded].map(|text| serde_json::from_str(text).unwrap());
            if same(&sent, &back) { Ok(()) } else { Err(format!("{sent} became {back}")) }
        });
        if let Err(reason) = outcome {
            self.wrong.push(format!("{what}: {reason}"));
        }
    }

    fn exchange(&mut self, path: &Path, recorded: &Value) {
        let what = path.display().to_string();
        let operation = recorded["operation"].as_str().unwrap();
        let response = &recorded["response"];
        let succeeded = response["status"].as_u64().is_some_and(|status| status < 300);
        let body = response["body"].to_string();
        let again = if succeeded { reply(operation) } else { Some(again::<Refusal> as Again) };
        if let Some(again) =
            again.filter(|_| response["body"].is_object() || response["body"].is_array())
        {
            self.replies += 1;
            self.text(&what, again, &body);
        }
        let sent = &recorded["request"]["json"];
        if let Some(again) = request(operation).filter(|_| succeeded && sent.is_object()) {
            self.requests += 1;
            self.text(&what, again, &sent.to_string());
        }
        for sent in recorded["events"].as_array().into_iter().flatten() {
            self.event(&what, sent["value_text"].as_str().unwrap());
        }
    }

    fn event(&mut self, what: &str, text: &str) {
        let document = Document::parse(text.as_bytes()).unwrap();
        let event_type = document.string(&["event_type"]).unwrap();
        let Some(again) = event(&event_type) else {
            self.wrong.push(format!("{what}: nothing reads {event_type:?}"));
            return;
        };
        self.events += 1;
        if document.facts().bare_numbers {
            // No JSON type holds NaN: such a value is read with null in its place and shown as text.
            self.bare += 1;
            assert_eq!(document.text(), text);
            self.text(what, again, &document.strict());
        } else {
            self.text(what, again, text);
        }
    }
}

#[test]
fn recordings_decode_and_encode_to_the_same_json() {
    let Some(folder) = std::env::var_os("DWCTL_RECORDINGS") else {
        eprintln!(
            "SKIPPED recordings_decode_and_encode_to_the_same_json: DWCTL_RECORDINGS is not set"
        );
        return;
    };
    let mut checked = Checked::default();
    for generation in ["form", "seed-events", "today"] {
        let mut paths: Vec<_> = std::fs::read_dir(Path::new(&folder).join(generation))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().is_some_and(|name| name != "index.json"))
            .collect();
        paths.sort();
        for path in paths {
            let recorded: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            checked.exchange(&path, &recorded);
        }
    }
    assert!(checked.wrong.is_empty(), "{}", checked.wrong.join("\n"));
    eprintln!(
        "{} replies, {} requests and {} events, {} of them with bare numbers",
        checked.replies, checked.requests, checked.events, checked.bare
    );
    assert!(checked.replies > 250 && checked.events > 40 && checked.bare > 1);
}
