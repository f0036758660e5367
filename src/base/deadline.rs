//! The point in time after which a command gives up. Every call that waits takes one, so that one
//! `--timeout` bounds a whole command and not each of its steps.

use std::time::{Duration, Instant};

/// A point in monotonic time, or none: "waits for ever" is a value that somebody chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    at: Option<Instant>,
}

impl Deadline {
    /// Never passes.
    pub const NEVER: Deadline = Deadline { at: None };

    /// `budget` from now; a budget too large for the clock never passes.
    #[must_use]
    pub fn after(budget: Duration) -> Self {
        Self { at: Instant::now().checked_add(budget) }
    }

    #[must_use]
    pub fn at(instant: Instant) -> Self {
        Self { at: Some(instant) }
    }

    #[must_use]
    pub fn after_if(budget: Option<Duration>) -> Self {
        budget.map_or(Self::NEVER, Self::after)
    }

    /// What is left; `None` when it never passes, zero once it has.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.at.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// What is left, but at most `limit`: the time to hand to a call that waits in slices.
    #[must_use]
    pub fn slice(&self, limit: Duration) -> Duration {
        self.remaining().map_or(limit, |left| left.min(limit))
    }

    /// The earlier of this one and `budget` from now.
    #[must_use]
    pub fn within(&self, budget: Duration) -> Self {
        self.earlier(Self::after(budget))
    }

    #[must_use]
    pub fn earlier(&self, other: Self) -> Self {
        match (self.at, other.at) {
            (Some(a), Some(b)) => Self { at: Some(a.min(b)) },
            (at, None) | (None, at) => Self { at },
        }
    }

    /// This one, put off.
    #[must_use]
    pub fn later(&self, by: Duration) -> Self {
        Self { at: self.at.and_then(|at| at.checked_add(by)) }
    }

    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }

    #[must_use]
    pub fn instant(&self) -> Option<Instant> {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_two_wins_and_never_loses_to_any() {
        let soon = Deadline::after(Duration::from_secs(1));
        let late = Deadline::after(Duration::from_secs(9));
        assert_eq!(soon.earlier(late), soon);
        assert_eq!(late.earlier(soon), soon);
        assert_eq!(Deadline::NEVER.earlier(late), late);
        assert_eq!(Deadline::NEVER.remaining(), None);
    }

    #[test]
    fn a_passed_deadline_leaves_nothing() {
        let passed = Deadline::after(Duration::ZERO);
        assert!(passed.has_passed());
        assert_eq!(passed.slice(Duration::from_secs(5)), Duration::ZERO);
        assert!(!Deadline::NEVER.has_passed());
    }
}
