//! What the figures were taken on.

use std::process::Command;

use crate::job::Job;
use crate::statistics::{mebibytes, median, seconds};
use crate::workshop::Workshop;

/// One paragraph: when, on what, with which versions.
pub fn facts(workshop: &Workshop) -> String {
    let idle = Job::new("true");
    let samples: Vec<_> = (0..20).filter_map(|_| idle.run().ok()).collect();
    let wall: Vec<f64> = samples.iter().map(|sample| sample.wall.as_secs_f64()).collect();
    let floor = samples.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "Measured on {}: {cores} cores ({}), {} of memory, Linux {}; {}; scale {}. `true` takes {} here, and the least peak memory that can be told is {:.1} MiB.",
        jiff::Zoned::now().date(),
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
        memory(),
        output("uname", &["-r"]).unwrap_or_default(),
        versions().join(", "),
        workshop.scale(),
        seconds(median(&wall)),
        mebibytes(floor),
    )
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory() -> String {
    let kibibytes = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .unwrap_or(0);
    format!("{:.0} GiB", mebibytes(kibibytes * 1024) / 1024.0)
}

/// First line of what a program prints.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).lines().next()?.trim().to_owned())
}

/// The peers that are there, with their versions.
fn versions() -> Vec<String> {
    let mut found =
        vec![format!("dwctl {}", env!("CARGO_PKG_VERSION")), "Apache Kafka 4.3.1".to_owned()];
    let mut add = |name: &str, arguments: &[&str], pick: fn(&str) -> Option<String>| {
        if let Some(version) = output(name, arguments).as_deref().and_then(pick) {
            found.push(format!("{name} {version}"));
        }
    };
    let number = |line: &str| {
        line.split([' ', '"', '-'])
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
            .map(str::to_owned)
    };
    add("curl", &["--version"], number);
    add("jq", &["--version"], number);
    add("java", &["-version"], number);
    add("python3", &["--version"], number);
    if let Ok(text) = Command::new("kcat").arg("-V").output() {
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        let version = text.lines().find_map(|line| line.strip_prefix("Version ")).unwrap_or("");
        found.push(format!("kcat {version}"));
    }
    found
}
