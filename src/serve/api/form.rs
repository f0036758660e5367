//! Bodies of uploads: multipart read as a stream, in whatever order its parts come, with the file
//! staged and hashed while it arrives. Broken bodies are refused; whatever was staged goes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use futures_util::StreamExt;
use multer::{Field, Multipart};
use tokio::sync::mpsc;

use super::App;
use super::body;
use super::refusal::Refused;
use crate::serve::store::{Payload, Staging};

/// Bytes that a plain field may have, as in the service's framework.
const LARGEST_TEXT: usize = 1024 * 1024;
/// Fields that a form may have, as there.
const MOST_FIELDS: usize = 1000;
/// Bytes that the plain fields of a form may have together. The framework has no such bound, and a
/// thousand fields of the largest size take a gigabyte.
const LARGEST_TEXTS: usize = 8 * 1024 * 1024;
/// Bytes that the parser may take before it finds the head of a part: it keeps all of them.
const LARGEST_HEAD: usize = 4 * 1024 * 1024;
/// Chunks on their way to the disk; each may have 400 KiB, the most that is read from a connection.
const CHUNKS: usize = 2;

/// A file part.
#[derive(Debug)]
pub(super) struct FilePart {
    /// As the client sent it; never used as a path of ours.
    pub filename: String,
    pub content_type: Option<String>,
    pub payload: Payload,
}

/// What a form held.
#[derive(Debug, Default)]
pub(super) struct Form {
    texts: HashMap<String, String>,
    files: HashMap<String, FilePart>,
}

impl Form {
    /// A field's text, if it was sent and is not empty: an empty text means that there is none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A field's text as it was sent, empty or not.
    pub fn raw_text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    pub fn has_file(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub fn take_file(&mut self, name: &str) -> Option<FilePart> {
        self.files.remove(name)
    }
}

fn unreadable() -> Refused {
    Refused::bad_request("There was an error parsing the body")
}

/// A form that cannot be read, or whose client has gone or takes too long.
fn refuse_body(error: &(dyn std::error::Error + 'static)) -> Refused {
    body::refuse_slow(error).unwrap_or_else(|| {
        let mut cause: &(dyn std::error::Error + 'static) = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        unreadable().caused_by(cause.to_string())
    })
}

/// What the parser may still take before it has found the head of a part.
#[derive(Clone, Debug, Default)]
struct HeadBudget(Arc<AtomicUsize>);

impl HeadBudget {
    /// The parser looks for a head.
    fn begin(&self) {
        self.0.store(LARGEST_HEAD, Ordering::Relaxed);
    }

    /// It has found one.
    fn end(&self) {
        self.0.store(usize::MAX, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> Result<(), HeadTooLarge> {
        let left = self.0.load(Ordering::Relaxed);
        if left == usize::MAX {
            return Ok(());
        }
        self.0.store(left.checked_sub(bytes).ok_or(HeadTooLarge)?, Ordering::Relaxed);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a part's head has more than {LARGEST_HEAD} bytes")]
struct HeadTooLarge;

/// Reads a body by its content type; a body of another type is a form without fields.
pub(super) async fn read_form(app: &App, request: Request) -> Result<Form, Refused> {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match kind.as_str() {
        "multipart/form-data" => {
            let boundary = multer::parse_boundary(&content_type)
                .map_err(|_| Refused::bad_request("Missing boundary in multipart."))?;
            read_multipart(app, request.into_body(), boundary).await
        }
        "application/x-www-form-urlencoded" => {
            let body = axum::body::to_bytes(request.into_body(), LARGEST_TEXT)
                .await
                .map_err(|error| refuse_body(&error))?;
            if form_urlencoded::parse(&body).count() > MOST_FIELDS {
                return Err(too_many_fields());
            }
            Ok(Form {
                texts: form_urlencoded::parse(&body).into_owned().collect(),
                files: HashMap::new(),
            })
        }
        _ => {
            // The connection can be used again only when the body has been read.
            let mut body = request.into_body().into_data_stream();
            while let Some(Ok(_)) = body.next().await {}
            Ok(Form::default())
        }
    }
}

fn too_many_fields() -> Refused {
    Refused::bad_request(format!("Too many fields. Maximum number of fields is {MOST_FIELDS}."))
}

async fn read_multipart(app: &App, body: Body, boundary: String) -> Result<Form, Refused> {
    let budget = HeadBudget::default();
    let taken = budget.clone();
    let chunks = body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        taken.take(chunk.len()).map_err(axum::Error::new)?;
        Ok::<_, axum::Error>(chunk)
    });
    let mut multipart = Multipart::new(chunks, boundary);
    let mut form = Form::default();
    let (mut fields, mut left) = (0, LARGEST_TEXTS);
    loop {
        budget.begin();
        let next = multipart.next_field().await.map_err(|error| refuse_body(&error))?;
        budget.end();
        let Some(field) = next else { return Ok(form) };
        fields += 1;
        if fields > MOST_FIELDS {
            return Err(too_many_fields());
        }
        let Some(name) = field.name().map(str::to_owned) else { return Err(unreadable()) };
        if field.file_name().is_none() {
            let text = read_text(field, &mut left).await?;
            form.texts.insert(name, text);
            continue;
        }
        match form.files.entry(name) {
            // The framework takes the last one, and the others are lost.
            Entry::Occupied(first) => {
                let sentence = format!("Several files came in the field {:?}", first.key());
                return Err(Refused::bad_request(sentence));
            }
            Entry::Vacant(place) => {
                place.insert(read_file(app, field).await?);
            }
        }
    }
}

/// Reads a plain field. `left` is what the fields of the form may still have together.
async fn read_text(mut field: Field<'_>, left: &mut usize) -> Result<String, Refused> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| refuse_body(&error))? {
        if bytes.len() + chunk.len() > LARGEST_TEXT {
            return Err(Refused::bad_request("Part exceeded maximum size of 1024KB."));
        }
        *left = left.checked_sub(chunk.len()).ok_or_else(|| {
            let sentence = format!("The fields of the form have more than {LARGEST_TEXTS} bytes");
            Refused::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
        })?;
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| unreadable())
}

/// Stages a file: small ones in memory on this thread, larger ones on a thread for blocking work,
/// through a channel that holds the client back when the disk is slower.
async fn read_file(app: &App, mut field: Field<'_>) -> Result<FilePart, Refused> {
    let filename = field.file_name().unwrap_or_default().to_owned();
    let content_type = field.content_type().map(ToString::to_string);
    let failed = |error: &std::io::Error| stage_failed(error);
    let mut staging = Staging::new(app.store.folder(), &app.ids).map_err(|error| failed(&error))?;
    while let Some(chunk) = field.chunk().await.map_err(|error| refuse_body(&error))? {
        if !staging.stays_inline(chunk.len()) {
            let payload = spill(staging, chunk, field).await?;
            return Ok(FilePart { filename, content_type, payload });
        }
        staging.take(&chunk).map_err(|error| failed(&error))?;
    }
    let payload = staging.finish().map_err(|error| failed(&error))?;
    Ok(FilePart { filename, content_type, payload })
}

async fn spill(
    mut staging: Staging,
    first: Bytes,
    mut field: Field<'_>,
) -> Result<Payload, Refused> {
    let (chunks, mut queue) = mpsc::channel::<Bytes>(CHUNKS);
    let disk = tokio::task::spawn_blocking(move || -> std::io::Result<Option<Payload>> {
        staging.take(&first)?;
        // An empty chunk says that the part is complete; the end of the channel that it is not.
        while let Some(chunk) = queue.blocking_recv() {
            if chunk.is_empty() {
                return staging.finish().map(Some);
            }
            staging.take(&chunk)?;
        }
        Ok(None)
    });
    let mut outcome = Ok(());
    loop {
        match field.chunk().await {
            Ok(Some(chunk)) if chunk.is_empty() => {}
            Ok(Some(chunk)) => {
                if chunks.send(chunk).await.is_err() {
                    break;
                }
            }
            Ok(None) => {
                // A failed send means that the disk failed: its own error says more.
                let _ = chunks.send(Bytes::new()).await;
                break;
            }
            Err(error) => {
                outcome = Err(refuse_body(&error));
                break;
            }
        }
    }
    drop(chunks);
    let staged = disk.await.map_err(|_| {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "Failed to upload AI model")
    })?;
    outcome?;
    match staged {
        Ok(Some(payload)) => Ok(payload),
        Ok(None) => Err(unreadable()),
        Err(error) => Err(stage_failed(&error)),
    }
}

pub(super) fn stage_failed(error: &std::io::Error) -> Refused {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Refused::no_space(&format!("an upload: {error}"))
        }
        _ => Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("Model file upload failed: {error}"),
        ),
    }
}
