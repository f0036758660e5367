//! `dwctl forward`: leads from the end of one step of the pipeline to the next one.

mod triggers;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use crate::base::duration::parse_duration;
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::forward::{
    Aim, ForwardPlan, ForwardStop, Forwarded, Forwarding, Route, Terms, TriggerTopics, forward,
};
use crate::kafka::GroupStart;
use crate::schema::role::{Dialect, Role};
use crate::settings::{Key, Origin};
use crate::ui::ForwardTalk;
use crate::ui::record::{RecordPrinter, RecordStyle};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl forward
  KAFKA_BOOTSTRAP_SERVERS=localhost:9092 KAFKA_AUTOML_TOPIC=automl-events \\
    KAFKA_CONSUMER_GROUP=automl-consumer dwctl forward
  dwctl forward --download-dir models --dead-letter automl-dead-letters
  dwctl forward -n 1 --timeout 60s
  dwctl forward --route bias-to-automl --target-column-name income
  dwctl forward --route dataset-to-bias --target-column-name income --trigger-form task

Each event is printed as tail prints it. An automl-complete envelope causes an xai-trigger envelope
on xai-trigger-events. A flat model.uploaded causes what the generation in use reads: xai.trigger on
xai-events (form), xai-trigger.reported on xai-trigger-events (flat), or the envelope (task). The
topics that exist tell it, else the API; --trigger-form chooses. The other routes lead from
bias.reported and bias-detection-complete to the AutoML trigger, and from dataset.uploaded, which
has one form only, to the bias trigger.

At least once: an offset is committed only when the trigger of its record and of all before it is
acknowledged. What is sent twice is the same twice: ids and time come from the event's place. An
API or a broker that is away is waited for; what never gets better (not JSON, no ids, no such
model) goes to --dead-letter with the reason in its headers, or is told and passed by.")]
pub struct ForwardArgs {
    /// From which step's events to which step's triggers
    #[arg(long, value_name = "ROUTE", default_value = "automl-to-xai")]
    route: RouteArg,
    /// Topic of the events in place of the role's
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// Consumer group; the other routes have bias-consumer and dataset-consumer where none is set
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    group: Option<String>,
    /// Where a group starts that has no position yet
    #[arg(long, value_name = "WHERE", default_value = "beginning")]
    from: Start,
    /// Generation of the triggers: by the event and what exists, or one for all
    #[arg(long, value_name = "FORM", default_value = "event")]
    trigger_form: FormArg,
    /// Topic of the triggers in place of their form's own
    #[arg(long, value_name = "NAME")]
    trigger_topic: Option<String>,
    /// Topic for records that nothing can be done with
    #[arg(long, value_name = "TOPIC")]
    dead_letter: Option<String>,
    /// Download each model's files to DIR/USER/MODEL/VERSION, checked by their MD5
    #[arg(long, value_name = "DIR", value_parser = super::folder_argument::output_folder())]
    download_dir: Option<PathBuf>,
    #[command(flatten)]
    aim: AimArgs,
    /// Models or datasets that are looked up at once
    #[arg(long, value_name = "NUMBER", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    lookups: u16,
    /// Stop after so many records
    #[arg(short = 'n', long, value_name = "NUMBER")]
    count: Option<u64>,
    /// Stop when nothing came for so long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    idle: Option<Duration>,
}

/// What a model is to learn. Of the routes to bias and automl.
#[derive(Debug, Args)]
struct AimArgs {
    /// Column that a model is to predict, where the event does not say it
    #[arg(long, value_name = "NAME")]
    target_column_name: Option<String>,
    /// What a model is to do, where the event does not say it; classification where nothing does
    #[arg(long, value_name = "NAME")]
    task_type: Option<String>,
    /// Seconds to train for; 10 in a flat event and 60 in an envelope where it is not given
    #[arg(long, value_name = "SECONDS")]
    time_budget: Option<u64>,
    /// tabular or vision, in an envelope; tabular for automl where it is not given
    #[arg(long, value_name = "WORD", value_parser = ["tabular", "vision"])]
    task_category: Option<String>,
}

impl AimArgs {
    fn aim(&self) -> Aim {
        Aim {
            target_column_name: self.target_column_name.clone(),
            task_type: self.task_type.clone(),
            time_budget: self.time_budget,
            task_category: self.task_category.clone(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RouteArg {
    /// Models that were uploaded are explained
    AutomlToXai,
    /// Models are trained on datasets that were examined
    BiasToAutoml,
    /// Datasets that were uploaded are examined
    DatasetToBias,
}

impl RouteArg {
    fn route(self) -> Route {
        match self {
            RouteArg::AutomlToXai => Route::AutomlToXai,
            RouteArg::BiasToAutoml => Route::BiasToAutoml,
            RouteArg::DatasetToBias => Route::DatasetToBias,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Start {
    Beginning,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormArg {
    /// An envelope after an envelope; else by the topics that exist, then the API
    Event,
    /// The first: xai.trigger, automl-trigger.reported
    Form,
    /// Flat: xai-trigger.reported, automl-trigger.reported, bias-trigger.reported
    Flat,
    /// An envelope: xai-trigger, automl-trigger, bias-detection-trigger
    Task,
}

impl FormArg {
    /// The dialect that was chosen; `None` leaves it to the event and to what exists.
    fn dialect(self) -> Option<Dialect> {
        match self {
            FormArg::Event => None,
            FormArg::Form => Some(Dialect::Form),
            FormArg::Flat => Some(Dialect::Flat),
            FormArg::Task => Some(Dialect::Task),
        }
    }
}

impl ForwardArgs {
    /// Settings that are flags here.
    pub fn overrides(&self) -> Vec<(Key, String)> {
        let source = Key::Topic(self.route.route().source());
        let given = [(source, &self.topic), (Key::ConsumerGroup, &self.group)];
        given.into_iter().filter_map(|(key, text)| Some((key, text.clone()?))).collect()
    }
}

pub fn cmd_forward(context: &Context, args: &ForwardArgs) -> Result<(), Failure> {
    let plan = plan(context, args)?;
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
    let route = args.route.route();
    check_route(route, args)?;
    let topics = match context.settings.topic(route.source()) {
        Some(topic) => vec![topic.to_owned()],
        None => route.source().topics().iter().map(|&name| name.to_owned()).collect(),
    };
    let trigger_topics = trigger_topics(context, route, args.trigger_topic.as_deref());
    let dead_letter = args.dead_letter.clone();
    let TriggerTopics { form, flat, task } = &trigger_topics;
    let targets = [form, flat, task];
    for target in targets.into_iter().chain(dead_letter.as_ref()) {
        if topics.contains(target) {
            return Err(Failure::usage(format!(
                "{target:?} is the topic that is read: what is sent there would come back"
            )));
        }
    }
    Ok(ForwardPlan {
        route,
        topics,
        group: group(context, route),
        start: match args.from {
            Start::Beginning => GroupStart::Beginning,
            Start::End => GroupStart::End,
        },
        terms: Terms {
            dialects: triggers::choose_dialects(context, args, route)?,
            topics: trigger_topics,
            aim: args.aim.aim(),
        },
        dead_letter,
        download_dir: args.download_dir.clone(),
        lookups: usize::from(args.lookups),
        count: args.count,
        idle: args.idle,
    })
}

/// Refuses what a route has no use for, or cannot be without.
fn check_route(route: Route, args: &ForwardArgs) -> Result<(), Failure> {
    let shown = args.route.to_possible_value();
    let shown = shown.as_ref().map_or("", clap::builder::PossibleValue::get_name);
    let is_explained = route == Route::AutomlToXai;
    if is_explained && args.aim.aim() != Aim::default() {
        return Err(Failure::usage(format!("--route {shown} trains and examines nothing")).hint(
            "--target-column-name and what goes with it is for bias-to-automl and dataset-to-bias",
        ));
    }
    if !is_explained && args.download_dir.is_some() {
        return Err(Failure::usage(format!("--route {shown} downloads no models"))
            .hint("leave --download-dir out"));
    }
    if route == Route::DatasetToBias && args.aim.target_column_name.is_none() {
        return Err(Failure::usage(format!("--route {shown} needs --target-column-name"))
            .hint("no event of a dataset says which column a model is to predict"));
    }
    Ok(())
}

/// What is set, else a group of the route's own: members of one group with different topics would
/// only disturb each other.
fn group(context: &Context, route: Route) -> String {
    let settings = &context.settings;
    let is_set =
        settings.get(Key::ConsumerGroup).is_some_and(|value| value.origin != Origin::Default);
    match route {
        Route::BiasToAutoml | Route::DatasetToBias if !is_set => {
            format!("{}-consumer", route.source())
        }
        _ => settings.consumer_group().to_owned(),
    }
}

/// A flag is for every generation; the service's variables name a topic for each role.
fn trigger_topics(context: &Context, route: Route, flag: Option<&str>) -> TriggerTopics {
    let defaults = TriggerTopics::of(route.target());
    let name = |role, default: String| {
        flag.or_else(|| context.settings.topic(role)).map_or(default, str::to_owned)
    };
    // The seed's trigger shares its topic with what XAI reports.
    let form = if route == Route::AutomlToXai { Role::Xai } else { route.target() };
    TriggerTopics {
        form: name(form, defaults.form),
        flat: name(route.target(), defaults.flat),
        task: name(route.target(), defaults.task),
    }
}

/// The verdict over how the run ended.
fn conclude(context: &Context, plan: &ForwardPlan, ended: Forwarded) -> Result<(), Failure> {
    let Forwarded { stop, records, triggers, set_aside, left } = ended;
    context
        .ui
        .status(format!("{records} records done: {triggers} triggers sent, {set_aside} set aside"));
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
