//! Getting a model back: bytes go into a `.part` file beside the target, are held against the
//! record's sizes and sums, and only then get their name.

mod part;
mod work;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::upload::{Naming, UploadReporter, compare, told};
use crate::archive::{ArchiveError, Digest, ReadyZip, SentFile, local_name, unpack};
use crate::base::{Deadline, Failure, Kind};
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::{Model, ModelFile};
use crate::warehouse::{Download, Meter, Warehouse};
use part::Part;
use work::on_thread;

/// What of a model is wanted, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// One file by its name or its path.
    File(String),
    /// Everything: a model of one file as that file, others as a zip archive.
    All,
    /// Everything, unpacked.
    Extracted,
}

/// What was downloaded.
#[derive(Clone, Debug)]
pub struct Downloaded {
    /// The file, archive or folder.
    pub path: PathBuf,
    /// Every file in it, checked against the record.
    pub files: Vec<SentFile>,
}

/// Where it goes and whether something may lie there already.
#[derive(Clone, Debug)]
pub struct Place {
    pub folder: PathBuf,
    pub overwrite: bool,
}

/// Downloads from the model that `record` describes.
///
/// # Errors
/// The file is not of this model, the API cannot be reached or says no, the disk fails, something
/// lies where it should go, or what came is not what the record says.
pub async fn download(
    warehouse: &Warehouse,
    record: &Model,
    want: &Want,
    place: &Place,
    reporter: &dyn UploadReporter,
    deadline: Deadline,
) -> Result<Downloaded, Failure> {
    std::fs::create_dir_all(&place.folder).map_err(|cause| unwritable(&place.folder, cause))?;
    let request = Request { warehouse, record, reporter, deadline };
    match (want, record.files.as_slice()) {
        (Want::File(name), _) => request.file(find(record, name)?, place).await,
        (Want::All, [only]) => request.file(only, place).await,
        (Want::All, _) => {
            let target = place.claim(&archive_name(record))?;
            let (part, files) = request.archive(&target).await?;
            part.keep(&target)?;
            Ok(Downloaded { path: target, files })
        }
        (Want::Extracted, _) => request.extracted(place).await,
    }
}

fn archive_name(record: &Model) -> String {
    format!("{}_{}.zip", record.model_id, record.version)
}

/// What a server sent and no file here may be called or hold. The disk's own errors are none of that.
fn unsafe_content(error: ArchiveError) -> Failure {
    match error {
        ArchiveError::Name { .. } | ArchiveError::BadZip { .. } => {
            Failure::wrap(Kind::CheckFailed, error)
                .context("failed to save what the API sent")
                .hint("nothing was kept of it")
        }
        other => other.into(),
    }
}

fn unwritable(path: &Path, cause: std::io::Error) -> ArchiveError {
    ArchiveError::Unwritable { path: path.to_owned(), cause }
}

/// The file of a name, or of a path where several have the name.
fn find<'r>(record: &'r Model, name: &str) -> Result<&'r ModelFile, Failure> {
    record
        .files
        .iter()
        .find(|file| file.relative_path() == name)
        .or_else(|| record.files.iter().find(|file| file.filename == name))
        .ok_or_else(|| {
            let names: Vec<&str> = record.files.iter().map(ModelFile::relative_path).collect();
            let near = crate::base::nearest::nearest(name, names.iter().copied(), 3);
            let shown =
                if near.is_empty() { names.iter().take(10).copied().collect() } else { near };
            Failure::new(Kind::NotFound, format!("{} has no file {name:?}", record.coordinates()))
                .hint(format!("its files: {}", shown.join(", ")))
        })
}

impl Place {
    /// The path of a name in the folder, when it may be written.
    fn claim(&self, name: &str) -> Result<PathBuf, Failure> {
        let target = self.folder.join(local_name(name).map_err(unsafe_content)?);
        if !self.overwrite && target.symlink_metadata().is_ok() {
            return Err(Failure::usage(format!("{} is there already", target.display()))
                .hint("--force replaces it; --output-dir chooses another folder"));
        }
        Ok(target)
    }
}

struct Request<'a> {
    warehouse: &'a Warehouse,
    record: &'a Model,
    reporter: &'a dyn UploadReporter,
    deadline: Deadline,
}

impl Request<'_> {
    async fn start(&self, filename: Option<&str>) -> Result<Download, Failure> {
        let user = UserId::parse(&self.record.user_id)?;
        let model = ModelId::parse(&self.record.model_id)?;
        let version = Version::parse(&self.record.version)?;
        Ok(self.warehouse.download_model(&user, &model, &version, filename, self.deadline).await?)
    }

    async fn file(&self, file: &ModelFile, place: &Place) -> Result<Downloaded, Failure> {
        let target = place.claim(&file.filename)?;
        let name = self.unambiguous_name(file);
        let body = self.start(Some(name)).await?;
        let (part, size, md5) = self.receive(body, &target, file.file_size, file.file_size).await?;
        let got = SentFile { name: file.filename.as_str().into(), size, md5: Some(md5) };
        self.check(std::slice::from_ref(&got), std::slice::from_ref(file), Naming::Single)?;
        part.keep(&target)?;
        Ok(Downloaded { path: target, files: vec![got] })
    }

    /// The service finds a file by its base name (contract 2.4), of which the first wins.
    fn unambiguous_name<'f>(&self, file: &'f ModelFile) -> &'f str {
        let same = self.record.files.iter().filter(|other| other.filename == file.filename).count();
        if same > 1 { file.relative_path() } else { &file.filename }
    }

    /// The archive of all files beside `target`, each of them checked.
    async fn archive(&self, target: &Path) -> Result<(Part, Vec<SentFile>), Failure> {
        let expected = self.record.size();
        let body = self.start(None).await?;
        let (part, ..) =
            self.receive(body, target, expected, expected.saturating_add(self.overhead())).await?;
        let path = part.path.clone();
        let files = tokio::task::spawn_blocking(move || match ReadyZip::open(&path) {
            Ok(zip) => zip.sums(),
            // The service answers with an archive of nothing when its files are gone (contract B18).
            Err(ArchiveError::NoFiles { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        })
        .await
        .map_err(|error| Failure::wrap(Kind::Internal, error))?
        .map_err(|error| {
            let kind = Kind::ServerFault;
            Failure::wrap(kind, error).context("failed to read the archive that the API sent")
        })?;
        self.check(&files, &self.record.files, Naming::Paths)?;
        Ok((part, files))
    }

    async fn extracted(&self, place: &Place) -> Result<Downloaded, Failure> {
        let target = place.claim(&format!("{}_{}", self.record.model_id, self.record.version))?;
        let beside = target.with_file_name(archive_name(self.record));
        let (archive, files) = self.archive(&beside).await?;
        let folder = Part::folder(&target)?;
        let (from, into) = (archive.path.clone(), folder.path.clone());
        on_thread(move |stop| unpack(&from, &into, stop)).await?.map_err(unsafe_content)?;
        match place.overwrite {
            true => folder.replace(&target)?,
            false => folder.keep(&target)?,
        }
        Ok(Downloaded { path: target, files })
    }

    /// Writes what comes and sums it up; the part goes when it is dropped.
    async fn receive(
        &self,
        mut body: Download,
        target: &Path,
        expected: u64,
        most: u64,
    ) -> Result<(Part, u64, crate::archive::Md5), Failure> {
        let (part, file) = Part::file(target)?;
        let mut file = BufWriter::with_capacity(256 * 1024, file);
        let fail = |cause| Failure::from(unwritable(&part.path, cause));
        let meter = Arc::new(Meter::new(body.length.unwrap_or(expected)));
        self.reporter.started(&self.record.coordinates(), &meter);
        let mut digest = Digest::start().map_err(fail)?;
        let mut size = 0;
        let received = loop {
            match body.chunk().await {
                Ok(None) => break Ok(()),
                Ok(Some(bytes)) => {
                    size += bytes.len() as u64;
                    if size > most {
                        break Err(self.too_much(most));
                    }
                    meter.add(bytes.len() as u64);
                    let taken = digest.update(&bytes).and_then(|()| file.write_all(&bytes));
                    if let Err(error) = taken {
                        break Err(fail(error));
                    }
                }
                Err(error) => break Err(error.into()),
            }
        };
        self.reporter.finished();
        received?;
        let file = file.into_inner().map_err(|error| fail(error.into_error()))?;
        // A slow disk takes its time, and a stop does not wait for it.
        tokio::task::spawn_blocking(move || file.sync_all())
            .await
            .map_err(|error| Failure::wrap(Kind::Internal, error))?
            .map_err(fail)?;
        let md5 = digest.finish().map_err(fail)?;
        Ok((part, size, md5))
    }

    /// The most bytes that an archive may have beside its files' own: headers, and names twice.
    fn overhead(&self) -> u64 {
        let names = self.record.files.iter().map(|file| file.file_path.len() as u64);
        let entries: u64 = names.map(|name| 512 + 2 * name).sum();
        // Content that cannot be compressed grows a little when it is tried.
        64 * 1024 + entries + self.record.size() / 512
    }

    fn too_much(&self, most: u64) -> Failure {
        let name = self.record.coordinates();
        let message =
            format!("the API sends more of {name} than its record says: over {most} bytes");
        Failure::new(Kind::CheckFailed, message).hint("nothing was kept of it")
    }

    fn check(&self, got: &[SentFile], want: &[ModelFile], naming: Naming) -> Result<(), Failure> {
        let differences = compare(got, want, naming);
        if differences.is_empty() {
            return Ok(());
        }
        let message = format!(
            "what the API sent of {} is not what its record says: {}",
            self.record.coordinates(),
            told(&differences)
        );
        Err(Failure::new(Kind::CheckFailed, message).hint("nothing was kept of it"))
    }
}
