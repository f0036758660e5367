//! What scripts wait for: how soon `dwctl wait` ends once its event is acknowledged, and how long a
//! whole `dwctl smoke` and a whole `dwctl doctor` take.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use dwctl::base::Deadline;
use dwctl::kafka::{Durability, Outgoing, Producer, Properties};

use crate::helper;
use crate::job::Job;
use crate::report::{Section, Verdict};
use crate::statistics::{quantile, seconds};
use crate::support::stack::Stack;
use crate::workshop::{DWCTL, Workshop, dwctl, make_topic};

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    let stack = Stack::start();
    let mut sections = vec![smoke(workshop, &stack)?];
    let mut topics = vec![("embedded broker", stack.brokers.as_str(), "bias-events".to_owned())];
    if let Some(brokers) = workshop.kafka()? {
        topics.push(("Apache Kafka", brokers, make_topic(brokers, "wait", 3)?));
    }
    sections.push(doctor(workshop, &stack.api_url, &topics)?);
    sections.push(wait(workshop, &topics)?);
    Ok(sections)
}

/// Local stack, whole processes.
fn smoke(workshop: &Workshop, stack: &Stack) -> Result<Section> {
    let title = "A deployment proved, whole process, on the local stack";
    println!("-- {title}");
    let mut section = Section::new(title, &["", "wall p50", "p95"]);
    for words in [&["smoke"][..], &["smoke", "--folder", "--bias"]] {
        let job = dwctl(&stack.brokers, words).with("DWCTL_API_URL", &stack.api_url);
        time(workshop, &mut section, &format!("dwctl {}", words.join(" ")), &job, 400.0)?;
    }
    print!("{}", section.render());
    Ok(section)
}

/// With everything well.
fn doctor(workshop: &Workshop, api: &str, at: &[(&str, &str, String)]) -> Result<Section> {
    let title = "Everything between here and the brokers looked at, whole process";
    println!("-- {title}");
    let mut section = Section::new(title, &["", "wall p50", "p95"]);
    for (name, brokers, _) in at {
        let job = dwctl(brokers, &["doctor"]).with("DWCTL_API_URL", api);
        time(workshop, &mut section, &format!("dwctl doctor, {name}"), &job, 1_000.0)?;
    }
    print!("{}", section.render());
    Ok(section)
}

/// Runs a whole process some times, and holds its median against a bound in milliseconds.
fn time(
    workshop: &Workshop,
    section: &mut Section,
    name: &str,
    job: &Job,
    bound: f64,
) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..workshop.rounds(30) {
        times.push(job.run()?.wall.as_secs_f64());
    }
    let (p50, p95) = (quantile(&times, 0.5), quantile(&times, 0.95));
    section.row([name.to_owned(), seconds(p50), seconds(p95)]);
    section.verdict(Verdict::at_most(&format!("p50 of {name}"), p50 * 1e3, "ms", Some(bound)));
    Ok(())
}

fn wait(workshop: &Workshop, topics: &[(&str, &str, String)]) -> Result<Section> {
    let count = workshop.scaled(1000).max(10);
    let title = format!("From acknowledgement to the end of dwctl wait, {count} runs");
    println!("-- {title}");
    let mut section = Section::new(&title, &["", "p50", "p99", "longest"]);
    for (name, brokers, topic) in topics {
        let ready = workshop.folder().join("ready");
        let ready = ready.to_str().context("a folder that is no text")?;
        let task = ["wait", *brokers, topic, ready, &count.to_string()];
        let times = helper::numbers(&task, &[])?;
        let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|share| quantile(&times, share));
        section.row([(*name).to_owned(), seconds(p50), seconds(p99), seconds(longest)]);
        section.verdict(Verdict::at_most(
            &format!("p99 on the {name}"),
            p99 * 1e3,
            "ms",
            Some(30.0),
        ));
    }
    let shown = dwctl("BROKERS", &["wait", "TOPIC", "--ready-file", "ready"]);
    section.command("dwctl", &Job::shown(&shown));
    print!("{}", section.render());
    Ok(section)
}

/// Prints how many seconds each wait took to end after the acknowledgement of its record.
pub fn time_waits(brokers: &str, topic: &str, ready: &Path, count: u64) -> Result<()> {
    let mut producer = Producer::open(&Properties::new(brokers), Durability::Acknowledged)?;
    for _ in 0..count {
        println!("{}", time_wait(brokers, topic, ready, &mut producer)?);
    }
    Ok(())
}

fn time_wait(brokers: &str, topic: &str, ready: &Path, producer: &mut Producer) -> Result<f64> {
    if ready.exists() {
        std::fs::remove_file(ready)?;
    }
    let mut command = Command::new(DWCTL);
    command.args(["wait", topic, "-b", brokers, "--timeout", "60s", "-q", "--ready-file"]);
    command.arg(ready).env("DWCTL_CONFIG", "/dev/null").stdout(Stdio::null());
    let mut waiting = command.spawn()?;
    let end = Instant::now() + Duration::from_secs(60);
    while !ready.exists() {
        ensure!(Instant::now() < end, "dwctl wait is not ready");
        std::thread::yield_now();
    }
    let record = Outgoing::new(topic, Some(b"key"), b"{}");
    producer.send(&record, Deadline::after(Duration::from_secs(10)))?;
    let acknowledged = Instant::now();
    let status = waiting.wait()?;
    ensure!(status.success(), "dwctl wait ended with {status}");
    Ok(acknowledged.elapsed().as_secs_f64())
}
