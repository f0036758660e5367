//! `dwctl send raw`: lines, or the records that `tail -o json` wrote, onto a topic.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::input_encoding::warn_of_marks;
use crate::base::escape::unescape;
use crate::base::file::create_output;
use crate::base::{Deadline, Failure, Kind, Signal};
use crate::context::Context;
use crate::flows::publish::{
    Account, Delimited, Framing, Lines, Published, Publishing, Rejects, Shape, SpreadDocument,
    publish,
};
use crate::kafka::{Durability, admin};
use crate::ui::Format;

/// Send lines, whole files, or records as tail -o json writes them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl send raw my-topic < lines.txt
  dwctl send raw my-topic --key-delimiter : keyed.txt
  dwctl tail automl -o json --from beginning --until end | dwctl send raw copy-of-automl --json
  dwctl send raw my-topic --whole --key k1 pretty.json

Prints how many records all in-sync replicas have. With --json headers, tombstones, bytes that are
no text, timestamps and partitions arrive as they were. Records arrive in the order of the lines and
without duplicates from retries, unless --no-idempotent trades that for speed. Lines that are not
records, and records that are refused, go to the --reject file with number and reason, and make the
exit code 9.")]
pub(super) struct RawArgs {
    /// Topic; it must exist
    topic: String,
    /// Files to read, - for standard input, which is read where none is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Lines are records as tail -o json writes them
    #[arg(long, conflicts_with_all = ["key_delimiter", "key", "header", "partition"])]
    json: bool,
    /// With --json, let keys choose partitions anew
    #[arg(long, requires = "json")]
    repartition: bool,
    /// Send each file, or all of standard input, as one record
    #[arg(long, conflicts_with_all = ["json", "key_delimiter", "null"])]
    whole: bool,
    /// Records end with NUL in place of a line break
    #[arg(short = '0', long)]
    null: bool,
    /// What stands between key and value, such as : or \t; a line without it has no key
    #[arg(short = 'K', long, value_name = "TEXT")]
    key_delimiter: Option<String>,
    /// Key of every record that has none of its own
    #[arg(long)]
    key: Option<String>,
    /// Header of every record; may stand several times
    #[arg(short = 'H', long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// Partition of every record, in place of the key's choice
    #[arg(short, long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// Compression
    #[arg(short = 'z', long, default_value = "lz4", value_parser = ["none", "gzip", "snappy", "lz4", "zstd"], value_name = "CODEC")]
    compression: String,
    /// In order and without duplicates from retries, which is the default
    #[arg(long, hide = true, overrides_with = "no_idempotent")]
    idempotent: bool,
    /// Faster: a retry after a lost reply may duplicate or reorder records
    #[arg(long, overrides_with = "idempotent")]
    no_idempotent: bool,
    /// How keys choose partitions; murmur2 is what Java clients and aiokafka do
    #[arg(long, default_value = "murmur2", value_parser = ["murmur2", "consistent", "fnv1a", "random"], value_name = "RULE")]
    partitioner: String,
    /// File for lines that did not become records, as JSON with number and reason
    #[arg(long, value_name = "FILE")]
    reject: Option<PathBuf>,
}

impl RawArgs {
    fn shape(&self) -> Result<Shape, Failure> {
        if self.json {
            return Ok(Shape::Json { partitions: !self.repartition });
        }
        if self.key_delimiter.as_deref() == Some("") {
            return Err(Failure::usage("--key-delimiter cannot be empty"));
        }
        Ok(Shape::Delimited(Delimited {
            delimiter: self.key_delimiter.as_deref().map(delimiter).transpose()?,
            key: self.key.as_ref().map(|text| text.clone().into_bytes()),
            headers: self.header.iter().map(|text| header(text)).collect::<Result<_, _>>()?,
            partition: self.partition,
        }))
    }

    fn framing(&self) -> Framing {
        match (self.whole, self.null) {
            (true, _) => Framing::Whole,
            (false, true) => Framing::Null,
            (false, false) => Framing::Lines,
        }
    }

    fn durability(&self) -> Durability {
        if self.no_idempotent { Durability::Acknowledged } else { Durability::Idempotent }
    }

    /// librdkafka's name of the rule; each leaves records without a key to chance.
    fn partitioner(&self) -> &'static str {
        match self.partitioner.as_str() {
            "consistent" => "consistent_random",
            "fnv1a" => "fnv1a_random",
            "random" => "random",
            _ => "murmur2_random",
        }
    }

    fn inputs(&self) -> Result<Vec<File>, Failure> {
        if self.files.is_empty() {
            return Ok(vec![standard_input()?]);
        }
        self.files
            .iter()
            .map(|path| {
                if path.as_os_str() == "-" {
                    return standard_input();
                }
                if path.is_dir() {
                    return Err(Failure::usage(format!("{} is a folder", path.display())));
                }
                File::open(path).map_err(|error| {
                    let kind = match error.kind() {
                        std::io::ErrorKind::NotFound => Kind::NotFound,
                        _ => Kind::Usage,
                    };
                    Failure::wrap(kind, error).context(format!("failed to open {}", path.display()))
                })
            })
            .collect()
    }

    /// The file for rejected lines; making it empties it, so it must not be one that is read.
    fn rejects<'a>(
        &self,
        context: &'a Context,
        inputs: &[File],
    ) -> Result<RejectFile<'a>, Failure> {
        if let Some(path) = &self.reject
            && let Ok(there) = std::fs::metadata(path)
            && there.is_file()
            && inputs
                .iter()
                .filter_map(|input| input.metadata().ok())
                .any(|input| (input.dev(), input.ino()) == (there.dev(), there.ino()))
        {
            let shown = path.display();
            return Err(Failure::usage(format!("--reject names {shown}, which is read"))
                .hint("name a file that is new"));
        }
        RejectFile::open(context, self.reject.as_ref())
    }
}

fn delimiter(text: &str) -> Result<Vec<u8>, Failure> {
    unescape(text).map_err(|wrong| {
        Failure::usage(format!("--key-delimiter {text:?} cannot be used: {}", wrong.reason))
            .hint(format!("write {}; escapes are \\t \\n \\r \\\\ \\xHH", wrong.form))
    })
}

fn standard_input() -> Result<File, Failure> {
    rustix::io::dup(rustix::stdio::stdin()).map(File::from).map_err(|error| {
        Failure::wrap(Kind::Usage, std::io::Error::from(error))
            .context("failed to read standard input")
    })
}

fn header(text: &str) -> Result<(String, Option<Vec<u8>>), Failure> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.to_owned(), Some(value.as_bytes().to_vec())))
        }
        _ => Err(Failure::usage(format!("--header {text:?} is not NAME=VALUE"))),
    }
}

/// Lines that did not become records: told, and kept in a file where one is named.
struct RejectFile<'a> {
    context: &'a Context,
    file: Option<(PathBuf, BufWriter<File>)>,
    told: u64,
}

/// How long the cause of missing acknowledgements may be looked for.
const LOOK: Duration = Duration::from_millis(500);

/// Rejected lines that are told one by one where there is no file for them.
const MOST_TOLD: u64 = 5;

impl<'a> RejectFile<'a> {
    fn open(context: &'a Context, path: Option<&PathBuf>) -> Result<Self, Failure> {
        let file = path
            .map(|path| match create_output(path) {
                Ok(file) => Ok((path.clone(), BufWriter::new(file))),
                Err(error) => Err(unwritable(path, error)),
            })
            .transpose()?;
        Ok(Self { context, file, told: 0 })
    }

    fn close(self) -> Result<(), Failure> {
        match self.file {
            Some((path, mut file)) => file.flush().map_err(|error| unwritable(&path, error)),
            None => Ok(()),
        }
    }
}

fn unwritable(path: &std::path::Path, error: std::io::Error) -> Failure {
    Failure::wrap(Kind::Usage, error).context(format!("failed to write {}", path.display()))
}

impl Rejects for RejectFile<'_> {
    fn waiting(&mut self, records: u64) {
        self.context.ui.warning(&format!(
            "no broker has acknowledged anything for some seconds: {records} records are waited for"
        ));
    }

    fn spread_document(&mut self, document: SpreadDocument) {
        let SpreadDocument { first, last, is_array } = document;
        self.context.ui.warning(&format!(
            "lines {first} to {last} are one JSON document, and each of them is a record of its own"
        ));
        let elements = if is_array { "; jq -c '.[]' puts each element on a line" } else { "" };
        self.context.ui.hint(&format!(
            "--whole sends each file as one record; jq -c . puts a document on one line{elements}"
        ));
    }

    fn reject(&mut self, line: u64, reason: &str, text: Option<&[u8]>) -> Result<(), Failure> {
        match &mut self.file {
            Some((path, file)) => {
                let mut entry = json!({"line": line, "reason": reason});
                match text.map(|bytes| std::str::from_utf8(bytes).map_err(|_| bytes)) {
                    None => entry["text"] = Value::Null,
                    Some(Ok(text)) => entry["text"] = text.into(),
                    Some(Err(bytes)) => {
                        entry["text"] = openssl::base64::encode_block(bytes).into();
                        entry["text_encoding"] = "base64".into();
                    }
                }
                writeln!(file, "{entry}").map_err(|error| unwritable(path, error))
            }
            None => {
                self.told += 1;
                if self.told <= MOST_TOLD {
                    self.context.ui.warning(&format!("line {line}: {reason}"));
                }
                Ok(())
            }
        }
    }
}

pub(super) fn cmd_raw(context: &Context, args: &RawArgs) -> Result<(), Failure> {
    let shape = args.shape()?;
    let inputs = args.inputs()?;
    warn_of_marks(context, &args.files, &inputs, args.json);
    let mut rejects = args.rejects(context, &inputs)?;
    if inputs.iter().any(IsTerminal::is_terminal) {
        context.ui.status("reading lines from the terminal; Ctrl-D ends them");
    }
    let inputs = inputs.into_iter().map(|input| Lines::new(input, args.framing())).collect();
    let properties = context.kafka()?;
    let publishing = Publishing {
        properties: &properties,
        topic: &args.topic,
        shape: &shape,
        durability: args.durability(),
        compression: &args.compression,
        partitioner: args.partitioner(),
        shutdown: &context.shutdown,
        deadline: context.deadline,
    };
    let Published { account, fault } = publish(&publishing, inputs, &mut rejects)?;
    let closed = rejects.close();
    show(context, &args.topic, &account)?;
    if let Some(fault) = fault {
        context.ui.warning(&stopped(&account));
        return Err(fault);
    }
    closed?;
    conclude(context, args, &account)
}

/// Why nothing is acknowledged although the brokers answer: a partition has fewer in-sync replicas
/// than its topic demands.
pub(super) fn in_sync_shortage(context: &Context, topic: &str) -> Option<String> {
    let properties = context.kafka().ok()?;
    let asking = admin::in_sync_shortage(&properties, topic, Deadline::after(LOOK));
    // It is a hint: what cannot be found out is not said.
    context.block_on(asking).ok()?.ok()?
}

fn show(context: &Context, topic: &str, account: &Account) -> Result<(), Failure> {
    if context.ui.format() == Format::Json {
        return context.ui.document(&json!({
            "schema": "dwctl.send.raw/1",
            "topic": topic,
            "lines": account.lines,
            "acknowledged": account.acknowledged,
            "refused": account.refused,
            "invalid": account.invalid,
            "unacknowledged": account.unacknowledged,
            "complete": account.complete,
        }));
    }
    let count = account.acknowledged;
    let records = if count == 1 { "record" } else { "records" };
    context.ui.line(format!("{count} {records} acknowledged on {topic}"))
}

/// What became of the lines of a run that ended early.
fn stopped(account: &Account) -> String {
    let Account { lines, acknowledged, refused, invalid, unacknowledged, .. } = *account;
    let mut message = format!(
        "stopped after {lines} lines: {acknowledged} acknowledged, {unacknowledged} not acknowledged"
    );
    for (count, word) in [(refused, "refused"), (invalid, "invalid")] {
        if count > 0 {
            message += &format!(", {count} {word}");
        }
    }
    message
}

/// The verdict: whatever is not acknowledged is told, and decides the code.
fn conclude(context: &Context, args: &RawArgs, account: &Account) -> Result<(), Failure> {
    let Account { lines, refused, invalid, unacknowledged, .. } = *account;
    if let Some((kind, reason)) = &account.verdict {
        let failure = Failure::new(*kind, format!("{}: {reason}", stopped(account)));
        return Err(if *kind == Kind::Denied && !args.no_idempotent {
            // Brokers before Apache Kafka 2.8 demand a permission for it (KIP-679).
            failure.hint("add --no-idempotent if only idempotent writes are denied")
        } else {
            failure
        });
    }
    if unacknowledged > 0 || !account.complete {
        let kind = match context.shutdown.signal().and_then(Signal::kind) {
            Some(kind) => kind,
            None => Kind::Deadline,
        };
        let failure = Failure::new(kind, stopped(account));
        return Err(
            match in_sync_shortage(context, &args.topic).filter(|_| kind == Kind::Deadline) {
                Some(shortage) => failure.hint(shortage),
                None => failure,
            },
        );
    }
    if refused + invalid == 0 {
        return Ok(());
    }
    let mut message = format!("{} of {lines} lines did not become records", refused + invalid);
    if let Some(reason) = &account.first_refusal {
        message += &format!("; the first that was refused: {reason}");
    }
    let mut failure = Failure::new(Kind::Partial, message);
    if let Some(advice) = &account.advice {
        failure = failure.hint(advice.clone());
    }
    Err(if args.reject.is_some() {
        failure
    } else {
        failure.hint("--reject FILE keeps each with its number and reason")
    })
}
