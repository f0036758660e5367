//! What the product does. No clap, no colour, no environment.

pub mod announce;
pub mod demo;
pub mod follow;
pub mod topics;
