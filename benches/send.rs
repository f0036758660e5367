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
    Ok(vec![one_event(workshop, brokers)?])
}

fn one_event(workshop: &Workshop, brokers: &str) -> Result<Section> {
    let topic = make_topic(brokers, "one", 3)?;
    let words = ["send", "bias", "--dataset-id", "d1", "--user-id", "u1", "--topic", &topic];
    let ours = dwctl(brokers, &words);
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
