//! The main job in one run against one warehouse: upload a file and a folder, announce a bias report,
//! read the events back from their topics, download what was uploaded and compare, forward the uploads
//! to the explanation step, change a model and delete one.

mod pipeline;
pub(in crate::flows) mod sample;
mod witness;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::announce::{Announcement, Topic, announce};
use super::download::{Downloaded, Place, Want, download};
use super::follow::RecordSink;
use super::upload::{
    IfExists, Intake, Means, Naming, Receipt, Source, Task, UploadJob, UploadReporter, upload,
};
use crate::base::{Clock, Deadline, Failure, Kind, Shutdown};
use crate::kafka::Properties;
use crate::schema::events::{BiasReported, Event};
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::role::Dialect;
use crate::warehouse::{Options, Warehouse};
use sample::{Samples, write_samples};

const DATASET: &str = "demo-dataset";

/// Where the demonstration takes place.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub warehouse: &'a Warehouse,
    /// What further clients of the same warehouse are made of.
    pub options: &'a Options,
    pub kafka: &'a Properties,
    /// An empty folder for the models and the downloads.
    pub folder: &'a Path,
    pub clock: &'a Clock,
    pub shutdown: &'a Shutdown,
    pub deadline: Deadline,
}

/// Something that was proved, or not.
#[derive(Debug)]
pub struct Step {
    pub name: &'static str,
    pub took: Duration,
    /// What was seen.
    pub outcome: Result<String, Failure>,
}

/// What one step hands to the next.
struct Run<'a> {
    scene: Scene<'a>,
    user: UserId,
    samples: Option<Samples>,
    receipts: Vec<Receipt>,
    reporter: &'a dyn UploadReporter,
}

/// Runs every step, in order, up to the first that fails. `sink` shows the events.
pub async fn demo(
    scene: Scene<'_>,
    sink: &mut dyn RecordSink,
    reporter: &dyn UploadReporter,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let user = match UserId::parse("demo") {
        Ok(user) => user,
        Err(error) => {
            let outcome = Err(error.into());
            return vec![Step { name: "start", took: Duration::ZERO, outcome }];
        }
    };
    let mut run = Run { scene, user, samples: None, receipts: Vec::new(), reporter };
    let start = Instant::now();
    record(&mut steps, "make models", start, run.make_models());
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = run.upload_file().await;
        record(&mut steps, "upload a file", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = run.upload_folder().await;
        record(&mut steps, "upload a folder", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = tokio::task::block_in_place(|| run.send_bias());
        record(&mut steps, "send a bias event", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = tokio::task::block_in_place(|| run.read_back(sink));
        record(&mut steps, "read the events back", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = run.download().await;
        record(&mut steps, "download and compare", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = tokio::task::block_in_place(|| run.forward(sink));
        record(&mut steps, "forward to XAI", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = run.update().await;
        record(&mut steps, "update a model", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = run.delete().await;
        record(&mut steps, "delete a model", start, outcome);
    }
    if go_on(&steps) {
        let start = Instant::now();
        let outcome = tokio::task::block_in_place(|| run.read_changes(sink));
        record(&mut steps, "read the changes back", start, outcome);
    }
    steps
}

fn record(
    steps: &mut Vec<Step>,
    name: &'static str,
    start: Instant,
    outcome: Result<String, Failure>,
) {
    steps.push(Step { name, took: start.elapsed(), outcome });
}

fn go_on(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.outcome.is_ok())
}

impl Run<'_> {
    fn make_models(&mut self) -> Result<String, Failure> {
        let folder = self.scene.folder.join("models");
        let samples = std::fs::create_dir_all(&folder)
            .and_then(|()| write_samples(&folder))
            .map_err(|error| {
                Failure::wrap(Kind::Usage, error)
                    .context(format!("failed to write models to {}", folder.display()))
            })?;
        let seen = format!(
            "a classifier of {:.1} % accuracy, and a text model of four files",
            samples.training_accuracy * 100.0
        );
        self.samples = Some(samples);
        Ok(seen)
    }

    fn samples(&self) -> Result<&Samples, Failure> {
        self.samples.as_ref().ok_or_else(|| Failure::new(Kind::Internal, "no models were made"))
    }

    async fn upload_file(&mut self) -> Result<String, Failure> {
        let samples = self.samples()?;
        let accuracy = format!("{}", samples.training_accuracy);
        let fields = [
            ("name", "Demo classifier"),
            ("framework", "pytorch"),
            ("model_type", "classification"),
            ("algorithm", "logistic regression"),
            ("training_dataset", DATASET),
            ("training_accuracy", &accuracy),
        ];
        let path = samples.file.clone();
        self.upload(&path, "classifier", &fields, Naming::Single).await
    }

    async fn upload_folder(&mut self) -> Result<String, Failure> {
        let path = self.samples()?.folder.clone();
        let fields = [
            ("name", "Demo text classifier"),
            ("framework", "huggingface"),
            ("model_type", "nlp"),
            ("tags", "demo,sentiment"),
        ];
        self.upload(&path, "text-classifier", &fields, Naming::Paths).await
    }

    async fn upload(
        &mut self,
        path: &Path,
        model: &str,
        fields: &[(&str, &str)],
        naming: Naming,
    ) -> Result<String, Failure> {
        let job = UploadJob {
            user: self.user.clone(),
            model: ModelId::parse(model)?,
            source: Source::open(path, &Intake::default())?,
            version: None,
            task: Task::None,
            fields: fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            early_model_type: None,
            naming,
        };
        let Scene { warehouse, deadline, .. } = self.scene;
        let means = Means {
            warehouse,
            dialect: None,
            confirmation: None,
            if_exists: IfExists::New,
            retries: 0,
            keeps_text: false,
            reporter: self.reporter,
            deadline,
        };
        let receipt = upload(means, &job).await?;
        let count = receipt.files.len();
        let seen = format!(
            "{}, {}, MD5 as sent",
            receipt.record.coordinates(),
            if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
        );
        self.receipts.push(receipt);
        Ok(seen)
    }

    fn bias_event(&self) -> BiasReported {
        BiasReported {
            event_type: BiasReported::EVENT_TYPE.to_owned(),
            dataset_id: DATASET.to_owned(),
            user_id: self.user.to_string(),
            bias_report_id: Some("demo-bias-report".to_owned()),
            has_transformation_report: false,
            target_column_name: Some("label".to_owned()),
            task_type: Some("classification".to_owned()),
            is_folder: None,
            file_count: None,
            timestamp: self.scene.clock.now().naive(),
        }
    }

    fn send_bias(&self) -> Result<String, Failure> {
        let event = self.bias_event();
        let announcement = Announcement {
            topic: BiasReported::ROLE.topic(Dialect::Form).unwrap_or_default().to_owned(),
            key: event.key(),
            value: event.to_json().map_err(|error| Failure::wrap(Kind::Internal, error))?,
        };
        let Scene { kafka, deadline, .. } = self.scene;
        let place = announce(kafka, &announcement, Topic::MayBeCreated, deadline)?;
        Ok(format!("{place}, acknowledged"))
    }

    async fn download(&self) -> Result<String, Failure> {
        let Scene { warehouse, folder, deadline, .. } = self.scene;
        let place = Place { folder: folder.join("downloads"), overwrite: false };
        let mut count = 0;
        for receipt in &self.receipts {
            let named = &receipt.record;
            let (user, model) = (UserId::parse(&named.user_id)?, ModelId::parse(&named.model_id)?);
            let version = Version::parse(&named.version)?;
            let record = warehouse.model(&user, &model, &version, deadline).await?.value;
            let Downloaded { files, .. } =
                download(warehouse, &record, &Want::Extracted, &place, self.reporter, deadline)
                    .await?;
            count += files.len();
            compare_folders(receipt, &place.folder)?;
        }
        Ok(format!("{count} files, each with the MD5 of the original"))
    }
}

/// The files on the disk once more, by what lies there and not by what was told.
fn compare_folders(receipt: &Receipt, folder: &Path) -> Result<(), Failure> {
    let record = &receipt.record;
    let root: PathBuf = folder.join(format!("{}_{}", record.model_id, record.version));
    for file in &receipt.files {
        let path = root.join(&*file.name);
        let (size, md5) = crate::archive::md5_of(&path)?;
        if size != file.size || file.sum.md5() != Some(&md5) {
            let message = format!("{} is not what was uploaded", path.display());
            return Err(Failure::new(Kind::CheckFailed, message));
        }
    }
    Ok(())
}
