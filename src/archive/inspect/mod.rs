//! A look at what will be sent, before anything is: what kind of model it is, and what its owner
//! should know about its files. Reads the beginnings and ends of files, and small texts.

mod complete;
mod finding;
mod scan;
mod secrets;

use std::io::Read;
use std::path::Path;

pub use finding::{Finding, FindingKind};

use self::complete::{Listing, judge_single};
use self::scan::{
    ArchiveKind, EntryContent, ScanBudget, ScanOutcome, ZipEntry, read_directory, scan_stream,
    scan_weights, scan_window,
};
use super::recognise::{Contents, Recognition, Sample, recognise, recognise_folder, type_beside};
use super::window::Window;
use super::{ArchiveError, Plan, ReadyZip, is_sidecar, unpacked_path};
use crate::base::file::open_regular;

/// How a file of Git LFS begins that was not fetched.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";
/// The longest configuration that is read, in bytes.
const TEXT_MOST: u64 = 4 * 1024 * 1024;
/// Size of files that are read at once, in bytes: the parts of a look are a dozen reads.
const SMALL: usize = 16 * 1024;
/// Files of a folder that are looked into, unless all of them are wanted: the look should stay short
/// beside the sending.
const FILES_MOST: usize = 2_000;

/// How many files of a folder are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrutiny {
    /// The most telling ones of a folder with very many.
    Quick,
    All,
}

/// What a look brought.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    pub recognition: Option<Recognition>,
    /// By kind, then in the order of the files.
    pub findings: Vec<Finding>,
    /// Files that were not looked into; their names were.
    pub unseen: usize,
}

impl Inspection {
    /// Looks at one file, and for weights of Hugging Face at the `config.json` beside it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_file(path: &Path, name: &str, scrutiny: Scrutiny) -> Result<Self, ArchiveError> {
        let (sample, scanned) = read_file(path, name, &mut ScanBudget::new(scrutiny))?;
        let look = Look::at(&sample);
        let mut recognition = look.recognition;
        if let Some(found) = &mut recognition
            && found.model_type.is_none()
        {
            let config = path.with_file_name("config.json");
            found.model_type = text_of(&config).and_then(|text| type_beside(name, &text));
        }
        let mut inspection = Self { recognition, findings: look.findings, unseen: 0 };
        if let Some(found) = &inspection.recognition {
            inspection.findings.extend(Finding::of_recognition(name, found));
        }
        inspection.findings.extend(judge_single(name));
        let alone = Listing::new([(name, sample.size)], &|_| None);
        inspection.findings.extend(alone.judge_external(name, &scanned.external));
        inspection.add(scanned);
        inspection.sort();
        Ok(inspection)
    }

    /// Looks into the files of a folder.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn of_folder(plan: &Plan, scrutiny: Scrutiny) -> Result<Self, ArchiveError> {
        let root = plan.root();
        let files: Vec<(&str, u64)> =
            plan.entries().map(|entry| (&*entry.found.name, entry.found.identity.size)).collect();
        let shelf = Shelf { files: &files, text: &|name| text_of(&root.join(name)) };
        let mut budget = ScanBudget::new(scrutiny);
        shelf.inspect(scrutiny, |index| {
            read_file(&root.join(files[index].0), files[index].0, &mut budget)
        })
    }

    /// Looks into the files of a ready archive.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub fn of_zip(zip: &ReadyZip, scrutiny: Scrutiny) -> Result<Self, ArchiveError> {
        let at = |error| ArchiveError::at(zip.path(), error);
        let file = open_regular(zip.path()).map_err(at)?;
        let window = Window::new(&file, file.metadata().map_err(at)?.len());
        let entries = read_directory(window).map_err(at)?.unwrap_or_default();
        let entries: Vec<ZipEntry> = entries
            .into_iter()
            .filter(|entry| !entry.is_folder())
            .map(|entry| {
                let name = unpacked_path(&entry.name).into_owned();
                entry.renamed(name)
            })
            .collect();
        let files: Vec<(&str, u64)> =
            entries.iter().map(|entry| (entry.name.as_str(), entry.size)).collect();
        let text = |name: &str| {
            let entry = entries.iter().find(|entry| entry.name == name)?;
            whole(entry.open(window).ok()?).ok()
        };
        let shelf = Shelf { files: &files, text: &text };
        let archive = ScannedZip { window, entries: &entries, kind: ArchiveKind::of(&entries) };
        let mut budget = ScanBudget::new(scrutiny);
        shelf.inspect(scrutiny, |index| Ok(archive.read(index, &mut budget)))
    }

    fn add(&mut self, scanned: ScanOutcome) {
        self.findings.extend(scanned.findings);
        self.unseen += usize::from(scanned.is_partial);
    }

    fn sort(&mut self) {
        self.findings.sort_by_key(|finding| finding.kind);
    }
}

/// Samples a file and looks into it.
fn read_file(
    path: &Path,
    name: &str,
    budget: &mut ScanBudget,
) -> Result<(Sample, ScanOutcome), ArchiveError> {
    let at = |error| ArchiveError::at(path, error);
    let file = open_regular(path).map_err(at)?;
    let mut window = Window::new(&file, file.metadata().map_err(at)?.len());
    let small;
    if window.length() <= SMALL as u64 {
        small = window.bytes(0, SMALL).map_err(at)?;
        window = Window::of_memory(&small);
    }
    let sample = Sample::read_window(window, name).map_err(at)?;
    let scanned = scan_window(name, window, budget).map_err(at)?;
    Ok((sample, scanned))
}

/// A ready archive whose entries are looked into as files.
struct ScannedZip<'a> {
    window: Window<'a>,
    entries: &'a [ZipEntry],
    kind: ArchiveKind,
}

impl ScannedZip<'_> {
    /// Samples an entry and looks into it. What cannot be unpacked is a finding.
    fn read(&self, index: usize, budget: &mut ScanBudget) -> (Sample, ScanOutcome) {
        let entry = &self.entries[index];
        self.try_read(entry, budget).unwrap_or_else(|reason| {
            let finding = Finding::new(FindingKind::Uninspected, &entry.name, &reason);
            let mut sample = Sample::new(&entry.name, &[]);
            (sample.size, sample.tail) = (entry.size, None);
            (sample, ScanOutcome { findings: vec![finding], ..ScanOutcome::default() })
        })
    }

    fn try_read(
        &self,
        entry: &ZipEntry,
        budget: &mut ScanBudget,
    ) -> Result<(Sample, ScanOutcome), String> {
        let damaged = |error: std::io::Error| format!("cannot be looked into: {error}");
        let name = entry.name.as_str();
        let scanned = match entry.open(self.window)? {
            _ if self.kind.is_storage(name) => ScanOutcome::default(),
            content if self.kind.is_weights(name) => {
                scan_weights(name, content, budget).map_err(damaged)?
            }
            EntryContent::Stored(window) => scan_window(name, window, budget).map_err(damaged)?,
            EntryContent::Packed(mut content) => {
                scan_stream(name, &mut content, entry.size, budget).map_err(damaged)?
            }
        };
        let sample = match entry.open(self.window)? {
            EntryContent::Stored(window) => Sample::read_window(window, name),
            EntryContent::Packed(content) => Sample::read_forwards(content, name, entry.size),
        };
        Ok((sample.map_err(damaged)?, scanned))
    }
}

/// What one file is.
struct Look {
    recognition: Option<Recognition>,
    /// Beside those of the recognition.
    findings: Vec<Finding>,
}

impl Look {
    fn at(sample: &Sample) -> Self {
        let mut findings = Vec::new();
        if sample.head.starts_with(LFS_POINTER) {
            let text = "is a pointer of Git LFS, not the file itself";
            findings.push(Finding::new(FindingKind::LfsPointer, &sample.name, text));
            return Self { recognition: None, findings };
        }
        if let Some(what) = secrets::by_name(&sample.name) {
            let text = format!("is {what}");
            findings.push(Finding::new(FindingKind::Secret, &sample.name, &text));
        } else if let Some((what, line)) = secrets::by_content(&sample.head) {
            let text = format!("has {what} in line {line}");
            findings.push(Finding::new(FindingKind::Secret, &sample.name, &text));
        }
        Self { recognition: recognise(sample), findings }
    }
}

/// Many files under names.
struct Shelf<'a> {
    files: &'a [(&'a str, u64)],
    text: &'a dyn Fn(&str) -> Option<Vec<u8>>,
}

impl Contents for Shelf<'_> {
    fn names(&self) -> Vec<&str> {
        self.files.iter().map(|(name, _)| *name).collect()
    }

    fn text(&self, name: &str) -> Option<Vec<u8>> {
        (self.text)(name)
    }
}

impl Shelf<'_> {
    fn inspect(
        &self,
        scrutiny: Scrutiny,
        mut read: impl FnMut(usize) -> Result<(Sample, ScanOutcome), ArchiveError>,
    ) -> Result<Inspection, ArchiveError> {
        let chosen = self.chosen(scrutiny);
        let mut inspection = Inspection::default();
        let own = self.files.iter().copied().filter(|(name, _)| !is_sidecar(name));
        let listing = Listing::new(own, self.text);
        inspection.findings.extend(listing.find_missing());
        inspection.findings.extend(self.sources());
        let mut known = Vec::new();
        for &index in &chosen.seen {
            let (name, size) = self.files[index];
            let (sample, scanned) = read(index)?;
            inspection.findings.extend(listing.judge_external(name, &scanned.external));
            inspection.add(scanned);
            let look = Look::at(&sample);
            inspection.findings.extend(look.findings);
            if let Some(found) = look.recognition {
                inspection.findings.extend(Finding::of_recognition(name, &found));
                // What macOS adds beside a file has its name, and tells nothing of the model.
                if !is_sidecar(name) {
                    known.push((size, name.to_owned(), found));
                }
            }
        }
        inspection.unseen += chosen.unseen.len();
        inspection.findings.extend(chosen.unseen.iter().filter_map(|&index| self.by_name(index)));
        // The largest file is the model more often than any other.
        known.sort_by(|(a, a_name, _), (b, b_name, _)| b.cmp(a).then_with(|| a_name.cmp(b_name)));
        let known: Vec<(String, Recognition)> =
            known.into_iter().map(|(_, name, found)| (name, found)).collect();
        inspection.recognition = recognise_folder(self, &known);
        inspection.sort();
        Ok(inspection)
    }

    /// Python that a loader may import from the folder.
    fn sources(&self) -> Vec<Finding> {
        let is_source = |name: &&str| name.ends_with(".py");
        let names: Vec<&str> = self.files.iter().map(|(name, _)| *name).filter(is_source).collect();
        let Some(first) = names.first() else { return Vec::new() };
        // Generation with the code of the folder, which no configuration names.
        let custom = names.iter().find(|name| name.ends_with("custom_generate/generate.py"));
        let custom = custom.map(|name| {
            let text = "is code that the transformers library runs when it generates";
            Finding::new(FindingKind::RunsCode, name, text)
        });
        let more = match names.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let text = format!("is Python{more}, which runs if a loader imports it");
        let note = Finding::new(FindingKind::Note, first, &text);
        custom.into_iter().chain([note]).collect()
    }

    fn by_name(&self, index: usize) -> Option<Finding> {
        let (name, _) = self.files[index];
        let what = secrets::by_name(name)?;
        Some(Finding::new(FindingKind::Secret, name, &format!("is {what}")))
    }

    /// The files to look into, in the order of the archive, and the rest.
    fn chosen(&self, scrutiny: Scrutiny) -> Chosen {
        let all: Vec<usize> = (0..self.files.len()).collect();
        if scrutiny == Scrutiny::All || all.len() <= FILES_MOST {
            return Chosen { seen: all, unseen: Vec::new() };
        }
        let mut ranked = all;
        ranked.sort_by_key(|&index| self.files[index].1);
        // Weights are the largest files; texts with secrets and pointers are among the smallest.
        let half = FILES_MOST / 2;
        let mut unseen: Vec<usize> = ranked.drain(half..ranked.len() - half).collect();
        ranked.sort_unstable();
        unseen.sort_unstable();
        Chosen { seen: ranked, unseen }
    }
}

struct Chosen {
    seen: Vec<usize>,
    unseen: Vec<usize>,
}

/// A small text; none where it is missing, long or unreadable.
fn text_of(path: &Path) -> Option<Vec<u8>> {
    let file = open_regular(path).ok()?;
    let length = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let mut text = Vec::new();
    (length <= TEXT_MOST).then_some(())?;
    file.take(TEXT_MOST).read_to_end(&mut text).ok()?;
    Some(text)
}

/// A text up to the longest that is read.
fn whole(content: EntryContent<'_>) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    match content {
        EntryContent::Stored(window) => window.reader().take(TEXT_MOST).read_to_end(&mut text)?,
        EntryContent::Packed(content) => content.take(TEXT_MOST).read_to_end(&mut text)?,
    };
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{WalkOptions, walk};
    use crate::schema::model::{Framework, ModelType};
    use std::fs::File;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    fn look(folder: &tempfile::TempDir, scrutiny: Scrutiny) -> Inspection {
        let options = WalkOptions { default_excludes: false, ..WalkOptions::default() };
        let tree = walk(folder.path(), &options).unwrap();
        Inspection::of_folder(&Plan::stored(folder.path(), tree), scrutiny).unwrap()
    }

    fn kinds(inspection: &Inspection) -> Vec<(FindingKind, &str)> {
        inspection.findings.iter().map(|found| (found.kind, found.path.as_str())).collect()
    }

    const PICKLE: &[u8] = b"\x80\x04\x95\x02\0\0\0\0\0\0\0N.";
    const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    const CONFIG: &[u8] = br#"{"architectures":["BertForMaskedLM"],"model_type":"bert"}"#;

    #[test]
    fn findings_come_by_kind_with_their_files() {
        let folder = folder(&[
            ("a/w.pkl", PICKLE),
            ("big.bin", POINTER),
            (".env", b"X=1"),
            ("cut.safetensors", b"\xff\0\0\0\0\0\0\0{\"a\""),
            ("notes.txt", b"nothing"),
        ]);
        assert_eq!(
            kinds(&look(&folder, Scrutiny::Quick)),
            [
                (FindingKind::RunsCode, "a/w.pkl"),
                (FindingKind::LfsPointer, "big.bin"),
                (FindingKind::Truncated, "cut.safetensors"),
                (FindingKind::Secret, ".env"),
            ]
        );
    }

    #[test]
    fn a_folder_and_the_archive_of_it_are_the_same_to_the_eye() {
        let folder = folder(&[("m/config.json", CONFIG), ("m/w.pkl", PICKLE)]);
        let of_folder = look(&folder, Scrutiny::Quick);
        let path = folder.path().join("m.zip");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in [("m/config.json", CONFIG), ("m/w.pkl", PICKLE)] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut writer, content).unwrap();
        }
        writer.finish().unwrap();
        let of_zip = Inspection::of_zip(&ReadyZip::open(&path).unwrap(), Scrutiny::Quick).unwrap();
        assert_eq!(of_zip.recognition, of_folder.recognition);
        assert_eq!(of_zip.findings, of_folder.findings);
        let found = of_zip.recognition.unwrap();
        assert_eq!(found.framework.unwrap().value, Framework::Huggingface);
        assert_eq!(found.model_type.unwrap().value, ModelType::MaskedLm);
    }

    #[test]
    fn code_that_comes_with_a_model_is_found_beside_it() {
        let config = br#"{"model_type":"x","auto_map":{"AutoModel":"modeling.X"}}"#;
        let folder = folder(&[
            ("m/config.json", config),
            ("m/modeling.py", b"import os"),
            ("m/model.onnx", b""),
            ("m/custom_generate/generate.py", b"def generate(): ..."),
        ]);
        assert_eq!(
            kinds(&look(&folder, Scrutiny::All)),
            [
                (FindingKind::RunsCode, "m/custom_generate/generate.py"),
                (FindingKind::RunsCode, "m/config.json"),
                (FindingKind::Note, "m/custom_generate/generate.py"),
            ]
        );
    }

    #[test]
    fn the_configuration_beside_weights_tells_their_kind() {
        let header = br#"{"__metadata__":{"format":"pt"}}"#;
        let mut weights = (header.len() as u64).to_le_bytes().to_vec();
        weights.extend_from_slice(header);
        let folder = folder(&[("config.json", CONFIG), ("model.safetensors", &weights)]);
        let path = folder.path().join("model.safetensors");
        let found = Inspection::of_file(&path, "model.safetensors", Scrutiny::Quick)
            .unwrap()
            .recognition
            .unwrap();
        assert_eq!(found.framework.unwrap().value, Framework::Pytorch);
        assert_eq!(found.model_type.unwrap().value, ModelType::MaskedLm);
    }

    #[test]
    fn a_very_large_folder_is_looked_into_in_part_unless_all_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        for index in 0..FILES_MOST + 10 {
            std::fs::write(folder.path().join(format!("f{index:05}")), "same").unwrap();
        }
        std::fs::write(folder.path().join("w.pkl"), [PICKLE, b"."].concat()).unwrap();
        let quick = look(&folder, Scrutiny::Quick);
        assert_eq!((quick.unseen, kinds(&quick)), (11, vec![(FindingKind::RunsCode, "w.pkl")]));
        assert_eq!(look(&folder, Scrutiny::All).unseen, 0);
    }

    #[test]
    fn a_lambda_layer_in_a_keras_file_runs_code() {
        let folder = folder(&[]);
        let path = folder.path().join("m.keras");
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in [
            ("metadata.json", "{}"),
            ("config.json", r#"{"layers": [{"class_name": "Lambda"}]}"#),
            ("model.weights.h5", "x"),
        ] {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut writer, content.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        let look = Inspection::of_file(&path, "m.keras", Scrutiny::Quick).unwrap();
        assert_eq!(kinds(&look), [(FindingKind::RunsCode, "m.keras")]);
    }
}
