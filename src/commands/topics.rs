//! `dwctl topics`: what is on the brokers; makes a topic where that is asked for.

use clap::Args;
use serde_json::{Value, json};

use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::topics::{TopicReport, report_topics};
use crate::kafka::admin::{self, TopicSpec};
use crate::schema::role::Role;
use crate::settings::{Footprint, System};
use crate::ui::{Format, Table, text};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl topics
  dwctl topics automl-events
  dwctl topics my-topic --create --partitions 3 --config cleanup.policy=compact
  dwctl topics my-topic --alter --partitions 6

--create succeeds if the topic exists as it was asked for, and ends with 8 and the differences if it
does not. --alter only adds partitions: keys then go to other partitions than before.")]
pub struct TopicsArgs {
    /// Topic to show in detail
    name: Option<String>,
    /// Make the topic if it is not there
    #[arg(long, requires = "name")]
    create: bool,
    /// Add partitions to a topic that exists
    #[arg(long, requires_all = ["name", "partitions"], conflicts_with_all = ["create", "replication", "config"])]
    alter: bool,
    /// Partitions of the topic [default: 1]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..), requires = "name")]
    partitions: Option<i32>,
    /// Replicas of each partition [default: the cluster's]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..), requires = "create")]
    replication: Option<i32>,
    /// Setting of a topic that is made, can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting, requires = "create")]
    config: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err(format!("{text:?} is not NAME=VALUE")),
    }
}

impl TopicsArgs {
    fn spec(&self) -> TopicSpec {
        TopicSpec {
            partitions: self.partitions,
            replication: self.replication,
            settings: self.config.clone(),
        }
    }
}

impl TopicsArgs {
    pub(super) fn footprint(&self) -> Footprint {
        Footprint::new(&[System::Brokers], self.create || self.alter)
    }
}

pub fn cmd_topics(context: &Context, args: &TopicsArgs) -> Result<(), Failure> {
    if args.partitions.is_some() && !args.create && !args.alter {
        return Err(Failure::usage("--partitions needs --create or --alter")
            .hint("add --create for a new topic, --alter for one that exists"));
    }
    match &args.name {
        Some(name) if args.create => create(context, args, name)?,
        Some(name) if args.alter => add_partitions(context, args, name)?,
        _ => {}
    }
    let reports = report_topics(&context.kafka()?, args.name.as_deref(), context.deadline)?;
    match (context.ui.format(), &args.name) {
        (Format::Json, _) => {
            let topics: Vec<Value> = reports.iter().map(document).collect();
            context.ui.document(&json!({"schema": "dwctl.topics/1", "topics": topics}))
        }
        (_, None) => context.ui.table(&overview(&reports)),
        (_, Some(_)) => context.ui.table(&detail(&reports)),
    }
}

fn create(context: &Context, args: &TopicsArgs, name: &str) -> Result<(), Failure> {
    let (properties, spec, names) = (context.kafka()?, args.spec(), [name.to_owned()]);
    let creating = admin::create_topics_as(&properties, &names, &spec, context.deadline);
    if !context.block_on(creating)??.is_empty() {
        context.ui.status(format!("made {name}"));
        return Ok(());
    }
    let differences = differences(context, name, &spec)?;
    if differences.is_empty() {
        context.ui.status(format!("{name} is there already"));
        return Ok(());
    }
    let described: Vec<&str> = differences.iter().map(|one| one.description.as_str()).collect();
    let message = format!("topic {name} exists with {}", described.join(", "));
    let failure = Failure::new(Kind::CheckFailed, message);
    Err(differences.into_iter().fold(failure, |failure, one| failure.hint(one.remedy)))
}

/// What a topic has otherwise than it was asked for, and how to change that.
struct TopicDifference {
    description: String,
    remedy: String,
}

fn differences(
    context: &Context,
    name: &str,
    spec: &TopicSpec,
) -> Result<Vec<TopicDifference>, Failure> {
    let properties = context.kafka()?;
    let reports = report_topics(&properties, Some(name), context.deadline)?;
    let partitions = reports.first().map_or(&[][..], |report| &report.partitions);
    let mut found = Vec::new();
    let count = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
    if let Some(wanted) = spec.partitions.filter(|wanted| *wanted != count) {
        found.push(partition_difference(name, count, wanted));
    }
    let replicas = partitions.iter().map(|partition| partition.facts.replicas.len()).min();
    let replicas = replicas.and_then(|count| i32::try_from(count).ok()).unwrap_or(0);
    if let Some(wanted) = spec.replication.filter(|wanted| *wanted != replicas) {
        found.push(TopicDifference {
            description: format!("replication {replicas}, not {wanted}"),
            remedy:
                "change the replication of a topic that exists with kafka-reassign-partitions.sh"
                    .to_owned(),
        });
    }
    if spec.settings.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = spec.settings.iter().map(|(setting, _)| setting.as_str()).collect();
    let asking = admin::topic_settings(&properties, name, &names, context.deadline);
    let values = context.block_on(asking)??;
    for ((setting, wanted), value) in spec.settings.iter().zip(values) {
        if value.as_ref() != Some(wanted) {
            found.push(setting_difference(context, name, setting, wanted, value.as_deref())?);
        }
    }
    Ok(found)
}

fn partition_difference(name: &str, count: i32, wanted: i32) -> TopicDifference {
    let noun = if count == 1 { "partition" } else { "partitions" };
    TopicDifference {
        description: format!("{count} {noun}, not {wanted}"),
        remedy: if wanted > count {
            format!("add partitions with dwctl topics {name} --alter --partitions {wanted}")
        } else {
            "make a topic of another name: partitions cannot be removed".to_owned()
        },
    }
}

fn setting_difference(
    context: &Context,
    name: &str,
    setting: &str,
    wanted: &str,
    value: Option<&str>,
) -> Result<TopicDifference, Failure> {
    let value = value.unwrap_or("nothing");
    let brokers = context.kafka()?.brokers().to_owned();
    Ok(TopicDifference {
        description: format!("{setting}={value}, not {wanted}"),
        remedy: format!(
            "change it with kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics --entity-name {name} --add-config {setting}={wanted}"
        ),
    })
}

fn add_partitions(context: &Context, args: &TopicsArgs, name: &str) -> Result<(), Failure> {
    let (properties, wanted) = (context.kafka()?, args.partitions.unwrap_or(1));
    let reports = report_topics(&properties, Some(name), context.deadline)?;
    let count = reports.first().map_or(0, |report| report.partitions.len());
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if wanted == count {
        context.ui.status(format!("{name} has {count} partitions already"));
        return Ok(());
    }
    if wanted < count {
        let message = format!("topic {name} has {count} partitions, which cannot become {wanted}");
        return Err(Failure::new(Kind::CheckFailed, message)
            .hint("make a topic of another name: partitions cannot be removed"));
    }
    let adding = admin::add_partitions(&properties, name, wanted, context.deadline);
    context.block_on(adding)??;
    context.ui.status(format!("added partitions to {name}: {wanted} in place of {count}"));
    Ok(())
}

fn role_name(topic: &str) -> &'static str {
    Role::of_topic(topic).map_or("", Role::name)
}

fn overview(reports: &[TopicReport]) -> Table {
    let mut table = Table::new(&["TOPIC", "ROLE", ">PARTITIONS", ">OFFSETS", "NEWEST"]);
    for topic in reports {
        let role = role_name(&topic.name).to_owned();
        table.row([
            topic.name.clone(),
            role,
            topic.partitions.len().to_string(),
            topic.count().to_string(),
            topic.newest().map_or_else(String::new, text::instant),
        ]);
    }
    table
}

fn detail(reports: &[TopicReport]) -> Table {
    let mut table = Table::new(&[
        "TOPIC",
        ">PARTITION",
        ">LEADER",
        ">BEGINNING",
        ">END",
        ">OFFSETS",
        "NEWEST",
        "REPLICAS",
        "IN SYNC",
    ]);
    for topic in reports {
        for partition in &topic.partitions {
            let bound = |pick: fn(crate::kafka::Bounds) -> i64| {
                partition.bounds.map_or_else(|| "?".to_owned(), |bounds| pick(bounds).to_string())
            };
            table.row([
                topic.name.clone(),
                partition.facts.id.to_string(),
                partition.facts.leader.to_string(),
                bound(|bounds| bounds.low),
                bound(|bounds| bounds.high),
                bound(|bounds| bounds.high - bounds.low),
                partition.newest.map_or_else(String::new, text::instant),
                ids(&partition.facts.replicas),
                ids(&partition.facts.in_sync),
            ]);
        }
    }
    table
}

fn ids(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn document(topic: &TopicReport) -> Value {
    let partitions: Vec<Value> = topic
        .partitions
        .iter()
        .map(|partition| {
            json!({
                "partition": partition.facts.id,
                "leader": partition.facts.leader,
                "replicas": partition.facts.replicas,
                "in_sync": partition.facts.in_sync,
                "beginning": partition.bounds.map(|bounds| bounds.low),
                "end": partition.bounds.map(|bounds| bounds.high),
                "newest": partition.newest,
            })
        })
        .collect();
    json!({"topic": topic.name, "role": Role::of_topic(&topic.name).map(Role::name), "offsets": topic.count(), "partitions": partitions})
}
