//! What is uploaded and downloaded as one file: zip archives as streams of known length, made
//! without a temporary file and the same on every machine for the same content.

pub mod format;
