//! Uploading: `dwctl upload` beside curl, to the local stack and to a sink that throws everything
//! away.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use dwctl::archive::{hex, md5_of};
use serde_json::{Value, json};

use crate::contest::{Against, Contender, Contest, Metric};
use crate::helper::Helper;
use crate::job::Job;
use crate::peers;
use crate::report::Section;
use crate::support::stack::Stack;
use crate::workshop::{DWCTL, Workshop};

const MIB: u64 = 1 << 20;

pub fn run(workshop: &Workshop) -> Result<Vec<Section>> {
    if !peers::have("the group upload", &["curl", "openssl", "zip", "tar"]) {
        return Ok(Vec::new());
    }
    Ok(vec![small(workshop)?, large(workshop)?, folder(workshop)?, many_files(workshop)?])
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

/// A file of bytes that do not repeat, so that nothing can be made shorter.
pub fn weights(path: &Path, size: u64, seed: u64) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..size / 8 {
        // Xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    file.flush()?;
    Ok(())
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
    let sink = sink(workshop, &[("large.pt".to_owned(), path.clone())])?;
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
    let (folder, files) = make_files(workshop, "folder", 200, size)?;
    let sink_of_folder = sink(workshop, &files)?;
    let single = workshop.folder().join("single.pt");
    weights(&single, size * 200, 3)?;
    let sink_of_single = sink(workshop, &[("single.pt".to_owned(), single.clone())])?;
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
    let (folder, files) = make_files(workshop, "many", count, 64)?;
    let sink = sink(workshop, &files)?;
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

/// Files by their names in the upload.
type Files = Vec<(String, PathBuf)>;

/// A folder of so many files, a thousand in each of its folders.
fn make_files(workshop: &Workshop, name: &str, count: u64, size: u64) -> Result<(PathBuf, Files)> {
    let folder = workshop.folder().join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut files = Vec::new();
    for number in 0..count {
        let name = format!("part-{:03}/weights-{number:06}.bin", number / 1000);
        let path = folder.join(&name);
        if number % 1000 == 0 {
            std::fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        }
        weights(&path, size, number)?;
        files.push((name, path));
    }
    Ok((folder, files))
}

/// A sink that answers with the record of these files.
fn sink(workshop: &Workshop, files: &[(String, PathBuf)]) -> Result<Helper> {
    let reply = workshop.folder().join("reply.json");
    std::fs::write(&reply, record(files)?.to_string())?;
    Helper::start(&["sink", &reply.to_string_lossy()])
}

fn record(files: &[(String, PathBuf)]) -> Result<Value> {
    let mut stored = Vec::new();
    for (name, path) in files {
        let (size, md5) = md5_of(path)?;
        stored.push(json!({
            "filename": name.rsplit('/').next(), "file_path": format!("models/u1/m/v1/{name}"),
            "file_size": size, "file_type": "bin", "file_hash": hex(&md5),
            "content_type": "application/octet-stream", "is_primary": false, "description": null
        }));
    }
    Ok(json!({
        "model_id": "m", "user_id": "u1", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "classification", "files": stored, "created_at": "2026-11-23T13:19:20.418000",
        "updated_at": "2026-11-23T13:19:20.418000", "is_active": true,
        "is_production_ready": false
    }))
}
