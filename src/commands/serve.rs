//! `dwctl serve`: the local stack in the foreground.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::ready_file::ReadyFile;
use crate::base::duration::{parse_duration, spoken};
use crate::base::{Deadline, Failure};
use crate::context::Context;
use crate::kafka::{Acknowledgement, Properties};
use crate::serve::{
    AllowedOrigin, AnsweredRequest, IDLE_TIMEOUT, ServeReporter, Spoken, Stack, StackOptions,
};
use crate::settings::{Key, Origin};
use crate::ui::{Format, Ui, Verbosity};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dwctl serve
  dwctl serve --port 0 --broker-port 0 --data-dir ./warehouse --ready-file addresses

Standard output holds DWCTL_API_URL=… and KAFKA_BOOTSTRAP_SERVERS=…, one a line.

Requests are answered if their Host is a loopback name, the address of --host, an address of this
machine that the client has reached, or the name of --advertise. Web pages of other origins
change nothing and read nothing unless --cors allows their origin.

With --brokers HOST:PORT events go to a real Kafka instead of the embedded broker, and the topics
are made there where they are missing.

The embedded broker is for development and CI. It keeps 5 MiB a partition, and warns before
it drops older records; over a restart it keeps only the latest events of the API. It has no
positions by time, no transactions and no listing of groups, and Java clients cannot read from it.")]
pub struct ServeArgs {
    /// Generation of the API to speak: all from one router, or one exactly
    #[arg(long, default_value = "all", value_name = "all|form|flat|task")]
    dialect: Spoken,
    /// Folder for models and the database
    #[arg(long, value_name = "FOLDER", value_parser = super::folder_argument::output_folder())]
    data_dir: Option<PathBuf>,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: String,
    /// Port of the API; 0 takes a free one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Port of the embedded broker, 9092 where it is not given; 0 takes a free one
    #[arg(long)]
    broker_port: Option<u16>,
    /// Name under which clients reach this machine, where --host is not one, such as 0.0.0.0
    #[arg(long, value_name = "NAME")]
    advertise: Option<String>,
    /// Origin of web pages that may use the API, or * for all; can be repeated
    #[arg(long = "cors", value_name = "ORIGIN")]
    origins: Vec<AllowedOrigin>,
    /// Close connections on which nothing happens for this long [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = idle_timeout)]
    idle_timeout: Option<Duration>,
    /// Make this topic too, beside those of the service; may stand several times
    #[arg(long = "topic", value_name = "NAME", value_parser = topic_name)]
    topics: Vec<String>,
    /// Partitions of each topic
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=1000))]
    partitions: i32,
    /// Write the two addresses to this file once everything answers
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

impl ServeArgs {
    pub(super) fn overrides(&self) -> Vec<(Key, String)> {
        self.data_dir.iter().map(|path| (Key::DataDir, path.display().to_string())).collect()
    }
}

/// The longest time that a client can be waited for: one that a clock can still be set to.
const LONGEST_IDLE: Duration = Duration::from_secs(366 * 24 * 3600);

/// A time in which a client can do something.
fn idle_timeout(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(duration) if duration < Duration::from_millis(1) => Err("at least 1ms".to_owned()),
        Ok(duration) => Ok(duration.min(LONGEST_IDLE)),
        Err(error) => Err(error.to_string()),
    }
}

/// A name that brokers take: it is also that of a folder there.
fn topic_name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !(1..=249).contains(&text.len()) || matches!(text, "." | "..") || !text.chars().all(is_plain)
    {
        return Err("a topic has 1 to 249 of the characters a-z A-Z 0-9 . _ -".to_owned());
    }
    Ok(text.to_owned())
}

/// Characters of a path that are logged.
const LONGEST_PATH: usize = 200;

/// One line for a request that was not answered with what it asked for.
fn refusal_line(method: &str, path: &str, status: u16, reason: Option<&str>) -> String {
    // A path holds no control characters: the HTTP library refuses them.
    let (path, cut) = match path.char_indices().nth(LONGEST_PATH) {
        Some((end, _)) => (&path[..end], "…"),
        None => (path, ""),
    };
    let word = if status >= 500 { "failed" } else { "refused" };
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{word} {method} {path}{cut} {status}{reason}")
}

/// Tells on standard error what the stack does.
struct Talk(Ui);

impl ServeReporter for Talk {
    fn request(&self, request: &AnsweredRequest<'_>) {
        let AnsweredRequest { method, path, status, took, reason } = *request;
        if status >= 400 {
            self.0.status(refusal_line(method, path, status, reason));
        } else if self.0.verbosity() >= Verbosity::Verbose {
            self.0.detail(&format!("{method} {path} {status} {}", spoken(took)));
        }
    }

    fn notice(&self, what: &str) {
        self.0.status(what);
    }

    fn published(&self, events: &[(String, Acknowledgement)]) {
        self.0.statuses(events.iter().map(|(key, place)| format!("published {place} key={key}")));
    }

    fn trouble(&self, what: &str) {
        self.0.warning(what);
    }
}

pub fn cmd_serve(context: &Context, args: &ServeArgs) -> Result<(), Failure> {
    let kafka = real_kafka(context)?;
    check(context, args, kafka.is_some())?;
    let options = StackOptions {
        data_dir: context.settings.data_dir(),
        spoken: args.dialect,
        host: args.host.clone(),
        port: args.port,
        broker_port: args.broker_port.unwrap_or(BROKER_PORT),
        advertised: args.advertise.clone(),
        topics: args.topics.clone(),
        partitions: args.partitions,
        origins: args.origins.clone(),
        patience: args.idle_timeout.unwrap_or(IDLE_TIMEOUT),
        kafka,
        clock: context.clock.clone(),
        ids: context.ids.clone(),
    };
    let is_real = options.kafka.is_some();
    let data_dir = options.data_dir.display().to_string();
    let mut ready_file = args.ready_file.as_deref().map(ReadyFile::open).transpose()?;
    context.block_on(async {
        let stack = Stack::start(options, Arc::new(Talk(context.ui.clone()))).await?;
        let addresses = format!(
            "DWCTL_API_URL={}\nKAFKA_BOOTSTRAP_SERVERS={}\n",
            stack.api_url(),
            stack.brokers()
        );
        if context.ui.format() == Format::Json {
            context.ui.document(&json!({
                "schema": "dwctl.serve/1",
                "api_url": stack.api_url(),
                "brokers": stack.brokers(),
            }))?;
        } else {
            context.ui.data(addresses.as_bytes())?;
        }
        if let Some(ready_file) = &mut ready_file {
            ready_file.fill(&addresses)?;
        }
        let broker = if is_real {
            "events go to a real Kafka"
        } else {
            "the broker is embedded and forgets old records"
        };
        context.ui.status(format!("serving from {data_dir}; {broker}; Ctrl-C stops"));
        tokio::select! {
            _ = context.shutdown.requested() => {}
            () = until(context.deadline) => context.ui.status("the timeout has passed"),
        }
        context.ui.status("stopping: open requests and the outbox are finished first");
        stack.stop().await;
        Ok(())
    })?
}

/// Kafka's own.
const BROKER_PORT: u16 = 9092;

async fn until(deadline: Deadline) {
    match deadline.instant() {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

/// Refuses flags of the broker that is not there, and says what other machines cannot reach.
fn check(context: &Context, args: &ServeArgs, is_real: bool) -> Result<(), Failure> {
    if is_real && args.broker_port.is_some() {
        return Err(Failure::usage(
            "--broker-port is of the embedded broker, and --brokers names another",
        )
        .hint("leave one of them out"));
    }
    if !is_real && let Some(property) = context.settings.kafka_property_names().next() {
        context.ui.warning(&format!(
            "{property} is not used: properties are for the real Kafka that --brokers names"
        ));
    }
    let is_any = args.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    if is_any && args.advertise.is_none() && !is_real {
        context.ui.warning(&format!(
            "other machines are sent on to this one's own address by the broker: name it with --advertise beside --host {}",
            args.host
        ));
    }
    Ok(())
}

/// The brokers of the flag. `serve` alone takes them from nowhere else: its own line of output is
/// what sets the variable for everybody else.
fn real_kafka(context: &Context) -> Result<Option<Properties>, Failure> {
    let Some(brokers) = context.settings.get(Key::Brokers) else { return Ok(None) };
    if !matches!(brokers.origin, Origin::Flag(_)) {
        return Ok(None);
    }
    Ok(Some(context.kafka()?))
}
