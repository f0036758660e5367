//! `dwctl topics`: what is on the brokers; makes a topic where that is asked for.

use clap::Args;
use serde_json::{Value, json};

use crate::base::Failure;
use crate::context::Context;
use crate::flows::topics::{TopicReport, report_topics};
use crate::kafka::admin;
use crate::schema::role::Role;
use crate::ui::{Format, Table, text};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl topics
  dwctl topics automl-events
  dwctl topics my-topic --create --partitions 3")]
pub struct TopicsArgs {
    /// Topic to show in detail
    name: Option<String>,
    /// Make the topic if it is not there
    #[arg(long, requires = "name")]
    create: bool,
    /// Partitions of a topic that is made
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..), requires = "create")]
    partitions: i32,
}

pub fn cmd_topics(context: &Context, args: &TopicsArgs) -> Result<(), Failure> {
    if let (true, Some(name)) = (args.create, &args.name) {
        let properties = context.kafka()?;
        let names = [name.clone()];
        let made = context.block_on(admin::create_topics(
            &properties,
            &names,
            args.partitions,
            context.deadline,
        ))??;
        context.ui.status(&if made.is_empty() {
            format!("{name} is there already")
        } else {
            format!("made {name}")
        });
    }
    let reports = report_topics(&context.kafka()?, args.name.as_deref(), context.deadline)?;
    match (context.ui.format(), &args.name) {
        (Format::Json, _) => {
            let topics: Vec<Value> = reports.iter().map(document).collect();
            context.ui.document(&json!({"schema": "dwctl.topics/1", "topics": topics}))
        }
        (_, None) => context.ui.data(overview(&reports).as_bytes()),
        (_, Some(_)) => context.ui.data(detail(&reports).as_bytes()),
    }
}

fn role_name(topic: &str) -> &'static str {
    Role::of_topic(topic).map_or("", Role::name)
}

fn overview(reports: &[TopicReport]) -> String {
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
    table.render()
}

fn detail(reports: &[TopicReport]) -> String {
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
    table.render()
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
