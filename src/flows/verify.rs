//! Holding what lies on this disk against what the warehouse has of it, without sending anything.

use crate::archive::SentFile;
use crate::base::{Deadline, Failure, Kind};
use crate::flows::upload::{Difference, Naming, Source, adopt_aliases, compare};
use crate::schema::model::Model;

/// What was compared.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The local files with their sizes and sums.
    pub files: Vec<SentFile>,
    /// What differs from the record, or was not compared with it; nothing, when all is the same.
    pub differences: Vec<Difference>,
    /// By which names files of the two sides were held against each other.
    pub naming: Naming,
}

/// Compares a path with a record. Reads every local file, on a thread that is left to itself when
/// this is dropped or the deadline passes.
///
/// # Errors
/// A file cannot be read, or not in time.
pub async fn verify(
    source: &Source,
    record: &Model,
    deadline: Deadline,
) -> Result<Verified, Failure> {
    let here = source.clone();
    let reading = tokio::task::spawn_blocking(move || here.sums());
    let mut files = match deadline.instant() {
        Some(instant) => tokio::time::timeout_at(instant.into(), reading).await.map_err(|_| {
            let name = source.filename();
            Failure::new(Kind::Deadline, format!("failed to read all of {name} before the timeout"))
        })?,
        None => reading.await,
    }
    .map_err(|error| Failure::wrap(Kind::Internal, error))??;
    let naming = match source {
        Source::File { .. } if record.files.len() == 1 => Naming::Single,
        // The rest of the record is what lacks here.
        Source::File { .. } => Naming::BaseNames,
        Source::Folder { .. } | Source::ReadyZip { .. } => naming_of(&files, record),
    };
    adopt_aliases(&mut files, &record.files, naming, &source.aliases());
    let mut differences = compare(&files, &record.files, naming);
    differences.extend(hidden_entries(source));
    Ok(Verified { files, differences, naming })
}

impl Verified {
    /// The names of files of which nothing is known.
    pub fn not_compared(&self) -> impl Iterator<Item = &str> {
        self.differences.iter().filter_map(|difference| match difference {
            Difference::NotCompared { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Entries of an archive that others hide: one file of each name was read.
fn hidden_entries(source: &Source) -> Vec<Difference> {
    let Source::ReadyZip { zip, .. } = source else { return Vec::new() };
    zip.hidden_entries().into_iter().map(Difference::from).collect()
}

/// A folder that was uploaded without its structure has base names in the record.
fn naming_of(files: &[SentFile], record: &Model) -> Naming {
    let has_folders = |name: &str| name.contains('/');
    let here = files.iter().any(|file| has_folders(&file.name));
    let there = record.files.iter().any(|file| has_folders(file.relative_path()));
    if here && !there { Naming::BaseNames } else { Naming::Paths }
}

/// The failure that differences mean.
#[must_use]
pub fn failure(source: &Source, record: &Model, verified: &Verified) -> Failure {
    let told = crate::flows::upload::told(&verified.differences);
    let coordinates = record.coordinates();
    let is_unknown = verified.differences.iter().all(Difference::is_not_compared);
    let message = match is_unknown {
        true => format!("{coordinates} is not proved to be what lies here: {told}"),
        false => format!("{coordinates} is not what lies here: {told}"),
    };
    let failure = Failure::new(Kind::CheckFailed, message);
    if matches!(source, Source::File { .. }) && record.files.len() > 1 {
        return failure.hint("the model has several files: name the folder that holds them all");
    }
    failure
}
