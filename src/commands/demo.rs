//! `dwctl demo`: the whole stack in this process on free ports, the main job on it, and a verdict.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::workspace::Workspace;
use crate::base::duration::spoken;
use crate::base::{Failure, Kind};
use crate::context::Context;
use crate::flows::demo::{Scene, Step, demo};
use crate::flows::follow::{Notice, RecordSink, Taken};
use crate::kafka::{Properties, Record, TopicId};
use crate::schema::role::Role;
use crate::serve::{IDLE_TIMEOUT, Silent, Spoken, Stack, StackOptions};
use crate::ui::record::{RecordPrinter, RecordStyle};
use crate::ui::{Format, Progress, StyledText, Table, TextStyle};
use crate::warehouse::{ApiAddress, Options, Route, Warehouse};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl demo
  dwctl demo --keep

Starts the warehouse API and a Kafka broker inside this process, uploads a small trained model and a
folder, sends a bias event, reads the events back over the Kafka protocol, downloads everything and
compares, forwards the uploads to the explanation step, changes a model and deletes one. Touches
nothing but a temporary folder.")]
pub struct DemoArgs {
    /// Leave the stack running and print the commands to go on with
    #[arg(long)]
    keep: bool,
}

/// Shows nothing: for programs, the steps say it all.
struct Unseen;

impl RecordSink for Unseen {
    fn topic(&mut self, _: TopicId, _: &str, _: Option<Role>) {}

    fn record(&mut self, _: &Record<'_>) -> Result<Taken, Failure> {
        Ok(Taken::Counted)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice<'_>) {}
}

pub fn cmd_demo(context: &Context, args: &DemoArgs) -> Result<(), Failure> {
    let workspace = Workspace::create(context, "demo")?;
    let start = Instant::now();
    context.block_on(async {
        let stack =
            Stack::start(stack_options(context, workspace.path()), Arc::new(Silent)).await?;
        let mut steps = vec![Step {
            name: "start API and broker",
            took: start.elapsed(),
            outcome: Ok(format!("{}, Kafka at {}", stack.api_url(), stack.brokers())),
        }];
        let outcome = tokio::select! {
            told = act(context, &stack, workspace.path()) => told,
            signal = context.shutdown.requested() => {
                Err(Failure::new(signal.kind().unwrap_or(Kind::Interrupted), "stopped"))
            }
        };
        let outcome = match outcome {
            Ok(told) => {
                steps.extend(told);
                conclude(context, steps, start.elapsed())
            }
            Err(failure) => Err(failure),
        };
        if args.keep && outcome.is_ok() {
            say_how_to_go_on(context, &stack)?;
            context.shutdown.requested().await;
        }
        stack.stop().await;
        outcome
    })?
}

fn stack_options(context: &Context, folder: &Path) -> StackOptions {
    StackOptions {
        data_dir: folder.join("warehouse"),
        spoken: Spoken::All,
        host: "127.0.0.1".to_owned(),
        port: 0,
        broker_port: 0,
        advertised: None,
        topics: Vec::new(),
        partitions: 1,
        origins: Vec::new(),
        patience: IDLE_TIMEOUT,
        kafka: None,
        clock: context.clock.clone(),
        ids: context.ids.clone(),
    }
}

async fn act(context: &Context, stack: &Stack, folder: &Path) -> Result<Vec<Step>, Failure> {
    let options = Options {
        address: ApiAddress::parse(&stack.api_url())?,
        route: Route::Direct,
        authorities: None,
        // A free port is another API the next time.
        cache_dir: None,
        ids: context.ids.clone(),
        listener: Some(context.request_listener()),
    };
    let warehouse = Warehouse::new(options.clone())?;
    let kafka = Properties::new(stack.brokers());
    let scene = Scene {
        warehouse: &warehouse,
        options: &options,
        kafka: &kafka,
        folder,
        clock: &context.clock,
        shutdown: &context.shutdown,
        deadline: context.deadline,
    };
    let progress = Progress::new(&context.ui);
    if context.ui.format() == Format::Json {
        return Ok(demo(scene, &mut Unseen, &progress).await);
    }
    let style = RecordStyle { with_topic: true, with_timestamp: false, with_headers: false };
    let mut printer = RecordPrinter::new(&context.ui, style);
    Ok(demo(scene, &mut printer, &progress).await)
}

/// The table and the verdict; the failure of the step that failed.
fn conclude(context: &Context, steps: Vec<Step>, took: Duration) -> Result<(), Failure> {
    let passed = steps.iter().filter(|step| step.outcome.is_ok()).count();
    let works = passed == steps.len();
    if context.ui.format() == Format::Json {
        let told: Vec<Value> = steps.iter().map(document).collect();
        context.ui.document(&json!({
            "schema": "dwctl.demo/1",
            "ok": works,
            "took_ms": millis(took),
            "steps": told,
        }))?;
    } else {
        let mut table = Table::new(&["STEP", "", ">TIME", "SEEN"]);
        for step in &steps {
            let (mark, seen) = match &step.outcome {
                Ok(seen) => ("ok", seen.clone()),
                Err(failure) => ("FAILED", failure.message()),
            };
            table.row([step.name.to_owned(), mark.to_owned(), spoken(step.took), seen]);
        }
        context.ui.text("\n")?;
        context.ui.table(&table)?;
        context.ui.text("\n")?;
        let took = spoken(took);
        context.ui.line(if works {
            StyledText::new(TextStyle::Good, "The pipeline works:")
                .plain(format!(" {passed} steps in {took}"))
        } else {
            StyledText::new(TextStyle::Bad, "The pipeline does not work:")
                .plain(format!(" {passed} steps of {} in {took}", steps.len()))
        })?;
    }
    steps.into_iter().find_map(|step| step.outcome.err()).map_or(Ok(()), Err)
}

fn document(step: &Step) -> Value {
    let (ok, seen) = match &step.outcome {
        Ok(seen) => (true, seen.clone()),
        Err(failure) => (false, failure.to_string()),
    };
    json!({"step": step.name, "ok": ok, "took_ms": millis(step.took), "seen": seen})
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// The addresses are data, as those of `serve` are, except where one document is all that a program
/// expects: there the first step tells them.
fn say_how_to_go_on(context: &Context, stack: &Stack) -> Result<(), Failure> {
    let (api, brokers) = (stack.api_url(), stack.brokers());
    if context.ui.format() != Format::Json {
        context.ui.data(
            format!("\nDWCTL_API_URL={api}\nKAFKA_BOOTSTRAP_SERVERS={brokers}\n").as_bytes(),
        )?;
    }
    context
        .ui
        .status("The stack keeps running; Ctrl-C stops it and removes what it stored. Go on with:");
    for line in [
        format!("export DWCTL_API_URL={api} KAFKA_BOOTSTRAP_SERVERS={brokers} DWCTL_USER_ID=demo"),
        "dwctl models list".to_owned(),
        "dwctl tail automl bias --from beginning".to_owned(),
        "dwctl send bias --dataset-id demo-dataset".to_owned(),
        "dwctl topics".to_owned(),
    ] {
        context.ui.status(format!("  {line}"));
    }
    Ok(())
}
