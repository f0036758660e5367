//! What the groups share: how large, how often, and the services and files that they stand on.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::helper::Helper;
use crate::job::Job;
use crate::peers;

/// The program that is measured: a copy of what was built, as an installed one is. What the linker
/// itself wrote lies in the cache of files in many small pieces, and takes half a millisecond longer to
/// begin, until it is read from the disk again.
pub const DWCTL: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/bench/dwctl");

/// Where files of a run lie.
pub const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/bench");

pub struct Workshop {
    scale: f64,
    rounds: Option<usize>,
    folder: PathBuf,
    kafka: OnceCell<Helper>,
}

impl Workshop {
    pub fn open() -> Result<Self> {
        let number = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let scale = match number("DWCTL_BENCH_SCALE") {
            Some(text) => text.parse().with_context(|| format!("DWCTL_BENCH_SCALE={text}"))?,
            None => 1.0,
        };
        ensure!(scale > 0.0 && scale <= 1.0, "DWCTL_BENCH_SCALE must be above 0 and at most 1");
        let rounds = match number("DWCTL_BENCH_ROUNDS") {
            Some(text) => Some(text.parse().with_context(|| format!("DWCTL_BENCH_ROUNDS={text}"))?),
            None => None,
        };
        let folder = PathBuf::from(FOLDER);
        std::fs::create_dir_all(&folder)?;
        install()?;
        Ok(Self { scale, rounds, folder, kafka: OnceCell::new() })
    }

    pub fn scale(&self) -> f64 {
        self.scale
    }

    pub fn is_full_scale(&self) -> bool {
        self.scale >= 1.0
    }

    /// Where files of a run lie; they are written anew by each.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A number at this run's scale.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "sizes far below 2^52"
    )]
    pub fn scaled(&self, full: u64) -> u64 {
        ((full as f64 * self.scale) as u64).max(1)
    }

    pub fn rounds(&self, usual: usize) -> usize {
        self.rounds.unwrap_or(usual).max(1)
    }

    /// A real Kafka's address; `None`, said aloud, where none can be had.
    pub fn kafka(&self) -> Result<Option<&str>> {
        if let Some(reason) = peers::no_kafka() {
            peers::skip("everything on a real Kafka", &reason);
            return Ok(None);
        }
        if self.kafka.get().is_none() {
            let helper = Helper::start(&["kafka"])?;
            // Only this thread starts it.
            let _ = self.kafka.set(helper);
        }
        Ok(self.kafka.get().map(Helper::answer))
    }

    /// A file of upload events, one a line, each of about `size` bytes; every thousandth one is of
    /// framework `onnx`, the others of `pytorch`.
    pub fn events(&self, name: &str, count: u64, size: usize) -> Result<PathBuf> {
        let path = self.folder.join(name);
        let mut file = BufWriter::with_capacity(1 << 18, File::create(&path)?);
        for number in 0..count {
            writeln!(file, "{}", event(number, size))?;
        }
        file.flush()?;
        Ok(path)
    }
}

fn install() -> Result<()> {
    // Beside it first: what runs of an earlier one cannot be written over.
    let fresh = format!("{DWCTL}.new");
    std::fs::copy(env!("CARGO_BIN_EXE_dwctl"), &fresh).context("failed to copy the program")?;
    std::fs::rename(&fresh, DWCTL).context("failed to copy the program")
}

fn event(number: u64, size: usize) -> String {
    let framework = if number % 1000 == 999 { "onnx" } else { "pytorch" };
    let head = format!(
        r#"{{"event_type":"model.uploaded","event_id":"model_uploaded_model-{number}_1760097600","timestamp":"2025-10-10T12:00:00.000000","user_id":"user{}","model_id":"model-{number}","dataset_id":"dataset{}","version":"v1","framework":"{framework}","model_type":"classification","algorithm":""#,
        number % 97,
        number % 13,
    );
    let rest = r#"","model_size_mb":98.5,"training_accuracy":0.95,"validation_accuracy":null,"test_accuracy":null}"#;
    let fill = size.saturating_sub(head.len() + rest.len()).max(8);
    format!("{head}{}{rest}", "ResNet50".repeat(fill / 8))
}

/// `dwctl` as a client of these brokers, which reads no settings file.
pub fn dwctl(brokers: &str, words: &[&str]) -> Job {
    Job::new(DWCTL).args(words).args(["-b", brokers]).with("DWCTL_CONFIG", "/dev/null")
}

/// Makes a topic that no other run has.
pub fn make_topic(brokers: &str, what: &str, partitions: u32) -> Result<String> {
    let name = format!("bench-{what}-{}", std::process::id());
    let count = partitions.to_string();
    dwctl(brokers, &["topics", &name, "--create", "--partitions", &count]).run()?;
    Ok(name)
}
