//! Getting a model back: bytes go into a `.part` file beside the target, are held against the
//! record's sizes and sums, and only then get their name.

mod archive;
mod part;
mod work;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::upload::{Difference, Naming, UploadReporter, compare, told};
use crate::archive::{ArchiveError, Digest, FileSum, SentFile, local_name};
use crate::base::{Deadline, Failure, Kind};
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::{Model, ModelFile};
use crate::warehouse::{Download, Meter, Warehouse, WarehouseError};
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
            place.keep(part, &target)?;
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

/// The file of a path, or of a name that one file has.
fn find<'r>(record: &'r Model, name: &str) -> Result<&'r ModelFile, Failure> {
    if let Some(file) = record.files.iter().find(|file| file.relative_path() == name) {
        return Ok(file);
    }
    let named: Vec<&ModelFile> = record.files.iter().filter(|file| file.filename == name).collect();
    match named.as_slice() {
        [file] => Ok(file),
        [] => Err(no_such_file(record, name)),
        several => {
            let paths: Vec<&str> = several.iter().map(|file| file.relative_path()).collect();
            let message = format!("{} has several files {name:?}", record.coordinates());
            Err(Failure::usage(message).hint(format!("name one of {}", paths.join(", "))))
        }
    }
}

fn no_such_file(record: &Model, name: &str) -> Failure {
    let names: Vec<&str> = record.files.iter().map(ModelFile::relative_path).collect();
    let near = crate::base::nearest::nearest(name, names.iter().copied(), 3);
    let shown = if near.is_empty() { names.iter().take(10).copied().collect() } else { near };
    Failure::new(Kind::NotFound, format!("{} has no file {name:?}", record.coordinates()))
        .hint(format!("its files: {}", shown.join(", ")))
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

    /// Gives a finished part its name.
    fn keep(&self, part: Part, target: &Path) -> Result<(), ArchiveError> {
        if self.overwrite { part.replace(target) } else { part.keep(target) }
    }
}

/// A file that came, with its size and its sum.
type Received = (Part, u64, crate::archive::Md5);

/// Whether an API refuses a name that its own record has: today's fails on names that no header can
/// hold (contract B17), and each generation knows some names only.
fn fails_on_the_name(error: &WarehouseError) -> bool {
    matches!(error.status(), Some(400 | 404 | 422 | 500))
}

struct Request<'a> {
    warehouse: &'a Warehouse,
    record: &'a Model,
    reporter: &'a dyn UploadReporter,
    deadline: Deadline,
}

impl Request<'_> {
    /// Starts a download; the inner error is the API's.
    async fn start(
        &self,
        filename: Option<&str>,
    ) -> Result<Result<Download, WarehouseError>, Failure> {
        let user = UserId::parse(&self.record.user_id)?;
        let model = ModelId::parse(&self.record.model_id)?;
        let version = Version::parse(&self.record.version)?;
        Ok(self.warehouse.download_model(&user, &model, &version, filename, self.deadline).await)
    }

    async fn file(&self, file: &ModelFile, place: &Place) -> Result<Downloaded, Failure> {
        let target = place.claim(&file.filename)?;
        let (part, size, md5) = match self.by_name(file, &target).await? {
            Ok(received) => received,
            Err(refusal) => self.unpack_from_archive(file, &target, refusal).await?,
        };
        let got = SentFile { name: file.filename.as_str().into(), size, sum: FileSum::Md5(md5) };
        self.check(std::slice::from_ref(&got), std::slice::from_ref(file), Naming::Single)?;
        place.keep(part, &target)?;
        Ok(Downloaded { path: target, files: vec![got] })
    }

    /// Receives a file by one of its names. The inner error is that of an API which fails on all of
    /// them.
    async fn by_name(
        &self,
        file: &ModelFile,
        target: &Path,
    ) -> Result<Result<Received, WarehouseError>, Failure> {
        let mut refusal = None;
        for name in self.names_of(file) {
            match self.start(Some(name)).await? {
                Ok(body) => {
                    let part = Part::file(target)?;
                    return self
                        .receive(body, part, (file.file_size, file.file_size))
                        .await
                        .map(Ok);
                }
                Err(error) if fails_on_the_name(&error) => refusal = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        refusal
            .map_or_else(|| Err(no_such_file(self.record, &file.filename)), |error| Ok(Err(error)))
    }

    /// The names by which an API may know a file. Today's knows base names, of which the first wins;
    /// the first generation knows paths (contract 11.3).
    fn names_of<'f>(&self, file: &'f ModelFile) -> Vec<&'f str> {
        let (base, path) = (file.filename.as_str(), file.relative_path());
        let same = self.record.files.iter().filter(|other| other.filename == base).count();
        if same > 1 {
            vec![path]
        } else if base == path {
            vec![base]
        } else {
            vec![base, path]
        }
    }

    /// Writes what comes and sums it up; the part goes when it is dropped.
    async fn receive(
        &self,
        mut body: Download,
        (part, file): (Part, std::fs::File),
        (expected, most): (u64, u64),
    ) -> Result<Received, Failure> {
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
        let syncing = tokio::task::spawn_blocking(move || file.sync_all());
        let synced = async { syncing.await.map_err(|error| Failure::wrap(Kind::Internal, error)) };
        self.by_deadline("write", synced).await?.map_err(fail)?;
        let md5 = digest.finish().map_err(fail)?;
        Ok((part, size, md5))
    }

    /// Runs work on this disk until the deadline.
    async fn on_disk<T: Send + 'static>(
        &self,
        action: &str,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.by_deadline(action, on_thread(work)).await
    }

    async fn by_deadline<T>(
        &self,
        action: &str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = || {
            let name = self.record.coordinates();
            Failure::new(Kind::Deadline, format!("failed to {action} {name} before the timeout"))
                .hint("give it longer with --timeout")
        };
        match self.deadline.instant() {
            None => work.await,
            Some(instant) => {
                tokio::time::timeout_at(instant.into(), work).await.unwrap_or_else(|_| Err(late()))
            }
        }
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
        self.refuse(&compare(got, want, naming))
    }

    fn refuse(&self, differences: &[Difference]) -> Result<(), Failure> {
        if differences.is_empty() {
            return Ok(());
        }
        let message = format!(
            "what the API sent of {} is not what its record says: {}",
            self.record.coordinates(),
            told(differences)
        );
        Err(Failure::new(Kind::CheckFailed, message).hint("nothing was kept of it"))
    }
}
