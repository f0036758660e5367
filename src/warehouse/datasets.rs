//! Datasets, `/datasets/…`: what a consumer of their events asks for.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderValue};

use super::client::{Received, Warehouse};
use super::error::WarehouseError;
use super::multipart::{FilePart, Multipart};
use super::transport::{Call, Outgoing};
use crate::base::Deadline;
use crate::schema::dataset::Dataset;
use crate::schema::ids::{DatasetId, UserId, Version};

/// A dataset of one small file, held in memory.
#[derive(Clone, Debug)]
pub struct SmallDataset<'a> {
    pub user: &'a UserId,
    pub dataset: &'a DatasetId,
    pub name: &'a str,
    /// Comma-separated.
    pub tags: &'a str,
    pub filename: &'a str,
    pub content: &'a [u8],
}

impl Warehouse {
    /// Uploads a dataset of one small file.
    ///
    /// # Errors
    /// The API cannot be reached or refuses it.
    pub async fn upload_small_dataset(
        &self,
        upload: &SmallDataset<'_>,
        deadline: Deadline,
    ) -> Result<Dataset, WarehouseError> {
        let SmallDataset { user, dataset, .. } = *upload;
        let action = format!("upload the dataset {user}/{dataset}");
        let fields =
            [("dataset_id", dataset.as_str()), ("name", upload.name), ("tags", upload.tags)]
                .map(|(name, text)| (name.to_owned(), text.to_owned()));
        let file = FilePart { field: "file", filename: upload.filename, content_type: "text/csv" };
        let parts = Multipart::new(&self.ids.hex(32), &fields, file)?;
        let content_type = HeaderValue::from_str(&parts.content_type()).map_err(|error| {
            WarehouseError::Field { name: "Content-Type".to_owned(), reason: error.to_string() }
        })?;
        let body: Bytes = [&parts.prologue[..], upload.content, &parts.epilogue].concat().into();
        let call = Call {
            method: Method::POST,
            path: self.address().path(&["datasets", "upload", user.as_str()]),
            headers: vec![(CONTENT_TYPE, content_type)],
            body: Outgoing::Bytes(Some(body)),
            repeatable: false,
            answer_within: None,
        };
        let reply = self.transport.call(call, &action, None, deadline).await?;
        Ok(self.read(reply, &action).await?.value)
    }

    /// Deletes one version of a dataset.
    ///
    /// # Errors
    /// There is none (404), or the API cannot be reached or refuses it.
    pub async fn delete_dataset(
        &self,
        user: &UserId,
        dataset: &DatasetId,
        version: &Version,
        deadline: Deadline,
    ) -> Result<(), WarehouseError> {
        let segments = ["datasets", user.as_str(), dataset.as_str(), "version", version.as_str()];
        let action = format!("delete the dataset {user}/{dataset}@{version}");
        self.delete(&segments, &action, deadline).await
    }

    /// One version of a dataset.
    ///
    /// # Errors
    /// There is none (404), or the API cannot be reached or says no.
    pub async fn dataset(
        &self,
        user: &UserId,
        dataset: &DatasetId,
        version: &Version,
        deadline: Deadline,
    ) -> Result<Received<Dataset>, WarehouseError> {
        let action = format!("show the dataset {user}/{dataset}@{version}");
        let segments = ["datasets", user.as_str(), dataset.as_str(), "version", version.as_str()];
        let reply = self.fetch(self.address().path(&segments), &action, deadline).await?;
        self.read(reply, &action).await
    }
}
