//! What is wrong with single entries of a ready archive: a service that unpacks it would fail, or
//! would lose a file.

use std::fmt;

/// Why an entry does not become a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryFault {
    /// It needs a password.
    Encrypted,
    /// Its compression method is none of Python's zipfile.
    Method(Box<str>),
    /// A tool on Windows wrote backslashes between folders: elsewhere they are part of one name.
    Backslash,
    /// Nothing is left of its name, or it holds control characters.
    Name,
    /// It is a symbolic link, which Python unpacks as a file with the target's name as its content.
    Link,
    /// Another entry has the same path.
    Doubled,
    /// Another entry has this path as its folder.
    FileAndFolder,
}

impl EntryFault {
    /// Returns what to do about it, without the name of the archive.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Encrypted => "pack it again without a password",
            Self::Method(_) => "pack it again with deflate, as zip -r does",
            Self::Backslash => {
                "some tools on Windows write backslashes between folders, elsewhere they are part of a name: unpack it and upload the folder"
            }
            Self::Name => "unpack it and upload the folder",
            Self::Link => "pack it again without -y (--symlinks), so that zip follows its links",
            Self::Doubled | Self::FileAndFolder => {
                "unpack it, see which file is meant, and upload the folder"
            }
        }
    }
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encrypted => f.write_str("is encrypted"),
            Self::Method(method) => write!(f, "is compressed with {method}"),
            Self::Backslash => f.write_str("has a backslash in its name"),
            Self::Name => f.write_str("has a name that no file can have"),
            Self::Link => f.write_str("is a symbolic link"),
            Self::Doubled => f.write_str("stands in it more than once"),
            Self::FileAndFolder => f.write_str("is a file and a folder"),
        }
    }
}

/// An entry with its fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultyEntry {
    /// The entry's name as the archive has it.
    pub name: String,
    pub fault: EntryFault,
}

impl FaultyEntry {
    pub(super) fn new(name: &str, fault: EntryFault) -> Self {
        Self { name: name.to_owned(), fault }
    }
}

impl fmt::Display for FaultyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.fault)
    }
}
