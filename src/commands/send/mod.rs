//! `dwctl send`: builds a correct event, sends it, and prints where it lies. One file an event.

mod automl;
mod automl_trigger;
mod bias;
mod bias_trigger;
mod delivery;
mod drift;
mod drift_trigger;
mod envelope;
mod fields;
mod input_encoding;
mod raw;
mod xai;
mod xai_trigger;

use clap::{Args, Subcommand};

use self::delivery::{DeliveryArgs, Draft, deliver};
use crate::base::Failure;
use crate::context::Context;
use crate::settings::{Footprint, Key, System};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl send automl --model-id m --dataset-id d --user-id u
  dwctl send automl --model-id m --user-id u --task-id T-1
  dwctl send bias --task-id T-2 --failure 'ValueError: no column y'
  dwctl send xai-trigger --dialect task --from-json trigger.json --field note=again --dry-run
  dwctl send raw my-topic --key-delimiter : keyed.txt

Fields come from --from-json, then from flags, then from --field; the later wins.")]
pub struct SendArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    #[command(flatten)]
    Event(EventArgs),
    Raw(Box<raw::RawArgs>),
}

#[derive(Debug, Subcommand)]
enum EventArgs {
    /// Send bias.reported, or with --dialect task bias-detection-complete
    Bias(Box<bias::BiasArgs>),
    /// Send model.uploaded, or with --dialect task automl-complete
    Automl(Box<automl::AutomlArgs>),
    /// Send xai.trigger, or with --dialect flat xai.reported, with task xai-complete
    Xai(Box<xai::XaiArgs>),
    /// Send concept-drift-complete
    Drift(Box<drift::DriftArgs>),
    /// Send bias-trigger.reported, or with --dialect task bias-detection-trigger
    BiasTrigger(Box<bias_trigger::BiasTriggerArgs>),
    /// Send automl-trigger.reported, or with --dialect task automl-trigger
    AutomlTrigger(Box<automl_trigger::AutomlTriggerArgs>),
    /// Send xai.trigger, or with --dialect flat xai-trigger.reported, with task xai-trigger
    XaiTrigger(Box<xai_trigger::XaiTriggerArgs>),
    /// Send concept-drift-trigger
    DriftTrigger(Box<drift_trigger::DriftTriggerArgs>),
}

impl EventArgs {
    fn delivery(&self) -> &DeliveryArgs {
        match self {
            EventArgs::Bias(args) => &args.delivery,
            EventArgs::Automl(args) => &args.delivery,
            EventArgs::Xai(args) => &args.delivery,
            EventArgs::Drift(args) => &args.delivery,
            EventArgs::BiasTrigger(args) => &args.delivery,
            EventArgs::AutomlTrigger(args) => &args.delivery,
            EventArgs::XaiTrigger(args) => &args.delivery,
            EventArgs::DriftTrigger(args) => &args.delivery,
        }
    }

    fn draft(&self, context: &Context) -> Result<Draft, Failure> {
        match self {
            EventArgs::Bias(args) => bias::event(context, args),
            EventArgs::Automl(args) => automl::event(context, args),
            EventArgs::Xai(args) => xai::event(context, args),
            EventArgs::Drift(args) => drift::event(context, args),
            EventArgs::BiasTrigger(args) => bias_trigger::event(context, args),
            EventArgs::AutomlTrigger(args) => automl_trigger::event(context, args),
            EventArgs::XaiTrigger(args) => xai_trigger::event(context, args),
            EventArgs::DriftTrigger(args) => drift_trigger::event(context, args),
        }
    }
}

impl SendArgs {
    /// Settings that are flags here.
    pub fn overrides(&self) -> Vec<(Key, String)> {
        match &self.action {
            Action::Event(event) => event.delivery().overrides(),
            Action::Raw(_) => Vec::new(),
        }
    }

    pub(super) fn footprint(&self) -> Footprint {
        match &self.action {
            Action::Event(event) if event.delivery().is_dry_run() => Footprint::NONE,
            _ => Footprint::new(&[System::Brokers], true),
        }
    }
}

pub fn cmd_send(context: &Context, args: &SendArgs) -> Result<(), Failure> {
    match &args.action {
        Action::Event(event) => deliver(context, event.draft(context)?, event.delivery()),
        Action::Raw(args) => raw::cmd_raw(context, args),
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
