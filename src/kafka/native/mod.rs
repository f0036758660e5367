//! All unsafe code of the product: what librdkafka has and its safe wrapper does not. One file a
//! subject, each with its contract at the head, used only through a safe type that owns its handles.

pub(super) mod commit;
pub mod mock;
pub mod reader;
pub(super) mod wake;
