//! `--jq`: an expression of the language of jq over the value of a record. The interpreter is jaq;
//! where it differs from jq in what scripts rely on, `prelude.jq`, [`functions`] and [`rewrite`] put
//! jq's behaviour in its place, and [`output`] writes nothing but JSON.

#[cfg(test)]
mod comparison;
mod expression;
mod functions;
mod output;
mod regex;
mod rewrite;
mod surroundings;

pub use expression::{Jq, JqFault, JqForm};

/// What an expression is run with.
type Data = jaq_core::data::JustLut<jaq_json::Val>;
