//! `dwctl send`: builds a correct event, sends it, and prints where it lies. One file an event.

mod automl;
mod bias;
mod delivery;
mod xai;

use clap::{Args, Subcommand};

use self::delivery::deliver;
use crate::base::Failure;
use crate::context::Context;
use crate::schema::ids::UserId;

/// Send an event and print where it lies, once all replicas have it
#[derive(Debug, Args)]
pub struct SendArgs {
    #[command(subcommand)]
    event: EventArgs,
}

#[derive(Debug, Subcommand)]
enum EventArgs {
    /// Send bias.reported: a bias report is stored
    Bias(bias::BiasArgs),
    /// Send model.uploaded: a model is stored
    Automl(automl::AutomlArgs),
    /// Send xai.trigger: explain a model
    Xai(xai::XaiArgs),
}

pub fn cmd_send(context: &Context, args: SendArgs) -> Result<(), Failure> {
    match args.event {
        EventArgs::Bias(args) => {
            let event = bias::event(context, &args)?;
            deliver(context, &event, args.delivery)
        }
        EventArgs::Automl(args) => {
            let event = automl::event(context, &args)?;
            deliver(context, &event, args.delivery)
        }
        EventArgs::Xai(args) => {
            let event = xai::event(context, &args)?;
            deliver(context, &event, args.delivery)
        }
    }
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

/// A word of a closed list, refused with the nearest when it is none.
pub(super) fn word<T: std::str::FromStr<Err = crate::schema::model::UnknownWord>>(
    flag: &str,
    text: Option<&str>,
) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    match text.parse::<T>() {
        Ok(_) => Ok(Some(text.to_owned())),
        Err(unknown) => Err(super::unknown_word(flag, &unknown)),
    }
}
