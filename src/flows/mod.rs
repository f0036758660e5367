//! What the product does. No clap, no colour, no environment.

pub mod demo;
pub mod follow;
