//! What a doctor finds: one line each, with the cause and the cure where something is wrong, and
//! what all of them together mean for the exit code.

use std::fmt;
use std::time::Duration;

use crate::base::{Failure, Kind};

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    Settings,
    Api,
    /// The addresses that are set for the brokers.
    Brokers,
    /// The addresses that the brokers themselves send clients to.
    Advertised,
    Topics,
    Groups,
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Area::Settings => "settings",
            Area::Api => "api",
            Area::Brokers => "brokers",
            Area::Advertised => "advertised",
            Area::Topics => "topics",
            Area::Groups => "groups",
        })
    }
}

/// Green, yellow or red.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    Good,
    /// Nothing fails by it now.
    Odd(Trouble),
    /// Something that this tool is for will not work; with what that means to a caller.
    Bad(Trouble, Kind),
}

/// A fault by its name, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// For programs; stays.
    pub fault: &'static str,
    /// The line to change, or the command to give.
    pub fix: String,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub area: Area,
    /// Which of its kind: an address, a topic, a variable.
    pub subject: String,
    /// What was seen, in one line.
    pub seen: String,
    pub took: Option<Duration>,
    pub level: Level,
}

impl Finding {
    pub(super) fn good(area: Area, subject: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { area, subject: subject.into(), seen: seen.into(), took: None, level: Level::Good }
    }

    pub(super) fn within(mut self, took: Duration) -> Self {
        self.took = Some(took);
        self
    }

    /// Something that is worth knowing.
    pub(super) fn odd(mut self, fault: &'static str, fix: impl Into<String>) -> Self {
        self.level = Level::Odd(Trouble { fault, fix: fix.into() });
        self
    }

    /// Something that does not work.
    pub(super) fn bad(mut self, fault: &'static str, kind: Kind, fix: impl Into<String>) -> Self {
        self.level = Level::Bad(Trouble { fault, fix: fix.into() }, kind);
        self
    }

    /// The same as a mere oddity: another way works.
    pub(super) fn made_odd(mut self) -> Self {
        if let Level::Bad(trouble, _) = self.level {
            self.level = Level::Odd(trouble);
        }
        self
    }

    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        match &self.level {
            Level::Good => None,
            Level::Odd(trouble) | Level::Bad(trouble, _) => Some(trouble),
        }
    }

    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self.level, Level::Bad(..))
    }
}

/// All findings, in the order of their areas.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    pub findings: Vec<Finding>,
    pub took: Duration,
    /// What cannot be seen from here, and what proves it.
    pub unseen: Option<&'static str>,
}

impl Diagnosis {
    /// What is red.
    pub fn bad(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_bad())
    }

    /// What is yellow.
    pub fn odd(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.level, Level::Odd(_)))
    }

    /// The failure of the whole: of the kind that all red findings share, else that of a check.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let first = self.bad().next()?;
        let mut kinds = self.bad().filter_map(|finding| match &finding.level {
            Level::Bad(_, kind) => Some(*kind),
            _ => None,
        });
        let kind = kinds.next().unwrap_or(Kind::CheckFailed);
        let shared = matches!(kind, Kind::Unreachable | Kind::Denied) && kinds.all(|k| k == kind);
        let message = match self.bad().count() {
            1 => format!("{}: {}", first.subject, first.seen),
            count => format!("{count} things are wrong, first {}: {}", first.subject, first.seen),
        };
        let failure = Failure::new(if shared { kind } else { Kind::CheckFailed }, message);
        let fixes = self.bad().filter_map(Finding::trouble).map(|trouble| trouble.fix.clone());
        let mut told: Vec<String> = Vec::new();
        for fix in fixes {
            if !told.contains(&fix) {
                told.push(fix);
            }
        }
        Some(told.into_iter().fold(failure, Failure::hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kinds: &[Kind]) -> Option<u8> {
        let finding = |kind| Finding::good(Area::Api, "a", "b").bad("f", kind, "fix");
        let findings = kinds.iter().copied().map(finding).collect();
        let diagnosis = Diagnosis { findings, ..Diagnosis::default() };
        diagnosis.failure().map(|failure| failure.kind().code())
    }

    #[test]
    fn the_code_is_that_of_all_that_is_wrong_or_of_a_check() {
        assert_eq!(code(&[]), None);
        assert_eq!(code(&[Kind::Unreachable, Kind::Unreachable]), Some(6));
        assert_eq!(code(&[Kind::Denied]), Some(10));
        assert_eq!(code(&[Kind::Denied, Kind::Unreachable]), Some(8));
        assert_eq!(code(&[Kind::CheckFailed, Kind::CheckFailed]), Some(8));
    }

    #[test]
    fn an_oddity_is_no_failure_and_a_cure_is_told_once() {
        let odd = Finding::good(Area::Topics, "t", "s").odd("f", "cure");
        let bad = odd.clone().bad("f", Kind::Denied, "cure");
        let diagnosis = Diagnosis { findings: vec![odd, bad.clone(), bad], ..Diagnosis::default() };
        let failure = diagnosis.failure().unwrap();
        assert_eq!(failure.hints().len(), 1);
        assert!(failure.message().starts_with("2 things are wrong, first t"), "{failure}");
    }
}
