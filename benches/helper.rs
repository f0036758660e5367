//! This program again, as a process of its own, for what would otherwise grow the measuring one: the
//! kernel counts the memory of whoever starts a program as that program's, until it has begun.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use dwctl::base::Deadline;
use dwctl::kafka::{Durability, Outgoing, Producer, Properties};

use crate::follower::Follower;
use crate::support::kafka::{Kafka, OwnKafka};
use crate::{payload, proof, sink};

/// The first argument of a helper.
pub const FLAG: &str = "--helper";

/// Who logs in where a login is asked for.
pub const GUEST: &str = "guest";

/// A helper that answers with one line and lives until this value is dropped.
pub struct Helper {
    answer: String,
    child: Child,
    lease: Option<ChildStdin>,
}

impl Helper {
    pub fn start(task: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(FLAG).args(task).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let lease = child.stdin.take();
        let mut answer = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut answer)?;
        ensure!(!answer.is_empty(), "the helper for {task:?} gave no answer");
        Ok(Self { answer: answer.trim().to_owned(), child, lease })
    }

    pub fn answer(&self) -> &str {
        &self.answer
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.lease.take());
        let _ = self.child.wait();
    }
}

/// Runs a helper to its end and gives the numbers that it printed, one a line.
pub fn numbers(task: &[&str], command: &[&str]) -> Result<Vec<f64>> {
    let output = Command::new(std::env::current_exe()?)
        .arg(FLAG)
        .args(task)
        .args(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the helper for {task:?} failed");
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| line.parse().with_context(|| line.to_owned())).collect()
}

/// What a helper does.
pub fn run(task: &[String]) -> Result<()> {
    let words: Vec<&str> = task.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["kafka"] => hold_kafka(),
        ["guarded-kafka", authority] => hold_guarded_kafka(Path::new(authority)),
        ["sink", path, model] => {
            sink::serve(payload::record(Path::new(path))?.replace("MODEL", model))
        }
        ["files", folder, count, size] => {
            payload::make_files(Path::new(folder), count.parse()?, size.parse()?)
        }
        ["latency", brokers, topic, count, command @ ..] => {
            latency(brokers, topic, count.parse()?, command)
        }
        ["wait", brokers, topic, ready, count] => {
            proof::time_waits(brokers, topic, Path::new(ready), count.parse()?)
        }
        ["forwarding", brokers, topic, event, count, command @ ..] => {
            forwarding(brokers, topic, event, count.parse()?, command)
        }
        other => bail!("there is no helper for {other:?}"),
    }
}

/// A real Kafka until standard input ends.
fn hold_kafka() -> Result<()> {
    let kafka = Kafka::shared().context("there is no real Kafka")?;
    println!("{}", kafka.brokers);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A real Kafka whose second door has TLS and a login for [`GUEST`], until standard input ends. Gives
/// both addresses, and the authority of that door in a file.
fn hold_guarded_kafka(authority: &Path) -> Result<()> {
    let mut kafka = OwnKafka::planned().context("there is no real Kafka")?.guarded(&[GUEST]);
    let plain = kafka.start().brokers;
    kafka.allow(GUEST, &["--operation", "All", "--topic", "*"]);
    let flags = kafka.sealed_flags_of(GUEST);
    let after = |word: &str| flags.iter().find_map(|flag| flag.strip_prefix(word));
    std::fs::write(authority, after("ssl.ca.pem=").context("no authority")?)?;
    println!("{plain} {}", flags.get(1).context("no address")?);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Seconds from a record's acknowledgement to its line on the pipe of a program that follows the
/// topic; zero where the line was faster.
fn latency(brokers: &str, topic: &str, count: u32, command: &[&str]) -> Result<()> {
    let follower = Follower::start(command)?;
    let mut producer = Producer::open(&Properties::new(brokers), Durability::Acknowledged)?;
    let mut send = |value: &str| -> Result<()> {
        let record = Outgoing::new(topic, Some(b"key"), value.as_bytes());
        producer.send(&record, Deadline::after(Duration::from_secs(10)))?;
        Ok(())
    };
    follower.settle(|| send("settle"))?;
    for number in 0..count {
        // Closed by a letter, so that no line is the beginning of another one.
        let value = format!("line-{number}.");
        send(&value)?;
        let acknowledged = Instant::now();
        let arrived = follower.moment_of(&value)?;
        println!("{}", arrived.saturating_duration_since(acknowledged).as_secs_f64());
    }
    Ok(())
}

/// Seconds from an event's acknowledgement to the line with which a program says that it has sent
/// what follows from it; the event comes again and again, each time after a moment of nothing.
fn forwarding(brokers: &str, topic: &str, event: &str, count: u32, command: &[&str]) -> Result<()> {
    let follower = Follower::start(command)?;
    let mut producer = Producer::open(&Properties::new(brokers), Durability::Acknowledged)?;
    let mut send = || {
        let record = Outgoing::new(topic, Some(b"key"), event.as_bytes());
        producer.send(&record, Deadline::after(Duration::from_secs(10)))
    };
    follower.settle(|| send().map(drop).map_err(Into::into))?;
    for _ in 0..count {
        // The subject of the measurement: a program that has had nothing to do.
        std::thread::sleep(Duration::from_millis(20));
        let place = send()?;
        let acknowledged = Instant::now();
        let arrived = follower.moment_of(&format!("{place}: sent "))?;
        println!("{}", arrived.saturating_duration_since(acknowledged).as_secs_f64());
    }
    Ok(())
}
