//! The archive of all files of a model: kept as it is, unpacked, or for one file that the API does not
//! give by its name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::part::Part;
use super::{Downloaded, Place, Received, Request, archive_name, unsafe_content, unwritable};
use crate::archive::{
    ArchiveError, FaultyEntry, ReadyZip, SentFile, unpack, unpack_one, unpacked_path,
};
use crate::base::{Failure, Kind};
use crate::flows::upload::{Difference, Naming, compare};
use crate::schema::model::ModelFile;
use crate::warehouse::WarehouseError;

/// The files of an archive, and entries of it that none of them is.
type Contents = (Vec<SentFile>, Vec<FaultyEntry>);

impl Request<'_> {
    /// The archive of all files beside `target`, each of them checked.
    pub(super) async fn archive(&self, target: &Path) -> Result<(Part, Vec<SentFile>), Failure> {
        let part = match self.fetch_archive(Part::file(target)?).await? {
            Ok(part) => part,
            Err(refusal) => return Err(refusal.into()),
        };
        let path = part.path.clone();
        let (mut files, hidden) =
            self.on_disk("check", move |stop| contents(&path, stop)).await?.map_err(|error| {
                let kind = Kind::ServerFault;
                Failure::wrap(kind, error).context("failed to read the archive that the API sent")
            })?;
        self.use_recorded_names(&mut files);
        let mut differences = compare(&files, &self.record.files, Naming::Paths);
        differences.extend(hidden.into_iter().map(Difference::from));
        self.refuse(&differences)?;
        Ok((part, files))
    }

    /// Gives files the names of the record, where those are not what an unpacker makes of them.
    fn use_recorded_names(&self, files: &mut [SentFile]) {
        let names = self.record.files.iter().map(ModelFile::relative_path);
        let odd: HashMap<Cow<'_, str>, &str> = names
            .filter_map(|name| Some((unpacked_path(name), name)).filter(|(path, _)| path != name))
            .collect();
        for file in files {
            if let Some(name) = odd.get(&*file.name) {
                file.name = (*name).into();
            }
        }
    }

    /// Receives the archive; the inner error is the API's.
    async fn fetch_archive(
        &self,
        part: (Part, File),
    ) -> Result<Result<Part, WarehouseError>, Failure> {
        let expected = self.record.size();
        let most = expected.saturating_add(self.overhead());
        let body = match self.start(None).await? {
            Ok(body) => body,
            Err(error) => return Ok(Err(error)),
        };
        let (part, ..) = self.receive(body, part, (expected, most)).await?;
        Ok(Ok(part))
    }

    pub(super) async fn extracted(&self, place: &Place) -> Result<Downloaded, Failure> {
        let target = place.claim(&format!("{}_{}", self.record.model_id, self.record.version))?;
        let beside = target.with_file_name(archive_name(self.record));
        let (archive, files) = self.archive(&beside).await?;
        let folder = Part::folder(&target)?;
        let (from, into) = (archive.path.clone(), folder.path.clone());
        self.on_disk("unpack", move |stop| unpack(&from, &into, stop))
            .await?
            .map_err(unsafe_content)?;
        place.keep(folder, &target)?;
        Ok(Downloaded { path: target, files })
    }

    /// Takes one file out of the archive of all files. An archive that does not have it says no more
    /// than the refusal of its name.
    pub(super) async fn unpack_from_archive(
        &self,
        file: &ModelFile,
        target: &Path,
        refusal: WarehouseError,
    ) -> Result<Received, Failure> {
        let name = file.relative_path();
        self.reporter.note(&format!(
            "{name} is taken from the archive of all files, for the API does not give it by its name"
        ));
        let Ok(archive) = self.fetch_archive(Part::archive_of(target)?).await? else {
            return Err(refusal.into());
        };
        let (part, mut content) = Part::file(target)?;
        let path = unpacked_path(name).into_owned();
        let (from, into) = (archive.path.clone(), part.path.clone());
        let limit = file.file_size;
        let unpacked = self.on_disk("unpack", move |stop| {
            let one = unpack_one(&from, &path, (&into, &mut content), limit, stop)?;
            content.sync_all().map_err(|cause| unwritable(&into, cause))?;
            Ok(one)
        });
        let unpacked = unpacked.await?;
        match unpacked {
            Ok((size, md5)) => Ok((part, size, md5)),
            Err(error @ ArchiveError::BadZip { .. }) => Err(Failure::from(refusal)
                .hint(format!("its archive of all files does not help either: {error}"))),
            Err(error) => Err(error.into()),
        }
    }
}

/// What is in an archive.
fn contents(path: &Path, stop: &AtomicBool) -> Result<Contents, ArchiveError> {
    match ReadyZip::open(path) {
        Ok(zip) => {
            zip.refuse_overlap()?;
            Ok((zip.sums_unless(stop)?, zip.hidden_entries()))
        }
        // The service answers with an archive of nothing when its files are gone (contract B18).
        Err(ArchiveError::NoFiles { .. }) => Ok(Contents::default()),
        Err(error) => Err(error),
    }
}
