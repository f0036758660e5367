//! Whether any event had the field of a condition: a misspelled name matches nothing, which looks
//! exactly like a topic without matches.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::base::nearest::nearest;
use crate::schema::json;

/// Events whose field names are collected.
const MOST_SAMPLED: u64 = 100;
/// Field names that are collected.
const MOST_NAMES: usize = 500;
/// Levels of objects in which names are collected.
const DEEPEST: usize = 4;
/// Names that are listed if none is close.
const MOST_LISTED: usize = 8;

/// What the events that were looked at had of one field.
#[derive(Debug)]
pub(super) struct FieldPresence {
    /// The path as it was written.
    written: String,
    path: Vec<String>,
    was_present: AtomicBool,
    sample: Mutex<EventSample>,
}

#[derive(Debug, Default)]
struct EventSample {
    /// Values that are JSON objects or arrays.
    events: u64,
    others: u64,
    /// Dotted paths.
    names: BTreeSet<String>,
}

/// A field that no event had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsentField {
    /// The path as it was written.
    pub field: String,
    /// The events that were looked at.
    pub events: u64,
    /// The values that were looked at and are no JSON objects.
    pub others: u64,
    /// What the condition may have been meant to be.
    pub advice: Option<String>,
}

impl FieldPresence {
    pub fn new(written: &str, path: &[String]) -> Self {
        Self {
            written: written.to_owned(),
            path: path.to_vec(),
            was_present: AtomicBool::new(false),
            sample: Mutex::default(),
        }
    }

    /// Whether an event had the field.
    #[inline]
    pub fn is_known(&self) -> bool {
        self.was_present.load(Ordering::Relaxed)
    }

    /// An event had the field.
    #[inline]
    pub fn confirm(&self) {
        if !self.is_known() {
            self.was_present.store(true, Ordering::Relaxed);
        }
    }

    /// Takes a value that was passed over.
    #[cold]
    pub fn observe(&self, value: &[u8], has_field: bool) {
        if has_field && json::validate(value).is_ok() {
            return self.confirm();
        }
        let mut sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(value.trim_ascii_start().first(), Some(b'{' | b'[')) {
            sample.others += 1;
            return;
        }
        sample.events += 1;
        if sample.events <= MOST_SAMPLED && json::validate(value).is_ok() {
            collect_names(value, "", DEEPEST, &mut sample.names);
        }
    }

    /// Returns what is known if values were looked at and none had the field.
    pub fn absence(&self) -> Option<AbsentField> {
        let sample = self.sample.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_known() || sample.events + sample.others == 0 {
            return None;
        }
        Some(AbsentField {
            field: self.written.clone(),
            events: sample.events,
            others: sample.others,
            advice: self
                .flag()
                .or_else(|| self.near_names(&sample.names))
                .or_else(|| list_names(&sample.names)),
        })
    }

    /// Names the fields that are close, by their last steps.
    fn near_names(&self, names: &BTreeSet<String>) -> Option<String> {
        let last = self.path.last()?;
        let leaves = names.iter().map(|name| leaf(name));
        let near = nearest(last, leaves.collect::<BTreeSet<_>>(), 2);
        let mut full: Vec<&str> = near
            .iter()
            .flat_map(|near| names.iter().filter(move |name| leaf(name) == *near))
            .map(String::as_str)
            .collect();
        full.truncate(3);
        (!full.is_empty()).then(|| format!("did you mean {}?", full.join(" or ")))
    }

    /// Names the flag for what stands around the value, under the names of `tail -o json`.
    fn flag(&self) -> Option<String> {
        let flag = match self.path.first()?.as_str() {
            "key" => "--key PATTERN filters by the key of a record".to_owned(),
            "headers" | "header" => {
                let name = self.path.get(1).map_or("NAME", String::as_str);
                format!("--header {name}=PATTERN filters by a header")
            }
            "topic" => "name the topics as arguments".to_owned(),
            "partition" => "-p reads only some partitions".to_owned(),
            "offset" | "timestamp" => "--from and --until select by offset and time".to_owned(),
            _ => return None,
        };
        Some(flag)
    }
}

/// Lists the fields that events have at the top.
fn list_names(names: &BTreeSet<String>) -> Option<String> {
    let top: Vec<&str> =
        names.iter().filter(|name| leaf(name) == *name).map(String::as_str).collect();
    let listed = top.iter().take(MOST_LISTED).copied().collect::<Vec<_>>().join(", ");
    let more = if top.len() > MOST_LISTED { ", …" } else { "" };
    (!top.is_empty()).then(|| format!("events have: {listed}{more}"))
}

/// The last step of a dotted path.
fn leaf(name: &str) -> &str {
    let is_step = |(at, _): &(usize, &str)| !name[..*at].ends_with('\\');
    name.rmatch_indices('.').find(is_step).map_or(name, |(at, _)| &name[at + 1..])
}

fn collect_names(value: &[u8], prefix: &str, levels: usize, names: &mut BTreeSet<String>) {
    for (key, inner) in json::pairs(value) {
        let Some(key) = json::unquote(key) else { continue };
        let name = format!("{prefix}{}", key.replace('.', r"\."));
        if levels > 1 {
            collect_names(inner, &format!("{name}."), levels - 1, names);
        }
        if names.len() < MOST_NAMES {
            names.insert(name);
        }
    }
}

impl std::fmt::Display for AbsentField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { field, events, others, advice } = self;
        let none_of = |count: u64, noun: &str| match count {
            1 => format!("the only {noun} read is not"),
            count => format!("none of the {count} {noun}s read is"),
        };
        write!(f, "--match {field}: ")?;
        if *events == 0 {
            let none = none_of(*others, "value");
            return write!(f, "{none} a JSON object; --grep searches values of any kind");
        }
        write!(f, "{} one with this field", none_of(*events, "event"))?;
        match advice {
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::flows::follow::filter::FieldMatch;
    use crate::flows::follow::filter::field::all_met;

    const EVENT: &[u8] = br#"{"event_type":"model.uploaded","output":{"model_id":"m"},
        "deep":{"er":{"rate":1}},"a.b":1}"#;

    fn note(text: &str, values: &[&[u8]]) -> Option<String> {
        let fields = [FieldMatch::parse(text).unwrap()];
        for value in values {
            let _ = all_met(&fields, value);
        }
        fields[0].absence().map(|absent| absent.to_string())
    }

    #[test]
    fn a_field_that_no_event_has_is_noted_with_the_closest_name() {
        for (text, advice) in [
            ("modl_id=m", "did you mean output.model_id?"),
            ("Model-Id!=m", "did you mean output.model_id?"),
            ("rate>0", "did you mean deep.er.rate?"),
            ("output.modelid~x", "did you mean output.model_id?"),
            ("eventtype=*", "did you mean event_type?"),
            ("key=k", "--key PATTERN filters by the key of a record"),
            ("headers.trace=7", "--header trace=PATTERN filters by a header"),
            ("partition=0", "-p reads only some partitions"),
            ("topic=x", "name the topics as arguments"),
            ("offset>3", "--from and --until select by offset and time"),
            ("zzz=1", r"events have: a\.b, deep, event_type, output"),
        ] {
            let words = format!("none of the 2 events read is one with this field; {advice}");
            let note = note(text, &[EVENT, EVENT]).unwrap_or_default();
            assert!(note.ends_with(&words), "{text}: {note}");
        }
    }

    #[test]
    fn one_event_with_the_field_is_enough_for_silence() {
        for text in ["model_id=x", "model_id!=m", "value.model_id=x", "model_id=m", "deep.er=1"] {
            assert_eq!(note(text, &[b"{}", EVENT, b"{}"]), None, "{text}");
        }
        assert_eq!(note("a=1", &[]), None, "nothing was looked at");
        assert!(note("a=1", &[b"{\"a\":2"]).is_some(), "what is no JSON has no fields");
    }

    #[test]
    fn values_that_are_no_json_are_noted_as_such() {
        let note = note("a=1", &[b"hello"]).unwrap();
        assert!(note.contains("the only value read is not a JSON object; --grep"), "{note}");
    }
}
