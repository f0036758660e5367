//! Which generations of the API one server speaks, and which of them answers a request.

use std::fmt;
use std::str::FromStr;

use crate::schema::role::{Dialect, Role};

/// The generations that are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spoken {
    /// All from one router: paths without a user answer as `form`; paths with one as `task`, but
    /// where what only `task` requires is missing, as `flat`.
    #[default]
    All,
    /// One, exactly as that generation of the service.
    Only(Dialect),
}

impl Spoken {
    /// Whether the generation's own paths are there.
    #[must_use]
    pub fn has(self, dialect: Dialect) -> bool {
        matches!(self, Spoken::All) || self == Spoken::Only(dialect)
    }

    /// Who answers a request on a shared path. `is_complete` says that it has what only `task`
    /// requires.
    #[must_use]
    pub fn answers(self, is_complete: bool) -> Dialect {
        match self {
            Spoken::Only(dialect) => dialect,
            Spoken::All if is_complete => Dialect::Task,
            Spoken::All => Dialect::Flat,
        }
    }

    /// Whose topics carry what belongs to no task.
    #[must_use]
    pub fn untasked(self) -> Dialect {
        self.answers(false)
    }

    /// Whether changes of models are announced: only where all dialects are served, because no
    /// generation of the service sends these events.
    #[must_use]
    pub fn announces_changes(self) -> bool {
        self == Spoken::All
    }

    /// The topics that its clients may read or write.
    #[must_use]
    pub fn topics(self) -> Vec<String> {
        let own = Role::Model.topics().iter().copied().filter(|_| self.announces_changes());
        Role::service_topics().chain(own).map(str::to_owned).collect()
    }

    /// Who answers where the request decides nothing: the newest.
    #[must_use]
    pub fn newest(self) -> Dialect {
        self.answers(true)
    }
}

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Spoken::All => f.write_str("all"),
            Spoken::Only(dialect) => dialect.fmt(f),
        }
    }
}

impl FromStr for Spoken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Spoken::All);
        }
        text.parse().map(Spoken::Only).map_err(|reason: String| format!("{reason}; or all"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complete_request_is_answered_as_task_and_others_as_flat() {
        assert_eq!(Spoken::All.answers(true), Dialect::Task);
        assert_eq!(Spoken::All.answers(false), Dialect::Flat);
        for dialect in Dialect::ALL {
            assert_eq!(Spoken::Only(dialect).answers(true), dialect);
            assert_eq!(Spoken::Only(dialect).answers(false), dialect);
        }
    }

    #[test]
    fn words_are_read_back() {
        for spoken in [Spoken::All, Spoken::Only(Dialect::Form), Spoken::Only(Dialect::Task)] {
            assert_eq!(spoken.to_string().parse(), Ok(spoken));
        }
        assert!("auto".parse::<Spoken>().unwrap_err().contains("or all"));
    }
}
