//! Where an event goes, and the way there: by announcement, or shown only.

use clap::Args;
use serde_json::json;
use serde_json::value::RawValue;

use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::announce::{Announcement, Topic, announce};
use crate::schema::events::Event;
use crate::schema::role::Dialect;
use crate::ui::Format;

/// Where an event goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub(super) struct DeliveryArgs {
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

/// Sends an event and prints its place.
pub(super) fn deliver<E: Event>(
    context: &Context,
    event: &E,
    delivery: DeliveryArgs,
) -> Result<(), Failure> {
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
