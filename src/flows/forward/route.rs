//! What a record on the AutoML topic asks for. Pure: from the bytes to a decision.

use crate::schema::document::Document;
use crate::schema::events::{AutomlOutput, Event, ModelUploaded, StepOutput};
use crate::schema::ids::{ModelId, UserId, Version};

/// The version that the API shows when none is asked for (contract 2.4).
const FIRST_VERSION: &str = "v1";

/// In which form an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `model.uploaded`.
    Flat,
    /// `automl-complete` in an envelope.
    Envelope,
}

/// An upload that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub form: Form,
    pub user: UserId,
    pub model: ModelId,
    pub version: Version,
    pub dataset_version: Option<String>,
}

/// What to do with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Look the model up and have it explained on this dataset.
    Trigger { upload: Upload, dataset: String },
    /// A model that names no dataset: nothing can be explained, but its files may be wanted.
    NoDataset(Upload),
    /// An event that asks for nothing, and why.
    Ignore(String),
    /// A record that nothing can be done with, and why. It never gets better.
    Poison(String),
}

/// Reads a record's value.
#[must_use]
pub fn route(value: Option<&[u8]>) -> Decision {
    let Some(value) = value else { return Decision::Poison("it has no value".to_owned()) };
    let document = match Document::parse(value) {
        Ok(document) => document,
        Err(invalid) => return Decision::Poison(format!("it is not JSON: {invalid}")),
    };
    let Some(event_type) = document.string(&["event_type"]) else {
        return Decision::Poison("it has no event_type".to_owned());
    };
    let read = match event_type.as_ref() {
        ModelUploaded::EVENT_TYPE => flat(&document),
        <AutomlOutput as StepOutput>::EVENT_TYPE => {
            if let Some(reason) = failure(&document) {
                return Decision::Ignore(reason);
            }
            envelope(&document)
        }
        other => return Decision::Ignore(format!("{other} asks for no explanation")),
    };
    match read {
        Ok((upload, Some(dataset))) => Decision::Trigger { upload, dataset },
        Ok((upload, None)) => Decision::NoDataset(upload),
        Err(reason) => Decision::Poison(reason),
    }
}

/// An upload and the dataset that the model was trained on.
type Read = Result<(Upload, Option<String>), String>;

fn flat(document: &Document) -> Read {
    let upload = Upload {
        form: Form::Flat,
        user: id(document, &["user_id"], UserId::parse)?,
        model: id(document, &["model_id"], ModelId::parse)?,
        version: version(document, &["version"])?,
        dataset_version: None,
    };
    Ok((upload, text(document, &["dataset_id"])))
}

fn envelope(document: &Document) -> Read {
    let upload = Upload {
        form: Form::Envelope,
        user: id(document, &["output", "user_id"], UserId::parse)?,
        model: id(document, &["output", "model_id"], ModelId::parse)?,
        version: version(document, &["output", "model_version"])?,
        dataset_version: text(document, &["output", "dataset_version"]),
    };
    Ok((upload, text(document, &["output", "dataset_id"])))
}

/// Why the step failed, in an envelope of a failure. Success is `failure` being null, and nothing
/// else.
fn failure(document: &Document) -> Option<String> {
    let failure = document.find(&["failure"]).filter(|raw| *raw != b"null")?;
    let word = |key| text(document, &["failure", key]);
    Some(match (word("error_type"), word("error_message")) {
        (Some(kind), Some(message)) => format!("the AutoML step failed: {kind}: {message}"),
        _ => format!("the AutoML step failed: {}", String::from_utf8_lossy(failure)),
    })
}

fn text(document: &Document, path: &[&str]) -> Option<String> {
    document.string(path).filter(|text| !text.is_empty()).map(std::borrow::Cow::into_owned)
}

fn id<T, E: std::fmt::Display>(
    document: &Document,
    path: &[&str],
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, String> {
    let name = path.last().copied().unwrap_or_default();
    let text = document.string(path).ok_or_else(|| format!("it has no {name}"))?;
    parse(&text).map_err(|invalid| invalid.to_string())
}

fn version(document: &Document, path: &[&str]) -> Result<Version, String> {
    let text = text(document, path).unwrap_or_else(|| FIRST_VERSION.to_owned());
    Version::parse(&text).map_err(|invalid| invalid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(value: &str) -> Decision {
        route(Some(value.as_bytes()))
    }

    fn trigger(value: &str) -> (Upload, String) {
        match routed(value) {
            Decision::Trigger { upload, dataset } => (upload, dataset),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_flat_upload_is_forwarded_with_the_version_it_names() {
        let (upload, dataset) = trigger(
            r#"{"event_type":"model.uploaded","user_id":"u","model_id":"m","dataset_id":"d","version":"v3","training_accuracy":NaN}"#,
        );
        assert_eq!((upload.form, upload.user.as_str()), (Form::Flat, "u"));
        assert_eq!((upload.model.as_str(), upload.version.as_str()), ("m", "v3"));
        assert_eq!(dataset, "d");
    }

    #[test]
    fn an_envelope_is_read_from_its_output() {
        let (upload, dataset) = trigger(
            r#"{"task_id":"T","event_type":"automl-complete","timestamp":"t","output":{"model_id":"m","model_version":"v2","dataset_id":"d","dataset_version":"v7","user_id":"u"},"failure":null}"#,
        );
        assert_eq!((upload.form, upload.version.as_str()), (Form::Envelope, "v2"));
        assert_eq!((dataset.as_str(), upload.dataset_version.as_deref()), ("d", Some("v7")));
    }

    #[test]
    fn a_dataset_that_is_null_or_empty_is_none() {
        for dataset in ["null", "\"\""] {
            let value = format!(
                r#"{{"event_type":"model.uploaded","user_id":"u","model_id":"m","dataset_id":{dataset}}}"#
            );
            match routed(&value) {
                Decision::NoDataset(upload) => assert_eq!(upload.version.as_str(), "v1"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_failure_and_other_events_ask_for_nothing() {
        let failed = routed(
            r#"{"task_id":"T","event_type":"automl-complete","output":{"model_id":"m","user_id":"u"},"failure":{"error_type":"AutoMLError","error_message":"no data"}}"#,
        );
        assert_eq!(
            failed,
            Decision::Ignore("the AutoML step failed: AutoMLError: no data".to_owned())
        );
        assert!(matches!(routed(r#"{"event_type":"model.deleted"}"#), Decision::Ignore(_)));
    }

    #[test]
    fn what_nothing_can_be_done_with_is_poison_and_says_why() {
        for (value, reason) in [
            ("{\"event_type\":", "not JSON"),
            ("[1]", "no event_type"),
            (r#"{"event_type":"model.uploaded","model_id":"m"}"#, "no user_id"),
            (r#"{"event_type":"model.uploaded","user_id":5,"model_id":"m"}"#, "no user_id"),
            (r#"{"event_type":"model.uploaded","user_id":"u","model_id":"a/b"}"#, "a/b"),
            (r#"{"event_type":"automl-complete","output":null,"failure":null}"#, "no user_id"),
        ] {
            match routed(value) {
                Decision::Poison(said) => assert!(said.contains(reason), "{value}: {said}"),
                other => panic!("{value}: {other:?}"),
            }
        }
        assert_eq!(route(None), Decision::Poison("it has no value".to_owned()));
        assert!(matches!(route(Some(&[0xff])), Decision::Poison(_)));
    }
}
