//! When the brokers are away: a state machine that is told what the cluster answered and says each
//! change once.

use std::time::{Duration, Instant};

use crate::base::{Classify, Failure, Hint, Kind};

/// A change worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Began,
    Ended(Duration),
}

/// Whether the brokers are away, and since when.
#[derive(Clone, Debug, Default)]
pub(super) struct Outage {
    began: Option<(Instant, String)>,
}

impl Outage {
    /// Takes what the cluster answered; `Err` carries the words for what is wrong.
    pub fn take(&mut self, answer: Result<(), String>, now: Instant) -> Option<Change> {
        match (answer, self.began.take()) {
            (Ok(()), None) => None,
            (Ok(()), Some((since, _))) => Some(Change::Ended(now.saturating_duration_since(since))),
            (Err(reason), None) => {
                self.began = Some((now, reason));
                Some(Change::Began)
            }
            (Err(reason), Some((since, _))) => {
                self.began = Some((since, reason));
                None
            }
        }
    }

    pub fn is_on(&self) -> bool {
        self.began.is_some()
    }

    pub fn reason(&self) -> &str {
        self.began.as_ref().map_or("", |(_, reason)| reason)
    }

    pub fn lasted(&self, now: Instant) -> Option<Duration> {
        self.began.as_ref().map(|(since, _)| now.saturating_duration_since(*since))
    }

    /// # Errors
    /// It has lasted longer than is allowed.
    pub fn check(&self, most: Option<Duration>, now: Instant) -> Result<(), TooLong> {
        match (most, self.lasted(now)) {
            (Some(most), Some(lasted)) if lasted >= most => {
                Err(TooLong { most, reason: self.reason().to_owned() })
            }
            _ => Ok(()),
        }
    }
}

/// The brokers were away for longer than `--max-outage` allows.
#[derive(Debug, thiserror::Error)]
#[error("the brokers have been away for {}: {reason}", crate::base::duration::spoken(*.most))]
pub(super) struct TooLong {
    most: Duration,
    reason: String,
}

impl Classify for TooLong {
    fn kind(&self) -> Kind {
        Kind::Unreachable
    }

    fn hints(&self) -> Vec<Hint> {
        vec![Hint::new("without --max-outage a read waits for them as long as --timeout allows")]
    }
}

/// The failure of a read that may not wait any longer.
pub(super) fn refuse_if_too_long(
    outage: &Outage,
    most: Option<Duration>,
    now: Instant,
) -> Result<(), Failure> {
    Ok(outage.check(most, now)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone() -> Result<(), String> {
        Err("refused".to_owned())
    }

    #[test]
    fn its_beginning_and_its_end_are_told_once() {
        let start = Instant::now();
        let later = start + Duration::from_secs(3);
        let mut outage = Outage::default();
        assert_eq!(outage.take(Ok(()), start), None);
        assert_eq!(outage.take(gone(), start), Some(Change::Began));
        assert_eq!(outage.take(gone(), later), None);
        assert_eq!(outage.take(Ok(()), later), Some(Change::Ended(Duration::from_secs(3))));
        assert_eq!(outage.take(Ok(()), later), None);
    }

    #[test]
    fn it_may_last_as_long_as_is_allowed() {
        let start = Instant::now();
        let mut outage = Outage::default();
        let most = Some(Duration::from_secs(30));
        assert!(outage.check(most, start).is_ok());
        let _ = outage.take(gone(), start);
        assert!(outage.check(most, start + Duration::from_secs(29)).is_ok());
        let refused = outage.check(most, start + Duration::from_secs(30)).unwrap_err();
        assert_eq!(refused.kind(), Kind::Unreachable);
        assert_eq!(refused.to_string(), "the brokers have been away for 30 s: refused");
        assert!(outage.check(None, start + Duration::from_secs(900)).is_ok());
    }
}
