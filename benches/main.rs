//! Whole processes beside the tools that one would take instead, run by turns, on the services that
//! they need: a real Kafka, a local stack, a sink. `cargo bench` runs every group, `cargo bench --
//! tail send` two of them. What a peer is missing for is skipped by name.
//!
//! `DWCTL_BENCH_SCALE=0.01` shrinks what is sent and read, to see that everything works; only a run
//! at full scale writes `benches/RESULTS.md`. `DWCTL_BENCH_ROUNDS` sets the number of pairs.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report is what this is for")]

mod contest;
mod follower;
mod forward;
mod helper;
mod interrupt;
mod job;
mod json;
mod load;
mod machine;
mod payload;
mod peers;
mod proof;
mod report;
mod send;
mod serve;
mod sink;
mod statistics;
#[expect(dead_code, clippy::unwrap_used, reason = "made for the tests, which use all of it")]
#[path = "../tests/support/mod.rs"]
mod support;
mod tail;
mod upload;
mod workshop;

use anyhow::{Context, Result, bail};

use crate::report::{Report, Section};
use crate::workshop::Workshop;

/// A group's name, and what measures it.
type Group = (&'static str, fn(&Workshop) -> Result<Vec<Section>>);

const GROUPS: &[Group] = &[
    ("json", json::run),
    ("tail", tail::run),
    ("send", send::run),
    ("upload", upload::run),
    ("serve", serve::run),
    ("forward", forward::run),
    ("proof", proof::run),
];

fn main() -> Result<()> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let Some((helper::FLAG, task)) = arguments.split_first().map(|(f, rest)| (f.as_str(), rest))
    {
        return helper::run(task);
    }
    let groups = choose(&arguments)?;
    let workshop = Workshop::open()?;
    let mut report = Report::open(&workshop)?;
    for (name, measure) in groups {
        println!("== {name}");
        let sections = measure(&workshop).with_context(|| format!("failed to measure {name}"))?;
        report.replace(name, &sections, &workshop)?;
    }
    report.conclude();
    Ok(())
}

fn choose(words: &[String]) -> Result<Vec<Group>> {
    let known = || GROUPS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    if words.is_empty() {
        return Ok(GROUPS.to_vec());
    }
    let find = |word: &String| GROUPS.iter().find(|(name, _)| name == word).copied();
    words
        .iter()
        .map(|word| match find(word) {
            Some(group) => Ok(group),
            None => bail!("there is no group {word:?}: {}", known()),
        })
        .collect()
}
