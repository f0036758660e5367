//! `dwctl tail`: prints what is on topics.

use std::collections::HashMap;
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;

use crate::base::duration::parse_duration;
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::follow::{
    FollowPlan, Outcome, Position, Source, Stop, StopRules, follow, parse_position,
};
use crate::schema::role::Role;
use crate::ui::record::{RecordPrinter, RecordStyle};

/// Print what is on topics, live or up to an end
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl tail automl -o json | jq .value.model_id
  dwctl tail automl bias xai
  dwctl tail automl --from beginning --until end
  dwctl tail my-topic --from -5 -n 5

Roles: automl, bias, xai, dataset, drift, bias-trigger, automl-trigger, xai-trigger, drift-trigger.
Anything else is the name of a topic. Reading joins no group, commits nothing and creates nothing.")]
pub struct TailArgs {
    /// Roles or topics
    #[arg(required = true, value_name = "EVENT|TOPIC")]
    sources: Vec<String>,
    /// Where to start: beginning, end, an offset, -N, +N, PARTITION=OFFSET,…, or a time
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    from: Option<String>,
    /// Where to stop: end, as it is when reading begins
    #[arg(long, value_name = "POSITION", value_parser = ["end"])]
    until: Option<String>,
    /// Stop after so many records
    #[arg(short = 'n', long, value_name = "NUMBER")]
    count: Option<u64>,
    /// Stop when nothing came for so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle: Option<Duration>,
    /// Read only these partitions
    #[arg(short, long, value_name = "NUMBER", value_delimiter = ',')]
    partition: Vec<i32>,
    /// Show each record's timestamp
    #[arg(long)]
    timestamps: bool,
    /// Show each record's headers
    #[arg(long)]
    headers: bool,
}

/// What an argument means: a role, or a topic by its name.
pub(super) fn source(context: &Context, text: &str) -> Source {
    match text.parse::<Role>() {
        Ok(role) => Source::Role { role, set: context.settings.topic(role).map(str::to_owned) },
        Err(_) => Source::Topic(text.to_owned()),
    }
}

pub fn cmd_tail(context: &Context, args: &TailArgs) -> Result<(), Failure> {
    let plan = plan(context, args)?;
    crate::ui::pipe::watch_reader(&context.shutdown);
    let style = RecordStyle {
        with_topic: plan.sources.len() > 1,
        with_timestamp: args.timestamps,
        with_headers: args.headers,
    };
    let mut printer = RecordPrinter::new(&context.ui, style, set_topics(&plan.sources));
    if args.count == Some(0) {
        return Ok(());
    }
    let outcome =
        follow(&context.kafka(), &plan, &mut printer, &context.shutdown, context.deadline)?;
    conclude(context, args, &plan, outcome)
}

fn plan(context: &Context, args: &TailArgs) -> Result<FollowPlan, Failure> {
    let zone = TimeZone::system();
    let parse = |text: &str| parse_position(text, context.clock.now(), &zone);
    Ok(FollowPlan {
        sources: args.sources.iter().map(|text| source(context, text)).collect(),
        from: args.from.as_deref().map(parse).transpose()?.unwrap_or(match args.until {
            Some(_) => Position::Beginning,
            None => Position::End,
        }),
        stop: StopRules { count: args.count, at_end: args.until.is_some(), idle: args.idle },
        partitions: args.partition.clone(),
    })
}

/// Topics that stand for a role under another name.
fn set_topics(sources: &[Source]) -> HashMap<String, Role> {
    sources
        .iter()
        .filter_map(|source| match source {
            Source::Role { role, set: Some(topic) } => Some((topic.clone(), *role)),
            _ => None,
        })
        .collect()
}

/// The verdict over how the read ended.
fn conclude(
    context: &Context,
    args: &TailArgs,
    plan: &FollowPlan,
    outcome: Outcome,
) -> Result<(), Failure> {
    let Some(wanted) = args.count.filter(|wanted| outcome.records < *wanted) else { return Ok(()) };
    match outcome.stop {
        Stop::Deadline => {
            let names: Vec<&str> = plan.sources.iter().flat_map(Source::candidates).collect();
            let message = format!(
                "only {} of {wanted} records came on {} before the timeout",
                outcome.records,
                names.join(", ")
            );
            let failure = Failure::new(Kind::Deadline, message);
            Err(if plan.from == Position::End {
                failure.hint("what is there already: --from beginning")
            } else {
                failure
            })
        }
        Stop::End | Stop::Idle => {
            context.ui.note(&format!("{} of {wanted} records were there", outcome.records));
            Ok(())
        }
        Stop::Count | Stop::Shutdown => Ok(()),
    }
}
