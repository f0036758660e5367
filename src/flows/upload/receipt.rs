//! The proof of an upload: the server's record, held against what was sent.

use std::time::Duration;

use serde_json::value::RawValue;

use super::{Confirmed, Difference, NoEvent, UploadJob, Uploaded};
use crate::archive::SentFile;
use crate::base::shell::quoted;
use crate::base::{Failure, Kind};
use crate::schema::model::Model;
use crate::schema::role::Dialect;
use crate::warehouse::{Received, UploadedModel};

/// What came of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is a version of its own.
    Created,
    /// The version that was there has the same files, and nothing was sent.
    Unchanged,
}

impl Status {
    /// The word for it in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The proof of an upload.
#[derive(Debug)]
pub struct Receipt {
    pub status: Status,
    pub dialect: Dialect,
    /// The server's record, without its files.
    pub record: Model,
    /// The same as it came, where that was wanted.
    pub text: Option<Box<RawValue>>,
    /// The task that was sent with it.
    pub task_id: Option<String>,
    /// The event that it caused, where that was waited for.
    pub event: Option<Confirmed>,
    /// Why none follows, if that is known.
    pub no_event: Option<NoEvent>,
    /// How often it was sent.
    pub attempts: u32,
    /// Bytes of the file or archive that were sent.
    pub bytes: u64,
    /// Every file with its size and MD5, as it was read here and as the server has it.
    pub files: Vec<SentFile>,
    /// From the connection to the last byte.
    pub sending: Duration,
    /// From the last byte to the reply.
    pub waiting: Duration,
}

impl Receipt {
    /// Whether it made a version whose event names no dataset.
    #[must_use]
    pub fn lacks_dataset(&self) -> bool {
        self.status == Status::Created && self.record.training_dataset.is_none()
    }

    /// Of files that the server had before.
    pub(super) fn unchanged(
        dialect: Dialect,
        record: Received<Model>,
        files: Vec<SentFile>,
    ) -> Self {
        Self {
            status: Status::Unchanged,
            dialect,
            record: record.value,
            text: Some(record.text),
            task_id: None,
            event: None,
            no_event: None,
            attempts: 0,
            bytes: 0,
            files,
            sending: Duration::ZERO,
            waiting: Duration::ZERO,
        }
    }
}

/// Holds the server's record against what was sent.
///
/// # Errors
/// It is of another model, or not of these files.
pub(super) fn prove(
    job: &UploadJob,
    dialect: Dialect,
    uploaded: Uploaded,
) -> Result<Receipt, Failure> {
    let UploadedModel { model: record, sink, text, bytes, sending, waiting, .. } = uploaded;
    if let Some(sent) = mistaken(job, dialect, &record) {
        let coordinates = record.coordinates();
        let message = format!("the reply tells of {coordinates}, and {sent} was sent");
        return Err(Failure::new(Kind::CheckFailed, message).hint_command(
            "see what is stored",
            &format!("dwctl models list --user-id {}", quoted(job.user.as_str())),
        ));
    }
    let task_id = job.task_id(dialect).map(str::to_owned);
    let (files, differences) = sink.conclude();
    if differences.is_empty() {
        return Ok(Receipt {
            status: Status::Created,
            dialect,
            record,
            text,
            task_id,
            event: None,
            no_event: None,
            attempts: 1,
            bytes,
            files,
            sending,
            waiting,
        });
    }
    let coordinates = record.coordinates();
    let failure = Failure::new(
        Kind::CheckFailed,
        format!(
            "what the server stored as {coordinates} is not what was sent: {}",
            told(&differences)
        ),
    );
    Err(failure
        .hint(format!("see the server's record with dwctl models files {}", quoted(&coordinates))))
}

/// What was sent, where the record is of another user, model or chosen version.
fn mistaken(job: &UploadJob, dialect: Dialect, record: &Model) -> Option<String> {
    let chosen = job.version.as_ref().filter(|_| dialect == Dialect::Form);
    let is_same = record.user_id == job.user.as_str()
        && record.model_id == job.model.as_str()
        && chosen.is_none_or(|version| record.version == version.as_str());
    (!is_same).then(|| match chosen {
        Some(version) => format!("{}@{version}", job.label()),
        None => job.label(),
    })
}

/// The first differences in words, and how many more there are.
#[must_use]
pub fn told(differences: &[Difference]) -> String {
    const SHOWN: usize = 5;
    let mut words: Vec<String> = differences.iter().take(SHOWN).map(ToString::to_string).collect();
    if differences.len() > SHOWN {
        words.push(format!("and {} more", differences.len() - SHOWN));
    }
    words.join("; ")
}
