//! The `task` dialect's two envelopes: a trigger with its input, a completion with its output or its
//! failure.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::delivery::{self, ChosenDialect, Draft, Part, draft};
use super::fields::Fields;
use crate::base::Failure;
use crate::context::Context;
use crate::schema::events::{DriftOutput, Envelope, StepInput, StepOutput, TaskFailure, Trigger};

/// How a step ended.
#[derive(Debug, Args)]
#[command(next_help_heading = "Outcome")]
pub(super) struct OutcomeArgs {
    /// The step succeeded; means --dialect task
    #[arg(long)]
    success: bool,
    /// The step failed; without TYPE: under the step's own; means --dialect task
    #[arg(long, value_name = "TYPE:MESSAGE", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "success")]
    failure: Option<String>,
}

impl OutcomeArgs {
    /// Whether an outcome is given, which only envelopes can carry.
    pub fn is_given(&self) -> bool {
        self.success || self.failure.is_some()
    }

    fn failure<O: StepOutput>(&self, fields: &Fields) -> Result<Option<TaskFailure>, Failure> {
        let by_file = fields.object("failure")?;
        if let Some(text) = &self.failure {
            return Ok(Some(parse_failure(text, O::ERROR_TYPE)));
        }
        let Some(object) = by_file.filter(|_| !self.success) else { return Ok(None) };
        serde_json::from_value(object.into())
            .map(Some)
            .map_err(|_| Failure::usage("the field failure must hold error_type and error_message"))
    }
}

fn parse_failure(text: &str, own_type: &str) -> TaskFailure {
    let (error_type, message) = match text.split_once(':') {
        // An address is no type and its rest.
        Some((kind, message)) if is_name(kind) && !message.starts_with("//") => {
            (kind, message.trim_start())
        }
        _ => (own_type, text),
    };
    TaskFailure { error_type: error_type.to_owned(), error_message: message.to_owned() }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Builds a completion: the output from the fields, or the failure alone.
pub(super) fn completion<O: StepOutput>(
    context: &Context,
    dialect: ChosenDialect,
    outcome: &OutcomeArgs,
    mut fields: Fields,
    needed: &[&str],
    output: impl FnOnce(&Fields) -> Result<O, Failure>,
) -> Result<Draft, Failure> {
    let now = context.clock.now();
    let failure = outcome.failure::<O>(&fields)?;
    let output = match &failure {
        None => {
            fields.complete(context, needed)?;
            Some(output(&fields)?)
        }
        Some(_) => {
            // The drift worker says what its failure is about, the others do not (contract B11).
            let is_of_drift = O::EVENT_TYPE == <DriftOutput as StepOutput>::EVENT_TYPE;
            let has_output = fields.are_output() || is_of_drift && fields.have(needed);
            has_output.then(|| output(&fields)).transpose()?
        }
    };
    // A key that a file has for null.
    let _ = fields.value("output");
    let step = step(O::EVENT_TYPE);
    let task_id = delivery::task_id(context, &fields, step)?;
    let event = Envelope {
        task_id,
        event_type: O::EVENT_TYPE.to_owned(),
        timestamp: now.aware(),
        output,
        failure,
    };
    draft(context, &event, &fields, dialect, Part::Output)
}

/// Builds a trigger.
pub(super) fn trigger<I: StepInput>(
    context: &Context,
    dialect: ChosenDialect,
    mut fields: Fields,
    needed: &[&str],
    input: impl FnOnce(&Fields) -> Result<I, Failure>,
) -> Result<Draft, Failure> {
    fields.complete(context, needed)?;
    let input = input(&fields)?;
    let task_id = delivery::task_id(context, &fields, step(I::EVENT_TYPE))?;
    let event = Trigger::new(&task_id, input, context.clock.now());
    draft(context, &event, &fields, dialect, Part::Input)
}

/// The step's word in a task's id: that before the first dash of its event.
fn step(event_type: &'static str) -> &'static str {
    let word = event_type.split('-').next().unwrap_or(event_type);
    if word == "concept" { "drift" } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_a_type_and_a_message_and_the_steps_own_type_without_one() {
        for (text, kind, message) in [
            ("ValueError: no column y", "ValueError", "no column y"),
            ("ValueError:a:b", "ValueError", "a:b"),
            ("no column y", "AutoMLError", "no column y"),
            ("at 12:30 it broke", "AutoMLError", "at 12:30 it broke"),
            ("http://x: gone", "AutoMLError", "http://x: gone"),
        ] {
            let failure = parse_failure(text, "AutoMLError");
            assert_eq!(
                (failure.error_type.as_str(), failure.error_message.as_str()),
                (kind, message)
            );
        }
    }
}
