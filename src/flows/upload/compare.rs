//! The server's record of files held against what was read here.

use std::collections::HashMap;
use std::fmt;

use crate::archive::{SentFile, hex};
use crate::schema::model::ModelFile;

/// How the server names the files of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// One file; whatever name the server gave it.
    Single,
    /// By their paths in the archive.
    Paths,
    /// By their base names: `preserve_structure=false`.
    BaseNames,
}

/// Something that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The record lacks a file.
    Missing {
        name: String,
    },
    /// The record has a file that is not here.
    Unknown {
        name: String,
    },
    /// Its sum cannot be known here, so it may be another one.
    Unread {
        name: String,
    },
    Size {
        name: String,
        here: u64,
        there: u64,
    },
    Sum {
        name: String,
        here: String,
        there: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => write!(f, "{name} is not there"),
            Self::Unknown { name } => write!(f, "{name} is there and not here"),
            Self::Unread { name } => write!(f, "{name} cannot be unpacked here for its MD5"),
            Self::Size { name, here, there } => {
                write!(f, "{name} has {there} bytes there and {here} here")
            }
            Self::Sum { name, here, there } => {
                write!(f, "{name} has MD5 {there} there and {here} here")
            }
        }
    }
}

/// What differs; nothing, when every file is on both sides with its size and its sum.
#[must_use]
pub fn compare(here: &[SentFile], there: &[ModelFile], naming: Naming) -> Vec<Difference> {
    let mut stored: HashMap<&str, Vec<&ModelFile>> = HashMap::new();
    for file in there {
        let name = match naming {
            Naming::Single => "",
            Naming::Paths => file.relative_path(),
            Naming::BaseNames => &file.filename,
        };
        stored.entry(name).or_default().push(file);
    }
    let mut differences = Vec::new();
    for file in here {
        let name = match naming {
            Naming::Single => "",
            Naming::Paths => &*file.name,
            Naming::BaseNames => file.name.rsplit('/').next().unwrap_or(&file.name),
        };
        match stored.get_mut(name).and_then(|files| take_best(files, file)) {
            None => differences.push(Difference::Missing { name: file.name.to_string() }),
            Some(found) => differences.extend(difference(file, found)),
        }
    }
    let left = stored.into_values().flatten();
    let mut unknown: Vec<Difference> =
        left.map(|file| Difference::Unknown { name: file.relative_path().to_owned() }).collect();
    unknown.sort_by_key(ToString::to_string);
    differences.extend(unknown);
    differences
}

/// Takes the file of this name that is the same, else any: equal base names may stand several times.
fn take_best<'a>(files: &mut Vec<&'a ModelFile>, wanted: &SentFile) -> Option<&'a ModelFile> {
    let same = files.iter().position(|file| difference(wanted, file).is_none());
    match same {
        Some(place) => Some(files.swap_remove(place)),
        None => files.pop(),
    }
}

fn difference(here: &SentFile, there: &ModelFile) -> Option<Difference> {
    let name = here.name.to_string();
    if here.size != there.file_size {
        return Some(Difference::Size { name, here: here.size, there: there.file_size });
    }
    let sum = hex(&here.md5?);
    (!sum.eq_ignore_ascii_case(&there.file_hash)).then(|| Difference::Sum {
        name,
        here: sum,
        there: there.file_hash.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(name: &str, size: u64, byte: u8) -> SentFile {
        SentFile { name: name.into(), size, md5: Some([byte; 16]) }
    }

    fn there(path: &str, size: u64, byte: u8) -> ModelFile {
        ModelFile {
            filename: path.rsplit('/').next().unwrap().to_owned(),
            file_path: format!("models/u/m/v1/{path}"),
            file_size: size,
            file_type: String::new(),
            file_hash: hex(&[byte; 16]),
            content_type: None,
            is_primary: false,
            description: None,
        }
    }

    #[test]
    fn equal_sides_do_not_differ() {
        let (a, b) = ([here("d/a", 1, 1), here("b", 2, 2)], [there("b", 2, 2), there("d/a", 1, 1)]);
        assert_eq!(compare(&a, &b, Naming::Paths), []);
        assert_eq!(compare(&a[..1], &[there("renamed", 1, 1)], Naming::Single), []);
    }

    #[test]
    fn a_changed_byte_a_lost_file_and_one_too_many_are_told() {
        let differences = compare(
            &[here("a", 1, 1), here("b", 2, 2), here("c", 3, 3)],
            &[there("a", 1, 9), there("b", 9, 2), there("d", 1, 1)],
            Naming::Paths,
        );
        let words: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(words[0].starts_with("a has MD5 0909"), "{words:?}");
        assert_eq!(
            words[1..],
            ["b has 9 bytes there and 2 here", "c is not there", "d is there and not here"]
        );
    }

    #[test]
    fn equal_base_names_are_paired_by_their_sums() {
        let sent = [here("x/w", 1, 1), here("y/w", 1, 2)];
        assert_eq!(compare(&sent, &[there("w", 1, 2), there("w", 1, 1)], Naming::BaseNames), []);
        let lost = compare(&sent, &[there("w", 1, 2), there("w", 1, 2)], Naming::BaseNames);
        assert!(matches!(lost[..], [Difference::Sum { .. }]), "{lost:?}");
    }

    #[test]
    fn a_sum_that_nobody_knows_is_not_compared() {
        let unknown = SentFile { md5: None, ..here("a", 1, 1) };
        assert_eq!(compare(&[unknown], &[there("a", 1, 9)], Naming::Paths), []);
    }
}
