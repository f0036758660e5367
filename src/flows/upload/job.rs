//! An upload as it was asked for, and the request that it becomes in each dialect.

use super::{Naming, Source};
use crate::schema::ids::{ModelId, UserId, Version};
use crate::schema::model::ModelType;
use crate::schema::role::Dialect;
use crate::warehouse::UploadRequest;

/// What to upload, as it was asked for.
#[derive(Clone, Debug)]
pub struct UploadJob {
    pub user: UserId,
    pub model: ModelId,
    pub source: Source,
    /// Only the `form` dialect takes one.
    pub version: Option<Version>,
    pub task: Task,
    /// The form's other fields in the order of the service's documentation.
    pub fields: Vec<(String, String)>,
    /// The type for dialects that know the early words only, where no person chose the word.
    pub early_model_type: Option<ModelType>,
    /// Whether the server keeps the folders of an archive.
    pub naming: Naming,
}

/// The task that an upload belongs to: `X-Task-ID` of the `task` dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    None,
    /// Somebody's task.
    Given(String),
    /// An id of our own, sent where the event would not come without one.
    Own(String),
}

impl UploadJob {
    /// `USER/MODEL`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}", self.user, self.model)
    }

    /// The version that the `form` dialect makes of it.
    #[must_use]
    pub fn form_version(&self) -> Version {
        self.version.clone().unwrap_or_else(|| Version::numbered(1))
    }

    fn fields(&self, dialect: Dialect) -> Vec<(String, String)> {
        let mut fields = Vec::with_capacity(self.fields.len() + 3);
        if dialect == Dialect::Form {
            fields.push(("user_id".to_owned(), self.user.to_string()));
        }
        fields.push(("model_id".to_owned(), self.model.to_string()));
        if let (Dialect::Form, Some(version)) = (dialect, &self.version) {
            fields.push(("version".to_owned(), version.to_string()));
        }
        fields.extend(self.fields.iter().cloned());
        if let (true, Some(early)) = (dialect != Dialect::Task, &self.early_model_type)
            && let Some((_, word)) = fields.iter_mut().find(|(name, _)| name == "model_type")
        {
            early.as_str().clone_into(word);
        }
        fields
    }

    /// What goes out as `X-Task-ID`: only today's dialect knows tasks.
    pub(super) fn task_id(&self, dialect: Dialect) -> Option<&str> {
        match &self.task {
            Task::Given(id) | Task::Own(id) if dialect == Dialect::Task => Some(id),
            _ => None,
        }
    }

    /// The request in one dialect.
    #[must_use]
    pub fn request(&self, dialect: Dialect) -> UploadRequest<'_> {
        UploadRequest {
            dialect,
            user: &self.user,
            shape: self.source.shape(),
            label: self.label(),
            fields: self.fields(dialect),
            filename: self.source.filename().to_owned(),
            task_id: self.task_id(dialect).map(str::to_owned),
            payload: self.source.payload(),
            files: self.source.count(),
            keeps_text: false,
            answer_within: None,
            moved_to: None,
        }
    }
}
