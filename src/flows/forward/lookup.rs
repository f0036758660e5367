//! Looking up what events are about, many at once, on the runtime: the record of the API, and a
//! model's files where they are wanted. Answers come back over a channel to the one thread that decides.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::retry::{Verdict, judge, judge_download};
use super::route::{Record, Upload, Wanted};
use crate::base::{Deadline, Failure};
use crate::flows::download::{Place, Want, download};
use crate::flows::upload::UploadReporter;
use crate::schema::model::Model;
use crate::warehouse::{Meter, Warehouse, WarehouseError};

/// How long one look-up may take; it is repeated, unlike a download, which may take for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// Locks under which folders are written.
const LOCKS: usize = 64;

/// What a look-up found.
#[derive(Debug)]
pub(super) struct Found {
    pub record: Record,
    /// Where the files are, when they were wanted.
    pub files: Option<PathBuf>,
}

/// Why a look-up found nothing.
#[derive(Debug)]
pub(super) struct Missed {
    pub verdict: Verdict,
    pub failure: Failure,
}

impl From<WarehouseError> for Missed {
    fn from(error: WarehouseError) -> Self {
        Self { verdict: judge(&error), failure: error.into() }
    }
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
    pub fn start(&self, number: u64, wanted: &Wanted, deadline: Deadline) {
        let (shared, wanted) = (Arc::clone(&self.shared), wanted.clone());
        let answers = self.answers.clone();
        self.runtime.spawn(async move {
            let outcome = shared.look_up(&wanted, deadline).await;
            // Nobody listens any more when the run has ended meanwhile.
            let _ = answers.send((number, outcome.map_err(Box::new)));
        });
    }
}

impl Shared {
    async fn look_up(&self, wanted: &Wanted, deadline: Deadline) -> Result<Found, Missed> {
        match wanted {
            Wanted::Model { upload, .. } => self.look_up_model(upload, deadline).await,
            Wanted::Dataset { user, dataset, version } => {
                let patience = deadline.within(PATIENCE);
                let record = self.warehouse.dataset(user, dataset, version, patience).await?;
                Ok(Found { record: Record::Dataset(Box::new(record)), files: None })
            }
        }
    }

    async fn look_up_model(&self, upload: &Upload, deadline: Deadline) -> Result<Found, Missed> {
        let Upload { user, model, version, .. } = upload;
        let patience = deadline.within(PATIENCE);
        let record = self.warehouse.model(user, model, version, patience).await?.value;
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
        Ok(Found { record: Record::Model(Box::new(record)), files })
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

    fn waiting_for_event(&self, _coordinates: &str, _topic: &str) {}

    fn note(&self, _text: &str) {}

    fn warning(&self, _text: &str) {}
}
