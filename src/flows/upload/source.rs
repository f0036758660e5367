//! What a path turns out to be: a file, a folder that is packed while it is sent, or an archive that
//! somebody else made.

use std::path::Path;

use super::compare::Aliases;
use crate::archive::{
    ArchiveError, Emptiness, FileSum, Inspection, Packing, Payload, ReadyEntry, ReadyZip, Scrutiny,
    Sent, SentFile, WalkOptions, md5_of,
};
use crate::warehouse::Shape;

/// Something to upload and the name under which it goes.
#[derive(Clone, Debug)]
pub enum Source {
    /// One file, kept as it is.
    File { payload: Payload, name: String },
    /// A folder as an archive.
    Folder { payload: Payload, name: String },
    /// A ready archive, sent as it is and unpacked by the server.
    ReadyZip { payload: Payload, name: String, zip: ReadyZip },
}

/// How a path is taken.
#[derive(Clone, Debug, Default)]
pub struct Intake {
    pub form: Form,
    /// Of a single file.
    pub emptiness: Emptiness,
    /// Through a folder.
    pub walk: WalkOptions,
    /// Of a folder.
    pub packing: Packing,
}

/// As what a path is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A folder as a folder, a `.zip` as an archive to unpack, anything else as a file.
    #[default]
    ByPath,
    /// Even a `.zip` is one file.
    File,
}

impl Source {
    /// Looks at a path.
    ///
    /// # Errors
    /// It is missing, unreadable, empty, a folder without files, or no archive though its name says
    /// so.
    pub fn open(path: &Path, intake: &Intake) -> Result<Self, ArchiveError> {
        if path.is_dir() {
            let payload = Payload::folder(path, &intake.walk, intake.packing)?;
            return Ok(Self::Folder { payload, name: format!("{}.zip", folder_name(path)) });
        }
        let payload = Payload::file(path, intake.emptiness)?;
        let name = file_name(path)?;
        let is_zip =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
        if is_zip && intake.form == Form::ByPath {
            let zip = ReadyZip::open(path)?;
            return Ok(Self::ReadyZip { payload, name, zip });
        }
        Ok(Self::File { payload, name })
    }

    #[must_use]
    pub fn payload(&self) -> &Payload {
        match self {
            Self::File { payload, .. }
            | Self::Folder { payload, .. }
            | Self::ReadyZip { payload, .. } => payload,
        }
    }

    /// Looks at what it is, and at what its owner should know before it goes out.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn inspect(&self, scrutiny: Scrutiny) -> Result<Inspection, ArchiveError> {
        match (self, self.payload()) {
            (Self::ReadyZip { zip, .. }, _) => Inspection::of_zip(zip, scrutiny),
            (_, Payload::Folder(plan)) => Inspection::of_folder(plan, scrutiny),
            (_, Payload::File { path, .. }) => Inspection::of_file(path, self.filename(), scrutiny),
        }
    }

    /// Which route takes it.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match self {
            Source::File { .. } => Shape::Single,
            Source::Folder { .. } | Source::ReadyZip { .. } => Shape::Folder,
        }
    }

    /// The name under which it is sent.
    #[must_use]
    pub fn filename(&self) -> &str {
        match self {
            Self::File { name, .. } | Self::Folder { name, .. } | Self::ReadyZip { name, .. } => {
                name
            }
        }
    }

    /// The files that the server must have afterwards, with their sums.
    ///
    /// # Errors
    /// A ready archive cannot be read any more.
    pub fn files(&self, sent: Sent) -> Result<Vec<SentFile>, ArchiveError> {
        match self {
            Self::ReadyZip { zip, .. } => zip.sums(),
            Self::File { .. } | Self::Folder { .. } => Ok(sent.files),
        }
    }

    /// The paths of its files below the model.
    pub fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match (self, self.payload()) {
            (Self::ReadyZip { zip, .. }, _) => {
                Box::new(zip.entries.iter().map(|entry| entry.name.as_str()))
            }
            (_, Payload::Folder(plan)) => Box::new(plan.entries().map(|entry| &*entry.found.name)),
            (_, Payload::File { .. }) => Box::new(std::iter::once(self.filename())),
        }
    }

    /// The other paths by which a server may know files: of entries of a ready archive whose names are
    /// not marked as the UTF-8 that they are.
    #[must_use]
    pub fn aliases(&self) -> Aliases {
        let Self::ReadyZip { zip, .. } = self else { return Aliases::new() };
        let known = |entry: &ReadyEntry| {
            entry.python_path().map(|path| (entry.name.as_str().into(), path.into()))
        };
        zip.entries.iter().filter_map(known).collect()
    }

    /// How many files the server would have after an upload.
    #[must_use]
    pub fn count(&self) -> usize {
        match (self, self.payload()) {
            (Self::ReadyZip { zip, .. }, _) => zip.entries.len(),
            (_, Payload::Folder(plan)) => plan.entries().count(),
            (_, Payload::File { .. }) => 1,
        }
    }

    /// The files as the server would have them after an upload, with their sizes only.
    #[must_use]
    pub fn listing(&self) -> Vec<SentFile> {
        let file = |name: &str, size| SentFile { name: name.into(), size, sum: FileSum::NotRead };
        match (self, self.payload()) {
            (Self::ReadyZip { zip, .. }, _) => {
                zip.entries.iter().map(|entry| file(&entry.name, entry.size)).collect()
            }
            (_, Payload::Folder(plan)) => plan
                .entries()
                .map(|entry| file(&entry.found.name, entry.found.identity.size))
                .collect(),
            (_, Payload::File { identity, .. }) => vec![file(self.filename(), identity.size)],
        }
    }

    /// The same with their sums; reads every byte.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn sums(&self) -> Result<Vec<SentFile>, ArchiveError> {
        match (self, self.payload()) {
            (Self::ReadyZip { zip, .. }, _) => zip.sums(),
            (_, Payload::Folder(plan)) => plan
                .entries()
                .map(|entry| {
                    let (size, md5) = md5_of(&plan.root().join(&*entry.found.name))?;
                    Ok(SentFile { name: entry.found.name.clone(), size, sum: FileSum::Md5(md5) })
                })
                .collect(),
            (_, Payload::File { path, .. }) => {
                let (size, md5) = md5_of(path)?;
                let sum = FileSum::Md5(md5);
                Ok(vec![SentFile { name: self.filename().into(), size, sum }])
            }
        }
    }
}

/// The name that a file is sent under. What is not UTF-8 would arrive as another name.
fn file_name(path: &Path) -> Result<String, ArchiveError> {
    let name = path.file_name().unwrap_or_default();
    name.to_str()
        .map(str::to_owned)
        .ok_or_else(|| ArchiveError::Name { path: path.to_owned(), reason: "is not UTF-8" })
}

/// The last part of a folder's path, also of `.` and `..`.
fn folder_name(path: &Path) -> String {
    let named = path.file_name().map(|name| name.to_string_lossy().into_owned());
    named
        .or_else(|| {
            let real = path.canonicalize().ok()?;
            Some(real.file_name()?.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| "model".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, form: Form) -> Result<Source, ArchiveError> {
        Source::open(path, &Intake { form, ..Intake::default() })
    }

    #[test]
    fn a_zip_is_unpacked_unless_it_is_wanted_as_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.ZIP");
        std::fs::write(&path, "no archive").unwrap();
        assert!(matches!(open(&path, Form::ByPath), Err(ArchiveError::BadZip { .. })));
        let file = open(&path, Form::File).unwrap();
        assert!(matches!(file, Source::File { .. }));
        assert_eq!(file.filename(), "m.ZIP");
    }

    #[test]
    fn a_folder_gives_its_archive_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("bert");
        std::fs::create_dir(&model).unwrap();
        std::fs::write(model.join("config.json"), "{}").unwrap();
        assert_eq!(open(&model, Form::ByPath).unwrap().filename(), "bert.zip");
        assert_eq!(open(&model.join("."), Form::ByPath).unwrap().filename(), "bert.zip");
    }
}
