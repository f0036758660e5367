//! The wire: what the warehouse's API and its topics carry, as types. Reading is tolerant, writing
//! is exact; no I/O, nothing asynchronous, nothing of ours but `base`.

pub mod bias;
pub mod dataset;
pub mod document;
pub mod events;
pub mod generation;
pub mod ids;
pub mod job;
pub mod json;
pub mod model;
pub mod presence;
pub mod record_line;
pub mod report;
pub mod role;
pub mod validation;

#[cfg(test)]
mod recordings;
