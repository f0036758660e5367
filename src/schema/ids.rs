//! The warehouse's ids as types. They are parts of URL paths, storage keys and Kafka keys, so what
//! can break one of those is refused here, before anything is sent.

use std::fmt;

use crate::base::{Classify, Hint, Kind};

/// The most bytes an id may have; the service stores ids as parts of object names.
const LONGEST: usize = 255;

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} {value:?} contains {character:?}, which no path of the API can carry")]
    Character { what: &'static str, value: String, character: char },
    #[error("{what} is {length} bytes long; at most {LONGEST} are possible")]
    TooLong { what: &'static str, length: usize },
    #[error("{what} {value:?} means a folder, not a name")]
    Relative { what: &'static str, value: String },
}

impl Classify for InvalidId {
    fn kind(&self) -> Kind {
        Kind::Usage
    }

    fn hints(&self) -> Vec<Hint> {
        match self {
            InvalidId::Character { character: '/', .. } => {
                vec![Hint::new(
                    "the service answers 404 to an id with a slash, even when it is encoded; use - or _",
                )]
            }
            _ => Vec::new(),
        }
    }
}

fn check(what: &'static str, value: &str) -> Result<(), InvalidId> {
    if value.is_empty() {
        return Err(InvalidId::Empty { what });
    }
    if value == "." || value == ".." {
        return Err(InvalidId::Relative { what, value: value.to_owned() });
    }
    if let Some(character) = value.chars().find(|c| matches!(c, '/' | '\\') || c.is_control()) {
        return Err(InvalidId::Character { what, value: value.to_owned(), character });
    }
    if value.len() > LONGEST {
        return Err(InvalidId::TooLong { what, length: value.len() });
    }
    Ok(())
}

macro_rules! id {
    ($name:ident, $what:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes what a person or a request gave.
            ///
            /// # Errors
            /// The text is empty, too long, `.` or `..`, or has a slash, backslash or control character.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                check($what, text)?;
                Ok(Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }
    };
}

id!(UserId, "user id", "The owner of models, datasets and reports; the first path segment.");
id!(ModelId, "model id", "A model's name within its user.");
id!(DatasetId, "dataset id", "A dataset's name within its user.");
id!(
    Version,
    "version",
    "A version label: `v1`, `v2`, … where the server assigns it, free text in the `form` dialect."
);
id!(
    TaskId,
    "task id",
    "The id that ties a request, its trigger and its completion together (`X-Task-ID`)."
);

impl Version {
    /// The label of the `number`th version, as the server assigns it.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        Self(format!("v{number}"))
    }

    /// `N` of a label `vN`; other labels have no number.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.0.strip_prefix('v')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_a_path_is_refused() {
        for bad in ["", "a/b", "a\\b", "a\0b", "a\nb", ".", ".."] {
            assert!(ModelId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ModelId::parse(&"x".repeat(256)).is_err());
    }

    #[test]
    fn what_the_service_takes_is_taken() {
        for good in ["user123", "test-model-1", "my model", "μοντέλο", "a..b", "x%2Fy"] {
            assert_eq!(ModelId::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn only_numbered_versions_have_a_number() {
        assert_eq!(Version::parse("v12").unwrap().number(), Some(12));
        assert_eq!(Version::parse("2025-10-release").unwrap().number(), None);
        assert_eq!(Version::numbered(3).as_str(), "v3");
    }
}
