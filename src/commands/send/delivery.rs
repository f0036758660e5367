//! What all events have in common: where their fields come from, and the way to their topic.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::fields::{Fields, Given, text};
use super::raw::in_sync_shortage;
use crate::base::file::read_input;
use crate::base::plain_text::decode_text;
use crate::base::{Classify, Failure, Kind};
use crate::commands::generation::{
    self, EventTarget, check_topic, given_dialect, preview_topics, read_topics,
};
use crate::context::Context;
use crate::flows::announce::{Announcement, Topic, announce};
use crate::kafka::{Acknowledgement, KafkaError};
use crate::schema::document::Document;
use crate::schema::events::Event;
use crate::schema::generation::{DialectSet, dialects_of_role, event_type};
use crate::schema::role::{Dialect, Role};
use crate::settings::Key;
use crate::ui::Format;

/// The flag that chooses the generation of an event.
const FLAG: &str = "--dialect";

/// Where fields come from and where the event goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Delivery")]
pub(super) struct DeliveryArgs {
    /// Generation of the event: form, flat or task; else by the topics that exist, then the API
    #[arg(long, value_name = "NAME", value_parser = ["auto", "form", "flat", "task"])]
    dialect: Option<String>,
    /// Task that the event belongs to; means --dialect task
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    task_id: Option<String>,
    /// Take fields from a JSON object in a file, or - for standard input
    #[arg(long, value_name = "FILE")]
    from_json: Option<PathBuf>,
    /// Set any field: its value is JSON, or text where it is none
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
    fields: Vec<(String, Value)>,
    /// Key in place of the event's own
    #[arg(long)]
    key: Option<String>,
    /// Topic in place of the event's own; it must exist
    #[arg(long)]
    topic: Option<String>,
    /// Print topic, key and value, and send nothing; with --dialect it needs no broker
    #[arg(long)]
    dry_run: bool,
}

impl DeliveryArgs {
    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

fn field(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            Ok((name.to_owned(), value))
        }
        _ => Err(format!("{text:?} is not NAME=VALUE")),
    }
}

/// An event ready to be delivered.
#[derive(Debug)]
pub(super) struct Draft {
    role: Role,
    dialect: ChosenDialect,
    key: String,
    value: String,
}

/// Which part of an event its own fields stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Input,
    Output,
}

impl Part {
    fn of(self, event: &mut Value) -> Option<&mut Map<String, Value>> {
        match self {
            Part::Whole => event.as_object_mut(),
            Part::Input => event.get_mut("input")?.as_object_mut(),
            Part::Output => event.get_mut("output")?.as_object_mut(),
        }
    }
}

impl DeliveryArgs {
    /// Settings that are flags here.
    pub fn overrides(&self) -> Vec<(Key, String)> {
        self.dialect.iter().map(|dialect| (Key::Dialect, dialect.clone())).collect()
    }

    /// Chooses the generation of an event: the dialect that was given by name, by a task or by the type
    /// of a whole event, else what exists. What every generation needs is checked before anything is
    /// asked.
    ///
    /// # Errors
    /// That generation has no such event, or no tasks; something is missing; or nothing decides.
    pub fn choose_dialect(
        &self,
        context: &Context,
        fields: &mut Fields,
        role: Role,
        needed: &[&str],
        wants_task: bool,
    ) -> Result<ChosenDialect, Failure> {
        let wants_task = wants_task || fields.name_task();
        if let Some(dialect) = given(context, role, wants_task)? {
            return Ok(ChosenDialect { dialect, is_checked: false });
        }
        let within = dialects_of_type(role, fields.event_type())?;
        if let (Some(dialect), false) = (within.oldest(), within.is_several()) {
            return Ok(ChosenDialect { dialect, is_checked: false });
        }
        fields.complete(context, needed)?;
        let has_model = matches!(role, Role::Automl | Role::Xai | Role::XaiTrigger);
        fields.validate(needed, has_model)?;
        let topic = self.topic.as_deref().or_else(|| context.settings.topic(role));
        let target = EventTarget { role, topic, within, flag: FLAG };
        let topics = match self.dry_run {
            true => preview_topics(context)?,
            false => read_topics(context, self.topic.as_deref())?,
        };
        let dialect = generation::choose_dialect(context, target, &topics)?;
        Ok(ChosenDialect { dialect, is_checked: true })
    }

    /// The fields of all layers.
    ///
    /// # Errors
    /// The file cannot be read or is no JSON object.
    pub fn fields(&self, mut flags: Vec<Given>) -> Result<Fields, Failure> {
        for body in ["input", "output"] {
            if self.fields.iter().any(|(name, _)| name == body) {
                return Err(Failure::usage(format!("--field {body} would be the whole of it"))
                    .hint(format!(
                        "name each field of the {body} by itself, or take --from-json"
                    )));
            }
        }
        flags.push(("task_id", text(self.task_id.as_ref())));
        let (file, has_bare) = match &self.from_json {
            None => (Map::new(), false),
            Some(path) => object(path)?,
        };
        let fields = Fields::of(file, flags, self.fields.clone());
        Ok(if has_bare { fields.with_bare_numbers() } else { fields })
    }
}

/// A dialect, and whether its topic was looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChosenDialect {
    pub dialect: Dialect,
    is_checked: bool,
}

/// The dialect that was given, or that a task means.
///
/// # Errors
/// That generation has no such event, or no tasks.
fn given(context: &Context, role: Role, wants_task: bool) -> Result<Option<Dialect>, Failure> {
    let task = wants_task.then_some(Dialect::Task);
    let Some(dialect) = given_dialect(context)?.or(task) else { return Ok(None) };
    if wants_task && dialect != Dialect::Task {
        return Err(Failure::usage(format!("events of the {dialect} dialect have no task"))
            .hint("add --dialect task"));
    }
    if role.topic(dialect).is_none() {
        let oldest = dialects_of_role(role).oldest().unwrap_or(Dialect::Task);
        return Err(Failure::usage(format!("the {dialect} dialect has no event for {role}"))
            .hint(format!("add --dialect {oldest}")));
    }
    Ok(Some(dialect))
}

/// Returns the dialects in which a role's event has the type that a file gave; all that have one, if
/// it gave none.
///
/// # Errors
/// The type is that of another event.
fn dialects_of_type(role: Role, given: Option<&str>) -> Result<DialectSet, Failure> {
    let all = dialects_of_role(role);
    let Some(kind) = given else { return Ok(all) };
    let is_of = |dialect: &Dialect| event_type(role, *dialect) == Some(kind);
    let of_type: DialectSet = all.iter().filter(is_of).collect();
    if of_type.is_empty() {
        let types: Vec<&str> = all.iter().filter_map(|dialect| event_type(role, dialect)).collect();
        let message = format!("event_type is {kind}, and this sends {}", types.join(" or "));
        return Err(Failure::usage(message));
    }
    Ok(of_type)
}

/// The task: the one given, that of the file, or one made as the service's scripts make it.
///
/// # Errors
/// The file's is no text.
pub(super) fn task_id(context: &Context, fields: &Fields, step: &str) -> Result<String, Failure> {
    if let Some(id) = fields.text("task_id")? {
        return Ok(id);
    }
    let made = format!("manual-{step}-{}", context.ids.hex(12));
    context.ui.note(&format!("the task is {made}"));
    Ok(made)
}

/// The object of a file, and whether it holds numbers that JSON does not have.
fn object(path: &Path) -> Result<(Map<String, Value>, bool), Failure> {
    let shown = path.display();
    let read = |path: &Path| {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            read_input(path)
        }
    };
    let bytes = read(path).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => Kind::NotFound,
            _ => Kind::Usage,
        };
        Failure::wrap(kind, error).context(format!("failed to read {shown}"))
    })?;
    let text = decode_text(&bytes).map_err(|invalid| {
        Failure::wrap(Kind::Usage, invalid).context(format!("failed to read {shown}"))
    })?;
    let document = Document::parse(text.as_bytes())
        .map_err(|invalid| Failure::usage(format!("{shown} is not JSON: {invalid}")))?;
    let object = document.read();
    let object = object.map_err(|_| Failure::usage(format!("{shown} holds no JSON object")))?;
    Ok((object, document.facts().bare_numbers))
}

/// Puts an event into its form, with what the file and `--field` add to it.
pub(super) fn draft<E: Event>(
    context: &Context,
    event: &E,
    fields: &Fields,
    dialect: ChosenDialect,
    part: Part,
) -> Result<Draft, Failure> {
    fields.check_type(E::EVENT_TYPE)?;
    let internal = |error| Failure::wrap(Kind::Internal, error);
    let mut value = event.to_json().map_err(internal)?;
    let frame: Vec<_> = fields.frame().collect();
    let extra: Vec<_> = fields.extra().collect();
    let root: Vec<_> = fields.root().collect();
    if !frame.is_empty() || !extra.is_empty() || !root.is_empty() {
        let mut whole: Value = serde_json::from_str(&value).map_err(internal)?;
        for (name, given) in frame {
            whole[name] = given.clone();
        }
        if let Some((name, _)) = extra.first() {
            let inner = part.of(&mut whole).ok_or_else(|| {
                Failure::usage(format!("a failure has no output, where {name} could stand"))
            })?;
            inner.extend(extra.iter().map(|(name, given)| ((*name).clone(), (*given).clone())));
        }
        if let Some(whole) = whole.as_object_mut() {
            whole.extend(root.into_iter().map(|(name, given)| (name.clone(), given.clone())));
        }
        value = whole.to_string();
    }
    if fields.had_bare_numbers() {
        context.ui.warning("NaN and Infinity are sent as null: JSON has no such numbers");
    }
    let idle = fields.idle_flags();
    let is_bodiless = !idle.is_empty() && {
        let mut whole: Value = serde_json::from_str(&value).map_err(internal)?;
        part.of(&mut whole).is_none()
    };
    for flag in idle {
        let event_type = E::EVENT_TYPE;
        context.ui.warning(&if is_bodiless {
            format!("{event_type} has no output where it failed: {flag} is not sent")
        } else {
            format!("{event_type} has no field for {flag}: it is not sent")
        });
    }
    Ok(Draft { role: E::ROLE, dialect, key: event.key(), value })
}

/// Sends an event and prints its place.
pub(super) fn deliver(
    context: &Context,
    draft: Draft,
    delivery: &DeliveryArgs,
) -> Result<(), Failure> {
    let Draft { role, dialect, key, value } = draft;
    let (topic, policy) = match (&delivery.topic, context.settings.topic(role)) {
        (Some(topic), _) => (topic.clone(), Policy::Named),
        (None, Some(topic)) => (topic.to_owned(), Policy::MayBeCreated),
        (None, None) => {
            let own = role.topic(dialect.dialect).unwrap_or_default().to_owned();
            let policy = if dialect.is_checked { Policy::MayBeCreated } else { Policy::Unchecked };
            (own, policy)
        }
    };
    let announcement = Announcement { topic, key: delivery.key.clone().unwrap_or(key), value };
    if delivery.dry_run {
        return show(context, &announcement);
    }
    let place = match policy {
        Policy::Named => send_to(context, &announcement, Topic::MustExist)?,
        Policy::MayBeCreated => send_to(context, &announcement, Topic::MayBeCreated)?,
        Policy::Unchecked => send_unchecked(context, &announcement, role, dialect.dialect)?,
    };
    if context.ui.format() == Format::Json {
        return context.ui.document(&json!({
            "schema": "dwctl.send/1",
            "topic": place.topic(),
            "partition": place.partition(),
            "offset": place.offset(),
            "key": announcement.key,
            "value": RawValue::from_string(announcement.value).map_err(|error| Failure::wrap(Kind::Internal, error))?,
        }));
    }
    context.ui.line(place.to_string())
}

/// Names the cause of a missing acknowledgement if the topic's replicas are it.
fn explain(context: &Context, topic: &str, error: KafkaError) -> Failure {
    let is_late = error.kind() == Kind::Deadline;
    let failure = Failure::from(error);
    match is_late.then(|| in_sync_shortage(context, topic)).flatten() {
        Some(shortage) => failure.hint(shortage),
        None => failure,
    }
}

/// What is done about a topic that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// It was typed: it must exist.
    Named,
    /// The broker may make it.
    MayBeCreated,
    /// The broker may make it, unless the topics of another generation exist.
    Unchecked,
}

fn send_to(
    context: &Context,
    announcement: &Announcement,
    topic: Topic,
) -> Result<Acknowledgement, Failure> {
    announce(&context.kafka()?, announcement, topic, context.deadline)
        .map_err(|error| explain(context, &announcement.topic, error))
}

/// Sends an event of a dialect that was given. Only if its topic does not exist, the others are looked
/// at: usually that costs no question.
fn send_unchecked(
    context: &Context,
    announcement: &Announcement,
    role: Role,
    dialect: Dialect,
) -> Result<Acknowledgement, Failure> {
    match announce(&context.kafka()?, announcement, Topic::MustExist, context.deadline) {
        Err(KafkaError::UnknownTopic { .. }) => {
            let within = DialectSet::only(dialect);
            let target = EventTarget { role, topic: None, within, flag: FLAG };
            check_topic(target, dialect, &read_topics(context, None)?)?;
            send_to(context, announcement, Topic::MayBeCreated)
        }
        sent => sent.map_err(|error| explain(context, &announcement.topic, error)),
    }
}

/// What would be sent.
fn show(context: &Context, announcement: &Announcement) -> Result<(), Failure> {
    if context.ui.format() == Format::Json {
        let value = RawValue::from_string(announcement.value.clone())
            .map_err(|error| Failure::wrap(Kind::Internal, error))?;
        return context.ui.document(&json!({
            "schema": "dwctl.send/1",
            "dry_run": true,
            "topic": announcement.topic,
            "key": announcement.key,
            "value": value,
        }));
    }
    context.ui.line(format!("topic {}", announcement.topic))?;
    context.ui.line(format!("key   {}", announcement.key))?;
    context.ui.line(format!("value {}", announcement.value))
}
