//! What the commands that read topics have in common: what an argument means, and which records.

use clap::Args;

use crate::base::Failure;
use crate::context::Context;
use crate::flows::follow::filter::{FieldMatch, HeaderMatch, TextPattern};
use crate::flows::follow::{Filter, Source};
use crate::schema::role::Role;

#[derive(Debug, Args)]
#[command(next_help_heading = "Filter (all of them must be met)")]
pub(super) struct FilterArgs {
    /// Only records with this key, a pattern
    #[arg(long, value_name = "PATTERN")]
    key: Vec<String>,
    /// Only records with this header, its value a pattern
    #[arg(long, value_name = "NAME=PATTERN")]
    header: Vec<String>,
    /// Only values that contain the text or /regular expression/
    #[arg(long, value_name = "TEXT")]
    grep: Vec<String>,
    /// Only values with the field: =PATTERN != ~REGEX !~ < <= > >=
    #[arg(long = "match", value_name = "FIELD=PATTERN")]
    fields: Vec<String>,
}

impl FilterArgs {
    /// The conditions as the engine takes them.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(super) fn filter(&self) -> Result<Filter, Failure> {
        Ok(Filter {
            keys: self.key.iter().map(|text| TextPattern::parse(text)).collect::<Result<_, _>>()?,
            headers: self
                .header
                .iter()
                .map(|text| HeaderMatch::parse(text))
                .collect::<Result<_, _>>()?,
            grep: self.grep.iter().map(|text| TextPattern::part(text)).collect::<Result<_, _>>()?,
            fields: self
                .fields
                .iter()
                .map(|text| FieldMatch::parse(text))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Notes the fields of `--match` that no event had: a misspelled name matches nothing.
pub(super) fn note_absent_fields(context: &Context, filter: &Filter) {
    for absent in filter.absent_fields() {
        context.ui.note(&absent.to_string());
    }
}

/// What an argument means: a role, a pattern over names, or a topic by its name.
///
/// # Errors
/// The pattern is none.
pub(super) fn source(context: &Context, text: &str) -> Result<Source, Failure> {
    if text.starts_with('^') {
        return Ok(Source::Pattern(TextPattern::regex(text)?));
    }
    Ok(match text.parse::<Role>() {
        Ok(role) => Source::Role { role, set: context.settings.topic(role).map(str::to_owned) },
        Err(_) => Source::Topic(text.to_owned()),
    })
}
