//! The steps of a run, one after the other, and what one hands to the next.

use std::future::Future;
use std::time::{Duration, Instant};

use super::cleanup::{Resource, Stored, remove};
use super::diagnosis;
use super::watch::{EventWatch, Seen};
use super::{Deadlines, Fault, Means, Outcome, SmokePlan, Step, Trouble};
use crate::base::{Deadline, Failure, Kind};
use crate::flows::demo::sample::{Samples, write_samples};
use crate::flows::follow;
use crate::flows::upload::{self, IfExists, Intake, Naming, Receipt, Source, Task, UploadJob};
use crate::schema::events::{AutomlOutput, Event, ModelUploaded, StepOutput, model_key};
use crate::schema::ids::{ModelId, Version};
use crate::schema::role::{Dialect, Role};

/// The triggers that `forward` sends, of every generation.
const XAI_TRIGGERS: [&str; 3] = ["xai.trigger", "xai-trigger.reported", "xai-trigger"];
/// An answer that takes longer has waited for a broker that is away (contract B2: 40 s).
const SLOW: Duration = Duration::from_secs(10);

/// A model that was put up.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub receipt: Receipt,
    pub at: Instant,
    took: Duration,
}

/// What is uploaded: a file, and where that is asked for a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    File,
    Folder,
}

impl Subject {
    fn name(self, [file, folder]: [&'static str; 2]) -> &'static str {
        match self {
            Self::File => file,
            Self::Folder => folder,
        }
    }
}

pub(super) struct Run<'a> {
    pub means: Means<'a>,
    pub plan: &'a SmokePlan,
    pub ends: Deadlines,
    pub watch: EventWatch,
    pub dialect: Dialect,
    pub stored: Vec<Stored>,
    steps: Vec<Step>,
}

impl<'a> Run<'a> {
    /// Begins to watch the topics; nothing else is done yet.
    pub fn begin(means: Means<'a>, plan: &'a SmokePlan, ends: Deadlines) -> Self {
        let mut roles = vec![Role::Automl];
        roles.extend(plan.with_bias.then_some(Role::Bias));
        if plan.through_forward {
            // The seed's own trigger goes to the topic of the explanations.
            roles.extend([Role::XaiTrigger, Role::Xai]);
        }
        // An API of another configuration announces under the role's other name (contract B26).
        let names = |role| follow::Source::all_of_role(role, plan.topic(role));
        let sources = roles.into_iter().flat_map(names).collect();
        let watch = EventWatch::start(means.kafka, sources, &plan.token, ends.work);
        let (stored, steps) = (Vec::new(), Vec::new());
        Self { means, plan, ends, watch, dialect: Dialect::Form, stored, steps }
    }

    /// Every step but the removal.
    pub async fn work(&mut self) {
        let start = Instant::now();
        let outcome = self.reach_api().await;
        self.record("api", start.elapsed(), outcome);
        let outcome = self.reach_brokers().await;
        self.record("brokers", start.elapsed(), outcome);
        if !self.go_on() || self.steps.iter().any(|step| is_failed(&step.outcome)) {
            return;
        }
        let start = Instant::now();
        let samples = match self.make_samples() {
            Ok(samples) => samples,
            Err(trouble) => return self.record("upload", start.elapsed(), Err(trouble)),
        };
        let file = self.prove(Subject::File, &samples).await;
        let folder = match self.plan.with_folder && self.go_on() {
            true => self.prove(Subject::Folder, &samples).await,
            false => None,
        };
        if self.plan.with_bias && self.go_on() {
            let start = Instant::now();
            let outcome = self.prove_bias().await;
            self.record("bias event", start.elapsed(), outcome);
        }
        self.read_events(file.as_ref(), folder.as_ref()).await;
    }

    /// The steps, and the removal of what they stored.
    pub async fn finish(self) -> (Vec<Step>, Step) {
        let deadline = match self.means.shutdown.is_requested() {
            true => self.ends.all.earlier(Deadline::after(super::REMOVAL)),
            false => self.ends.all,
        };
        let start = Instant::now();
        let outcome = remove(self.means.warehouse, &self.plan.user, &self.stored, deadline).await;
        self.watch.end().await;
        (self.steps, Step { name: "delete", took: start.elapsed(), outcome })
    }

    fn go_on(&self) -> bool {
        !self.means.shutdown.is_requested()
    }

    /// A step that a stop cut short proves nothing and refutes nothing.
    fn record(&mut self, name: &'static str, took: Duration, outcome: Result<String, Trouble>) {
        let outcome = match outcome {
            Ok(evidence) => Outcome::Passed(evidence),
            Err(_) if !self.go_on() => Outcome::Skipped(super::STOPPED),
            Err(trouble) => Outcome::Failed(trouble),
        };
        self.steps.push(Step { name, took, outcome });
    }

    /// What was remembered of the API is no proof: it is asked again.
    async fn reach_api(&mut self) -> Result<String, Trouble> {
        let Means { warehouse, .. } = self.means;
        warehouse.forget_dialect();
        let spoken = warehouse.dialect(self.ends.work).await?;
        self.dialect = self.means.dialect.unwrap_or(spoken);
        let (address, dialect) = (warehouse.address(), self.dialect);
        if dialect == spoken {
            return Ok(format!("{address}, dialect {dialect}"));
        }
        Ok(format!("{address}, dialect {dialect} as was set; it speaks {spoken}"))
    }

    async fn reach_brokers(&self) -> Result<String, Trouble> {
        let ends = self.unless_stopped(self.watch.ends(self.ends.look)).await?;
        Ok(format!("{}, {ends}", self.means.kafka.brokers()))
    }

    /// A future of which nothing is left to be removed ends at a stop.
    pub async fn unless_stopped<T>(
        &self,
        future: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            outcome = future => outcome,
            _ = self.means.shutdown.requested() => Err(Failure::new(Kind::Interrupted, "stopped")),
        }
    }

    /// The models of `demo`, and in the folder a second file of a name that is there already: a
    /// service that forgets the folders stores one over the other.
    fn make_samples(&self) -> Result<Samples, Trouble> {
        let folder = self.means.folder.join("models");
        let made = std::fs::create_dir_all(&folder).and_then(|()| {
            let samples = write_samples(&folder)?;
            let inner = samples.folder.join("tokenizer");
            std::fs::create_dir(&inner)?;
            std::fs::write(inner.join("config.json"), "{\"lowercase\": true}\n")?;
            Ok(samples)
        });
        made.map_err(|error| {
            let failure = Failure::wrap(Kind::Usage, error);
            failure.context(format!("failed to write models to {}", folder.display())).into()
        })
    }

    /// One model up, and all that can be asked about it.
    async fn prove(&mut self, subject: Subject, samples: &Samples) -> Option<Uploaded> {
        let start = Instant::now();
        let outcome = self.upload(subject, samples).await;
        let took = start.elapsed();
        let name = subject.name(["upload", "folder upload"]);
        let uploaded = match outcome {
            Ok(receipt) => Uploaded { receipt, at: Instant::now(), took },
            Err(trouble) => {
                self.record(name, took, Err(trouble));
                return None;
            }
        };
        self.record(name, took, Ok(super::proof::receipt(&uploaded.receipt)));
        if self.go_on() {
            let start = Instant::now();
            let outcome = self.metadata(subject, &uploaded.receipt).await;
            let name = subject.name(["metadata", "folder metadata"]);
            self.record(name, start.elapsed(), outcome);
        }
        if self.go_on() {
            let start = Instant::now();
            let outcome = self.files(subject, &uploaded.receipt).await;
            self.record(subject.name(["files", "folder files"]), start.elapsed(), outcome);
        }
        if self.go_on() {
            let start = Instant::now();
            let outcome = self.download(&uploaded.receipt).await;
            self.record(subject.name(["download", "folder download"]), start.elapsed(), outcome);
        }
        Some(uploaded)
    }

    async fn upload(&mut self, subject: Subject, samples: &Samples) -> Result<Receipt, Trouble> {
        let job = self.job(subject, samples)?;
        // Its version is the first one: nobody else has this id.
        let place = self.stored.len();
        let first = Version::parse("v1").map_err(Failure::from)?;
        let what = Resource::Model { model: job.model.clone(), version: first };
        self.stored.push(Stored { what, is_certain: false });
        let means = upload::Means {
            warehouse: self.means.warehouse,
            dialect: Some(self.dialect),
            confirmation: None,
            if_exists: IfExists::New,
            retries: 0,
            keeps_text: false,
            reporter: self.means.reporter,
            deadline: self.ends.work,
        };
        let start = Instant::now();
        let receipt = match upload::upload(means, &job).await {
            Ok(receipt) => receipt,
            Err(failure) => {
                let waited = start.elapsed();
                return Err(diagnosis::of_upload(self, &job, failure, waited).await);
            }
        };
        let version = Version::parse(&receipt.record.version).map_err(Failure::from)?;
        let what = Resource::Model { model: job.model, version };
        self.stored[place] = Stored { what, is_certain: true };
        Ok(receipt)
    }

    fn job(&self, subject: Subject, samples: &Samples) -> Result<UploadJob, Failure> {
        let token = &self.plan.token;
        let (path, ending, framework, naming) = match subject {
            Subject::File => (&samples.file, "file", "pytorch", Naming::Single),
            Subject::Folder => (&samples.folder, "folder", "huggingface", Naming::Paths),
        };
        let mut fields = vec![
            ("name", "dwctl smoke".to_owned()),
            ("description", format!("made and deleted by dwctl smoke, run {token}")),
            ("framework", framework.to_owned()),
            ("model_type", "classification".to_owned()),
        ];
        // A model of a data set may be explained by somebody; without one nothing follows.
        if subject == Subject::File && self.plan.through_forward {
            fields.push(("training_dataset", format!("{token}-dataset")));
        }
        Ok(UploadJob {
            user: self.plan.user.clone(),
            model: ModelId::parse(&format!("{token}-{ending}"))?,
            source: Source::open(path, &Intake::default())?,
            version: None,
            task: Task::Own(format!("{token}-{ending}-task")),
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            early_model_type: None,
            naming,
        })
    }

    /// What the uploads caused; what is not there by the deadline is missing.
    async fn read_events(&mut self, file: Option<&Uploaded>, folder: Option<&Uploaded>) {
        for (subject, uploaded) in [(Subject::File, file), (Subject::Folder, folder)] {
            if let (Some(uploaded), true) = (uploaded, self.go_on()) {
                let (took, outcome) = self.event(subject, uploaded).await;
                self.record(subject.name(["event", "folder event"]), took, outcome);
            }
        }
        if let (Some(uploaded), true, true) = (file, self.plan.through_forward, self.go_on()) {
            let (took, outcome) = self.trigger(uploaded).await;
            self.record("xai trigger", took, outcome);
        }
    }

    /// Waits for an event of a model; the time is that from the answer to the event.
    async fn await_event(
        &self,
        uploaded: &Uploaded,
        kinds: &[&str],
    ) -> (Duration, Result<Option<Seen>, Failure>) {
        let model = uploaded.receipt.record.model_id.as_str();
        let is_it = |seen: &Seen| {
            let kind = seen.field("event_type");
            kind.is_some_and(|kind| kinds.contains(&kind.as_str()))
                && seen.field("model_id").as_deref() == Some(model)
        };
        let found = self.unless_stopped(self.watch.event(self.event_deadline(), is_it)).await;
        let at = match &found {
            Ok(Some(seen)) => seen.at,
            _ => Instant::now(),
        };
        (at.saturating_duration_since(uploaded.at), found)
    }

    async fn event(
        &self,
        subject: Subject,
        uploaded: &Uploaded,
    ) -> (Duration, Result<String, Trouble>) {
        let kinds = [ModelUploaded::EVENT_TYPE, <AutomlOutput as StepOutput>::EVENT_TYPE];
        let (took, found) = self.await_event(uploaded, &kinds).await;
        let outcome = match found {
            Ok(Some(seen)) => judge_event(uploaded, &seen).map(|evidence| {
                let is_task = uploaded.receipt.task_id.is_some();
                evidence + &self.remark_on_topic(Role::Automl, is_task, &seen)
            }),
            Ok(None) => Err(self.unannounced(subject, uploaded)),
            Err(failure) => Err(failure.into()),
        };
        (took, outcome)
    }

    /// The names under which a role's events are awaited.
    pub fn names_of(&self, role: Role) -> String {
        let sources = follow::Source::all_of_role(role, self.plan.topic(role));
        let names: Vec<&str> = sources.iter().flat_map(follow::Source::candidates).collect();
        names.join(" or ")
    }

    /// Until when an event is awaited.
    pub fn event_deadline(&self) -> Deadline {
        match self.plan.event_patience {
            Some(patience) => self.ends.work.within(patience),
            None => self.ends.work,
        }
    }

    /// Warns of an event on another name of its topic, and returns the remark for its evidence.
    pub fn remark_on_topic(&self, role: Role, is_task: bool, seen: &Seen) -> String {
        let dialect = if is_task { Dialect::Task } else { Dialect::Flat };
        let set = self.plan.topic(role);
        let Some(expected) =
            set.or_else(|| role.topic(dialect)).filter(|topic| *topic != seen.topic)
        else {
            return String::new();
        };
        let words = upload::other_topic(role, &seen.topic, expected);
        self.means.reporter.warning(&words);
        format!("; {words}")
    }

    fn unannounced(&self, subject: Subject, uploaded: &Uploaded) -> Trouble {
        let topics = self.names_of(Role::Automl);
        let model = uploaded.receipt.record.coordinates();
        let message = format!("no event of {model} came on {topics} in time");
        let fault = match (subject, self.dialect) {
            (Subject::Folder, Dialect::Task) => Fault::FolderUnannounced,
            _ if uploaded.took > SLOW => Fault::EventLostSlowly,
            _ => Fault::EventLost,
        };
        Trouble::from(Failure::new(Kind::Deadline, message)).behind(fault)
    }

    async fn trigger(&self, uploaded: &Uploaded) -> (Duration, Result<String, Trouble>) {
        let (took, found) = self.await_event(uploaded, &XAI_TRIGGERS).await;
        let outcome = match found {
            Ok(Some(seen)) => Ok(format!("{}, key {}", seen.place, seen.key)),
            Ok(None) => {
                let model = uploaded.receipt.record.coordinates();
                let message = format!("no XAI trigger for {model} came in time");
                let trouble = Trouble::from(Failure::new(Kind::Deadline, message));
                Err(trouble.behind(Fault::NotForwarded))
            }
            Err(failure) => Err(failure.into()),
        };
        (took, outcome)
    }
}

/// Its form, its key, and what it says of a failure.
fn judge_event(uploaded: &Uploaded, seen: &Seen) -> Result<String, Trouble> {
    let model = &uploaded.receipt.record;
    let (form, key) = match &uploaded.receipt.task_id {
        Some(task) if seen.field("task_id").as_ref() == Some(task) => ("envelope", task.clone()),
        Some(task) => {
            let message = format!("the event {} is not that of the task {task}", seen.place);
            return Err(Trouble::check(message));
        }
        None => ("flat", model_key(&model.user_id, &model.model_id)),
    };
    if let Some(failure) = seen.failure() {
        let message = format!("the event {} tells of a failure: {failure}", seen.place);
        return Err(Trouble::check(message));
    }
    if seen.key != key {
        let message = format!("the event {} has the key {:?}, not {key:?}", seen.place, seen.key);
        return Err(Trouble::check(message));
    }
    Ok(format!("{}, {form}, key {key}", seen.place))
}

fn is_failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(_))
}
