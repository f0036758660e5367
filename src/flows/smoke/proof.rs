//! The service's record, its list of files and its bytes, held against what was sent.

use super::run::{Run, Subject};
use super::{Fault, Trouble, diagnosis};
use crate::archive::{FileSum, SentFile, hex, md5_of};
use crate::base::{Failure, Kind};
use crate::flows::download::{Place, Want, download};
use crate::flows::upload::{Naming, Receipt, compare, told};
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::{Model, ModelFile};

/// An upload in words.
pub(super) fn receipt(receipt: &Receipt) -> String {
    let record = &receipt.record;
    let task = receipt.task_id.as_ref().map_or_else(String::new, |id| format!(", task {id}"));
    format!("{}, {}{task}", record.coordinates(), sums(&receipt.files))
}

/// The one file's sum, or how many files there are.
fn sums(files: &[SentFile]) -> String {
    match files {
        [SentFile { sum: FileSum::Md5(md5), .. }] => format!("MD5 {}", hex(md5)),
        files => format!("{} files, MD5 as sent", files.len()),
    }
}

fn coordinates(record: &Model) -> Result<(UserId, ModelId, Version), Failure> {
    Ok((
        UserId::parse(&record.user_id)?,
        ModelId::parse(&record.model_id)?,
        Version::parse(&record.version)?,
    ))
}

fn naming(subject: Subject) -> Naming {
    match subject {
        Subject::File => Naming::Single,
        Subject::Folder => Naming::Paths,
    }
}

impl Run<'_> {
    /// The record that the API has now.
    async fn record_of(&self, receipt: &Receipt) -> Result<Model, Trouble> {
        let (user, model, version) = coordinates(&receipt.record)?;
        let found = self.means.warehouse.model(&user, &model, &version, self.ends.work).await;
        Ok(found.map_err(|error| diagnosis::of_absence(error, Fault::ModelLost))?.value)
    }

    /// The record once more, as everybody reads it.
    pub(super) async fn metadata(
        &self,
        subject: Subject,
        receipt: &Receipt,
    ) -> Result<String, Trouble> {
        let sent = &receipt.record;
        let record = self.record_of(receipt).await?;
        let same = record.name == sent.name
            && record.framework == sent.framework
            && record.description == sent.description;
        if record.coordinates() != sent.coordinates() || !same {
            let message = format!("the record of {} is not that of the answer", sent.coordinates());
            return Err(Trouble::check(message));
        }
        hold(receipt, &record.files, naming(subject))?;
        Ok(format!("{} as answered, {}", record.coordinates(), sums(&receipt.files)))
    }

    /// The list of files.
    pub(super) async fn files(
        &self,
        subject: Subject,
        receipt: &Receipt,
    ) -> Result<String, Trouble> {
        let (user, model, version) = coordinates(&receipt.record)?;
        let found = self.means.warehouse.model_files(&user, &model, &version, self.ends.work).await;
        let files = found.map_err(|error| diagnosis::of_absence(error, Fault::ModelLost))?.value;
        hold(receipt, &files, naming(subject))?;
        let bytes: u64 = files.iter().map(|file| file.file_size).sum();
        let plural = if files.len() == 1 { "" } else { "s" };
        Ok(format!("{} file{plural}, {bytes} bytes", files.len()))
    }

    /// The bytes, and their sums as they lie on this disk.
    pub(super) async fn download(&self, receipt: &Receipt) -> Result<String, Trouble> {
        let record = &self.record_of(receipt).await?;
        let place = Place { folder: self.means.folder.join("downloads"), overwrite: false };
        let is_single = record.files.len() == 1;
        let want = if is_single { Want::All } else { Want::Extracted };
        let (warehouse, reporter) = (self.means.warehouse, self.means.reporter);
        let downloaded = download(warehouse, record, &want, &place, reporter, self.ends.work).await;
        let downloaded = downloaded.map_err(|failure| diagnosis::of_download(record, failure))?;
        for file in &receipt.files {
            let path = match is_single {
                true => downloaded.path.clone(),
                false => downloaded.path.join(&*file.name),
            };
            let (size, md5) = md5_of(&path)?;
            if size != file.size || file.sum != FileSum::Md5(md5) {
                let message = format!("{} came back as another file", file.name);
                let trouble = Trouble::check(message);
                return Err(trouble.behind(Fault::FilesLost));
            }
        }
        Ok(sums(&receipt.files))
    }
}

/// What is listed is what was sent.
fn hold(receipt: &Receipt, files: &[ModelFile], naming: Naming) -> Result<(), Trouble> {
    let differences = compare(&receipt.files, files, naming);
    if differences.is_empty() {
        return Ok(());
    }
    let record = receipt.record.coordinates();
    let message = format!("{record} is not listed as it was sent: {}", told(&differences));
    let trouble = Trouble::from(Failure::new(Kind::CheckFailed, message));
    Err(match diagnosis::are_overwritten(files) {
        true => trouble.behind(Fault::FilesOverwritten),
        false => trouble.behind(Fault::FilesLost),
    })
}
