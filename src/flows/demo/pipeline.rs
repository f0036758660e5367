//! The demonstration's events: what is read back, what is forwarded, and what changes cause.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::json;

use super::witness::{Expected, Witness};
use super::{DATASET, Run, Scene};
use crate::base::{Failure, Kind};
use crate::flows::follow::{
    FollowPlan, Notice, Position, RecordSink, Source, StopRules, Taken, follow,
};
use crate::flows::forward::{
    ForwardNotice, ForwardPlan, ForwardReporter, Forwarding, Route, Terms, forward,
};
use crate::kafka::{GroupStart, Record, TopicId};
use crate::schema::ids::{ModelId, Version};
use crate::schema::model::Model;
use crate::schema::role::{Dialect, Role};
use crate::warehouse::Warehouse;

/// How long events may take to appear.
const PATIENCE: Duration = Duration::from_secs(10);
const GROUP: &str = "demo-consumer";

impl Run<'_> {
    /// Reads until every expected event was seen; each is shown as it comes.
    fn witnessed(
        &self,
        sink: &mut dyn RecordSink,
        roles: &[Role],
        expected: Vec<Expected>,
    ) -> Result<String, Failure> {
        let count = expected.len();
        let mut witness = Witness::new(sink, expected);
        let sources = roles.iter().map(|&role| Source::Role { role, set: None }).collect();
        let plan = FollowPlan {
            stop: StopRules { count: u64::try_from(count).ok(), ..StopRules::default() },
            ..FollowPlan::new(sources, Position::Beginning)
        };
        let Scene { kafka, shutdown, deadline, .. } = self.scene;
        follow(kafka, &plan, &mut witness, shutdown, deadline.within(PATIENCE))?;
        witness.verdict()
    }

    /// The events of both uploads and of the bias report.
    pub(super) fn read_back(&self, sink: &mut dyn RecordSink) -> Result<String, Failure> {
        let mut expected: Vec<Expected> = self
            .receipts
            .iter()
            .map(|receipt| Expected::new("model.uploaded", &receipt.record.model_id))
            .collect();
        expected.push(Expected::new("bias.reported", DATASET));
        self.witnessed(sink, &[Role::Automl, Role::Bias], expected)
    }

    /// Forwards the uploads as the AutoML consumer does, and reads the trigger back.
    pub(super) fn forward(&self, sink: &mut dyn RecordSink) -> Result<String, Failure> {
        let Scene { kafka, shutdown, deadline, options, .. } = self.scene;
        let plan = ForwardPlan {
            route: Route::default(),
            topics: vec![Role::Automl.topic(Dialect::Flat).unwrap_or_default().to_owned()],
            group: GROUP.to_owned(),
            start: GroupStart::Beginning,
            terms: Terms::of(Route::default().target()),
            dead_letter: None,
            download_dir: None,
            lookups: 2,
            count: u64::try_from(self.receipts.len()).ok(),
            idle: None,
        };
        let forwarding = Forwarding {
            properties: kafka,
            warehouse: Warehouse::new(options.clone())?,
            runtime: tokio::runtime::Handle::current(),
            shutdown,
            deadline: deadline.within(PATIENCE),
        };
        let told = Told::default();
        let ended = forward(&plan, forwarding, &mut Unseen, &told)?;
        let with_dataset = self.models().filter(|model| model.training_dataset.is_some());
        let wanted = with_dataset.count() as u64;
        if ended.triggers != wanted {
            let message = format!("{} triggers were sent in place of {wanted}", ended.triggers);
            return Err(Failure::new(Kind::CheckFailed, message));
        }
        let expected = self
            .models()
            .filter(|model| model.training_dataset.is_some())
            .map(|model| Expected::new("xai.trigger", &model.model_id))
            .collect();
        let place = self.witnessed(sink, &[Role::Xai], expected)?;
        Ok(format!("{place}; {}", told.0.into_inner().join(", ")))
    }

    fn models(&self) -> impl Iterator<Item = &Model> {
        self.receipts.iter().map(|receipt| &receipt.record)
    }

    /// Changes the first model's record.
    pub(super) async fn update(&self) -> Result<String, Failure> {
        let Scene { warehouse, deadline, .. } = self.scene;
        let (model, version) = self.coordinates(0)?;
        let description = "trained by dwctl demo";
        let changes = [("description".to_owned(), json!(description))].into_iter().collect();
        let record =
            warehouse.update_model(&self.user, &model, &version, &changes, deadline).await?.value;
        if record.description.as_deref() != Some(description) {
            let message = format!("{} does not have its new description", record.coordinates());
            return Err(Failure::new(Kind::CheckFailed, message));
        }
        Ok(format!("{}, a new description", record.coordinates()))
    }

    /// Deletes the second model; it is gone afterwards.
    pub(super) async fn delete(&self) -> Result<String, Failure> {
        let Scene { warehouse, deadline, .. } = self.scene;
        let (model, version) = self.coordinates(1)?;
        warehouse.delete_model(&self.user, &model, &version, deadline).await?;
        match warehouse.model(&self.user, &model, &version, deadline).await {
            Err(error) if error.status() == Some(404) => {
                Ok(format!("{}/{model}@{version} is gone", self.user))
            }
            Err(error) => Err(error.into()),
            Ok(_) => {
                let message = format!("{}/{model}@{version} is still there", self.user);
                Err(Failure::new(Kind::CheckFailed, message))
            }
        }
    }

    fn coordinates(&self, index: usize) -> Result<(ModelId, Version), Failure> {
        let model = self
            .models()
            .nth(index)
            .ok_or_else(|| Failure::new(Kind::Internal, "the model was not uploaded"))?;
        Ok((ModelId::parse(&model.model_id)?, Version::parse(&model.version)?))
    }

    /// The events of the change and the deletion.
    pub(super) fn read_changes(&self, sink: &mut dyn RecordSink) -> Result<String, Failure> {
        let kinds = ["model.updated", "model.deleted"];
        let expected = kinds.iter().zip(self.models());
        let expected = expected.map(|(kind, model)| Expected::new(kind, &model.model_id)).collect();
        self.witnessed(sink, &[Role::Model], expected)
    }
}

/// What `forward` did with the events that caused no trigger.
#[derive(Default)]
struct Told(RefCell<Vec<String>>);

impl ForwardReporter for Told {
    fn notice(&self, notice: &ForwardNotice<'_>) {
        if let ForwardNotice::PassedBy { source, reason } = notice {
            self.0.borrow_mut().push(format!("{source} passed by: {reason}"));
        }
    }
}

/// The events were shown when they were read back.
struct Unseen;

impl RecordSink for Unseen {
    fn topic(&mut self, _: TopicId, _: &str, _: Option<Role>) {}

    fn record(&mut self, _: &Record<'_>) -> Result<Taken, Failure> {
        Ok(Taken::Counted)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice<'_>) {}
}
