//! Datasets, `/datasets/…`: what a consumer of their events asks for.

use super::client::{Received, Warehouse};
use super::error::WarehouseError;
use crate::base::Deadline;
use crate::schema::dataset::Dataset;
use crate::schema::ids::{DatasetId, UserId, Version};

impl Warehouse {
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
