//! Bias reports, `/bias-reports/…`.

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};

use super::client::Warehouse;
use super::error::WarehouseError;
use super::transport::Call;
use crate::base::Deadline;
use crate::schema::bias::{BiasReport, BiasReportRequest};
use crate::schema::ids::{DatasetId, UserId};

impl Warehouse {
    /// Stores a bias report; the API announces it.
    ///
    /// # Errors
    /// The dataset does not exist (404), or the API cannot be reached or refuses the report.
    pub async fn save_bias_report(
        &self,
        report: &BiasReportRequest,
        task_id: Option<&str>,
        deadline: Deadline,
    ) -> Result<BiasReport, WarehouseError> {
        let action = format!("store the bias report of {}/{}", report.user_id, report.dataset_id);
        let refuse =
            |name: &str, reason: String| WarehouseError::Field { name: name.to_owned(), reason };
        let body =
            serde_json::to_vec(report).map_err(|error| refuse("report", error.to_string()))?;
        // Without the slash the service redirects.
        let path = format!("{}/", self.address().path(&["bias-reports"]));
        let mut call = Call::with_json(Method::POST, path, body.into());
        if let Some(task_id) = task_id {
            let value = HeaderValue::from_str(task_id)
                .map_err(|error| refuse("X-Task-ID", error.to_string()))?;
            call.headers.push((HeaderName::from_static("x-task-id"), value));
        }
        let reply = self.transport.call(call, &action, None, deadline).await?;
        Ok(self.read(reply, &action).await?.value)
    }

    /// Returns the newest bias report of a dataset.
    ///
    /// # Errors
    /// There is none (404), or the API cannot be reached.
    pub async fn bias_report(
        &self,
        user: &UserId,
        dataset: &DatasetId,
        deadline: Deadline,
    ) -> Result<BiasReport, WarehouseError> {
        let action = format!("show the bias report of {user}/{dataset}");
        let path = self.address().path(&["bias-reports", user.as_str(), dataset.as_str()]);
        let reply = self.fetch(path, &action, deadline).await?;
        Ok(self.read(reply, &action).await?.value)
    }

    /// Deletes every bias report of a dataset.
    ///
    /// # Errors
    /// There is none (404), or the API cannot be reached or refuses it.
    pub async fn delete_bias_reports(
        &self,
        user: &UserId,
        dataset: &DatasetId,
        deadline: Deadline,
    ) -> Result<(), WarehouseError> {
        let action = format!("delete the bias reports of {user}/{dataset}");
        let segments = ["bias-reports", user.as_str(), dataset.as_str()];
        self.delete(&segments, &action, deadline).await
    }
}
