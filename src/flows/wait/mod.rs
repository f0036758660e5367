//! Waiting for an event: where each partition ends is fixed first, then the command that causes the
//! event is run, and only what comes after the fixed ends counts. So nothing is missed, and nothing
//! from before is taken for it.

mod companion;
mod descendants;
mod watcher;

use std::ffi::OsString;
use std::time::Duration;

use crate::base::{Deadline, Failure, Kind, Shutdown};
use crate::flows::follow::filter::Jq;
use crate::flows::follow::{
    Cursor, FollowPlan, Notice, Position, RecordSink, Source, Stop, Taken, follow,
};
use crate::kafka::{Properties, Record, TopicId, TopicPartition};
use crate::schema::role::Role;
use watcher::{Watcher, is_match, place};

/// How far before the fixed ends a match is looked for when none came, in offsets a partition.
const LOOK_BACK: i64 = 1_000;
/// How long that may take: the deadline has passed by then.
const LOOK_BACK_TIME: Duration = Duration::from_millis(150);

/// How long after its deadline a wait for nothing may still ask the brokers where the topics end:
/// without their answer it is not known that nothing came.
pub const CLOSING_TIME: Duration = Duration::from_millis(150);

/// How the step is to end; of these, only events that end a step count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    #[default]
    Any,
    Success,
    Failure,
}

/// What is waited for.
#[derive(Debug)]
pub struct WaitPlan {
    /// Where it is looked for, from where on, and how many shall come.
    pub follow: FollowPlan,
    /// A match has a result of this expression that is neither `null` nor `false`.
    pub jq: Option<Jq>,
    pub expected: Expected,
    /// That no match comes is what is hoped for. `follow` ends at a time then, and the deadline lies
    /// [`CLOSING_TIME`] behind it.
    pub is_absent: bool,
    /// Run once the places are fixed; empty for none.
    pub command: Vec<OsString>,
}

/// Waits. Each match is given to `shown`; `ready` is called once, when every place is fixed. Ends
/// well when as many matches came as were asked for and the command has ended well, or at the
/// deadline where none was to come.
///
/// # Errors
/// Too few came before the deadline, one came that was not hoped for, the command failed, a topic
/// that was typed does not exist, or the brokers cannot be used.
pub fn wait(
    properties: &Properties,
    plan: &WaitPlan,
    shown: &mut dyn RecordSink,
    ready: &mut dyn FnMut(&Cursor) -> Result<(), Failure>,
    shutdown: &Shutdown,
    deadline: Deadline,
) -> Result<(), Failure> {
    let mut watcher = Watcher {
        plan,
        shown,
        ready,
        starts: Cursor::default(),
        is_fixed: false,
        companion: None,
        scratch: Vec::new(),
        failed: None,
    };
    let outcome = follow(properties, &plan.follow, &mut watcher, shutdown, deadline);
    let outcome = match outcome {
        // From then on the brokers have answered, so that only the last question fails like this.
        Err(failure)
            if plan.is_absent
                && watcher.is_fixed
                && matches!(failure.kind(), Kind::Unreachable | Kind::Deadline) =>
        {
            return Err(unknown(plan, Some(&failure)));
        }
        outcome => outcome?,
    };
    match outcome.stop {
        Stop::Shutdown => Ok(()),
        Stop::Count => match &mut watcher.companion {
            Some(companion) => companion.finish(shutdown, deadline),
            None => Ok(()),
        },
        // One of them may have been the event that shall not come.
        Stop::End if plan.is_absent => match &watcher.failed {
            Some(failed) => Err(Failure::new(Kind::CheckFailed, failed.to_string())),
            None => Ok(()),
        },
        _ if plan.is_absent => Err(unknown(plan, None)),
        _ => {
            let starts = std::mem::take(&mut watcher.starts);
            let failed = watcher.failed.take();
            drop(watcher);
            let failure = too_few(properties, plan, outcome.records, &starts, shutdown);
            Err(match failed {
                Some(failed) => failure.hint(failed.to_string()),
                None => failure,
            })
        }
    }
}

fn names(plan: &WaitPlan) -> String {
    let names: Vec<&str> = plan.follow.sources.iter().flat_map(Source::candidates).collect();
    names.join(", ")
}

/// The failure of a wait for nothing, where the brokers were away when it ended.
fn unknown(plan: &WaitPlan, cause: Option<&Failure>) -> Failure {
    let names = names(plan);
    let words = format!("failed to tell whether an event came on {names}");
    let reason = match cause {
        Some(failure) => failure.message(),
        None => "not all that is there could be read by then".to_owned(),
    };
    Failure::wrap(Kind::Unreachable, anyhow::Error::msg(reason))
        .context(format!("{words}: the brokers did not answer at the end of the time"))
        .hint("no event was seen; look again from the cursor of --ready-file with --after")
}

/// The failure of a wait that ended at its deadline.
fn too_few(
    properties: &Properties,
    plan: &WaitPlan,
    came: u64,
    starts: &Cursor,
    shutdown: &Shutdown,
) -> Failure {
    let names = names(plan);
    let wanted = plan.follow.stop.count.unwrap_or(1);
    let failure = Failure::new(
        Kind::Deadline,
        if came == 0 {
            format!("no matching event came on {names} before the timeout")
        } else {
            format!("only {came} of {wanted} matching events came on {names} before the timeout")
        },
    );
    match earlier_match(properties, plan, starts, shutdown) {
        Some(place) => failure.hint(format!(
            "an event from before the wait matches: {place}; run the command that causes it after --, or look back with --from"
        )),
        None => failure,
    }
}

/// The place of the latest match before the fixed ends. Nothing is known of it where it cannot be
/// told at once: this is a hint, and the deadline is over.
fn earlier_match(
    properties: &Properties,
    plan: &WaitPlan,
    starts: &Cursor,
    shutdown: &Shutdown,
) -> Option<String> {
    if plan.follow.from != Position::End {
        return None;
    }
    let mut looking = LookBack { plan, starts, latest: None, scratch: Vec::new() };
    let mut back = FollowPlan {
        until: Some(Position::End),
        from: Position::BeforeEnd(LOOK_BACK),
        ..plan.follow.clone()
    };
    back.stop.count = None;
    let deadline = Deadline::after(LOOK_BACK_TIME);
    // What was found before it went wrong is found.
    let _ = follow(properties, &back, &mut looking, shutdown, deadline);
    looking.latest.map(|(_, place)| place)
}

struct LookBack<'a> {
    plan: &'a WaitPlan,
    starts: &'a Cursor,
    /// Its time, and its place.
    latest: Option<(Option<i64>, String)>,
    scratch: Vec<u8>,
}

impl RecordSink for LookBack<'_> {
    fn topic(&mut self, _: TopicId, _: &str, _: Option<Role>) {}

    fn record(&mut self, record: &Record<'_>) -> Result<Taken, Failure> {
        let start = self.starts.next(&TopicPartition::new(record.topic, record.partition));
        let is_earlier = start.is_some_and(|start| record.offset < start);
        let time = record.timestamp.map(|(millis, _)| millis);
        if is_earlier
            && self.latest.as_ref().is_none_or(|(latest, _)| *latest <= time)
            && is_match(self.plan, record, &mut self.scratch).unwrap_or(false)
        {
            self.latest = Some((time, place(record)));
        }
        Ok(Taken::Skipped)
    }

    fn dry(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice<'_>) {}
}
