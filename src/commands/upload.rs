//! `dwctl upload`: a file, a folder or a ready archive becomes a model, or several become several.

mod batch;
mod ledger;
mod manifest;
mod names;
mod prepare;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::names::{name_warnings, warn_of_names};
use super::metadata::{self, About, MetadataArgs, Questions, Subject};
use super::sums::{Sizes, Sums};
use super::walk::WalkArgs;
use crate::archive::{Emptiness, Packing, Payload, Scrutiny};
use crate::base::duration::parse_duration;
use crate::base::rate::parse_rate;
use crate::base::{Failure, Rate};
use crate::context::Context;
use crate::flows::upload::{
    Confirmation, Form, IfExists, Intake, Means, Naming, NoEvent, Receipt, Source, Task, UploadJob,
    curl_script, foresee, upload,
};
use crate::schema::role::{Dialect, Role};
use crate::settings::{DialectChoice, Footprint, Key, System};
use crate::ui::{Format, Progress, text};
use crate::warehouse::check_filename;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl upload model.pt --user-id u1 --model-id m1 --framework pytorch --model-type classification
  dwctl upload ./bert --user-id u1 --model-id bert --framework huggingface --model-type nlp
  dwctl upload bundle.zip --user-id u1 --model-id m2 --framework onnx --model-type other -o json
  dwctl upload a.onnx b.onnx --user-id u1 --framework onnx --model-type nlp --jobs 4 --keep-going
  dwctl upload --manifest models.toml --dry-run

Prints USER/MODEL@VERSION once the server's record of every file, size and MD5, is that of what was
sent. A folder is packed while it is sent: no temporary file, the same bytes on every machine; with
--compress the same from every dwctl of this version.

Of several PATHs, and of one with --jobs or --keep-going, each becomes a model that has the path's
name without its extension as its id. Each line is printed as soon as its model is proved to be
there, so lines come in the order of ends; with -o json each is an object a line. All are looked at
before the first is sent. A failure lets none of the others begin and those that run end: the code
is the failure's. With --keep-going all are tried, and the code is 9 where some failed, some not.

A manifest is TOML or JSON: a list `models` of tables with `path`, relative to the manifest, and the
fields of the form by their names, such as model_id and model_type; `as_file`, `task_id`, and a
table `fields` for fields without a flag. Fields at its top hold for all models; flags win.")]
pub struct UploadArgs {
    /// File, folder or .zip; several become several models
    #[arg(value_name = "PATH", required_unless_present = "manifest")]
    paths: Vec<PathBuf>,
    /// Upload the models that this TOML or JSON file lists; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    manifest: Option<PathBuf>,
    /// Of several models, upload so many at a time; 2 where it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,
    /// Of several models, try all though some fail
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    metadata: MetadataArgs,
    /// Send a .zip as one file, and not to be unpacked
    #[arg(long)]
    as_file: bool,
    /// Send a file of no bytes
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    walk: WalkArgs,
    /// Deflate the text in a folder, files of up to 8 MiB; each of them is read twice for it
    #[arg(long)]
    compress: bool,
    /// Say what would be sent, and send nothing; only another --if-exists than new asks the API
    #[arg(long)]
    dry_run: bool,
    /// Show each value of the metadata and where it comes from, and send nothing
    #[arg(long)]
    print_meta: bool,
    /// Show commands of curl that send the same, and send nothing
    #[arg(long, conflicts_with_all = ["dry_run", "print_meta"])]
    print_curl: bool,
    /// Fail with code 8 and send nothing if a file runs code when it is loaded, cannot be looked into,
    /// is damaged or incomplete, is a pointer of Git LFS, or has secrets in it
    #[arg(long)]
    fail_on_unsafe: bool,
    /// What to do where the model is there already
    #[arg(long, value_enum, default_value = "new", value_name = "RULE")]
    if_exists: ExistsRule,
    /// Ask and send again at most so often what fails in passing: no connection, a lost one, 408,
    /// 425, 429, 5xx; where it may be stored, its record is looked for first
    #[arg(long, value_name = "N", default_value_t = 3)]
    retries: u32,
    /// Send at most so many bytes a second, all models together: 500k, 2M, 1.5G
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    limit_rate: Option<Rate>,
    /// Task that the upload belongs to: X-Task-ID, of today's service
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    task_id: Option<String>,
    /// End only when the upload's event was read back from its topic
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "30s"
    )]
    wait_event: Option<Duration>,
    /// Generation of the API: auto, form, flat or task
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ExistsRule {
    /// Make a new version
    New,
    /// Compare the MD5 of every file, and send nothing where they are the same
    Skip,
    /// Send nothing, and fail with code 4
    Fail,
}

impl UploadArgs {
    pub(super) fn overrides(&self) -> Vec<(Key, String)> {
        self.dialect.iter().map(|dialect| (Key::Dialect, dialect.clone())).collect()
    }

    /// An upload alone uses only the API; an event that is waited for is that of both systems.
    pub(super) fn footprint(&self) -> Footprint {
        if self.dry_run || self.print_meta || self.print_curl {
            Footprint::NONE
        } else if self.wait_event.is_some() {
            Footprint::new(&[System::Api, System::Brokers], true)
        } else {
            Footprint::reads(&[System::Api])
        }
    }

    fn if_exists(&self) -> IfExists {
        match self.if_exists {
            ExistsRule::New => IfExists::New,
            ExistsRule::Skip => IfExists::Skip,
            ExistsRule::Fail => IfExists::Fail,
        }
    }

    fn source(&self, asked: &Asked) -> Result<Source, Failure> {
        let form = if asked.as_file { Form::File } else { Form::ByPath };
        let emptiness = if self.allow_empty { Emptiness::Allowed } else { Emptiness::Refused };
        let packing = if self.compress { Packing::Compressed } else { Packing::Stored };
        let intake = Intake { form, emptiness, walk: self.walk.options(), packing };
        Ok(Source::open(&asked.path, &intake)?)
    }
}

/// One model that is asked for.
#[derive(Debug)]
struct Asked {
    path: PathBuf,
    as_file: bool,
    task_id: Option<String>,
    metadata: MetadataArgs,
    questions: Questions,
    /// The model's id where nothing else gives one.
    own_id: Option<String>,
}

impl Asked {
    /// A path under the flags alone.
    fn by_flags(args: &UploadArgs, path: &Path, questions: Questions) -> Self {
        Self {
            path: path.to_owned(),
            as_file: args.as_file,
            task_id: args.task_id.clone(),
            metadata: args.metadata.clone(),
            questions,
            own_id: None,
        }
    }
}

/// The dialect that was chosen, where one was.
fn dialect(context: &Context) -> Result<Option<Dialect>, Failure> {
    Ok(match context.settings.dialect()? {
        DialectChoice::Auto => None,
        DialectChoice::Given(dialect) => Some(dialect),
    })
}

pub fn cmd_upload(context: &Context, args: &UploadArgs) -> Result<(), Failure> {
    check_event_wait(args)?;
    let path = match args.paths.as_slice() {
        // A pattern of the shell may match one file: the flags of several hold for it too.
        [path] if args.jobs.is_none() && !args.keep_going => path,
        _ => return batch::cmd_batch(context, args),
    };
    args.walk.check(path)?;
    let asked = Asked::by_flags(args, path, Questions::Allowed);
    if args.print_meta {
        return show_metadata(context, args, &asked);
    }
    let Prepared { job, about } = job(context, args, &asked)?;
    say_left_out(context, &job.source);
    say_unheard(context, args, &job.source);
    warn_of_names(context, &job);
    if args.dry_run {
        return foretell(context, args, path, &job, &about);
    }
    if args.print_curl {
        return show_curl(context, args, &[(path, &job)]);
    }
    let dialect = dialect(context)?;
    let warehouse = context.warehouse()?.limited_to(args.limit_rate);
    let progress = Progress::new(&context.ui);
    let confirmation =
        args.wait_event.map(|patience| confirmation(context, patience)).transpose()?;
    let means = Means {
        warehouse: &warehouse,
        dialect,
        confirmation: confirmation.as_ref(),
        if_exists: args.if_exists(),
        retries: args.retries,
        keeps_text: context.ui.format() == Format::Json,
        reporter: &progress,
        deadline: context.deadline,
    };
    let receipt =
        context.run(upload(means, &job)).map_err(|failure| progress.explain_stop(failure))?;
    show_task(context, &receipt);
    show_receipt(context, path, &receipt)?;
    note_missing_follow_up(context, &receipt);
    Ok(())
}

/// Notes what the pipeline does not do after an upload: no event, or no XAI trigger for it.
fn note_missing_follow_up(context: &Context, receipt: &Receipt) {
    match receipt.no_event {
        Some(NoEvent::Folder) => context.ui.warning(NoEvent::Folder.reason()),
        Some(reason) => context.ui.note(reason.reason()),
        None if receipt.lacks_dataset() => {
            context.ui.note("without --training-dataset no XAI trigger follows this upload");
        }
        None => {}
    }
}

/// Refuses a wait that cannot succeed, and one that was written as a path.
fn check_event_wait(args: &UploadArgs) -> Result<(), Failure> {
    let Some(patience) = args.wait_event else { return Ok(()) };
    if patience.is_zero() {
        return Err(Failure::usage("--wait-event=0 would wait for nothing")
            .hint("leave it out, or name a time such as --wait-event=30s"));
    }
    let is_time = |path: &&PathBuf| {
        !path.exists() && path.to_str().is_some_and(|text| parse_duration(text).is_ok())
    };
    match args.paths.iter().find(is_time) {
        Some(path) => Err(Failure::usage(format!("there is no file {}", path.display()))
            .hint(format!("did you mean --wait-event={}?", path.display()))),
        None => Ok(()),
    }
}

fn confirmation(context: &Context, patience: Duration) -> Result<Confirmation, Failure> {
    Ok(Confirmation {
        kafka: context.kafka()?,
        topic: context.settings.topic(Role::Automl).map(str::to_owned),
        patience,
        shutdown: context.shutdown.clone(),
    })
}

fn task(context: &Context, args: &UploadArgs, asked: &Asked) -> Task {
    match (&asked.task_id, args.wait_event) {
        (Some(id), _) => Task::Given(id.clone()),
        (None, Some(_)) => Task::Own(format!("dwctl-{}", context.ids.hex(12))),
        (None, None) => Task::None,
    }
}

/// An upload that can be sent, and what is known about it.
struct Prepared {
    job: UploadJob,
    about: About,
}

/// Looks at what is asked for: its files, and its metadata as far as there is some.
fn look(context: &Context, args: &UploadArgs, asked: &Asked) -> Result<(Source, About), Failure> {
    let source = args.source(asked)?;
    let thorough = args.fail_on_unsafe || args.dry_run || args.print_meta;
    let inspection = source.inspect(if thorough { Scrutiny::All } else { Scrutiny::Quick })?;
    let subject = Subject {
        path: &asked.path,
        source: &source,
        inspection: &inspection,
        own_id: asked.own_id.as_deref(),
    };
    let layer = metadata::gather(context, &asked.metadata, subject)?;
    Ok((source, About { layer, inspection }))
}

fn show_metadata(context: &Context, args: &UploadArgs, asked: &Asked) -> Result<(), Failure> {
    let (_, about) = look(context, args, asked)?;
    about.warn(context);
    if context.ui.format() == Format::Json {
        return context.ui.document(&metadata::document(&asked.path, &about));
    }
    context.ui.table(&metadata::render(&about)?)
}

/// What is asked for, refused before any request where it cannot be sent.
fn job(context: &Context, args: &UploadArgs, asked: &Asked) -> Result<Prepared, Failure> {
    let (source, about) = look(context, args, asked)?;
    check_filename(source.filename())?;
    about.warn(context);
    if args.fail_on_unsafe {
        about.refuse_unsafe()?;
    }
    let About { layer, inspection } = about;
    let metadata = metadata::complete(context, layer, &inspection, asked.questions)?;
    let naming = match (&source, metadata.preserves_structure) {
        (Source::File { .. }, _) => Naming::Single,
        (_, true) => Naming::Paths,
        (_, false) => Naming::BaseNames,
    };
    let job = UploadJob {
        user: metadata.user,
        model: metadata.model,
        source,
        version: metadata.version,
        task: task(context, args, asked),
        fields: metadata.fields,
        early_model_type: metadata.early_model_type,
        naming,
    };
    job.check_names()?;
    Ok(Prepared { job, about: About { layer: metadata.layer, inspection } })
}

fn left_out(source: &Source) -> &[String] {
    match source.payload() {
        Payload::Folder(plan) => plan.left_out(),
        Payload::File { .. } => &[],
    }
}

/// Says what the rules took away: a file that is missing later should be no riddle.
fn say_left_out(context: &Context, source: &Source) {
    const SHOWN: usize = 5;
    let names = left_out(source);
    if names.is_empty() {
        return;
    }
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    context.ui.note(&format!("left out: {}{more}", shown.join(", ")));
}

/// Says which flags change nothing for a source that is no folder.
fn say_unheard(context: &Context, args: &UploadArgs, source: &Source) {
    if matches!(source, Source::Folder { .. }) {
        return;
    }
    let name = source.filename();
    if args.compress {
        context.ui.note(&format!("--compress leaves {name} as it is: only a folder is packed"));
    }
    if let Some(flags) = args.walk.chosen() {
        context
            .ui
            .warning(&format!("{flags} leave {name} as it is: they choose files of a folder"));
    }
}

/// Shows what would be sent. Where that depends on what is there already, the API is asked.
fn foretell(
    context: &Context,
    args: &UploadArgs,
    path: &Path,
    job: &UploadJob,
    about: &About,
) -> Result<(), Failure> {
    if args.if_exists() != IfExists::New {
        let warehouse = context.warehouse()?;
        let progress = Progress::new(&context.ui);
        let means = Means {
            warehouse: &warehouse,
            dialect: dialect(context)?,
            confirmation: None,
            if_exists: args.if_exists(),
            retries: args.retries,
            keeps_text: context.ui.format() == Format::Json,
            reporter: &progress,
            deadline: context.deadline,
        };
        if let Some(receipt) = context.run(foresee(means, job))? {
            return print_receipt(context, path, &receipt);
        }
    }
    show_plan(context, path, job, about)
}

fn show_plan(
    context: &Context,
    path: &Path,
    job: &UploadJob,
    about: &About,
) -> Result<(), Failure> {
    let files = job.source.listing();
    let bytes = job.source.payload().length();
    if context.ui.format() == Format::Json {
        let fields: serde_json::Map<String, Value> =
            job.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let warnings = [about.warnings(), name_warnings(job)].concat();
        return context.ui.document(&json!({
            "schema": "dwctl.upload/1",
            "dry_run": true,
            "path": path,
            "user_id": job.user,
            "model_id": job.model,
            "version": job.version,
            "fields": fields,
            "filename": job.source.filename(),
            "bytes": bytes,
            "files": Sizes(&files),
            "left_out": left_out(&job.source),
            "origins": about.origins(),
            "recognised": about.recognised(),
            "warnings": warnings,
        }));
    }
    context.ui.line(format!("{} as {}, {bytes} bytes", job.label(), job.source.filename()))?;
    for (name, value) in &job.fields {
        context.ui.line(format!("  {name} = {value}"))?;
    }
    for file in &files {
        context.ui.line(format!("  {:>9}  {}", text::size(file.size), file.name))?;
    }
    Ok(())
}

/// The commands of curl for each job, in the dialect that was chosen or that the API speaks.
fn show_curl(
    context: &Context,
    args: &UploadArgs,
    jobs: &[(&Path, &UploadJob)],
) -> Result<(), Failure> {
    let warehouse = context.warehouse()?;
    let dialect = match dialect(context)? {
        Some(dialect) => dialect,
        // Whoever runs the commands later does not notice that they do not fit.
        None => context.run(async { Ok(warehouse.ask_dialect(context.deadline).await?) })?,
    };
    for (path, job) in jobs {
        let script = curl_script(&warehouse, &job.request(dialect), args.limit_rate)?;
        if context.ui.format() == Format::Json {
            context.ui.document(&json!({
                "schema": "dwctl.upload/1",
                "path": path,
                "dialect": dialect.name(),
                "curl": script,
            }))?;
        } else {
            context.ui.text(script + "\n")?;
        }
    }
    Ok(())
}

/// What is said of the way of an upload, beside its receipt.
fn show_task(context: &Context, receipt: &Receipt) {
    if let Some(task_id) = &receipt.task_id {
        context.ui.status(format!("task {task_id}"));
    }
    if let (Some(event), Format::Text) = (&receipt.event, context.ui.format()) {
        context.ui.status(format!("announced as {event}"));
    }
}

/// Prints the proof of an upload. Where that fails, the upload has succeeded all the same.
fn show_receipt(context: &Context, path: &Path, receipt: &Receipt) -> Result<(), Failure> {
    print_receipt(context, path, receipt).map_err(|failure| {
        let coordinates = receipt.record.coordinates();
        failure.context(format!("{coordinates} is stored, with every file as sent"))
    })
}

fn print_receipt(context: &Context, path: &Path, receipt: &Receipt) -> Result<(), Failure> {
    if context.ui.format() != Format::Json {
        return context.ui.line(receipt.record.coordinates());
    }
    let event = receipt.event.as_ref().map(|event| {
        json!({
            "topic": event.topic,
            "partition": event.partition,
            "offset": event.offset,
            "value": serde_json::from_str::<Box<RawValue>>(&event.value).ok(),
        })
    });
    context.ui.document(&ReceiptDocument {
        schema: "dwctl.upload/1",
        path,
        status: receipt.status.word(),
        dialect: receipt.dialect.name(),
        model: receipt.text.as_deref(),
        task_id: receipt.task_id.as_deref(),
        event,
        sent: SentDocument { bytes: receipt.bytes, files: Sums(&receipt.files) },
        attempts: receipt.attempts,
        timing: json!({
            "send_ms": millis(receipt.sending),
            "server_ms": millis(receipt.waiting),
        }),
    })
}

/// The document of one upload. A value of its parts would be many times as large as its text.
#[derive(Serialize)]
struct ReceiptDocument<'a> {
    schema: &'static str,
    path: &'a Path,
    status: &'static str,
    dialect: &'static str,
    /// As the server sent it.
    model: Option<&'a RawValue>,
    task_id: Option<&'a str>,
    event: Option<Value>,
    sent: SentDocument<'a>,
    attempts: u32,
    timing: Value,
}

#[derive(Serialize)]
struct SentDocument<'a> {
    bytes: u64,
    files: Sums<'a>,
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
