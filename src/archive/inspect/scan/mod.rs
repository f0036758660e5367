//! Looks for what runs code when it is loaded, inside every container that common loaders open:
//! zips, tars, packed files, arrays, and these in each other. Bounded in depth, entries and unpacked
//! bytes; what could not be looked into is a finding of its own. Nothing is executed.

mod config;
mod onnx;
mod packed;
mod pickle;
mod program;
mod tar;
mod zip;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};

use memchr::memmem;

use self::config::{ConfigVerdict, judge_embedded, judge_json};
pub(super) use self::onnx::ExternalData;
use self::packed::{Packer, unknown_packer};
use self::pickle::{PickleVerdict, judge_beginning, judge_weights, search};
use self::program::{find_operation, has_escape, judge_program};
use self::tar::{BLOCK, TarMember, is_tar};
pub(super) use self::zip::{EntryContent, ZipEntry, read_directory};
use super::{Finding, FindingKind, Scrutiny};
use crate::archive::recognise::{Sample, TORCH_LEGACY, hdf5_start, is_weights_format, recognise};
use crate::archive::window::Window;

/// Containers in each other that are opened; a packer counts as one.
const DEPTH: usize = 6;
/// First bytes of a content, which are enough to know it.
const HEAD: usize = 64 * 1024;
/// Bytes of a content that is searched or read as a whole.
const TEXT_MOST: usize = 16 * 1024 * 1024;
/// Bytes of an unknown content that are searched for pickles.
const SEARCHED: usize = 1024 * 1024;
/// Bytes of a zip that is unpacked to memory, to be opened.
const ZIP_MOST: usize = 64 * 1024 * 1024;
/// Findings of one kind about one file that are kept.
const SAME_KIND: usize = 8;

/// How much a look may still unpack and open.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanBudget {
    /// Unpacked bytes.
    bytes: u64,
    entries: usize,
    scrutiny: Scrutiny,
}

impl ScanBudget {
    pub fn new(scrutiny: Scrutiny) -> Self {
        match scrutiny {
            Scrutiny::Quick => Self { bytes: 64 << 20, entries: 2_000, scrutiny },
            Scrutiny::All => Self { bytes: 1 << 30, entries: 100_000, scrutiny },
        }
    }
}

/// What the look into one file brought.
#[derive(Debug, Default)]
pub(super) struct ScanOutcome {
    pub findings: Vec<Finding>,
    /// Files beside it that a model of ONNX keeps its tensors in.
    pub external: Vec<ExternalData>,
    /// Whether a part of it was left for a look that may take longer.
    pub is_partial: bool,
}

/// Looks into one file that can be read at any place.
///
/// # Errors
/// It cannot be read.
pub(super) fn scan_window(
    name: &str,
    window: Window<'_>,
    budget: &mut ScanBudget,
) -> io::Result<ScanOutcome> {
    let mut scanner = Scanner::new(name, budget);
    scanner.window(name, window, window.length())?;
    Ok(scanner.outcome)
}

/// Looks into one file that can only be read forwards.
///
/// # Errors
/// It cannot be read.
pub(super) fn scan_stream(
    name: &str,
    content: &mut dyn Read,
    size: u64,
    budget: &mut ScanBudget,
) -> io::Result<ScanOutcome> {
    let mut scanner = Scanner::new(name, budget);
    scanner.stream(name, content, Some(size))?;
    Ok(scanner.outcome)
}

/// Looks into the pickle of a PyTorch archive.
///
/// # Errors
/// It cannot be read.
pub(super) fn scan_weights(
    name: &str,
    content: EntryContent<'_>,
    budget: &mut ScanBudget,
) -> io::Result<ScanOutcome> {
    let mut scanner = Scanner::new(name, budget);
    scanner.weights(content)?;
    Ok(scanner.outcome)
}

struct Scanner<'a> {
    /// The file as the user knows it.
    path: &'a str,
    /// Names of the entries that lead to the content.
    place: Vec<String>,
    /// Containers and packers that are open.
    depth: usize,
    budget: &'a mut ScanBudget,
    outcome: ScanOutcome,
}

impl<'a> Scanner<'a> {
    fn new(path: &'a str, budget: &'a mut ScanBudget) -> Self {
        Self { path, place: Vec::new(), depth: 0, budget, outcome: ScanOutcome::default() }
    }

    fn find(&mut self, kind: FindingKind, text: &str) {
        let findings = &mut self.outcome.findings;
        if findings.iter().filter(|finding| finding.kind == kind).count() < SAME_KIND {
            findings.push(Finding::inside(kind, self.path, &self.place, text));
        }
    }

    fn find_code(&mut self, what: &str) {
        self.find(
            FindingKind::RunsCode,
            &format!("has {what} in it, which runs code when it is loaded"),
        );
    }

    fn find_config(&mut self, verdict: ConfigVerdict) {
        match verdict {
            ConfigVerdict::Plain => {}
            ConfigVerdict::Code(what) => {
                let text = format!("names {what}, which runs when it is loaded");
                self.find(FindingKind::RunsCode, &text);
            }
            ConfigVerdict::Unreadable => {
                self.uninspected("may name code, and cannot be read as JSON");
            }
        }
    }

    fn find_pickle(&mut self, verdict: PickleVerdict) {
        match verdict {
            PickleVerdict::Other | PickleVerdict::Weights => {}
            PickleVerdict::Code(what) => self.find_code(&what),
            PickleVerdict::Unfollowed => {
                self.uninspected("has too many beginnings of pickles to follow them");
            }
        }
    }

    fn uninspected(&mut self, text: &str) {
        self.find(FindingKind::Uninspected, text);
    }

    /// Notes a bound of this look. A look into everything has none left to point to.
    fn exceed(&mut self, text: &str) {
        match self.budget.scrutiny {
            Scrutiny::Quick => self.outcome.is_partial = true,
            Scrutiny::All => self.uninspected(text),
        }
    }

    /// Opens one container more, unless it is too deep.
    fn enter(&mut self, look: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        if self.depth >= DEPTH {
            self.uninspected("is too deep inside other archives to be looked into");
            return Ok(());
        }
        self.depth += 1;
        let looked = look(self);
        self.depth -= 1;
        looked
    }

    /// Looks at an entry under its name. What is wrong with one entry does not end the look.
    fn entry(&mut self, name: &str, look: impl FnOnce(&mut Self) -> io::Result<()>) {
        self.place.push(name.to_owned());
        if let Err(error) = look(self) {
            self.uninspected(&format!("cannot be looked into: {error}"));
        }
        self.place.pop();
    }

    /// Whether one entry more may be opened.
    fn may_open(&mut self) -> bool {
        self.budget.entries = self.budget.entries.saturating_sub(1);
        if self.budget.entries == 0 {
            self.exceed("has more entries than are looked into");
        }
        self.budget.entries > 0
    }

    /// Looks at a content of `size` bytes, of which the window may have the first ones only.
    fn window(&mut self, name: &str, window: Window<'_>, size: u64) -> io::Result<()> {
        let head = window.bytes(0, HEAD)?;
        self.faults(name, window, size)?;
        if let Some(packer) = unknown_packer(&head) {
            self.uninspected(&format!("is packed by {packer} and cannot be looked into"));
        } else if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            self.enter(|scanner| scanner.zip(window, true))?;
        } else if let Some(packer) = Packer::of(&head) {
            self.enter(|scanner| scanner.packed(name, packer, &mut window.reader()))?;
        } else if is_tar(&head) {
            self.enter(|scanner| scanner.tar(window))?;
        } else {
            self.plain(name, window, &head, size)?;
        }
        Ok(())
    }

    /// What is wrong with a file inside an archive. A file of its own is looked at by the caller.
    fn faults(&mut self, name: &str, window: Window<'_>, size: u64) -> io::Result<()> {
        if self.depth == 0 {
            return Ok(());
        }
        let mut sample = Sample::read_window(window, name)?;
        if size > window.length() {
            (sample.size, sample.tail) = (size, None);
        }
        if let Some(fault) = recognise(&sample).and_then(|found| found.fault) {
            let (kind, text) = Finding::of_fault(&fault);
            self.find(kind, &text);
        }
        Ok(())
    }

    /// A content that is no container by its first bytes.
    fn plain(&mut self, name: &str, window: Window<'_>, head: &[u8], size: u64) -> io::Result<()> {
        if head.starts_with(b"\x93NUMPY") {
            return self.array(window);
        }
        if hdf5_start(head).is_some() {
            return self.hdf5(window);
        }
        if head.starts_with(b"GGUF") {
            return self.template(window);
        }
        if is_weights_format(head) || self.onnx(name, window, head)? {
            return Ok(());
        }
        if let Some(program) = judge_program(name, head) {
            self.find_code(&program);
            return Ok(());
        }
        if head.trim_ascii_start().starts_with(b"{")
            || head.trim_ascii_start().starts_with(b"[")
            || head.starts_with(b"\xef\xbb\xbf")
        {
            // One file of weights in a hundred begins like that too.
            let may_be_json = name.ends_with(".json") || is_text(head);
            let most = if may_be_json { TEXT_MOST } else { HEAD };
            self.json(name, &window.bytes(0, most)?, size)?;
        }
        let is_whole = size <= head.len() as u64;
        let judged = if head.starts_with(TORCH_LEGACY) {
            judge_beginning(name, &window.bytes(0, TEXT_MOST)?, size <= TEXT_MOST as u64)
        } else {
            judge_beginning(name, head, is_whole)
        };
        let is_known = judged != PickleVerdict::Other;
        self.find_pickle(judged);
        if !is_known {
            self.unknown(name, window)?;
        }
        Ok(())
    }

    /// A content of no known form: pickles, graphs of TensorFlow, or a zip behind other bytes.
    fn unknown(&mut self, name: &str, window: Window<'_>) -> io::Result<()> {
        let most = match self.budget.scrutiny {
            Scrutiny::Quick => HEAD,
            Scrutiny::All => SEARCHED,
        };
        let content = window.bytes(0, most)?;
        self.find_pickle(search(&content));
        let is_graph = [".pb", ".pbtxt", ".meta"].iter().any(|ending| name.ends_with(ending));
        let graph = if is_graph { window.bytes(0, ZIP_MOST)? } else { content };
        if let Some(operation) = find_operation(&graph) {
            self.find_code(&format!("TensorFlow's operation {operation}"));
        }
        if is_graph && window.length() > ZIP_MOST as u64 {
            self.exceed("is too large a graph to be looked into to its end");
        }
        if read_directory(window)?.is_some_and(|entries| !entries.is_empty()) {
            self.enter(|scanner| scanner.zip(window, false))?;
        }
        Ok(())
    }

    fn json(&mut self, name: &str, text: &[u8], size: u64) -> io::Result<()> {
        let base = name.rsplit('/').next().unwrap_or(name);
        if base.starts_with("tokenizer_config") && has_escape(text) {
            self.find_code("a chat template that reaches into Python");
        }
        if size <= text.len() as u64 {
            self.find_config(judge_json(name, text));
        } else if memmem::find(text, b"\"class_name\"").is_some() {
            self.find_config(judge_embedded(text));
            self.exceed("is too long a configuration to be looked into to its end");
        }
        Ok(())
    }

    /// Whether it is a model of ONNX by its name and its fields. Notes the files that it names.
    fn onnx(&mut self, name: &str, window: Window<'_>, head: &[u8]) -> io::Result<bool> {
        let is_named = name.to_ascii_lowercase().ends_with(".onnx");
        // The first field is the version of the form.
        if !is_named && !matches!(head, [0x08, 1..=20, ..]) {
            return Ok(false);
        }
        let Some(files) = onnx::external_data(window)? else { return Ok(false) };
        if self.depth == 0 {
            self.outcome.external = files;
        }
        Ok(is_named)
    }

    /// An array; one of objects is a pickle behind its header.
    fn array(&mut self, window: Window<'_>) -> io::Result<()> {
        let head = window.bytes(0, HEAD)?;
        let Some(start) = array_start(&head) else { return Ok(()) };
        let header = &head[..head.len().min(start)];
        let data = window.bytes(start as u64, HEAD)?;
        let is_whole = window.length() <= (start + HEAD) as u64;
        let may_be_objects = header.iter().any(|byte| b"O\\".contains(byte))
            || memmem::find(header, b"object").is_some();
        if may_be_objects && judge_beginning("array.pkl", &data, is_whole) != PickleVerdict::Other {
            self.find_code("an array of objects, a pickle,");
        }
        Ok(())
    }

    /// HDF5: configurations of Keras, and pickles of `PyTables`, which keeps plain numbers in them too.
    fn hdf5(&mut self, window: Window<'_>) -> io::Result<()> {
        const OVERLAP: usize = 256 * 1024;
        let most = match self.budget.scrutiny {
            Scrutiny::Quick => SEARCHED as u64,
            Scrutiny::All => self.budget.bytes,
        };
        if let PickleVerdict::Code(what) = search(&window.bytes(0, SEARCHED)?)
            && what.contains("imports")
        {
            self.find_code(&what);
        }
        let mut at = 0;
        while at < window.length().min(most) {
            let piece = window.bytes(at, TEXT_MOST)?;
            let verdict = judge_embedded(&piece);
            let is_found = verdict != ConfigVerdict::Plain;
            self.find_config(verdict);
            if is_found {
                return Ok(());
            }
            at += (piece.len().saturating_sub(OVERLAP)).max(1) as u64;
            if piece.len() < TEXT_MOST {
                break;
            }
        }
        self.find_config(judge_embedded(&window.tail(SEARCHED)?));
        Ok(())
    }

    /// The chat template in the head of a GGUF.
    fn template(&mut self, window: Window<'_>) -> io::Result<()> {
        const MARK: &[u8] = b"tokenizer.chat_template";
        let head = window.bytes(0, TEXT_MOST)?;
        let found = memmem::find_iter(&head, MARK).any(|at| {
            let value = &head[at + MARK.len()..head.len().min(at + HEAD)];
            has_escape(value)
        });
        if found {
            self.find_code("a chat template that reaches into Python");
        }
        Ok(())
    }

    /// A packed stream. What its first bytes are decides how much of it is unpacked.
    fn packed(&mut self, name: &str, packer: Packer, content: &mut dyn Read) -> io::Result<()> {
        let inner = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        match packer.decoder(content) {
            Ok(mut decoder) => self.stream(inner, &mut decoder, None),
            Err(error) => {
                let text =
                    format!("is packed with {} and cannot be unpacked: {error}", packer.name());
                self.uninspected(&text);
                Ok(())
            }
        }
    }

    /// A content that can only be read forwards.
    fn stream(&mut self, name: &str, content: &mut dyn Read, size: Option<u64>) -> io::Result<()> {
        let (mut bytes, mut failure) = self.unpack(content, HEAD);
        let is_more = bytes.len() == HEAD && failure.is_none();
        if is_more && let Some(packer) = Packer::of(&bytes) {
            let mut whole = Cursor::new(bytes).chain(content);
            return self.enter(|scanner| scanner.packed(name, packer, &mut whole));
        }
        if is_more && is_tar(&bytes) {
            let mut whole = Cursor::new(bytes).chain(content);
            return self.enter(|scanner| scanner.tar_stream(&mut whole));
        }
        let most = wanted(name, &bytes);
        if is_more && most > HEAD {
            let (rest, failed) = self.unpack(content, most - HEAD);
            bytes.extend(rest);
            failure = failed;
        }
        let has_end = bytes.len() < most.max(HEAD) && failure.is_none();
        let length = bytes.len() as u64;
        let full = if has_end { length } else { size.unwrap_or(length + 1).max(length) };
        if bytes.starts_with(b"PK\x03\x04") && full > length && failure.is_none() {
            self.exceed("is a packed zip, too large to be looked into");
            return Ok(());
        }
        self.window(name, Window::of_memory(&bytes), full)?;
        if let Some(error) = failure {
            let text = format!("cannot be unpacked behind its first {length} bytes: {error}");
            self.find(FindingKind::Truncated, &text);
        }
        Ok(())
    }

    /// At most so many bytes of a packed content, and the error that came before their end.
    fn unpack(&mut self, content: &mut dyn Read, most: usize) -> (Vec<u8>, Option<io::Error>) {
        let allowed = self.budget.bytes.min(most as u64);
        let mut bytes = Vec::new();
        let failure = content.take(allowed).read_to_end(&mut bytes).err();
        self.budget.bytes -= bytes.len() as u64;
        if allowed < most as u64 && bytes.len() as u64 == allowed {
            self.exceed("unpacks to more than is looked into");
        }
        (bytes, failure)
    }

    fn tar(&mut self, window: Window<'_>) -> io::Result<()> {
        let mut at = 0;
        while let Some(member) = TarMember::read(&window.bytes(at, 512)?) {
            at += BLOCK;
            let content = window.part(at, member.size);
            if member.is_file && !self.may_open() {
                return Ok(());
            }
            if member.is_file {
                self.entry(&member.name, |scanner| match content {
                    Some(content) => scanner.window(&member.name, content, member.size),
                    None => {
                        let have = window.length().saturating_sub(at);
                        let text =
                            format!("is cut off: {have} of its {} bytes are there", member.size);
                        scanner.find(FindingKind::Truncated, &text);
                        scanner.window(&member.name, window.from(at), member.size)
                    }
                });
            }
            at = at.saturating_add(member.padded());
        }
        Ok(())
    }

    fn tar_stream(&mut self, content: &mut dyn Read) -> io::Result<()> {
        loop {
            let (header, failure) = self.unpack(content, 512);
            let Some(member) = TarMember::read(&header) else {
                return failure.map_or(Ok(()), Err);
            };
            if member.is_file && !self.may_open() {
                return Ok(());
            }
            let mut inner = content.take(member.padded());
            if member.is_file {
                let mut exact = inner.by_ref().take(member.size);
                self.entry(&member.name, |scanner| {
                    scanner.stream(&member.name, &mut exact, Some(member.size))
                });
            }
            if !self.skip(&mut inner)? {
                return Ok(());
            }
        }
    }

    /// Unpacks the rest of a member and drops it. False if that is more than may be unpacked.
    fn skip(&mut self, content: &mut dyn Read) -> io::Result<bool> {
        let mut rest = content.take(self.budget.bytes);
        self.budget.bytes -= io::copy(&mut rest, &mut io::sink())?;
        if self.budget.bytes == 0 {
            self.exceed("unpacks to more than is looked into");
        }
        Ok(self.budget.bytes > 0)
    }

    fn zip(&mut self, window: Window<'_>, is_marked: bool) -> io::Result<()> {
        let Some(entries) = read_directory(window)? else {
            if is_marked && memmem::find(&window.tail(HEAD)?, b"PK\x05\x06").is_some() {
                self.uninspected("is a zip whose directory cannot be read");
            }
            return Ok(());
        };
        let archive = ArchiveKind::of(&entries);
        if archive.is_script {
            self.find_code("TorchScript code");
        }
        if archive.is_keras && !archive.has_keras_weights {
            let text = "is a model of Keras without its weights, model.weights.h5";
            self.find(FindingKind::Incomplete, text);
        }
        for entry in
            entries.iter().filter(|entry| !entry.is_folder() && !archive.is_storage(&entry.name))
        {
            if !self.may_open() {
                return Ok(());
            }
            self.entry(&entry.name, |scanner| scanner.zip_entry(&archive, entry, window));
        }
        Ok(())
    }

    fn zip_entry(
        &mut self,
        archive: &ArchiveKind,
        entry: &ZipEntry,
        window: Window<'_>,
    ) -> io::Result<()> {
        let content = match entry.open(window) {
            Ok(content) => content,
            Err(reason) => {
                self.uninspected(&reason);
                return Ok(());
            }
        };
        if archive.weights.contains(&entry.name) {
            return self.weights(content);
        }
        match content {
            EntryContent::Stored(content) => self.window(&entry.name, content, content.length()),
            EntryContent::Packed(mut content) => {
                self.stream(&entry.name, &mut content, Some(entry.size))
            }
        }
    }

    /// The pickle of a PyTorch archive.
    fn weights(&mut self, content: EntryContent<'_>) -> io::Result<()> {
        let (bytes, failure) = match content {
            EntryContent::Stored(content) => (content.bytes(0, ZIP_MOST)?, None),
            EntryContent::Packed(mut content) => self.unpack(&mut content, ZIP_MOST),
        };
        self.find_pickle(judge_weights(&bytes));
        failure.map_or(Ok(()), Err)
    }
}

/// How much of a packed content is unpacked, by its first bytes.
fn wanted(name: &str, head: &[u8]) -> usize {
    let is_text = matches!(head.trim_ascii_start().first(), Some(b'{' | b'['));
    if head.starts_with(b"PK\x03\x04") {
        ZIP_MOST
    } else if is_text
        || head.starts_with(TORCH_LEGACY)
        || hdf5_start(head).is_some()
        || head.starts_with(b"GGUF")
        || name.ends_with(".pb")
        || name.ends_with(".safetensors")
    {
        TEXT_MOST
    } else if is_weights_format(head) {
        HEAD
    } else {
        SEARCHED
    }
}

/// Whether bytes have no control characters that JSON forbids. Zeros are of UTF-16 and UTF-32.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 0 | b'\t' | b'\n' | b'\r' | b' '..))
}

/// Where the data of an array begins, behind its header.
fn array_start(head: &[u8]) -> Option<usize> {
    let length = match head.get(6)? {
        1 => 10 + usize::from(u16::from_le_bytes(*head.get(8..)?.first_chunk::<2>()?)),
        _ => {
            let length = u32::from_le_bytes(*head.get(8..)?.first_chunk::<4>()?);
            12 + usize::try_from(length).ok()?
        }
    };
    Some(length)
}

/// What the names in a zip say of it.
#[derive(Debug, Default)]
pub(super) struct ArchiveKind {
    /// Pickles that PyTorch restricts to tensors.
    weights: BTreeSet<String>,
    /// Folders of a PyTorch archive with the bytes of its tensors.
    storages: Vec<String>,
    is_script: bool,
    is_keras: bool,
    has_keras_weights: bool,
}

impl ArchiveKind {
    pub fn of(entries: &[ZipEntry]) -> Self {
        let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let mut kind = Self {
            is_keras: names.contains("config.json") && names.contains("metadata.json"),
            has_keras_weights: names.iter().any(|name| name.starts_with("model.weights")),
            ..Self::default()
        };
        for name in &names {
            let Some(folder) = name.strip_suffix("data.pkl") else { continue };
            let has = |file: &str| names.contains(format!("{folder}{file}").as_str());
            if !has("version") && !has("byteorder") && !has(".format_version") {
                continue;
            }
            let code = format!("{folder}code/");
            kind.is_script |=
                names.range(code.as_str()..).next().is_some_and(|name| name.starts_with(&code));
            kind.weights.insert((*name).to_owned());
            kind.storages.push(format!("{folder}data/"));
        }
        kind
    }

    /// Whether an entry is the bytes of a tensor, which are read as they are.
    pub fn is_storage(&self, name: &str) -> bool {
        self.storages.iter().any(|folder| {
            name.strip_prefix(folder.as_str()).is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        })
    }

    pub fn is_weights(&self, name: &str) -> bool {
        self.weights.contains(name)
    }
}
