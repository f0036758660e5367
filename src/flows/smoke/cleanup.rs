//! Removing what a run stored, whatever became of it.

use super::{Fault, Outcome, Trouble};
use crate::base::{Deadline, Failure, Kind};
use crate::schema::ids::{ModelId, UserId, Version};
use crate::warehouse::{Warehouse, WarehouseError};

/// A model that is stored, or may be.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub model: ModelId,
    pub version: Version,
    /// The service said so; else an upload was begun of which it did not say.
    pub is_certain: bool,
}

/// Deletes each model and looks that it is gone.
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
    for model in stored {
        match remove_one(warehouse, user, model, deadline).await {
            Ok(seen) => evidence.push(seen),
            Err(failed) => trouble = trouble.or(Some(failed)),
        }
    }
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
    let Stored { model, version, is_certain } = stored;
    let name = format!("{user}/{model}@{version}");
    match warehouse.delete_model(user, model, version, deadline).await {
        Ok(()) => {}
        Err(error) if error.status() == Some(404) && !is_certain => {
            return Ok(format!("{name} was not stored"));
        }
        Err(error) if error.status() == Some(404) => {
            return Err(Trouble::from(error).behind(Fault::ModelLost));
        }
        Err(error) => return Err(left(&name, error).into()),
    }
    match warehouse.model(user, model, version, deadline).await {
        Err(error) if error.status() == Some(404) => Ok(format!("{name} is gone")),
        Err(error) => Err(left(&name, error).into()),
        Ok(_) => {
            let message = format!("{name} was deleted and is still there");
            Err(with_cure(Failure::new(Kind::CheckFailed, message), &name).into())
        }
    }
}

fn left(name: &str, error: WarehouseError) -> Failure {
    with_cure(Failure::from(error), name)
}

fn with_cure(failure: Failure, name: &str) -> Failure {
    failure.hint(format!("delete it once the API answers: dwctl models delete {name} --yes"))
}
