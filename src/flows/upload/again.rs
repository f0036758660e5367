//! Asking and sending again: what passes by itself, how long to leave the API alone, and what has to
//! be looked up first, because a blind repetition makes a second version.

use std::fmt::Display;
use std::time::{Duration, Instant};

use super::existing::{self, Found};
use super::{Means, UploadJob, Uploaded, send};
use crate::base::IdSource;
use crate::schema::role::Dialect;
use crate::warehouse::{UploadError, WarehouseError};

/// The pause before the first repetition; each further one doubles it.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// The longest `Retry-After` that is waited for; an API that asks for more is answered with the error.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// What a failed request means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing was stored, and it passes: not before this time if the API named one.
    Again(Option<Duration>),
    /// The server may have stored it: its record says, and where there is none it is sent again.
    Look(Option<Duration>),
    /// The server may still be at it, so that a record which is not there may come.
    LookOnly,
    /// Nothing gets better by itself.
    Stop,
}

/// Judges a failed upload.
fn judge(error: &UploadError, dialect: Dialect) -> Verdict {
    // A file that changed stays changed.
    let UploadError::Warehouse(error) = error else { return Verdict::Stop };
    let asked = error.retry_after();
    if asked.is_some_and(|asked| asked > LONGEST_ASKED) {
        return Verdict::Stop;
    }
    match (error.status(), error) {
        (Some(408 | 425 | 429), _) => Verdict::Again(asked),
        // What stands before the API says 503 too of a connection that broke behind it.
        (Some(500 | 502 | 503), _) => Verdict::Look(asked),
        // A gateway that gave up on a server which goes on. A version that was chosen here can be
        // stored only once.
        (Some(504 | 524), _) if dialect == Dialect::Form => Verdict::Look(asked),
        (Some(504 | 524), _) => Verdict::LookOnly,
        (None, WarehouseError::Stalled { .. }) if error.may_be_stored() => Verdict::LookOnly,
        // Its own time is over, and the command's is not.
        (None, WarehouseError::Unanswered { within: Some(_), .. }) => Verdict::LookOnly,
        (None, WarehouseError::Lost { .. }) if error.may_be_stored() => Verdict::Look(None),
        (None, WarehouseError::Unreachable { .. }) => Verdict::Again(None),
        (None, _) if error.is_broken_off() => Verdict::Again(None),
        _ => Verdict::Stop,
    }
}

/// Whether a question that changes nothing may get an answer later, and when.
fn passes(error: &WarehouseError) -> Option<Option<Duration>> {
    let asked = error.retry_after();
    let passes = match (error.status(), error) {
        (Some(status), _) => matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 524),
        (None, WarehouseError::Unreachable { .. } | WarehouseError::Lost { .. }) => true,
        _ => false,
    };
    (passes && asked.is_none_or(|asked| asked <= LONGEST_ASKED)).then_some(asked)
}

/// The repetitions that are left.
struct Patience<'a> {
    means: Means<'a>,
    ids: IdSource,
    spent: u32,
}

impl<'a> Patience<'a> {
    fn new(means: Means<'a>) -> Self {
        Self { means, ids: IdSource::random(), spent: 0 }
    }

    /// Says what comes next and waits for it; `false` where no repetition or no time is left.
    async fn lasts(&mut self, error: &impl Display, asked: Option<Duration>, next: &str) -> bool {
        if self.spent >= self.means.retries {
            return false;
        }
        self.spent += 1;
        let pause = pause(self.spent, asked, &self.ids);
        if self.means.deadline.remaining().is_some_and(|left| left <= pause) {
            return false;
        }
        self.means.reporter.warning(&format!(
            "{error}; {next} in {:.1} s ({} of {})",
            pause.as_secs_f64(),
            self.spent,
            self.means.retries
        ));
        tokio::time::sleep(pause).await;
        true
    }
}

/// The pause before the repetition of this number (from 1), a fifth more or less than its doubling
/// step, so that clients which failed together do not come back together.
fn pause(number: u32, asked: Option<Duration>, ids: &IdSource) -> Duration {
    let step = FIRST.saturating_mul(1 << (number - 1).min(16)).min(LONGEST);
    let lot = u32::from_str_radix(&ids.hex(4), 16).unwrap_or(0) % 41;
    let pause = step.mul_f64(f64::from(80 + lot) / 100.0);
    asked.map_or(pause, |asked| asked + pause.min(FIRST))
}

/// Asks a question that changes nothing until it is answered or the repetitions are spent.
///
/// # Errors
/// The last answer's.
pub(super) async fn ask_patiently<T>(
    means: Means<'_>,
    mut question: impl AsyncFnMut() -> Result<T, WarehouseError>,
) -> Result<T, WarehouseError> {
    let mut patience = Patience::new(means);
    loop {
        let error = match question().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match passes(&error) {
            Some(asked) if patience.lasts(&error, asked, "asking again").await => {}
            _ => return Err(error),
        }
    }
}

/// Sends, and sends again what failed in passing, from the file's first byte each time. Tells how
/// often it was sent.
///
/// # Errors
/// The last attempt's, when the attempts are spent or it would not help.
pub(super) async fn send_patiently(
    means: Means<'_>,
    job: &UploadJob,
    dialect: Dialect,
) -> Result<(Uploaded, u32), UploadError> {
    let begun = Instant::now();
    let mut patience = Patience::new(means);
    let mut may_be_stored = false;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let error = match send(means, job, dialect).await {
            Ok(uploaded) => return Ok((uploaded, attempts)),
            Err(error) => error,
        };
        let verdict = match judge(&error, dialect) {
            // What an earlier attempt stored is in the way of this one.
            _ if may_be_stored && is_conflict(&error) => Verdict::LookOnly,
            verdict => verdict,
        };
        match verdict {
            Verdict::Stop => return Err(error),
            Verdict::Again(asked) => {
                if !patience.lasts(&error, asked, "sending it again").await {
                    return Err(error);
                }
            }
            Verdict::Look(_) | Verdict::LookOnly => {
                may_be_stored = true;
                match look(&mut patience, job, dialect, &error, verdict, begun).await {
                    Some(Found::Stored(uploaded)) => return Ok((*uploaded, attempts)),
                    Some(Found::Nothing) => {}
                    None => return Err(error),
                }
            }
        }
    }
}

/// Looks whether what was sent is stored: `None` where that stays open, or where it is not there
/// and must not be sent again all the same.
async fn look(
    patience: &mut Patience<'_>,
    job: &UploadJob,
    dialect: Dialect,
    error: &UploadError,
    verdict: Verdict,
    begun: Instant,
) -> Option<Found> {
    let means = patience.means;
    let mut asked = if let Verdict::Look(asked) = verdict { asked } else { None };
    while patience.lasts(error, asked, "looking whether it is stored").await {
        match existing::find_sent(means, job, dialect, begun).await {
            Ok(Found::Stored(uploaded)) => {
                let coordinates = uploaded.model.coordinates();
                means.reporter.note(&format!("{coordinates} is stored, with every file as sent"));
                return Some(Found::Stored(uploaded));
            }
            Ok(Found::Nothing) if verdict != Verdict::LookOnly => return Some(Found::Nothing),
            Ok(Found::Nothing) => asked = None,
            Err(UploadError::Warehouse(unasked)) => asked = passes(&unasked)?,
            Err(_) => return None,
        }
    }
    None
}

fn is_conflict(error: &UploadError) -> bool {
    matches!(error, UploadError::Warehouse(error) if error.status() == Some(409))
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
}
