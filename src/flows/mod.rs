//! What the product does. No clap, no colour, no environment.

pub mod announce;
pub mod demo;
pub mod doctor;
pub mod download;
pub mod follow;
pub mod forward;
pub mod lag;
pub mod publish;
pub mod smoke;
pub mod topics;
pub mod upload;
pub mod verify;
pub mod wait;
