//! Forwarding: `dwctl forward` beside a consumer in Python that does the same, on a real Kafka, with
//! `dwctl serve` as the API of both.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::contest::{Contender, Contest, Metric};
use crate::helper;
use crate::job::Job;
use crate::load::Client;
use crate::peers;
use crate::report::{Section, Verdict};
use crate::statistics::{quantile, seconds};
use crate::support::stack::Stack;
use crate::workshop::{DWCTL, Workshop, dwctl, make_topic};

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    let Some(brokers) = workshop.kafka()? else { return Ok(Vec::new()) };
    let Some(python) = peers::python("forward beside Python") else {
        return Ok(Vec::new());
    };
    let bench = Bench { workshop, brokers, python, stack: Stack::start() };
    Ok(vec![bench.rate()?, bench.latency()?])
}

struct Bench<'w> {
    workshop: &'w Workshop,
    brokers: &'w str,
    python: PathBuf,
    /// The API. Its own broker is not used.
    stack: Stack,
}

/// Who forwards.
#[derive(Clone, Copy)]
enum Who {
    Dwctl,
    /// So many events together.
    Python(u32),
}

impl Bench<'_> {
    /// A topic of so many events, each of a model that the API has.
    fn uploads(&self, count: u64) -> Result<String> {
        let path = self.workshop.folder().join("uploads.txt");
        let mut lines = BufWriter::new(std::fs::File::create(&path)?);
        let mut client = Client::connect(self.stack.host())?;
        for number in 0..count {
            let model = model(number);
            client.upload(&model, b"weights")?;
            writeln!(lines, "u1_{model}\t{}", event(&model))?;
        }
        lines.flush()?;
        let topic = make_topic(self.brokers, "uploads", 3)?;
        // As the service sends them, without compression.
        let words = ["send", "raw", &topic, "-q", "-z", "none", "--key-delimiter", "\t"];
        dwctl(self.brokers, &words).reading(&path).run()?;
        Ok(topic)
    }

    /// A line for a shell that forwards so many events of this topic, or all that ever come, in a
    /// group that no other run has.
    fn script(&self, who: Who, uploads: &str, triggers: &str, count: Option<u64>) -> String {
        let variables = format!(
            "DWCTL_API_URL={} KAFKA_BOOTSTRAP_SERVERS={} KAFKA_AUTOML_TOPIC={uploads} KAFKA_XAI_TOPIC={triggers} KAFKA_CONSUMER_GROUP=bench-$$",
            self.stack.api_url, self.brokers,
        );
        match who {
            Who::Dwctl => {
                let words = count.map_or(String::new(), |count| format!(" -n {count}"));
                format!("{variables} exec $DWCTL forward{words}")
            }
            Who::Python(at_once) => {
                let count = count.map_or(String::new(), |count| format!("COUNT={count} "));
                format!("{variables} {count}AT_ONCE={at_once} exec $PYTHON $PEERS/consumer.py")
            }
        }
    }

    /// What its variables stand for.
    fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("DWCTL", DWCTL.to_owned()),
            ("DWCTL_CONFIG", "/dev/null".to_owned()),
            ("PYTHON", self.python.to_string_lossy().into_owned()),
            ("PEERS", PEERS.to_owned()),
        ]
    }

    fn job(&self, script: &str) -> Job {
        let variables = self.variables();
        variables.iter().fold(Job::shell(script), |job, (name, value)| job.with(name, value))
    }

    /// Whole processes, from the start to the last commit; each prints its events.
    fn rate(&self) -> Result<Section> {
        let count = self.workshop.scaled(5000).max(50);
        let (uploads, triggers) = (self.uploads(count)?, self.triggers()?);
        let contender = |name, who| {
            let script = self.script(who, &uploads, &triggers, Some(count));
            Contender::new(name, self.job(&script))
        };
        // A rate of 10 is a time of 1 / 10.
        let rounds = self.workshop.rounds(5);
        let section = Contest::new(format!("{count} events forwarded"))
            .enter(contender("dwctl", Who::Dwctl))
            .enter(contender("Python", Who::Python(1)))
            .enter(contender("Python, 32 at once", Who::Python(32)))
            .at_most(0.1, Metric::Wall, "dwctl", "Python")
            .show(Metric::Wall, "dwctl", "Python, 32 at once")
            .show(Metric::Cpu, "dwctl", "Python")
            .peak_at_most(64.0, "dwctl")
            .hold(rounds)?;
        let (sent, wanted) = (self.records(&triggers)?, count * 3 * (rounds as u64 + 1));
        ensure!(sent >= wanted, "there are {sent} triggers of {wanted}");
        Ok(section)
    }

    fn triggers(&self) -> Result<String> {
        make_topic(self.brokers, "triggers", 3)
    }

    /// Records on a topic.
    fn records(&self, topic: &str) -> Result<u64> {
        let listed = Command::new(DWCTL)
            .args(["topics", topic, "-o", "json", "-b", self.brokers])
            .env("DWCTL_CONFIG", "/dev/null")
            .output()?;
        let listed: Value = serde_json::from_slice(&listed.stdout)?;
        listed["topics"][0]["offsets"].as_u64().context("no count of records of a topic")
    }

    /// From the acknowledgement of an event to the word that its trigger is acknowledged, of events
    /// that come alone.
    fn latency(&self) -> Result<Section> {
        let title = "From an event to its acknowledged trigger, one after the other";
        println!("-- {title}");
        let mut section = Section::new(title, &["", "p50", "p99"]);
        let count = self.workshop.scaled(1000).max(20).to_string();
        for (name, who) in [("dwctl", Who::Dwctl), ("Python", Who::Python(1))] {
            let uploads = make_topic(self.brokers, &format!("single-{name}"), 3)?;
            let script = self.script(who, &uploads, &self.triggers()?, None);
            let script = format!("{script} 2>&1 > /dev/null");
            let variables = self.variables().map(|(name, value)| format!("{name}={value}"));
            let mut command = vec!["env"];
            command.extend(variables.iter().map(String::as_str));
            command.extend(["sh", "-c", &script]);
            let task = ["forwarding", self.brokers, &uploads, &event(&model(0)), &count];
            let times = helper::numbers(&task, &command)?;
            let (p50, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
            section.row([name.to_owned(), seconds(p50), seconds(p99)]);
            section.command(name, &Job::shell(&script).typed());
            if let Who::Dwctl = who {
                section.verdict(Verdict::at_most("p99 of dwctl", p99 * 1e3, "ms", Some(25.0)));
            }
        }
        print!("{}", section.render());
        Ok(section)
    }
}

fn model(number: u64) -> String {
    format!("model-{number}")
}

/// As the service writes it.
fn event(model: &str) -> String {
    format!(
        r#"{{"event_type": "model.uploaded", "event_id": "model_uploaded_{model}_1760097600", "timestamp": "2025-10-10T12:00:00.000000", "user_id": "u1", "model_id": "{model}", "dataset_id": "d1", "version": "v1", "framework": "pytorch", "model_type": "classification", "algorithm": "ResNet50", "model_size_mb": 98.5, "training_accuracy": 0.95, "validation_accuracy": null, "test_accuracy": null}}"#
    )
}
