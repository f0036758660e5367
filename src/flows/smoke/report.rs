//! What a smoke test found, step by step, and what that means for its exit code.

use std::time::Duration;

use super::Fault;
use crate::base::{Failure, Kind};

/// Something that was proved, was refuted, or could not be tried.
#[derive(Debug)]
pub struct Step {
    pub name: &'static str,
    pub took: Duration,
    pub outcome: Outcome,
}

#[derive(Debug)]
pub enum Outcome {
    /// With the evidence.
    Passed(String),
    Failed(Trouble),
    /// With the reason.
    Skipped(&'static str),
}

impl Outcome {
    /// The word for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// What was seen, in a line.
    #[must_use]
    pub fn evidence(&self) -> String {
        match self {
            Self::Passed(seen) => seen.clone(),
            Self::Failed(trouble) => trouble.failure.to_string(),
            Self::Skipped(reason) => (*reason).to_owned(),
        }
    }
}

/// A failure, and the fault behind it where it is known.
#[derive(Debug)]
pub struct Trouble {
    pub failure: Failure,
    pub fault: Option<Fault>,
}

impl<E: Into<Failure>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self { failure: error.into(), fault: None }
    }
}

impl Trouble {
    /// A bad answer of the service.
    pub(super) fn check(message: impl Into<String>) -> Self {
        Failure::new(Kind::CheckFailed, message).into()
    }

    pub(super) fn behind(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    /// The kind under which the command ends: whoever is away or says no to us is told as such, and
    /// anything else is a check that failed.
    fn kind(&self) -> Kind {
        match (self.fault, self.failure.kind()) {
            (None, kind @ (Kind::Unreachable | Kind::Denied | Kind::Usage | Kind::Internal)) => {
                kind
            }
            _ => Kind::CheckFailed,
        }
    }
}

/// All steps in the order in which they were done.
#[derive(Debug)]
pub struct Report {
    /// What the names of this run's models and tasks begin with.
    pub token: String,
    pub steps: Vec<Step>,
    pub took: Duration,
}

impl Report {
    #[must_use]
    pub fn failed(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Failed(_))).count()
    }

    /// Whether every step was proved.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.outcome, Outcome::Passed(_)))
    }

    /// The failure of the whole, when a step failed: the first one's, with the causes and cures of
    /// all faults that were met.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let troubles = || {
            self.steps.iter().filter_map(|step| match &step.outcome {
                Outcome::Failed(trouble) => Some((step.name, trouble)),
                _ => None,
            })
        };
        let (name, first) = troubles().next()?;
        let message = match self.failed() {
            1 => format!("the step {name:?} failed: {}", first.failure),
            failed => format!("{failed} steps failed, first {name:?}: {}", first.failure),
        };
        let mut failure = Failure::new(first.kind(), message);
        for (name, trouble) in troubles() {
            if let Some(fault) = trouble.fault {
                let (word, cause, fix) = (fault.name(), fault.cause(), fault.fix());
                failure = failure.hint(format!("{name}: {cause} ({word}): {fix}"));
            } else {
                for hint in trouble.failure.hints() {
                    failure = failure.hint(format!("{name}: {hint}"));
                }
            }
        }
        Some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: Vec<Outcome>) -> Report {
        let step = |outcome| Step { name: "upload", took: Duration::ZERO, outcome };
        let steps = outcomes.into_iter().map(step).collect();
        Report { token: "t".to_owned(), steps, took: Duration::ZERO }
    }

    fn code(outcomes: Vec<Outcome>) -> Option<u8> {
        report(outcomes).failure().map(|failure| failure.kind().code())
    }

    fn failed(kind: Kind, fault: Option<Fault>) -> Outcome {
        Outcome::Failed(Trouble { failure: Failure::new(kind, "no"), fault })
    }

    #[test]
    fn whoever_is_away_is_told_apart_from_an_answer_that_is_bad() {
        assert_eq!(code(vec![Outcome::Passed(String::new()), Outcome::Skipped("")]), None);
        assert_eq!(code(vec![failed(Kind::Unreachable, None)]), Some(6));
        assert_eq!(code(vec![failed(Kind::Denied, None)]), Some(10));
        for kind in [Kind::NotFound, Kind::Rejected, Kind::ServerFault, Kind::Deadline] {
            assert_eq!(code(vec![failed(kind, None)]), Some(8), "{kind:?}");
        }
        assert_eq!(code(vec![failed(Kind::Unreachable, Some(Fault::EventLost))]), Some(8));
    }

    #[test]
    fn a_step_that_was_skipped_is_not_proved() {
        assert!(report(vec![Outcome::Passed(String::new())]).is_good());
        assert!(!report(vec![Outcome::Skipped("")]).is_good());
    }

    #[test]
    fn every_fault_is_a_hint() {
        let report = report(vec![
            failed(Kind::NotFound, Some(Fault::ModelLost)),
            failed(Kind::Deadline, Some(Fault::EventLost)),
        ]);
        let failure = report.failure().unwrap();
        assert_eq!(failure.message(), "2 steps failed, first \"upload\": no");
        let hints: Vec<&str> = failure.hints().iter().map(crate::base::Hint::text).collect();
        assert!(hints[0].contains("model-lost") && hints[1].contains("event-lost"), "{hints:?}");
    }
}
