//! `dwctl lag`: how far a consumer group is behind, with thresholds for scripts.

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};

use crate::base::duration::{parse_duration, spoken};
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::lag::{GroupLag, PartitionLag, measure_lag};
use crate::ui::{Format, Table};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl lag automl-consumer
  dwctl lag automl-consumer --max 100 --max-age 5m -q
  dwctl lag automl-consumer --watch=10s

The group is not joined and nothing is committed. Shown is every partition of each topic in which
the group has committed a position; one without a position counts from its beginning. The lag counts
offsets: markers of transactions and records that compaction removed are among them.

With --max or --max-age the exit code is 8 where the lag is larger.")]
pub struct LagArgs {
    /// Consumer group, such as automl-consumer
    #[arg(value_name = "GROUP", value_parser = NonEmptyStringValueParser::new())]
    group: String,
    /// Largest lag of all partitions together that is still well
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(0..))]
    max: Option<i64>,
    /// Largest age of the oldest unread record that is still well
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_age: Option<Duration>,
    /// Measure again and again, until it is stopped or a threshold is passed
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5s",
        value_parser = parse_duration
    )]
    watch: Option<Duration>,
}

pub fn cmd_lag(context: &Context, args: &LagArgs) -> Result<(), Failure> {
    let properties = context.kafka()?;
    loop {
        let lag = measure_lag(&properties, &args.group, || context.clock.now(), context.deadline)?;
        show(context, &lag)?;
        judge(args, &lag)?;
        let Some(pause) = args.watch else { return Ok(()) };
        let is_over = context.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(context.deadline.slice(pause)) => false,
                _ = context.shutdown.requested() => true,
            }
        })?;
        if is_over || context.deadline.has_passed() {
            return Ok(());
        }
    }
}

fn show(context: &Context, lag: &GroupLag) -> Result<(), Failure> {
    if context.ui.format() == Format::Json {
        return context.ui.document(&document(lag));
    }
    if !lag.partitions.is_empty() {
        context.ui.table(&table(lag))?;
    }
    let missed: i64 = lag.partitions.iter().map(PartitionLag::missed).sum();
    if missed > 0 {
        context
            .ui
            .warning(&format!("{missed} records were removed before {} read them", lag.group));
    }
    context.ui.line(summary(lag))
}

fn table(lag: &GroupLag) -> Table {
    let mut table =
        Table::new(&["TOPIC", ">PARTITION", ">POSITION", ">END", ">LAG", ">OLDEST UNREAD"]);
    for partition in &lag.partitions {
        let age = |oldest: i64| u64::try_from(lag.at.millis() - oldest).unwrap_or(0);
        table.row([
            partition.partition.topic.clone(),
            partition.partition.partition.to_string(),
            partition.committed.map_or_else(|| "-".to_owned(), |position| position.to_string()),
            partition.bounds.high.to_string(),
            partition.lag().to_string(),
            partition
                .oldest
                .map_or_else(String::new, |oldest| spoken(Duration::from_millis(age(oldest)))),
        ]);
    }
    table
}

fn summary(lag: &GroupLag) -> String {
    let members = match &lag.facts {
        Some(facts) if !facts.state.is_empty() => {
            let plural = if facts.members == 1 { "" } else { "s" };
            format!(" ({}, {} member{plural})", facts.state, facts.members)
        }
        _ => String::new(),
    };
    let group = &lag.group;
    if lag.partitions.is_empty() {
        return format!("{group}{members} has no position in any topic");
    }
    let age = lag.age().map_or_else(String::new, |age| format!(", the oldest {} old", spoken(age)));
    format!("{group}{members}: {} unread{age}", lag.lag())
}

/// Whether the lag is within the thresholds.
fn judge(args: &LagArgs, lag: &GroupLag) -> Result<(), Failure> {
    let bad = |message: String| Err(Failure::new(Kind::CheckFailed, message));
    if let Some(max) = args.max
        && lag.lag() > max
    {
        return bad(format!("the lag of {} is {}, over --max {max}", lag.group, lag.lag()));
    }
    if let (Some(max), Some(age)) = (args.max_age, lag.age())
        && age > max
    {
        return bad(format!(
            "the oldest record that {} has not read is {} old, over --max-age {}",
            lag.group,
            spoken(age),
            spoken(max)
        ));
    }
    Ok(())
}

fn document(lag: &GroupLag) -> Value {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let partitions: Vec<Value> = lag
        .partitions
        .iter()
        .map(|partition| {
            json!({
                "topic": partition.partition.topic,
                "partition": partition.partition.partition,
                "committed": partition.committed,
                "beginning": partition.bounds.low,
                "end": partition.bounds.high,
                "lag": partition.lag(),
                "missed": partition.missed(),
                "oldest_timestamp": partition.oldest,
            })
        })
        .collect();
    let state = lag.facts.as_ref().map(|facts| facts.state.as_str()).filter(|s| !s.is_empty());
    json!({
        "schema": "dwctl.lag/1",
        "group": lag.group,
        "state": state,
        "members": state.and(lag.facts.as_ref()).map(|facts| facts.members),
        "lag": lag.lag(),
        "oldest_age_ms": lag.age().map(millis),
        "timestamp": lag.at.aware(),
        "partitions": partitions,
    })
}
