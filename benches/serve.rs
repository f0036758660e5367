//! Serving: `dwctl serve` beside a plain FastAPI server with one worker and beside Python's file
//! server, and its publisher on a real Kafka.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use serde_json::Value;

use crate::contest::{Contender, Contest, Metric};
use crate::follower::Follower;
use crate::job::Job;
use crate::load::{Client, uploads_a_second};
use crate::payload::weights;
use crate::peers;
use crate::report::{Section, Verdict};
use crate::statistics::{mebibytes, median, quantile, seconds};
use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::{Running, Stream};
use crate::support::stack::Stack;
use crate::upload::curl;
use crate::workshop::{DWCTL, Workshop};

const MIB: u64 = 1 << 20;

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    let mut sections = vec![memory(workshop)?];
    if let Some(python) = peers::python("serve beside Python") {
        let (ours, theirs) = (Stack::start(), PythonServer::warehouse(&python));
        sections.push(small(workshop, &ours, &theirs, 1, 1.5)?);
        sections.push(small(workshop, &ours, &theirs, 16, 4.0)?);
        sections.push(large(workshop, &ours, &theirs)?);
        sections.push(download(workshop, &python)?);
    }
    if let Some(brokers) = workshop.kafka()? {
        sections.push(latency(workshop, brokers)?);
        sections.push(outbox(workshop, brokers)?);
    }
    Ok(sections)
}

/// A server in Python that says where it listens.
struct PythonServer {
    environment: Environment,
    process: Running,
    url: String,
}

impl PythonServer {
    fn warehouse(python: &Path) -> Self {
        let peers = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");
        let words = ["-m", "uvicorn", "warehouse:app", "--port", "0", "--no-access-log"];
        Self::start(
            python,
            &[&words[..], &["--app-dir", peers]].concat(),
            Stream::Err,
            "running on",
        )
    }

    /// Of the files in its environment's folder.
    fn files(python: &Path) -> Self {
        let words = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"];
        Self::start(python, &words, Stream::Out, "Serving HTTP")
    }

    fn start(python: &Path, words: &[&str], stream: Stream, says: &str) -> Self {
        let environment = Environment::new();
        let mut command = environment.command(python);
        command.args(words).env("STORE", environment.folder());
        let process = Running::start(command);
        let line = process.wait_for(stream, says);
        let url = line.split([' ', '(', ')']).find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_default().trim_end_matches('/').to_owned();
        Self { environment, process, url }
    }

    fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

/// Uploads of 1 KiB a second, by turns.
fn small(
    workshop: &Workshop,
    ours: &Stack,
    theirs: &PythonServer,
    clients: u64,
    bound: f64,
) -> Result<Section> {
    let count = workshop.scaled(4000).max(clients * 10);
    let title = format!("1 KiB uploads a second, {clients} at once, {count} a round");
    println!("-- {title}");
    let (mut our_rates, mut their_rates) = (Vec::new(), Vec::new());
    for round in 0..=workshop.rounds(7) {
        let our_rate = uploads_a_second(ours.host(), clients, count)?;
        let their_rate = uploads_a_second(theirs.host(), clients, count)?;
        // The first round warms both up.
        if round > 0 {
            our_rates.push(our_rate);
            their_rates.push(their_rate);
        }
    }
    let mut section = Section::new(&title, &["", "uploads/s p50", "least", "peak memory so far"]);
    for (name, rates, process) in
        [("dwctl serve", &our_rates, ours.process()), ("FastAPI", &their_rates, &theirs.process)]
    {
        section.row([
            name.to_owned(),
            format!("{:.0}", median(rates)),
            format!("{:.0}", quantile(rates, 0.0)),
            format!("{:.1} MiB", peak_mib(process)?),
        ]);
    }
    let ratios: Vec<f64> =
        our_rates.iter().zip(&their_rates).map(|(ours, theirs)| ours / theirs).collect();
    let what = "rate of dwctl serve, each upload durable with its event, against FastAPI";
    section.verdict(Verdict::at_least(what, median(&ratios), "×", bound));
    print!("{}", section.render());
    Ok(section)
}

/// The largest resident set that a running process has had.
fn peak_mib(process: &Running) -> Result<f64> {
    let path = format!("/proc/{}/status", process.pid().as_raw_nonzero());
    let status = std::fs::read_to_string(&path)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).context(path)?;
    Ok(mebibytes(kibibytes.parse::<u64>()? * 1024))
}

fn large(workshop: &Workshop, ours: &Stack, theirs: &PythonServer) -> Result<Section> {
    let path = made(workshop, "large-upload.pt", 1024)?;
    let section =
        Contest::new(format!("{} to a server, by curl", shown_size(workshop.scaled(1024 * MIB))))
            .enter(Contender::new("to dwctl serve", curl(&ours.api_url, &path, "large")))
            .enter(Contender::new("to FastAPI", curl(&theirs.url, &path, "large")))
            // A rate of 1.5 is a time of 1 / 1.5.
            .at_most(0.667, Metric::Wall, "to dwctl serve", "to FastAPI")
            .hold(workshop.rounds(7))?;
    std::fs::remove_file(path)?;
    Ok(section)
}

fn made(workshop: &Workshop, name: &str, mebibytes: u64) -> Result<PathBuf> {
    let path = workshop.folder().join(name);
    weights(&path, workshop.scaled(mebibytes * MIB), 5)?;
    Ok(path)
}

fn shown_size(bytes: u64) -> String {
    format!("{} MiB", bytes / MIB)
}

/// Sixteen large uploads at once, and what the server needed for them.
fn memory(workshop: &Workshop) -> Result<Section> {
    const CLIENTS: usize = 16;
    let size = shown_size(workshop.scaled(512 * MIB));
    let title = format!("Memory of dwctl serve, {CLIENTS} uploads of {size} at once");
    println!("-- {title}");
    let path = made(workshop, "many-uploads.pt", 512)?;
    let stack = Stack::start();
    let jobs: Vec<Job> = (0..CLIENTS)
        .map(|number| curl(&stack.api_url, &path, &format!("large-{number}")))
        .collect();
    let began = Instant::now();
    let threads: Vec<_> =
        jobs.iter().cloned().map(|job| std::thread::spawn(move || job.run())).collect();
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("an upload panicked"))??;
    }
    let took = began.elapsed().as_secs_f64();
    let peak = peak_mib(stack.process())?;
    let mut section = Section::new(&title, &["", "wall", "peak memory"]);
    section.row(["dwctl serve".to_owned(), seconds(took), format!("{peak:.1} MiB")]);
    section.command("each of them", &jobs[0].shown());
    section.verdict(Verdict::at_most("peak memory of dwctl serve", peak, "MiB", Some(64.0)));
    std::fs::remove_file(path)?;
    print!("{}", section.render());
    Ok(section)
}

fn download(workshop: &Workshop, python: &Path) -> Result<Section> {
    let theirs = PythonServer::files(python);
    let path = theirs.environment.path("weights.pt");
    let size = workshop.scaled(1024 * MIB);
    weights(&path, size, 6)?;
    let ours = Stack::start();
    curl(&ours.api_url, &path, "m").run()?;
    let fetch = |url: String| Job::new("curl").args(["-sS", "--fail-with-body", &url]);
    let address = format!("{}/ai-models/u1/m/download?filename=weights.pt", ours.api_url);
    Contest::new(format!("Download of {}, by curl", shown_size(size)))
        .enter(Contender::new("from dwctl serve", fetch(address)))
        .enter(Contender::new("from http.server", fetch(format!("{}/weights.pt", theirs.url))))
        // A rate of 0.8 is a time of 1 / 0.8.
        .at_most(1.25, Metric::Wall, "from dwctl serve", "from http.server")
        .hold(workshop.rounds(7))
}

/// From the reply to an upload to its event's line on the pipe of a follower.
fn latency(workshop: &Workshop, brokers: &str) -> Result<Section> {
    let count = workshop.scaled(2000).max(20);
    let title = format!("From the reply to the event, on a real Kafka, {count} uploads");
    println!("-- {title}");
    let stack = Stack::start_with(&["--brokers", brokers]);
    let mut client = Client::connect(stack.host())?;
    let command = [DWCTL, "tail", "automl-events", "-o", "raw", "-b", brokers];
    let follower = Follower::start(&command)?;
    follower.settle(|| client.upload("settle", b"weights"))?;
    let mut times = Vec::new();
    for number in 0..count {
        let model = format!("latency-{}-{number}", std::process::id());
        client.upload(&model, b"weights")?;
        let replied = Instant::now();
        let arrived = follower.moment_of(&format!("\"{model}\""))?;
        times.push(arrived.saturating_duration_since(replied).as_secs_f64());
    }
    let (p50, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
    let mut section = Section::new(&title, &["", "p50", "p99"]);
    section.row(["dwctl serve and tail".to_owned(), seconds(p50), seconds(p99)]);
    section.verdict(Verdict::at_most("p99", p99 * 1e3, "ms", Some(20.0)));
    print!("{}", section.render());
    Ok(section)
}

/// What piled up while the broker was away, published by a server that is started again.
fn outbox(workshop: &Workshop, brokers: &str) -> Result<Section> {
    let count = workshop.scaled(100_000).max(16);
    let title = format!("An outbox of {count} events");
    println!("-- {title}");
    let stack = Stack::start_with(&["--brokers", DEAD]);
    uploads_a_second(stack.host(), 16, count)?;
    let piled_up = waiting(&mut Client::connect(stack.host())?)?;
    ensure!(piled_up > 0, "nothing waits, though there is no broker");
    let (_, environment) = stack.stop(Signal::KILL);
    let began = Instant::now();
    let stack = Stack::start_in(environment, &["--brokers", brokers]);
    let mut client = Client::connect(stack.host())?;
    while waiting(&mut client)? > 0 {
        ensure!(began.elapsed().as_secs() < 300, "the outbox does not become empty");
        // Each look costs the server something.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let rate = piled_up as f64 / took;
    let mut section = Section::new(&title, &["", "from the start of the process", "events/s"]);
    section.row(["dwctl serve".to_owned(), seconds(took), format!("{rate:.0}")]);
    section.verdict(Verdict::at_least("events published", rate, "a second", 20_000.0));
    print!("{}", section.render());
    Ok(section)
}

/// How many events are not published yet.
fn waiting(client: &mut Client) -> Result<u64> {
    let health: Value = serde_json::from_slice(&client.get("/health")?)?;
    health["outbox"]["waiting"].as_u64().context("no count of waiting events in /health")
}
