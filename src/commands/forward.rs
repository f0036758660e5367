//! `dwctl forward`: asks XAI to explain each model that is uploaded.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::base::duration::parse_duration;
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::forward::{
    ForwardPlan, ForwardStop, Forwarded, Forwarding, TriggerForm, TriggerTopics, forward,
};
use crate::kafka::GroupStart;
use crate::schema::role::Role;
use crate::settings::Key;
use crate::ui::ForwardTalk;
use crate::ui::record::{RecordPrinter, RecordStyle};

/// Read upload events, look the models up, and send their XAI triggers
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl forward
  KAFKA_BOOTSTRAP_SERVERS=localhost:9092 KAFKA_AUTOML_TOPIC=automl-events \\
    KAFKA_CONSUMER_GROUP=automl-consumer dwctl forward
  dwctl forward --download-dir models --dead-letter automl-dead-letters
  dwctl forward -n 1 --timeout 60s

Each event is printed as tail prints it. A flat model.uploaded causes an xai.trigger on xai-events,
an automl-complete envelope causes an xai-trigger envelope on xai-trigger-events.

At least once: an offset is committed only when the trigger of its record and of all before it is
acknowledged. What is sent twice is the same twice: ids and time come from the event's place. An
API or a broker that is away is waited for; what never gets better (not JSON, no ids, no such
model) goes to --dead-letter with the reason in its headers, or is told and passed by.")]
pub struct ForwardArgs {
    /// Topic of uploads in place of the role's
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Consumer group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Where a group starts that has no position yet
    #[arg(long, value_name = "WHERE", default_value = "beginning")]
    from: Start,
    /// Form of the triggers: that of the event, or one for all
    #[arg(long, value_name = "FORM", default_value = "event")]
    trigger_form: FormArg,
    /// Topic of the triggers in place of their form's own
    #[arg(long, value_name = "NAME")]
    trigger_topic: Option<String>,
    /// Topic for records that nothing can be done with
    #[arg(long, value_name = "TOPIC")]
    dead_letter: Option<String>,
    /// Download each model's files to DIR/USER/MODEL/VERSION, checked by their MD5
    #[arg(long, value_name = "DIR")]
    download_dir: Option<PathBuf>,
    /// Models that are looked up at once
    #[arg(long, value_name = "NUMBER", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    lookups: u16,
    /// Stop after so many records
    #[arg(short = 'n', long, value_name = "NUMBER")]
    count: Option<u64>,
    /// Stop when nothing came for so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Start {
    Beginning,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormArg {
    /// That of the event
    Event,
    /// xai.trigger
    Flat,
    /// xai-trigger in an envelope
    Task,
}

impl ForwardArgs {
    /// Settings that are flags here.
    pub fn overrides(&self) -> Vec<(Key, String)> {
        let given = [(Key::Topic(Role::Automl), &self.topic), (Key::ConsumerGroup, &self.group)];
        given.into_iter().filter_map(|(key, text)| Some((key, text.clone()?))).collect()
    }
}

pub fn cmd_forward(context: &Context, args: &ForwardArgs) -> Result<(), Failure> {
    let plan = plan(context, args)?;
    crate::ui::pipe::watch_reader(&context.shutdown);
    if plan.count == Some(0) {
        return Ok(());
    }
    let style = RecordStyle { with_topic: false, with_timestamp: false, with_headers: false };
    let mut printer = RecordPrinter::new(&context.ui, style);
    let forwarding = Forwarding {
        properties: &context.kafka()?,
        warehouse: context.warehouse()?,
        runtime: context.block_on(async { tokio::runtime::Handle::current() })?,
        shutdown: &context.shutdown,
        deadline: context.deadline,
    };
    let ended = forward(&plan, forwarding, &mut printer, &ForwardTalk(&context.ui));
    printer.conclude();
    conclude(context, &plan, ended?)
}

fn plan(context: &Context, args: &ForwardArgs) -> Result<ForwardPlan, Failure> {
    let settings = &context.settings;
    let topics = match settings.topic(Role::Automl) {
        Some(topic) => vec![topic.to_owned()],
        None => Role::Automl.topics().iter().map(|&name| name.to_owned()).collect(),
    };
    let triggers = trigger_topics(context, args.trigger_topic.as_deref());
    let dead_letter = args.dead_letter.clone();
    for target in [Some(&triggers.flat), Some(&triggers.task), dead_letter.as_ref()] {
        if let Some(target) = target.filter(|target| topics.contains(target)) {
            return Err(Failure::usage(format!(
                "{target:?} is the topic that is read: what is sent there would come back"
            )));
        }
    }
    Ok(ForwardPlan {
        topics,
        group: settings.consumer_group().to_owned(),
        start: match args.from {
            Start::Beginning => GroupStart::Beginning,
            Start::End => GroupStart::End,
        },
        form: match args.trigger_form {
            FormArg::Event => TriggerForm::AsEvent,
            FormArg::Flat => TriggerForm::Flat,
            FormArg::Task => TriggerForm::Task,
        },
        triggers,
        dead_letter,
        download_dir: args.download_dir.clone(),
        lookups: usize::from(args.lookups),
        count: args.count,
        idle: args.idle,
    })
}

/// A flag is for both forms; the service's variables name a topic for each.
fn trigger_topics(context: &Context, flag: Option<&str>) -> TriggerTopics {
    let defaults = TriggerTopics::default();
    let name = |role, default: String| {
        flag.or_else(|| context.settings.topic(role)).map_or(default, str::to_owned)
    };
    TriggerTopics {
        flat: name(Role::Xai, defaults.flat),
        task: name(Role::XaiTrigger, defaults.task),
    }
}

/// The verdict over how the run ended.
fn conclude(context: &Context, plan: &ForwardPlan, ended: Forwarded) -> Result<(), Failure> {
    let Forwarded { stop, records, triggers, set_aside, left } = ended;
    context.ui.status(&format!(
        "{records} records done: {triggers} triggers sent, {set_aside} set aside"
    ));
    if left > 0 {
        context.ui.warning(&format!("{left} records are not done and left to the next run"));
    }
    let wanted = plan.count.unwrap_or(0);
    if stop == ForwardStop::Deadline && (records < wanted || left > 0) {
        let message = if left > 0 {
            format!("{left} records were not done before the timeout")
        } else {
            format!("only {records} of {wanted} records came before the timeout")
        };
        return Err(Failure::new(Kind::Deadline, message));
    }
    if stop == ForwardStop::Idle && records < wanted {
        context.ui.note(&format!("{records} of {wanted} records were there"));
    }
    Ok(())
}
