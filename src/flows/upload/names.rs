//! What the files of an upload are called in the store, and which of them would be lost there.

use std::collections::HashMap;

use super::{Naming, Source, UploadJob};
use crate::archive::{ArchiveError, is_sidecar, leads_outside, name_twins};
use crate::base::Failure;

impl UploadJob {
    /// Refuses files that the server could not store all of, before anything is sent.
    ///
    /// # Errors
    /// An archive cannot be unpacked whole, or two files would have one name.
    pub fn check_names(&self) -> Result<(), Failure> {
        if let Source::ReadyZip { zip, payload, .. } = &self.source {
            let faults = zip.faults();
            if !faults.is_empty() {
                let path = payload.path().to_owned();
                return Err(ArchiveError::FaultyEntries { path, faults }.into());
            }
        }
        match self.naming {
            Naming::BaseNames => refuse_equal_base_names(&self.source),
            Naming::Single | Naming::Paths => Ok(()),
        }
    }

    /// Returns the pairs of files of which Windows and macOS keep one.
    #[must_use]
    pub fn name_twins(&self) -> Vec<(&str, &str)> {
        match self.naming {
            Naming::Single => Vec::new(),
            Naming::Paths => name_twins(self.source.names(), |name| name),
            Naming::BaseNames => name_twins(self.source.names(), base_name),
        }
    }

    /// Returns the files that macOS added beside the model's own.
    #[must_use]
    pub fn sidecars(&self) -> Vec<&str> {
        match self.source {
            Source::File { .. } => Vec::new(),
            _ => self.source.names().filter(|name| is_sidecar(name)).collect(),
        }
    }

    /// Returns entries of an archive whose names lead out of it, with the paths that they get.
    #[must_use]
    pub fn outside_entries(&self) -> Vec<(&str, &str)> {
        let Source::ReadyZip { zip, .. } = &self.source else { return Vec::new() };
        let names = zip.entries.iter().map(|entry| (entry.written_name(), entry.name.as_str()));
        names.filter(|(written, _)| leads_outside(written)).collect()
    }
}

impl UploadJob {
    /// Returns entries of an archive that the service stores under garbled names, with those names.
    #[must_use]
    pub fn garbled_entries(&self) -> Vec<(&str, &str)> {
        let Source::ReadyZip { zip, .. } = &self.source else { return Vec::new() };
        let names =
            zip.entries.iter().filter_map(|entry| Some((&*entry.name, entry.python_path()?)));
        names.collect()
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Refuses what `preserve_structure=false` would make one file: the service keeps the last one of
/// each name, lists all of them, and answers as if all were well (contract B16).
fn refuse_equal_base_names(source: &Source) -> Result<(), Failure> {
    const SHOWN: usize = 3;
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut lost = Vec::new();
    for path in source.names() {
        if let Some(other) = seen.insert(base_name(path), path) {
            lost.push(format!("{other} and {path}"));
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    let more = match lost.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    lost.truncate(SHOWN);
    let message = format!(
        "without its folders the model would lose files, for these have one name: {}{more}",
        lost.join("; ")
    );
    Err(Failure::usage(message)
        .hint("leave out --preserve-structure false, which keeps the folders")
        .hint("or rename the files, or leave some of them out of a folder with --exclude"))
}
