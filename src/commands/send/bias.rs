//! `dwctl send bias`: a bias report is stored.

use clap::Args;

use super::delivery::{DeliveryArgs, Draft, Part, draft};
use super::envelope::{OutcomeArgs, completion};
use super::fields::{Fields, text};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{BiasOutput, BiasReported, Event};
use crate::schema::ids::DatasetId;
use crate::schema::role::{Dialect, Role};

const NEEDED: &[&str] = &["dataset_id", "user_id"];

#[derive(Debug, Args)]
pub(super) struct BiasArgs {
    /// Id of the dataset
    #[arg(long)]
    dataset_id: Option<String>,
    /// Version of the dataset, in an envelope
    #[arg(long)]
    dataset_version: Option<String>,
    #[arg(long, help = "Owner; also DWCTL_USER_ID, or user-id in a profile")]
    user_id: Option<String>,
    /// Id of the stored report
    #[arg(long)]
    bias_report_id: Option<String>,
    /// A transformation report is stored too
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    has_transformation_report: Option<bool>,
    /// Id of the transformation report, in an envelope
    #[arg(long)]
    transformation_report_id: Option<String>,
    /// Version of the dataset that mitigation made, in an envelope
    #[arg(long)]
    mitigated_dataset_version: Option<String>,
    /// Column that a model is to predict
    #[arg(long)]
    target_column_name: Option<String>,
    /// What a model is to do, such as classification
    #[arg(long)]
    task_type: Option<String>,
    #[command(flatten)]
    outcome: OutcomeArgs,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl BiasArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("bias_report_id", text(self.bias_report_id.as_ref())),
            ("has_transformation_report", self.has_transformation_report.map(Into::into)),
            ("transformation_report_id", text(self.transformation_report_id.as_ref())),
            ("mitigated_dataset_version", text(self.mitigated_dataset_version.as_ref())),
            ("target_column_name", text(self.target_column_name.as_ref())),
            ("task_type", text(self.task_type.as_ref())),
        ])
    }
}

pub(super) fn event(context: &Context, args: &BiasArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let dialect = args.delivery.choose_dialect(
        context,
        &mut fields,
        Role::Bias,
        NEEDED,
        args.outcome.is_given(),
    )?;
    if dialect.dialect == Dialect::Task {
        return completion(context, dialect, &args.outcome, fields, NEEDED, output);
    }
    fields.complete(context, NEEDED)?;
    let event = BiasReported {
        event_type: BiasReported::EVENT_TYPE.to_owned(),
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        user_id: fields.user()?,
        bias_report_id: fields.text("bias_report_id")?,
        has_transformation_report: fields.truth("has_transformation_report")?.unwrap_or(false),
        target_column_name: fields.text("target_column_name")?,
        task_type: fields.text("task_type")?,
        is_folder: None,
        file_count: None,
        timestamp: context.clock.now().naive(),
    };
    draft(context, &event, &fields, dialect, Part::Whole)
}

fn output(fields: &Fields) -> Result<BiasOutput, Failure> {
    Ok(BiasOutput {
        bias_report_id: fields.text("bias_report_id")?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        user_id: fields.user()?,
        mitigated_dataset_version: fields.text("mitigated_dataset_version")?.map(Some),
        transformation_report_id: fields.text("transformation_report_id")?.map(Some),
    })
}
