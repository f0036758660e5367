//! The upload of a model: one request with the fields of the form and one file, streamed with a
//! known length, hashed while it is read.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::value::RawValue;

use super::client::LARGEST_REPLY;
use super::meter::{Meter, Phase};
use super::multipart::{FilePart, Multipart};
use super::pace::Paced;
use super::record::{FileSink, Reading, Record};
use super::transport::{Call, Outgoing, Reply, Source, Upload};
use super::{Warehouse, WarehouseError};
use crate::archive::{ArchiveError, Feed, Payload, Sent};
use crate::base::Deadline;
use crate::schema::ids::UserId;
use crate::schema::model::Model;
use crate::schema::role::Dialect;

/// Maximum time for the reader of a file to end once nobody takes its bytes.
const READER: Duration = Duration::from_secs(2);

/// Which of the two routes takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One file, kept as it is.
    Single,
    /// A zip archive, unpacked by the server.
    Folder,
}

impl Shape {
    fn route(self) -> &'static str {
        match self {
            Shape::Single => "single",
            Shape::Folder => "folder",
        }
    }

    /// The name of the file's part (contract 2.2 and 2.3).
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Shape::Single => "file",
            Shape::Folder => "zip_file",
        }
    }

    /// What the file's part says that it is.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Shape::Single => "application/octet-stream",
            Shape::Folder => "application/zip",
        }
    }
}

/// What to upload, where.
#[derive(Clone, Debug)]
pub struct UploadRequest<'a> {
    pub dialect: Dialect,
    pub user: &'a UserId,
    pub shape: Shape,
    /// What errors call it, `USER/MODEL`.
    pub label: String,
    /// Fields of the form but the file, in the order in which they are sent.
    pub fields: Vec<(String, String)>,
    /// The name under which the file is sent.
    pub filename: String,
    /// `X-Task-ID`, of the `task` dialect.
    pub task_id: Option<String>,
    pub payload: &'a Payload,
    /// Files that the server's record will tell of.
    pub files: usize,
    /// Whether the record's text is wanted.
    pub keeps_text: bool,
    /// Maximum time from the last byte to the head of the reply; `None` leaves the server a quarter
    /// of an hour.
    pub answer_within: Option<Duration>,
    /// Where a redirect at the API's own origin has led; the dialect's route otherwise.
    pub moved_to: Option<String>,
}

/// What became of an upload.
#[derive(Debug)]
pub struct UploadedModel<S> {
    /// The server's record, without its files.
    pub model: Model,
    /// What took the files of the record.
    pub sink: S,
    /// The record as it came, where it was to be kept.
    pub text: Option<Box<RawValue>>,
    /// What the server calls itself.
    pub server: Option<String>,
    /// Bytes of the file or archive that were sent.
    pub bytes: u64,
    /// From the connection to the last byte.
    pub sending: Duration,
    /// From the last byte to the reply.
    pub waiting: Duration,
}

/// Either side of an upload can fail.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A redirect that keeps the request as it is (307, 308), at the API's own origin.
    #[error("the API redirects to {path} again and again")]
    Moved { path: String },
}

impl crate::base::Classify for UploadError {
    fn kind(&self) -> crate::base::Kind {
        match self {
            Self::Warehouse(error) => error.kind(),
            Self::Archive(error) => error.kind(),
            Self::Moved { .. } => crate::base::Kind::Rejected,
        }
    }

    fn hints(&self) -> Vec<crate::base::Hint> {
        match self {
            Self::Warehouse(error) => error.hints(),
            Self::Archive(error) => error.hints(),
            Self::Moved { .. } => Vec::new(),
        }
    }
}

impl UploadRequest<'_> {
    pub(super) fn path(&self, warehouse: &Warehouse) -> String {
        if let Some(path) = &self.moved_to {
            return path.clone();
        }
        let mut segments = vec!["ai-models", "upload", self.shape.route()];
        if self.dialect != Dialect::Form {
            segments.push(self.user.as_str());
        }
        warehouse.address().path(&segments)
    }

    fn multipart(&self, token: &str) -> Result<Multipart, WarehouseError> {
        let file = FilePart {
            field: self.shape.field(),
            filename: &self.filename,
            content_type: self.shape.content_type(),
        };
        Multipart::new(token, &self.fields, file)
    }

    /// Bytes of the request's body.
    ///
    /// # Errors
    /// A field or the file's name cannot be sent.
    pub fn body_length(&self) -> Result<u64, WarehouseError> {
        Ok(self.multipart(&"0".repeat(32))?.length(self.payload.length()))
    }

    /// Bytes that the record of it can have: a server that sends more sends something else. Every field
    /// comes back, at worst with each byte as `\u00XX`, and each file with its path twice.
    fn largest_record(&self) -> usize {
        const BASE: usize = 1024 * 1024;
        const FILE: usize = 16 * 1024;
        let fields: usize = self.fields.iter().map(|(name, text)| name.len() + text.len()).sum();
        let files = self.files.saturating_mul(FILE);
        BASE.saturating_add(fields.saturating_mul(6)).saturating_add(files).min(LARGEST_REPLY)
    }

    fn headers(&self, parts: &Multipart) -> Result<Vec<(HeaderName, HeaderValue)>, WarehouseError> {
        let value = |name: &str, text: &str| {
            HeaderValue::from_str(text).map_err(|_| WarehouseError::Field {
                name: name.to_owned(),
                reason: format!("{text:?} cannot stand in a header"),
            })
        };
        let mut headers = vec![(CONTENT_TYPE, value("Content-Type", &parts.content_type())?)];
        if let Some(task_id) = &self.task_id {
            headers.push((HeaderName::from_static("x-task-id"), value("X-Task-ID", task_id)?));
        }
        Ok(headers)
    }
}

/// Whether a field's text can be sent.
///
/// # Errors
/// It is larger than the service takes.
pub fn check_field(name: &str, value: &str) -> Result<(), WarehouseError> {
    let file = FilePart { field: "file", filename: "file", content_type: "text/plain" };
    Multipart::new(&"0".repeat(32), &[(name.to_owned(), value.to_owned())], file).map(drop)
}

impl Warehouse {
    /// A meter for a request, to be handed to [`Warehouse::upload_model`].
    ///
    /// # Errors
    /// A field or the file's name cannot be sent.
    pub fn meter(&self, request: &UploadRequest<'_>) -> Result<Arc<Meter>, WarehouseError> {
        Ok(Arc::new(Meter::new(request.body_length()?)))
    }

    /// Sends a model and reads the server's record of it, whose files go into what `sink` makes of what
    /// was sent.
    ///
    /// # Errors
    /// The file changed while it was read, or the API cannot be reached, stalls or says no. An early
    /// refusal ends the sending.
    pub async fn upload_model<S: FileSink + 'static>(
        &self,
        request: &UploadRequest<'_>,
        meter: &Arc<Meter>,
        sink: impl FnOnce(Sent) -> Result<S, ArchiveError> + Send + 'static,
        deadline: Deadline,
    ) -> Result<UploadedModel<S>, UploadError> {
        let action = format!("upload {}", request.label);
        let parts = request.multipart(&self.ids.hex(32))?;
        let headers = request.headers(&parts)?;
        let Feed { length, chunks, outcome } = request.payload.open()?;
        let body = Upload {
            left: parts.length(length),
            source: Source {
                prologue: Some(parts.prologue),
                chunks,
                epilogue: Some(parts.epilogue),
            },
            meter: Arc::clone(meter),
            counts: false,
            paced: self.pace.clone().map(Paced::new),
        };
        let call = Call {
            method: Method::POST,
            path: request.path(self),
            headers,
            body: Outgoing::Upload(Box::new(body)),
            repeatable: false,
            answer_within: request.answer_within,
        };
        let reading = Reading { limit: request.largest_record(), keeps_text: request.keeps_text };
        let start = Instant::now();
        let reply = self.transport.call(call, &action, Some(meter), deadline).await;
        let server = reply.as_ref().ok().and_then(Reply::server);
        let fault = match reply {
            Ok(reply) => match self.redirect(&reply, &action)? {
                // The others make a GET of it.
                Some(path) if matches!(reply.status.as_u16(), 307 | 308) => {
                    return Err(UploadError::Moved { path });
                }
                Some(target) => WarehouseError::Redirected {
                    action,
                    location: format!("{}{target}", self.address().origin()),
                },
                None if !reply.status.is_success() => match self.succeed(reply, &action).await {
                    Err(error) => error.of_upload(meter.phase()),
                    Ok(_) => self.nonsense(&action, "neither a record nor a refusal", ""),
                },
                // The reader has not ended, and may never.
                None if meter.phase() == Phase::Sending => {
                    self.nonsense(&action, "that it is done, and had not all of it", "")
                }
                None => {
                    let all = start.elapsed();
                    let sending = meter.completed_after(start).unwrap_or(all);
                    let made = move || {
                        let sent = outcome.join()?;
                        Ok::<_, ArchiveError>((sent.bytes, sink(sent)?))
                    };
                    let record = self.read_record(reply, reading, made, &action).await;
                    let record = record.map_err(|error| error.of_upload(meter.phase()))??;
                    let Record { model, sink: (bytes, sink), text } = record;
                    let waiting = all.saturating_sub(sending);
                    return Ok(UploadedModel {
                        model,
                        sink,
                        text,
                        server,
                        bytes,
                        sending,
                        waiting,
                    });
                }
            },
            Err(error) => error.of_upload(meter.phase()),
        };
        // Dropping the reply is what stops the reader: an early refusal leaves bytes unread. A reader
        // that hangs in a read of the disk is left to itself.
        let joining = tokio::task::spawn_blocking(move || outcome.join());
        let sent = match tokio::time::timeout(deadline.slice(READER), joining).await {
            Ok(joined) => {
                joined.map_err(|error| WarehouseError::Client(io::Error::other(error).into()))?
            }
            Err(_) => return Err(fault.into()),
        };
        Err(cause(fault, sent.err()))
    }
}

/// Which of the two sides tells what went wrong: a file that changed is the cause of a connection
/// that broke, and a reader that was stopped is the consequence of a refusal.
fn cause(fault: WarehouseError, reader: Option<ArchiveError>) -> UploadError {
    match reader {
        None | Some(ArchiveError::Stopped) => fault.into(),
        Some(changed) => changed.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_field_is_refused_before_anything_is_sent() {
        assert!(check_field("description", &"x".repeat(1024 * 1024)).is_ok());
        assert!(check_field("description", &"x".repeat(1024 * 1024 + 1)).is_err());
    }

    #[test]
    fn the_cause_is_told_and_not_the_consequence() {
        let lost = || WarehouseError::Lost {
            address: "a".into(),
            doing: "waiting for the reply",
            cause: io::Error::other("x").into(),
        };
        let changed = ArchiveError::Changed { path: "f".into(), what: "it grew" };
        assert!(matches!(cause(lost(), Some(changed)), UploadError::Archive(_)));
        for reader in [None, Some(ArchiveError::Stopped)] {
            assert!(matches!(cause(lost(), reader), UploadError::Warehouse(_)));
        }
    }
}
