//! The walker over JSON, beside `serde_json`, on an upload event of 400 bytes; in this process.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use dwctl::schema::json::{compact, find, indent, validate};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::report::Section;
use crate::statistics::{median, quantile};
use crate::workshop::Workshop;

/// Something that one does with an event; false when it failed.
type Task<'a> = (&'a str, Box<dyn FnMut() -> bool + 'a>);

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    println!("-- walker");
    let path = workshop.events("one-event", 1, 400)?;
    let text = std::fs::read(path)?;
    let event = text.trim_ascii_end();
    let mut section = Section::new(
        &format!("One event of {} bytes, in one thread", event.len()),
        &["", "p50", "p95", "rate"],
    );
    let repeats = usize::try_from(workshop.scaled(20_000))?;
    for (name, mut task) in tasks(event) {
        let times: Result<Vec<f64>> =
            (0..workshop.rounds(50)).map(|_| time(repeats, &mut task)).collect();
        let times = times?;
        section.row([
            name.to_owned(),
            format!("{:.0} ns", median(&times) * 1e9),
            format!("{:.0} ns", quantile(&times, 0.95) * 1e9),
            rate(event.len(), median(&times)),
        ]);
    }
    print!("{}", section.render());
    Ok(vec![section])
}

fn tasks(event: &[u8]) -> Vec<Task<'_>> {
    let mut compacted = Vec::new();
    let mut indented = Vec::new();
    vec![
        ("validate", Box::new(move || validate(black_box(event)).is_ok())),
        (
            "compact",
            Box::new(move || {
                compacted.clear();
                compact(black_box(event), &mut compacted).is_ok()
            }),
        ),
        (
            "indent",
            Box::new(move || {
                indented.clear();
                indent(black_box(event), b"  ", &mut indented).is_ok()
            }),
        ),
        ("find a field", Box::new(move || find(black_box(event), &["framework"]).is_some())),
        (
            "serde_json: read, keep nothing",
            Box::new(move || serde_json::from_slice::<IgnoredAny>(black_box(event)).is_ok()),
        ),
        (
            "serde_json: read, write pretty",
            Box::new(move || {
                let value = serde_json::from_slice::<Value>(black_box(event));
                value.is_ok_and(|value| !black_box(format!("{value:#}")).is_empty())
            }),
        ),
    ]
}

/// Seconds that one call takes.
#[expect(clippy::cast_precision_loss, reason = "a count of thousands")]
fn time(repeats: usize, task: &mut impl FnMut() -> bool) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..repeats {
        ensure!(black_box(task()), "the event was refused");
    }
    Ok(start.elapsed().as_secs_f64() / repeats as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred bytes")]
fn rate(bytes: usize, seconds: f64) -> String {
    format!("{:.2} GB/s", bytes as f64 / seconds / 1e9)
}
