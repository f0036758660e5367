//! What is uploaded and downloaded as one thing: a single file, a ready archive, or a folder as a zip
//! stream whose length is known before its first byte. Reads local files only; knows no HTTP.

mod deflate;
mod digest;
mod entry_fault;
mod entry_name;
mod error;
mod feed;
pub mod format;
mod identity;
mod inspect;
mod name_encoding;
mod pack;
mod payload;
mod plan;
mod ready;
pub mod recognise;
mod twins;
mod unpack;
mod walk;
mod window;

pub use deflate::Packing;
pub use digest::{Digest, Md5, hex, md5_of};
pub use entry_fault::{EntryFault, FaultyEntry};
pub use entry_name::{is_sidecar, leads_outside, unpacked_path};
pub use error::ArchiveError;
pub use feed::{Feed, FileSum, Outcome, Sent, SentFile};
pub use identity::Identity;
pub use inspect::{Finding, FindingKind, Inspection, Scrutiny};
pub use payload::{Emptiness, Payload};
pub use plan::{Plan, PlannedEntry};
pub use ready::{ReadyEntry, ReadyZip};
pub use twins::name_twins;
pub use unpack::{local_name, unpack, unpack_one};
pub use walk::{DEFAULT_EXCLUDES, Found, IGNORE_FILE, Symlinks, Tree, WalkOptions, walk};
