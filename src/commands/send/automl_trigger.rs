//! `dwctl send automl-trigger`: train a model on a dataset.

use clap::Args;

use super::delivery::{DeliveryArgs, Draft, Part, draft};
use super::envelope::trigger;
use super::fields::{Fields, text};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{AutomlInput, AutomlTrigger, Event};
use crate::schema::ids::DatasetId;
use crate::schema::role::{Dialect, Role};

/// Without any of these the service's worker answers with a failure.
const NEEDED: &[&str] = &["dataset_id", "user_id", "task_type", "target_column_name"];
/// The same of a trigger for images.
const NEEDED_OF_IMAGES: &[&str] =
    &["dataset_id", "user_id", "task_type", "filename_column", "label_column"];

#[derive(Debug, Args)]
pub(super) struct AutomlTriggerArgs {
    /// Id of the dataset
    #[arg(long)]
    dataset_id: Option<String>,
    /// Version of the dataset, in an envelope
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
    /// Seconds to train for; 10 in a flat event and 60 in an envelope where it is not given
    #[arg(long)]
    time_budget: Option<u64>,
    /// tabular or vision, in an envelope; tabular where it is not given
    #[arg(long, value_name = "WORD", value_parser = ["tabular", "vision"])]
    task_category: Option<String>,
    /// Column of the images' file names
    #[arg(long)]
    filename_column: Option<String>,
    /// Column of the images' labels
    #[arg(long)]
    label_column: Option<String>,
    /// Size of the model to train, such as small
    #[arg(long)]
    model_size: Option<String>,
    /// Part of a split dataset to train on
    #[arg(long)]
    dataset_split: Option<String>,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl AutomlTriggerArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("target_column_name", text(self.target_column_name.as_ref())),
            ("task_type", text(self.task_type.as_ref())),
            ("time_budget", self.time_budget.map(Into::into)),
            ("task_category", text(self.task_category.as_ref())),
            ("filename_column", text(self.filename_column.as_ref())),
            ("label_column", text(self.label_column.as_ref())),
            ("model_size", text(self.model_size.as_ref())),
            ("dataset_split", text(self.dataset_split.as_ref())),
        ])
    }
}

pub(super) fn event(context: &Context, args: &AutomlTriggerArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let is_vision = fields.is_text("task_category", "vision");
    let needed = if is_vision { NEEDED_OF_IMAGES } else { NEEDED };
    let dialect =
        args.delivery.choose_dialect(context, &mut fields, Role::AutomlTrigger, needed, false)?;
    if dialect.dialect == Dialect::Task {
        return trigger(context, dialect, fields, needed, input);
    }
    fields.complete(context, needed)?;
    let event = AutomlTrigger {
        event_type: AutomlTrigger::EVENT_TYPE.to_owned(),
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        user_id: fields.user()?,
        target_column_name: fields.text("target_column_name")?,
        task_type: fields.text("task_type")?,
        time_budget: budget(&fields, "10")?,
        timestamp: context.clock.now().naive(),
    };
    draft(context, &event, &fields, dialect, Part::Whole)
}

/// As text, which both generations want; their own senders' values where none is given.
fn budget(fields: &Fields, usual: &str) -> Result<Option<String>, Failure> {
    Ok(fields.text("time_budget")?.or_else(|| Some(usual.to_owned())))
}

fn input(fields: &Fields) -> Result<AutomlInput, Failure> {
    let category = fields.text("task_category")?;
    Ok(AutomlInput {
        user_id: fields.user()?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        task_category: category.or_else(|| Some("tabular".to_owned())),
        target_column_name: fields.text("target_column_name")?,
        task_type: fields.text("task_type")?,
        time_budget: budget(fields, "60")?,
        filename_column: fields.text("filename_column")?,
        label_column: fields.text("label_column")?,
        model_size: fields.text("model_size")?,
        dataset_split: fields.text("dataset_split")?,
    })
}
