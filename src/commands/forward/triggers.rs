//! Which generation of trigger `forward` sends: chosen by flag, setting, the topics that exist, the API,
//! and the form of the event, in this order.

use std::time::Duration;

use super::ForwardArgs;
use crate::base::{Failure, Kind};
use crate::commands::generation::{
    ApiDialects, EventTarget, KnownTopics, ask_api, check_topic, choose_of_several, given_dialect,
    narrow_by, narrow_by_name, narrow_by_topics, read_topics, undecided,
};
use crate::context::Context;
use crate::flows::forward::{Route, TriggerDialects};
use crate::kafka::Session;
use crate::schema::generation::{DialectCandidates, DialectSet, dialects_of_role};
use crate::schema::role::{Dialect, Role};

/// How often an API that is away is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Chooses the generation of the triggers.
///
/// # Errors
/// The generation has no such trigger, nothing decides, or the topics that exist are of another one.
pub(super) fn choose_dialects(
    context: &Context,
    args: &ForwardArgs,
    route: Route,
) -> Result<TriggerDialects, Failure> {
    let given = match args.trigger_form.dialect() {
        Some(dialect) => Some(TriggerDialects::all(dialect)),
        None => given_dialect(context)?.map(TriggerDialects::as_event),
    };
    if let Some(dialects) = given {
        check_given(route, dialects.after_flat)?;
    }
    let by_setting = |role| context.settings.topic(role);
    let target = EventTarget {
        role: route.target(),
        topic: args.trigger_topic.as_deref().or_else(|| by_setting(route.target())),
        within: DialectSet::ALL,
        flag: "--trigger-form",
    };
    // The seed's trigger has the topic of XAI.
    let is_set = |dialect| {
        let is_seed = dialect == Dialect::Form && route == Route::AutomlToXai;
        target.topic.is_some() || is_seed && by_setting(Role::Xai).is_some()
    };
    if let Some(dialects) = given.filter(|dialects| is_set(dialects.after_flat)) {
        return Ok(dialects);
    }
    let topics = read_topics(context, None)?;
    check_source(context, route, &topics)?;
    let dialects = match given {
        Some(dialects) => dialects,
        None => TriggerDialects::as_event(choose_after_flat(context, route, target, &topics)?),
    };
    if !is_set(dialects.after_flat) {
        check_topic(target, dialects.after_flat, &topics)?;
    }
    Ok(dialects)
}

/// Fails if a topic that is read exists, and the user may not see it. A list of topics leaves it out, so
/// that nothing would decide, and the API would be asked in vain.
fn check_source(context: &Context, route: Route, topics: &KnownTopics) -> Result<(), Failure> {
    let source = route.source();
    let names = context.settings.topic(source).map_or(source.topics().to_vec(), |one| vec![one]);
    if names.iter().any(|name| topics.has(name)) {
        return Ok(());
    }
    let session = Session::open(&context.kafka()?)?;
    let denied = names.iter().find_map(|name| session.denial_of(name, context.deadline));
    denied.map_or(Ok(()), |error| Err(error.into()))
}

fn check_given(route: Route, dialect: Dialect) -> Result<(), Failure> {
    let has = dialects_of_role(route.target());
    if has.contains(dialect) {
        return Ok(());
    }
    let message = format!("the {dialect} dialect has no event for {}", route.target());
    Err(Failure::usage(message).hint(format!("choose --trigger-form {}", has.choices())))
}

/// The generation after a flat event. A flat event is of a flat generation, unless what exists says
/// that only another one is in use; datasets are announced in one form by all of them.
fn choose_after_flat(
    context: &Context,
    route: Route,
    target: EventTarget<'_>,
    topics: &KnownTopics,
) -> Result<Dialect, Failure> {
    let mut candidates = DialectCandidates::new(target.role);
    narrow_by_topics(&mut candidates, target, topics)?;
    if let Some(dialect) = candidates.decided() {
        return Ok(dialect);
    }
    match ask_until_answered(context, route)? {
        ApiDialects::Speaks(dialects) => {
            choose_by_api(context, route, target, candidates, dialects)
        }
        ApiDialects::Away(reason) | ApiDialects::Unknown(reason) => {
            narrow_by_name(&mut candidates, target)?;
            prefer_flat(&mut candidates, route);
            candidates.decided().ok_or_else(|| undecided(target, candidates.left(), &reason))
        }
    }
}

/// The topics have left a choice, and the API narrows it.
fn choose_by_api(
    context: &Context,
    route: Route,
    target: EventTarget<'_>,
    mut candidates: DialectCandidates,
    dialects: DialectSet,
) -> Result<Dialect, Failure> {
    narrow_by(&mut candidates, dialects, target, "the API")?;
    narrow_by_name(&mut candidates, target)?;
    prefer_flat(&mut candidates, route);
    let left = candidates.left();
    Ok(match (candidates.decided(), route) {
        (Some(dialect), _) => dialect,
        (None, Route::DatasetToBias) => choose_of_several(context, target, left),
        (None, _) => left.oldest().unwrap_or(Dialect::Task),
    })
}

/// The event's own form decides what is still open.
fn prefer_flat(candidates: &mut DialectCandidates, route: Route) {
    if route != Route::DatasetToBias {
        let flat = [Dialect::Form, Dialect::Flat].into_iter().collect();
        // Where no flat generation is left, its trigger would have no reader.
        let _ = candidates.narrow(flat);
    }
}

/// Asks the API, and waits for one that is away if the route needs it anyway.
fn ask_until_answered(context: &Context, route: Route) -> Result<ApiDialects, Failure> {
    let mut is_noted = false;
    loop {
        let answer = ask_api(context)?;
        let ApiDialects::Away(reason) = &answer else { return Ok(answer) };
        if route == Route::BiasToAutoml {
            return Ok(answer);
        }
        if context.deadline.has_passed() {
            let message = format!("the API did not answer before the timeout: {reason}");
            return Err(Failure::new(Kind::Deadline, message));
        }
        if !is_noted {
            is_noted = true;
            context.ui.status(format!("waiting for the API: {reason}"));
        }
        context.run(async {
            tokio::time::sleep(context.deadline.slice(PAUSE)).await;
            Ok(())
        })?;
    }
}
