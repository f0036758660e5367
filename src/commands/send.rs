//! `dwctl send`: builds a correct event, sends it, and prints where it lies.

use clap::{Args, Subcommand};
use serde_json::json;
use serde_json::value::RawValue;

use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::announce::{Announcement, Topic, announce};
use crate::schema::events::{BiasReported, Event, ModelUploaded, XaiTrigger};
use crate::schema::ids::{DatasetId, ModelId, UserId};
use crate::schema::model::{Framework, ModelType};
use crate::schema::role::Dialect;
use crate::ui::Format;

/// Send an event and print where it lies, once all replicas have it
#[derive(Debug, Args)]
pub struct SendArgs {
    #[command(subcommand)]
    event: EventArgs,
}

#[derive(Debug, Subcommand)]
enum EventArgs {
    /// Send bias.reported: a bias report is stored
    Bias(BiasArgs),
    /// Send model.uploaded: a model is stored
    Automl(AutomlArgs),
    /// Send xai.trigger: explain a model
    Xai(XaiArgs),
}

/// Where an event goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
struct DeliveryArgs {
    /// Key in place of the event's own
    #[arg(long)]
    key: Option<String>,
    /// Topic in place of the event's own; it must exist
    #[arg(long)]
    topic: Option<String>,
    /// Print topic, key and value, and send nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct BiasArgs {
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
    delivery: DeliveryArgs,
}

#[derive(Debug, Args)]
struct AutomlArgs {
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
    delivery: DeliveryArgs,
}

#[derive(Debug, Args)]
struct XaiArgs {
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
    delivery: DeliveryArgs,
}

/// A number that JSON can carry.
pub(super) fn finite(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if number.is_finite() {
        Ok(number)
    } else {
        Err("must be finite: JSON has no NaN and no infinity".to_owned())
    }
}

pub fn cmd_send(context: &Context, args: SendArgs) -> Result<(), Failure> {
    match args.event {
        EventArgs::Bias(args) => {
            let event = bias(context, &args)?;
            deliver(context, &event, args.delivery)
        }
        EventArgs::Automl(args) => {
            let event = automl(context, &args)?;
            deliver(context, &event, args.delivery)
        }
        EventArgs::Xai(args) => {
            let event = xai(context, &args)?;
            deliver(context, &event, args.delivery)
        }
    }
}

/// The user of a flag, else of the settings.
pub(super) fn user(context: &Context, flag: Option<&str>) -> Result<UserId, Failure> {
    if let Some(text) = flag {
        return Ok(UserId::parse(text)?);
    }
    context.settings.user_id()?.ok_or_else(|| {
        Failure::usage("the user is not given")
            .hint("add --user-id, or set DWCTL_USER_ID or user-id in a profile")
    })
}

fn bias(context: &Context, args: &BiasArgs) -> Result<BiasReported, Failure> {
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

/// A word of a closed list, refused with the nearest when it is none.
fn word<T: std::str::FromStr<Err = crate::schema::model::UnknownWord>>(
    flag: &str,
    text: Option<&str>,
) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<T>() {
        Ok(_) => Ok(Some(text.to_owned())),
        Err(unknown) => Err(super::unknown_word(flag, &unknown)),
    }
}

fn automl(context: &Context, args: &AutomlArgs) -> Result<ModelUploaded, Failure> {
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

fn xai(context: &Context, args: &XaiArgs) -> Result<XaiTrigger, Failure> {
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

fn deliver<E: Event>(context: &Context, event: &E, delivery: DeliveryArgs) -> Result<(), Failure> {
    let (topic, policy) = match (delivery.topic, context.settings.topic(E::ROLE)) {
        (Some(topic), _) => (topic, Topic::MustExist),
        (None, Some(topic)) => (topic.to_owned(), Topic::MayBeCreated),
        (None, None) => {
            (E::ROLE.topic(Dialect::Form).unwrap_or_default().to_owned(), Topic::MayBeCreated)
        }
    };
    let value = event.to_json().map_err(|error| Failure::wrap(Kind::Internal, error))?;
    let announcement =
        Announcement { topic, key: delivery.key.unwrap_or_else(|| event.key()), value };
    if delivery.dry_run {
        return show(context, &announcement);
    }
    let place = announce(&context.kafka(), &announcement, policy, context.deadline)?;
    if context.ui.format() == Format::Json {
        return context.ui.document(&json!({
            "schema": "dwctl.send/1",
            "topic": place.topic(),
            "partition": place.partition(),
            "offset": place.offset(),
            "key": announcement.key,
            "value": RawValue::from_string(announcement.value).map_err(|error| Failure::wrap(Kind::Internal, error))?,
        }));
    }
    context.ui.line(&place.to_string())
}

/// What would be sent.
fn show(context: &Context, announcement: &Announcement) -> Result<(), Failure> {
    if context.ui.format() == Format::Json {
        let value = RawValue::from_string(announcement.value.clone())
            .map_err(|error| Failure::wrap(Kind::Internal, error))?;
        return context.ui.document(&json!({
            "schema": "dwctl.send/1",
            "dry_run": true,
            "topic": announcement.topic,
            "key": announcement.key,
            "value": value,
        }));
    }
    context.ui.line(&format!("topic {}", announcement.topic))?;
    context.ui.line(&format!("key   {}", announcement.key))?;
    context.ui.line(&format!("value {}", announcement.value))
}
