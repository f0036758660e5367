//! `dwctl send drift`: a concept drift report is stored.

use clap::Args;

use super::delivery::{DeliveryArgs, Draft};
use super::envelope::{OutcomeArgs, completion};
use super::fields::{Fields, text};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::DriftOutput;
use crate::schema::ids::ModelId;
use crate::schema::role::Role;

const NEEDED: &[&str] = &["model_id", "user_id"];

#[derive(Debug, Args)]
pub(super) struct DriftArgs {
    /// Id of the model
    #[arg(long)]
    model_id: Option<String>,
    /// Version of the model; v1 where it is not given
    #[arg(long, alias = "model-version")]
    version: Option<String>,
    /// Id of the dataset
    #[arg(long)]
    dataset_id: Option<String>,
    /// Version of the dataset
    #[arg(long)]
    dataset_version: Option<String>,
    #[arg(long, help = "Owner; also DWCTL_USER_ID, or user-id in a profile")]
    user_id: Option<String>,
    /// Whether there is drift
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    drift_detected: Option<bool>,
    /// What the worker says where there is none
    #[arg(long)]
    message: Option<String>,
    #[command(flatten)]
    outcome: OutcomeArgs,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl DriftArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("model_id", text(self.model_id.as_ref())),
            ("version", text(self.version.as_ref())),
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("drift_detected", self.drift_detected.map(Into::into)),
            ("message", text(self.message.as_ref())),
        ])
    }
}

pub(super) fn event(context: &Context, args: &DriftArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let wants_task = args.outcome.is_given();
    let dialect =
        args.delivery.choose_dialect(context, &mut fields, Role::Drift, NEEDED, wants_task)?;
    completion(context, dialect, &args.outcome, fields, NEEDED, output)
}

fn output(fields: &Fields) -> Result<DriftOutput, Failure> {
    Ok(DriftOutput {
        model_id: fields.id::<ModelId>("model_id")?,
        model_version: fields.model_version()?,
        dataset_id: fields.text("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        user_id: fields.user()?,
        drift_metrics: fields.value("drift_metrics").map(Some),
        drift_detected: fields.truth("drift_detected")?.map(Some),
        message: fields.text("message")?.map(Some),
    })
}
