//! `dwctl send bias`: a bias report is stored.

use clap::Args;

use super::delivery::DeliveryArgs;
use super::user;
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{BiasReported, Event};
use crate::schema::ids::DatasetId;

#[derive(Debug, Args)]
pub(super) struct BiasArgs {
    #[arg(long)]
    dataset_id: String,
    #[arg(long)]
    user_id: Option<String>,
    /// Id of the stored report
    #[arg(long)]
    bias_report_id: Option<String>,
    /// A transformation report is stored too
    #[arg(long, num_args = 0..=1, default_missing_value = "true", default_value = "false", value_name = "BOOL")]
    has_transformation_report: bool,
    #[arg(long)]
    target_column_name: Option<String>,
    #[arg(long)]
    task_type: Option<String>,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

pub(super) fn event(context: &Context, args: &BiasArgs) -> Result<BiasReported, Failure> {
    Ok(BiasReported {
        event_type: BiasReported::EVENT_TYPE.to_owned(),
        dataset_id: DatasetId::parse(&args.dataset_id)?.to_string(),
        user_id: user(context, args.user_id.as_deref())?.to_string(),
        bias_report_id: args.bias_report_id.clone(),
        has_transformation_report: args.has_transformation_report,
        target_column_name: args.target_column_name.clone(),
        task_type: args.task_type.clone(),
        timestamp: context.clock.now().naive(),
    })
}
