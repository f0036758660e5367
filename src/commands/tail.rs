//! `dwctl tail`: prints what is on topics.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use super::Patience;
use super::read::{FilterArgs, note_absent_fields, source};
use crate::base::duration::parse_duration;
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::follow::filter::Jq;
use crate::flows::follow::{
    FollowPlan, Newest, Outcome, Position, Source, Stop, StopRules, follow, parse_position,
};
use crate::kafka::Properties;
use crate::settings::{Footprint, Key, Origin, System, Value};
use crate::ui::record::{Evaluations, LineFormat, RecordPrinter, RecordStyle};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl tail automl -o json | jq .value.model_id
  dwctl tail automl bias xai
  dwctl tail automl --from -1h --until now --match framework=pytorch -o json
  dwctl tail '^.*-complete-events' --from beginning --until end --jq 'select(.failure) | .task_id'
  dwctl tail automl --last 5
  dwctl tail automl --format '%t[%p]@%o %k\\n'

Roles: automl, bias, xai, dataset, drift, bias-trigger, automl-trigger, xai-trigger, drift-trigger,
model.
Anything else is the name of a topic, or with ^ before it a pattern over names. Reading joins no
group, commits nothing and creates nothing, unless --group names one: then it goes on where the
group is, and commits what was printed, with what filters passed by before it, and nothing else.

Positions: beginning, end, now, an offset, -N (before the end), +N (after the beginning),
PARTITION=OFFSET,… (only these partitions), or a time: 2026-11-23T10:00, @MILLISECONDS, -1h,
today, yesterday. The end is fixed when reading begins.

Patterns match the whole text: * any characters, ? one, [a-z] one of these, or /regular expression/
with i after it for any case. A backslash before * ? [ or a JSON string (--match 'name=\"a*\"') is
exact. --match names a field by its path (output.model_id, items[0]); a bare name is also found in
output, input and dataset, and a leading value. is optional. No condition is met without the field.

With -o json a value that is not JSON is a string (value_encoding is text or base64). JSON that is
not one line of strict JSON has NaN and Infinity as null and no line breaks (normalized), with the
text as it was sent in value_text.

Exit codes: 8 when --at-least or --at-most is not met or --jq failed on every record, 9 when --jq
failed on some, 7 when --timeout comes before -n records or before the end.")]
pub struct TailArgs {
    /// Roles, topics or ^patterns
    #[arg(required = true, value_name = "EVENT|TOPIC")]
    sources: Vec<String>,
    #[command(flatten)]
    range: RangeArgs,
    #[command(flatten)]
    stop: StopArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    form: FormArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Range")]
struct RangeArgs {
    /// Where to start; the end, or with --until the beginning, where it is not given
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    from: Option<String>,
    /// Where to stop: the first place that is not read
    #[arg(long, value_name = "POSITION", allow_hyphen_values = true)]
    until: Option<String>,
    /// The newest records of all that is read: the last ones of each partition, by their timestamps
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["from", "until", "last_per_partition"])]
    last: Option<u64>,
    /// The newest records of each partition
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["from", "until"])]
    last_per_partition: Option<u64>,
    /// Read as a member of this group, and commit what was printed
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["last", "last_per_partition", "partition"])]
    group: Option<String>,
    /// Read only these partitions, with commas between
    #[arg(short, long, value_name = "NUMBER,…", value_delimiter = ',', value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
    /// Whether records of open and aborted transactions are shown
    #[arg(long, value_name = "LEVEL")]
    isolation: Option<Isolation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Isolation {
    /// Only what is committed
    #[value(alias = "read_committed", alias = "read-committed")]
    Committed,
    /// Everything that was written
    #[value(alias = "read_uncommitted", alias = "read-uncommitted")]
    Uncommitted,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Stop")]
struct StopArgs {
    /// Stop after so many printed records
    #[arg(short = 'n', long, value_name = "NUMBER")]
    count: Option<u64>,
    /// Exit with 8 when the end comes before so many
    #[arg(long, value_name = "NUMBER")]
    at_least: Option<u64>,
    /// Exit with 8 as soon as there are more
    #[arg(long, value_name = "NUMBER")]
    at_most: Option<u64>,
    /// Stop when nothing came for so long; the time while the brokers are away does not count
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle: Option<Duration>,
    /// Give up when the brokers have been away for so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_outage: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Form")]
struct FormArgs {
    /// Print the results of a jq expression on the value; $record holds the rest
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "format")]
    jq: Option<String>,
    /// Print each record in kcat's tokens, and %v{FIELD}
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show each record's timestamp
    #[arg(long)]
    timestamps: bool,
    /// Show each record's headers
    #[arg(long)]
    headers: bool,
}

impl StopArgs {
    /// The records after which the read stops: those asked for, or the first that is too many.
    fn limit(&self) -> Option<u64> {
        let too_many = self.at_most.map(|most| most.saturating_add(1));
        [self.count, too_many].into_iter().flatten().min()
    }
}

impl TailArgs {
    /// Shows and flushes what it has within this time, and a group is left within it.
    pub(super) fn patience(&self) -> Patience {
        let grace = Duration::from_secs(if self.range.group.is_some() { 8 } else { 2 });
        if self.evaluates() {
            return Patience::of_program(grace);
        }
        Patience::of(grace, "whoever should read standard output does not")
    }

    pub(super) fn evaluates(&self) -> bool {
        self.form.jq.is_some()
    }

    /// A group's positions are committed.
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::new(&[System::Brokers], self.range.group.is_some())
    }
}

pub fn cmd_tail(context: &Context, args: &TailArgs) -> Result<(), Failure> {
    let plan = plan(context, args)?;
    let mut printer = printer(context, args, &plan)?;
    if [args.stop.count, args.range.last, args.range.last_per_partition].contains(&Some(0)) {
        return Ok(());
    }
    let properties = properties(context, args)?;
    let outcome = follow(&properties, &plan, &mut printer, &context.shutdown, context.deadline);
    let evaluations = printer.conclude();
    note_absent_fields(context, &plan.filter);
    let outcome = outcome?;
    conclude(context, args, &plan, outcome)?;
    check_evaluations(evaluations, outcome.stop)
}

/// Fails if the expression failed, unless as many results came as were asked for.
fn check_evaluations(evaluations: Evaluations, stop: Stop) -> Result<(), Failure> {
    let Evaluations { records, failed } = evaluations;
    if failed == 0 || matches!(stop, Stop::Count | Stop::Shutdown) {
        return Ok(());
    }
    let (kind, message) = if failed == records {
        (Kind::CheckFailed, "the --jq expression failed on every record".to_owned())
    } else {
        (Kind::Partial, format!("the --jq expression failed on {failed} of {records} records"))
    };
    Err(Failure::new(kind, message).hint(
        "add ? to a step that may fail, as in .a.b?, or select records with --match or --grep",
    ))
}

fn properties(context: &Context, args: &TailArgs) -> Result<Properties, Failure> {
    let kafka = context.kafka()?;
    Ok(match args.range.isolation {
        None => kafka,
        Some(Isolation::Committed) => kafka.set("isolation.level", "read_committed"),
        Some(Isolation::Uncommitted) => kafka.set("isolation.level", "read_uncommitted"),
    })
}

fn plan(context: &Context, args: &TailArgs) -> Result<FollowPlan, Failure> {
    let now = context.clock.now();
    let parse = |flag: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => parse_position(text, now, TimeZone::system)
            .map(Some)
            .map_err(|error| Failure::from(error).context(format!("failed to use {flag}"))),
    };
    check_limits(args)?;
    let until = parse("--until", &args.range.until)?;
    let from = parse("--from", &args.range.from)?;
    if args.range.group.is_some() {
        refuse_beside_group("--from", from.as_ref(), &[Position::Beginning, Position::End])?;
        refuse_beside_group("--until", until.as_ref(), &[Position::End])?;
    }
    let partitions = partitions(&args.range.partition, from.as_ref(), until.as_ref())?;
    let start = if until.is_some() { Position::Beginning } else { Position::End };
    let sources: Vec<Source> =
        args.sources.iter().map(|text| source(context, text)).collect::<Result<_, _>>()?;
    Ok(FollowPlan {
        until,
        newest: args
            .range
            .last
            .map(Newest::OfAll)
            .or(args.range.last_per_partition.map(Newest::OfEachPartition)),
        stop: StopRules {
            count: args.stop.limit(),
            idle: args.stop.idle,
            max_outage: args.stop.max_outage,
        },
        group: args.range.group.clone(),
        partitions,
        filter: args.filter.filter()?,
        clock: context.clock.clone(),
        ..FollowPlan::new(sources, from.unwrap_or(start))
    })
}

/// Refuses counts that contradict each other or that nothing can decide.
fn check_limits(args: &TailArgs) -> Result<(), Failure> {
    let StopArgs { at_least, at_most, .. } = args.stop;
    for (flag, limit) in [("-n", args.stop.count), ("--last", args.range.last)] {
        let Some(count) = limit else { continue };
        if let Some(least) = at_least.filter(|least| *least > count) {
            return Err(Failure::usage(format!(
                "--at-least {least} cannot be met: {flag} {count} stops before"
            )));
        }
        if let Some(most) = at_most.filter(|most| *most >= count) {
            return Err(Failure::usage(format!(
                "--at-most {most} is always met: {flag} {count} stops before"
            )));
        }
    }
    match (at_least, at_most) {
        (Some(least), Some(most)) if least > most => Err(Failure::usage(format!(
            "--at-least {least} and --at-most {most} exclude each other"
        ))),
        _ => Ok(()),
    }
}

/// The partitions that are read, where not all are: those of `-p`, and those that an offset is given
/// for. A partition that one flag names and another leaves out would be passed over in silence.
fn partitions(
    listed: &[i32],
    from: Option<&Position>,
    until: Option<&Position>,
) -> Result<Vec<i32>, Failure> {
    let words = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    let mut chosen = listed.to_vec();
    chosen.sort_unstable();
    chosen.dedup();
    for (flag, named) in [("--from", from), ("--until", until)] {
        let Some(named) = named.and_then(Position::partitions) else { continue };
        if chosen.is_empty() {
            chosen = named;
        } else if listed.is_empty() && chosen != named {
            return Err(Failure::usage(format!(
                "--from names partition {}, and --until {}",
                words(&chosen),
                words(&named)
            ))
            .hint("give both an offset for each partition that is to be read"));
        } else if let Some(lack) = chosen.iter().find(|id| !named.contains(id)) {
            return Err(Failure::usage(format!(
                "{flag} has no offset for partition {lack}, which is to be read"
            )));
        }
    }
    Ok(chosen)
}

/// A group has positions of its own: beside it only its ends can be named.
fn refuse_beside_group(
    flag: &str,
    position: Option<&Position>,
    allowed: &[Position],
) -> Result<(), Failure> {
    match position {
        Some(position) if !allowed.contains(position) => {
            let words = if allowed.len() == 1 { "end" } else { "beginning or end" };
            Err(Failure::usage(format!("{flag} beside --group can only be {words}"))
                .hint("where the group has a position, it goes on there"))
        }
        _ => Ok(()),
    }
}

fn printer<'u>(
    context: &'u Context,
    args: &TailArgs,
    plan: &FollowPlan,
) -> Result<RecordPrinter<'u>, Failure> {
    if let Some(code) = &args.form.jq {
        for (flag, given) in
            [("--timestamps", args.form.timestamps), ("--headers", args.form.headers)]
        {
            if given {
                return Err(Failure::usage(format!(
                    "--jq prints its results alone, without {flag}"
                ))
                .hint("$record.timestamp and $record.headers hold what stands around the value"));
            }
        }
        return Ok(RecordPrinter::computed(&context.ui, Jq::compile(code)?, plan.stop.count));
    }
    if let Some(format) = &args.form.format {
        refuse_two_forms(context)?;
        return Ok(RecordPrinter::formatted(&context.ui, LineFormat::parse(format)?));
    }
    let style = RecordStyle {
        with_topic: plan.sources.len() > 1 || matches!(plan.sources[..], [Source::Pattern(_)]),
        with_timestamp: args.form.timestamps,
        with_headers: args.form.headers,
    };
    Ok(RecordPrinter::new(&context.ui, style))
}

/// `--format` says all of the form; a setting gives way to it, another flag contradicts it.
fn refuse_two_forms(context: &Context) -> Result<(), Failure> {
    match context.settings.get(Key::Output) {
        Some(Value { text, origin: Origin::Flag(flag) }) => Err(Failure::usage(format!(
            "{flag} {text} and --format are two forms for the same records"
        ))
        .hint("leave one of them out")),
        _ => Ok(()),
    }
}

/// The verdict over how the read ended.
fn conclude(
    context: &Context,
    args: &TailArgs,
    plan: &FollowPlan,
    outcome: Outcome,
) -> Result<(), Failure> {
    let least = args.stop.at_least.unwrap_or(0);
    let wanted = args.stop.count.unwrap_or(0).max(least);
    if let Some(most) = args.stop.at_most.filter(|most| outcome.records > *most) {
        let message = format!("more than {most} records were there");
        return Err(Failure::new(Kind::CheckFailed, message));
    }
    if outcome.stop == Stop::Deadline && outcome.unread > 0 {
        // A copy that was cut off must not look like one that is whole.
        let message =
            format!("the timeout passed with {} offsets before the end unread", outcome.unread);
        return Err(Failure::new(Kind::Deadline, message).hint("give it longer with --timeout"));
    }
    if outcome.records >= wanted {
        return Ok(());
    }
    let records = outcome.records;
    match outcome.stop {
        Stop::Deadline => {
            let names: Vec<&str> = plan.sources.iter().flat_map(Source::candidates).collect();
            let message = format!(
                "only {records} of {wanted} records came on {} before the timeout",
                names.join(", ")
            );
            let failure = Failure::new(Kind::Deadline, message);
            Err(if plan.from == Position::End {
                failure.hint("what is there already: --from beginning")
            } else {
                failure
            })
        }
        Stop::End | Stop::Idle if records < least => Err(Failure::new(
            Kind::CheckFailed,
            format!("only {records} of at least {least} records were there"),
        )),
        Stop::End | Stop::Idle => {
            context.ui.note(&format!("{records} of {wanted} records were there"));
            Ok(())
        }
        Stop::Count | Stop::Shutdown => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(ids: &[i32]) -> Position {
        Position::Each(ids.iter().map(|id| (*id, 0)).collect())
    }

    #[test]
    fn offsets_name_the_partitions_that_are_read() {
        let read = |listed: &[i32], from: Option<Position>, until: Option<Position>| {
            partitions(listed, from.as_ref(), until.as_ref()).ok()
        };
        assert_eq!(read(&[], None, Some(Position::End)), Some(vec![]));
        assert_eq!(read(&[2, 0], None, None), Some(vec![0, 2]));
        assert_eq!(read(&[], Some(each(&[1, 0])), None), Some(vec![0, 1]));
        assert_eq!(read(&[], Some(each(&[1, 0])), Some(each(&[0, 1]))), Some(vec![0, 1]));
        // Some of the offsets that were kept.
        assert_eq!(read(&[1], Some(each(&[0, 1, 2])), Some(each(&[0, 1]))), Some(vec![1]));
        assert_eq!(read(&[0], Some(each(&[1])), None), None);
        assert_eq!(read(&[], Some(each(&[0])), Some(each(&[1]))), None);
        assert_eq!(read(&[], Some(each(&[0])), Some(each(&[0, 1]))), None);
    }
}
