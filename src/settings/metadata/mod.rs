//! What a model is said to be, and by whom: the fields of an upload as layers over one another. Flags
//! and recognition are handed in; the environment, the file of metadata and the model card are read
//! here.

mod card;
mod fields;
mod file;
mod front_matter;
mod layer;

pub use card::card_layer;
pub use fields::{FIELDS, FieldKind, FieldRow};
pub use file::{META_FILE, file_layer};
pub(super) use layer::PREFIX;
pub use layer::{FieldOrigin, FieldValue, Layer, environment_layer};
