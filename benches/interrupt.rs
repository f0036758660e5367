//! From Ctrl-C to the end of the process, in the middle of an upload and of a download.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::payload::weights;
use crate::report::{Section, Verdict};
use crate::statistics::{quantile, seconds};
use crate::support::stack::Stack;
use crate::upload;
use crate::workshop::{DWCTL, Workshop};

const SIZE: u64 = 64 << 20;

pub fn section(workshop: &Workshop) -> Result<Section> {
    let title = "Ctrl-C to exit, in the middle of 64 MiB at 8 MiB a second";
    println!("-- {title}");
    let mut section = Section::new(title, &["", "p50", "longest"]);
    let stack = Stack::start();
    let path = workshop.folder().join("interrupted.pt");
    weights(&path, SIZE, 9)?;
    upload::dwctl(&stack.api_url, &path, "there").run()?;
    let target = workshop.folder().join("interrupted");
    std::fs::create_dir_all(&target)?;
    let [path, target_name] = [&path, &target].map(|path| path.to_string_lossy().into_owned());
    let up = format!(
        "upload {path} --user-id u1 --model-id m --framework pytorch --model-type nlp --dialect flat"
    );
    let down = format!("models download u1/there --output-dir {target_name}");
    let staging = stack.data_dir().join("staging");
    for (name, line, moving) in [("upload", up, staging), ("download", down, target.clone())] {
        let mut times = Vec::new();
        for _ in 0..workshop.rounds(30) {
            times.push(interrupted(&stack, &line, &moving)?);
            ensure!(is_empty(&target)?, "a part of the download is left");
        }
        let (p50, longest) = (quantile(&times, 0.5), quantile(&times, 1.0));
        section.row([name.to_owned(), seconds(p50), seconds(longest)]);
        let what = format!("longest of {name}");
        section.verdict(Verdict::at_most(&what, longest * 1e3, "ms", Some(200.0)));
    }
    print!("{}", section.render());
    Ok(section)
}

/// Starts a transfer, interrupts it once the first bytes lie in a folder, and gives the seconds until
/// the process has ended, as it must: with 130.
fn interrupted(stack: &Stack, line: &str, moving: &Path) -> Result<f64> {
    let mut child = Command::new(DWCTL)
        .args(line.split_whitespace())
        .args(["--limit-rate", "8M", "-u", &stack.api_url])
        .env("DWCTL_CONFIG", "/dev/null")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let end = Instant::now() + Duration::from_secs(60);
    while is_empty(moving)? {
        ensure!(Instant::now() < end, "nothing moves: {line}");
        std::thread::yield_now();
    }
    let pid = Pid::from_raw(i32::try_from(child.id())?).context("no process")?;
    let signalled = Instant::now();
    kill_process(pid, Signal::INT)?;
    let status = child.wait()?;
    let took = signalled.elapsed();
    ensure!(status.code() == Some(130), "{line} ended with {status}");
    // What the server had of it goes when it sees the end of the connection.
    while !is_empty(moving)? {
        ensure!(Instant::now() < end, "something is left of {line}");
        std::thread::yield_now();
    }
    Ok(took.as_secs_f64())
}

/// Whether a folder holds no file with a byte in it.
fn is_empty(folder: &Path) -> Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        // It may be gone by now.
        if entry?.metadata().is_ok_and(|metadata| metadata.len() > 0) {
            return Ok(false);
        }
    }
    Ok(true)
}
