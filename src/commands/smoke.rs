//! `dwctl smoke`: whether a deployment works, as a table, a document, a JUnit file and an exit code.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::ready_file::WholeFile;
use super::workspace::Workspace;
use crate::base::duration::spoken;
use crate::base::{Failure, Hint, Kind};
use crate::context::Context;
use crate::flows::smoke::{Means, Outcome, Report, SmokePlan, Step, render_junit, smoke};
use crate::schema::dataset::SMOKE_PREFIX;
use crate::schema::ids::UserId;
use crate::schema::role::Role;
use crate::settings::{DialectChoice, Key};
use crate::ui::{Format, Progress, StyledText, Table, TextStyle};

/// How long a run may take by default: a service whose broker was lost replies after 40 s.
const BUDGET: Duration = Duration::from_secs(60);
/// How long an event is awaited then.
const EVENT_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl smoke --timeout 30s --junit smoke.xml
  dwctl smoke --folder --bias -o json
  dwctl smoke --through-forward

Uploads a tiny model under an id that nobody else has, reads its event back, holds its record, its
files and its bytes against what was sent, and deletes it again, however the run ends. Any number
may run side by side. --timeout bounds all of it; the default is 60 s, because the service replies
after 40 s if it lost its broker. --bias stores a tiny dataset and a report about it through the
API, and deletes both; forward starts nothing for them.

Exit codes: 8 when a step failed, 6 when the API or the brokers are away.")]
pub struct SmokeArgs {
    /// Upload a folder too, with two files of one name
    #[arg(long)]
    folder: bool,
    /// Store a bias report through the API too, and read its event back
    #[arg(long)]
    bias: bool,
    /// Wait for the XAI trigger that a running forward sends for the upload
    #[arg(long)]
    through_forward: bool,
    /// Write the steps to this file, as JUnit does
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Owner of the models, which are deleted again
    #[arg(long, value_name = "ID", default_value = "dwctl-smoke")]
    user_id: String,
    /// Generation of the API: auto, form, flat or task
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,
}

impl SmokeArgs {
    pub(super) fn overrides(&self) -> Vec<(Key, String)> {
        self.dialect.iter().map(|dialect| (Key::Dialect, dialect.clone())).collect()
    }
}

pub fn cmd_smoke(context: &Context, args: &SmokeArgs) -> Result<(), Failure> {
    let plan = plan(context, args)?;
    let dialect = match context.settings.dialect()? {
        DialectChoice::Auto => None,
        DialectChoice::Given(dialect) => Some(dialect),
    };
    let junit = args.junit.as_deref().map(|path| WholeFile::open("--junit", path)).transpose()?;
    let (warehouse, kafka) = (context.warehouse()?, context.kafka()?);
    let workspace = Workspace::create(context, "smoke")?;
    let progress = Progress::new(&context.ui);
    let means = Means {
        warehouse: &warehouse,
        dialect,
        kafka: &kafka,
        folder: workspace.path(),
        reporter: &progress,
        clock: &context.clock,
        shutdown: &context.shutdown,
    };
    let report = context.block_on(smoke(means, &plan))?;
    // A CI server wants its file whatever else cannot be written.
    let written = junit.map_or(Ok(()), |file| file.fill(&render_junit(&report)));
    show(context, &report)?;
    conclude(context, &report)?;
    written
}

fn plan(context: &Context, args: &SmokeArgs) -> Result<SmokePlan, Failure> {
    let roles = [Role::Automl, Role::Bias, Role::Xai, Role::XaiTrigger];
    let set = |role| Some((role, context.settings.topic(role)?.to_owned()));
    let given = context.deadline.remaining();
    Ok(SmokePlan {
        token: format!("{SMOKE_PREFIX}{}", context.ids.hex(12)),
        user: UserId::parse(&args.user_id)?,
        with_folder: args.folder,
        with_bias: args.bias,
        through_forward: args.through_forward,
        topics: roles.into_iter().filter_map(set).collect(),
        budget: given.unwrap_or(BUDGET),
        event_patience: given.is_none().then_some(EVENT_PATIENCE),
    })
}

fn conclude(context: &Context, report: &Report) -> Result<(), Failure> {
    if let Some(signal) = context.shutdown.signal() {
        return Err(Failure::new(signal.kind().unwrap_or(Kind::Interrupted), "stopped"));
    }
    report.failure().map_or(Ok(()), Err)
}

fn show(context: &Context, report: &Report) -> Result<(), Failure> {
    if context.ui.format() == Format::Json {
        let steps: Vec<Value> = report.steps.iter().map(document).collect();
        return context.ui.document(&json!({
            "schema": "dwctl.smoke/1",
            "ok": report.is_good(),
            "run": report.token,
            "took_ms": millis(report.took),
            "steps": steps,
        }));
    }
    let mut table = Table::new(&["STEP", "", ">TIME", "SEEN"]);
    for step in &report.steps {
        let mark = match &step.outcome {
            Outcome::Passed(_) => "ok",
            Outcome::Failed(_) => "FAILED",
            Outcome::Skipped(_) => "skipped",
        };
        let cells = [step.name, mark].map(str::to_owned);
        table.row(cells.into_iter().chain([spoken(step.took), step.outcome.evidence()]));
    }
    context.ui.table(&table)?;
    context.ui.text("\n")?;
    context.ui.line(verdict(report))
}

fn verdict(report: &Report) -> StyledText<'static> {
    let took = spoken(report.took);
    let count = report.steps.len();
    if report.is_good() {
        return StyledText::new(TextStyle::Good, "It works:")
            .plain(format!(" {count} steps in {took}"));
    }
    let word = if report.failed() == 0 { "Not proved:" } else { "It does not work:" };
    let passed = report.steps.iter().filter(|s| matches!(s.outcome, Outcome::Passed(_))).count();
    StyledText::new(TextStyle::Bad, word)
        .plain(format!(" {passed} of {count} steps are proved, in {took}"))
}

fn document(step: &Step) -> Value {
    let mut told = json!({
        "step": step.name,
        "status": step.outcome.word(),
        "took_ms": millis(step.took),
        "evidence": step.outcome.evidence(),
    });
    if let Outcome::Failed(trouble) = &step.outcome {
        let fault = trouble
            .fault
            .map(|fault| json!({"name": fault.name(), "cause": fault.cause(), "fix": fault.fix()}));
        told["fault"] = json!(fault);
        let hints: Vec<&str> = trouble.failure.hints().iter().map(Hint::text).collect();
        told["hints"] = json!(hints);
    }
    told
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
