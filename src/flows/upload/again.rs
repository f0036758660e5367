//! Sending an upload again: what passes by itself, how long to leave the API alone, and what has to
//! be looked up first, because a blind repetition makes a second version.

use std::time::Duration;

use super::existing;
use super::{Means, UploadJob, send};
use crate::base::{Classify, IdSource, Kind};
use crate::schema::role::Dialect;
use crate::warehouse::{UploadError, UploadedModel, WarehouseError};

/// The pause before the first repetition; each further one doubles it.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// The longest `Retry-After` that is waited for; an API that asks for more is answered with the error.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// What a failed upload means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing was stored, and it passes: not before this time if the API named one.
    Again(Option<Duration>),
    /// The server may have stored it: its record says.
    LookFirst,
    /// Nothing gets better by itself.
    Stop,
}

/// Judges a failed attempt. `repeated` says that an earlier one had reached the API: one that is down
/// from the start is told at once, one that goes away meanwhile may be on its way back.
fn judge(error: &UploadError, repeated: bool) -> Verdict {
    // A file that changed stays changed.
    let UploadError::Warehouse(error) = error else { return Verdict::Stop };
    match (error.status(), error) {
        (Some(408 | 425 | 429 | 503), _) => match error.retry_after() {
            Some(asked) if asked > LONGEST_ASKED => Verdict::Stop,
            asked => Verdict::Again(asked),
        },
        // A gateway that gave up on a server which may be at work all the same.
        (Some(502 | 504), _) => Verdict::LookFirst,
        (None, WarehouseError::Lost { .. }) if error.may_be_stored() => Verdict::LookFirst,
        (None, _) if error.is_broken_off() => Verdict::Again(None),
        (None, _) if repeated && error.kind() == Kind::Unreachable => Verdict::Again(None),
        _ => Verdict::Stop,
    }
}

/// The pause before attempt `number` (the first repetition is 1), a fifth more or less than its
/// doubling step, so that clients which failed together do not come back together.
fn pause(number: u32, asked: Option<Duration>, ids: &IdSource) -> Duration {
    let step = FIRST.saturating_mul(1 << (number - 1).min(16)).min(LONGEST);
    let lot = u32::from_str_radix(&ids.hex(4), 16).unwrap_or(0) % 41;
    let pause = step.mul_f64(f64::from(80 + lot) / 100.0);
    asked.map_or(pause, |asked| asked + pause.min(FIRST))
}

/// Sends, and sends again what failed in passing, from the file's first byte each time.
///
/// # Errors
/// The last attempt's, when the attempts are spent or it would not help.
pub(super) async fn send_patiently(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<UploadedModel, UploadError> {
    let ids = IdSource::random();
    let mut may_be_stored = false;
    let mut number = 0;
    loop {
        let error = match send(means, job, dialect).await {
            Ok(uploaded) => return Ok(uploaded),
            Err(error) => error,
        };
        // What an earlier attempt stored is in the way of this one.
        if may_be_stored && is_conflict(&error) {
            return existing::find_sent(means, job, dialect).await?.ok_or(error);
        }
        let verdict = judge(&error, number > 0);
        if verdict == Verdict::Stop || (number == means.retries && verdict != Verdict::LookFirst) {
            return Err(error);
        }
        number += 1;
        let asked = if let Verdict::Again(asked) = verdict { asked } else { None };
        let pause = pause(number, asked, &ids);
        if means.deadline.remaining().is_some_and(|left| left <= pause) {
            return Err(error);
        }
        means.reporter.warning(&told(&error, verdict, pause));
        tokio::time::sleep(pause).await;
        if verdict == Verdict::LookFirst {
            may_be_stored = true;
            // A server that cannot be asked leaves it open: the first error says that it may be there.
            match existing::find_sent(means, job, dialect).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) if number <= means.retries => {}
                Ok(None) | Err(_) => return Err(error),
            }
        }
    }
}

fn is_conflict(error: &UploadError) -> bool {
    matches!(error, UploadError::Warehouse(error) if error.status() == Some(409))
}

fn told(error: &UploadError, verdict: Verdict, pause: Duration) -> String {
    let next = match verdict {
        Verdict::LookFirst => "looking whether it is stored",
        Verdict::Again(_) | Verdict::Stop => "sending it again",
    };
    format!("{error}; {next} in {:.1} s", pause.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_a_spread_and_what_the_api_asks_for_is_the_least() {
        let ids = IdSource::random();
        for number in 1..=4 {
            let step = FIRST * (1 << (number - 1));
            let got = pause(number, None, &ids);
            assert!(got >= step.mul_f64(0.8) && got <= step.mul_f64(1.2), "{number}: {got:?}");
        }
        assert!(pause(60, None, &ids) <= LONGEST.mul_f64(1.2));
        let asked = Duration::from_secs(7);
        let got = pause(1, Some(asked), &ids);
        assert!(got >= asked && got <= asked + FIRST, "{got:?}");
    }

    #[test]
    fn an_api_that_was_never_there_is_not_tried_again() {
        let away = || {
            UploadError::from(WarehouseError::Unreachable {
                address: "a".into(),
                reason: "connection refused".into(),
            })
        };
        assert_eq!(judge(&away(), false), Verdict::Stop);
        assert_eq!(judge(&away(), true), Verdict::Again(None));
    }
}
