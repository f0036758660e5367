//! The main job in one run: upload, announce, read back, download, compare.

pub mod sample;
