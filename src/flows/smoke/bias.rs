//! The bias step of a run: a tiny dataset and a report about it go through the API, whose event is read
//! back. The dataset says that it needs no examination, and its id that nothing shall follow.

use super::cleanup::{Resource, Stored};
use super::run::Run;
use super::watch::Seen;
use super::{Fault, Trouble};
use crate::base::{Failure, Kind};
use crate::schema::bias::BiasReportRequest;
use crate::schema::events::{BiasOutput, BiasReported, Event, StepOutput};
use crate::schema::ids::{DatasetId, Version};
use crate::schema::role::{Dialect, Role};
use crate::warehouse::SmallDataset;

/// Too few rows to be split.
const CONTENT: &[u8] = b"feature,label\n1,0\n2,1\n";
/// The first is the mark of what the bias step uploads itself: it is not examined again.
const TAGS: &str = "mitigated,dwctl-smoke";

impl Run<'_> {
    /// Stores a report through the API and reads its event back.
    pub(super) async fn prove_bias(&mut self) -> Result<String, Trouble> {
        let dataset = DatasetId::parse(&format!("{}-dataset", self.plan.token))
            .map_err(|invalid| Failure::usage(invalid.to_string()))?;
        let version = self.upload_dataset(&dataset).await?;
        let is_task = self.dialect == Dialect::Task;
        let task = is_task.then(|| format!("{}-bias-task", self.plan.token));
        let report = BiasReportRequest {
            user_id: self.plan.user.to_string(),
            dataset_id: dataset.to_string(),
            report: serde_json::json!({"made_by": "dwctl smoke"}),
            target_column_name: Some("label".to_owned()),
            task_type: Some("classification".to_owned()),
            dataset_version: is_task.then(|| version.to_string()),
            transformation_report_id: None,
            is_folder: None,
            file_count: None,
        };
        let place = self.keep(Resource::BiasReports { dataset: dataset.clone() });
        let (warehouse, deadline) = (self.means.warehouse, self.ends.work);
        warehouse.save_bias_report(&report, task.as_deref(), deadline).await?;
        self.stored[place].is_certain = true;
        self.read_bias_event(&dataset, task.as_deref()).await
    }

    async fn upload_dataset(&mut self, dataset: &DatasetId) -> Result<Version, Trouble> {
        let first = Version::numbered(1);
        let resource = Resource::Dataset { dataset: dataset.clone(), version: first };
        let place = self.keep(resource);
        let upload = SmallDataset {
            user: &self.plan.user,
            dataset,
            name: "dwctl smoke",
            tags: TAGS,
            filename: "smoke.csv",
            content: CONTENT,
        };
        let (warehouse, deadline) = (self.means.warehouse, self.ends.work);
        let record = warehouse.upload_small_dataset(&upload, deadline).await?;
        let version = Version::parse(&record.version).map_err(Failure::from)?;
        let what = Resource::Dataset { dataset: dataset.clone(), version: version.clone() };
        self.stored[place] = Stored { what, is_certain: true };
        Ok(version)
    }

    /// Notes that something may be stored from now on; returns its place.
    fn keep(&mut self, what: Resource) -> usize {
        self.stored.push(Stored { what, is_certain: false });
        self.stored.len() - 1
    }

    async fn read_bias_event(
        &self,
        dataset: &DatasetId,
        task: Option<&str>,
    ) -> Result<String, Trouble> {
        let kinds = [<BiasReported as Event>::EVENT_TYPE, <BiasOutput as StepOutput>::EVENT_TYPE];
        let is_it = |seen: &Seen| {
            seen.field("event_type").is_some_and(|kind| kinds.contains(&kind.as_str()))
                && seen.field("dataset_id").as_deref() == Some(dataset.as_str())
        };
        let found = self.unless_stopped(self.watch.event(self.event_deadline(), is_it)).await?;
        let Some(seen) = found else {
            let topics = self.names_of(Role::Bias);
            let message = format!("no event of the bias report came on {topics} in time");
            let trouble = Trouble::from(Failure::new(Kind::Deadline, message));
            return Err(trouble.behind(Fault::EventLost));
        };
        let key = task.unwrap_or(dataset.as_str());
        if let Some(failure) = seen.failure() {
            let message = format!("the event {} tells of a failure: {failure}", seen.place);
            return Err(Trouble::check(message));
        }
        if seen.key != key {
            let place = &seen.place;
            let message = format!("the event {place} has the key {:?}, not {key:?}", seen.key);
            return Err(Trouble::check(message));
        }
        let remark = self.remark_on_topic(Role::Bias, task.is_some(), &seen);
        Ok(format!("{}, key {key}, after POST /bias-reports/{remark}", seen.place))
    }
}
