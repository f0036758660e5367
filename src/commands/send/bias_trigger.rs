//! `dwctl send bias-trigger`: examine a dataset for bias.

use clap::Args;
use serde_json::{Map, Value};

use super::delivery::{DeliveryArgs, Draft, Part, draft};
use super::envelope::trigger;
use super::fields::{Fields, text};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{BiasInput, BiasTrigger, Event};
use crate::schema::ids::DatasetId;
use crate::schema::role::{Dialect, Role};

const NEEDED: &[&str] = &["dataset_id", "user_id", "target_column_name", "task_type"];

#[derive(Debug, Args)]
pub(super) struct BiasTriggerArgs {
    /// Id of the dataset
    #[arg(long)]
    dataset_id: Option<String>,
    /// Version of the dataset
    #[arg(long)]
    dataset_version: Option<String>,
    #[arg(long, help = "Owner; also DWCTL_USER_ID, or user-id in a profile")]
    user_id: Option<String>,
    /// Column that a model is to predict
    #[arg(long)]
    target_column_name: Option<String>,
    /// What a model is to do, such as classification
    #[arg(long)]
    task_type: Option<String>,
    /// tabular or vision, in an envelope
    #[arg(long)]
    task_category: Option<String>,
    /// Rows of the dataset, of the flat event
    #[arg(long)]
    record_count: Option<u64>,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl BiasTriggerArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("target_column_name", text(self.target_column_name.as_ref())),
            ("task_type", text(self.task_type.as_ref())),
            ("task_category", text(self.task_category.as_ref())),
            ("record_count", self.record_count.map(Into::into)),
        ])
    }
}

pub(super) fn event(context: &Context, args: &BiasTriggerArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let dialect =
        args.delivery.choose_dialect(context, &mut fields, Role::BiasTrigger, NEEDED, false)?;
    if dialect.dialect == Dialect::Task {
        return trigger(context, dialect, fields, NEEDED, input);
    }
    fields.complete(context, NEEDED)?;
    draft(context, &flat(context, &fields)?, &fields, dialect, Part::Whole)
}

fn input(fields: &Fields) -> Result<BiasInput, Failure> {
    Ok(BiasInput {
        user_id: fields.user()?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        target_column_name: fields.text("target_column_name")?,
        task_type: fields.text("task_type")?,
        task_category: fields.text("task_category")?,
    })
}

fn flat(context: &Context, fields: &Fields) -> Result<BiasTrigger, Failure> {
    let (dataset_id, user_id) = (fields.id::<DatasetId>("dataset_id")?, fields.user()?);
    let metadata = fields.object("metadata")?;
    let version = fields.text("dataset_version")?;
    Ok(BiasTrigger {
        event_type: BiasTrigger::EVENT_TYPE.to_owned(),
        target_column_name: fields.text("target_column_name")?,
        task_type: fields.text("task_type")?,
        timestamp: context.clock.now().naive(),
        metadata: metadata.unwrap_or_else(|| least_metadata(&dataset_id, &user_id, version)),
        record_count: fields.count("record_count")?,
        is_folder: fields.truth("is_folder")?,
        file_count: fields.count("file_count")?,
        dataset_id,
        user_id,
    })
}

/// What the worker of that generation takes from the dataset's record (contract 6.4).
fn least_metadata(dataset_id: &str, user_id: &str, version: Option<String>) -> Map<String, Value> {
    let known =
        [("dataset_id", Some(dataset_id.to_owned())), ("user_id", Some(user_id.to_owned()))];
    known
        .into_iter()
        .chain([("version", version)])
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect()
}
