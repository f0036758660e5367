//! Putting a model into the warehouse: which dialect, which route, the request, and the proof that
//! what arrived is what was read here.

mod compare;
mod source;

use std::sync::Arc;
use std::time::Duration;

pub use compare::{Difference, Naming, compare};
pub use source::{Form, Source};

use crate::archive::SentFile;
use crate::base::{Deadline, Failure, Kind};
use crate::schema::ids::{ModelId, UserId};
use crate::schema::model::Model;
use crate::schema::role::Dialect;
use crate::warehouse::{
    Meter, Received, Shape, UploadError, UploadRequest, UploadedModel, Warehouse,
};

/// What to upload, as it was asked for.
#[derive(Clone, Debug)]
pub struct UploadJob {
    pub user: UserId,
    pub model: ModelId,
    pub source: Source,
    /// Only the `form` dialect takes one.
    pub version: Option<String>,
    /// The form's other fields in the order of the service's documentation.
    pub fields: Vec<(String, String)>,
    /// Whether the server keeps the folders of an archive.
    pub naming: Naming,
}

/// Takes what happens meanwhile. Implemented by whoever shows it.
pub trait UploadReporter: Send + Sync {
    /// Bytes begin to move; the meter says how far they are.
    fn started(&self, label: &str, meter: &Arc<Meter>);
    /// They moved, or will not.
    fn finished(&self);
    /// Something that may not be meant.
    fn warning(&self, text: &str);
}

/// The proof of an upload.
#[derive(Debug)]
pub struct Receipt {
    pub dialect: Dialect,
    pub record: Received<Model>,
    /// Bytes of the file or archive.
    pub bytes: u64,
    /// Every file with its size and MD5, as it was read here and as the server has it.
    pub files: Vec<SentFile>,
    /// From the connection to the last byte.
    pub sending: Duration,
    /// From the last byte to the reply.
    pub waiting: Duration,
}

impl UploadJob {
    /// `USER/MODEL`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}", self.user, self.model)
    }

    fn fields(&self, dialect: Dialect) -> Vec<(String, String)> {
        let mut fields = Vec::with_capacity(self.fields.len() + 3);
        if dialect == Dialect::Form {
            fields.push(("user_id".to_owned(), self.user.to_string()));
        }
        fields.push(("model_id".to_owned(), self.model.to_string()));
        if let (Dialect::Form, Some(version)) = (dialect, &self.version) {
            fields.push(("version".to_owned(), version.clone()));
        }
        fields.extend(self.fields.iter().cloned());
        fields
    }

    /// The request in one dialect.
    #[must_use]
    pub fn request(&self, dialect: Dialect) -> UploadRequest<'_> {
        UploadRequest {
            dialect,
            user: &self.user,
            shape: self.source.shape(),
            label: self.label(),
            fields: self.fields(dialect),
            filename: self.source.filename().to_owned(),
            task_id: None,
            payload: self.source.payload(),
        }
    }
}

/// Uploads and compares the server's record with what was read. `given` is the dialect that somebody
/// chose; without one the API is asked.
///
/// # Errors
/// The API cannot be reached or says no, a file changed while it was read, or the record differs
/// from what was sent.
pub async fn upload(
    warehouse: &Warehouse,
    job: &UploadJob,
    given: Option<Dialect>,
    reporter: &dyn UploadReporter,
    deadline: Deadline,
) -> Result<Receipt, Failure> {
    let dialect = match given {
        Some(dialect) => dialect,
        None => warehouse.dialect(deadline).await?,
    };
    let first = send(warehouse, job, dialect, reporter, deadline).await;
    let (dialect, uploaded) = match first {
        Err(error) if given.is_none() && does_not_fit(&error) => {
            // Nothing was stored: the route is not there, or it asks for another form.
            warehouse.forget_dialect();
            let again = warehouse.dialect(deadline).await?;
            if again == dialect {
                return Err(explain(job, error));
            }
            (again, send(warehouse, job, again, reporter, deadline).await)
        }
        other => (dialect, other),
    };
    let uploaded = uploaded.map_err(|error| explain(job, error))?;
    prove(job, dialect, uploaded)
}

async fn send(
    warehouse: &Warehouse,
    job: &UploadJob,
    dialect: Dialect,
    reporter: &dyn UploadReporter,
    deadline: Deadline,
) -> Result<UploadedModel, UploadError> {
    if let (Some(version), true) = (&job.version, dialect != Dialect::Form) {
        reporter.warning(&format!(
            "--version {version} is not sent: this API ({dialect}) assigns versions itself"
        ));
    }
    let request = job.request(dialect);
    let meter = warehouse.meter(&request)?;
    reporter.started(&request.label, &meter);
    let uploaded = warehouse.upload_model(&request, &meter, deadline).await;
    reporter.finished();
    uploaded
}

/// Whether a refusal says that the API is of another generation than was thought.
fn does_not_fit(error: &UploadError) -> bool {
    match error {
        UploadError::Warehouse(error) => {
            error.is_no_route() || error.problems().iter().any(|problem| problem.field == "user_id")
        }
        UploadError::Archive(_) => false,
    }
}

/// A refusal with what the server did not say.
fn explain(job: &UploadJob, error: UploadError) -> Failure {
    let status = match &error {
        UploadError::Warehouse(error) => error.status(),
        UploadError::Archive(_) => None,
    };
    let failure = Failure::from(error);
    if status != Some(409) {
        return failure;
    }
    let version = job.version.as_deref().unwrap_or("v1");
    failure
        .context(format!("{}@{version} exists already", job.label()))
        .hint(format!("see it with dwctl models show {}@{version}", job.label()))
        .hint("choose another --version; an API that assigns versions itself (--dialect flat) makes the next one")
}

fn prove(job: &UploadJob, dialect: Dialect, uploaded: UploadedModel) -> Result<Receipt, Failure> {
    let UploadedModel { record, sent, sending, waiting } = uploaded;
    let bytes = sent.bytes;
    let files = job.source.files(sent)?;
    let differences = compare(&files, &record.value.files, job.naming);
    if differences.is_empty() {
        return Ok(Receipt { dialect, record, bytes, files, sending, waiting });
    }
    let coordinates = record.value.coordinates();
    let failure = Failure::new(
        Kind::CheckFailed,
        format!(
            "what the server stored as {coordinates} is not what was sent: {}",
            told(&differences)
        ),
    );
    Err(failure.hint(format!("see the server's record with dwctl models files {coordinates}")))
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

/// Which route an archive or file takes.
impl Source {
    fn shape(&self) -> Shape {
        match self {
            Source::File { .. } => Shape::Single,
            Source::Folder { .. } | Source::ReadyZip { .. } => Shape::Folder,
        }
    }
}
