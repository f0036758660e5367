//! Reading: `dwctl tail` beside kcat and jq, on a real Kafka with a million records of 400 bytes in
//! three partitions.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::contest::{Contender, Contest, Metric};
use crate::helper::{self, GUEST, Helper};
use crate::job::{Job, Output};
use crate::peers;
use crate::report::{Section, Verdict};
use crate::statistics::{quantile, seconds};
use crate::workshop::{DWCTL, Workshop, dwctl, make_topic};

/// kcat's nearest to the pretty form: the same header lines, the value as it is.
const HEADER_LINES: &str =
    r"Topic message received\n  Partition=%p Offset=%o\n  Key=%k\n  Event=%s\n";

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    let Some(brokers) = workshop.kafka()? else { return Ok(Vec::new()) };
    if !peers::have("the group tail", &["kcat", "jq"]) {
        return Ok(Vec::new());
    }
    let bench = Bench::prepare(workshop, brokers)?;
    Ok(vec![
        bench.raw_to_null()?,
        bench.raw_to_pipe()?,
        bench.json()?,
        bench.pretty()?,
        bench.pretty_beside_jq()?,
        bench.one_field()?,
        bench.memory("3 partitions", &bench.many)?,
        bench.memory("64 partitions", &bench.wide)?,
        bench.cold()?,
        bench.other("an lz4 topic", &bench.compressed)?,
        bench.other("records of 10 kB", &bench.large)?,
        bench.over_tls()?,
        bench.latency()?,
    ])
}

struct Bench<'a> {
    workshop: &'a Workshop,
    brokers: &'a str,
    /// Everything, in three partitions; a fifth of it; everything in 64 partitions.
    many: Topic,
    fewer: Topic,
    wide: Topic,
    compressed: Topic,
    large: Topic,
}

struct Topic {
    name: String,
    records: u64,
}

impl Topic {
    /// A new one with events in it: `full` of them at full scale, of `size` bytes each.
    fn filled(
        workshop: &Workshop,
        brokers: &str,
        what: &str,
        partitions: u32,
        (full, size): (u64, usize),
        codec: &str,
    ) -> Result<Self> {
        let records = workshop.scaled(full);
        let name = make_topic(brokers, what, partitions)?;
        let events = workshop.events("events", records, size)?;
        produce(brokers, &name, codec).reading(&events).run()?;
        std::fs::remove_file(events)?;
        Ok(Self { name, records })
    }
}

impl<'a> Bench<'a> {
    fn prepare(workshop: &'a Workshop, brokers: &'a str) -> Result<Self> {
        let fill = |what, partitions, size, codec| {
            Topic::filled(workshop, brokers, what, partitions, size, codec)
        };
        Ok(Self {
            workshop,
            brokers,
            many: fill("many", 3, (1_000_000, 400), "none")?,
            fewer: fill("fewer", 3, (200_000, 400), "none")?,
            wide: fill("wide", 64, (1_000_000, 400), "none")?,
            compressed: fill("compressed", 3, (1_000_000, 400), "lz4")?,
            large: fill("large", 3, (50_000, 10_000), "none")?,
        })
    }

    fn tail(&self, topic: &Topic, form: &str) -> Job {
        tail_on(self.brokers, topic, form)
    }

    fn kcat(&self, topic: &Topic, words: &[&str]) -> Job {
        kcat_on(self.brokers, topic, words)
    }

    fn raw_to_null(&self) -> Result<Section> {
        Contest::new(format!("Raw lines to /dev/null, {} records", self.many.records))
            .enter(Contender::new("dwctl", self.tail(&self.many, "raw")))
            .enter(Contender::new("kcat", self.kcat(&self.many, &[])))
            .at_most(1.0, Metric::Cpu, "dwctl", "kcat")
            .at_most(0.6, Metric::Wall, "dwctl", "kcat")
            .hold(self.workshop.rounds(7))
    }

    fn raw_to_pipe(&self) -> Result<Section> {
        let read = |name, job: Job| {
            Contender::new(name, job.into(Output::Pipe)).with_lines(self.many.records)
        };
        Contest::new(format!("Raw lines into a pipe, {} records", self.many.records))
            .enter(read("dwctl", self.tail(&self.many, "raw")))
            .enter(read("kcat", self.kcat(&self.many, &[])))
            .at_most(0.3, Metric::Wall, "dwctl", "kcat")
            .hold(self.workshop.rounds(5))
    }

    fn json(&self) -> Result<Section> {
        Contest::new(format!("JSON to /dev/null, {} records", self.many.records))
            .enter(Contender::new("dwctl", self.tail(&self.many, "json")))
            .enter(Contender::new("kcat -J", self.kcat(&self.many, &["-J"])))
            .at_most(0.4, Metric::Cpu, "dwctl", "kcat -J")
            .at_most(0.15, Metric::Wall, "dwctl", "kcat -J")
            .hold(self.workshop.rounds(5))
    }

    fn pretty(&self) -> Result<Section> {
        Contest::new(format!("Pretty to /dev/null, {} records", self.many.records))
            .enter(Contender::new("dwctl", self.tail(&self.many, "pretty")))
            .enter(Contender::new("kcat -f", self.kcat(&self.many, &["-f", HEADER_LINES])))
            .at_most(1.1, Metric::Cpu, "dwctl", "kcat -f")
            .hold(self.workshop.rounds(7))
    }

    fn pretty_beside_jq(&self) -> Result<Section> {
        let script = format!("{} | jq .", self.kcat(&self.fewer, &[]).typed());
        Contest::new(format!("Pretty beside jq, {} records", self.fewer.records))
            .enter(Contender::new("dwctl", self.tail(&self.fewer, "pretty")))
            .enter(Contender::new("kcat | jq", Job::shell(&script)))
            .at_most(0.0667, Metric::Cpu, "dwctl", "kcat | jq")
            .hold(self.workshop.rounds(5))
    }

    /// One record in a thousand has this framework.
    fn one_field(&self) -> Result<Section> {
        let topic = &self.fewer;
        let filtered = self.tail(topic, "raw").args(["--match", "framework=onnx"]);
        let select = r#"select(.framework == "onnx")"#;
        let script = format!("{} | jq -c '{select}'", self.kcat(topic, &[]).typed());
        let found = topic.records / 1000;
        Contest::new(format!("One field compared, {found} of {} records match", topic.records))
            .enter(Contender::new("dwctl", filtered.into(Output::Pipe)).with_lines(found))
            .enter(Contender::new("dwctl, no filter", self.tail(topic, "raw")))
            .enter(
                Contender::new("kcat | jq", Job::shell(&script).into(Output::Pipe))
                    .with_lines(found),
            )
            .at_most(1.3, Metric::Cpu, "dwctl", "dwctl, no filter")
            .show(Metric::Cpu, "dwctl", "kcat | jq")
            .hold(self.workshop.rounds(7))
    }

    /// The reader of the pipe looks away for two seconds.
    fn memory(&self, what: &str, topic: &Topic) -> Result<Section> {
        let blocked = Output::BlockedPipe(Duration::from_secs(2));
        Contest::new(format!("Memory with a blocked reader, {what}, {} records", topic.records))
            .enter(
                Contender::new("dwctl", self.tail(topic, "raw").into(blocked))
                    .with_lines(topic.records),
            )
            .enter(
                Contender::new("kcat", self.kcat(topic, &[]).into(blocked))
                    .with_lines(topic.records),
            )
            .peak_at_most(32.0, "dwctl")
            .hold(self.workshop.rounds(3))
    }

    fn cold(&self) -> Result<Section> {
        let words = ["tail", &self.many.name, "-n", "1", "--from", "beginning", "-o", "raw"];
        let ours = dwctl(self.brokers, &words).into(Output::Pipe);
        let theirs = self.kcat(&self.many, &["-c", "1"]).into(Output::Pipe);
        Contest::new("One record, whole process")
            .enter(Contender::new("dwctl", ours).with_lines(1))
            .enter(Contender::new("kcat", theirs).with_lines(1))
            .at_most(0.8, Metric::Wall, "dwctl", "kcat")
            .late_at_most(0.8, "dwctl", "kcat")
            .hold(self.workshop.rounds(30))
    }

    /// Measured without a bound.
    fn other(&self, what: &str, topic: &Topic) -> Result<Section> {
        Contest::new(format!("Raw lines to /dev/null, {what}, {} records", topic.records))
            .enter(Contender::new("dwctl", self.tail(topic, "raw")))
            .enter(Contender::new("kcat", self.kcat(topic, &[])))
            .show(Metric::Wall, "dwctl", "kcat")
            .show(Metric::Cpu, "dwctl", "kcat")
            .hold(self.workshop.rounds(5))
    }

    /// Measured without a bound, on a broker of its own.
    fn over_tls(&self) -> Result<Section> {
        let authority = self.workshop.folder().join("authority.pem");
        let kafka = Helper::start(&["guarded-kafka", &authority.display().to_string()])?;
        let (plain, sealed) = kafka.answer().split_once(' ').context("no two doors")?;
        let topic = Topic::filled(self.workshop, plain, "sealed", 3, (1_000_000, 400), "none")?;
        let login = [
            "security.protocol=SASL_SSL".to_owned(),
            format!("ssl.ca.location={}", authority.display()),
            "sasl.mechanism=PLAIN".to_owned(),
            format!("sasl.username={GUEST}"),
            format!("sasl.password={GUEST}-secret"),
        ];
        let login: Vec<&str> = login.iter().flat_map(|property| ["-X", property]).collect();
        Contest::new(format!("Raw lines to /dev/null over SASL_SSL, {} records", topic.records))
            .enter(Contender::new("dwctl", tail_on(sealed, &topic, "raw").args(&login)))
            .enter(Contender::new("kcat", kcat_on(sealed, &topic, &login)))
            .show(Metric::Wall, "dwctl", "kcat")
            .show(Metric::Cpu, "dwctl", "kcat")
            .hold(self.workshop.rounds(5))
    }

    /// From the acknowledgement of a record to its line on the pipe of a follower.
    fn latency(&self) -> Result<Section> {
        let title = "From acknowledgement to the line on a pipe";
        println!("-- {title}");
        let mut section = Section::new(title, &["", "p50", "p99"]);
        let count = self.workshop.scaled(2000).max(20).to_string();
        for name in ["dwctl", "kcat"] {
            let topic = make_topic(self.brokers, &format!("live-{name}"), 3)?;
            let command = match name {
                "dwctl" => vec![DWCTL, "tail", &topic, "-o", "raw", "-b", self.brokers],
                _ => vec!["kcat", "-C", "-q", "-u", "-o", "end", "-b", self.brokers, "-t", &topic],
            };
            let times = helper::numbers(&["latency", self.brokers, &topic, &count], &command)?;
            let (p50, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
            section.row([name.to_owned(), seconds(p50), seconds(p99)]);
            section.command(
                name,
                &Job::new(command[0]).args(&command[1..]).into(Output::Pipe).shown(),
            );
            if name == "dwctl" {
                section.verdict(Verdict::at_most("p99 of dwctl", p99 * 1e3, "ms", Some(2.0)));
            }
        }
        print!("{}", section.render());
        Ok(section)
    }
}

/// All of a topic.
fn tail_on(brokers: &str, topic: &Topic, form: &str) -> Job {
    let words = ["tail", &topic.name, "--from", "beginning", "--until", "end", "-o", form];
    dwctl(brokers, &words)
}

/// The same.
fn kcat_on(brokers: &str, topic: &Topic, words: &[&str]) -> Job {
    let common = ["-C", "-q", "-e", "-o", "beginning", "-b", brokers, "-t", &topic.name];
    Job::new("kcat").args(common).args(words)
}

/// The producer that fills topics.
fn produce(brokers: &str, topic: &str, codec: &str) -> Job {
    Job::new("kcat").args(["-P", "-b", brokers, "-t", topic, "-z", codec, "-X", "linger.ms=5"])
}
