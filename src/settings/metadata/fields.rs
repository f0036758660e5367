//! The table of fields that an upload's form has, in the order in which they are sent.

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Number,
    /// `true` or `false`.
    Switch,
    /// Words with commas between.
    Tags,
    /// A word of the API's list of frameworks.
    Framework,
    /// A word of the API's list of model types.
    ModelType,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct FieldRow {
    /// As the API and files of metadata have it.
    pub name: &'static str,
    pub kind: FieldKind,
}

const fn row(name: &'static str, kind: FieldKind) -> FieldRow {
    FieldRow { name, kind }
}

/// Every field that has a flag of its own (contract 2.2).
pub const FIELDS: &[FieldRow] = &[
    row("user_id", FieldKind::Text),
    row("model_id", FieldKind::Text),
    row("version", FieldKind::Text),
    row("name", FieldKind::Text),
    row("framework", FieldKind::Framework),
    row("model_type", FieldKind::ModelType),
    row("description", FieldKind::Text),
    row("algorithm", FieldKind::Text),
    row("is_primary", FieldKind::Switch),
    row("tags", FieldKind::Tags),
    row("training_dataset", FieldKind::Text),
    row("training_dataset_version", FieldKind::Text),
    row("training_accuracy", FieldKind::Number),
    row("validation_accuracy", FieldKind::Number),
    row("test_accuracy", FieldKind::Number),
    row("training_loss", FieldKind::Number),
    row("python_version", FieldKind::Text),
    row("hardware_requirements", FieldKind::Text),
    row("preserve_structure", FieldKind::Switch),
];

impl FieldRow {
    /// The row of a name, also one with dashes.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.replace('-', "_");
        FIELDS.iter().find(|row| row.name == name)
    }

    /// The flag of its name.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }
}
