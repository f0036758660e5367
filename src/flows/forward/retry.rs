//! What is tried again, when, and what never gets better. Pure.

use std::time::{Duration, Instant};

use crate::archive::ArchiveError;
use crate::base::{Classify, Failure, Kind};
use crate::warehouse::WarehouseError;

/// The pause before the first repetition; each further one doubles it.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// The longest `Retry-After` that is honoured.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// Failures of one look-up after which an API that answers others is believed: the service answers
/// 500 for ever for a model whose record it cannot write as JSON (contract, B7).
const ENOUGH: u32 = 8;

/// What a failed look-up means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes: try again, not before this time if the API named one.
    Again(Option<Duration>),
    /// It may pass, or be the fault of this model alone.
    AgainUnlessAlone,
    /// It never gets better for this record.
    Poison,
    /// It is nothing about this record: the address or the permission is wrong.
    Stop,
}

/// Judges a failed call.
#[must_use]
pub fn judge(error: &WarehouseError) -> Verdict {
    match (error.status(), error.kind()) {
        (Some(408 | 425 | 429 | 502..=504), _) => Verdict::Again(error.retry_after()),
        // A gateway's page says nothing of the record, and passes as the gateway's troubles do.
        (Some(404), Kind::ServerFault) => Verdict::Again(None),
        (Some(500..), _) | (None, Kind::ServerFault) => Verdict::AgainUnlessAlone,
        (None, Kind::Unreachable | Kind::Deadline) => Verdict::Again(None),
        (_, Kind::NotFound) => Verdict::Poison,
        (Some(_), Kind::Rejected) if !error.is_no_route() => Verdict::Poison,
        _ => Verdict::Stop,
    }
}

/// Judges a failed download: by the API's answer where that is what failed, else by what became of
/// the bytes.
#[must_use]
pub fn judge_download(failure: &Failure) -> Verdict {
    if let Some(error) = failure.origin::<WarehouseError>() {
        return judge(error);
    }
    if let Some(ArchiveError::Unwritable { cause, .. }) = failure.origin()
        && cause.kind() == std::io::ErrorKind::InvalidFilename
    {
        // No file can have that name here, however often it is tried.
        return Verdict::Poison;
    }
    match failure.kind() {
        Kind::Unreachable | Kind::Deadline => Verdict::Again(None),
        Kind::ServerFault | Kind::CheckFailed | Kind::Rejected => Verdict::AgainUnlessAlone,
        Kind::NotFound => Verdict::Poison,
        _ => Verdict::Stop,
    }
}

/// Keeps everything from an API that is away: one look-up asks again now and then, the others wait.
#[derive(Debug, Default)]
pub struct Gate {
    closed: Option<Closed>,
}

#[derive(Debug)]
struct Closed {
    since: Instant,
    until: Instant,
    backoff: Backoff,
    /// One look-up is on its way to see.
    asking: bool,
}

/// What a look-up may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    Go,
    /// Nothing may go before this time, or before the one that asks has come back.
    Wait(Option<Instant>),
}

impl Gate {
    /// Whether a look-up may go now; the first one after a pause is the one that asks.
    pub fn pass(&mut self, now: Instant) -> Pass {
        match &mut self.closed {
            None => Pass::Go,
            Some(closed) if closed.asking => Pass::Wait(None),
            Some(closed) if now < closed.until => Pass::Wait(Some(closed.until)),
            Some(closed) => {
                closed.asking = true;
                Pass::Go
            }
        }
    }

    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// The API does not answer as it should; true when it did until now. Look-ups that failed
    /// together count once.
    pub fn close(&mut self, asked: Option<Duration>, now: Instant) -> bool {
        match &mut self.closed {
            None => {
                let mut backoff = Backoff::new(0);
                let until = now + backoff.pause(asked);
                self.closed = Some(Closed { since: now, until, backoff, asking: false });
                true
            }
            Some(closed) => {
                if std::mem::take(&mut closed.asking) {
                    closed.until = now + closed.backoff.pause(asked);
                } else if let Some(asked) = asked {
                    closed.until = closed.until.max(now + asked.min(LONGEST_ASKED));
                }
                false
            }
        }
    }

    /// The API answered; how long it had been away.
    pub fn open(&mut self, now: Instant) -> Option<Duration> {
        self.closed.take().map(|closed| now.saturating_duration_since(closed.since))
    }
}

/// The pauses of one record.
#[derive(Clone, Debug)]
pub struct Backoff {
    failures: u32,
    /// Spreads the pauses of records that failed together.
    seed: u64,
    /// Look-ups of other records that had succeeded when this one failed first.
    others: Option<u64>,
}

impl Backoff {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { failures: 0, seed, others: None }
    }

    /// The pause after one more failure, a fifth more or less than its doubling step.
    pub fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let step = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        let spread =
            80 + self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(self.failures) % 41;
        let pause = step.mul_f64(f64::from(u32::try_from(spread).unwrap_or(100)) / 100.0);
        asked.map_or(pause, |asked| pause.max(asked.min(LONGEST_ASKED)))
    }

    /// Whether the record itself is to blame: it failed often enough, and look-ups of others have
    /// succeeded meanwhile. `succeeded` counts those of the whole run.
    pub fn is_alone(&mut self, succeeded: u64) -> bool {
        let others = *self.others.get_or_insert(succeeded);
        self.failures + 1 >= ENOUGH && succeeded > others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, retry_after: Option<Duration>) -> WarehouseError {
        WarehouseError::Refused {
            action: "download u/m@v1".to_owned(),
            status,
            reason: "no".to_owned(),
            problems: Vec::new(),
            is_of_api: true,
            retry_after,
            proxy: None,
        }
    }

    #[test]
    fn a_time_that_the_api_names_is_heard_from_look_ups_and_downloads() {
        let asked = Some(Duration::from_secs(7));
        for status in [429, 503] {
            assert_eq!(judge(&refused(status, asked)), Verdict::Again(asked));
            let download = Failure::from(refused(status, asked)).context("failed to fetch");
            assert_eq!(judge_download(&download), Verdict::Again(asked));
        }
    }

    #[test]
    fn a_download_that_is_refused_for_good_is_poison_and_one_that_came_wrong_is_not() {
        let judged = |status| judge_download(&refused(status, None).into());
        assert_eq!((judged(404), judged(400)), (Verdict::Poison, Verdict::Poison));
        assert_eq!((judged(500), judged(403)), (Verdict::AgainUnlessAlone, Verdict::Stop));
        let came_wrong = Failure::new(Kind::CheckFailed, "the MD5 differs");
        assert_eq!(judge_download(&came_wrong), Verdict::AgainUnlessAlone);
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_never_undercut_what_the_api_asked_for() {
        let mut backoff = Backoff::new(7);
        let mut last = Duration::ZERO;
        for _ in 0..7 {
            let pause = backoff.pause(None);
            assert!(pause > last, "{pause:?} after {last:?}");
            last = pause;
        }
        for _ in 0..40 {
            assert!(backoff.pause(None) <= LONGEST.mul_f64(1.2));
        }
        let asked = Duration::from_secs(30);
        assert_eq!(Backoff::new(7).pause(Some(asked)), asked);
        assert_eq!(Backoff::new(7).pause(Some(Duration::from_secs(86_400))), LONGEST_ASKED);
    }

    #[test]
    fn one_look_up_asks_while_the_others_wait_and_an_answer_opens_the_gate() {
        let (mut gate, start) = (Gate::default(), Instant::now());
        assert_eq!(gate.pass(start), Pass::Go);
        assert!(gate.close(None, start));
        assert!(!gate.close(None, start), "it was closed already");
        let Pass::Wait(Some(until)) = gate.pass(start) else { panic!("{gate:?}") };
        assert_eq!(gate.pass(until), Pass::Go);
        assert_eq!(gate.pass(until), Pass::Wait(None));
        gate.close(None, until);
        let Pass::Wait(Some(later)) = gate.pass(until) else { panic!("{gate:?}") };
        assert!(later - until > until - start, "pauses grow");
        assert_eq!(gate.open(later), Some(later - start));
        assert_eq!(gate.pass(later), Pass::Go);
    }

    #[test]
    fn a_time_that_the_api_asked_for_is_kept_whoever_heard_it() {
        let (mut gate, start) = (Gate::default(), Instant::now());
        gate.close(None, start);
        gate.close(Some(Duration::from_secs(30)), start);
        assert_eq!(gate.pass(start), Pass::Wait(Some(start + Duration::from_secs(30))));
    }

    #[test]
    fn records_that_failed_together_do_not_come_back_together() {
        let pauses: std::collections::BTreeSet<Duration> =
            (0..20).map(|seed| Backoff::new(seed).pause(None)).collect();
        assert!(pauses.len() > 10, "{pauses:?}");
    }

    #[test]
    fn a_record_is_to_blame_only_when_others_succeed() {
        let mut backoff = Backoff::new(0);
        for _ in 0..ENOUGH * 2 {
            assert!(!backoff.is_alone(5), "an outage is nobody's fault");
            backoff.pause(None);
        }
        assert!(backoff.is_alone(6));
        let mut fresh = Backoff::new(0);
        assert!(!fresh.is_alone(5));
        fresh.pause(None);
        assert!(!fresh.is_alone(6), "one failure is not enough");
    }
}
