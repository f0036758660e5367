//! Uploading: `dwctl upload` beside curl, to the local stack and to a sink that throws everything
//! away.

use std::path::Path;

use anyhow::Result;

use crate::contest::{Against, Contender, Contest, Metric};
use crate::helper::Helper;
use crate::interrupt;
use crate::job::Job;
use crate::payload::{self, weights};
use crate::peers;
use crate::report::Section;
use crate::support::stack::Stack;
use crate::workshop::{DWCTL, Workshop};

const MIB: u64 = 1 << 20;

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    if !peers::have("the group upload", &["curl", "openssl", "zip", "tar"]) {
        return Ok(Vec::new());
    }
    Ok(vec![
        small(workshop)?,
        large(workshop)?,
        folder(workshop)?,
        many_files(workshop)?,
        interrupt::section(workshop)?,
    ])
}

/// `dwctl upload` of a path as a model of this name.
pub fn dwctl(api_url: &str, path: &Path, model: &str) -> Job {
    let words = ["--user-id", "u1", "--model-id", model, "--framework", "pytorch"];
    let more = ["--model-type", "classification", "--training-dataset", "d1"];
    Job::new(DWCTL)
        .args(["upload".as_ref(), path.as_os_str()])
        .args(words)
        .args(more)
        .args(["--dialect", "flat", "-u", api_url])
        .with("DWCTL_CONFIG", "/dev/null")
}

/// The same by curl.
pub fn curl(api_url: &str, path: &Path, model: &str) -> Job {
    let (kind, part) = match path.extension() {
        Some(extension) if extension == "zip" => ("folder", "zip_file"),
        _ => ("single", "file"),
    };
    let model_id = format!("model_id={model}");
    let fields = ["framework=pytorch", "model_type=classification", "training_dataset=d1"];
    let name = format!("name={model}");
    let forms = [model_id.as_str(), &name].into_iter().chain(fields).flat_map(|form| ["-F", form]);
    Job::new("curl")
        .args(["-sS", "--fail-with-body"])
        .args(forms)
        .args(["-F", &format!("{part}=@{}", path.display())])
        .args([format!("{api_url}/ai-models/upload/{kind}/u1")])
}

fn small(workshop: &Workshop) -> Result<Section> {
    let path = workshop.folder().join("small.pt");
    weights(&path, 1024, 1)?;
    let stack = Stack::start();
    Contest::new("1 KiB to dwctl serve, whole process")
        .enter(Contender::new("dwctl", dwctl(&stack.api_url, &path, "ours")))
        .enter(Contender::new("curl", curl(&stack.api_url, &path, "theirs")))
        .at_most(1.2, Metric::Wall, "dwctl", "curl")
        .hold(workshop.rounds(30))
}

fn large(workshop: &Workshop) -> Result<Section> {
    let size = workshop.scaled(2048 * MIB).next_multiple_of(8);
    let path = workshop.folder().join("large.pt");
    weights(&path, size, 2)?;
    let sink = sink(&path, "large")?;
    let section = Contest::new(format!("{} MiB to a sink", size / MIB))
        .enter(Contender::new("dwctl", dwctl(sink.answer(), &path, "large")))
        .enter(Contender::new("curl", curl(sink.answer(), &path, "large")))
        .enter(Contender::new(
            "openssl md5",
            Job::new("openssl").args(["md5".as_ref(), path.as_os_str()]),
        ))
        // A rate of 0.9 is a time of 1 / 0.9.
        .at_most(1.11, Metric::Wall, "dwctl", Against::Greater("curl", "openssl md5"))
        .at_most(1.5, Metric::Cpu, "dwctl", Against::Sum("curl", "openssl md5"))
        .peak_at_most(32.0, "dwctl")
        .hold(workshop.rounds(7))?;
    std::fs::remove_file(path)?;
    Ok(section)
}

fn folder(workshop: &Workshop) -> Result<Section> {
    let size = (workshop.scaled(2048 * MIB) / 200).next_multiple_of(8);
    let folder = payload::folder(workshop, "folder", 200, size)?;
    let sink_of_folder = sink(&folder, "folder")?;
    let single = workshop.folder().join("single.pt");
    weights(&single, size * 200, 3)?;
    let sink_of_single = sink(&single, "single")?;
    let zip = workshop.folder().join("folder.zip");
    let script = format!(
        "cd {0} && rm -f {1} && zip -q -r {1} . && {2}",
        folder.display(),
        zip.display(),
        curl(sink_of_folder.answer(), &zip, "folder").typed()
    );
    let section = Contest::new(format!("200 files, {} MiB together, to a sink", 200 * size / MIB))
        .enter(Contender::new("dwctl", dwctl(sink_of_folder.answer(), &folder, "folder")))
        .enter(Contender::new("dwctl, one file", dwctl(sink_of_single.answer(), &single, "single")))
        .enter(Contender::new("zip and curl", Job::shell(&script)))
        .at_most(1.25, Metric::Wall, "dwctl", "dwctl, one file")
        .at_most(0.2, Metric::Wall, "dwctl", "zip and curl")
        .peak_at_most(32.0, "dwctl")
        .hold(workshop.rounds(7))?;
    std::fs::remove_file(single)?;
    std::fs::remove_file(zip)?;
    std::fs::remove_dir_all(folder)?;
    Ok(section)
}

fn many_files(workshop: &Workshop) -> Result<Section> {
    let count = workshop.scaled(100_000);
    let folder = payload::folder(workshop, "many", count, 64)?;
    let sink = sink(&folder, "many")?;
    let script = format!("tar cf - {} | wc -c", folder.display());
    let section = Contest::new(format!("{count} files of 64 bytes to a sink"))
        .enter(Contender::new("dwctl", dwctl(sink.answer(), &folder, "many")))
        .enter(Contender::new("tar", Job::shell(&script)))
        .at_most(2.0, Metric::Wall, "dwctl", "tar")
        .peak_at_most(48.0, "dwctl")
        .hold(workshop.rounds(7))?;
    std::fs::remove_dir_all(folder)?;
    Ok(section)
}

/// A sink that answers a model of this name with the record of this path.
fn sink(path: &Path, model: &str) -> Result<Helper> {
    Helper::start(&["sink", &path.to_string_lossy(), model])
}
