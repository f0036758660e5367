//! `dwctl send automl`: a model is stored.

use clap::Args;

use super::delivery::DeliveryArgs;
use super::{finite, user, word};
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{Event, ModelUploaded};
use crate::schema::ids::ModelId;
use crate::schema::model::{Framework, ModelType};

#[derive(Debug, Args)]
pub(super) struct AutomlArgs {
    #[arg(long)]
    model_id: String,
    #[arg(long)]
    user_id: Option<String>,
    /// Dataset that the model was trained on; without it no XAI trigger can follow
    #[arg(long)]
    dataset_id: Option<String>,
    #[arg(long, default_value = "v1")]
    version: String,
    #[arg(long)]
    framework: Option<String>,
    #[arg(long)]
    model_type: Option<String>,
    #[arg(long)]
    algorithm: Option<String>,
    /// Size of the model's files in mebibytes
    #[arg(long, value_parser = finite)]
    model_size_mb: Option<f64>,
    #[arg(long, value_parser = finite)]
    training_accuracy: Option<f64>,
    #[arg(long, value_parser = finite)]
    validation_accuracy: Option<f64>,
    #[arg(long, value_parser = finite)]
    test_accuracy: Option<f64>,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

pub(super) fn event(context: &Context, args: &AutomlArgs) -> Result<ModelUploaded, Failure> {
    let now = context.clock.now();
    let model_id = ModelId::parse(&args.model_id)?.to_string();
    Ok(ModelUploaded {
        event_type: ModelUploaded::EVENT_TYPE.to_owned(),
        event_id: format!("model_uploaded_{model_id}_{}", now.seconds()),
        timestamp: now.naive(),
        user_id: user(context, args.user_id.as_deref())?.to_string(),
        model_id,
        dataset_id: args.dataset_id.clone(),
        version: Some(args.version.clone()),
        framework: word::<Framework>("--framework", args.framework.as_deref())?,
        model_type: word::<ModelType>("--model-type", args.model_type.as_deref())?,
        algorithm: args.algorithm.clone(),
        model_size_mb: args.model_size_mb,
        training_accuracy: args.training_accuracy,
        validation_accuracy: args.validation_accuracy,
        test_accuracy: args.test_accuracy,
    })
}
