//! Programs that do the same thing, run by turns, so that whatever else the machine does falls on all
//! of them; compared round by round.

use anyhow::{Result, ensure};

use crate::job::{Job, Sample};
use crate::report::{Section, Verdict};
use crate::statistics::{mebibytes, median, quantile, seconds, secs};

/// One of the programs.
pub struct Contender {
    name: &'static str,
    job: Job,
    /// How many lines must come through its pipe.
    lines: Option<u64>,
    samples: Vec<Sample>,
}

impl Contender {
    pub fn new(name: &'static str, job: Job) -> Self {
        Self { name, job, lines: None, samples: Vec::new() }
    }

    pub fn with_lines(mut self, lines: u64) -> Self {
        self.lines = Some(lines);
        self
    }

    /// Runs once more.
    fn run(&self) -> Result<Sample> {
        let sample = self.job.run()?;
        if let Some(wanted) = self.lines {
            ensure!(
                sample.lines == wanted,
                "{} printed {} lines, not {wanted}",
                self.job.shown(),
                sample.lines
            );
        }
        Ok(sample)
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    Wall,
    Cpu,
}

impl Metric {
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Metric::Wall => sample.wall.as_secs_f64(),
            Metric::Cpu => sample.cpu.as_secs_f64(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Metric::Wall => "wall time",
            Metric::Cpu => "CPU",
        }
    }
}

/// What one contender is held against.
#[derive(Clone, Debug)]
pub enum Against {
    One(&'static str),
    /// Whichever cost more in the round.
    Greater(&'static str, &'static str),
    Sum(&'static str, &'static str),
}

impl Against {
    fn describe(&self) -> String {
        match self {
            Self::One(name) => (*name).to_owned(),
            Self::Greater(one, other) => format!("the slower of {one} and {other}"),
            Self::Sum(one, other) => format!("{one} and {other} together"),
        }
    }
}

impl From<&'static str> for Against {
    fn from(name: &'static str) -> Self {
        Self::One(name)
    }
}

/// A wish that a report answers.
enum Wish {
    Ratio {
        who: &'static str,
        against: Against,
        metric: Metric,
        at_most: Option<f64>,
    },
    /// Of the slowest rounds: the 95th percentiles of the wall times.
    Late {
        who: &'static str,
        against: &'static str,
        at_most: f64,
    },
    Peak {
        who: &'static str,
        at_most_mib: f64,
    },
}

/// The programs, how often they run, and what is asked of them.
pub struct Contest {
    title: String,
    contenders: Vec<Contender>,
    wishes: Vec<Wish>,
}

impl Contest {
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), contenders: Vec::new(), wishes: Vec::new() }
    }

    pub fn enter(mut self, contender: Contender) -> Self {
        self.contenders.push(contender);
        self
    }

    /// Asks for a ratio of at most this.
    pub fn at_most(
        self,
        bound: f64,
        metric: Metric,
        who: &'static str,
        against: impl Into<Against>,
    ) -> Self {
        self.ratio(Some(bound), metric, who, against.into())
    }

    /// Shows a ratio of which nothing is asked.
    pub fn show(self, metric: Metric, who: &'static str, against: impl Into<Against>) -> Self {
        self.ratio(None, metric, who, against.into())
    }

    fn ratio(
        mut self,
        at_most: Option<f64>,
        metric: Metric,
        who: &'static str,
        against: Against,
    ) -> Self {
        self.wishes.push(Wish::Ratio { who, against, metric, at_most });
        self
    }

    /// The same bound on the late ones: the 95th percentile of the wall time.
    pub fn late_at_most(mut self, at_most: f64, who: &'static str, against: &'static str) -> Self {
        self.wishes.push(Wish::Late { who, against, at_most });
        self
    }

    pub fn peak_at_most(mut self, at_most_mib: f64, who: &'static str) -> Self {
        self.wishes.push(Wish::Peak { who, at_most_mib });
        self
    }

    /// One round that does not count, then the rounds that do. Every second round goes backwards.
    pub fn hold(mut self, rounds: usize) -> Result<Section> {
        println!("-- {}", self.title);
        for contender in &self.contenders {
            contender.run()?;
        }
        for round in 0..rounds {
            let mut order: Vec<usize> = (0..self.contenders.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let sample = self.contenders[index].run()?;
                self.contenders[index].samples.push(sample);
            }
        }
        let section = self.section(rounds);
        print!("{}", section.render());
        Ok(section)
    }

    fn section(&self, rounds: usize) -> Section {
        let header = ["", "wall p50", "wall p95", "CPU p50", "peak memory"];
        let mut section = Section::new(&format!("{}, {rounds} rounds", self.title), &header);
        for contender in &self.contenders {
            let wall = secs(contender.samples.iter().map(|sample| sample.wall));
            let cpu = secs(contender.samples.iter().map(|sample| sample.cpu));
            section.row([
                contender.name.to_owned(),
                seconds(median(&wall)),
                seconds(quantile(&wall, 0.95)),
                seconds(median(&cpu)),
                format!("{:.1} MiB", contender.peak_mib()),
            ]);
            section.command(contender.name, &contender.job.shown());
        }
        for wish in &self.wishes {
            section.verdict(self.answer(wish));
        }
        section
    }

    fn samples(&self, name: &str) -> &[Sample] {
        let found = self.contenders.iter().find(|contender| contender.name == name);
        found.map_or(&[], |contender| &contender.samples)
    }

    fn costs(&self, name: &str, metric: Metric) -> Vec<f64> {
        self.samples(name).iter().map(|sample| metric.of(sample)).collect()
    }

    /// Round by round.
    fn costs_of(&self, against: &Against, metric: Metric) -> Vec<f64> {
        let (one, other, join): (_, _, fn(f64, f64) -> f64) = match against {
            Against::One(name) => return self.costs(name, metric),
            Against::Greater(one, other) => (one, other, f64::max),
            Against::Sum(one, other) => (one, other, |one, other| one + other),
        };
        let others = self.costs(other, metric);
        self.costs(one, metric).into_iter().zip(others).map(|(a, b)| join(a, b)).collect()
    }

    fn answer(&self, wish: &Wish) -> Verdict {
        match wish {
            Wish::Ratio { who, against, metric, at_most } => {
                let ours = self.costs(who, *metric);
                let theirs = self.costs_of(against, *metric);
                let ratios: Vec<f64> =
                    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
                Verdict::at_most(
                    &format!("{} of {who} against {}", metric.word(), against.describe()),
                    median(&ratios),
                    "×",
                    *at_most,
                )
            }
            Wish::Late { who, against, at_most } => {
                let late = |name| quantile(&self.costs(name, Metric::Wall), 0.95);
                Verdict::at_most(
                    &format!("p95 of the wall time of {who} against {against}"),
                    late(who) / late(against),
                    "×",
                    Some(*at_most),
                )
            }
            Wish::Peak { who, at_most_mib } => {
                let found = self.contenders.iter().find(|contender| contender.name == *who);
                let peak = found.map_or(f64::NAN, Contender::peak_mib);
                Verdict::at_most(&format!("peak memory of {who}"), peak, "MiB", Some(*at_most_mib))
            }
        }
    }
}

impl Contender {
    fn peak_mib(&self) -> f64 {
        mebibytes(self.samples.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0))
    }
}
