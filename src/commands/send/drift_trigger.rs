//! `dwctl send drift-trigger`: look whether a model's data has drifted.

use clap::Args;

use super::delivery::{DeliveryArgs, Draft};
use super::envelope::trigger;
use super::fields::{Fields, text};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::DriftInput;
use crate::schema::ids::{DatasetId, ModelId};
use crate::schema::role::Role;

/// Without any of these the service's worker answers with a failure. The column has a second name.
const NEEDED: &[&str] =
    &["model_id", "dataset_id", "user_id", "dataset_version", "target_column_name"];
/// Rows, as the service's worker takes them whatever is asked for.
const WINDOW: u64 = 100;

#[derive(Debug, Args)]
pub(super) struct DriftTriggerArgs {
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
    /// Column that a model is to predict
    #[arg(long, alias = "target-column")]
    target_column_name: Option<String>,
    /// Rows of a window; 100 where it is not given
    #[arg(long)]
    window_size: Option<u64>,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl DriftTriggerArgs {
    fn fields(&self) -> Result<Fields, Failure> {
        self.delivery.fields(vec![
            ("model_id", text(self.model_id.as_ref())),
            ("version", text(self.version.as_ref())),
            ("dataset_id", text(self.dataset_id.as_ref())),
            ("dataset_version", text(self.dataset_version.as_ref())),
            ("user_id", text(self.user_id.as_ref())),
            ("target_column_name", text(self.target_column_name.as_ref())),
            ("window_size", self.window_size.map(Into::into)),
        ])
    }
}

pub(super) fn event(context: &Context, args: &DriftTriggerArgs) -> Result<Draft, Failure> {
    let mut fields = args.fields()?;
    let needed = if fields.have(&["target_column"]) { &NEEDED[..4] } else { NEEDED };
    let dialect =
        args.delivery.choose_dialect(context, &mut fields, Role::DriftTrigger, needed, false)?;
    trigger(context, dialect, fields, needed, input)
}

fn input(fields: &Fields) -> Result<DriftInput, Failure> {
    let column = fields.text("target_column_name")?;
    Ok(DriftInput {
        user_id: fields.user()?,
        dataset_id: fields.id::<DatasetId>("dataset_id")?,
        dataset_version: fields.text("dataset_version")?,
        model_id: fields.id::<ModelId>("model_id")?,
        model_version: Some(fields.model_version()?),
        target_column_name: column.or(fields.text("target_column")?),
        window_size: fields.count("window_size")?.or(Some(WINDOW)),
    })
}
