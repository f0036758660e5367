//! `dwctl wait`: ends when the event is there, with a code that says so.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::tz::TimeZone;

use super::Patience;
use super::read::{FilterArgs, note_absent_fields, source};
use super::ready_file::ReadyFile;
use crate::base::Failure;
use crate::base::duration::{parse_duration, spoken};
use crate::context::Context;
use crate::flows::follow::filter::Jq;
use crate::flows::follow::{
    Cursor, FollowPlan, Position, Source, StopRules, fix_ends, parse_position,
};
use crate::flows::wait::{CLOSING_TIME, Expected, WaitPlan, wait};
use crate::ui::record::{RecordPrinter, RecordStyle};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl wait automl --match model_id=m1 --timeout 60s -- ./train-and-upload.sh
  dwctl wait xai --jq '.failure' --timeout 5m -o json
  cursor=$(dwctl wait automl --cursor); …; dwctl wait automl --after \"$cursor\" --success

Where each partition ends is fixed first; then the command after -- is run, with its output on
standard error; then only what comes counts. Topics and partitions that come into being meanwhile
count from their beginning. The wait ends well when the event is there and the command has ended
well.

Exit codes: 7 when the event does not come before --timeout, 8 when one comes that tells of the
contrary of --success, --failure or --absent, or when the command fails.")]
pub struct WaitArgs {
    /// Roles, topics or ^patterns
    #[arg(required = true, value_name = "EVENT|TOPIC")]
    sources: Vec<String>,
    /// Wait for so many events
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Fail when one comes; end well at the timeout
    #[arg(long, conflicts_with_all = ["count", "cursor"])]
    absent: bool,
    /// Fail if the step failed; only events that complete a step count
    #[arg(long, conflicts_with = "failure")]
    success: bool,
    /// Fail if the step succeeded; only events that complete a step count
    #[arg(long)]
    failure: bool,
    /// Count events from here on, as tail --from; the end, where it is not given
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true, conflicts_with = "after")]
    from: Option<String>,
    /// Count events after these places, as --cursor and send print them
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    /// Print where the topics end now, for --after, and wait for nothing
    #[arg(long, conflicts_with_all = ["from", "after", "command", "ready_file"])]
    cursor: bool,
    /// Write the places to this file once they are fixed
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Give up when the brokers have been away for so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_outage: Option<Duration>,
    /// Only events for which this expression of jq gives something other than null and false
    #[arg(long, value_name = "EXPRESSION")]
    jq: Option<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Command to run once the places are fixed
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl WaitArgs {
    /// Longer than a command of its own takes to end.
    pub(super) fn patience(&self) -> Patience {
        match self.evaluates() {
            true => Patience::of_program(Duration::from_secs(5)),
            false => Patience::of(Duration::from_secs(5), Patience::USUAL.suspicion),
        }
    }

    pub(super) fn evaluates(&self) -> bool {
        self.jq.is_some()
    }
}

pub fn cmd_wait(context: &Context, args: &WaitArgs) -> Result<(), Failure> {
    let sources: Vec<Source> =
        args.sources.iter().map(|text| source(context, text)).collect::<Result<_, _>>()?;
    if args.cursor {
        let cursor = fix_ends(&context.kafka()?, &sources, context.deadline)?;
        return context.ui.line(cursor.to_string());
    }
    if args.absent && context.deadline.instant().is_none() {
        return Err(Failure::usage("--absent needs an end: add --timeout"));
    }
    let plan = plan(context, args, sources)?;
    let style = RecordStyle { with_topic: true, with_timestamp: false, with_headers: false };
    let mut printer = RecordPrinter::new(&context.ui, style);
    let mut ready_file = args.ready_file.as_deref().map(ReadyFile::open).transpose()?;
    let mut ready = |starts: &Cursor| {
        say_ready(context, args)?;
        ready_file.as_mut().map_or(Ok(()), |file| file.fill(&format!("{starts}\n")))
    };
    let deadline =
        if args.absent { context.deadline.later(CLOSING_TIME) } else { context.deadline };
    let outcome =
        wait(&context.kafka()?, &plan, &mut printer, &mut ready, &context.shutdown, deadline);
    note_absent_fields(context, &plan.follow.filter);
    outcome
}

fn say_ready(context: &Context, args: &WaitArgs) -> Result<(), Failure> {
    let until = match context.settings.timeout()? {
        Some(timeout) => format!(", at most {}", spoken(timeout)),
        None => "; without --timeout for ever".to_owned(),
    };
    let what =
        if args.absent { "watching that no event comes on" } else { "waiting for an event on" };
    context.ui.status(format!("{what} {}{until}", args.sources.join(", ")));
    Ok(())
}

/// A wait for nothing ends at a time, to which every partition is read.
fn end_of_watching(context: &Context, args: &WaitArgs) -> Option<Position> {
    let left = context.deadline.remaining().filter(|_| args.absent)?;
    let millis = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
    Some(Position::Time(context.clock.now().millis().saturating_add(millis)))
}

fn plan(context: &Context, args: &WaitArgs, sources: Vec<Source>) -> Result<WaitPlan, Failure> {
    let from = match (&args.after, &args.from) {
        (Some(cursor), _) => Position::After(cursor.clone()),
        (None, Some(text)) => parse_position(text, context.clock.now(), TimeZone::system)
            .map_err(|error| Failure::from(error).context("failed to use --from"))?,
        (None, None) => Position::End,
    };
    let expected = match (args.success, args.failure) {
        (true, _) => Expected::Success,
        (_, true) => Expected::Failure,
        _ => Expected::Any,
    };
    Ok(WaitPlan {
        follow: FollowPlan {
            stop: StopRules { count: Some(args.count), idle: None, max_outage: args.max_outage },
            filter: args.filter.filter()?,
            clock: context.clock.clone(),
            until: end_of_watching(context, args),
            ..FollowPlan::new(sources, from)
        },
        jq: args.jq.as_deref().map(Jq::compile).transpose()?,
        expected,
        is_absent: args.absent,
        command: args.command.clone(),
    })
}
