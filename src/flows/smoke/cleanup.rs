//! Removing what a run stored, whatever became of it.

use super::{Fault, Outcome, Trouble};
use crate::base::{Deadline, Failure, Kind};
use crate::schema::ids::{DatasetId, ModelId, UserId, Version};
use crate::warehouse::{Warehouse, WarehouseError};

/// Something that is stored, or may be.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub what: Resource,
    /// The service said so; else a request was begun of which it did not say.
    pub is_certain: bool,
}

/// What a run stores.
#[derive(Clone, Debug)]
pub(super) enum Resource {
    Model { model: ModelId, version: Version },
    Dataset { dataset: DatasetId, version: Version },
    BiasReports { dataset: DatasetId },
}

impl Resource {
    fn name(&self, user: &UserId) -> String {
        match self {
            Self::Model { model, version } => format!("{user}/{model}@{version}"),
            Self::Dataset { dataset, version } => format!("dataset {user}/{dataset}@{version}"),
            Self::BiasReports { dataset } => format!("bias reports of {user}/{dataset}"),
        }
    }

    /// Returns what deletes it by hand.
    fn cure(&self, user: &UserId) -> String {
        match self {
            Self::Model { model, version } => {
                format!("dwctl models delete {user}/{model}@{version} --yes")
            }
            Self::Dataset { dataset, version } => {
                format!("curl -X DELETE API/datasets/{user}/{dataset}/version/{version}")
            }
            Self::BiasReports { dataset } => {
                format!("curl -X DELETE API/bias-reports/{user}/{dataset}")
            }
        }
    }

    async fn delete(
        &self,
        warehouse: &Warehouse,
        user: &UserId,
        deadline: Deadline,
    ) -> Result<(), WarehouseError> {
        match self {
            Self::Model { model, version } => {
                warehouse.delete_model(user, model, version, deadline).await
            }
            Self::Dataset { dataset, version } => {
                warehouse.delete_dataset(user, dataset, version, deadline).await
            }
            Self::BiasReports { dataset } => {
                warehouse.delete_bias_reports(user, dataset, deadline).await
            }
        }
    }

    /// Whether it is still there.
    async fn exists(
        &self,
        warehouse: &Warehouse,
        user: &UserId,
        deadline: Deadline,
    ) -> Result<bool, WarehouseError> {
        let found = match self {
            Self::Model { model, version } => {
                warehouse.model(user, model, version, deadline).await.map(drop)
            }
            Self::Dataset { dataset, version } => {
                warehouse.dataset(user, dataset, version, deadline).await.map(drop)
            }
            Self::BiasReports { dataset } => {
                warehouse.bias_report(user, dataset, deadline).await.map(drop)
            }
        };
        match found {
            Ok(()) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Deletes each, the last that was stored first, and looks that it is gone.
pub(super) async fn remove(
    warehouse: &Warehouse,
    user: &UserId,
    stored: &[Stored],
    deadline: Deadline,
) -> Outcome {
    if stored.is_empty() {
        return Outcome::Skipped("nothing was stored");
    }
    let (mut evidence, mut trouble) = (Vec::new(), None);
    for one in stored.iter().rev() {
        match remove_one(warehouse, user, one, deadline).await {
            Ok(seen) => evidence.push(seen),
            Err(failed) => trouble = trouble.or(Some(failed)),
        }
    }
    evidence.reverse();
    match trouble {
        None => Outcome::Passed(evidence.join(", ")),
        Some(trouble) => Outcome::Failed(trouble),
    }
}

async fn remove_one(
    warehouse: &Warehouse,
    user: &UserId,
    stored: &Stored,
    deadline: Deadline,
) -> Result<String, Trouble> {
    let Stored { what, is_certain } = stored;
    let name = what.name(user);
    let with_cure = |failure: Failure| {
        failure.hint(format!("delete it once the API answers: {}", what.cure(user)))
    };
    match what.delete(warehouse, user, deadline).await {
        Ok(()) => {}
        Err(error) if error.status() == Some(404) && !is_certain => {
            return Ok(format!("{name} was not stored"));
        }
        Err(error) if error.status() == Some(404) && matches!(what, Resource::Model { .. }) => {
            return Err(Trouble::from(error).behind(Fault::ModelLost));
        }
        Err(error) => return Err(with_cure(error.into()).into()),
    }
    match what.exists(warehouse, user, deadline).await {
        Ok(false) => Ok(format!("{name} is gone")),
        Ok(true) => {
            let message = format!("{name} was deleted and is still there");
            Err(with_cure(Failure::new(Kind::CheckFailed, message)).into())
        }
        Err(error) => Err(with_cure(error.into()).into()),
    }
}
