//! Writing: one event, and a million lines, beside kcat on a real Kafka.

use anyhow::Result;

use crate::contest::{Contender, Contest, Metric};
use crate::job::Job;
use crate::peers;
use crate::report::Section;
use crate::workshop::{Workshop, dwctl, make_topic};

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    let Some(brokers) = workshop.kafka()? else { return Ok(Vec::new()) };
    if !peers::have("the group send", &["kcat"]) {
        return Ok(Vec::new());
    }
    Ok(vec![one_event(workshop, brokers)?, many_lines(workshop, brokers)?])
}

fn one_event(workshop: &Workshop, brokers: &str) -> Result<Section> {
    let topic = make_topic(brokers, "one", 3)?;
    let words = ["send", "bias", "--dataset-id", "d1", "--user-id", "u1", "--dialect", "flat"];
    let ours = dwctl(brokers, &[&words[..], &["--topic", &topic]].concat());
    let idempotent = ours.clone().args(["-X", "enable.idempotence=true"]);
    let event = workshop.events("one-event", 1, 250)?;
    let theirs = Job::new("kcat").args(["-P", "-b", brokers, "-t", &topic]).reading(&event);
    Contest::new("One event, acknowledged by all, whole process")
        .enter(Contender::new("dwctl", ours))
        .enter(Contender::new("dwctl, idempotent", idempotent))
        .enter(Contender::new("kcat", theirs))
        .at_most(0.8, Metric::Wall, "dwctl", "kcat")
        .at_most(1.0, Metric::Wall, "dwctl, idempotent", "kcat")
        .hold(workshop.rounds(30))
}

/// dwctl compresses with lz4 and is idempotent by default, kcat neither; so each takes part in every
/// form in which the other does.
fn many_lines(workshop: &Workshop, brokers: &str) -> Result<Section> {
    let count = workshop.scaled(1_000_000);
    let lines = workshop.events("lines", count, 400)?;
    let topic = |what: &str| make_topic(brokers, what, 3);
    let ours = |topic: &str, flags: &[&str]| {
        dwctl(brokers, &["send", "raw", topic]).args(flags).reading(&lines)
    };
    let kcat = |topic: &str, words: &[&str]| {
        let common = ["-P", "-b", brokers, "-t", topic, "-X", "linger.ms=5"];
        Job::new("kcat").args(common).args(words).reading(&lines)
    };
    let section =
        Contest::new(format!("Lines from standard input, all acknowledged, {count} lines"))
            .enter(Contender::new("dwctl", ours(&topic("raw-idempotent")?, &[])))
            .enter(Contender::new(
                "dwctl, not idempotent",
                ours(&topic("raw-lz4")?, &["--no-idempotent"]),
            ))
            .enter(Contender::new("kcat", kcat(&topic("kcat")?, &[])))
            .enter(Contender::new("kcat -z lz4", kcat(&topic("kcat-lz4")?, &["-z", "lz4"])))
            .enter(Contender::new(
                "kcat -z lz4, idempotent",
                kcat(&topic("kcat-idempotent")?, &["-z", "lz4", "-X", "enable.idempotence=true"]),
            ))
            .at_most(0.8, Metric::Wall, "dwctl, not idempotent", "kcat")
            .at_most(1.1, Metric::Cpu, "dwctl, not idempotent", "kcat -z lz4")
            .at_most(1.0, Metric::Wall, "dwctl", "kcat -z lz4, idempotent")
            .hold(workshop.rounds(7))?;
    std::fs::remove_file(lines)?;
    Ok(section)
}
