//! Which generation of an event is sent (DESIGN's table of dialects and topics): the dialect that was
//! given, else what the topics that exist leave, else what the API speaks. Nothing is guessed: if none
//! of them decides, or they contradict each other, the command ends with the choices.

use std::time::Duration;

use crate::base::{Classify, Failure, Kind};
use crate::context::Context;
use crate::kafka::{Cluster, Session};
use crate::schema::generation::{
    DialectCandidates, DialectSet, dialects_of_cluster, dialects_of_role_topics, event_type,
};
use crate::schema::role::{Dialect, Role};
use crate::settings::{DialectChoice, Key, Origin};

/// How long the API may take to say what it speaks.
const API_PATIENCE: Duration = Duration::from_secs(5);
/// How long the brokers may take for a preview, which needs none.
const PREVIEW_PATIENCE: Duration = Duration::from_secs(3);

/// An event whose generation is to be chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventTarget<'a> {
    pub role: Role,
    /// The topic that was set for it.
    pub topic: Option<&'a str>,
    /// The only dialects that can be meant.
    pub within: DialectSet,
    /// The flag that chooses one.
    pub flag: &'static str,
}

/// What is known of the brokers' topics.
#[derive(Debug)]
pub(super) enum KnownTopics {
    Cluster(Cluster),
    Unknown,
}

impl KnownTopics {
    /// Whether the topic is known to exist.
    pub fn has(&self, name: &str) -> bool {
        matches!(self, Self::Cluster(cluster) if cluster.topic(name).is_some())
    }
}

/// What the API says of itself.
#[derive(Clone, Debug)]
pub(super) enum ApiDialects {
    Speaks(DialectSet),
    /// It does not answer for now; with the reason.
    Away(String),
    /// It is no warehouse, or not the one of these brokers; with the reason.
    Unknown(String),
}

/// Returns the dialect that was given by flag, variable or profile.
pub(super) fn given_dialect(context: &Context) -> Result<Option<Dialect>, Failure> {
    Ok(match context.settings.dialect()? {
        DialectChoice::Auto => None,
        DialectChoice::Given(dialect) => Some(dialect),
    })
}

/// Reads which topics exist; one that was typed must.
///
/// # Errors
/// The brokers cannot be used, or that topic does not exist.
pub(super) fn read_topics(context: &Context, typed: Option<&str>) -> Result<KnownTopics, Failure> {
    let session = Session::open(&context.kafka()?)?;
    let cluster = session.cluster(context.deadline)?;
    if let Some(name) = typed.filter(|name| cluster.topic(name).is_none()) {
        session.topic(name, context.deadline)?;
    }
    Ok(KnownTopics::Cluster(cluster))
}

/// Reads which topics exist, for a preview: brokers that are away tell nothing.
pub(super) fn preview_topics(context: &Context) -> Result<KnownTopics, Failure> {
    let session = Session::open(&context.kafka()?)?;
    let cluster = session.cluster(context.deadline.within(PREVIEW_PATIENCE));
    Ok(cluster.map_or(KnownTopics::Unknown, KnownTopics::Cluster))
}

/// Asks the API which dialects it speaks. A default address tells nothing of brokers that were given
/// and are on another machine.
pub(super) fn ask_api(context: &Context) -> Result<ApiDialects, Failure> {
    if is_of_another_system(context)? {
        let reason = "no API is given beside the brokers (--api-url)".to_owned();
        return Ok(ApiDialects::Unknown(reason));
    }
    let warehouse = context.warehouse()?;
    let deadline = context.deadline.within(API_PATIENCE);
    context.run(async {
        Ok(match warehouse.ask_dialects(deadline).await {
            Ok(dialects) => ApiDialects::Speaks(dialects),
            Err(error) => match error.kind() {
                Kind::Unreachable | Kind::Deadline | Kind::ServerFault => {
                    ApiDialects::Away(error.to_string())
                }
                _ => ApiDialects::Unknown(error.to_string()),
            },
        })
    })
}

fn is_of_another_system(context: &Context) -> Result<bool, Failure> {
    let is_default =
        |key: Key| context.settings.get(key).is_none_or(|value| value.origin == Origin::Default);
    if !is_default(Key::ApiUrl) || is_default(Key::Brokers) {
        return Ok(false);
    }
    let is_local = |address: &str| {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        matches!(host, "localhost" | "[::1]") || host.starts_with("127.")
    };
    Ok(!context.settings.brokers()?.split(',').map(str::trim).all(is_local))
}

/// Chooses the dialect by the topics that exist, then by the API, which is asked only if the topics
/// leave a choice.
///
/// # Errors
/// Nothing decides, or what exists contradicts itself.
pub(super) fn choose_dialect(
    context: &Context,
    target: EventTarget<'_>,
    topics: &KnownTopics,
) -> Result<Dialect, Failure> {
    let mut candidates = DialectCandidates::new(target.role);
    narrow_by(&mut candidates, target.within, target, "what was given")?;
    narrow_by_topics(&mut candidates, target, topics)?;
    if let Some(dialect) = candidates.decided() {
        check_topic(target, dialect, topics)?;
        return Ok(dialect);
    }
    let dialect = match ask_api(context)? {
        ApiDialects::Speaks(dialects) => {
            let api = format!("the API at {}", context.settings.api_url());
            narrow_by(&mut candidates, dialects, target, &api)?;
            narrow_by_name(&mut candidates, target)?;
            let left = candidates.left();
            match candidates.decided() {
                Some(dialect) => dialect,
                None => choose_of_several(context, target, left),
            }
        }
        ApiDialects::Away(reason) | ApiDialects::Unknown(reason) => {
            narrow_by_name(&mut candidates, target)?;
            candidates.decided().ok_or_else(|| undecided(target, candidates.left(), &reason))?
        }
    };
    check_topic(target, dialect, topics)?;
    Ok(dialect)
}

/// An API of several generations takes an event of any: a completion without a task is of the oldest,
/// as it is of an upload without one; a trigger is for today's workers.
pub(super) fn choose_of_several(
    context: &Context,
    target: EventTarget<'_>,
    left: DialectSet,
) -> Dialect {
    let EventTarget { role, flag, .. } = target;
    let is_trigger = role.is_trigger();
    let chosen = if is_trigger { left.newest() } else { left.oldest() };
    let dialect = chosen.unwrap_or(Dialect::Task);
    if is_trigger {
        let (name, choices) = (event_type(role, dialect).unwrap_or_default(), left.choices());
        context.ui.note(&format!(
            "{name} is sent, the newest that this API speaks; choose with {flag} {choices}"
        ));
    }
    dialect
}

pub(super) fn narrow_by(
    candidates: &mut DialectCandidates,
    evidence: DialectSet,
    target: EventTarget<'_>,
    source: &str,
) -> Result<(), Failure> {
    let role = target.role;
    candidates.narrow(evidence).map_err(|contradiction| {
        let (known, evidence) = (contradiction.known, contradiction.evidence);
        let message = format!(
            "failed to choose the generation of {role}: {source} is {}, which is not {}",
            evidence.choices(),
            known.choices()
        );
        with_choices(Failure::usage(message), target, known.union(evidence))
    })
}

pub(super) fn narrow_by_topics(
    candidates: &mut DialectCandidates,
    target: EventTarget<'_>,
    topics: &KnownTopics,
) -> Result<(), Failure> {
    let exists = |name: &str| topics.has(name);
    if target.topic.is_none() {
        let own = dialects_of_role_topics(target.role, exists);
        // What only one dialect has is sent to no other's topic: that is refused below.
        if !candidates.left().intersection(own).is_empty() {
            narrow_by(candidates, own, target, "its topic")?;
        }
    }
    let cluster = dialects_of_cluster(exists);
    if !candidates.left().intersection(cluster).is_empty() {
        narrow_by(candidates, cluster, target, "the topics that exist")?;
    }
    Ok(())
}

/// A topic that was set under the name that some generations have for the role.
pub(super) fn narrow_by_name(
    candidates: &mut DialectCandidates,
    target: EventTarget<'_>,
) -> Result<(), Failure> {
    let Some(topic) = target.topic else { return Ok(()) };
    let named: DialectSet = Dialect::ALL
        .into_iter()
        .filter(|dialect| target.role.topic(*dialect) == Some(topic))
        .collect();
    if named.is_empty() {
        return Ok(());
    }
    narrow_by(candidates, named, target, &format!("the topic {topic}"))
}

/// Refuses an event whose topic does not exist, while those of other generations do: nobody would
/// read the topic that it makes.
///
/// # Errors
/// It is so.
pub(super) fn check_topic(
    target: EventTarget<'_>,
    dialect: Dialect,
    topics: &KnownTopics,
) -> Result<(), Failure> {
    let (Some(topic), None) = (target.role.topic(dialect), target.topic) else { return Ok(()) };
    let exists = |name: &str| topics.has(name);
    if exists(topic) || matches!(topics, KnownTopics::Unknown) {
        return Ok(());
    }
    let own = dialects_of_role_topics(target.role, exists);
    let used = own.intersection(dialects_of_cluster(exists));
    if used.contains(dialect) {
        return Ok(());
    }
    let users = if used.is_empty() { own } else { used };
    let message = format!(
        "failed to send {}: {topic} does not exist, and the topics that exist are of {}",
        event_type(target.role, dialect).unwrap_or_default(),
        users.choices()
    );
    Err(with_choices(Failure::usage(message), target, users))
}

pub(super) fn undecided(target: EventTarget<'_>, left: DialectSet, reason: &str) -> Failure {
    let role = target.role;
    let message = format!(
        "failed to choose the generation of {role}: the topics that exist fit {}, and the API cannot be asked: {reason}",
        left.choices()
    );
    with_choices(Failure::usage(message), target, left)
}

fn with_choices(failure: Failure, target: EventTarget<'_>, among: DialectSet) -> Failure {
    let EventTarget { role, flag, .. } = target;
    among.iter().fold(failure, |failure, dialect| {
        match (event_type(role, dialect), role.topic(dialect)) {
            (Some(event), Some(topic)) => {
                failure.hint(format!("add {flag} {dialect} to send {event} to {topic}"))
            }
            _ => failure,
        }
    })
}
