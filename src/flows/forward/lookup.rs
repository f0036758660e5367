//! Looking models up, many at once, on the runtime: the record of the API, and its files where they
//! are wanted. Answers come back over a channel to the one thread that decides.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::retry::{Verdict, judge, judge_download};
use super::route::Upload;
use crate::base::{Deadline, Failure};
use crate::flows::download::{Place, Want, download};
use crate::flows::upload::UploadReporter;
use crate::schema::model::Model;
use crate::warehouse::{Meter, Warehouse};

/// How long one look-up may take; it is repeated, unlike a download, which may take for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// Locks under which folders are written.
const LOCKS: usize = 64;

/// What a look-up found.
#[derive(Debug)]
pub(super) struct Found {
    pub model: Model,
    /// Where the files are, when they were wanted.
    pub files: Option<PathBuf>,
}

/// Why a look-up found nothing.
#[derive(Debug)]
pub(super) struct Missed {
    pub verdict: Verdict,
    pub failure: Failure,
}

/// A look-up's end, under the number of its record.
pub(super) type Answer = (u64, Result<Found, Box<Missed>>);

/// Makes look-ups.
pub(super) struct Lookups {
    shared: Arc<Shared>,
    runtime: Handle,
    answers: Sender<Answer>,
}

struct Shared {
    warehouse: Warehouse,
    download_dir: Option<PathBuf>,
    /// Two events of one version must not write its files at once.
    locks: Vec<Mutex<()>>,
}

impl Lookups {
    pub fn new(
        warehouse: Warehouse,
        download_dir: Option<PathBuf>,
        runtime: Handle,
        answers: Sender<Answer>,
    ) -> Self {
        let locks = (0..LOCKS).map(|_| Mutex::default()).collect();
        Self { shared: Arc::new(Shared { warehouse, download_dir, locks }), runtime, answers }
    }

    /// Begins one; its answer comes over the channel.
    pub fn start(&self, number: u64, upload: &Upload, deadline: Deadline) {
        let (shared, upload) = (Arc::clone(&self.shared), upload.clone());
        let answers = self.answers.clone();
        self.runtime.spawn(async move {
            let outcome = shared.look_up(&upload, deadline).await;
            // Nobody listens any more when the run has ended meanwhile.
            let _ = answers.send((number, outcome.map_err(Box::new)));
        });
    }
}

impl Shared {
    async fn look_up(&self, upload: &Upload, deadline: Deadline) -> Result<Found, Missed> {
        let Upload { user, model, version, .. } = upload;
        let record = self
            .warehouse
            .model(user, model, version, deadline.within(PATIENCE))
            .await
            .map_err(|error| Missed { verdict: judge(&error), failure: error.into() })?
            .value;
        let files = match &self.download_dir {
            None => None,
            Some(folder) => {
                // Ids are names of folders: they hold no separators and mean no parent.
                let folder = [user.as_str(), model.as_str(), version.as_str()]
                    .iter()
                    .fold(folder.clone(), |path, part| path.join(part));
                let path = self
                    .fetch(&record, folder, deadline)
                    .await
                    .map_err(|failure| Missed { verdict: judge_download(&failure), failure })?;
                Some(path)
            }
        };
        Ok(Found { model: record, files })
    }

    async fn fetch(
        &self,
        record: &Model,
        folder: PathBuf,
        deadline: Deadline,
    ) -> Result<PathBuf, Failure> {
        let mut hasher = DefaultHasher::new();
        folder.hash(&mut hasher);
        let lock = usize::try_from(hasher.finish() % LOCKS as u64).unwrap_or(0);
        let _writing = self.locks[lock].lock().await;
        // A redelivery writes what is there already.
        let place = Place { folder, overwrite: true };
        let got = download(&self.warehouse, record, &Want::All, &place, &Unseen, deadline).await?;
        Ok(got.path)
    }
}

/// Many move at once: none of them is drawn.
#[derive(Debug)]
struct Unseen;

impl UploadReporter for Unseen {
    fn started(&self, _label: &str, _meter: &Arc<Meter>) {}

    fn finished(&self) {}

    fn waiting_for_event(&self, _topic: &str) {}

    fn note(&self, _text: &str) {}

    fn warning(&self, _text: &str) {}
}
