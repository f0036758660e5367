//! Putting a model into the warehouse: which dialect, which route, the request, and the proof that
//! what arrived is what was read here.

mod again;
mod batch;
mod compare;
mod confirm;
mod curl;
mod existing;
mod job;
mod names;
mod no_event;
mod receipt;
mod source;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use batch::{BatchObserver, BatchPlan, Lanes, OnFailure, upload_all};
pub use compare::{Difference, Matching, Naming, adopt_aliases, compare};
pub use confirm::{Confirmation, Confirmed, other_topic};
pub use curl::curl_script;
pub use existing::IfExists;
pub use job::{Task, UploadJob};
pub use no_event::NoEvent;
pub use receipt::{Receipt, Status, told};
pub use source::{Form, Intake, Source};

use crate::base::shell::quoted;
use crate::base::{Deadline, Failure, Kind};
use crate::schema::role::{Dialect, Role};
use crate::warehouse::{
    Meter, Shape, UploadError, UploadRequest, UploadedModel, Warehouse, WarehouseError,
};
use confirm::{Wanted, Watchpoint, wrong_topic};
use no_event::expect_no_event;

/// Takes what happens meanwhile. Implemented by whoever shows it.
pub trait UploadReporter: Send + Sync + std::fmt::Debug {
    /// Bytes begin to move; the meter says how far they are.
    fn started(&self, label: &str, meter: &Arc<Meter>);
    /// They moved, or will not.
    fn finished(&self);
    /// Something that is worth knowing and wrong in nothing.
    fn note(&self, text: &str);
    /// Something that may not be meant.
    fn warning(&self, text: &str);
    /// The model is stored; its event is waited for.
    fn waiting_for_event(&self, coordinates: &str, topic: &str);
}

/// What was sent, held against the record of it.
type Uploaded = UploadedModel<Matching>;

/// What an upload needs beside the job.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    pub warehouse: &'a Warehouse,
    /// The dialect that somebody chose; without one the API is asked.
    pub dialect: Option<Dialect>,
    /// Wait for the event too.
    pub confirmation: Option<&'a Confirmation>,
    /// What to do where the model is there already.
    pub if_exists: IfExists,
    /// How often an upload that failed in passing is sent again.
    pub retries: u32,
    /// Whether the text of the server's record is wanted.
    pub keeps_text: bool,
    pub reporter: &'a dyn UploadReporter,
    pub deadline: Deadline,
}

/// Uploads, compares the server's record with what was read, and where that is asked for waits for
/// the event.
///
/// # Errors
/// The API cannot be reached or says no, a file changed while it was read, the record differs from
/// what was sent, or the event does not come.
pub async fn upload(means: Means<'_>, job: &UploadJob) -> Result<Receipt, Failure> {
    let Means { warehouse, deadline, .. } = means;
    let dialect = dialect_for(means, job).await?;
    if let Some(receipt) = existing::settle(means, job, dialect).await? {
        return Ok(receipt);
    }
    let watchpoint = fix(means, job, dialect).await?;
    match again::send_patiently(means, job, dialect).await {
        Ok(sent) => finish(means, job, dialect, sent, watchpoint).await,
        Err(error) if means.dialect.is_none() && does_not_fit(&error) => {
            // Nothing was stored: the route is not there, or it asks for another form.
            warehouse.forget_dialect();
            let renewed = warehouse.dialect(deadline).await?;
            if renewed == dialect {
                return Err(explain(job, dialect, error));
            }
            if let Some(receipt) = existing::settle(means, job, renewed).await? {
                return Ok(receipt);
            }
            let watchpoint = fix(means, job, renewed).await?;
            let sent = again::send_patiently(means, job, renewed)
                .await
                .map_err(|error| explain(job, renewed, error))?;
            finish(means, job, renewed, sent, watchpoint).await
        }
        Err(error) => Err(explain(job, dialect, error)),
    }
}

/// What an upload would find there, by questions that change nothing: a receipt where it would send
/// nothing, for its model is there with the same files.
///
/// # Errors
/// It is there and must not be, the API cannot be asked, or a local file cannot be read.
pub async fn foresee(means: Means<'_>, job: &UploadJob) -> Result<Option<Receipt>, Failure> {
    if means.if_exists == IfExists::New {
        return Ok(None);
    }
    let dialect = dialect_for(means, job).await?;
    existing::settle(means, job, dialect).await
}

/// The dialect that was given, else the API's.
async fn dialect_for(means: Means<'_>, job: &UploadJob) -> Result<Dialect, WarehouseError> {
    if let Some(dialect) = means.dialect {
        return Ok(dialect);
    }
    let Means { warehouse, deadline, .. } = means;
    again::ask_patiently(means, async || match needs_fresh_dialect(means, job) {
        true => warehouse.ask_dialect(deadline).await,
        false => warehouse.dialect(deadline).await,
    })
    .await
}

/// Whether more than the form of a request depends on the dialect: the task, the event's topic, what
/// the model is compared with, and what is said of a folder. An API that was renewed since the answer
/// was cached accepts the old requests without a word.
fn needs_fresh_dialect(means: Means<'_>, job: &UploadJob) -> bool {
    job.task != Task::None
        || means.confirmation.is_some()
        || means.if_exists != IfExists::New
        || job.source.shape() == Shape::Folder
}

/// Fixes the end of the topic on which the event will come.
async fn fix(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<Option<Watchpoint>, Failure> {
    let Some(confirmation) = means.confirmation else { return Ok(None) };
    // Without a task even today's service would have to announce flat events, on the flat topic.
    let spoken = if job.task_id(dialect).is_some() { Dialect::Task } else { Dialect::Flat };
    let topic = confirmation
        .topic
        .clone()
        .or_else(|| Role::Automl.topic(spoken).map(str::to_owned))
        .unwrap_or_default();
    let (confirmation, deadline) = (confirmation.clone(), means.deadline);
    blocking(move || Ok(Watchpoint::fix(&confirmation, &topic, deadline)?)).await.map(Some).map_err(
        |failure| {
            failure.context("failed to fix the end of the event's topic; nothing was uploaded")
        },
    )
}

/// Runs what waits in the Kafka library on a thread where waiting is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failure::wrap(Kind::Internal, error)))
}

/// The proof: the record, and the event where it is waited for.
async fn finish(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
    (uploaded, attempts): (Uploaded, u32),
    watchpoint: Option<Watchpoint>,
) -> Result<Receipt, Failure> {
    let server = uploaded.server.clone();
    means.warehouse.check_server(server.as_deref());
    let mut receipt = receipt::prove(job, dialect, uploaded)?;
    receipt.attempts = attempts;
    warn_of_another_version(means.reporter, job, dialect, &receipt);
    if let (Some(watchpoint), Some(confirmation)) = (watchpoint, means.confirmation) {
        let coordinates = receipt.record.coordinates();
        means.reporter.waiting_for_event(&coordinates, watchpoint.topic());
        let wanted = Wanted::of(&receipt.record, receipt.task_id.as_deref());
        let (confirmation, deadline) = (confirmation.clone(), means.deadline);
        let topic = watchpoint.topic().to_owned();
        let event = blocking(move || watchpoint.wait(&confirmation, wanted, deadline)).await;
        let event = event.map_err(|failure| {
            let failure = failure.context(format!("{coordinates} is uploaded, but its event is not there"));
            let is_folder = job.source.shape() == Shape::Folder;
            if dialect == Dialect::Task && is_folder {
                failure.hint("today's service announces no folder uploads; dwctl serve does")
            } else {
                failure.hint("an API whose broker was away when it started announces nothing until it is restarted")
            }
        })?;
        if let Some(words) = wrong_topic(&event, &topic) {
            means.reporter.warning(&words);
        }
        receipt.event = Some(event);
    } else {
        receipt.no_event = expect_no_event(means, job, server.as_deref()).await;
    }
    Ok(receipt)
}

/// A version that was asked for is not sent where the API assigns it: said only where that made a
/// difference.
fn warn_of_another_version(
    reporter: &dyn UploadReporter,
    job: &UploadJob,
    dialect: Dialect,
    receipt: &Receipt,
) {
    let made = receipt.record.version.as_str();
    if let Some(asked) = &job.version
        && dialect != Dialect::Form
        && asked.as_str() != made
    {
        reporter.warning(&format!(
            "--version {asked} was not sent: this API ({dialect}) assigns versions itself, and made {made}"
        ));
    }
}

async fn send(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<Uploaded, UploadError> {
    let Means { warehouse, reporter, deadline, .. } = means;
    if let (Task::Given(id), true) = (&job.task, dialect != Dialect::Task) {
        reporter
            .warning(&format!("--task-id {id} is not sent: this API ({dialect}) knows no tasks"));
    }
    let bytes = job.source.payload().length();
    let mut request = UploadRequest {
        keeps_text: means.keeps_text,
        answer_within: means.confirmation.map(|confirmation| confirmation.answer_within(bytes)),
        ..job.request(dialect)
    };
    for _ in 0..MOST_REDIRECTS {
        let meter = warehouse.meter(&request)?;
        reporter.started(&request.label, &meter);
        let (source, naming) = (job.source.clone(), job.naming);
        let matching = move |sent| {
            let aliases = source.aliases();
            Ok(Matching::new(source.files(sent)?, naming).with_aliases(aliases))
        };
        let sending = warehouse.upload_model(&request, &meter, matching, deadline);
        let uploaded = told_of_silence(sending, &meter, reporter).await;
        reporter.finished();
        match uploaded {
            Err(UploadError::Moved { path }) => request.moved_to = Some(path),
            other => return other,
        }
    }
    Err(UploadError::Moved { path: request.moved_to.unwrap_or_default() })
}

/// How often an upload is sent on to another place at the same origin.
const MOST_REDIRECTS: usize = 4;

/// How long a reply may take before it is said what that may mean. The service answers after 40 s
/// where its broker went away, and never where the broker was away when it started.
const SILENCE: Duration = Duration::from_secs(45);

/// Waits for an upload, and says once what a reply that does not come may mean.
async fn told_of_silence<T>(
    sending: impl Future<Output = T>,
    meter: &Meter,
    reporter: &dyn UploadReporter,
) -> T {
    let mut sending = std::pin::pin!(sending);
    let mut is_said = false;
    loop {
        tokio::select! {
            outcome = &mut sending => return outcome,
            () = tokio::time::sleep(Duration::from_secs(1)), if !is_said => {
                if is_too_silent(meter, Instant::now()) {
                    is_said = true;
                    reporter.warning(
                        "everything is sent and no reply has come: a service whose broker was away when it started stores an upload and never answers; see with dwctl models list whether this one is there, and have the service restarted",
                    );
                }
            }
        }
    }
}

fn is_too_silent(meter: &Meter, now: Instant) -> bool {
    meter.waited(now).is_some_and(|waited| waited >= SILENCE)
}

/// Whether a refusal says that the API is of another generation than was thought.
fn does_not_fit(error: &UploadError) -> bool {
    match error {
        UploadError::Warehouse(error) => {
            error.is_no_route() || error.problems().iter().any(|problem| problem.field == "user_id")
        }
        UploadError::Archive(_) | UploadError::Moved { .. } => false,
    }
}

/// A refusal with what the server did not say.
fn explain(job: &UploadJob, dialect: Dialect, error: UploadError) -> Failure {
    let UploadError::Warehouse(error) = error else { return error.into() };
    let (status, may_be_stored) = (error.status(), error.may_be_stored());
    let is_broken_off = error.is_broken_off();
    let failure = Failure::from(error);
    if may_be_stored {
        return failure.hint_command(
            "see whether it is stored",
            &format!("dwctl models show {}", quoted(&job.label())),
        );
    }
    if is_broken_off {
        return failure.hint(format!(
            "the server had not all of it; see what it has with dwctl models list --user-id {}",
            job.user
        ));
    }
    if status != Some(409) {
        return failure;
    }
    if dialect != Dialect::Form {
        // Nothing of ours names a version there: what it is about, only the server knows.
        return failure;
    }
    let coordinates = format!("{}@{}", job.label(), job.form_version());
    failure
        .context(format!("{coordinates} exists already"))
        .hint_command("see it", &format!("dwctl models show {}", quoted(&coordinates)))
        .hint("choose another --version; an API that assigns versions itself (--dialect flat) makes the next one")
}
