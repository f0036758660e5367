//! `dwctl send xai`: explain a model.

use clap::Args;

use super::delivery::DeliveryArgs;
use super::{user, word};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{Event, ModelUploaded, XaiTrigger};
use crate::schema::ids::{DatasetId, ModelId};
use crate::schema::model::{Framework, ModelType};

#[derive(Debug, Args)]
pub(super) struct XaiArgs {
    #[arg(long)]
    model_id: String,
    #[arg(long)]
    dataset_id: String,
    #[arg(long)]
    user_id: Option<String>,
    #[arg(long, default_value = "v1")]
    version: String,
    #[arg(long)]
    framework: Option<String>,
    #[arg(long)]
    model_type: Option<String>,
    /// Type of the event that caused this one
    #[arg(long, default_value = ModelUploaded::EVENT_TYPE)]
    source_event: String,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

pub(super) fn event(context: &Context, args: &XaiArgs) -> Result<XaiTrigger, Failure> {
    let now = context.clock.now();
    let model_id = ModelId::parse(&args.model_id)?.to_string();
    Ok(XaiTrigger {
        event_type: XaiTrigger::EVENT_TYPE.to_owned(),
        event_id: format!("xai_trigger_{model_id}_{}", now.seconds()),
        timestamp: now.naive(),
        user_id: user(context, args.user_id.as_deref())?.to_string(),
        model_id,
        dataset_id: DatasetId::parse(&args.dataset_id)?.to_string(),
        version: Some(args.version.clone()),
        framework: word::<Framework>("--framework", args.framework.as_deref())?,
        model_type: word::<ModelType>("--model-type", args.model_type.as_deref())?,
        source_event: Some(args.source_event.clone()),
    })
}
