//! What somebody would want to know before a file goes out.

use crate::archive::recognise::{Fault, Recognition};

/// Why a file may be unsafe or useless to whoever gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    RunsCode,
    /// It could not be looked into.
    Uninspected,
    LfsPointer,
    Truncated,
    Malformed,
    /// Files are missing that it needs.
    Incomplete,
    Secret,
    /// Worth to know, and no reason to refuse it.
    Note,
}

impl FindingKind {
    /// The name in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RunsCode => "runs-code",
            Self::Uninspected => "not-inspected",
            Self::LfsPointer => "git-lfs-pointer",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::Incomplete => "incomplete",
            Self::Secret => "secret",
            Self::Note => "note",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::RunsCode => "safetensors and ONNX carry weights without code",
            Self::Uninspected => "unpack it, and upload the folder",
            Self::LfsPointer => "git lfs pull fetches the file itself",
            Self::Truncated | Self::Malformed => "download or save it again",
            Self::Incomplete => "add the missing files, or upload the folder that has all of them",
            Self::Secret => {
                "take it out (of a folder --exclude does), and revoke it if it was ever sent"
            }
            Self::Note => return None,
        })
    }

    /// Whether it makes an upload unsafe.
    #[must_use]
    pub fn is_unsafe(self) -> bool {
        self != Self::Note
    }
}

/// One thing about one file. A secret's value never stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: FindingKind,
    /// Below the folder, or the base name.
    pub path: String,
    /// The whole of it, for people.
    pub text: String,
}

impl Finding {
    pub(super) fn new(kind: FindingKind, path: &str, text: &str) -> Self {
        Self { kind, path: path.to_owned(), text: format!("{path} {text}") }
    }

    /// A finding about an entry of an archive, or of an archive in it.
    pub(super) fn inside(kind: FindingKind, path: &str, place: &[String], text: &str) -> Self {
        let place = place.iter().fold(String::new(), |all, entry| format!("{all}: {entry}"));
        Self { kind, path: path.to_owned(), text: format!("{path}{place} {text}") }
    }

    /// What is wrong with a recognised file.
    pub(super) fn of_recognition(path: &str, recognition: &Recognition) -> Option<Self> {
        let (kind, text) = Self::of_fault(recognition.fault.as_ref()?);
        Some(Self::new(kind, path, &text))
    }

    /// The kind of a fault, and its words.
    pub(super) fn of_fault(fault: &Fault) -> (FindingKind, String) {
        match fault {
            Fault::Truncated(reason) => (FindingKind::Truncated, format!("is cut off: {reason}")),
            Fault::Malformed(reason) => (FindingKind::Malformed, format!("is damaged: {reason}")),
        }
    }
}
